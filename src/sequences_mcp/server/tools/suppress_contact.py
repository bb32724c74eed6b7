"""The tool ``suppress_contact``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from mcp.server.mcpserver import Context
from pydantic import Field

from sequences_mcp.context import AppContext
from sequences_mcp.ports.embedded import Suppressed, ToolCall
from sequences_mcp.server.arguments import IdempotencyKey, ShortText
from sequences_mcp.server.boundary import fingerprint
from sequences_mcp.server.catalog import STOP, Definition
from sequences_mcp.server.text import cut
from sequences_mcp.server.view import WrittenView, result_text
from sequences_mcp.server.views.sequences import STOPPED_SHOWN, StoppedView, fitting, stopped_facts, stopped_view
from sequences_mcp.services import suppression as verb
from sequences_mcp.services.suppression import ExclusionTarget, VendorSuppressions, suppress_at_vendors

GOES_ON = "Not everything has stopped: at_vendors names each run that may still reach them, and what ends it."
SHOWN = 12
WORDS_LIMIT = 200
QUIET = ("stopped", "done")
BY_ID_ALONE = (
    "Nothing leaves for this id. No e-mail address of theirs is known, so the list cannot recognise them under "
    "another id: suppress_contact takes an address too."
)


class SuppressedView(WrittenView):
    """What is now suppressed, whether it already was, what else of theirs is, and every run that was stopped.

    ``at_vendors`` tells by vendor what became of it there, and by run what became of each that a vendor has.
    """

    kind: str
    value: str
    already: bool
    stopped_count: int = 0
    stopped: tuple[StoppedView, ...]
    also_stopped: tuple[str, ...] | None = None
    not_named: int | None = None
    also: tuple[str, ...] | None = None
    at_vendors: dict[str, str] | None = None


async def suppress_contact(
    app: AppContext,
    contact: Annotated[ShortText, Field(description="Contact id, email address or domain")],
    reason: ShortText,
    ctx: Context[Any, Any],
    idempotency_key: IdempotencyKey = None,
) -> SuppressedView:
    """Never contact a person, address or whole domain again, through any provider; what runs for them stops."""
    call = ToolCall("suppress_contact", idempotency_key, fingerprint({"contact": contact, "reason": reason}))

    async def suppress() -> str:
        return result_text(_view(await verb.suppress_contact(app, contact=contact, reason=reason)))

    view = SuppressedView.model_validate_json(await app.ledger.once(call, suppress, insist=True))
    vendors = await suppress_at_vendors(app, ExclusionTarget(view.kind, view.value), call=call, reason=reason)
    return _completed(view, vendors)


def _completed(view: SuppressedView, vendors: VendorSuppressions) -> SuppressedView:
    """Return the view completed with what became of the suppression at the vendors."""
    late = vendors.stopped[max(0, STOPPED_SHOWN - len(view.stopped)) :]
    names, more = fitting([*(view.also_stopped or ()), *(detail.contact.display_name for detail in late)])
    warnings = [GOES_ON] if vendors.going_on else []
    warnings += [BY_ID_ALONE] if vendors.by_id_alone else []
    return view.model_copy(
        update={
            "also": vendors.also[:SHOWN] or None,
            "stopped_count": view.stopped_count + len(vendors.stopped),
            "stopped": (*view.stopped, *map(stopped_view, vendors.stopped))[:STOPPED_SHOWN],
            "also_stopped": names or None,
            "not_named": (view.not_named or 0) + more or None,
            "at_vendors": _fitting(vendors.outcomes) or None,
            "next": " ".join([*(warnings or [view.next or ""]), *_unseen(vendors.unseen)]),
        }
    )


def _unseen(titles: tuple[str, ...]) -> list[str]:
    if not titles:
        return []
    theirs = " or ".join(titles)
    return [f"No API shows the runs begun in the app of {theirs}: look there too."]


def _fitting(outcomes: Mapping[str, str]) -> dict[str, str]:
    """Return what became of it at vendors: what may still reach somebody first, and how many more there are."""
    going_on = sorted(outcomes, key=lambda name: outcomes[name] in QUIET)
    shown = {name: cut(outcomes[name], WORDS_LIMIT) for name in going_on[:SHOWN]}
    if more := len(outcomes) - len(shown):
        shown["more"] = f"{more:,} more runs; list_sequences with their provider shows them."
    return shown


def _view(suppressed: Suppressed) -> SuppressedView:
    return SuppressedView(
        kind=suppressed.kind,
        value=suppressed.value,
        already=suppressed.already,
        **stopped_facts(suppressed.stopped),
        next="Nothing more leaves for them, whatever is started later.",
    )


TOOL = Definition(suppress_contact, title="Never contact again", hints=STOP, staged=True)
