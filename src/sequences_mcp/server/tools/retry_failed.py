"""The tool ``retry_failed``."""

from __future__ import annotations

from typing import Any

from mcp.server.mcpserver import Context

from sequences_mcp.flows import retry_failed as verb
from sequences_mcp.flows.desk import Desk
from sequences_mcp.providers.port import Call
from sequences_mcp.server.arguments import IdempotencyKey
from sequences_mcp.server.definition import SEND, Definition
from sequences_mcp.server.fingerprint import fingerprint
from sequences_mcp.server.starting import ways_to_approve
from sequences_mcp.server.view import said
from sequences_mcp.server.views.start import StartView, start_view


async def retry_failed(
    desk: Desk, ctx: Context[Any, Any], blueprint_id: str, idempotency_key: IdempotencyKey = None
) -> StartView:
    """Plan the remaining steps of a blueprint's FAILED runs anew. Nothing leaves before a person approves."""

    async def progress(done: int, total: int) -> None:
        await ctx.report_progress(done, total, f"planned {done:,} of {total:,}")

    call = Call("retry_failed", idempotency_key, fingerprint({"blueprint_id": blueprint_id}))
    stored = await desk.ledger.recall(call)
    if stored is not None:
        return StartView.model_validate_json(stored)
    report = await verb.retry_failed(desk, blueprint_id=blueprint_id, progress=progress)
    view = start_view(report, ways=ways_to_approve(desk, report.plan))
    return StartView.model_validate_json(await desk.ledger.record(call, said(view)))


TOOL = Definition(retry_failed, title="Retry failed runs", hints=SEND, staged=True)
