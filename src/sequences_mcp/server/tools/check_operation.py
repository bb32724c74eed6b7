"""The tool ``check_operation``, where a vendor is connected."""

from __future__ import annotations

from typing import Any

from sequences_mcp.context import AppContext
from sequences_mcp.server.catalog import READ, Definition
from sequences_mcp.server.view import Outcome, WrittenView
from sequences_mcp.server.views.sequences import vendor_error
from sequences_mcp.services import vendor_writes as verb

_SENT = {"done": "at the vendor", "not_done": "nothing", "unknown": "unknown", "begun": "unknown"}
_NEXT = {
    "done": "It has happened; nothing has to be called again.",
    "not_done": "It has not happened; the same call may be made again, with a new idempotency_key.",
    "unknown": "Do not repeat the call. Ask here again later, or let a person look and resolve it.",
    "begun": "Ask here again in a moment.",
}


class OperationView(WrittenView):
    """What became of one write to a vendor; ``last_answer`` is what the vendor said last, if anything."""

    operation_id: str
    tool: str
    subject: str
    why: str
    last_answer: dict[str, Any] | None = None


async def check_operation(app: AppContext, operation_id: str) -> OperationView:
    """What became of a write to a vendor whose outcome was unknown, read back where its API can tell."""
    report = await verb.check_operation(app, operation_id=operation_id)
    state = report.operation.state
    outcome: Outcome = "unknown" if state == "begun" else state
    return OperationView(
        outcome=outcome,
        sent=_SENT[state],
        next=report.next_step or _NEXT[state],
        operation_id=report.operation.id,
        tool=report.operation.tool,
        subject=report.operation.subject,
        why=report.why,
        last_answer=_as_of_now(vendor_error(report.last_answer), is_open=outcome == "unknown"),
    )


def _as_of_now(answer: dict[str, Any] | None, *, is_open: bool) -> dict[str, Any] | None:
    """Return a vendor's last answer; once the outcome is known, without advice that was about finding it out."""
    if answer is None or is_open:
        return answer
    return {name: value for name, value in answer.items() if name not in ("next", "retryable")}


TOOL = Definition(check_operation, title="Settle an unknown outcome", hints=READ)
