"""The tool ``export_data``."""

from __future__ import annotations

from typing import Any, Literal

from mcp.server.mcpserver import Context

from sequences_mcp.context import AppContext
from sequences_mcp.ports.embedded import ToolCall
from sequences_mcp.server.arguments import IdempotencyKey
from sequences_mcp.server.boundary import fingerprint
from sequences_mcp.server.catalog import WRITE, Definition
from sequences_mcp.server.view import WrittenView, result_text
from sequences_mcp.services import exports as verb


class DataExported(WrittenView):
    """A file that was written for the person, and the resource under which the server gives it."""

    rows: int
    bytes: int
    file: str
    resource: str
    media_type: str
    kept_until: str


async def export_data(
    app: AppContext,
    ctx: Context[Any, Any],
    what: verb.ExportKind,
    format: Literal["csv", "json"] = "csv",
    idempotency_key: IdempotencyKey = None,
) -> DataExported:
    """Write all of one kind to a private file, kept a day; answers with counts and a link."""
    call = ToolCall("export_data", idempotency_key, fingerprint({"what": what, "format": format}))
    stored = await app.ledger.recall(call)
    if stored is not None:
        return DataExported.model_validate_json(stored)
    view = _view(await verb.write_export(app, what, as_format=format))
    return DataExported.model_validate_json(await app.ledger.record(call, result_text(view)))


def _view(file: verb.ExportRecord) -> DataExported:
    return DataExported(
        rows=file.rows or 0,
        bytes=file.size,
        file=str(file.path),
        resource=file.uri,
        media_type=verb.MEDIA_TYPES[file.format],
        kept_until=f"{file.kept_until:%Y-%m-%d %H:%M} UTC",
        next="Tell the person where the file is; they open it themselves.",
    )


TOOL = Definition(export_data, title="Export data", hints=WRITE, staged=True)
