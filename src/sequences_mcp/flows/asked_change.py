"""A change of what a vendor sends to people under way: asked for by an agent, kept until a person decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from sequences_mcp.domain.ids import VENDORS, provider_of
from sequences_mcp.errors import ApprovalError
from sequences_mcp.flows.desk import Desk


async def ask_for(
    desk: Desk, tool: str, subject: str, *, arguments: Mapping[str, object], earlier: Mapping[str, object]
) -> NoReturn:
    """Keep the change for a person and raise ApprovalError, which says where it waits. Nothing is changed."""
    change = await desk.changes.ask(tool, subject, arguments=arguments, earlier=earlier)
    title = VENDORS[provider_of(subject)]
    raise ApprovalError(
        f"This changes what {title} sends to people under way, so it waits for a person. Nothing was changed.",
        next_step=f"A person reads and approves it in a terminal: sequences-mcp review approve {change.id}.",
        data={"change_id": change.id, "before": dict(earlier), "after": dict(arguments)},
    )
