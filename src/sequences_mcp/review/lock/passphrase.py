"""The passphrase that only the person knows: how it is stored and checked, and how a chat's panel proves it.

``passphrase.json`` has the salted scrypt hash against which a typed passphrase is checked. ``proof.json`` has the
verifier of a SCRAM exchange (RFC 5802) with scrypt in place of PBKDF2, so that the panel proves the passphrase
without sending it. Each proof brings the salt and key of the next one.
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.errors import ApprovalError, InvalidArgumentsError
from sequences_mcp.private_files import exclusively, write_private

PASSPHRASE_VERSION = 2
LEAST = 8
_CHECK = b"check"


def is_set(workspace: Workspace) -> bool:
    """Say whether a passphrase has been set."""
    return workspace.passphrase.is_file()


def set_passphrase(workspace: Workspace, new: str, *, old: str | None = None) -> None:
    """Store a new passphrase; the old one must be right where one is set.

    Raises InvalidArgumentsError for fewer than eight characters, ApprovalError for a wrong old one.
    """
    if is_set(workspace):
        check_passphrase(workspace, old or "")
    if len(new.strip()) < LEAST:
        raise InvalidArgumentsError(
            f"A passphrase has {LEAST} characters or more.", next_step="Choose a longer one."
        )
    # Whether a database existed: a new one beside the passphrase of an earlier one waits for a person
    # (store.lineage).
    with exclusively(workspace.passphrase):
        if old is None and is_set(workspace):
            raise ApprovalError("A passphrase was set meanwhile.", next_step="Use that one, or change it with it.")
        _keep(workspace, new, {"database": workspace.database.exists()})


def passphrase_id(workspace: Workspace) -> str:
    """Return an id that changes when another passphrase is set, or an empty string where none is set.

    It is stored as ``mark`` when the file is rewritten for the same passphrase, and is the file's hash otherwise.
    """
    try:
        text = workspace.passphrase.read_bytes()
    except OSError:
        return ""
    with suppress(ValueError, AttributeError):
        if stored_id := json.loads(text).get("mark"):
            return str(stored_id)
    return hashlib.sha256(text).hexdigest()


def verifier(workspace: Workspace) -> tuple[Verifier, Derivation] | None:
    """Return what a proof is verified with and how its key is derived; None for a file of an earlier version."""
    known = stored(workspace, passphrase_id=passphrase_id(workspace))
    try:
        record = _record(workspace.passphrase)
        return None if known is None or _is_old(record) else (known, Derivation.parse(record))
    except (ApprovalError, ValueError, KeyError, TypeError):
        return None


def check_passphrase(workspace: Workspace, passphrase: str) -> None:
    """Return when the passphrase is right; ApprovalError when it is wrong or none has been set.

    A right one also upgrades a file of an earlier version, and the verifier of proofs with it.
    """
    if not is_set(workspace):
        raise ApprovalError(
            "No passphrase has been set.", next_step="Set one first: sequences-mcp review set-passphrase."
        )
    path = workspace.passphrase
    if not _fits(_record(path), passphrase, path):
        raise ApprovalError("The passphrase is wrong.", next_step="Try again; nothing was approved.")
    if _is_old(_record(path)):
        with (
            suppress(OSError),
            exclusively(path),
        ):  # the check has succeeded even where the upgrade cannot be written
            record = _record(path)
            if _is_old(record) and _fits(record, passphrase, path):
                _keep(
                    workspace,
                    passphrase,
                    {"database": record.get("database", True), "mark": passphrase_id(workspace)},
                )


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


def _keep(workspace: Workspace, passphrase: str, facts: Mapping[str, object]) -> None:
    record, key = _hashed(passphrase, Derivation.new())
    write_private(workspace.passphrase, json.dumps({**record, **facts}))
    keep_verifier(workspace, key, passphrase_id=passphrase_id(workspace))


def _check(key: bytes) -> str:
    return hashlib.sha256(hmac.digest(key, _CHECK, "sha256")).hexdigest()


def _fits(record: Mapping[str, Any], passphrase: str, path: Path) -> bool:
    try:
        return is_hash_of(passphrase, record)
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable(path) from error


def _record(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable(path) from error
    if not isinstance(record, dict):
        raise _unreadable(path)
    return record


def _unreadable(path: Path) -> ApprovalError:
    return ApprovalError(
        f"{path} cannot be read as a passphrase's hash.",
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


def keep_verifier(workspace: Workspace, key: bytes, *, passphrase_id: str) -> None:
    """Store a verifier made from the key that was derived of the passphrase."""
    salt = secrets.token_bytes(SALT)
    _store(workspace, Verifier(salt, stored_key(client_key(key, salt)), passphrase_id))


def stored(workspace: Workspace, *, passphrase_id: str) -> Verifier | None:
    """Return the stored verifier; None where there is none, or it is of another passphrase or version."""
    try:
        known = json.loads(workspace.proof.read_text(encoding="utf-8"))
        salt, key = bytes.fromhex(known["salt"]), bytes.fromhex(known["key"])
        verifier, version = Verifier(salt, key, str(known["mark"])), known["version"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return (
        verifier
        if version == PROOF_VERSION and hmac.compare_digest(verifier.passphrase_id, passphrase_id)
        else None
    )


def accept_proof(workspace: Workspace, given: Proof, verifier: Verifier, *, bound_to: Iterable[str]) -> bool:
    """Say whether a proof is right for the values it is ``bound_to``; a right one replaces the stored verifier."""
    signed = message(given, bound_to)
    signature = hmac.digest(verifier.key, signed, "sha256")
    # RFC 5802, section 3: ClientProof is ClientKey XOR ClientSignature, so this gives the ClientKey back.
    key = bytes(mask ^ other for mask, other in zip(given.proof, signature, strict=True))
    if not hmac.compare_digest(stored_key(key), verifier.key):
        return False
    _store(workspace, Verifier(given.next_salt, given.next_key, verifier.passphrase_id))
    return True


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


def _store(workspace: Workspace, verifier: Verifier) -> None:
    facts = {
        "version": PROOF_VERSION,
        "salt": verifier.salt.hex(),
        "key": verifier.key.hex(),
        "mark": verifier.passphrase_id,
    }
    write_private(workspace.proof, json.dumps(facts))
