"""Contacts, one row each: found by id, address, number, profile, company or domain."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from itertools import islice
from typing import Any

from sequences_mcp.domain import companies
from sequences_mcp.domain.addresses import address_key, domain_of
from sequences_mcp.domain.contact import FACTS, Contact, facts_of, profile_key
from sequences_mcp.domain.ids import LOCAL, IdKind, parse_id
from sequences_mcp.domain.page import MAX_SIZE, Page
from sequences_mcp.store.database import Database, Row
from sequences_mcp.store.statements import from_micros, to_micros

REMEMBERED = 512
_AT_ONCE = 500
_COLUMNS = (
    *FACTS,
    *("id", "notes", "email_key", "email_host", "company_host", "company_root", "company_key", "search"),
    *("created_at", "updated_at"),
)
_STAGED = "staged_contact"
STAGED_TABLE = (
    f"{_STAGED} (place INTEGER PRIMARY KEY, is_new INTEGER NOT NULL, left_key TEXT, "
    f"{', '.join(f'{name} BIGINT' if name.endswith('ed_at') else f'{name} TEXT' for name in _COLUMNS)})"
)


class ContactRepository:
    """Contacts, one row each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, contact: Contact) -> None:
        """Store a new person."""
        self._database.write("contacts.insert", **_to_row(contact))

    def insert_many(self, people: Iterable[Contact]) -> None:
        """Store new people."""
        self._database.write_many("contacts.insert", map(_to_row, people))

    def update(self, before: Contact, contact: Contact) -> None:
        """Store what is now known of a person; an address they no longer have is remembered."""
        for left in _left(before, contact):
            self._database.write("contacts.left", **left)
        self._database.write("contacts.update", **_to_row(contact))

    @staticmethod
    def pack(people: Iterable[tuple[Contact | None, Contact]]) -> bytes:
        """Return people, each with what is stored of them or None, as the compressed rows that are to be written.

        ``staged`` takes them. Nothing is left to be worked out then, so that the lock is held shortly.
        """
        rows: list[list[Any]] = []
        for before, contact in people:
            left = _left(before, contact) if before else []
            row = _to_row(contact)
            rows.append([int(before is None), left[0]["key"] if left else None, *map(row.__getitem__, _COLUMNS)])
        return zlib.compress(json.dumps(rows, separators=(",", ":")).encode("ascii"), 1)

    def staged(self, parts: Iterable[bytes]) -> AbstractContextManager[None]:
        """Inside the block, transactions have the people of ``pack`` at hand, for ``save_staged``.

        They are read without a lock, beside the database, so that a transaction only has to take them over.
        """

        def fill() -> None:
            place = 0
            for part in parts:
                rows = json.loads(zlib.decompress(part))
                numbered = ((number, *row) for number, row in enumerate(rows, start=place + 1))
                self._database.stage(_STAGED, ("place", "is_new", "left_key", *_COLUMNS), numbered)
                place += len(rows)

        return self._database.staged(STAGED_TABLE, fill)

    def save_staged(self, after: int, *, size: int) -> list[tuple[str, bool]]:
        """Store some people of ``staged``, those behind so many; return their ids and whether each is new."""
        places = {"after": after, "last": after + size}
        rows = self._database.rows("contacts.staged", **places)
        if any(row["is_new"] for row in rows):
            self._database.write("contacts.insert_staged", **places)
        if not all(row["is_new"] for row in rows):
            self._database.write("contacts.left_staged", **places)
            self._database.write("contacts.update_staged", **places)
        return [(row["id"], bool(row["is_new"])) for row in rows]

    def by_ids(self, contact_ids: Iterable[str]) -> list[Contact]:
        """Return the people that exist among these, in this order."""
        ids = tuple(contact_ids)
        if len(ids) > MAX_SIZE:
            return self._by_ids(ids)
        return list(self._database.remembered(("contacts", ids), lambda: tuple(self._by_ids(ids))))

    def _by_ids(self, ids: Sequence[str]) -> list[Contact]:
        return _from_rows(self._database.rows("contacts.by_ids", ids=json.dumps(ids)))

    def missing(self, contact_ids: Iterable[str]) -> list[str]:
        """Return those of these ids that are not stored, in order."""
        return [row["id"] for row in self._database.rows("contacts.missing", ids=json.dumps(list(contact_ids)))]

    def by_email(self, email: str) -> Contact | None:
        """Return the person with this address, whatever its case."""
        row = self._database.row("contacts.by_email", email_key=address_key(email))
        return _from_row(row) if row else None

    def by_emails(self, emails: Iterable[str]) -> dict[str, Contact]:
        """Return the people with these addresses, whatever their case, by ``address_key``."""
        people: dict[str, Contact] = {}
        wanted = iter(dict.fromkeys(map(address_key, emails)))
        while keys := list(islice(wanted, _AT_ONCE)):
            rows = self._database.rows("contacts.by_emails", email_keys=json.dumps(keys))
            people |= {row["email_key"]: contact for row, contact in zip(rows, _from_rows(rows), strict=True)}
        return people

    def by_phone(self, phone: str) -> list[Contact]:
        """Return the people with this number, the first stored first: colleagues may share a switchboard's."""
        return _from_rows(self._database.rows("contacts.by_phone", phone=phone))

    def by_phones(self, phones: Iterable[str]) -> dict[str, list[Contact]]:
        """Return the people with these numbers, by number, the first stored first."""
        results: dict[str, list[Contact]] = {}
        wanted = iter(dict.fromkeys(phones))
        while some := list(islice(wanted, _AT_ONCE)):
            for contact in _from_rows(self._database.rows("contacts.by_phones", phones=json.dumps(some))):
                results.setdefault(contact.phone or "", []).append(contact)
        return results

    def former_addresses(self, contact_ids: Iterable[str]) -> dict[str, list[str]]:
        """Return, for those of these people who had other addresses before, the keys of those."""
        results: dict[str, list[str]] = {}
        for row in self._database.rows("contacts.former_addresses", ids=json.dumps(list(contact_ids))):
            results.setdefault(row["id"], []).append(row["key"])
        return results

    def is_erased(self, contact_id: str) -> bool:
        """Say whether nothing of a person is left here but their row."""
        return self._database.row("contacts.erased", id=contact_id) is not None

    def at_address(self, address: str) -> list[str]:
        """Return the ids of the people who have this address now or had it before."""
        now, key = self.by_email(address), address_key(address)
        before = [row["id"] for row in self._database.rows("contacts.formerly_at", key=key)]
        return list(dict.fromkeys([*([now.id] if now else []), *before]))

    def after(self, number: int, *, size: int) -> tuple[list[Contact], int]:
        """Return who was stored after the row of this number, a part of them, and the last one's number."""
        rows = self._database.rows("contacts.after", no=number, size=size)
        return _from_rows(rows), rows[-1]["no"] if rows else number

    def page(self, query: str, *, page: int, size: int) -> Page[Contact]:
        """Return people whose name, address, company, title, profile or number has the query; all for none."""
        pattern = f"%{escaped(query.strip().casefold())}%" if query.strip() else None
        return self._database.remembered(
            ("page of contacts", pattern, page, size),
            lambda: self._page_of(pattern, _number_or_profile(query), page=page, size=size),
        )

    def _page_of(self, pattern: str | None, other: str | None, *, page: int, size: int) -> Page[Contact]:
        rows = self._database.rows(
            "contacts.page", pattern=pattern, other=other, size=size, skip=(page - 1) * size
        )
        total = self._database.rows("contacts.count", pattern=pattern, other=other)[0]["found"]
        return Page(tuple(_from_rows(rows)), total, page, size)

    def colleagues(self, contact: Contact) -> list[str]:
        """Return the ids of everybody at the contact's company, the contact among them."""
        root, key = (
            companies.company_root(companies.company_domain_of(contact)),
            companies.company_key(contact.company),
        )
        rows = self._database.rows("contacts.at_company", root=root, key=key)
        contacts = _from_rows(rows)
        return [other.id for other in contacts if companies.is_same_company(contact, other)]

    def like_colleagues(self, contact: Contact) -> dict[str, str]:
        """Return contact id → why not, for people with runs who look like the contact's colleagues and are not."""
        host, words = domain_of(contact.email), (companies.company_key(contact.company) or "").split()
        word = words[0] if words else None
        is_plain = word is not None and word.isalnum()
        rows = self._database.rows(
            "contacts.like_company",
            host=host if host and companies.is_free_mail(host) else None,
            word=word,
            # Every name with another word behind this one: "!" comes next after the space.
            first=f"{word} " if is_plain else None,
            past=f"{word}!" if is_plain else None,
        )
        others = (
            (other, companies.unlike_because(contact, other))
            for other in _from_rows(rows)
            if other.id != contact.id
        )
        return {other.id: why for other, why in others if why and not companies.is_same_company(contact, other)}

    def at_domain(self, domain: str) -> list[str]:
        """Return the ids of everybody whose address or company is at a domain or below it."""
        rows = self._database.rows("contacts.at_domain", domain=domain, below=f"%.{escaped(domain)}")
        return [row["id"] for row in rows]


def _left(before: Contact, contact: Contact) -> list[dict[str, Any]]:
    """Return the address that somebody no longer has, as it is remembered; none where they have it still."""
    if not before.email or address_key(before.email) == (contact.email and address_key(contact.email)):
        return []
    return [{"id": contact.id, "key": address_key(before.email), "until": to_micros(contact.updated_at)}]


def _number_or_profile(query: str) -> str | None:
    """Return a pattern for a telephone number or a LinkedIn profile in any spelling; None for other words."""
    if "linkedin.com/" in query.casefold():
        return f"%{escaped(profile_key(query))}%"
    digits = re.sub(r"\D", "", query.replace("(0)", "")).lstrip("0")
    return f"%{digits}%" if len(digits) >= 6 and re.fullmatch(r"[\d\s+()./-]+", query.strip()) else None


def escaped(text: str) -> str:
    """Return text that LIKE … ESCAPE '\\' takes literally."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _to_row(contact: Contact) -> dict[str, Any]:
    shown = [contact.display_name, contact.email, contact.company, contact.job_title]
    company_host = companies.company_domain_of(contact)
    return facts_of(contact) | {
        "id": contact.id,
        "notes": contact.notes,
        "email_key": _known_by(contact),
        "email_host": domain_of(contact.email),
        "company_host": company_host,
        "company_root": companies.company_root(company_host),
        "company_key": companies.company_key(contact.company),
        "search": "\n".join(filter(None, shown)).casefold(),
        "created_at": to_micros(contact.created_at),
        "updated_at": to_micros(contact.updated_at),
    }


def _known_by(contact: Contact) -> str | None:
    """Return what nobody else has: the address without case, or a vendor's id where no address is known."""
    if contact.email:
        return address_key(contact.email)
    return None if parse_id(contact.id, IdKind.CONTACT).provider == LOCAL else contact.id


def _from_row(row: Row) -> Contact:
    return _from_rows([row])[0]


def _from_rows(rows: list[Row]) -> list[Contact]:
    names = tuple(rows[0].keys()) if rows else ()
    return [_from_facts(names, tuple(row)) for row in rows]


@lru_cache(maxsize=REMEMBERED)
def _from_facts(names: tuple[str, ...], facts: tuple[Any, ...]) -> Contact:
    """Return a person from a row. It is all that decides, so remembering the result cannot go stale."""
    known = dict(zip(names, facts, strict=True))
    return Contact(
        id=known["id"],
        notes=known["notes"],
        created_at=from_micros(known["created_at"]),
        updated_at=from_micros(known["updated_at"]),
        is_erased=known.get("erased_at") is not None,
        **{name: known[name] for name in FACTS},
    )
