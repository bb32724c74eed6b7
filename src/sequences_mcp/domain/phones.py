"""Telephone numbers: read once when they come in, and given to vendors without what E.164 has no place for."""

from __future__ import annotations

import re

from sequences_mcp.errors import InvalidArgumentsError

EXTENSION = ";ext="  # RFC 3966, 3
LONGEST = 250  # what the library reads at most
_DIALLED = re.compile(r"\+[1-9][0-9]{6,14}")


def read_phone(phone: str, *, country: str | None) -> str:
    """Return a phone number as ``+`` and digits, and ``;ext=`` with its extension (RFC 3966).

    ``country`` (ISO 3166 alpha-2) is that of a number without its own. Raises InvalidArgumentsError.
    """
    import phonenumbers

    if len(phone) > LONGEST:
        raise _bad_phone(phone, "it is too long")
    if not phone.startswith("+") and country is None:
        raise _bad_phone(phone, "it does not begin with + and the contact's country is not known")
    try:
        number = phonenumbers.parse(phone, None if phone.startswith("+") else country)
    except phonenumbers.NumberParseException as error:
        raise _bad_phone(phone, str(error).rstrip(".")) from error
    if not phonenumbers.is_possible_number(number):
        raise _bad_phone(phone, "no number has this many digits")
    plain = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{plain}{EXTENSION}{number.extension}" if number.extension else plain


def dialled(phone: str) -> str | None:
    """Return a number as vendors take it, in E.164; None for one with an extension, or none at all.

    Without its extension a number is that of a switchboard: it reaches somebody else, and a vendor that tells
    people apart by their numbers would make one of two colleagues.
    """
    return phone if _DIALLED.fullmatch(phone) else None


def _bad_phone(phone: str, why: str) -> InvalidArgumentsError:
    return InvalidArgumentsError(
        f"{phone[:40]!r} is not a phone number: {why}.", next_step="Write it like +33612345678."
    )
