"""The address that an opt-out with one click is posted to (RFC 8058), and whom it is about.

What stands in it is sealed with a key of the database (AES-SIV, RFC 5297): it says nothing to anybody else, is the
same for every e-mail of a run to one address, and holds for good, whatever becomes of the run or of its person.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

PATH = "/u/"
LONGEST = 1_024  # characters of a token: an address has at most 254
_PURPOSE = b"one-click opt-out"


def one_click_address(base: str, key: bytes, *, sequence_id: str, recipient: str) -> str:
    """Return where whoever an e-mail of a run goes to opts out; nothing where there is no ``base`` for it."""
    if not base:
        return ""
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    sealed = AESSIV(_key(key)).encrypt(f"{sequence_id}\n{recipient}".encode(), None)
    return f"{base}{PATH}{urlsafe_b64encode(sealed).decode('ascii').rstrip('=')}"


def opened_token(token: str, key: bytes) -> tuple[str, str] | None:
    """Return the run's id and the address that a token was made for; None for one that was not made here."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    if len(token) > LONGEST or not token.isascii():
        return None
    try:
        sealed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        sequence_id, _, recipient = AESSIV(_key(key)).decrypt(sealed, None).decode().partition("\n")
    except (ValueError, InvalidTag):
        return None
    return sequence_id, recipient


def _key(key: bytes) -> bytes:
    return hmac.digest(key, _PURPOSE, "sha512")
