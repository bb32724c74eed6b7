"""The tool ``import_contacts``."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

from mcp.server.mcpserver import Context
from pydantic import BeforeValidator, Field, WithJsonSchema

from sequences_mcp.context import AppContext
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.ports.embedded import SavedTally, ToolCall
from sequences_mcp.server.arguments import IdempotencyKey
from sequences_mcp.server.boundary import fingerprint
from sequences_mcp.server.catalog import WRITE, Definition
from sequences_mcp.server.text import cut
from sequences_mcp.server.view import WrittenView, result_text
from sequences_mcp.services import imports as verb

SHOWN = 10
COLUMNS_SHOWN = 30
LONGEST = 60
_OF_A_TABLE = {"type": "string", "description": "CSV, up to 1 MB"}


def _as_text(given: Any) -> Any:
    """Return JSON as the text that it came as: the SDK parses an argument that reads as a list or an object."""
    return json.dumps(given) if isinstance(given, list | dict) else given


# The limit stands with the text: beside the function null would be measured too, which the SDK reads from "null".
TableText = Annotated[
    Annotated[str, Field(max_length=1_000_000)] | None, BeforeValidator(_as_text), WithJsonSchema(_OF_A_TABLE)
]
_OF_A_PATH = {"type": "string", "description": "CSV or XLSX"}
FilePath = Annotated[str | None, Field(max_length=500), WithJsonSchema(_OF_A_PATH)]


class ContactsImported(WrittenView):
    """How a file was read, what became, or would become, of its rows, and the first problems.

    ``warnings`` are the first of the ``uncertain`` values that are imported and look wrong.
    """

    read_as: str
    columns: dict[str, str]
    columns_not_shown: int | None = None
    rows: int
    made: int
    changed: int
    unchanged: int
    refused: int
    never_contact: int | None = None
    facts_left_out: int | None = None
    problems: tuple[dict[str, Any], ...] | None = None
    uncertain: int | None = None
    warnings: tuple[dict[str, Any], ...] | None = None


async def import_contacts(
    app: AppContext,
    ctx: Context[Any, Any],
    path: FilePath = None,
    text: TableText = None,
    columns: Annotated[dict[str, str] | None, Field(description="Column name to fact, - for none")] = None,
    partial: Annotated[bool, Field(description="Leave out what is refused")] = False,
    dry_run: Annotated[bool, Field(description="Only say what each row would become")] = True,
    idempotency_key: IdempotencyKey = None,
) -> ContactsImported:
    """Import people from a file in an allowed folder, or from text, all or none."""
    given = {"path": path, "text": text, "columns": columns, "partial": partial, "dry_run": dry_run}
    call = ToolCall("import_contacts", idempotency_key, fingerprint(given))
    stored = None if dry_run else await app.ledger.recall(call)
    if stored is not None:
        return ContactsImported.model_validate_json(stored)
    if (path is None) == (text is None):
        raise InvalidArgumentsError(
            "Exactly one of path and text says what to import.",
            next_step="Give the text of the file, or its path.",
        )
    if text is not None and text.lstrip().startswith(('{"', "[{", '["')):
        raise InvalidArgumentsError(
            "The text is JSON; import_contacts reads CSV.",
            next_step="save_contacts takes objects. Or give a row of column names and a row for each person.",
        )
    source = text if path is None else await asyncio.to_thread(verb.read_allowed_file, app, path)
    file = await verb.read_people_file(source or "", chosen=columns)
    preview = await verb.look_through(app, file, partial=partial)
    del file
    if dry_run:
        return _view(preview, None)
    saved = await verb.import_people(app, preview)
    return ContactsImported.model_validate_json(await app.ledger.record(call, result_text(_view(preview, saved))))


def _view(preview: verb.ImportPreview, saved: SavedTally | None) -> ContactsImported:
    export = preview.file.mapping.export
    refused = preview.shown("refused", most=SHOWN)
    problems = [problem for line in refused for problem in verb.problem_rows(line)]
    return ContactsImported(
        outcome="not_done" if saved is None else "done",
        read_as=cut(f"{preview.file.table.format.words}{f'; {export}' if export else ''}", 2 * LONGEST),
        columns={
            f"#{column.index + 1} {cut(column.name, LONGEST)}": column.target
            for column in preview.file.mapping.columns[:COLUMNS_SHOWN]
        },
        columns_not_shown=max(0, len(preview.file.mapping.columns) - COLUMNS_SHOWN) or None,
        rows=preview.rows,
        **preview.counts,
        never_contact=preview.suppressed or None,
        facts_left_out=preview.facts_left_out or None,
        problems=tuple(problems[:SHOWN]) or None,
        uncertain=preview.uncertain or None,
        warnings=tuple(verb.warning_rows(preview)[:SHOWN]) or None,
        next=_next(preview, saved),
    )


def _next(preview: verb.ImportPreview, saved: SavedTally | None) -> str:
    if saved is not None:
        return "find_contacts shows them; start_sequence takes their addresses."
    if not preview.is_allowed:
        return "Nothing is imported while rows are refused: correct them, or leave them out with partial."
    what = "the columns, the counts and what looks wrong" if preview.uncertain else "the columns and the counts"
    return f"Show the person {what}, then call again with dry_run false."


TOOL = Definition(import_contacts, title="Import contacts", hints=WRITE, staged=True)
