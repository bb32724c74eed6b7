"""The passphrase that only the person knows: how it is stored and checked, and how a chat's panel proves it.

The record of the passphrase has the salted scrypt hash against which a typed passphrase is checked. That of proofs
has the verifier of a SCRAM exchange (RFC 5802) with scrypt in place of PBKDF2, so that the panel proves the
passphrase without sending it. Each proof brings the salt and key of the next one. Both are kept where all
processes of a database find them (``ports.safekeeping``).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import unicodedata
from base64 import b64decode
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from sequences_mcp.errors import ApprovalError, InvalidArgumentsError
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.ports.safekeeping import KeptRecord, Safekeeping

PASSPHRASE_VERSION = 2
LEAST = 8
_CHECK = b"check"


def is_set(safe: Safekeeping) -> bool:
    """Say whether a passphrase has been set."""
    return safe.has(KeptRecord.PASSPHRASE)


def set_passphrase(safe: Safekeeping, new: str, *, old: str | None = None) -> None:
    """Store a new passphrase; the old one must be right where one is set.

    Raises InvalidArgumentsError for fewer than eight characters, ApprovalError for a wrong old one.
    """
    if is_set(safe):
        check_passphrase(safe, old or "")
    before = safe.read(KeptRecord.PASSPHRASE)
    if old is None and before is not None:
        raise _set_meanwhile()
    if len(new.strip()) < LEAST:
        raise InvalidArgumentsError(
            f"A passphrase has {LEAST} characters or more.", next_step="Choose a longer one."
        )
    # Whether a database existed: a new one beside the passphrase of an earlier one waits for a person
    # (store.lineage).
    if not _keep(safe, new, {"database": safe.workspace.database.exists()}, before=before):
        raise _set_meanwhile()


def _set_meanwhile() -> ApprovalError:
    return ApprovalError("A passphrase was set meanwhile.", next_step="Use that one, or change it with it.")


def passphrase_id(safe: Safekeeping) -> str:
    """Return an id that changes when another passphrase is set, or an empty string where none is set.

    It is stored as ``mark`` when the record is written anew for the same passphrase, and is its hash otherwise.
    """
    try:
        text = safe.read(KeptRecord.PASSPHRASE)
    except (OSError, ValueError):
        text = None
    return "" if text is None else _id_of(text)


def _id_of(text: str) -> str:
    with suppress(ValueError, AttributeError):
        if stored_id := json.loads(text).get("mark"):
            return str(stored_id)
    return hashlib.sha256(text.encode()).hexdigest()


def verifier(safe: Safekeeping) -> tuple[Verifier, Derivation] | None:
    """Return what a proof is verified with and how its key is derived; None for a file of an earlier version."""
    known = stored(safe, passphrase_id=passphrase_id(safe))
    try:
        record, _ = _record(safe)
        return None if known is None or _is_old(record) else (known, Derivation.parse(record))
    except (ApprovalError, ValueError, KeyError, TypeError):
        return None


def check_passphrase(safe: Safekeeping, passphrase: str) -> None:
    """Return when the passphrase is right; ApprovalError when it is wrong or none has been set.

    A right one also upgrades a record of an earlier version, and the verifier of proofs with it.
    """
    if not is_set(safe):
        raise ApprovalError(
            "No passphrase has been set.", next_step="Set one first: sequences-mcp review set-passphrase."
        )
    record, before = _record(safe)
    if not _fits(record, passphrase, safe):
        raise ApprovalError("The passphrase is wrong.", next_step="Try again; nothing was approved.")
    if _is_old(record):
        facts = {"database": record.get("database", True), "mark": _id_of(before)}
        with suppress(OSError):  # the check has succeeded even where the upgrade cannot be written
            _keep(safe, passphrase, facts, before=before)


def hashed_passphrase(secret: str, derivation: Derivation | None = None) -> dict[str, str | int]:
    """Return the record (version, salt, scrypt parameters, check value) that ``is_hash_of`` takes.

    ``derivation`` is how, where it is not the present way with a new salt.
    """
    return _hashed(secret, derivation or Derivation.new())[0]


def is_hash_of(secret: str, record: Mapping[str, Any]) -> bool:
    """Say whether a record was made of this secret; ValueError, KeyError or TypeError for a malformed record."""
    if _is_old(record):
        # Version 1 stored the key itself, and did not normalise the secret to NFC.
        return hmac.compare_digest(Derivation.parse(record).key_of(secret.strip()), bytes.fromhex(record["hash"]))
    return hmac.compare_digest(_check(Derivation.parse(record).key(secret)), str(record["check"]))


def _is_old(record: Mapping[str, Any]) -> bool:
    return record.get("version") != PASSPHRASE_VERSION


def _hashed(secret: str, derivation: Derivation) -> tuple[dict[str, str | int], bytes]:
    key = derivation.key(secret)
    return {"version": PASSPHRASE_VERSION, **derivation.record, "check": _check(key)}, key


def _keep(safe: Safekeeping, passphrase: str, facts: Mapping[str, object], *, before: str | None) -> bool:
    """Store a passphrase in place of the record that was read ``before``; False where that is another by now."""
    record, key = _hashed(passphrase, Derivation.new())
    text = json.dumps({**record, **facts})
    if not safe.swap(KeptRecord.PASSPHRASE, before, text):
        return False
    keep_verifier(safe, key, passphrase_id=_id_of(text))
    return True


def _check(key: bytes) -> str:
    return hashlib.sha256(hmac.digest(key, _CHECK, "sha256")).hexdigest()


def _fits(record: Mapping[str, Any], passphrase: str, safe: Safekeeping) -> bool:
    try:
        return is_hash_of(passphrase, record)
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable(safe) from error


def _record(safe: Safekeeping) -> tuple[dict[str, Any], str]:
    """Return the stored hash, and the text that it was read from; ApprovalError."""
    try:
        text = safe.read(KeptRecord.PASSPHRASE) or ""
        record = json.loads(text)
    except (OSError, ValueError) as error:
        raise _unreadable(safe) from error
    if not isinstance(record, dict):
        raise _unreadable(safe)
    return record, text


def _unreadable(safe: Safekeeping) -> ApprovalError:
    return ApprovalError(
        f"{safe.title(KeptRecord.PASSPHRASE)} cannot be read as a passphrase's hash.",
        next_step="Remove it and choose a passphrase again: sequences-mcp review set-passphrase.",
    )


PROOF_VERSION = 2  # version 1 used PBKDF2; a verifier of it is ignored
SALT, KEY = 16, 32
CLIENT_KEY = b"Client Key"
_BLANKS = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Derivation:
    """How a key is derived from a passphrase: scrypt (RFC 7914) with these parameters.

    N=2^16, r=8, p=1 takes 64 MiB and about a quarter of a second, a second in a browser; above the minimum of
    OWASP's "Password Storage Cheat Sheet". They are stored, so that they can rise later.
    """

    salt: bytes
    n: int = 2**16
    r: int = 8
    p: int = 1

    @classmethod
    def new(cls) -> Derivation:
        """Return the present parameters with a new random salt."""
        return cls(secrets.token_bytes(SALT))

    @classmethod
    def parse(cls, record: Mapping[str, Any]) -> Derivation:
        """Return the derivation of a stored record; ValueError, KeyError or TypeError for a malformed one."""
        return cls(bytes.fromhex(record["salt"]), *(int(record[name]) for name in ("n", "r", "p")))

    @property
    def record(self) -> dict[str, str | int]:
        """The record that ``parse`` takes."""
        return {"salt": self.salt.hex(), "n": self.n, "r": self.r, "p": self.p}

    @property
    def words(self) -> str:
        """The form that the panel reads: ``scrypt:N:r:p:salt``, the salt in hexadecimal."""
        return f"scrypt:{self.n}:{self.r}:{self.p}:{self.salt.hex()}"

    def key(self, passphrase: str) -> bytes:
        """Return the key of a passphrase, stripped of blanks and in Unicode form NFC."""
        return self.key_of(unicodedata.normalize("NFC", passphrase.strip(_BLANKS)))

    def key_of(self, text: str) -> bytes:
        """Return the key of a text as it is."""
        # OpenSSL refuses to use more than ``maxmem``: scrypt needs 128 * N * r bytes, here doubled, plus a margin.
        typed, memory = text.encode("utf-8", "replace"), 2**20 + 256 * self.n * self.r
        return hashlib.scrypt(typed, salt=self.salt, n=self.n, r=self.r, p=self.p, maxmem=memory, dklen=KEY)


@dataclass(frozen=True, slots=True)
class Verifier:
    """What a proof is verified with: ``key`` is RFC 5802's StoredKey, ``passphrase_id`` that of its passphrase."""

    salt: bytes
    key: bytes
    passphrase_id: str


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof as received, with the salt and StoredKey of the next one."""

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


def keep_verifier(safe: Safekeeping, key: bytes, *, passphrase_id: str) -> None:
    """Store a verifier made from the key that was derived of the passphrase."""
    salt = secrets.token_bytes(SALT)
    safe.write(KeptRecord.PROOF, _proof_record(Verifier(salt, stored_key(client_key(key, salt)), passphrase_id)))


def stored(safe: Safekeeping, *, passphrase_id: str) -> Verifier | None:
    """Return the stored verifier; None where there is none, or it is of another passphrase or version."""
    return _stored(safe, passphrase_id=passphrase_id)[0]


def _stored(safe: Safekeeping, *, passphrase_id: str) -> tuple[Verifier | None, str]:
    try:
        text = safe.read(KeptRecord.PROOF) or ""
        known = json.loads(text)
        salt, key = bytes.fromhex(known["salt"]), bytes.fromhex(known["key"])
        verifier, version = Verifier(salt, key, str(known["mark"])), known["version"]
    except (OSError, ValueError, KeyError, TypeError):
        return None, ""
    is_its = version == PROOF_VERSION and hmac.compare_digest(verifier.passphrase_id, passphrase_id)
    return (verifier if is_its else None), text


def accept_proof(safe: Safekeeping, given: Proof, verifier: Verifier, *, bound_to: Iterable[str]) -> bool:
    """Say whether a proof is right for the values it is ``bound_to``; a right one replaces the stored verifier.

    Of two proofs for one verifier, on whichever hosts, one is accepted.
    """
    signed = message(given, bound_to)
    signature = hmac.digest(verifier.key, signed, "sha256")
    # RFC 5802, section 3: ClientProof is ClientKey XOR ClientSignature, so this gives the ClientKey back.
    key = bytes(mask ^ other for mask, other in zip(given.proof, signature, strict=True))
    if not hmac.compare_digest(stored_key(key), verifier.key):
        return False
    known, before = _stored(safe, passphrase_id=verifier.passphrase_id)
    following = Verifier(given.next_salt, given.next_key, verifier.passphrase_id)
    return known == verifier and safe.swap(KeptRecord.PROOF, before, _proof_record(following))


def message(given: Proof, bound_to: Iterable[str]) -> bytes:
    """Return the bytes that a proof signs: the nonce, what is decided, and the salt and key of the next proof."""
    parts = (given.nonce, *bound_to, given.next_salt.hex(), given.next_key.hex())
    return "\n".join(parts).encode("utf-8", "replace")


def client_key(key: bytes, salt: bytes) -> bytes:
    """Return RFC 5802's ClientKey for one salt; it is transmitted only XORed with the signature."""
    return hmac.digest(key, CLIENT_KEY + salt, "sha256")


def stored_key(key: bytes) -> bytes:
    """Return RFC 5802's StoredKey."""
    return hashlib.sha256(key).digest()


def _proof_record(verifier: Verifier) -> str:
    return json.dumps(
        {
            "version": PROOF_VERSION,
            "salt": verifier.salt.hex(),
            "key": verifier.key.hex(),
            "mark": verifier.passphrase_id,
        }
    )
