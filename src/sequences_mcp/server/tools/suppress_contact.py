"""The tool ``suppress_contact``."""

from __future__ import annotations

from typing import Annotated, Any

from mcp.server.mcpserver import Context
from pydantic import Field

from sequences_mcp.flows import suppress_contact as verb
from sequences_mcp.flows.desk import Desk
from sequences_mcp.flows.exclude_at_vendors import Mark, exclude_at_vendors
from sequences_mcp.flows.follow_person import Followed, follow_person
from sequences_mcp.providers.port import Call, Suppressed
from sequences_mcp.server.arguments import IdempotencyKey, ShortText
from sequences_mcp.server.definition import STOP, Definition
from sequences_mcp.server.fingerprint import fingerprint
from sequences_mcp.server.view import WrittenView, said
from sequences_mcp.server.views.sequence import StoppedView, stopped_view

BY_ID_ALONE = (
    "Nothing leaves for this id. No e-mail address of theirs is known, so the list cannot recognise them under "
    "another id: suppress_contact takes an address too."
)


class SuppressedView(WrittenView):
    """What is now suppressed, whether it already was, what else of theirs is, and every run that was stopped."""

    kind: str
    value: str
    already: bool
    stopped: tuple[StoppedView, ...]
    also: tuple[str, ...] | None = None
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
    if view.kind != "contact":
        elsewhere = await exclude_at_vendors(desk, [Mark(view.kind, view.value)], call=call, reason=reason)
        return view.model_copy(update={"at_vendors": elsewhere or None})
    found = await follow_person(desk, contact_id=view.value, reason=reason)
    elsewhere = await exclude_at_vendors(desk, found.marks, call=call, reason=reason)
    return _followed(view, found, elsewhere)


def _followed(view: SuppressedView, found: Followed, elsewhere: dict[str, str]) -> SuppressedView:
    """Return the view with what came of the person behind an id; the id itself is on the list in any case."""
    where = view.value.partition(":")[0]
    told = elsewhere if found.untold is None else {**elsewhere, where: found.untold}
    changes = {
        "also": found.also or None,
        "stopped": (*view.stopped, *map(stopped_view, found.stopped)),
        "at_vendors": told or None,
        "next": view.next if any("@" in one for one in found.also) else BY_ID_ALONE,
    }
    return view.model_copy(update=changes)


def _view(found: Suppressed) -> SuppressedView:
    return SuppressedView(
        kind=found.kind,
        value=found.value,
        already=found.already,
        stopped=tuple(map(stopped_view, found.stopped)),
        next="Nothing more leaves for them, whatever is started later.",
    )


TOOL = Definition(suppress_contact, title="Never contact again", hints=STOP, staged=True)
