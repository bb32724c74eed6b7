"""What would change in a client's file, how it is written with a copy of before, and how it is taken out again.

``clients.json`` in the data folder remembers what was written where, so that taking it out leaves a file that
nobody changed meanwhile byte for byte as it was before. It holds no text of those files.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import tempfile
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from sequences_mcp.client_setup import clients, json_text
from sequences_mcp.client_setup.clients import CLIENTS, ENTRY, ChatProgram, Machine
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.lazy_dataclasses import dataclass, replace
from sequences_mcp.private_files import write_private

LARGEST = 16 * 1024 * 1024  # Claude Code keeps much else in its file
Command = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientChange:
    """A client's file as it is and as it would be; None where there is no file.

    ``block`` is the entry as it stands in an otherwise empty file, ``problem`` why the file is left as it is, in
    words that go on after its path. ``is_other`` says that the entry of that name starts another program now.
    """

    client: ChatProgram
    path: Path
    block: str
    before: str | None = None
    after: str | None = None
    problem: str = ""
    is_other: bool = False

    @property
    def is_change(self) -> bool:
        """Whether there is anything to write."""
        return not self.problem and self.before != self.after

    @property
    def state(self) -> str:
        """Return how the file stands to what was asked, in one word."""
        if self.problem:
            return "refused"
        if not self.is_change:
            return "unchanged"
        return "created" if self.before is None else "removed" if self.after is None else "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenRecord:
    """What was written into one file: its hash afterwards, the copy of before, and what was made for the entry."""

    client: str
    digest: str
    copy: str = ""
    made: str = "entry"  # or "key", when the object around it was missing, or "file"


@dataclass(frozen=True, slots=True)
class WrittenChange:
    """A change after it was tried, with the copy of before, where one was made, or else with its problem."""

    change: ClientChange
    copy: Path | None = None


def planned_entries(
    machine: Machine, command: Command, *, data_dir: str = "", names: Collection[str] = ("all",)
) -> list[ClientChange]:
    """Return what putting this server into clients' files would change: of those named, or of ``all`` here."""
    pairs = (
        list(clients.clients_here(machine))
        if "all" in names
        else [(CLIENTS[name], CLIENTS[name].places(machine)[0]) for name in names]
    )
    return [planned_entry(client, path, command, data_dir=data_dir) for client, path in pairs]


def write_changes(
    planned: Iterable[ClientChange], *, now: datetime, workspace: Workspace
) -> Iterator[WrittenChange]:
    """Write each of these changes; one that cannot be written has its problem, and its file stays as it is."""
    for change in planned:
        try:
            yield WrittenChange(change, write_change(change, now=now, workspace=workspace))
        except (OSError, ValueError) as error:
            yield WrittenChange(replace(change, problem=str(getattr(error, "strerror", None) or error)))


def planned_entry(
    client: ChatProgram, path: Path, command: tuple[str, ...], *, data_dir: str = ""
) -> ClientChange:
    """Return what putting this server into a client's file would change."""
    entry = client.entry(command, data_dir=data_dir)
    change = ClientChange(client=client, path=path, block=_block(client, entry))
    try:
        before, content = _read(path, client)
        present = _present(content, client)
        other = present is not None and not clients.starts_this_server(present)
        change = replace(change, before=before, is_other=other)
        if present == entry:
            return replace(change, after=before)
        after = _with_entry(before, client, entry)
        _require_only(client, before=content, after=after, entry=entry)
        return replace(change, after=after, problem=_unwritable(path))
    except ValueError as error:
        return replace(change, problem=str(error))


def planned_removal(client: ChatProgram, path: Path, *, memory: Mapping[str, WrittenRecord]) -> ClientChange:
    """Return what taking this server out of a client's file would change.

    An entry of that name that starts another program stays; so does everything that others wrote.
    """
    change = ClientChange(client=client, path=path, block="")
    try:
        before, content = _read(path, client)
        present = _present(content, client)
        change = replace(change, before=before, after=before)
        if before is None or present is None:
            return change
        if not clients.starts_this_server(present):
            return replace(change, is_other=True)
        written = memory.get(str(path))
        is_as_left = written is not None and written.digest == _digest(before)
        is_ours_alone = _others(content, client) == {client.key: {}}
        if written is not None and is_as_left and _knows_before(written, is_ours_alone=is_ours_alone):
            return replace(change, after=_as_before(written), problem=_unwritable(path))
        after = _without_entry(before, client, drops_empty=written is not None and written.made != "entry")
        _require_only(client, before=content, after=after, entry=None)
        return replace(change, after=after, problem=_unwritable(path))
    except ValueError as error:
        return replace(change, problem=str(error))


def write_change(change: ClientChange, *, now: datetime, workspace: Workspace) -> Path | None:
    """Write a planned change and note it in ``workspace``; return the path of the copy of before, if one is made.

    Raises OSError, and ValueError where the file was changed since it was read; then nothing was written.
    """
    before, _ = _read(change.path, change.client)
    if before != change.before:
        raise ValueError(f"{change.path} was changed meanwhile, by {change.client.title} perhaps")
    path, memory = change.path.resolve(), remembered(workspace)
    known = memory.get(str(change.path))
    copy = None
    if change.after is None:
        path.unlink()
    else:
        mode = stat.S_IMODE(path.stat().st_mode) if before is not None else 0o600
        if before is not None and not _puts_back(change, known):
            copy = path.with_name(f"{path.name}.{now:%Y%m%dT%H%M%S%f}.bak")
            _replace(copy, before, mode=mode & 0o600)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _replace(path, change.after, mode=mode)
    _remember(change, known, copy=copy, workspace=workspace, memory=memory)
    return copy


def remembered(workspace: Workspace) -> dict[str, WrittenRecord]:
    """Return what was written, by the paths of the files; nothing where that cannot be read."""
    try:
        rows = json.loads(workspace.clients.read_text(encoding="utf-8"))["files"]
        return {str(path): WrittenRecord(**row) for path, row in rows.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _remember(
    change: ClientChange,
    known: WrittenRecord | None,
    *,
    copy: Path | None,
    workspace: Workspace,
    memory: dict[str, WrittenRecord],
) -> None:
    """Note what was written, or that it was taken out; the copy that it was made from is no longer needed then."""
    has_entry = change.block != ""
    if not has_entry:
        gone = memory.pop(str(change.path), None)
        if gone is not None and gone.copy and _puts_back(change, gone):
            with suppress(OSError):
                Path(gone.copy).unlink(missing_ok=True)
    else:
        # After an update of the entry the earlier copy is no longer what stood before it.
        memory[str(change.path)] = WrittenRecord(
            client=change.client.name,
            digest=_digest(change.after or ""),
            copy=str(copy) if copy and known is None else "",
            made=_made(change, known),
        )
    _keep(memory, workspace)


def _keep(memory: Mapping[str, WrittenRecord], workspace: Workspace) -> None:
    if not memory:
        workspace.clients.unlink(missing_ok=True)
        return
    rows = {
        path: {"client": record.client, "digest": record.digest, "copy": record.copy, "made": record.made}
        for path, record in memory.items()
    }
    write_private(workspace.clients, json.dumps({"files": rows}, indent=2))


def _made(change: ClientChange, known: WrittenRecord | None) -> str:
    """Return what was made for the entry, as ``WrittenRecord.made`` says it.

    A file that was changed since it was made holds what others wrote: it is not to be deleted with the entry.
    """
    if change.before is None:
        return "file"
    if known is not None and known.digest == _digest(change.before):
        return known.made
    content = _content(change.before, change.client) if change.before.strip("\ufeff \t\r\n") else {}
    had_key = change.client.key in content and (known is None or known.made != "key")
    return "entry" if had_key else "key"


def _knows_before(written: WrittenRecord, *, is_ours_alone: bool = True) -> bool:
    """Whether it is known what stood there before: no file only where the one there holds nothing of others."""
    if written.made == "file":
        return is_ours_alone
    return bool(written.copy and Path(written.copy).is_file())


def _as_before(written: WrittenRecord) -> str | None:
    """Return the text that stood in the file before, None where there was no file; ValueError."""
    if written.made == "file":
        return None
    try:
        with Path(written.copy).open(encoding="utf-8", newline="") as file:
            return file.read()
    except OSError as error:
        raise ValueError(f"the copy of before cannot be read: {error.strerror or error}") from error


def _puts_back(change: ClientChange, written: WrittenRecord | None) -> bool:
    """Whether a change makes the file again what the copy has."""
    return written is not None and _knows_before(written) and change.after == _as_before(written)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _read(path: Path, client: ChatProgram) -> tuple[str | None, dict[str, Any]]:
    """Return the text of a file, None where there is none, and what it says; ValueError."""
    try:
        if path.is_symlink() and not path.exists() and not path.resolve().parent.is_dir():
            raise ValueError("it is a link that leads nowhere")
        if path.exists() and not path.is_file():
            raise ValueError("it is no file")
        if path.exists() and path.stat().st_size > LARGEST:
            raise ValueError(f"it is larger than {LARGEST // 1024 // 1024} MiB")
        with path.open(encoding="utf-8", newline="") as file:
            text = file.read()
    except FileNotFoundError:
        return None, {}
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8") from error
    except (OSError, RuntimeError) as error:
        raise ValueError(f"it cannot be read: {getattr(error, 'strerror', None) or error}") from error
    return text, _content(text, client) if text.strip("\ufeff \t\r\n") else {}


def _content(text: str, client: ChatProgram) -> dict[str, Any]:
    if client.form == "toml":
        try:
            return tomllib.loads(text.removeprefix("\ufeff"))
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise ValueError(f"it is not TOML: {error}") from error
    content = json_text.read_json(text, lenient=client.form != "json").content
    if not isinstance(content, dict):
        raise ValueError("it is no JSON object")
    return content


def _present(content: Mapping[str, Any], client: ChatProgram) -> object:
    """Return the entry that stands there, or None; ValueError where the key holds no object."""
    container = content.get(client.key, {})
    if not isinstance(container, dict):
        raise ValueError(f'"{client.key}" in it holds no entries')
    return container.get(ENTRY)


def _block(client: ChatProgram, entry: Mapping[str, Any]) -> str:
    if client.form == "toml":
        return _toml_with("", client.key, entry)
    return json.dumps({client.key: {ENTRY: entry}}, ensure_ascii=False, indent=2) + "\n"


def _with_entry(before: str | None, client: ChatProgram, entry: Mapping[str, Any]) -> str:
    if client.form == "toml":
        return _toml_with(before or "", client.key, entry)
    if before is None or not before.strip("\ufeff \t\r\n"):
        return _block(client, entry)
    return json_text.with_member(before, (client.key, ENTRY), entry, lenient=client.form != "json")


def _without_entry(before: str, client: ChatProgram, *, drops_empty: bool) -> str:
    if client.form != "toml":
        keys = (client.key, ENTRY)
        return json_text.without_member(before, keys, lenient=client.form != "json", drops_empty=drops_empty)
    with _toml(before) as (document, dumped):
        table: Any = document[client.key]
        del table[ENTRY]
        if drops_empty and not table:
            del document[client.key]
        return dumped()


@contextmanager
def _toml(text: str) -> Iterator[tuple[Any, Callable[[], str]]]:
    """Yield a document of TOML, and what writes it with the byte order mark and line ends it had; ValueError."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    mark = "\ufeff" if text.startswith("\ufeff") else ""
    bare = text.removeprefix(mark)
    try:
        document = tomlkit.parse(bare)

        def dumped() -> str:
            made = tomlkit.dumps(document)
            return mark + (re.sub(r"(?<!\r)\n", "\r\n", made) if "\r\n" in bare else made)

        yield document, dumped
    except TOMLKitError as error:
        raise ValueError(f"it cannot be edited: {error}") from error


def _toml_with(text: str, key: str, entry: Mapping[str, Any]) -> str:
    with _toml(text) as (document, dumped):
        _put_table(document, key, entry)
        return dumped()


def _put_table(document: Any, key: str, entry: Mapping[str, Any]) -> None:
    import tomlkit

    if key not in document:
        document[key] = tomlkit.table(is_super_table=True)
    tables: Any = document[key]
    if ENTRY not in tables:
        tables[ENTRY] = tomlkit.table()
    table: Any = tables[ENTRY]
    for name in [name for name in table if name not in entry]:
        del table[name]
    for name, value in entry.items():
        if isinstance(value, Mapping):
            inline = tomlkit.inline_table()
            inline.update(value)
            table[name] = inline
        elif table.get(name) != value:
            table[name] = value


def _require_only(
    client: ChatProgram, *, before: Mapping[str, Any], after: str, entry: Mapping[str, Any] | None
) -> None:
    """Raise ValueError unless the new text says what the old one did, with and without this one entry apart."""
    content = _content(after, client)
    is_right = _present(content, client) == entry
    if not is_right or _others(content, client) != _others(before, client):
        raise ValueError("it is written in a way in which nothing can be put in or taken out safely")


def _others(content: Mapping[str, Any], client: ChatProgram) -> dict[str, Any]:
    container = content.get(client.key) or {}
    rest = {name: value for name, value in content.items() if name != client.key}
    return {**rest, client.key: {name: value for name, value in container.items() if name != ENTRY}}


def _unwritable(path: Path) -> str:
    """Return why a file, or the folder in which it would be made, is not to be written; nothing where it is.

    A file that its owner made read-only is left alone, even where replacing it would succeed.
    """
    target = path.resolve()
    try:
        if target.exists():
            return "" if target.stat().st_mode & stat.S_IWUSR else "it may only be read"
        folder = next(parent for parent in target.parents if parent.exists())
    except OSError as error:
        return f"it cannot be written: {error.strerror or error}"
    is_writable = folder.is_dir() and os.access(folder, os.W_OK)
    return "" if is_writable else f"nothing can be made in {folder}"


def _replace(path: Path, text: str, *, mode: int) -> None:
    """Replace a file at once, so that whoever reads it has the one or the other."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).chmod(mode)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
