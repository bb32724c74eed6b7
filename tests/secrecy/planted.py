"""Twelve secrets, the ones that the tests' worlds use: each can be told from anything else, in every spelling."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple
from urllib.parse import quote

# What all of them have in common, so that a run is searched for one text. The number tells which it is; the letter
# after it keeps the number whole in base64, where the bits of a last letter belong to what follows, too.
MARK = "Plnt7Secret"


class Planted(NamedTuple):
    """One secret, and what it is in words."""

    name: str
    value: str


KALENT_KEY = Planted("Kalent's key", f"kalent_{MARK}01z")
CLARKY_KEY = Planted("Clarky's key", f"ck_live_{MARK}02z{'0' * 19}")
TOPO_KEY = Planted("Topo's key", f"topo_{MARK}03z")
REVOKED_KEY = Planted("a revoked key", f"ck_live_{MARK}04z{'0' * 19}")
READ_ONLY_KEY = Planted("a key that may only read", f"topo_{MARK}05z")
ECHOED_KEY = Planted("a key that a vendor echoes", f"ck_live_{MARK}06z/with\"odd'chars")
SMTP_PASSWORD = Planted("the mail server's password", f"correct {MARK}07z horse")
SMTP_URL_PASSWORD = Planted("the password in a mail server's URL", f"p/w {MARK}08z:@%")
PASSPHRASE = Planted("the passphrase", f"correct horse {MARK}09z battery")
NEW_PASSPHRASE = Planted("the passphrase after a change", f"another good {MARK}10z")
MISTYPED = Planted("a passphrase or password that is wrong", f"battery {MARK}11z staple")
BAD_SETTING = Planted("a secret in a bad setting", f"{MARK}12z-canary")

SECRETS = (
    KALENT_KEY,
    CLARKY_KEY,
    TOPO_KEY,
    REVOKED_KEY,
    READ_ONLY_KEY,
    ECHOED_KEY,
    SMTP_PASSWORD,
    SMTP_URL_PASSWORD,
    PASSPHRASE,
    NEW_PASSPHRASE,
    MISTYPED,
    BAD_SETTING,
)
PART = "a part of a planted secret"


def url_with_password(where: str) -> str:
    """Return the URL of a mail server, such as ``127.0.0.1:25``, with a user and a password that needs quoting."""
    return f"smtp://ada%40lovelace.example:{quote(SMTP_URL_PASSWORD.value, safe='')}@{where}"


def spellings(text: str) -> Iterator[bytes]:
    """Return how a text may stand among others: plain, in base64 at any place, in hex, in escapes, in UTF-16.

    URL quoting, JSON and HTML leave letters and digits alone, and so find the plain one.
    """
    raw = text.encode()
    yield raw
    for shift in range(3):  # 3 bytes are 4 letters: what goes before moves them, what follows changes the last
        letters = base64.b64encode(bytes(shift) + raw)
        yield letters[(0, 2, 3)[shift] : (shift + len(raw)) * 8 // 6]
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    yield "".join(f"\\u{ord(letter):04x}" for letter in text).encode()
    yield "".join(f"%{byte:02X}" for byte in raw).encode()
    yield text.encode("utf-16-le")


@cache
def _forms(text: str) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(form.translate(None, b"\0") for form in spellings(text)))


_NUMBERED = {one.name: f"{MARK}{number:02}z" for number, one in enumerate(SECRETS, start=1)}


def found_in(data: bytes, learnt: Mapping[str, str]) -> list[str]:
    """Return the names of the secrets in some data; ``learnt`` are those a run made up, each with its name.

    Zeros are left out of both: most of a new database is zeros, and without them UTF-16 is what is plain.
    """
    data = data.translate(None, b"\0")
    others = [name for secret, name in learnt.items() if any(form in data for form in _forms(secret))]
    if not any(form in data for form in _forms(MARK)):
        return others
    known = [name for name, text in _NUMBERED.items() if any(form in data for form in _forms(text))]
    return [*others, *(known or [PART])]
