"""The tool ``record_reply``."""

from __future__ import annotations

from typing import Annotated, Any

from mcp.server.mcpserver import Context
from pydantic import Field

from sequences_mcp.context import AppContext
from sequences_mcp.domain.run import LIVE, ReplyKind, StepState
from sequences_mcp.ports.embedded import ToolCall
from sequences_mcp.server.arguments import Id, IdempotencyKey, Instant
from sequences_mcp.server.boundary import fingerprint
from sequences_mcp.server.catalog import STOP, Definition
from sequences_mcp.server.view import WrittenView, result_text
from sequences_mcp.server.views.sequences import beyond_recall
from sequences_mcp.services import suppression as verb

NEXT = {
    ReplyKind.REPLIED: "Answer them yourself; nothing more leaves for them by itself.",
    ReplyKind.INTERESTED: "Answer them yourself; nothing more leaves for them by itself.",
    ReplyKind.NOT_INTERESTED: "Nothing more leaves for them by itself. A later start would write to them again.",
    ReplyKind.WON: "report counts them as won; nothing more leaves for them by itself.",
    ReplyKind.LOST: "report counts them as lost; nothing more leaves for them by itself.",
    ReplyKind.OPT_OUT: "Nothing more leaves for them, whatever is started later.",
    ReplyKind.OUT_OF_OFFICE: "It goes on by itself then.",
}
NOTHING_RAN = "Nothing ran for them. "
GOES_ON = "Not everything stands still: runs says what goes on, and what ends it. "
HELD_BY_RULE = "Its next text is held, as the blueprint's on_reply says: a person decides (list_reviews)."
ON_BY_RULE = "It goes on, as the blueprint's on_reply says: stop_sequence ends it."


class ReplyRecorded(WrittenView):
    """What became of each run of the person, and of those that are held because of the answer."""

    runs: dict[str, str]


async def record_reply(
    app: AppContext,
    who: Annotated[Id, Field(description="Sequence or contact id, or e-mail")],
    answer: ReplyKind,
    ctx: Context[Any, Any],
    until: Instant | None = None,
    idempotency_key: IdempotencyKey = None,
) -> ReplyRecorded:
    """Somebody answered, on any channel: their runs end or pause, or do as on_reply says. Won and lost also
    count once a run is over."""
    given = {"who": who, "answer": answer.value, "until": until.isoformat() if until else None}
    call = ToolCall("record_reply", idempotency_key, fingerprint(given))
    stored = await app.ledger.recall(call)
    if stored is not None:
        return ReplyRecorded.model_validate_json(stored)
    done = await verb.record_reply(app, who=who, answer=answer, until=until, call=call)
    view = ReplyRecorded(runs=dict(done.runs), sent=beyond_recall(done.local_runs), next=_next(done, answer))
    return ReplyRecorded.model_validate_json(await app.ledger.record(call, result_text(view)))


def _next(done: verb.RecordedReply, answer: ReplyKind) -> str:
    before = "" if done.runs else NOTHING_RAN
    after = NEXT[answer]
    theirs = [detail.sequence for detail in done.local_runs if detail.sequence.contact_id == done.contact_id]
    if answer in (ReplyKind.REPLIED, ReplyKind.INTERESTED) and any(run.status in LIVE for run in theirs):
        is_held = any(run.current is not None and run.current.state is StepState.HELD for run in theirs)
        after = HELD_BY_RULE if is_held else ON_BY_RULE
    return f"{GOES_ON if done.undone else before}{after}"


TOOL = Definition(record_reply, title="Record a reply", hints=STOP, staged=True)
