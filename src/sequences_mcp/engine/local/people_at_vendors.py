"""Who somebody is that a vendor tells of: the person known here already, or a new one."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Items
from dataclasses import replace
from typing import Any

from sequences_mcp.domain.addresses import address_key
from sequences_mcp.domain.blueprint import Channel
from sequences_mcp.domain.contact import FACTS, Contact, also_known
from sequences_mcp.domain.ids import LOCAL, Kind, parse
from sequences_mcp.domain.sequence import Sequence
from sequences_mcp.engine.local.contact_facts import tidied
from sequences_mcp.engine.local.engine import Engine
from sequences_mcp.engine.store import contacts


def kept(engine: Engine, person: Contact) -> Contact:
    """Return the person as kept here: whoever has the address, the id or the number, or a new row.

    What a vendor tells fills in what was not known and never changes what was. A number alone makes nobody the
    same person as one with another address: a company's switchboard is everybody's. Inside a transaction.
    """
    person = tidied(person)
    found = _known(engine, person)
    if found is None:
        return _new(engine, person)
    return _filled_in(engine, found, person)


def as_known_anywhere(one: Sequence, contact: Contact, *, addresses: Items[str] = ()) -> Iterator[Contact]:
    """Yield a person of a start once for each way in which the list of those never to contact may know them.

    As they are here, as their vendor is told of them, under the vendor's own id, by each address that a text of
    theirs goes to, and by those that the vendor just told; each under an id of its own.
    """
    yield contact
    given: dict[str, Any] = {name: value for name, value in one.handover.items() if name in FACTS}
    yield replace(contact, id=f"{contact.id} as handed over", **given)
    mails = {run.recipient for run in one.steps if run.step.type is Channel.EMAIL and run.recipient}
    yield from also_known(contact, ids=one.ids_given, addresses=sorted({*mails, *one.emails_given, *addresses}))


def _known(engine: Engine, person: Contact) -> Contact | None:
    store = engine.store
    by_email = contacts.by_email(store, person.email) if person.email else None
    if by_email is not None:
        return by_email
    by_id = next(iter(contacts.by_ids(store, [person.id])), None)
    if by_id is not None and _may_be_same(by_id, person):
        return by_id
    same_phone = contacts.by_phone(store, person.phone) if person.phone else []
    return same_phone[0] if len(same_phone) == 1 and _may_be_same(same_phone[0], person) else None


def _may_be_same(one: Contact, other: Contact) -> bool:
    return not (one.email and other.email) or address_key(one.email) == address_key(other.email)


def _new(engine: Engine, person: Contact) -> Contact:
    now, is_vendors = engine.clock(), parse(person.id, Kind.CONTACT).provider != LOCAL
    is_named = person.email or person.phone or contacts.by_ids(engine.store, [person.id])
    own = engine.new_id(Kind.CONTACT) if is_vendors and is_named else person.id
    fresh = replace(person, id=own, created_at=now, updated_at=now)
    contacts.insert(engine.store, fresh)
    engine.audit("contact.saved", fresh.id, created=True)
    return fresh


def _filled_in(engine: Engine, found: Contact, person: Contact) -> Contact:
    news = {name: value for name in FACTS if not getattr(found, name) and (value := getattr(person, name))}
    if not news:
        return found
    after = replace(found, **news, updated_at=engine.clock())
    contacts.update(engine.store, found, after)
    engine.audit("contact.saved", after.id, created=False)
    return after
