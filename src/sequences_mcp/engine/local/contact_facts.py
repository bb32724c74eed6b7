"""Facts about a person as they are kept: checked, and spelled in one way."""

from __future__ import annotations

import re
from dataclasses import replace

from sequences_mcp.domain.addresses import read_address, read_host, shown_host
from sequences_mcp.domain.contact import FACTS, Contact, ContactFields, facts_of
from sequences_mcp.domain.limits import require_short
from sequences_mcp.domain.phones import read_phone
from sequences_mcp.domain.profiles import read_profile
from sequences_mcp.domain.row_problems import RowProblem
from sequences_mcp.engine.zones import is_zone, zones_of_country
from sequences_mcp.errors import InvalidArgumentsError

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")  # the common part of RFC 5646


def checked(
    given: ContactFields, *, country: str | None = None, position: int = 1
) -> tuple[ContactFields, list[RowProblem]]:
    """Return the facts that can be true, in their one spelling, and what is wrong with the others.

    Spaces are trimmed, blank is not said, the phone is in E.164. ``country`` is the one already known, for a phone
    number without its own; ``position`` is the row's, from 1.
    """
    facts: dict[str, str] = {}
    problems = []
    for name in ("country", *(name for name in FACTS if name != "country")):
        value = getattr(given, name)
        try:
            require_short(name, value)
            value = _tidy(value)
            if value is None:
                continue
            facts[name] = _spelled(name, value, country=facts.get("country") or country)
        except InvalidArgumentsError as error:
            problems.append(RowProblem(position, name, value, error.message.rstrip("."), error.next_step))
    return ContactFields(**facts), problems


def tidied(person: Contact) -> Contact:
    """Return somebody as a vendor tells of them, without the facts that cannot be true."""
    return replace(person, **facts_of(checked(ContactFields(**facts_of(person)))[0]))


def _spelled(name: str, value: str, *, country: str | None) -> str:
    """Return one fact in its one spelling; InvalidArgumentsError for one that cannot be true."""
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
        case _:
            return value


def _tidy(value: str | None) -> str | None:
    return " ".join(value.split()) or None if value else None


def _bad(message: str) -> InvalidArgumentsError:
    return InvalidArgumentsError(message, next_step="Correct it, or leave it out if it is not known.")
