"""The passphrase that only the person knows, and its proof inside a chat."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import sys
import unicodedata
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sequences_mcp.errors import ApprovalError, InvalidArgumentsError


def write_private(path: Path, text: str) -> None:
    """Write a file whole or not at all, readable by its owner alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


@contextmanager
def exclusively(path: Path) -> Iterator[None]:
    """Keep other processes from changing a file meanwhile; for what takes a moment."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as file:  # closing it gives the lock up
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


PASSPHRASE_FILE = "passphrase.json"  # noqa: S105 - the name of a file
PASSPHRASE_VERSION = 2
LEAST = 8
_CHECK = b"check"


def is_set(data_dir: Path) -> bool:
    """Say whether a passphrase has been set."""
    return (data_dir / PASSPHRASE_FILE).is_file()


def set_passphrase(data_dir: Path, new: str, *, old: str | None = None) -> None:
    """Store a new passphrase; the old one must be right where one is set.

    Raises InvalidArgumentsError for fewer than eight characters, ApprovalError for a wrong old one.
    """
    if is_set(data_dir):
        check_passphrase(data_dir, old or "")
    if len(new.strip()) < LEAST:
        raise InvalidArgumentsError(
            f"A passphrase has {LEAST} characters or more.", next_step="Choose a longer one."
        )
    # A database that is new beside a passphrase of an earlier one is held for a person (engine.store.lineage).
    with exclusively(data_dir / PASSPHRASE_FILE):
        _keep(data_dir, new, {"database": (data_dir / "sequences.db").exists()})


def passphrase_mark(data_dir: Path) -> str:
    """Return what tells one setting of a passphrase from another, or an empty string where none is set.

    A file that was only written anew, for the same passphrase, keeps the mark that it had.
    """
    try:
        text = (data_dir / PASSPHRASE_FILE).read_bytes()
    except OSError:
        return ""
    with suppress(ValueError, AttributeError):
        if kept := json.loads(text).get("mark"):
            return str(kept)
    return hashlib.sha256(text).hexdigest()


def verifier(data_dir: Path) -> tuple[Verifier, Derivation] | None:
    """Return what a proof of the passphrase is held against, and how its key is derived; None for an old file."""
    found = stored(data_dir, mark=passphrase_mark(data_dir))
    try:
        record = _record(data_dir / PASSPHRASE_FILE)
        return None if found is None or _is_old(record) else (found, Derivation.parse(record))
    except (ApprovalError, ValueError, KeyError, TypeError):
        return None


def check_passphrase(data_dir: Path, passphrase: str) -> None:
    """Return when the passphrase is right; ApprovalError when it is wrong or none has been set.

    A right one brings a file of an earlier version, and what proofs are held against, to the present version.
    """
    if not is_set(data_dir):
        raise ApprovalError(
            "No passphrase has been set.", next_step="Set one first: sequences-mcp review set-passphrase."
        )
    path = data_dir / PASSPHRASE_FILE
    if not _fits(_record(path), passphrase, path):
        raise ApprovalError("The passphrase is wrong.", next_step="Try again; nothing was approved.")
    if _is_old(_record(path)):
        with suppress(OSError), exclusively(path):  # it is right all the same where nothing can be written now
            record = _record(path)
            if _is_old(record) and _fits(record, passphrase, path):
                _keep(
                    data_dir,
                    passphrase,
                    {"database": record.get("database", True), "mark": passphrase_mark(data_dir)},
                )


def hashed_passphrase(secret: str) -> dict[str, str | int]:
    """Return what a secret can be checked with."""
    return _hashed(secret)[0]


def is_hash_of(secret: str, record: Mapping[str, Any]) -> bool:
    """Say whether a record is this secret's; ValueError, KeyError or TypeError for what is no such record."""
    if _is_old(record):
        return hmac.compare_digest(Derivation.parse(record).key_of(secret.strip()), bytes.fromhex(record["hash"]))
    return hmac.compare_digest(_check(Derivation.parse(record).key(secret)), str(record["check"]))


def _is_old(record: Mapping[str, Any]) -> bool:
    return record.get("version") != PASSPHRASE_VERSION


def _hashed(secret: str) -> tuple[dict[str, str | int], bytes]:
    how = Derivation.new()
    key = how.key(secret)
    return {"version": PASSPHRASE_VERSION, **how.record, "check": _check(key)}, key


def _keep(data_dir: Path, passphrase: str, facts: Mapping[str, object]) -> None:
    record, key = _hashed(passphrase)
    write_private(data_dir / PASSPHRASE_FILE, json.dumps({**record, **facts}))
    keep_verifier(data_dir, key, mark=passphrase_mark(data_dir))


def _check(key: bytes) -> str:
    return hashlib.sha256(hmac.digest(key, _CHECK, "sha256")).hexdigest()


def _fits(record: Mapping[str, Any], passphrase: str, path: Path) -> bool:
    try:
        return is_hash_of(passphrase, record)
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable(path) from error


def _record(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable(path) from error
    if not isinstance(found, dict):
        raise _unreadable(path)
    return found


def _unreadable(path: Path) -> ApprovalError:
    return ApprovalError(
        f"{path} cannot be read as a passphrase's hash.",
        next_step="Remove it and choose a passphrase again: sequences-mcp review set-passphrase.",
    )


PROOF_FILE = "proof.json"
PROOF_VERSION = 2  # 1 was hashed with PBKDF2, beside the scrypt of the other file; it counts for nothing
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


def keep_verifier(data_dir: Path, key: bytes, *, mark: str) -> None:
    """Store what a proof of the passphrase is held against, from the key that was derived of it."""
    salt = secrets.token_bytes(SALT)
    _store(data_dir, Verifier(salt, stored_key(client_key(key, salt)), mark))


def stored(data_dir: Path, *, mark: str) -> Verifier | None:
    """Return what a proof is held against; None where there is none, or one of another passphrase or version."""
    try:
        known = json.loads((data_dir / PROOF_FILE).read_text(encoding="utf-8"))
        salt, key = bytes.fromhex(known["salt"]), bytes.fromhex(known["key"])
        found, version = Verifier(salt, key, str(known["mark"])), known["version"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if version == PROOF_VERSION and hmac.compare_digest(found.mark, mark) else None


def accept_proof(data_dir: Path, given: Proof, verifier: Verifier, *, bound_to: Iterable[str]) -> bool:
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
    facts = {
        "version": PROOF_VERSION,
        "salt": verifier.salt.hex(),
        "key": verifier.key.hex(),
        "mark": verifier.mark,
    }
    write_private(data_dir / PROOF_FILE, json.dumps(facts))
