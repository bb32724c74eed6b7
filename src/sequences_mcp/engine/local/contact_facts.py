"""Facts about a person as they are kept: checked, and spelled in one way."""

from __future__ import annotations

import re
from dataclasses import replace

from sequences_mcp.domain.addresses import read_address, read_host, shown_host
from sequences_mcp.domain.contact import Contact, ContactFields, facts_of
from sequences_mcp.engine.zones import is_zone, zones_of_country
from sequences_mcp.errors import InvalidArgumentsError

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")  # the common part of RFC 5646
_LINKEDIN = re.compile(r"(https?://)?([a-z]{2,3}\.)?linkedin\.com/\S+", re.IGNORECASE)


def checked(given: ContactFields, *, country: str | None = None) -> ContactFields:
    """Return the facts in their one spelling: spaces trimmed, blank is not said, the phone in E.164.

    ``country`` is the one already known, for a phone number without its own. Raises InvalidArgumentsError.
    """
    facts = ContactFields(**{name: _tidy(value) for name, value in facts_of(given).items()})
    facts = replace(
        facts,
        country=facts.country and facts.country.upper(),
        email=facts.email and read_address(facts.email).text,
        company_domain=facts.company_domain and shown_host(read_host(facts.company_domain)),
    )
    for wrong in filter(None, (check(facts) for check in _CHECKS)):
        raise InvalidArgumentsError(wrong, next_step="Correct it, or leave it out if it is not known.")
    return replace(facts, phone=facts.phone and e164(facts.phone, country=facts.country or country))


def tidied(person: Contact) -> Contact:
    """Return somebody as a vendor tells of them, without the facts that cannot be true."""
    told = facts_of(person)
    facts = ContactFields()
    for name in ("country", *(name for name in told if name != "country")):
        try:
            facts = checked(replace(facts, **{name: told[name]}))
        except InvalidArgumentsError:
            continue
    return replace(person, **facts_of(facts))


def e164(phone: str, *, country: str | None) -> str:
    """Return a phone number as ``+`` and digits, and ``;ext=`` with its extension (RFC 3966).

    Raises InvalidArgumentsError.
    """
    import phonenumbers

    if not phone.startswith("+") and country is None:
        raise _bad_phone(phone, "it does not begin with + and the contact's country is not known")
    try:
        number = phonenumbers.parse(phone, None if phone.startswith("+") else country)
    except phonenumbers.NumberParseException as error:
        raise _bad_phone(phone, str(error)) from error
    if not phonenumbers.is_possible_number(number):
        raise _bad_phone(phone, "no number has this many digits")
    plain = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{plain};ext={number.extension}" if number.extension else plain


def _tidy(value: str | None) -> str | None:
    return " ".join(value.split()) or None if value else None


def _wrong_country(facts: ContactFields) -> str | None:
    if facts.country is None or zones_of_country(facts.country):
        return None
    return f"{facts.country[:20]!r} is not a country in ISO 3166 alpha-2, such as FR."


def _wrong_zone(facts: ContactFields) -> str | None:
    if facts.time_zone is None or is_zone(facts.time_zone):
        return None
    return f"{facts.time_zone[:40]!r} is not an IANA time zone, such as Europe/Paris."


def _wrong_language(facts: ContactFields) -> str | None:
    if facts.language is None or _LANGUAGE.fullmatch(facts.language):
        return None
    return f"{facts.language[:20]!r} is not a language tag, such as fr or pt-BR."


def _wrong_profile(facts: ContactFields) -> str | None:
    if facts.linkedin_url is None or _LINKEDIN.fullmatch(facts.linkedin_url):
        return None
    return f"{facts.linkedin_url[:80]!r} is not the URL of a LinkedIn profile."


def _bad_phone(phone: str, why: str) -> InvalidArgumentsError:
    return InvalidArgumentsError(
        f"{phone[:40]!r} is not a phone number: {why}.", next_step="Write it like +33612345678."
    )


_CHECKS = (_wrong_country, _wrong_zone, _wrong_language, _wrong_profile)
