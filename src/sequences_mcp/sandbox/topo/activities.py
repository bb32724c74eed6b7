"""Pages "Activities" and "List activities": what happened, the payload in snake_case as the first shows it."""

from __future__ import annotations

from typing import Any

from sequences_mcp.sandbox.rest.call import Call, Reply
from sequences_mcp.sandbox.rest.reading import stamp
from sequences_mcp.sandbox.topo.envelope import ORGANIZATION, paged
from sequences_mcp.sandbox.world.topo import Activity, Topo
from sequences_mcp.sandbox.world.topo_course import derived_id

FILTERS = ("person_id", "sequence_id", "sequence_template_id", "resource_type", "channel")


def listed(call: Call) -> Reply:
    """List, the latest first; ``event_type`` is the second word of a type: ``message.sent`` is SENT."""
    rows = [_row(call.world.topo, activity) for activity in call.world.topo.activities.values()]
    return paged(
        [row for row in rows if _is_wanted(call, row["payload"])],
        call.query,
        sort_by=("created_at",),
        order="desc",
    )


def _is_wanted(call: Call, payload: dict[str, Any]) -> bool:
    exact = all(name not in call.query or payload[name] in call.query.getlist(name) for name in FILTERS)
    event = payload["type"].partition(".")[2].upper()
    return exact and ("event_type" not in call.query or event in call.query.getlist("event_type"))


def _row(state: Topo, activity: Activity) -> dict[str, Any]:
    sequence = state.sequences[activity.sequence_id]
    payload: dict[str, Any] = {
        "type": activity.type,
        "organization_id": ORGANIZATION,
        "person_id": derived_id("person", sequence.contact_id or ""),
        "sequence_id": sequence.id,
        "sequence_template_id": sequence.sequence_template_id,
        "resource_type": activity.resource_type,
        "channel": activity.channel,
        "message_id": activity.message_id,
        "hot_lead_id": None,
        "calendar_event_id": None,
        "task_id": activity.task_id,
    }
    if activity.type == "invitation.sent":
        payload["metadata"] = {"step_number": activity.step_number}
    if activity.type == "message.replied":
        payload["metadata"] = {"reply_category": None}
    return {"id": activity.id, "created_at": stamp(activity.created_at, millis=True), "payload": payload}
