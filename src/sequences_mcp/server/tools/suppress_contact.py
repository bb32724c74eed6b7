"""The tool ``suppress_contact``."""

from __future__ import annotations

from typing import Annotated, Any

from mcp.server.mcpserver import Context
from pydantic import Field

from sequences_mcp.flows import suppress_contact as verb
from sequences_mcp.flows.desk import Desk
from sequences_mcp.flows.exclude_at_vendors import Mark, exclude_at_vendors
from sequences_mcp.providers.port import Call, Suppressed
from sequences_mcp.server.arguments import IdempotencyKey, ShortText
from sequences_mcp.server.definition import STOP, Definition
from sequences_mcp.server.fingerprint import fingerprint
from sequences_mcp.server.view import WrittenView, said
from sequences_mcp.server.views.sequence import StoppedView, stopped_view


class SuppressedView(WrittenView):
    """What is now suppressed, whether it already was, and every run that was stopped."""

    kind: str
    value: str
    already: bool
    stopped: tuple[StoppedView, ...]
    at_vendors: dict[str, str] | None = None


async def suppress_contact(
    desk: Desk,
    contact: Annotated[ShortText, Field(description="Contact id, email address or domain")],
    reason: ShortText,
    ctx: Context[Any, Any],
    idempotency_key: IdempotencyKey = None,
) -> SuppressedView:
    """Never contact a person, address or whole domain again, through any provider: stops what runs and keeps them
    out of every later start."""
    call = Call("suppress_contact", idempotency_key, fingerprint({"contact": contact, "reason": reason}))

    async def suppress() -> str:
        return said(_view(await verb.suppress_contact(desk, contact=contact, reason=reason)))

    view = SuppressedView.model_validate_json(await desk.ledger.once(call, suppress))
    mark = Mark(view.kind, view.value)
    elsewhere = await exclude_at_vendors(desk, mark, call=call, reason=reason)
    return view.model_copy(update={"at_vendors": elsewhere or None})


def _view(found: Suppressed) -> SuppressedView:
    return SuppressedView(
        kind=found.kind,
        value=found.value,
        already=found.already,
        stopped=tuple(map(stopped_view, found.stopped)),
        next="Nothing more leaves for them, whatever is started later.",
    )


TOOL = Definition(suppress_contact, title="Never contact again", hints=STOP, staged=True)
