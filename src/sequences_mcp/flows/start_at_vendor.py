"""Plan a start at a vendor: who would be enrolled, and all that the vendor would be given about each.

Reads at the vendor, writes only here. Nobody is enrolled before a person's yes (``hand_over``).
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, replace
from functools import partial

from sequences_mcp.domain.addresses import address_key, is_address
from sequences_mcp.domain.blueprint import Blueprint
from sequences_mcp.domain.contact import Contact, ContactFields, facts_of, profile_key
from sequences_mcp.domain.finding import Finding, Severity, warnings_in
from sequences_mcp.domain.ids import LOCAL, VENDORS, Kind, provider_of
from sequences_mcp.domain.row_problems import RowProblem, refused_row, require_none
from sequences_mcp.errors import InvalidArgumentsError, NotFoundError, SequencesError, WrongIdError
from sequences_mcp.flows.at_vendor import person_there, warnings_there
from sequences_mcp.flows.blueprint_report import findings_of, require_no_errors
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.flows.entry import Entry, Rows, several_addresses, with_optional
from sequences_mcp.flows.in_turns import in_turns
from sequences_mcp.flows.person import Person
from sequences_mcp.providers.enrolment_port import Asked, Candidate, Enrolment
from sequences_mcp.providers.provider import Provider

MOST = 1_000
# Facts that no vendor is given: one that is wrong is left out.
OPTIONAL = frozenset({"time_zone", "country", "language"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A vendor's blueprint as it would be started, and the warnings that a yes to it covers.

    ``key`` is the caller's idempotency key, for a vendor that has such a thing itself.
    """

    provider: Provider
    enrolment: Enrolment
    blueprint: Blueprint
    warnings: tuple[Finding, ...]
    reviewed_there: bool
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Enrollee:
    """One person of a start at a vendor: their texts as far as they are known, and what the vendor is given.

    ``vendor_id`` is the id they were named by, where it was the vendor's; ``addresses`` are all to which the
    vendor may write. ``is_new``: nobody here knew the person before.
    """

    person: Person
    handover: Mapping[str, str]
    vendor_id: str | None
    addresses: tuple[str, ...]
    is_new: bool = False

    @property
    def ids(self) -> tuple[str, ...]:
        """The vendor's ids of them."""
        given = (own for own in self.handover.values() if own.partition(":")[0] in VENDORS)
        return tuple(dict.fromkeys(filter(None, [self.vendor_id, *given])))

    @property
    def ways(self) -> tuple[str, ...]:
        """All by which the vendor may reach them: its ids, each address, and a profile that it is given."""
        known = (self.person.contact.email, *self.addresses)
        addresses = (address_key(one) for one in known if one and is_address(one))
        profile = profile_key(self.handover.get("linkedin_url"))
        profiles = (profile,) if profile.startswith("linkedin.com/in/") else ()
        return tuple(dict.fromkeys((*self.ids, *addresses, *profiles)))


async def offer_of(desk: Desk, *, blueprint_id: str, review_left_out: bool) -> Offer:
    """Return what would be started; RefusedByGuardsError where the guards refuse its steps, NotSupportedError.

    ``review_left_out``: the operator allowed that the vendor's own review does not wait for a person.
    """
    provider = desk.provider_of(blueprint_id, Kind.BLUEPRINT)
    enrolment = offered(provider.enrolment, provider, verb="start sequences")
    blueprint = await enrolment.offer(blueprint_id)
    reviewed = not (review_left_out and enrolment.has_review)
    found = findings_of(blueprint.steps, desk.policy) if blueprint.steps else ()
    require_no_errors(found)
    return Offer(
        provider=provider,
        enrolment=enrolment,
        blueprint=blueprint,
        warnings=(
            *warnings_in(found),
            *warnings_there(blueprint, reviewed_there=reviewed, sender_named=enrolment.names_sender),
        ),
        reviewed_there=reviewed,
    )


async def enrollees(desk: Desk, offer: Offer, rows: Rows, *, keep: bool) -> list[Enrollee]:
    """Return the people of a start in order; ``keep`` stores those whom nobody here knows yet.

    Raises one error that names every bad row by its position, from 1; nothing is stored then.
    """
    matched = await require_sound_rows(desk, rows, blueprint_id=offer.blueprint.id)
    known = await _known_here(desk, rows.entries, matched, keep=keep)
    people = await _candidates(offer, known)
    standings = await offer.enrolment.standings(people)
    strangers = [one.contact for one, (_, stored) in zip(people, known, strict=True) if stored is None]
    kept = iter(await desk.vendor_runs.keep_people(strangers) if keep else strangers)
    before = {one.id for one in matched if one}
    found = [
        _with_doubt(
            _enrollee(
                desk,
                offer,
                replace(one, obstacle=one.obstacle or standing.obstacle),
                kept=stored or next(kept),
                vendor_id=None if stored else entry.contact_id,
            ),
            standing.doubt,
        )
        for one, standing, (entry, stored) in zip(people, standings, known, strict=True)
    ]
    return [
        replace(one, is_new=stored is not None and stored.id not in before)
        for one, (_, stored) in zip(found, known, strict=True)
    ]


async def require_sound_rows(desk: Desk, rows: Rows, *, blueprint_id: str) -> tuple[Contact | None, ...]:
    """Return whom each row is about here; raise one error with every problem of the rows.

    Where something is wrong, the vendor is asked about the people who are named by an id of its own, since an id
    of nobody belongs in the same answer, and about nobody else.
    """
    provider = desk.provider_of(blueprint_id, Kind.BLUEPRINT)
    store = offered(desk.local.contacts, desk.local, verb="save contacts")
    matched = await store.match_contacts([entry.contact for entry in _ours(rows.entries)])
    found = [*_unfitting(provider, rows.entries), *matched.problems]
    if found or not rows.is_sound:
        bad = {one.position for one in found}
        theirs = [one for one in rows.whole() if not _is_own(one) and one.contact.position not in bad]
        rows.require_sound([*found, *await _unknown_there(desk, blueprint_id, theirs)])
    return matched.people


async def _unknown_there(desk: Desk, blueprint_id: str, entries: Items[Entry]) -> list[RowProblem]:
    """Return the problems of people named by the vendor's ids; none where the vendor cannot tell now."""
    if not entries:
        return []
    try:
        offer = await offer_of(desk, blueprint_id=blueprint_id, review_left_out=False)
        found = await _asked(offer, [(entry, None) for entry in entries])
    except SequencesError:
        return []  # it is told when the rows are mended; what is wrong with them is known without it
    return [one for one in found if isinstance(one, RowProblem)]


def _with_doubt(one: Enrollee, doubt: str | None) -> Enrollee:
    if doubt is None:
        return one
    found = Finding(rule="vendor.runs_unread", severity=Severity.WARNING, message=doubt)
    return replace(one, person=replace(one.person, findings=(*one.person.findings, found)))


def _unfitting(provider: Provider, entries: Items[Entry]) -> list[RowProblem]:
    """Return what this vendor takes of no row; InvalidArgumentsError for too many rows."""
    enrolment, title = offered(provider.enrolment, provider, verb="start sequences"), provider.title
    if len(entries) > MOST:
        raise InvalidArgumentsError(
            f"A start at {title} takes {MOST:,} people at most; these are {len(entries):,}.",
            next_step="Split the call.",
        )
    why = f"{title} takes no variables or texts for one person with a start"
    remedy = "Leave them out; what a vendor offers afterwards is in update_sequence."
    several = [] if enrolment.takes_several else several_addresses(entries, title=title)
    own = [
        RowProblem(entry.contact.position or 0, "variables" if entry.variables else "texts", None, why, remedy)
        for entry in entries
        if entry.variables or entry.texts
    ]
    return several + own


def _ours(entries: Items[Entry]) -> list[Entry]:
    """Return the entries about people kept here or new, without those named by an id of the vendor's."""
    return with_optional((entry for entry in entries if _is_own(entry)), OPTIONAL)


async def _known_here(
    desk: Desk, entries: Items[Entry], matched: Items[Contact | None], *, keep: bool
) -> list[tuple[Entry, Contact | None]]:
    """Return each entry with the person it is here; None for one whom the vendor has to tell of.

    ``matched`` are the stored people of the entries that are not named by an id of the vendor's.
    """
    store = offered(desk.local.contacts, desk.local, verb="save contacts")
    told = [entry.contact for entry in _ours(entries) if entry.has_facts]
    given = iter([one.contact for one in await store.save_contacts(told)] if keep else [])
    met = iter(matched)

    def known(entry: Entry) -> Contact | None:
        if not _is_own(entry):
            return None
        stored = next(met)
        if not entry.has_facts:
            return stored
        return next(given) if keep else _with_facts(stored, entry.contact.fields, desk)

    return [(entry, known(entry)) for entry in entries]


def _with_facts(stored: Contact | None, fields: ContactFields, desk: Desk) -> Contact:
    """Return a person as saving these facts would leave them."""
    if stored is None:
        return _shown(fields, desk)
    return replace(stored, **{name: value for name, value in facts_of(fields).items() if value is not None})


def _shown(fields: ContactFields, desk: Desk) -> Contact:
    now, own = desk.clock(), f"{LOCAL}:{Kind.CONTACT}_unsaved"
    return Contact(id=own, created_at=now, updated_at=now, **facts_of(fields))


def _is_own(entry: Entry) -> bool:
    """Say whether somebody is told of by facts, or by an id of this server."""
    return not entry.contact_id or provider_of(entry.contact_id) == LOCAL


async def _candidates(offer: Offer, known: Items[tuple[Entry, Contact | None]]) -> list[Candidate]:
    """Return what the vendor says of everybody, asked a few at a time."""
    found = await _asked(offer, known)
    require_none([one for one in found if isinstance(one, RowProblem)], what="contact")
    return [one for one in found if isinstance(one, Candidate)]


async def _asked(offer: Offer, known: Items[tuple[Entry, Contact | None]]) -> list[Candidate | RowProblem]:
    return await in_turns([partial(_candidate, offer, *one, is_alone=len(known) == 1) for one in known])


async def _candidate(
    offer: Offer, entry: Entry, stored: Contact | None, *, is_alone: bool
) -> Candidate | RowProblem:
    """Return what the vendor says of somebody, or why it cannot be they; SequencesError for what concerns all."""
    position = entry.contact.position or 0
    fields = entry.contact.fields if stored is None else ContactFields(**facts_of(stored))
    asked = Asked(
        vendor_id=entry.contact_id if stored is None else None,
        fields=fields,
        note=entry.contact.note,
        emails=entry.emails,
        phones=entry.phones,
        key=offer.key,
        shares_key=not is_alone,
    )
    try:
        return await offer.enrolment.candidate(
            asked, blueprint=offer.blueprint, reviewed_there=offer.reviewed_there
        )
    except (InvalidArgumentsError, NotFoundError, WrongIdError) as error:
        return refused_row(position, error)
    except SequencesError as error:
        raise type(error)(
            f"contact {position}: {error.message}", next_step=error.next_step, data=error.data
        ) from error


def _enrollee(desk: Desk, offer: Offer, candidate: Candidate, *, kept: Contact, vendor_id: str | None) -> Enrollee:
    """Return the person with the vendor's facts, which are what the texts are filled with, under the id here."""
    known = replace(candidate.contact, id=kept.id)
    person = person_there(desk, offer.blueprint, known, handover=candidate.handover)
    if candidate.obstacle:
        stands = Finding(rule="vendor.obstacle", severity=Severity.ERROR, message=candidate.obstacle)
        person = replace(person, findings=(*person.findings, stands))
    if candidate.left_out:
        told = Finding(rule="vendor.left_out", severity=Severity.WARNING, message=candidate.left_out)
        person = replace(person, findings=(*person.findings, told))
    return Enrollee(person, candidate.handover, vendor_id, candidate.addresses)
