"""The passphrase that only the person knows; the file holds a hash of the slow key that is derived of it.

There is one derivation (``proof.Derivation``), used here and by the panel of a chat. A file of an earlier version
holds the slow hash itself: it still lets its passphrase in, and is written anew when that is typed the next time.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sequences_mcp.errors import ApprovalError, InvalidArgumentsError
from sequences_mcp.review import proof
from sequences_mcp.review.private import exclusively, write_private
from sequences_mcp.review.proof import Derivation

FILE_NAME = "passphrase.json"
VERSION = 2
LEAST = 8
_CHECK = b"check"


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
    with exclusively(data_dir / FILE_NAME):
        _keep(data_dir, new, {"database": (data_dir / "sequences.db").exists()})


def mark(data_dir: Path) -> str:
    """Return what tells one setting of a passphrase from another, or an empty string where none is set.

    A file that was only written anew, for the same passphrase, keeps the mark that it had.
    """
    try:
        text = (data_dir / FILE_NAME).read_bytes()
    except OSError:
        return ""
    with suppress(ValueError, AttributeError):
        if kept := json.loads(text).get("mark"):
            return str(kept)
    return hashlib.sha256(text).hexdigest()


def verifier(data_dir: Path) -> tuple[proof.Verifier, Derivation] | None:
    """Return what a proof of the passphrase is held against, and how its key is derived; None for an old file."""
    found = proof.stored(data_dir, mark=mark(data_dir))
    try:
        record = _record(data_dir / FILE_NAME)
        return None if found is None or _is_old(record) else (found, Derivation.parse(record))
    except (ApprovalError, ValueError, KeyError, TypeError):
        return None


def check(data_dir: Path, passphrase: str) -> None:
    """Return when the passphrase is right; ApprovalError when it is wrong or none has been set.

    A right one brings a file of an earlier version, and what proofs are held against, to the present version.
    """
    if not is_set(data_dir):
        raise ApprovalError(
            "No passphrase has been set.", next_step="Set one first: sequences-mcp review set-passphrase."
        )
    path = data_dir / FILE_NAME
    if not _fits(_record(path), passphrase, path):
        raise ApprovalError("The passphrase is wrong.", next_step="Try again; nothing was approved.")
    if _is_old(_record(path)):
        with suppress(OSError), exclusively(path):  # it is right all the same where nothing can be written now
            record = _record(path)
            if _is_old(record) and _fits(record, passphrase, path):
                _keep(data_dir, passphrase, {"database": record.get("database", True), "mark": mark(data_dir)})


def hashed(secret: str) -> dict[str, str | int]:
    """Return what a secret can be checked with."""
    return _hashed(secret)[0]


def is_hash_of(secret: str, record: Mapping[str, Any]) -> bool:
    """Say whether a record is this secret's; ValueError, KeyError or TypeError for what is no such record."""
    if _is_old(record):
        return hmac.compare_digest(Derivation.parse(record).key_of(secret.strip()), bytes.fromhex(record["hash"]))
    return hmac.compare_digest(_check(Derivation.parse(record).key(secret)), str(record["check"]))


def _is_old(record: Mapping[str, Any]) -> bool:
    return record.get("version") != VERSION


def _hashed(secret: str) -> tuple[dict[str, str | int], bytes]:
    how = Derivation.new()
    key = how.key(secret)
    return {"version": VERSION, **how.record, "check": _check(key)}, key


def _keep(data_dir: Path, passphrase: str, facts: Mapping[str, object]) -> None:
    record, key = _hashed(passphrase)
    write_private(data_dir / FILE_NAME, json.dumps({**record, **facts}))
    proof.keep(data_dir, key, mark=mark(data_dir))


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
