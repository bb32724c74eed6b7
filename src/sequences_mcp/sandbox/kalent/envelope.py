"""Kalent's answers: ``{"success": true, "data": …}``, and the refusal of a plan.

The status of a success is not published; 200 was chosen for every call.
"""

from __future__ import annotations

from typing import Any

from starlette.datastructures import QueryParams

from sequences_mcp.sandbox.rest.call import Call, Reply
from sequences_mcp.sandbox.rest.reading import integer
from sequences_mcp.sandbox.rest.refusal import Refused

BILLING = "https://app.kalent.ai/settings/billing"
WORDS = {"create_sourcings": "create sourcings", "use_outreach_integrations": "use outreach integrations"}


def success(data: dict[str, Any]) -> Reply:
    """Return data in the envelope."""
    return Reply({"success": True, "data": data})


def require_plan(call: Call, capability: str) -> None:
    """Refuse with 402 when the plan behind the key lacks the capability."""
    if capability not in call.key.lacks:
        return
    raise Refused(
        402,
        "plan_upgrade_required",
        f"A Kalent subscription or plan upgrade is required to {WORDS[capability]}. "
        f"Please subscribe or upgrade your plan in Kalent billing: {BILLING}",
        details={
            "code": "subscription_or_plan_upgrade_required",
            "action": "subscribe_or_upgrade",
            "capability": capability,
            "billingUrl": BILLING,
        },
    )


def require_credits(call: Call) -> None:
    """Refuse with 402 when the account behind the key has no credits."""
    if "credits" in call.key.lacks:
        raise Refused(402, "insufficient_credits", "Insufficient credits")


def paged(rows: list[dict[str, Any]], query: QueryParams, *, number: str, size: int, name: str) -> Reply:
    """Return one page of rows; ``number`` is this endpoint's name of the zero-based page, ``size`` its default."""
    page = integer(query, number, 0, low=0)
    length = integer(query, "pageSize", size, low=1, high=50)
    shown = rows[page * length : (page + 1) * length]
    more = (page + 1) * length < len(rows)
    counts = {number: page, "pageSize": length, "total": len(rows), "hasNextPage": more}
    return success({name: shown, "pagination": counts})
