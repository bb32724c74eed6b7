"""The tool ``retry_failed``."""

from __future__ import annotations

import json
from typing import Any

from mcp.server.mcpserver import Context

from sequences_mcp.context import AppContext
from sequences_mcp.ports.embedded import ToolCall
from sequences_mcp.server.arguments import IdempotencyKey
from sequences_mcp.server.boundary import fingerprint
from sequences_mcp.server.catalog import SEND, Definition
from sequences_mcp.server.starting import Planned, present_start
from sequences_mcp.server.view import to_json
from sequences_mcp.server.views.starts import StartView
from sequences_mcp.services import starts as verb


async def retry_failed(
    app: AppContext, ctx: Context[Any, Any], blueprint_id: str, idempotency_key: IdempotencyKey = None
) -> StartView:
    """Plan the remaining steps of a blueprint's FAILED runs anew. Nothing leaves before a person approves."""

    async def progress(done: int, total: int) -> None:
        await ctx.report_progress(done, total, f"planned {done:,} of {total:,}")

    call = ToolCall("retry_failed", idempotency_key, fingerprint({"blueprint_id": blueprint_id}))
    stored = await app.ledger.recall(call)
    if stored is not None:
        earlier = json.loads(stored)
        return await present_start(app, Planned(earlier["plan_id"], earlier["at"], earlier["left_out"]))
    report = await verb.retry_failed(app, blueprint_id=blueprint_id, progress=progress)
    at = app.clock().isoformat(timespec="seconds")
    facts = {"plan_id": report.plan.id, "at": at, "left_out": len(report.left_out)}
    await app.ledger.record(call, to_json(facts))
    return await present_start(app, Planned(report.plan.id, None, len(report.left_out), report))


TOOL = Definition(retry_failed, title="Retry failed runs", hints=SEND, staged=True)
