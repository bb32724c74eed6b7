"""Pages "Sequence templates": read-only, without the steps."""

from __future__ import annotations

from typing import Any

from sequences_mcp.sandbox.rest.call import Call, Reply
from sequences_mcp.sandbox.rest.reading import optional_stamp, stamp
from sequences_mcp.sandbox.rest.refusal import NoSuch
from sequences_mcp.sandbox.topo.envelope import created_between, matching, paged
from sequences_mcp.sandbox.world.topo import Template

SORT_BY = ("created_at", "updated_at", "name")


def listed(call: Call) -> Reply:
    """List by exact name, status and time of creation."""
    rows = [_row(template) for template in call.world.topo.templates.values()]
    found = matching(call.query, created_between(call.query, rows), {"name": "name", "status": "status"})
    return paged(found, call.query, sort_by=SORT_BY)


def shown(call: Call) -> Reply:
    """Show one."""
    if template := call.world.topo.templates.get(call.path["sequence_template_id"]):
        return Reply(_row(template))
    raise NoSuch("Sequence template")


def _row(template: Template) -> dict[str, Any]:
    return {
        "id": template.id,
        "name": template.name,
        "summary": template.summary,
        "status": template.status,
        "step_count": len(template.touches),
        "language": template.language,
        "timezone": template.timezone,
        "activated_at": optional_stamp(template.activated_at),
        "created_at": stamp(template.created_at),
        "updated_at": stamp(template.updated_at),
    }
