"""A person's stored facts: their telephone number, LinkedIn profile and notes, each validated or normalised."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any
from urllib.parse import unquote

from sequences_mcp.domain.making import quickly_made
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.lazy_dataclasses import dataclass, fields, replace
from sequences_mcp.remembering import VALUES

ERASED_PERSON = "(erased)"
"""What stands for the name of somebody who was erased."""
EXTENSION = ";ext="  # RFC 3966, 3
LONGEST = 250  # what the library reads at most
_DIALLED = re.compile(r"\+[1-9][0-9]{6,14}")
_ROUNDED = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE][+-]?\d+")  # 3.36123E+10


@VALUES.up_to(1_024)
def read_phone(phone: str, *, country: str | None) -> str:
    """Return a phone number as ``+`` and digits, and ``;ext=`` with its extension (RFC 3966).

    ``country`` (ISO 3166 alpha-2) is that of a number without its own. Raises InvalidArgumentsError.
    """
    import phonenumbers

    if len(phone) > LONGEST:
        raise _bad_phone(phone, "it is too long")
    if _ROUNDED.fullmatch(phone):
        raise _bad_phone(phone, "a spreadsheet program has rounded it, so its last digits are lost")
    if not phone.startswith("+") and country is None:
        raise _bad_phone(phone, "it does not begin with + and the contact's country is not known")
    try:
        number = phonenumbers.parse(phone, None if phone.startswith("+") else country)
    except phonenumbers.NumberParseException as error:
        is_code = error.error_type == error.INVALID_COUNTRY_CODE
        why = "no country has its code" if is_code else "it is not the digits of one number"
        raise _bad_phone(phone, why) from error
    length = phonenumbers.is_possible_number_with_reason(number)
    if length == phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
        raise _bad_phone(phone, "its area code is missing")
    if length != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise _bad_phone(phone, "no number has this many digits")
    plain = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{plain}{EXTENSION}{number.extension}" if number.extension else plain


def dialled(phone: str) -> str | None:
    """Return a number in E.164, as vendors take it; None for a number with an extension, or no number.

    Without its extension a number is that of a switchboard: it reaches somebody else, and a vendor that identifies
    people by their numbers would merge two colleagues.
    """
    return phone if _DIALLED.fullmatch(phone) else None


def _bad_phone(phone: str, why: str) -> InvalidArgumentsError:
    return InvalidArgumentsError(
        f"{phone[:40]!r} is not a phone number: {why}.", next_step="Write it like +33612345678."
    )


_LINKEDIN = re.compile(r"(https?://)?([a-z]{2,3}\.)?linkedin\.com/\S+", re.IGNORECASE)


def read_profile(url: str) -> str:
    """Return the URL of a profile as it was given; InvalidArgumentsError for one that is none of LinkedIn's."""
    if not _LINKEDIN.fullmatch(url):
        raise InvalidArgumentsError(
            f"{url[:80]!r} is not the URL of a LinkedIn profile.",
            next_step="Correct it, or leave it out if it is not known.",
        )
    return url


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFields:
    """The facts about a person; None means "not given" and never erases what is stored.

    ``source`` and ``found_at`` (a date) say where and when the rest was found, ``basis`` on which legal ground it
    is kept, ``consent`` what record there is that they agreed to be written to.
    """

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
    source: str | None = None
    found_at: str | None = None
    basis: str | None = None
    consent: str | None = None


FACTS = tuple(field.name for field in fields(ContactFields))
in_order = attrgetter(*FACTS)
"""Returns a person's facts in the order of ``FACTS``."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Contact(ContactFields):
    """A stored person. ``phone`` is E.164, ``country`` ISO 3166 alpha-2, ``time_zone`` an IANA name."""

    id: str
    notes: str = ""
    created_at: datetime
    updated_at: datetime
    is_erased: bool = False

    @property
    def display_name(self) -> str:
        """The person's name, or the address where no name is known; that they were erased, of whoever was."""
        if self.is_erased:
            return ERASED_PERSON
        return " ".join(filter(None, [self.first_name, self.last_name])) or self.email or self.phone or self.id


def facts_of(known: ContactFields) -> dict[str, Any]:
    """Return the facts about a person by name, None included."""
    return dict(zip(FACTS, in_order(known), strict=True))


def facts_given(known: ContactFields) -> dict[str, str]:
    """Return the facts about a person that are there, by name."""
    return {name: value for name, value in zip(FACTS, in_order(known), strict=True) if value is not None}


def appended_note(notes: str, text: str, now: datetime) -> str:
    """Return the notes with one more, stamped as Clarky stamps them: ``[via API 2026-11-21T09:30:00Z] text``."""
    stamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    line = f"[via API {stamp}] {text.strip()}"
    return f"{notes}\n{line}" if notes else line


def also_known(contact: Contact, *, ids: Iterable[str], addresses: Iterable[str]) -> Iterator[Contact]:
    """Yield copies of a contact: one for each further id, one for each further address (with a made-up id)."""
    for contact_id in ids:
        yield replace(contact, id=contact_id)
    for address in addresses:
        yield replace(contact, id=f"{contact.id} at {address}", email=address)


def profile_key(url: str | None) -> str:
    """Return the normalised URL of a LinkedIn profile: no scheme, language subdomain, query or trailing slash."""
    bare = unquote(url or "").casefold().strip()
    bare = re.sub(r"^https?://", "", bare)
    bare = re.sub(r"^[a-z]{2,3}\.(?=linkedin\.com/)", "", bare)
    return re.split(r"[?#]", bare, maxsplit=1)[0].rstrip("/")
