"""Never contact again: asked before every plan, at every approval, at every send."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Literal

from sequences_mcp.domain.addresses import address_key, read_address, read_host, visible
from sequences_mcp.domain.contact import Contact, ContactFields
from sequences_mcp.domain.hosts import is_free_mail, is_public_suffix
from sequences_mcp.domain.ids import Kind, parse
from sequences_mcp.engine import stopping
from sequences_mcp.engine.local.details import details
from sequences_mcp.engine.local.engine import Engine
from sequences_mcp.engine.store import audit, schedule, suppressions
from sequences_mcp.engine.store import contacts as people
from sequences_mcp.errors import ApprovalError, InvalidArgumentsError, NotFoundError
from sequences_mcp.providers.port import Lifted, Suppressed


@dataclass(frozen=True, slots=True)
class LocalSuppressions:
    """``providers.port.Suppressions`` over the store."""

    engine: Engine

    async def suppress(
        self, kind: Literal["address", "domain", "contact"], value: str, *, reason: str, by_person: bool = False
    ) -> Suppressed:
        """Add to the list and stop what runs. A domain covers those below it and the people of its company.

        Raises InvalidArgumentsError for a public suffix, ApprovalError for a mail provider unless ``by_person``.
        """
        normal = self._normalised(kind, value)
        if kind == "domain":
            _require_one_organisation(normal, by_person=by_person)
        return await self.engine.insisting(lambda: self._suppressed((kind, normal), reason))

    def _suppressed(self, mark: tuple[Literal["address", "domain", "contact"], str], reason: str) -> Suppressed:
        engine = self.engine
        with engine.store.transaction():
            stopped, new = stopping.suppress(
                engine.store, mark, reason=reason, now=engine.clock(), actor=engine.actor
            )
            shown = details(engine, stopped)
        return Suppressed(kind=mark[0], value=mark[1], stopped=shown, already=not new)

    async def lift(
        self, kind: Literal["address", "domain", "contact"], value: str, *, reason: str, actor: str
    ) -> Lifted:
        """Take something off the list; NotFoundError when it is not on it under that name."""
        engine, mark = self.engine, (kind, self._normalised(kind, value))
        with engine.store.transaction():
            spelled = [mark, *suppressions.old_spellings(mark)]
            listed = suppressions.matching(engine.store, [mark], old=spelled[1:])
            still = self._also_covering(mark)
            if not listed:
                raise _not_listed(mark, still)
            now, was = engine.clock(), next(iter(listed.values()))
            for one in listed:
                suppressions.lift(engine.store, one, reason=reason, actor=actor, now=now)
                detail = {"reason": reason, "was": was}
                entry = audit.Entry(
                    at=now, actor=actor, action="suppression.lifted", subject=":".join(one), detail=detail
                )
                audit.append(engine.store, [entry])
        return Lifted(kind, mark[1], was, still)

    def _also_covering(self, mark: suppressions.Mark) -> tuple[str, ...]:
        """Return what else on the list covers an address, a domain or a person."""
        kind, value = mark
        found: dict[suppressions.Mark, None] = {}
        if kind == "domain":
            found |= dict.fromkeys(suppressions.marks_of("", ContactFields(company_domain=value)))
        if kind == "address":
            found |= dict.fromkeys(suppressions.marks_of("", ContactFields(email=value)))
        ids = [value] if kind == "contact" else people.at_address(self.engine.store, value)
        for one in people.by_ids(self.engine.store, ids):
            found |= dict.fromkeys(suppressions.marks_of(one.id, one))
            former = people.former_addresses(self.engine.store, [one.id]).get(one.id, ())
            found |= dict.fromkeys(("address", key) for key in former)
        return tuple(":".join(one) for one in suppressions.matching(self.engine.store, found) if one != mark)

    async def suppressed_among(self, contacts: Items[Contact]) -> Mapping[str, str]:
        """Return contact id → reason for those who must not be contacted."""
        return stopping.suppressed(self.engine.store, contacts)

    async def busy_among(self, contact_ids: Items[str]) -> Mapping[str, str]:
        """Return contact id → sequence id for those with a live sequence."""
        return schedule.live_of(self.engine.store, contact_ids)

    def _normalised(self, kind: str, value: str) -> str:
        """Return a value in the spelling the list knows it by; InvalidArgumentsError, WrongIdError.

        What is stored with somebody can always be listed, even an address that would not be taken today.
        """
        text = visible(value).strip()
        if kind == "contact":
            return str(parse(text, Kind.CONTACT))
        if kind == "domain":
            return read_host(text)
        if people.by_email(self.engine.store, text) is not None:
            return address_key(text)
        return read_address(text).key


def _require_one_organisation(host: str, *, by_person: bool) -> None:
    if is_public_suffix(host):
        raise InvalidArgumentsError(
            f"{host} is a public suffix: below it are the domains of strangers.",
            next_step="Give the domain that one organisation registered, such as example.com.",
        )
    if is_free_mail(host) and not by_person:
        raise ApprovalError(
            f"{host} gives addresses to anybody, so listing it keeps out everybody who has one.",
            next_step="Give the single address. Only a person can list the whole domain: on the review page, or "
            f"in a terminal: sequences-mcp review suppress {host} --reason …",
        )


def _not_listed(mark: suppressions.Mark, still: tuple[str, ...]) -> NotFoundError:
    kind, value = mark
    covered = f" What covers it is {', '.join(still)}." if still else ""
    return NotFoundError(
        f"{value} is not on the list as {'an' if kind == 'address' else 'a'} {kind}.{covered}",
        next_step="Lift that instead; the review page shows the list." if still else "Nothing holds it back.",
        data={"covered_by": list(still)},
    )
