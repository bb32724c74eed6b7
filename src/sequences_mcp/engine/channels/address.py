"""An address as a mail server gets it."""

from __future__ import annotations

import re
import unicodedata

# RFC 5321, 4.1.2 without quoted local parts and address literals, with the letters of RFC 6531.
_ATOM = r"[^\s\x00-\x20\x7f\"(),:;<>@\[\]\\.]+"
_LABEL = r"[^\W_](?:[\w-]*[^\W_])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_LONGEST = 254


def is_address(text: str) -> bool:
    """Say whether this is one plain address and nothing else."""
    return len(text.encode("utf-8", "replace")) <= _LONGEST and _ADDRESS.fullmatch(text) is not None


def wire_address(address: str) -> str:
    """Return the address with its domain in ASCII where that is possible without loss.

    Python knows IDNA 2003, which turns some letters into others ("straße" into "strasse", another domain). A
    domain that does not survive the way back stays as it is and needs a server with SMTPUTF8.
    """
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{_ascii_domain(domain)}"


def _ascii_domain(domain: str) -> str:
    if domain.isascii():
        return domain
    try:
        encoded = domain.encode("idna")
        same = encoded.decode("idna") == unicodedata.normalize("NFC", domain).lower()
    except UnicodeError:
        return domain
    return encoded.decode("ascii") if same else domain
