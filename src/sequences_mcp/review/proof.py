"""A passphrase proven inside a chat without going there: SCRAM (RFC 5802) over scrypt, rolled over at use.

A passphrase is derived once and in one way, into a key that is kept nowhere: whoever guesses pays for scrypt at
each guess, whatever file or proof they have. The panel derives that key from what was typed, and from it and a
salt the key of one proof, which is bound to a challenge, a plan's digest and the decision. The file here holds a
hash of the key of the next proof: whoever reads it cannot make one. SCRAM alone would let whoever has both the
file and one proof compute that proof's key; so each proof brings the hash of the next key with it, under a new
salt, and what the file held before is good for nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import unicodedata
from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sequences_mcp.review.private import write_private

FILE_NAME = "proof.json"
VERSION = 2  # 1 was hashed with PBKDF2, beside the scrypt of the other file; it counts for nothing
SALT, KEY = 16, 32
CLIENT_KEY = b"Client Key"
_BLANKS = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Derivation:
    """How the key comes from a passphrase: scrypt (RFC 7914) with these parameters.

    N=2^16, r=8, p=1 takes 64 MiB and about a quarter of a second, a second in a browser; above the minimum of
    OWASP's "Password Storage Cheat Sheet". They are stored, so that they can rise later.
    """

    salt: bytes
    n: int = 2**16
    r: int = 8
    p: int = 1

    @classmethod
    def new(cls) -> Derivation:
        """Return today's derivation, with a salt of its own."""
        return cls(secrets.token_bytes(SALT))

    @classmethod
    def parse(cls, record: Mapping[str, Any]) -> Derivation:
        """Return what a file says; ValueError, KeyError or TypeError."""
        return cls(bytes.fromhex(record["salt"]), *(int(record[name]) for name in ("n", "r", "p")))

    @property
    def record(self) -> dict[str, str | int]:
        """What ``parse`` takes."""
        return {"salt": self.salt.hex(), "n": self.n, "r": self.r, "p": self.p}

    @property
    def words(self) -> str:
        """How the panel is told: ``scrypt:N:r:p:salt``, the salt in hexadecimal."""
        return f"scrypt:{self.n}:{self.r}:{self.p}:{self.salt.hex()}"

    def key(self, passphrase: str) -> bytes:
        """Return the key; blanks around a passphrase and how its accents are composed make no difference."""
        return self.key_of(unicodedata.normalize("NFC", passphrase.strip(_BLANKS)))

    def key_of(self, text: str) -> bytes:
        """Return the key of a text as it is."""
        typed, memory = text.encode("utf-8", "replace"), 2**20 + 256 * self.n * self.r
        return hashlib.scrypt(typed, salt=self.salt, n=self.n, r=self.r, p=self.p, maxmem=memory, dklen=KEY)


@dataclass(frozen=True, slots=True)
class Verifier:
    """What a proof is held against: ``key`` is RFC 5802's StoredKey, ``mark`` names the passphrase it is of."""

    salt: bytes
    key: bytes
    mark: str


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof as it came, and the salt and key that hold for the next one."""

    nonce: str
    proof: bytes
    next_salt: bytes
    next_key: bytes

    @classmethod
    def parse(cls, text: str) -> Proof:
        """Return a proof from ``nonce.proof.salt.key``, the last three in base64; ValueError."""
        nonce, *parts = text.split(".")
        proof, salt, key = (b64decode(part, validate=True) for part in parts)
        if (len(proof), len(salt), len(key)) != (KEY, SALT, KEY):
            raise ValueError("the parts of a proof have another length")
        return cls(nonce, proof, salt, key)


def keep(data_dir: Path, key: bytes, *, mark: str) -> None:
    """Store what a proof of the passphrase is held against, from the key that was derived of it."""
    salt = secrets.token_bytes(SALT)
    _store(data_dir, Verifier(salt, stored_key(client_key(key, salt)), mark))


def stored(data_dir: Path, *, mark: str) -> Verifier | None:
    """Return what a proof is held against; None where there is none, or one of another passphrase or version."""
    try:
        known = json.loads((data_dir / FILE_NAME).read_text(encoding="utf-8"))
        salt, key = bytes.fromhex(known["salt"]), bytes.fromhex(known["key"])
        found, version = Verifier(salt, key, str(known["mark"])), known["version"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if version == VERSION and hmac.compare_digest(found.mark, mark) else None


def accept(data_dir: Path, given: Proof, verifier: Verifier, *, bound_to: Iterable[str]) -> bool:
    """Say whether a proof is right for what it is ``bound_to``; a right one is used up."""
    said = message(given, bound_to)
    signature = hmac.digest(verifier.key, said, "sha256")
    key = bytes(one ^ other for one, other in zip(given.proof, signature, strict=True))
    if not hmac.compare_digest(stored_key(key), verifier.key):
        return False
    _store(data_dir, Verifier(given.next_salt, given.next_key, verifier.mark))
    return True


def message(given: Proof, bound_to: Iterable[str]) -> bytes:
    """Return what a proof signs: its challenge, what is decided, and the key that comes after it."""
    parts = (given.nonce, *bound_to, given.next_salt.hex(), given.next_key.hex())
    return "\n".join(parts).encode("utf-8", "replace")


def client_key(key: bytes, salt: bytes) -> bytes:
    """Return the key of one proof, RFC 5802's ClientKey, which only a proof carries, and only covered."""
    return hmac.digest(key, CLIENT_KEY + salt, "sha256")


def stored_key(key: bytes) -> bytes:
    """Return RFC 5802's StoredKey."""
    return hashlib.sha256(key).digest()


def _store(data_dir: Path, verifier: Verifier) -> None:
    facts = {"version": VERSION, "salt": verifier.salt.hex(), "key": verifier.key.hex(), "mark": verifier.mark}
    write_private(data_dir / FILE_NAME, json.dumps(facts))
