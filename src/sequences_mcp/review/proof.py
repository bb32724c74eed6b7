"""A passphrase proven inside a chat without going there: SCRAM-SHA-256 (RFC 5802, RFC 7677), rolled over at use.

The panel derives a key from what was typed and sends a proof that is bound to a challenge, a plan's digest and
the decision. The file here holds a hash of that key: whoever reads it cannot make a proof. SCRAM alone would let
whoever has both the file and one proof of the same key compute that key; so each proof brings the hash of the next
key with it, under a new salt, and what the file held before is good for nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sequences_mcp.review.private import write_private

FILE_NAME = "proof.json"
ROUNDS = 600_000  # OWASP's "Password Storage Cheat Sheet" for PBKDF2 with HMAC-SHA-256
SALT, KEY = 16, 32
CLIENT_KEY = b"Client Key"
_BLANKS = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Verifier:
    """What a proof is held against: ``key`` is RFC 5802's StoredKey, ``mark`` names the passphrase it is of."""

    salt: bytes
    rounds: int
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


def keep(data_dir: Path, passphrase: str, *, mark: str) -> None:
    """Store what a proof of this passphrase is held against."""
    salt = secrets.token_bytes(SALT)
    _store(data_dir, Verifier(salt, ROUNDS, stored_key(client_key(passphrase, salt, ROUNDS)), mark))


def stored(data_dir: Path, *, mark: str) -> Verifier | None:
    """Return what a proof is held against; None where there is none, or one of another passphrase."""
    try:
        known = json.loads((data_dir / FILE_NAME).read_text(encoding="utf-8"))
        salt, key = bytes.fromhex(known["salt"]), bytes.fromhex(known["key"])
        found = Verifier(salt, int(known["rounds"]), key, str(known["mark"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if hmac.compare_digest(found.mark, mark) else None


def accept(data_dir: Path, given: Proof, verifier: Verifier, *, bound_to: Iterable[str]) -> bool:
    """Say whether a proof is right for what it is ``bound_to``; a right one is used up."""
    said = message(given, bound_to)
    signature = hmac.digest(verifier.key, said, "sha256")
    key = bytes(one ^ other for one, other in zip(given.proof, signature, strict=True))
    if not hmac.compare_digest(stored_key(key), verifier.key):
        return False
    _store(data_dir, Verifier(given.next_salt, verifier.rounds, given.next_key, verifier.mark))
    return True


def message(given: Proof, bound_to: Iterable[str]) -> bytes:
    """Return what a proof signs: its challenge, what is decided, and the key that comes after it."""
    parts = (given.nonce, *bound_to, given.next_salt.hex(), given.next_key.hex())
    return "\n".join(parts).encode("utf-8", "replace")


def client_key(passphrase: str, salt: bytes, rounds: int) -> bytes:
    """Return RFC 5802's ClientKey, which only a proof carries, and only covered."""
    salted = hashlib.pbkdf2_hmac("sha256", passphrase.strip(_BLANKS).encode(), salt, rounds)
    return hmac.digest(salted, CLIENT_KEY, "sha256")


def stored_key(key: bytes) -> bytes:
    """Return RFC 5802's StoredKey."""
    return hashlib.sha256(key).digest()


def _store(data_dir: Path, verifier: Verifier) -> None:
    facts = {"salt": verifier.salt.hex(), "rounds": verifier.rounds, "key": verifier.key.hex()}
    write_private(data_dir / FILE_NAME, json.dumps({**facts, "mark": verifier.mark}))
