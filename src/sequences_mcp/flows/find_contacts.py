"""Search people."""

from __future__ import annotations

from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.page import DEFAULT_SIZE, Page
from sequences_mcp.flows.desk import Desk, offered


async def find_contacts(desk: Desk, *, query: str = "", page: int = 1, size: int = DEFAULT_SIZE) -> Page[Contact]:
    """Return people whose name, address, company or title contains the query; everybody for an empty one."""
    contacts = offered(desk.local.contacts, desk.local, verb="search contacts")
    return await contacts.find_contacts(query.strip(), page=page, size=size)
