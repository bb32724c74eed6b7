"""The screens that import people from a file and export what is stored as a file.

A file that was dropped stays in this process's memory, one at a time, until its people are saved, it is put aside,
or half an hour has gone by; it is never written to the disk. It is looked through beside everything else. What a
person saves is what was on the screen: its digest comes with the form, and the import compares it as it saves.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from starlette.responses import Response, StreamingResponse

from sequences_mcp.context import AppContext
from sequences_mcp.domain.page import Page
from sequences_mcp.errors import ConflictError, InvalidArgumentsError, NotFoundError, SequencesError
from sequences_mcp.importing import columns, tables
from sequences_mcp.lazy_dataclasses import dataclass, field
from sequences_mcp.ports.embedded import SavedTally
from sequences_mcp.review.page.request import (
    LockFault,
    PageRequest,
    PendingImport,
    lock_facts,
    presence_fault,
    received_file,
)
from sequences_mcp.services import exports, imports

LINES_SHOWN = 50
KEPT_FOR = timedelta(minutes=30)
KINDS = ("refused", "changed", "made", "unchanged")
EVERY = "2"  # seconds until a browser looks again at what is not done yet
COLUMN = "column."


@dataclass(slots=True)
class ImportState:
    """An import that a person has begun on the page, from the upload to its result.

    ``owner`` is the session that uploaded the file, ``data`` its bytes until its people are saved. ``chosen`` says
    by the names of columns what they hold, ``leaves_out`` that refused rows are skipped, ``rows`` how many are
    read so far. ``work`` is the task that previews or saves the file, ``fault`` the error it ended with.
    """

    token: str
    owner: str
    name: str
    dropped_at: datetime
    data: bytes = field(default=b"", repr=False)
    chosen: dict[str, str] = field(default_factory=dict)
    leaves_out: bool = False
    rows: int = 0
    preview: imports.ImportPreview | None = None
    saved: SavedTally | None = None
    fault: SequencesError | None = None
    saving: bool = False
    work: asyncio.Task[None] | None = None

    @property
    def is_working(self) -> bool:
        """Whether the file is being previewed or saved at this moment."""
        return self.work is not None and not self.work.done()

    def let_go(self) -> None:
        """Forget the file; an import that is being saved goes on."""
        if self.work is not None and not self.saving:
            self.work.cancel()
        self.data, self.preview = b"", None


async def exchange_screen(page_request: PageRequest) -> Response:
    """Show where a file is dropped, and a link for each kind of export."""
    dropped = _present(page_request)
    return page_request.render(
        "exchange.html",
        dropped=dropped,
        kinds=exports.KINDS,
        formats=tuple(exports.MEDIA_TYPES),
        most=tables.MOST_BYTES >> 20,
        rows=tables.MOST_ROWS,
    )


async def upload_form(page_request: PageRequest) -> Response:
    """Take an uploaded file and start its preview."""
    name, data = await received_file(page_request.request, most=tables.MOST_BYTES)
    if not data:
        raise InvalidArgumentsError("No file was chosen.", next_step="Go back and choose a CSV or Excel file.")
    slot = page_request.context.imports
    if slot.file is not None and slot.file.saving and slot.file.is_working:  # whoever dropped it
        raise ConflictError("Another file is being saved.", next_step="Wait until that is done, then drop this.")
    _empty(slot)
    dropped = ImportState(
        token=secrets.token_urlsafe(12),
        owner=page_request.unlocked.name,
        name=name,
        dropped_at=page_request.now,
        data=data,
    )
    slot.file = dropped
    # A file that nobody comes back for would stay in memory.
    asyncio.get_running_loop().call_later(KEPT_FOR.total_seconds(), _forget, slot, dropped)
    _look(page_request.app, dropped)
    return page_request.redirect(f"/people/import/{dropped.token}")


def _look(app: AppContext, dropped: ImportState) -> None:
    """Start the task that previews the file; one that is still running is cancelled."""
    if dropped.work is not None:
        dropped.work.cancel()
    dropped.preview, dropped.fault, dropped.rows = None, None, 0
    dropped.work = asyncio.create_task(_looked(app, dropped))


async def _looked(app: AppContext, dropped: ImportState) -> None:
    def count(rows: int) -> None:
        dropped.rows = rows

    try:
        file = await imports.read_people_file(dropped.data, chosen=dropped.chosen)
        dropped.preview = await imports.look_through(app, file, partial=dropped.leaves_out, progress=count)
    except SequencesError as error:
        dropped.fault = error


async def import_screen(page_request: PageRequest) -> Response:
    """Show how a file was read and what would become of its rows; while that is computed, the progress."""
    return await _shown(page_request, _mine(page_request))


async def _shown(page_request: PageRequest, dropped: ImportState, *, fault: LockFault | None = None) -> Response:
    if dropped.work is not None and dropped.work.done() and not dropped.work.cancelled():
        dropped.work.result()  # what nobody expected is this program's error, and answered as one
    facts = lock_facts(page_request, fault)
    if dropped.fault is not None and not facts["message"]:
        facts |= {"message": f"{dropped.fault.message} {dropped.fault.next_step}"}
    preview = dropped.preview
    kind, lines = _page_of_lines(page_request, preview)
    response = page_request.render(
        "import.html",
        **facts,
        dropped=dropped,
        preview=preview,
        kind=kind,
        kinds=KINDS,
        lines=lines,
        targets=columns.TARGETS,
        ignored=columns.IGNORED,
    )
    if dropped.is_working:
        response.headers["refresh"] = EVERY
    return response


def _page_of_lines(
    page_request: PageRequest, preview: imports.ImportPreview | None
) -> tuple[str, Page[imports.ImportLine]]:
    """Return which rows are shown, and a page of them: those asked for, else the first kind that there is."""
    counts: Mapping[str, int] = preview.counts if preview else {}
    present = [kind for kind in KINDS if counts.get(kind)]
    wanted = page_request.request.query_params.get("kind", "")
    kind = wanted if wanted in present else next(iter(present), "refused")
    number = page_request.page
    first = (number - 1) * LINES_SHOWN
    rows = preview.lines[kind].between(first, first + LINES_SHOWN) if preview and kind in preview.lines else []
    return kind, Page(tuple(rows), counts.get(kind, 0), number, LINES_SHOWN)


async def columns_form(page_request: PageRequest) -> Response:
    """Look through a file again with what a person says of its columns, and whether refused rows are left out."""
    dropped = _mine(page_request)
    if dropped.saved is not None or dropped.saving:
        raise ConflictError("This file is saved already.", next_step="Drop it again to look at it anew.")
    form = page_request.form
    dropped.chosen = {
        f"#{int(name.removeprefix(COLUMN)) + 1}": target
        for name, target in form.items()
        if name.startswith(COLUMN) and name.removeprefix(COLUMN)[:7].isdecimal() and len(name) <= len(COLUMN) + 6
    }
    dropped.leaves_out = "partial" in form
    _look(page_request.app, dropped)
    return page_request.redirect(f"/people/import/{dropped.token}")


async def save_form(page_request: PageRequest) -> Response:
    """Save exactly what was shown, all or none."""
    dropped = _mine(page_request)
    if dropped.saved is not None or dropped.saving:
        return page_request.redirect(f"/people/import/{dropped.token}")
    preview = dropped.preview
    if preview is None or preview.digest != page_request.form.get("digest", ""):
        changed = LockFault(HTTPStatus.CONFLICT, "This is not what was on your screen. Read it again, then save.")
        return await _shown(page_request, dropped, fault=changed)
    if fault := await presence_fault(page_request):
        return await _shown(page_request, dropped, fault=fault)
    preview.require_allowed()
    dropped.saving, dropped.fault = True, None
    dropped.work = asyncio.create_task(_save(page_request.app, dropped, preview))
    return page_request.redirect(f"/people/import/{dropped.token}")


async def _save(app: AppContext, dropped: ImportState, preview: imports.ImportPreview) -> None:
    try:
        dropped.saved = await imports.import_people(app, preview)
        dropped.data, dropped.preview = b"", None
    except SequencesError as error:
        dropped.fault = error
    finally:
        dropped.saving = False


async def put_aside_form(page_request: PageRequest) -> Response:
    """Forget a file."""
    _mine(page_request)
    _empty(page_request.context.imports)
    return page_request.redirect("/people")


def _empty(slot: PendingImport) -> None:
    if slot.file is not None:
        slot.file.let_go()
    slot.file = None


def _forget(slot: PendingImport, dropped: ImportState) -> None:
    if slot.file is dropped and not dropped.is_working:
        _empty(slot)


def _present(page_request: PageRequest) -> ImportState | None:
    """Return the file of this session, where there is one; one whose time is over is forgotten."""
    slot = page_request.context.imports
    dropped: ImportState | None = slot.file
    if dropped is not None and not dropped.is_working and abs(page_request.now - dropped.dropped_at) > KEPT_FOR:
        _empty(slot)
        return None
    return dropped if dropped is not None and dropped.owner == page_request.unlocked.name else None


def _mine(page_request: PageRequest) -> ImportState:
    """Return the import that the path names, if it is this session's; NotFoundError."""
    dropped = _present(page_request)
    if dropped is None or dropped.token != page_request.path_part("token"):
        raise NotFoundError(
            "This file is not here any more: it was put aside, another was dropped, or half an hour went by.",
            next_step="Drop it again on the screen People.",
        )
    return dropped


async def export_screen(page_request: PageRequest) -> Response:
    """Give an export to the browser, which saves it as a file."""
    kind, as_format = page_request.path_part("kind"), page_request.path_part("format")
    media_types: dict[str, str] = {str(name): media for name, media in exports.MEDIA_TYPES.items()}
    if kind not in exports.KINDS or as_format not in media_types:
        raise NotFoundError("There is no such export.", next_step="The screen People has a link for each.")
    name = f"{kind}-{page_request.now:%Y%m%d}.{as_format}"
    if page_request.request.method != "HEAD":
        await page_request.app.records.note("data.exported", kind, format=as_format)
    return StreamingResponse(
        _pieces(page_request, kind, as_format),
        media_type=media_types[as_format],
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


async def _pieces(page_request: PageRequest, kind: Any, as_format: Any) -> AsyncIterator[bytes]:
    """Yield an export; where somebody is erased meanwhile it breaks off, so that the browser keeps nothing."""
    if page_request.request.method == "HEAD":
        return
    begun = await page_request.app.records.last_audit_number()
    async for piece, _ in exports.export_parts(page_request.app, kind, as_format=as_format):
        yield piece
    await exports.require_nobody_erased(page_request.app, since=begun)


SCREENS = (
    ("GET", "/people", exchange_screen),
    ("POST", "/people/file", upload_form),
    ("GET", "/people/import/{token}", import_screen),
    ("POST", "/people/import/{token}/columns", columns_form),
    ("POST", "/people/import/{token}/save", save_form),
    ("POST", "/people/import/{token}/put-aside", put_aside_form),
    ("GET", "/people/export/{kind}/{format}", export_screen),
)
