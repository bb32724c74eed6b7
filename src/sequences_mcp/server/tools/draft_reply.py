"""The tool ``draft_reply``."""

from __future__ import annotations

from typing import Any

from mcp.server.mcpserver import Context

from sequences_mcp.context import AppContext
from sequences_mcp.ports.embedded import ToolCall
from sequences_mcp.server.arguments import Id, IdempotencyKey
from sequences_mcp.server.boundary import fingerprint
from sequences_mcp.server.catalog import WRITE, Definition
from sequences_mcp.server.view import result_text
from sequences_mcp.server.views.replies import ReplyDrafted, reply_drafted
from sequences_mcp.services import replies as verb


async def draft_reply(
    app: AppContext, reply_id: Id, content: str, ctx: Context[Any, Any], idempotency_key: IdempotencyKey = None
) -> ReplyDrafted:
    """Put an answer a person asked for into the Drafts folder, in its thread. Sends nothing."""
    call = ToolCall("draft_reply", idempotency_key, fingerprint({"reply_id": reply_id, "content": content}))
    stored = await app.ledger.recall(call)
    if stored is not None:
        return ReplyDrafted.model_validate_json(stored)
    view = reply_drafted(await verb.draft_reply(app, reply_id=reply_id, content=content))
    return ReplyDrafted.model_validate_json(await app.ledger.record(call, result_text(view)))


TOOL = Definition(draft_reply, title="Draft an answer", hints=WRITE, staged=True)
