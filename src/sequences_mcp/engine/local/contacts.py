"""Contacts: one row a person, found again by address, then by phone number."""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass, replace

from sequences_mcp.domain.addresses import address_key
from sequences_mcp.domain.contact import Contact, ContactFields, appended_note, facts_of
from sequences_mcp.domain.ids import Kind, parse
from sequences_mcp.domain.page import Page
from sequences_mcp.engine.local.contact_facts import checked
from sequences_mcp.engine.local.engine import Engine, require_page
from sequences_mcp.engine.store import audit, contacts
from sequences_mcp.errors import ConflictError, InvalidArgumentsError, NotFoundError
from sequences_mcp.providers.port import ContactEntry, SavedContact


@dataclass(frozen=True, slots=True)
class LocalContacts:
    """``providers.port.Contacts`` over the store."""

    engine: Engine

    async def find_contacts(self, query: str, *, page: int, size: int) -> Page[Contact]:
        """Return people whose name, address, company or title contains the query; all for an empty one."""
        require_page(page, size)
        return contacts.page_of(self.engine.store, query, page=page, size=size)

    async def get_contacts(self, contact_ids: Items[str]) -> list[Contact]:
        """Return these people in this order; NotFoundError names every id that is not there."""
        wanted = [str(parse(one, Kind.CONTACT)) for one in contact_ids]
        found = contacts.by_ids(self.engine.store, wanted)
        if len(found) < len(wanted):
            missing = sorted(set(wanted) - {one.id for one in found})
            raise NotFoundError(
                f"There is no contact {', '.join(missing)}.",
                next_step="find_contacts shows who there is.",
                data={"missing": missing},
            )
        return found

    async def match_contacts(self, people: Items[ContactFields]) -> list[Contact | None]:
        """Return, for each, the stored person whom saving them would update, or None."""
        return [self._match(one)[0] for one in people]

    async def save_contacts(self, entries: Items[ContactEntry]) -> list[SavedContact]:
        """Upsert all or none, in order. Facts that are None keep what is stored; notes are appended.

        Raises InvalidArgumentsError for a bad fact, for someone without address and number and for one person
        named twice; ConflictError when address and number belong to two different people.
        """
        saved: list[SavedContact] = []
        places: dict[str, int] = {}
        with self.engine.store.transaction():
            for place, entry in enumerate(entries, start=1):
                one = self._save(place, entry)
                earlier = places.setdefault(one.contact.id, place)
                if earlier != place:
                    raise _twice(earlier, place, one.contact)
                saved.append(one)
            audit.append(self.engine.store, (self._told(one) for one in saved))
        return saved

    def _save(self, place: int, entry: ContactEntry) -> SavedContact:
        try:
            stored, facts = self._match(entry.fields)
        except InvalidArgumentsError as error:
            raise InvalidArgumentsError(f"Contact {place}: {error.message}", next_step=error.next_step) from error
        contact = self._merged(stored, facts, entry.note)
        if stored is None:
            contacts.insert(self.engine.store, contact)
        elif contact != stored:
            contacts.update(self.engine.store, contact)
        return SavedContact(contact, created=stored is None)

    def _told(self, saved: SavedContact) -> audit.Entry:
        engine, detail = self.engine, {"created": saved.created}
        return audit.Entry(
            at=engine.clock(), actor=engine.actor, action="contact.saved", subject=saved.contact.id, detail=detail
        )

    def _match(self, given: ContactFields) -> tuple[Contact | None, ContactFields]:
        """Return the stored person these facts are about, if any, and the facts as they are kept."""
        by_email = contacts.by_email(self.engine.store, given.email) if given.email else None
        facts = checked(given, country=by_email.country if by_email else None)
        if facts.email is None and facts.phone is None:
            raise InvalidArgumentsError(
                "it has neither an e-mail address nor a phone number.",
                next_step="Give at least one: it is how the same person is found again.",
            )
        by_phone = contacts.by_phone(self.engine.store, facts.phone) if facts.phone else None
        if by_email and by_phone and by_email.id != by_phone.id:
            raise _two_people(by_email, by_phone)
        return by_email or by_phone, facts

    def _merged(self, stored: Contact | None, facts: ContactFields, note: str | None) -> Contact:
        now = self.engine.clock()
        known = {name: value for name, value in facts_of(facts).items() if value is not None}
        if stored is None:
            contact = Contact(id=self.engine.new_id(Kind.CONTACT), created_at=now, updated_at=now, **known)
        else:
            contact = replace(stored, **known)
        if note and note.strip():
            contact = replace(contact, notes=appended_note(contact.notes, note, now))
        return contact if contact == stored else replace(contact, updated_at=now)


def _two_people(by_email: Contact, by_phone: Contact) -> ConflictError:
    return ConflictError(
        f"The address belongs to {by_email.id} and the phone number to {by_phone.id}.",
        next_step="Save the address and the number apart, or correct the one that is wrong.",
        data={"by_email": by_email.id, "by_phone": by_phone.id},
    )


def _twice(earlier: int, place: int, contact: Contact) -> InvalidArgumentsError:
    shown = address_key(contact.email) if contact.email else contact.phone
    return InvalidArgumentsError(
        f"Contacts {earlier} and {place} are the same person ({shown}).",
        next_step="Name each person once; join their facts into one entry.",
        data={"positions": [earlier, place]},
    )
