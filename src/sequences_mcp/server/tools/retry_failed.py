"""The tool ``retry_failed``."""

from __future__ import annotations

from functools import partial
from typing import Any

from mcp.server.mcpserver import Context

from sequences_mcp.context import AppContext
from sequences_mcp.ports.embedded import ToolCall
from sequences_mcp.server.arguments import IdempotencyKey
from sequences_mcp.server.boundary import fingerprint
from sequences_mcp.server.catalog import SEND, Definition
from sequences_mcp.server.start_answers import planned_once, present_start
from sequences_mcp.server.views.starts import StartView
from sequences_mcp.services import retries as verb


async def retry_failed(
    app: AppContext, ctx: Context[Any, Any], blueprint_id: str, idempotency_key: IdempotencyKey = None
) -> StartView:
    """Plan the remaining steps of a blueprint's FAILED runs anew. Nothing leaves before a person approves."""

    async def progress(done: int, total: int) -> None:
        await ctx.report_progress(done, total, f"planned {done:,} of {total:,}")

    call = ToolCall("retry_failed", idempotency_key, fingerprint({"blueprint_id": blueprint_id}))
    plan_now = partial(verb.retry_failed, app, blueprint_id=blueprint_id, call=call, progress=progress)
    return await present_start(app, await planned_once(app, call, plan_now=plan_now))


TOOL = Definition(retry_failed, title="Retry failed runs", hints=SEND, staged=True)
