"""Page "Get me": what a key is and may do. It needs no scope."""

from __future__ import annotations

from sequences_mcp.sandbox.rest.call import Call, Reply
from sequences_mcp.sandbox.rest.reading import stamp
from sequences_mcp.sandbox.topo.envelope import ORGANIZATION
from sequences_mcp.sandbox.world.topo_course import derived_id


def shown(call: Call) -> Reply:
    """Show the key that asks."""
    return Reply(
        {
            "id": derived_id("key", call.key.name),
            "organization_id": ORGANIZATION,
            "name": call.key.name,
            "key_prefix": call.key.token[:12],
            "scopes": sorted(call.key.scopes),
            "last_used_at": stamp(call.now),
            "created_at": "2026-01-05T09:00:00Z",
        }
    )
