"""The tool ``erase_contact``: asks a person to erase somebody, who is erased once that person has approved it."""

from __future__ import annotations

import json
from typing import Annotated, Any

from mcp.server.mcpserver import Context
from pydantic import Field

from sequences_mcp.context import AppContext
from sequences_mcp.errors import ApprovalPendingError
from sequences_mcp.server.arguments import ShortText
from sequences_mcp.server.catalog import Definition, Hints
from sequences_mcp.server.start_answers import change_decided
from sequences_mcp.server.text import cut
from sequences_mcp.server.view import WrittenView
from sequences_mcp.services import erasure as verb

FOREVER = Hints(read_only=False, destructive=True, idempotent=False, open_world=False)
UNSWEPT = (
    "Another program holds the database: old bytes in its file go with the next due work (sequences-mcp work)."
)
WORDS_LIMIT = 300


class ErasedView(WrittenView):
    """What was erased, in numbers, and what vendors still hold; ``still_named_in`` stays as it was approved."""

    sequences: int
    stopped: int
    texts: int
    replies: int
    audit_rows: int
    at_vendors: dict[str, str] | None = None
    still_named_in: tuple[str, ...] | None = None
    older_copies: tuple[str, ...] | None = None


async def erase_contact(
    app: AppContext,
    contact: Annotated[ShortText, Field(description="Contact id or email address")],
    ctx: Context[Any, Any],
) -> ErasedView:
    """Erase all data of one person, once a person has approved it; they are never contacted again. Not undone."""
    change = await verb.ask_to_erase(app, contact=contact)
    try:
        verb.require_person(app, change)
    except ApprovalPendingError as error:
        report = json.loads(await change_decided(app, ctx, error, effect=_nothing))
    tally = report["tally"]
    return ErasedView(
        sequences=tally["runs"],
        **{name: tally[name] for name in ("stopped", "texts", "replies", "audit_rows")},
        at_vendors={title: cut(words, WORDS_LIMIT) for title, words in report["at_vendors"].items()} or None,
        still_named_in=tuple(app.records.seen(tally["mentions"])[:10]) or None,
        older_copies=tuple(report["copies"]) or None,
        next=" ".join([verb.COPIES, *([] if tally["is_swept"] else [UNSWEPT])]),
    )


async def _nothing(app: AppContext) -> str:
    """Return an empty result: the approval itself erases, so nothing is left to carry out."""
    return "{}"


TOOL = Definition(erase_contact, title="Erase a person", hints=FOREVER, staged=True)
