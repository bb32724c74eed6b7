"""What waits for a person: plans, single texts, and changes at vendors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sequences_mcp.domain.ids import Kind, parse
from sequences_mcp.domain.page import DEFAULT_SIZE, Page
from sequences_mcp.domain.plan import Plan
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.flows.plan_warnings import number_of_warnings
from sequences_mcp.providers.port import Draft
from sequences_mcp.providers.record_port import AskedChange


@dataclass(frozen=True, slots=True)
class Reviews:
    """Plans that wait, and texts that wait: of one plan, or of the sequences under way.

    ``warnings`` is, by plan id, how many a yes covers; ``changes`` are those that agents asked for at vendors.
    """

    plans: Page[Plan]
    drafts: Page[Draft]
    warnings: Mapping[str, int]
    changes: Page[AskedChange]

    @property
    def has_more(self) -> bool:
        """Whether another page follows, of any of them."""
        return self.plans.has_more or self.drafts.has_more or self.changes.has_more


async def list_reviews(
    desk: Desk, *, plan_id: str | None = None, page: int = 1, size: int = DEFAULT_SIZE
) -> Reviews:
    """Return what waits; with ``plan_id`` only that plan and the texts in it to be written or read."""
    drafts = offered(desk.local.drafts, desk.local, verb="list drafts")
    if plan_id is None:
        plans = await desk.plans.list_plans(page=page, size=size)
        changes = await desk.changes.waiting(page=page, size=size)
    else:
        parse(plan_id, Kind.PLAN)
        plans = Page((await desk.plans.get_plan(plan_id),), 1, 1, size)
        changes = Page((), 0, page, size)
    warnings = {plan.id: await number_of_warnings(desk, plan) for plan in plans.items}
    found = await drafts.list_drafts(plan_id=plan_id, page=page, size=size)
    return Reviews(plans, found, warnings, changes)
