"""Page through what is being filled at Kalent."""

from __future__ import annotations

from sequences_mcp.domain.page import DEFAULT_SIZE, Page
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.providers.vendor_port import SourcingRow


async def list_sourcings(desk: Desk, *, page: int = 1, size: int = DEFAULT_SIZE) -> Page[SourcingRow]:
    """Return one page; NotSupportedError where Kalent is not connected."""
    kalent = desk.named("kalent")
    return await offered(kalent.sourcings, kalent, verb="list sourcings").list_sourcings(page=page, size=size)
