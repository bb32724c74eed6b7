"""The passphrase that only the person knows; the file holds a slow hash of it.

scrypt with N=2^16, r=8, p=1 (64 MiB, about a quarter of a second), above the minimum of OWASP's "Password
Storage Cheat Sheet"; the parameters stand in the file, so that they can rise later.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sequences_mcp.errors import ApprovalError, InvalidArgumentsError
from sequences_mcp.review import proof
from sequences_mcp.review.private import write_private

FILE_NAME = "passphrase.json"
LEAST = 8
_COST = {"n": 2**16, "r": 8, "p": 1}


def is_set(data_dir: Path) -> bool:
    """Say whether a passphrase has been set."""
    return (data_dir / FILE_NAME).is_file()


def set_passphrase(data_dir: Path, new: str, *, old: str | None = None) -> None:
    """Store a new passphrase; the old one must be right where one is set.

    Raises InvalidArgumentsError for fewer than eight characters, ApprovalError for a wrong old one.
    """
    if is_set(data_dir):
        check(data_dir, old or "")
    if len(new.strip()) < LEAST:
        raise InvalidArgumentsError(
            f"A passphrase has {LEAST} characters or more.", next_step="Choose a longer one."
        )
    # A database that is new beside a passphrase of an earlier one is held for a person (engine.store.lineage).
    record = {**hashed(new), "database": (data_dir / "sequences.db").exists()}
    write_private(data_dir / FILE_NAME, json.dumps(record))
    proof.keep(data_dir, new, mark=mark(data_dir))


def mark(data_dir: Path) -> str:
    """Return what tells one setting of a passphrase from another, or an empty string where none is set."""
    try:
        return hashlib.sha256((data_dir / FILE_NAME).read_bytes()).hexdigest()
    except OSError:
        return ""


def verifier(data_dir: Path) -> proof.Verifier | None:
    """Return what a proof of the passphrase is held against; None where it was chosen before there were proofs."""
    return proof.stored(data_dir, mark=mark(data_dir))


def check(data_dir: Path, passphrase: str) -> None:
    """Return when the passphrase is right; ApprovalError when it is wrong or none has been set."""
    if not is_set(data_dir):
        raise ApprovalError(
            "No passphrase has been set.", next_step="Set one first: sequences-mcp review set-passphrase."
        )
    if not _fits(data_dir / FILE_NAME, passphrase):
        raise ApprovalError("The passphrase is wrong.", next_step="Try again; nothing was approved.")


def hashed(secret: str) -> dict[str, str | int]:
    """Return a slow hash of a secret, with all it takes to compare another one with it."""
    salt = secrets.token_bytes(16)
    return {"salt": salt.hex(), "hash": _slow_hash(secret, salt, _COST).hex(), **_COST}


def is_hash_of(secret: str, record: Mapping[str, Any]) -> bool:
    """Say whether a slow hash is this secret's; ValueError, KeyError or TypeError for what is no such hash."""
    cost = {name: int(record[name]) for name in _COST}
    found = _slow_hash(secret, bytes.fromhex(record["salt"]), cost)
    return hmac.compare_digest(found, bytes.fromhex(record["hash"]))


def _fits(path: Path, passphrase: str) -> bool:
    try:
        return is_hash_of(passphrase, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ApprovalError(
            f"{path} cannot be read as a passphrase's hash.",
            next_step="Remove it and choose a passphrase again: sequences-mcp review set-passphrase.",
        ) from error


def _slow_hash(passphrase: str, salt: bytes, cost: dict[str, int]) -> bytes:
    memory = 256 * cost["n"] * cost["r"]
    return hashlib.scrypt(passphrase.strip().encode(), salt=salt, maxmem=memory, dklen=32, **cost)
