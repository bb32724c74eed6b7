"""The tool ``suppress_contact``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sequences_mcp.flows import suppress_contact as verb
from sequences_mcp.flows.desk import Desk
from sequences_mcp.server.arguments import ShortText
from sequences_mcp.server.definition import STOP, Definition
from sequences_mcp.server.view import WrittenView
from sequences_mcp.server.views.sequence import StoppedView, stopped_view


class SuppressedView(WrittenView):
    """What is now suppressed, whether it already was, and every run that was stopped."""

    kind: str
    value: str
    already: bool
    stopped: tuple[StoppedView, ...]


async def suppress_contact(
    desk: Desk,
    contact: Annotated[ShortText, Field(description="Contact id, email address or domain")],
    reason: ShortText,
) -> SuppressedView:
    """Never contact a person, address or whole domain again, through any provider: stops what runs and keeps them
    out of every later start."""
    found = await verb.suppress_contact(desk, contact=contact, reason=reason)
    return SuppressedView(
        kind=found.kind,
        value=found.value,
        already=found.already,
        stopped=tuple(map(stopped_view, found.stopped)),
        next="Nothing more leaves for them, whatever is started later.",
    )


TOOL = Definition(suppress_contact, title="Never contact again", hints=STOP)
