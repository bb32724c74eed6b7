"""How long a text is, as the channels count."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.guards.rule import Hit
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.views import COVER

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWO = frozenset("\f^{}\\[~]|€")


def too_long(text: Text, most: int) -> Iterator[Hit]:
    """Return what is beyond ``most`` characters; a variable counts for nothing until it is filled in."""
    written = text.raw.text.replace(COVER, "")
    if len(written) > most:
        sort = "" if written == text.raw.text else " without its variables"
        message = f"This has {len(written)} characters{sort}, {len(written) - most} more than the {most} allowed."
        yield Hit(most, len(text.original), message=message)


def segments(text: str) -> tuple[int, str]:
    """Return how many SMS a text takes and in which alphabet (3GPP TS 23.038: 160 or 153, 70 or 67 units)."""
    if all(letter in _GSM or letter in _GSM_TWO for letter in text):
        units, single, many, alphabet = sum(2 if letter in _GSM_TWO else 1 for letter in text), 160, 153, "GSM-7"
    else:
        units, single, many, alphabet = len(text.encode("utf-16-le", "surrogatepass")) // 2, 70, 67, "UCS-2"
    return (1 if units <= single else -(-units // many)), alphabet
