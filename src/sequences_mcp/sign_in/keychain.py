"""Secrets that this program keeps itself: in the system's keychain or, where there is none, in a private file."""

from __future__ import annotations

import secrets
import sys
from contextlib import suppress
from pathlib import Path

from sequences_mcp.domain.sender import Secret
from sequences_mcp.private_files import write_private

SERVICE = "sequences-mcp"  # under which the system's keychain has our entries
KEYCHAIN, FILE = "keychain", "file"
_WINDOWS_TAKES = 1_200  # letters of one entry: 2,560 bytes of UTF-16


def keep(entry: str, text: str, *, folder: Path, in_file: bool = False) -> str:
    """Keep a secret and return where: ``keychain``, or ``file`` where there is none or ``in_file`` asks for it."""
    if not in_file and _in_keychain(entry, text):
        return KEYCHAIN
    write_private(folder / entry_file(entry), text)
    return FILE


def is_there() -> bool:
    """Say whether the system has a keychain that takes an entry and gives it back."""
    probe = f"check.{secrets.token_hex(4)}"
    if not _in_keychain(probe, "check"):
        return False
    forget(KEYCHAIN, probe, folder=Path())
    return True


def read(kept_in: str, entry: str, *, folder: Path) -> Secret | None:
    """Return a secret that was kept, or None where it is gone; OSError where its place cannot be asked."""
    if kept_in != KEYCHAIN:
        try:
            return Secret((folder / entry_file(entry)).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
    import keyring
    from keyring.errors import KeyringError

    try:
        text = keyring.get_password(SERVICE, entry)
    except KeyringError as error:
        raise OSError(f"the system's keychain cannot be asked ({type(error).__name__})") from error
    return Secret(text) if text else None


def forget(kept_in: str, entry: str, *, folder: Path) -> None:
    """Remove a secret, if it is there."""
    if kept_in != KEYCHAIN:
        with suppress(OSError):
            (folder / entry_file(entry)).unlink()
        return
    import keyring
    from keyring.errors import KeyringError

    with suppress(KeyringError, OSError):
        keyring.delete_password(SERVICE, entry)


def entry_file(entry: str) -> str:
    """Return the name of the file that an entry is kept in where there is no keychain."""
    return f"{''.join(letter if letter.isalnum() or letter in '._-' else '_' for letter in entry)}.secret"


def _in_keychain(entry: str, text: str) -> bool:
    """Say whether the keychain took a secret and gives it back."""
    if sys.platform == "win32" and len(text) > _WINDOWS_TAKES:
        return False
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return False
    try:
        keyring.set_password(SERVICE, entry, text)
        return bool(keyring.get_password(SERVICE, entry) == text)
    except (KeyringError, OSError):
        return False
