"""Who stands behind an id: their addresses go on the list too, so that it holds wherever they appear."""

from __future__ import annotations

from dataclasses import dataclass

from sequences_mcp.domain.ids import LOCAL, Kind, parse
from sequences_mcp.errors import InvalidArgumentsError, SequencesError
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.flows.exclude_at_vendors import Mark
from sequences_mcp.providers.port import SequenceDetail
from sequences_mcp.providers.vendor_port import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What was put on the own list beside an id, what that stopped, how vendors know the person, what failed."""

    also: tuple[str, ...] = ()
    stopped: tuple[SequenceDetail, ...] = ()
    marks: tuple[Mark, ...] = ()
    untold: str | None = None

    @property
    def listed(self) -> tuple[Mark, ...]:
        """Return ``also`` as marks."""
        return tuple(Mark("contact" if one.startswith(_PREFIXES) else "address", one) for one in self.also)


async def follow_person(desk: Desk, *, contact_id: str, reason: str) -> Followed:
    """Read the person where the id is from and suppress their addresses too; the id is on the list by then.

    Nothing is raised for a vendor that does not tell: ``untold`` says so.
    """
    try:
        found = await _trace(desk, contact_id)
    except SequencesError as error:
        return Followed(untold=f"{error.outcome}: who this is could not be read: {error}")
    also: list[str] = []
    stopped: list[SequenceDetail] = []
    for mark in (*(Mark("contact", one) for one in found.ids), *(Mark("address", one) for one in found.emails)):
        try:
            done = await desk.suppressions.suppress(
                "contact" if mark.kind == "contact" else "address", mark.value, reason=reason
            )
        except InvalidArgumentsError:  # a vendor's "address" may be anything
            continue
        also.append(done.value)
        stopped += done.stopped
    marks = [Mark("address", one) for one in also if not one.startswith(_PREFIXES)]
    profile = [Mark("profile", found.linkedin_url)] if found.linkedin_url else []
    return Followed(also=tuple(also), stopped=tuple(stopped), marks=(*marks, *profile))


_PREFIXES = ("kalent:", "clarky:", "topo:")


async def _trace(desk: Desk, contact_id: str) -> Trace:
    provider = desk.provider_of(contact_id, Kind.CONTACT)
    if parse(contact_id, Kind.CONTACT).provider != LOCAL:
        return await offered(provider.traces, provider, verb="read people").trace(contact_id)
    [found] = await offered(provider.contacts, provider, verb="read contacts").get_contacts([contact_id])
    return Trace(emails=(found.email,) if found.email else (), linkedin_url=found.linkedin_url)
