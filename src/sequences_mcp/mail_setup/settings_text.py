"""A mailbox's table in settings.toml, written so that everything else of the file stays as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sequences_mcp.errors import SettingsError
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.private_files import write_private

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

# What says how a mailbox signs in: connecting it anew replaces all of them.
SIGN_IN = (
    "password",
    "imap_password",
    "oauth",
    "oauth_client_id",
    "oauth_client_secret",
    "oauth_tenant",
    "oauth_authority",
)
_CORRECT = "Correct it; nothing was changed."


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChange:
    """A file as it was and as it would be, and the lines of the mailbox's table to show."""

    path: Path
    before: str | None
    after: str
    table: str

    def write(self, *, now: datetime) -> Path | None:
        """Write the file, and what it was beside it; return the path of that copy, None where there was no file.

        The file is replaced at once, so that whoever reads it has the one or the other. OSError.
        """
        path = self.path.resolve()  # a link stays one
        if self.before is None:
            write_private(path, self.after)
            return None
        mode = path.stat().st_mode
        copy = path.with_name(f"{path.name}.{now:%Y%m%dT%H%M%S%f}.bak")
        write_private(copy, self.before)
        write_private(path, self.after)
        path.chmod(mode)
        return copy

    def undo(self, copy: Path | None) -> None:
        """Put back what was there before, as far as anything was written."""
        path = self.path.resolve()
        if self.before is None:
            path.unlink(missing_ok=True)
        elif copy is not None:
            mode = path.stat().st_mode
            copy.replace(path)
            path.chmod(mode)


def table_name(address: str, *, taken: Mapping[str, str]) -> str:
    """Return the name of the table for an address; ``taken`` has the addresses of the tables there are, by name.

    The table that has the address is its own.
    """
    for name, other in taken.items():
        if other.casefold() == address.casefold():
            return name
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", address.partition("@")[0]).strip("-").lower()[:40] or "mailbox"
    names = (plain, *(f"{plain}-{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)


def tables_of(path: Path) -> dict[str, str]:
    """Return the addresses of the mailboxes that a file has, by the names of their tables; SettingsError."""
    mailboxes = _document(_text(path), path).unwrap().get("mailboxes", {})
    tables = mailboxes.items() if isinstance(mailboxes, dict) else ()
    return {str(name): str(table.get("address", "")) for name, table in tables if isinstance(table, dict)}


def with_mailbox(
    path: Path,
    name: str,
    values: Mapping[str, Any],
    *,
    is_default: bool = False,
    of_folder: Mapping[str, Any] | None = None,
) -> SettingsChange:
    """Return the file with this mailbox in it; SettingsError where it cannot be read.

    ``values`` replace keys of the table that is there, and what it said of signing in; the others stay. The first
    mailbox is the default one, and stays it unless ``is_default`` says that this one is. ``of_folder`` are keys of
    the first level, which hold for the whole folder.
    """
    import tomlkit

    before = _text(path)
    document = _document(before, path)
    if "mailboxes" not in document:
        document["mailboxes"] = tomlkit.table(is_super_table=True)
    mailboxes: Any = document["mailboxes"]
    others = [str(other) for other in mailboxes if other != name]
    is_new = name not in mailboxes
    if is_new:
        mailboxes[name] = tomlkit.table()
    table: Any = mailboxes[name]
    for key in SIGN_IN:
        if key in table and key not in values:
            del table[key]
    for key, value in values.items():
        table[key] = _inline(value) if isinstance(value, Mapping) else value
    if is_new:
        table.add(tomlkit.nl())
    if is_default or (others and "default_mailbox" not in document):
        document["default_mailbox"] = name if is_default else others[0]
    first = _put_first(document, of_folder or {})
    lines = "".join(f"{key} = {item.as_string()}\n" for key, item in table.items())
    shown = f"{first}[mailboxes.{name}]\n{lines}"
    return SettingsChange(path=path, before=before, after=tomlkit.dumps(document), table=shown)


def with_keys(path: Path, values: Mapping[str, Any], *, without: Iterable[str] = ()) -> SettingsChange:
    """Return the file with these keys of the first level in it, and not those ``without``; SettingsError."""
    import tomlkit

    before = _text(path)
    document = _document(before, path)
    for key in without:
        document.pop(key, None)
    shown = _put_first(
        document, {key: _inline(value) if isinstance(value, Mapping) else value for key, value in values.items()}
    )
    return SettingsChange(path=path, before=before, after=tomlkit.dumps(document), table=shown)


def _put_first(document: TOMLDocument, values: Mapping[str, Any]) -> str:
    """Put keys of the first level into a document, before its tables; return them as they are written."""
    for key, value in values.items():
        document[key] = value
    return "".join(f"{key} = {document[key].as_string()}\n" for key in values)


def _inline(value: Mapping[str, Any]) -> Any:
    import tomlkit

    inline = tomlkit.inline_table()
    inline.update(value)
    return inline


def _text(path: Path) -> str | None:
    """Return the text of the file, None where there is none."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise SettingsError(f"{path} cannot be read: {why}.", next_step=_CORRECT) from error


def _document(text: str | None, path: Path) -> TOMLDocument:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        return tomlkit.parse((text or "").removeprefix("\ufeff"))
    except TOMLKitError as error:
        raise SettingsError(f"{path} is not TOML: {error}.", next_step=_CORRECT) from error
