"""Contacts: one row a person, found again by address, by phone, or as a vendor tells of them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Sequence as Items
from datetime import date, datetime
from typing import Any, NamedTuple

from sequences_mcp.domain.addresses import address_key, is_address, read_address, read_host, shown_host
from sequences_mcp.domain.argument_limits import require_short
from sequences_mcp.domain.blueprint import Channel
from sequences_mcp.domain.contact import (
    FACTS,
    Contact,
    ContactFields,
    also_known,
    appended_note,
    facts_given,
    facts_of,
    read_phone,
    read_profile,
)
from sequences_mcp.domain.entries import AuditRow
from sequences_mcp.domain.erasure import LEAVE_OUT, WHY, ErasedKey, erased_keys
from sequences_mcp.domain.findings import RowProblem, refused_row, require_none
from sequences_mcp.domain.ids import LOCAL, IdKind, parse_id
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.run import Run
from sequences_mcp.engine.calendar import is_zone, zones_of_country
from sequences_mcp.engine.context import (
    EngineContext,
    LocalMethods,
    StepsAsideError,
    require_page,
    stepping_aside,
)
from sequences_mcp.errors import ConflictError, InvalidArgumentsError, NotFoundError
from sequences_mcp.lazy_dataclasses import dataclass, field, replace
from sequences_mcp.ports.embedded import MOST_ON_LOOP, ContactEntry, Matched, SavedContact, SavedTally
from sequences_mcp.ports.vendor import Identity
from sequences_mcp.store.unit_of_work import Repositories, UnitOfWork

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")  # the common part of RFC 5646


def checked_facts(
    contact_fields: ContactFields, *, country: str | None = None, position: int = 1
) -> tuple[ContactFields, list[RowProblem]]:
    """Return the valid facts, normalised, and what is wrong with the others.

    Spaces are trimmed, blank is not said, the phone is in E.164. ``country`` is the one already known, for a phone
    number without its own; ``position`` is the row's, from 1.
    """
    facts: dict[str, str] = {}
    problems = []
    given = facts_given(contact_fields)
    for name in sorted(given, key=lambda name: name != "country"):
        value: str | None = given[name]
        try:
            require_short(name, value)
            value = _tidy(value)
            if value is None:
                continue
            facts[name] = _spelled(name, value, country=facts.get("country") or country)
        except InvalidArgumentsError as error:
            problems.append(RowProblem(position, name, value, error.message.rstrip("."), error.next_step))
    return contact_fields if facts == given else ContactFields(**facts), problems


def tidied_facts(person: Contact) -> Contact:
    """Return the facts of a person as a vendor gives them, without the invalid ones."""
    return replace(person, **facts_of(checked_facts(ContactFields(**facts_of(person)))[0]))


def _spelled(name: str, value: str, *, country: str | None) -> str:
    """Return one fact normalised; InvalidArgumentsError for an invalid one."""
    match name:
        case "email":
            return read_address(value).text
        case "company_domain":
            return shown_host(read_host(value))
        case "phone":
            return read_phone(value, country=country)
        case "country" if not zones_of_country(value.upper()):
            raise _bad(f"{value[:20]!r} is not a country in ISO 3166 alpha-2, such as FR.")
        case "country":
            return value.upper()
        case "time_zone" if not is_zone(value):
            raise _bad(f"{value[:40]!r} is not an IANA time zone, such as Europe/Paris.")
        case "language" if not _LANGUAGE.fullmatch(value):
            raise _bad(f"{value[:20]!r} is not a language tag, such as fr or pt-BR.")
        case "linkedin_url":
            return read_profile(value)
        case "found_at" if not _is_date(value):
            raise _bad(f"{value[:20]!r} is not a date, such as 2026-11-27.")
        case _:
            return value


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _tidy(value: str | None) -> str | None:
    return " ".join(value.split()) or None if value else None


def _bad(message: str) -> InvalidArgumentsError:
    return InvalidArgumentsError(message, next_step="Correct it, or leave it out if it is not known.")


ONCE = "Name each person once; join their facts into one entry."
SAVED_AT_ONCE = 250  # rows between two looks whether an operation waits that only ever holds back
TAKEN_OVER = 2_000  # rows that an import takes over between two such looks
MOST_NEW = 1_000  # people, new since rows were matched, who are compared with the rows inside the transaction


class _Met(NamedTuple):
    """A row after matching: the stored person, None for a new one; its valid facts, and problems of others."""

    stored: Contact | None
    facts: ContactFields
    problems: list[RowProblem]


@dataclass(slots=True)
class _Known:
    """Whom the rows of a call can be about, read for all of them at once: by id, and by key of the address.

    ``optional`` names the facts that a row can do without.
    """

    store: Repositories
    by_id: Mapping[str, Contact]
    by_address: dict[str, Contact | None]
    optional: frozenset[str]
    by_phone: dict[str, list[Contact]] | None = None
    new: list[Contact] = field(default_factory=list)  # still to be stored, which is done for many at once
    erased: dict[ErasedKey, bool] | None = (
        None  # by key, whether it is of somebody who was erased; None: nobody was
    )

    @classmethod
    def of(cls, store: Repositories, entries: Items[ContactEntry], *, optional: frozenset[str]) -> _Known:
        ids = [entry.id for entry in entries if entry.id]
        emails = [email for entry in entries if (email := entry.fields.email) and is_address(email)]
        people = store.contacts.by_emails(emails)
        return cls(
            store=store,
            by_id={contact.id: contact for contact in store.contacts.by_ids(ids)} if ids else {},
            by_address={key: people.get(key) for key in map(address_key, emails)},
            optional=optional,
        )

    def at(self, email: str) -> Contact | None:
        key = address_key(email)
        if key not in self.by_address:
            self.flush()
            self.by_address[key] = self.store.contacts.by_email(email)
        return self.by_address[key]

    def read_phones(self, phones: Iterable[str | None]) -> None:
        """Read for all rows at once who has their numbers; nobody may be stored from then on."""
        self.by_phone = self.store.contacts.by_phones(filter(None, phones))

    def with_phone(self, phone: str | None) -> list[Contact]:
        """Return everybody with this number."""
        if phone is None:
            return []
        if self.by_phone is not None:
            return self.by_phone.get(phone, [])
        self.flush()
        return self.store.contacts.by_phone(phone)

    def likely(self, entry: ContactEntry) -> Contact | None:
        """Return whom a row is about by its id or its address alone."""
        email = entry.fields.email
        return self.by_id.get(entry.id or "") or (self.at(email) if email and is_address(email) else None)

    def read_erased(self, entries: Items[ContactEntry]) -> None:
        """Read for all rows at once whether they are about somebody who was erased."""
        if not self.store.erasures.is_anybody():
            return
        self.erased = {}
        keys: list[ErasedKey] = []
        for place, entry in _placed(entries):
            stored = self.likely(entry)
            facts, _ = _checked(entry, stored, place)
            merged: Any = replace(stored, **facts_of(facts)) if stored else facts
            keys += erased_keys(merged, ids=[entry.id or ""])
        self._read_keys(keys)

    def was_erased(self, person: Contact, entry: ContactEntry) -> bool:
        """Say whether somebody with these facts, or with the id that the row gives, was erased."""
        if self.erased is None:
            return False
        keys = erased_keys(person, ids=[entry.id or ""])
        self._read_keys(key for key in keys if key not in self.erased)
        return any(self.erased[key] for key in keys)

    def _read_keys(self, keys: Iterable[ErasedKey]) -> None:
        if self.erased is not None and (wanted := list(keys)):
            marked = self.store.erasures.known(wanted)
            self.erased.update((key, key in marked) for key in wanted)

    def flush(self) -> None:
        """Store who is new."""
        if self.new:
            self.store.contacts.insert_many(self.new)
            self.new.clear()

    def save(self, before: Contact | None, after: Contact) -> None:
        """Store what a row has changed, so that the next rows meet it."""
        if before is None:
            self.new.append(after)
        elif after != before:
            self.flush()
            self.store.contacts.update(before, after)
        if before and before.email:
            self.by_address[address_key(before.email)] = None
        if after.email:
            self.by_address[address_key(after.email)] = after


class LocalContacts(LocalMethods):
    """Contacts in the store."""

    async def find_contacts(self, query: str, *, page: int, size: int) -> Page[Contact]:
        """Return people whose name, address, company or title contains the query; all for an empty one."""
        require_page(page, size)
        return self.engine.store.contacts.page(query, page=page, size=size)

    async def get_contacts(self, contact_ids: Items[str]) -> list[Contact]:
        """Return these people in this order; NotFoundError names every id that is not there."""
        wanted = [str(parse_id(contact_id, IdKind.CONTACT)) for contact_id in contact_ids]
        results = self.engine.store.contacts.by_ids(wanted)
        if len(results) < len(wanted):
            missing = sorted(set(wanted) - {result.id for result in results})
            raise NotFoundError(
                f"There is no contact {', '.join(missing)}.",
                next_step="find_contacts shows who there is.",
                data={"missing": missing},
            )
        return results

    async def identity_of(self, contact_id: str) -> Identity:
        """Return the person's address and profile; NotFoundError."""
        [contact] = await self.get_contacts([contact_id])
        return Identity(emails=(contact.email,) if contact.email else (), linkedin_url=contact.linkedin_url)

    async def match_contacts(
        self, people: Items[ContactEntry], *, optional: frozenset[str] = frozenset()
    ) -> Matched:
        """Return whom saving each would update, and what it would refuse: nothing is raised for a bad row.

        Facts among the ``optional`` ones are left out where they are wrong, instead of refusing the person.
        Somebody named twice is a problem of the later row.
        """
        problems: list[RowProblem] = []
        known = _Known.of(self.engine.store, people, optional=optional)
        rows = [(place, _spelled_entry(entry, place, known)) for place, entry in _placed(people)]
        known.read_phones(entry.fields.phone for _, entry in rows)
        results = [self._match_row(place, entry, problems, known=known) for place, entry in rows]
        identities = tuple(_identity(result) if result else "" for result in results)
        places: dict[str, int] = {}
        for (place, _), who in zip(rows, identities, strict=True):
            if who and (earlier := places.setdefault(who, place)) != place:
                problems.append(_twice(earlier, place, who))
        return Matched(
            people=tuple(result.stored if result else None for result in results),
            problems=tuple(problems),
            entries=tuple(
                spelled if result else entry
                for entry, (_, spelled), result in zip(people, rows, results, strict=True)
            ),
            identities=identities,
        )

    async def save_contacts(
        self,
        entries: Items[ContactEntry],
        *,
        optional: frozenset[str] = frozenset(),
        leaves_erased_out: bool = False,
    ) -> list[SavedContact]:
        """Upsert all or none, in order. Facts that are None keep what is stored; notes are appended.

        One transaction, however many they are; so many that everything else on the event loop would have to wait
        are saved by a thread with a connection of its own, unless a transaction of the caller's is open.

        Whoever was erased is refused as a row; with ``leaves_erased_out`` they are returned without being stored.

        Raises InvalidArgumentsError with everything that is wrong in any row: a bad fact that is not optional,
        someone without address and number, an unknown id, somebody of whom it cannot be told who is meant, or
        who is named twice. Where one row is refused as a whole and nothing else is wrong: ConflictError,
        NotFoundError.
        """
        if len(entries) <= MOST_ON_LOOP or self.engine.store.in_transaction:
            return self._saved(entries, optional, leaves_erased_out=leaves_erased_out)
        return await asyncio.to_thread(self._saved_apart, entries, optional, leaves_erased_out=leaves_erased_out)

    async def place_in_audit(self) -> int:
        """Return how far the audit has come: what ``save_prepared`` compares with."""
        return self.engine.store.audit.last_number()

    async def prepare_matched(self, matched: Matched) -> bytes:
        """Return people as ``match_contacts`` has found them, ready for ``save_prepared``; nothing is stored.

        No two of all that are saved together may be the same person.
        """
        pairs, now = zip(matched.people, matched.entries, strict=True), self.engine.clock()
        return self.engine.store.contacts.pack(
            (stored, self._merged(stored, entry.fields, entry.note, now=now)) for stored, entry in pairs
        )

    async def save_prepared(
        self, parts: Items[bytes], *, since: int, concerns: Callable[[Contact], bool]
    ) -> SavedTally | None:
        """Store what ``prepare_matched`` has returned, all or none, in one transaction that does nothing else.

        None, and nothing is stored, where the match may not hold any longer: somebody was changed or erased after
        the place ``since`` of the audit, which is to be asked for before anybody is matched, or somebody is new of
        whom ``concerns`` says that a row can be about them. A suppression since then covers whom it names, stored
        before it or after.

        It gives way to stops, pauses and suppressions: it is rolled back, and begins again once they are done.
        ``stepping_aside`` says how often. Blocks its thread meanwhile.
        """
        store = self.engine.store
        if store.in_transaction:
            raise RuntimeError("an import that steps aside would undo what its caller has done")

        def save(steps_aside: bool) -> SavedTally | None:
            with store.of_any_size(), store.transaction() as work:
                made = work.audit.made_after(since, most=MOST_NEW)
                if made is None or any(map(concerns, work.contacts.by_ids(made))):
                    return None
                return self._save_staged(work, steps_aside=steps_aside)

        with store.contacts.staged(parts):
            return stepping_aside(store, save)

    def _save_staged(self, work: UnitOfWork, *, steps_aside: bool) -> SavedTally:
        created = updated = place = 0
        at = self.engine.clock()
        while True:
            if steps_aside and self.engine.store.is_turn_wanted():
                raise StepsAsideError
            saved = work.contacts.save_staged(place, size=TAKEN_OVER)
            if not saved:
                return SavedTally(created, updated)
            work.audit.append(self._audit_rows(saved, at=at))
            made = sum(is_new for _, is_new in saved)
            created, updated = created + made, updated + len(saved) - made
            place += len(saved)

    def _saved_apart(
        self, entries: Items[ContactEntry], optional: frozenset[str], *, leaves_erased_out: bool
    ) -> list[SavedContact]:
        """Save in another thread than the store's own."""
        with self.engine.store.another(now=self.engine.clock()) as store:

            def save(steps_aside: bool) -> list[SavedContact]:
                apart = LocalContacts(replace(self.engine, store=store, steps_aside=steps_aside))
                return apart._saved(entries, optional, leaves_erased_out=leaves_erased_out)

            return stepping_aside(store, save)

    def _saved(
        self, entries: Items[ContactEntry], optional: frozenset[str], *, leaves_erased_out: bool = False
    ) -> list[SavedContact]:
        saved: list[SavedContact] = []
        places: dict[str, int] = {}
        problems: list[RowProblem] = []
        with self.engine.store.transaction() as work:
            known, now = _Known.of(work, entries, optional=optional), self.engine.clock()
            known.read_erased(entries)
            for number, (place, entry) in enumerate(_placed(entries)):
                if number % SAVED_AT_ONCE == 0:
                    known.flush()
                    self.engine.step_aside()
                row = self._match_row(place, entry, problems, known=known)
                if row is None:
                    continue
                merged = self._merged(row.stored, row.facts, entry.note, now=now)
                if known.was_erased(merged, entry):
                    if leaves_erased_out:
                        saved.append(SavedContact(merged, created=False, is_stored=False))
                    else:
                        problems.append(RowProblem(place, None, None, WHY, LEAVE_OUT))
                    continue
                known.save(row.stored, merged)
                contact = SavedContact(merged, created=row.stored is None, dropped=tuple(row.problems))
                earlier = places.setdefault(contact.contact.id, place)
                if earlier != place:
                    problems.append(_twice(earlier, place, contact.contact.id))
                saved.append(contact)
            require_none(problems, what="contact")
            known.flush()
            stored = [(person.contact.id, person.created) for person in saved if person.is_stored]
            for start in range(0, len(stored), SAVED_AT_ONCE):
                self.engine.step_aside()
                work.audit.append(self._audit_rows(stored[start : start + SAVED_AT_ONCE], at=now))
        return saved

    def _match_row(
        self, place: int, entry: ContactEntry, problems: list[RowProblem], *, known: _Known
    ) -> _Met | None:
        """Return whom a row is about, with its facts as they are kept; None, and ``problems`` say why."""
        try:
            row = self._named(entry, place, known) if entry.id else self._match(entry, place, known)
        except NotFoundError as error:
            problems.append(replace(refused_row(place, error), field="id", value=entry.id))
            return None
        except ConflictError as error:
            name = "phone" if "by_phone" in error.data else "email"
            problems.append(replace(refused_row(place, error), field=name))
            return None
        except InvalidArgumentsError as error:
            problems.append(refused_row(place, error))
            return None
        is_somebody = row.stored is not None or row.facts.email or row.facts.phone
        serious = [problem for problem in row.problems if problem.field not in known.optional or not is_somebody]
        if entry.note:
            serious += self._too_long(row.stored, entry, place)
        problems += serious
        return None if serious else row

    def _too_long(self, stored: Contact | None, entry: ContactEntry, place: int) -> Iterator[RowProblem]:
        """Yield that a note is too long, by itself or with those that are there."""
        if not entry.note or not entry.note.strip():
            return
        try:
            require_short("note", entry.note)
            notes = appended_note(stored.notes if stored else "", entry.note, self.engine.clock())
            require_short("notes", notes)
        except InvalidArgumentsError as error:
            yield RowProblem(place, "note", entry.note, error.message.rstrip("."), error.next_step)

    def _audit_rows(self, people: Iterable[tuple[str, bool]], *, at: datetime) -> Iterator[AuditRow]:
        """Yield what is written down of people, given by id and whether each is new: one of two details."""
        actor, details = self.engine.actor, {True: {"created": True}, False: {"created": False}}
        return (
            AuditRow(at=at, actor=actor, action="contact.saved", subject=contact_id, detail=details[is_new])
            for contact_id, is_new in people
        )

    def _match(self, entry: ContactEntry, place: int, known: _Known) -> _Met:
        """Return the stored person these facts are about, if any, and the facts as they are kept."""
        email = entry.fields.email
        by_email = known.at(email) if email and is_address(email) else None
        facts, problems = _checked(entry, by_email, place)
        if facts.email is None and facts.phone is None and not problems:
            raise InvalidArgumentsError(
                "it has neither an e-mail address nor a phone number.",
                next_step="Give at least one: it is how the same person is found again.",
            )
        same_phone = known.with_phone(facts.phone)
        if by_email is not None:
            contact = next((contact for contact in same_phone if contact.email is None), None)
            if contact is not None:
                raise _two_people(by_email, contact)
            return _Met(by_email, facts, problems)
        if facts.email is None and len(same_phone) > 1:
            raise _shared_number(same_phone)
        [by_phone] = same_phone if len(same_phone) == 1 else [None]
        is_same = by_phone is not None and not (by_phone.email and facts.email)
        return _Met(by_phone if is_same else None, facts, problems)

    def _named(self, entry: ContactEntry, place: int, known: _Known) -> _Met:
        """Return the stored person of an entry with an id, and the facts as they are kept."""
        wanted = str(parse_id(entry.id or "", IdKind.CONTACT))
        contact = known.by_id.get(wanted)
        if contact is None:
            raise NotFoundError(f"There is no contact {wanted}.", next_step="find_contacts shows who there is.")
        facts, problems = _checked(entry, contact, place)
        other = known.at(facts.email) if facts.email else None
        if other is not None and other.id != wanted:
            raise ConflictError(
                f"The address {facts.email} belongs to {other.id}, not to {wanted}.",
                next_step="Save it with the one whose address it is; two people never share one.",
                data={"id": wanted, "by_email": other.id},
            )
        return _Met(contact, facts, problems)

    def _merged(self, stored: Contact | None, facts: ContactFields, note: str | None, *, now: datetime) -> Contact:
        known: dict[str, Any] = facts_given(facts)
        if stored is None:
            contact = Contact(id=self.engine.new_id(IdKind.CONTACT), created_at=now, updated_at=now, **known)
        else:
            contact = replace(stored, **known)
        if note and note.strip():
            contact = replace(contact, notes=appended_note(contact.notes, note, now))
        return contact if contact == stored or contact.updated_at == now else replace(contact, updated_at=now)


def _spelled_entry(entry: ContactEntry, place: int, known: _Known) -> ContactEntry:
    """Return a row with its facts as they are kept, and what is wrong with the others."""
    facts, problems = _checked(entry, known.likely(entry), place)
    return replace(entry, fields=facts, checked=tuple(problems))


def _checked(entry: ContactEntry, stored: Contact | None, place: int) -> tuple[ContactFields, list[RowProblem]]:
    """Return the facts of a row as they are kept, and what is wrong with the others."""
    if entry.checked is not None:
        return entry.fields, list(entry.checked)
    return checked_facts(entry.fields, country=stored.country if stored else None, position=place)


def _placed(entries: Items[ContactEntry]) -> Iterator[tuple[int, ContactEntry]]:
    return ((entry.position or place, entry) for place, entry in enumerate(entries, start=1))


def _identity(row: _Met) -> str:
    """Return what tells somebody apart from the others of a call."""
    return row.stored.id if row.stored else address_key(row.facts.email or "") or row.facts.phone or ""


def _shared_number(people: Items[Contact]) -> ConflictError:
    ids = [person.id for person in people]
    return ConflictError(
        f"{len(ids)} people have this phone number: {', '.join(ids[:3])}{' …' if len(ids) > 3 else ''}.",
        next_step="Give the e-mail address, or the id of the one you mean.",
        data={"by_phone": ids[:10], "people": len(ids)},
    )


def _two_people(by_email: Contact, by_phone: Contact) -> ConflictError:
    return ConflictError(
        f"The address belongs to {by_email.id} and the phone number to {by_phone.id}.",
        next_step="Save the address and the number apart, or correct the one that is wrong.",
        data={"by_email": by_email.id, "by_phone": by_phone.id},
    )


def _twice(earlier: int, place: int, who: str) -> RowProblem:
    return RowProblem(place, None, None, f"contacts {earlier} and {place} are the same person ({who})", ONCE)


def kept_vendor_person(work: UnitOfWork, person: Contact, *, engine: EngineContext) -> Contact:
    """Return the person as kept here: whoever has the address, the id or the number, or a new row.

    Whoever was erased is returned without being kept. What a vendor tells fills in what was not known and never
    changes what was. A phone number alone does not identify a person who has another address: it may be a
    company's switchboard.
    """
    person = tidied_facts(person)
    if work.erasures.known_people([person]):
        return person
    contact = _known(work, person)
    if contact is None:
        return _new(work, person, engine=engine)
    return _filled_in(work, contact, person, engine=engine)


def as_known_anywhere(item: Run, contact: Contact, *, addresses: Items[str] = ()) -> Iterator[Contact]:
    """Yield a person of a start once for each way in which the list of those never to contact may know them.

    As they are here, as their vendor is told of them, under the vendor's own id, by each address that a text of
    theirs goes to, and by those that the vendor just told; each under an id of its own.
    """
    yield contact
    given: dict[str, Any] = {name: value for name, value in item.vendor_facts.items() if name in FACTS}
    yield replace(contact, id=f"{contact.id} as handed over", **given)
    mails = {run.recipient for run in item.steps if run.step.type is Channel.EMAIL and run.recipient}
    yield from also_known(contact, ids=item.ids_given, addresses=sorted({*mails, *item.emails_given, *addresses}))


def _known(store: Repositories, person: Contact) -> Contact | None:
    by_email = store.contacts.by_email(person.email) if person.email else None
    if by_email is not None:
        return by_email
    by_id = next(iter(store.contacts.by_ids([person.id])), None)
    if by_id is not None and _may_be_same(by_id, person):
        return by_id
    same_phone = store.contacts.by_phone(person.phone) if person.phone else []
    return same_phone[0] if len(same_phone) == 1 and _may_be_same(same_phone[0], person) else None


def _may_be_same(contact: Contact, other: Contact) -> bool:
    return not (contact.email and other.email) or address_key(contact.email) == address_key(other.email)


def _new(work: UnitOfWork, person: Contact, *, engine: EngineContext) -> Contact:
    now, is_vendors = engine.clock(), parse_id(person.id, IdKind.CONTACT).provider != LOCAL
    is_named = person.email or person.phone or work.contacts.by_ids([person.id])
    own_id = engine.new_id(IdKind.CONTACT) if is_vendors and is_named else person.id
    fresh = replace(person, id=own_id, created_at=now, updated_at=now)
    work.contacts.insert(fresh)
    engine.audit(work, "contact.saved", fresh.id, created=True)
    return fresh


def _filled_in(work: UnitOfWork, contact: Contact, person: Contact, *, engine: EngineContext) -> Contact:
    news = {name: value for name in FACTS if not getattr(contact, name) and (value := getattr(person, name))}
    if not news:
        return contact
    after = replace(contact, **news, updated_at=engine.clock())
    work.contacts.update(contact, after)
    engine.audit(work, "contact.saved", after.id, created=False)
    return after
