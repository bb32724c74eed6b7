"""A person, and what decides that two rows are the same person or two people the same company."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

from sequences_mcp.domain.addresses import domain_of, host_key

# fmt: off
FREE_MAIL = frozenset({
    "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "yahoo.fr",
    "yahoo.co.uk", "ymail.com", "icloud.com", "me.com", "mac.com", "aol.com", "gmx.de", "gmx.net", "web.de",
    "t-online.de", "orange.fr", "wanadoo.fr", "free.fr", "sfr.fr", "laposte.net", "libero.it", "proton.me",
    "protonmail.com", "pm.me", "yandex.ru", "mail.ru", "qq.com", "163.com", "fastmail.com", "zoho.com",
    "hey.com",
})
# fmt: on
_LEGAL_FORM = re.compile(
    r"\b(incorporated|inc|llc|ltd|limited|plc|corp|corporation|co|company|gmbh|ag|se|kg|sas|sasu|sarl|sa|srl|spa|"
    r"bv|nv|ab|as|oy|aps|pty|pte|kk|sp z o o)$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFields:
    """What can be told about a person; None is "not said" and never erases what is stored."""

    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    company_domain: str | None = None
    job_title: str | None = None
    location: str | None = None
    country: str | None = None
    time_zone: str | None = None
    language: str | None = None
    linkedin_url: str | None = None


FACTS = tuple(field.name for field in fields(ContactFields))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact(ContactFields):
    """A stored person. ``phone`` is E.164, ``country`` ISO 3166 alpha-2, ``time_zone`` an IANA name."""

    id: str
    notes: str = ""
    created_at: datetime
    updated_at: datetime

    @property
    def display_name(self) -> str:
        """The person's name, or the address where no name is known."""
        return " ".join(filter(None, [self.first_name, self.last_name])) or self.email or self.phone or self.id


def facts_of(known: ContactFields) -> dict[str, Any]:
    """Return what is told about a person, by name."""
    return {name: getattr(known, name) for name in FACTS}


def company_domain_of(contact: ContactFields) -> str | None:
    """Return the domain that identifies the contact's company: the one stored, else a work address's."""
    if contact.company_domain:
        return host_key(contact.company_domain).removeprefix("www.")
    domain = domain_of(contact.email)
    return None if domain in FREE_MAIL else domain


def company_key(company: str | None) -> str | None:
    """Return a company's name without case, accents, punctuation and legal form ("Acme, Inc." is "acme")."""
    if not company:
        return None
    plain = "".join(c for c in unicodedata.normalize("NFKD", company.casefold()) if not unicodedata.combining(c))
    words = re.sub(r"[^\w]+", " ", plain.replace(".", "")).strip()
    return _LEGAL_FORM.sub("", words).strip() or words or None


def is_same_company(one: ContactFields, other: ContactFields) -> bool:
    """Say whether two people work at one company: by company domain, else by normalised name."""
    mine, theirs = company_domain_of(one), company_domain_of(other)
    if mine and theirs:
        return mine == theirs
    name = company_key(one.company)
    return name is not None and name == company_key(other.company)


def appended_note(notes: str, text: str, now: datetime) -> str:
    """Return the notes with one more, stamped as Clarky stamps them: ``[via API 2026-11-21T09:30:00Z] text``."""
    stamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    line = f"[via API {stamp}] {text.strip()}"
    return f"{notes}\n{line}" if notes else line


def also_known(contact: Contact, *, ids: Iterable[str], addresses: Iterable[str]) -> Iterator[Contact]:
    """Yield a person once for each further id, and at each further address under an id of its own."""
    for own in ids:
        yield replace(contact, id=own)
    for address in addresses:
        yield replace(contact, id=f"{contact.id} at {address}", email=address)
