"""Everything of one kind as a file: contacts, runs, replies, the list of those never to contact, the audit.

It is read part by part, so that an export of any size needs little memory and nobody waits for it: every part is
as of the moment in which it is read. What is stored while an export is written may be in it or not. Instants are
in UTC, in ISO 8601. Files that were written without a place of their own stand in the folder ``exports`` of the
data folder, for their owner alone, and are deleted after a day.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from collections.abc import Sequence as Items
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from sequences_mcp import private_files
from sequences_mcp.context import AppContext
from sequences_mcp.domain.contact import FACTS, Contact, facts_of
from sequences_mcp.domain.entries import AuditEntry, Suppression
from sequences_mcp.domain.inbound import ReplyEntry
from sequences_mcp.errors import ConflictError, NotFoundError, StoreUnwritableError
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.ports.embedded import SequenceDetail

ExportKind = Literal["contacts", "runs", "replies", "suppressions", "audit"]
ExportFormat = Literal["csv", "json"]
KINDS: tuple[ExportKind, ...] = get_args(ExportKind)
MEDIA_TYPES: Mapping[ExportFormat, str] = {"csv": "text/csv", "json": "application/json"}
LARGEST_READ = 8 << 20  # bytes of a file that are given over MCP, where all of it is one message
PART = 200  # rows between two chances for everything else on the event loop
ERASED = "contact.erased"  # how the audit writes it
Facts: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRecord:
    """A file that was written for a person; ``rows`` is known of one that was written just now."""

    path: Path
    format: ExportFormat
    size: int
    written_at: datetime
    rows: int | None = None

    @property
    def uri(self) -> str:
        """The address under which the server gives it as a resource."""
        return f"export://{self.format}/{self.path.name}"

    @property
    def kept_until(self) -> datetime:
        """When it is deleted."""
        return self.written_at + private_files.EXPORTS_KEPT_FOR


# What a spreadsheet program would read as a formula or a command, behind any apostrophes: https://owasp.org/
# www-community/attacks/CSV_Injection. Where semicolons separate lists, such a program begins a cell behind each of
# them and each end of a line as well. The import takes these apostrophes away again (importing.people).
_FORMULA = re.compile(r"(?:^|(?<=[;\r\n]))(?='*[=+\-@＝＋－＠])|^(?='*[\t\r\n])")


def protected(value: object) -> str:
    """Return a cell of CSV: what a spreadsheet program would carry out gets an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    text = value if isinstance(value, str) else str(value)
    return _FORMULA.sub("'", text) if isinstance(value, str) else text


def _utc(at: datetime | None) -> str | None:
    return None if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def contact_facts(contact: Contact) -> Facts:
    """Return everything that is kept about a person themselves; what is not known is None."""
    return {
        "contact_id": contact.id,
        **facts_of(contact),
        "notes": contact.notes,
        "created_at": _utc(contact.created_at),
        "updated_at": _utc(contact.updated_at),
    }


def run_facts(detail: SequenceDetail) -> Facts:
    """Return a run with its steps, as it is known here."""
    run = detail.sequence
    return {
        "sequence_id": run.id,
        "provider": run.provider,
        "remote_id": run.remote_id,
        "plan_id": run.plan_id,
        "blueprint_id": detail.blueprint_told,
        "blueprint_version": None if detail.is_nameless else run.blueprint_version,
        "blueprint_name": detail.blueprint_name,
        "contact_id": run.contact_id,
        "email": run.address or detail.contact.email,
        "first_name": detail.contact.first_name,
        "last_name": detail.contact.last_name,
        "company": detail.contact.company,
        "status": run.status.value,
        "provider_status": detail.provider_status,
        "stop_reason": run.stop_reason.value if run.stop_reason else None,
        "reason": run.reason,
        "paused_until": _utc(run.paused_until),
        "steps_done": run.steps_done,
        "steps_planned": len(run.steps),
        "last_step_at": _utc(run.last_step_executed_at),
        "created_at": _utc(run.created_at),
        "updated_at": _utc(run.updated_at),
        "steps": [
            {
                "step_id": step.step.id,
                "name": step.step.name,
                "channel": step.step.type.value,
                "state": step.state.value,
                "reason": step.reason,
                "recipient": step.recipient,
                "subject": step.subject,
                "content": step.content,
                "executed_at": _utc(step.executed_at),
            }
            for step in run.steps
        ],
    }


def reply_facts(reply: tuple[ReplyEntry, Contact | None]) -> Facts:
    """Return what came back, with its person; sender, subject, text and ``why`` are strangers' words."""
    entry, person = reply
    return {
        "reply_id": entry.id,
        "kind": entry.kind.value,
        "at": _utc(entry.at),
        "sent_at": _utc(entry.sent_at),
        "away_until": _utc(entry.until),
        "contact_id": entry.contact_id or None,
        "email": person.email if person else None,
        "sequence_id": entry.sequence_id,
        "mailbox": entry.mailbox or None,
        "sender": entry.sender or None,
        "subject": entry.subject or None,
        "text": entry.text or None,
        "why": entry.why or None,
        "effect": entry.effect,
        "recorded_by": entry.recorded_by,
        "decision": entry.decision,
    }


def suppression_facts(entry: Suppression) -> Facts:
    """Return who must never be contacted, and why."""
    return {
        "kind": entry.kind,
        "value": entry.value,
        "reason": entry.reason,
        "by": entry.actor,
        "since": _utc(entry.created_at),
    }


def audit_facts(entry: AuditEntry) -> Facts:
    """Return one entry of the audit."""
    return {
        "number": entry.number,
        "at": _utc(entry.at),
        "by": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "detail": dict(entry.detail),
    }


@dataclass(frozen=True, slots=True)
class _Reading:
    """How a kind is read: part by part from a first mark, and what is told of each; CSV leaves ``nested`` out."""

    first: Any
    part: Callable[[AppContext], Callable[..., Awaitable[tuple[Items[Any], Any]]]]
    facts: Callable[[Any], Facts]
    columns: tuple[str, ...]


_READINGS: Mapping[ExportKind, _Reading] = {
    "contacts": _Reading(
        0,
        lambda app: app.records.contacts_after,
        contact_facts,
        ("contact_id", *FACTS, "notes", "created_at", "updated_at"),
    ),
    "runs": _Reading(
        0,
        lambda app: app.records.runs_after,
        run_facts,
        (
            *("sequence_id", "provider", "remote_id", "plan_id", "blueprint_id", "blueprint_version"),
            *("blueprint_name", "contact_id", "email", "first_name", "last_name", "company", "status"),
            *("provider_status", "stop_reason", "reason", "paused_until", "steps_done", "steps_planned"),
            *("last_step_at", "created_at", "updated_at"),
        ),
    ),
    "replies": _Reading(
        "",
        lambda app: app.records.replies_after,
        reply_facts,
        (
            *("reply_id", "kind", "at", "sent_at", "away_until", "contact_id", "email", "sequence_id", "mailbox"),
            *("sender", "subject", "text", "why", "effect", "recorded_by", "decision"),
        ),
    ),
    "suppressions": _Reading(
        ("", ""),
        lambda app: app.records.suppressions_after,
        suppression_facts,
        ("kind", "value", "reason", "by", "since"),
    ),
    "audit": _Reading(
        0,
        lambda app: app.records.audit_after,
        audit_facts,
        ("number", "at", "by", "action", "subject", "detail"),
    ),
}


async def export_parts(
    app: AppContext, kind: ExportKind, *, as_format: ExportFormat
) -> AsyncIterator[tuple[bytes, int]]:
    """Yield an export in pieces, each with how many rows it has, and let everything else go on in between."""
    reading = _READINGS[kind]
    opening, closing, join = _frame(reading, as_format)
    yield opening, 0
    mark, is_first = reading.first, True
    while True:
        items, mark = await reading.part(app)(mark, size=PART)
        if not items:
            break
        rows = [reading.facts(item) for item in items]
        yield (b"" if is_first else join) + _written(rows, reading, as_format), len(rows)
        is_first = False
        await asyncio.sleep(0)
    yield closing, 0


def _frame(reading: _Reading, as_format: ExportFormat) -> tuple[bytes, bytes, bytes]:
    """Return what stands before the rows, behind them and between two parts of them."""
    if as_format == "json":
        return b"[\n", b"\n]\n", b",\n"
    # The mark tells spreadsheet programs that it is UTF-8.
    return b"\xef\xbb\xbf" + _lines([reading.columns]), b"", b""


def _written(rows: Items[Facts], reading: _Reading, as_format: ExportFormat) -> bytes:
    if as_format == "json":
        return ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode("utf-8", "replace")
    return _lines([protected(row[name]) for name in reading.columns] for row in rows)


def _lines(rows: Iterable[Items[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


async def write_export(
    app: AppContext, kind: ExportKind, *, as_format: ExportFormat, to: Path | None = None
) -> ExportRecord:
    """Write an export into a new file for its owner alone, in the folder of exports where no place is said.

    It is written beside and renamed once it is whole. Raises ConflictError where the file is there already, or
    where somebody was erased meanwhile; StoreUnwritableError.
    """
    private_files.delete_exports(app.workspace.exports, now=app.clock())
    place = to or new_place(app, kind, as_format=as_format)
    if place.exists():
        raise ConflictError(f"{place} exists already.", next_step="Give another name.")
    begun, rows = await app.records.last_audit_number(), 0
    try:
        with private_files.replacing(place) as file:
            async for piece, number in export_parts(app, kind, as_format=as_format):
                rows += number
                await asyncio.to_thread(file.write, piece)
            await require_nobody_erased(app, since=begun)
        size = place.stat().st_size
    except OSError as error:
        raise StoreUnwritableError(
            f"{place} cannot be written: {error.strerror or error}.",
            next_step="Give another place, or check the folder's permissions and the free space on its disk.",
        ) from error
    await app.records.note("data.exported", kind, rows=rows, format=as_format)
    return ExportRecord(path=place, format=as_format, size=size, written_at=app.clock(), rows=rows)


async def require_nobody_erased(app: AppContext, *, since: int) -> None:
    """Raise ConflictError where somebody was erased after that number of the audit and may be in what was read."""
    mark = since
    while True:
        entries, mark = await app.records.audit_after(mark, size=PART)
        if not entries:
            return
        if any(entry.action == ERASED for entry in entries):
            raise ConflictError(
                "Somebody was erased while the export was written, so it was thrown away.",
                next_step="Export it again.",
            )


def new_place(app: AppContext, stem: str, *, as_format: ExportFormat) -> Path:
    """Return the path of a new file in the folder of exports, which is made; StoreUnwritableError."""
    folder = app.workspace.exports
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreUnwritableError(
            f"{folder} cannot be made: {error.strerror or error}.",
            next_step="Check the data folder's permissions.",
        ) from error
    return folder / private_files.export_name(stem, as_format, now=app.clock())


def list_exports(app: AppContext) -> list[ExportRecord]:
    """Return the files that are there, the newest first; those whose time is over are deleted."""
    private_files.delete_exports(app.workspace.exports, now=app.clock())
    results = []
    for path, made_at in private_files.exports_in(app.workspace.exports):
        as_format: ExportFormat = "csv" if path.suffix == ".csv" else "json"
        if path.suffix != ".new":
            with suppress(FileNotFoundError):  # deleted by an erasure meanwhile
                size = path.stat().st_size
                results.append(ExportRecord(path=path, format=as_format, size=size, written_at=made_at))
    return sorted(results, key=lambda file: file.written_at, reverse=True)


def read_export(app: AppContext, name: str) -> str:
    """Return the text of an export in its folder; NotFoundError, ConflictError for one that is too large."""
    path = next((file.path for file in list_exports(app) if file.path.name == name), None)
    if path is None or path.is_symlink():
        raise NotFoundError(
            "There is no such export; each is deleted after a day.", next_step="export_data writes a new one."
        )
    with path.open("rb") as file:
        data = file.read(LARGEST_READ + 1)
    if len(data) > LARGEST_READ:
        raise ConflictError(
            f"The export is larger than {LARGEST_READ >> 20} MB.", next_step=f"Open the file: {path}"
        )
    return data.decode("utf-8")
