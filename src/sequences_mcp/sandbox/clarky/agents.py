"""Page "Agents": read-only, to learn a ``bot_id``. The path is inferred from the page's name."""

from __future__ import annotations

from typing import Any

from sequences_mcp.sandbox.clarky.envelope import WORKSPACE, paged, single
from sequences_mcp.sandbox.rest.call import Call, Reply
from sequences_mcp.sandbox.rest.refusal import NoSuch
from sequences_mcp.sandbox.world.clarky import Agent


def listed(call: Call) -> Reply:
    """List the workspace's agents."""
    return paged([_row(agent) for agent in call.world.clarky.agents.values()], call.query)


def shown(call: Call) -> Reply:
    """Show one agent."""
    if agent := call.world.clarky.agents.get(call.path["id"]):
        return single(_row(agent))
    raise NoSuch("Agent")


def _row(agent: Agent) -> dict[str, Any]:
    return {
        "id": agent.id,
        "workspace_id": WORKSPACE,
        "name": agent.name,
        "slug": agent.name.lower().replace(" ", "-"),
        "summary": None,
        "is_agent": True,
        "enabled": True,
        "public": False,
        "agent_role": "sales",
        "agent_type": "external",
        "agent_status": "active",
        "agent_color": None,
        "agent_email": agent.email,
        "agent_phone": agent.phone,
    }
