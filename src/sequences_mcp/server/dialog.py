"""A question to the person in a dialog of the chat: a yes, a no, or neither, whatever a client sends back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from mcp.server.mcpserver import Context
from mcp.shared.exceptions import MCPError
from mcp.types import (
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitRequestURLParams,
    ElicitResult,
    InputRequiredResult,
)
from pydantic import ValidationError

ROUNDS_SINCE = "2026-07-28"  # from then on a client answers by calling again
FORM = "consent"
LINK = "review_page"
LINK_TEXT = "Read what would be sent, and to whom, then say yes or no on the review page."
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "approve": {
            "type": "boolean",
            "title": "Start this",
            "description": "Tick to start exactly what is shown above.",
            "default": False,
        }
    },
}


class PersonNeeded(Exception):  # noqa: N818 - not an error: it carries a request to the person out of a tool
    """A tool stops to ask the client for a person."""

    def __init__(self, request: InputRequiredResult) -> None:
        super().__init__("the client is asked for a person")
        self.request = request


class Said(Enum):
    """What an answer amounts to. ``CLOSED``: the person closed the dialog; ``NOTHING``: no answer is in it."""

    YES = "yes"
    NO = "no"
    CLOSED = "closed"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Reply:
    """What was said, and the digest of the plan that had been shown."""

    said: Said
    digest: str


def can_ask(ctx: Context[Any, Any]) -> bool:
    """Say whether the client shows forms; an empty declaration means that it does."""
    declared = ctx.client_capabilities.elicitation if ctx.client_capabilities else None
    return declared is not None and (declared.form is not None or declared.url is None)


def can_open_links(ctx: Context[Any, Any]) -> bool:
    """Say whether the client opens addresses for a person."""
    declared = ctx.client_capabilities.elicitation if ctx.client_capabilities else None
    return declared is not None and declared.url is not None


def is_another_round(ctx: Context[Any, Any]) -> bool:
    """Say whether this call brings the answer to what an earlier round of it asked."""
    return ctx.input_responses is not None or ctx.request_state is not None


async def ask(ctx: Context[Any, Any], question: str, *, digest: str) -> Reply:
    """Return what a person says to the question about a plan with this digest.

    An answer counts for the digest that was shown with it, which the SDK's seal on the state keeps from being
    changed. Raises PersonNeeded in the era in which a client answers by calling again.
    """
    if (ctx.protocol_version or "") < ROUNDS_SINCE:
        return Reply(await _asked_now(ctx, question), digest)
    shown = (ctx.request_state or "").removeprefix(f"{FORM}:")
    if not shown:
        params = ElicitRequestFormParams(message=question, requested_schema=SCHEMA)
        request = {FORM: ElicitRequest(params=params)}
        raise PersonNeeded(InputRequiredResult(input_requests=request, request_state=f"{FORM}:{digest}"))
    return Reply(said_in((ctx.input_responses or {}).get(FORM)), shown)


async def led_to(ctx: Context[Any, Any], address: str, *, name: str) -> Said:
    """Ask the client to open an address: YES once it was, CLOSED, or NOTHING; PersonNeeded as for ``ask``."""
    if (ctx.protocol_version or "") >= ROUNDS_SINCE:
        answer = (ctx.input_responses or {}).get(LINK)
        if answer is None:
            params = ElicitRequestURLParams(message=LINK_TEXT, url=address)
            raise PersonNeeded(InputRequiredResult(input_requests={LINK: ElicitRequest(params=params)}))
        action = answer.action if isinstance(answer, ElicitResult) else None
    else:
        try:
            action = (await ctx.elicit_url(LINK_TEXT, address, name)).action
        except (MCPError, ValueError):  # a client that has no such request, or answers it with something else
            action = None
    if action is None:
        return Said.NOTHING
    return Said.YES if action == "accept" else Said.CLOSED


def said_in(answer: object) -> Said:
    """Return what an answer to the form amounts to: a yes or a no only where ``approve`` is true or false."""
    if not isinstance(answer, ElicitResult):
        return Said.NOTHING
    if answer.action == "accept":
        ticked = (answer.content or {}).get("approve")
        return (
            {True: Said.YES, False: Said.NO}.get(ticked, Said.NOTHING)
            if isinstance(ticked, bool)
            else Said.NOTHING
        )
    return Said.NO if answer.action == "decline" else Said.CLOSED


async def _asked_now(ctx: Context[Any, Any], question: str) -> Said:
    try:
        answer = await ctx.session.elicit_form(question, SCHEMA, related_request_id=ctx.request_id)
    except (MCPError, ValidationError):  # an error instead of an answer, or an answer of no known form
        return Said.NOTHING
    return said_in(answer)
