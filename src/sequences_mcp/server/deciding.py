"""After a plan was made: the person is led to the review page, and their decision comes back into the chat."""

from __future__ import annotations

from typing import Any

import anyio
from mcp.server.mcpserver import Context
from mcp.types import ElicitRequest, ElicitRequestURLParams, ElicitResult, InputRequiredResult

from sequences_mcp.domain.ids import LOCAL, provider_of
from sequences_mcp.domain.plan import Plan, PlanStatus
from sequences_mcp.flows.at_vendor import course_there, title_of
from sequences_mcp.flows.desk import Desk
from sequences_mcp.flows.hand_over import hand_over_soon
from sequences_mcp.server.views.review import plan_view
from sequences_mcp.server.views.start import Approval, StartView, answered, handed_over

ROUNDS_SINCE = "2026-07-28"
LINK = "review_page"
LOOK_EVERY = 1.0
HAND_OVER_AT_MOST = 20.0  # seconds that a call waits for a vendor; the handing over goes on without it
MESSAGE = "Read what would be sent, and to whom, then say yes or no on the review page."
_DECIDED: dict[PlanStatus, Approval] = {
    PlanStatus.APPROVED: "given",
    PlanStatus.REFUSED: "declined",
    PlanStatus.EXPIRED: "expired",
}


class PersonNeeded(Exception):  # noqa: N818 - not an error: it carries a request to the person out of a tool
    """A tool stops to ask the client for a person. The SDK lets no tool with resolvers return the request."""

    def __init__(self, request: InputRequiredResult) -> None:
        super().__init__("the client is asked to open the review page")
        self.request = request


def is_open(view: StartView) -> bool:
    """Say whether nobody has decided about this start."""
    return view.outcome == "waiting_for_approval"


async def refreshed(desk: Desk, view: StartView) -> StartView:
    """Return a start as its plan stands now: decided wherever a person did so, or still waiting."""
    is_at_vendor = provider_of(view.blueprint_id) != LOCAL
    if not (is_open(view) or is_at_vendor):
        return view
    plan = await desk.plans.get_plan(view.plan_id)
    if is_at_vendor and plan.status is PlanStatus.APPROVED:
        return await _handed_over(desk, view, plan)
    if not is_open(view):
        return view
    if plan.status in _DECIDED:
        return answered(view, _DECIDED[plan.status], plan)
    return view.model_copy(update=plan_view(plan).model_dump())


async def _handed_over(desk: Desk, view: StartView, plan: Plan) -> StartView:
    """Return a start at a vendor that a person said yes to, as far as it is; it goes on if the call does not."""
    found = await hand_over_soon(desk, plan_id=plan.id, seconds=HAND_OVER_AT_MOST)
    if view.approval != "by_operator":
        view = answered(view, "given", plan)
    return handed_over(view, found, title=title_of(plan), course=course_there(plan))


async def led_to_page(desk: Desk, ctx: Context[Any, Any], view: StartView) -> StartView:
    """Ask the client to open the review page, where it can and the page is served; return what came of it.

    The address carries no credential. Declining to look is no answer to the plan, which goes on waiting. Raises
    PersonNeeded in the era in which a client answers by calling again.
    """
    address = desk.page_address(f"/plans/{view.plan_id}")
    if address is None or not desk.elicitation or not _opens_links(ctx):
        return view
    if (ctx.protocol_version or "") >= ROUNDS_SINCE:
        said = (ctx.input_responses or {}).get(LINK)
        if said is None:
            request = ElicitRequest(params=ElicitRequestURLParams(message=MESSAGE, url=address))
            raise PersonNeeded(InputRequiredResult(input_requests={LINK: request}))
        opened = isinstance(said, ElicitResult) and said.action == "accept"
    else:
        opened = (await ctx.elicit_url(MESSAGE, address, view.plan_id)).action == "accept"
    return view if opened else answered(view, "dismissed")


async def decided(desk: Desk, ctx: Context[Any, Any], view: StartView, *, seconds: int) -> StartView:
    """Return a start once somebody has decided about it, or after so many seconds as it then stands."""
    if not seconds:
        return view
    with anyio.move_on_after(seconds):
        waited = 0.0
        while is_open(view):
            await ctx.report_progress(waited, seconds, "waiting for a person's decision")
            await anyio.sleep(LOOK_EVERY)
            waited += LOOK_EVERY
            view = await refreshed(desk, view)
    return view


def _opens_links(ctx: Context[Any, Any]) -> bool:
    declared = ctx.client_capabilities.elicitation if ctx.client_capabilities else None
    return declared is not None and declared.url is not None
