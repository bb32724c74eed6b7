"""Topo's documented endpoints about contact lists (the way into a sequence) and exclusions, one method each."""

from __future__ import annotations

from collections.abc import Sequence as Items
from datetime import datetime
from functools import partial

from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.providers.remote import ItemOutcome, RemoteEntry, RemoteExclusion, RemoteList, RemotePage
from sequences_mcp.providers.retry import Effect
from sequences_mcp.providers.topo import batch, limits, wire
from sequences_mcp.providers.topo.ids import blueprint, contact_list
from sequences_mcp.providers.transport import WayOut
from sequences_mcp.providers.vendor import Request, path, query

READ_EXCLUSION = "Look the exclusion up first; adding it again does no harm, but makes a second one."

KEPT = {
    **{name: name for name in ("first_name", "last_name", "email", "linkedin_url")},
    "company": "company_name",
    **{name: name for name in ("company_domain", "job_title", "phone")},
}
"""What an entry keeps of a person: our name of each fact, and Topo's."""


class Lists:
    """The half of :class:`topo.client.Topo` that is about who may be in a sequence."""

    def __init__(self, transport: WayOut) -> None:
        self._transport = transport

    async def list_contact_lists(
        self, *, name: str | None = None, page: int = 1, size: int = 10
    ) -> RemotePage[RemoteList]:
        """Return one page of contact lists ("List contact lists"); ``name`` is exact."""
        request = Request(
            method="GET",
            path="/contact-lists",
            what="list the contact lists",
            scope="contact_lists:read",
            query=query(name=name, page=page, size=page_size(size)),
        )
        read = partial(wire.page_of, read=wire.contact_list, page=page, size=page_size(size))
        return await self._transport.send(request, read)

    async def get_contact_list(self, list_id: str) -> RemoteList:
        """Return one contact list ("Get contact list")."""
        own = contact_list(list_id)
        request = Request(
            method="GET",
            path=path("/contact-lists/{}", own),
            what="read the contact list",
            scope="contact_lists:read",
        )
        return await self._transport.send(request, partial(wire.same, read=wire.contact_list, own=own))

    async def create_contact_list(self, *, name: str, blueprint_id: str | None = None) -> ItemOutcome[RemoteList]:
        """Create one contact list ("Create contact lists"); with a blueprint, new entries are enrolled in it."""
        template = blueprint(blueprint_id) if blueprint_id else None
        request = Request(
            method="POST",
            path="/contact-lists",
            what="create the contact list",
            effect=Effect.WRITE_ONCE,
            body={"items": [{"name": name, "default_sequence_template_id": template}]},
            scope="contact_lists:write",
            read_back="Look for a contact list of this name in Topo first.",
        )
        read = partial(batch.outcomes, read=wire.contact_list, asked=1)
        return (await self._transport.send(request, read))[0]

    async def create_entries(
        self, list_id: str, *, people: Items[ContactFields]
    ) -> tuple[ItemOutcome[RemoteEntry], ...]:
        """Put up to 100 people on a list and return one outcome each ("Create contact entries").

        Each needs an address or a LinkedIn profile. A list with a template enrols them, some time later: no run
        and no contact may exist when this returns.
        """
        own = contact_list(list_id)
        limits.check_batch(people, what="people")
        request = Request(
            method="POST",
            path="/contact-entries",
            what="put people on the contact list",
            effect=Effect.WRITE_ONCE,
            body={"items": [_entry(own, person, index) for index, person in enumerate(people)]},
            scope="contact_lists:write",
            read_back="A list with a template enrols at once: list_sequences with that blueprint shows who is in.",
        )
        read = partial(batch.outcomes, read=wire.entry, asked=len(people))
        return await self._transport.send(request, read)

    async def list_contact_exclusions(
        self, *, email: str | None = None, linkedin_url: str | None = None, page: int = 1, size: int = 10
    ) -> RemotePage[RemoteExclusion]:
        """Return one page of excluded people ("List contact exclusions"); both filters are exact."""
        request = Request(
            method="GET",
            path="/contact-exclusions",
            what="list the contact exclusions",
            scope="exclusions:read",
            query=query(email=email, linkedin_url=linkedin_url, page=page, size=page_size(size)),
        )
        read = partial(wire.page_of, read=wire.exclusion, page=page, size=page_size(size))
        return await self._transport.send(request, read)

    async def exclude_contact(
        self,
        *,
        reason: str,
        email: str | None = None,
        linkedin_url: str | None = None,
        message: str | None = None,
        until: datetime | None = None,
    ) -> RemoteExclusion:
        """Exclude a person, for good without ``until`` ("Create contact exclusion").

        It is checked when people are imported: a run that is active goes on.
        """
        if not (email or linkedin_url):
            raise InvalidArgumentsError(
                "Topo cannot exclude somebody without an e-mail address or a LinkedIn profile.",
                next_step="Give at least one of the two.",
            )
        body = {"reason": reason, "email": email, "linkedin_url": linkedin_url, "message": message}
        return await self._exclude("/contact-exclusions", body, until=until)

    async def list_account_exclusions(self, *, page: int = 1, size: int = 10) -> RemotePage[RemoteExclusion]:
        """Return one page of excluded companies ("List account exclusions")."""
        request = Request(
            method="GET",
            path="/account-exclusions",
            what="list the account exclusions",
            scope="exclusions:read",
            query=query(page=page, size=page_size(size)),
        )
        read = partial(wire.page_of, read=wire.exclusion, page=page, size=page_size(size))
        return await self._transport.send(request, read)

    async def exclude_account(
        self, *, domain: str, reason: str, message: str | None = None, until: datetime | None = None
    ) -> RemoteExclusion:
        """Exclude a company by its domain, for good without ``until`` ("Create account exclusion")."""
        body = {"domain": domain, "reason": reason, "message": message}
        return await self._exclude("/account-exclusions", body, until=until)

    async def _exclude(self, at: str, body: dict[str, str | None], *, until: datetime | None) -> RemoteExclusion:
        whole = {**body, "until": until.isoformat() if until else None}
        request = Request(
            method="POST",
            path=at,
            what="exclude them",
            effect=Effect.WRITE_ONCE,
            body={name: value for name, value in whole.items() if value is not None},
            scope="exclusions:write",
            read_back=READ_EXCLUSION,
            safe=True,
        )
        return await self._transport.send(request, partial(wire.one, read=wire.exclusion))


def page_size(size: int) -> int:
    """Return the size of a page, at most what Topo allows."""
    return min(size, limits.PAGE_SIZE)


def _entry(list_own: str, person: ContactFields, index: int) -> dict[str, str]:
    if not (person.email or person.linkedin_url):
        raise InvalidArgumentsError(
            f"Person {index + 1} has neither an e-mail address nor a LinkedIn profile.",
            next_step="Topo needs one of the two for each person.",
        )
    given = {theirs: value for ours, theirs in KEPT.items() if (value := getattr(person, ours))}
    return {"contact_list_id": list_own, **given}
