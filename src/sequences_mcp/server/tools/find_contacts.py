"""The tool ``find_contacts``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sequences_mcp.context import AppContext
from sequences_mcp.domain.ids import LOCAL
from sequences_mcp.server.arguments import FIRST_PAGE, PAGE_SIZE, Name, PageNumber, PageSize, Sourced
from sequences_mcp.server.catalog import READ, Definition
from sequences_mcp.server.views.contacts import ContactPage, contact_page
from sequences_mcp.services import contacts as verb


async def find_contacts(
    app: AppContext,
    query: Annotated[Name, Field(description="Part of a name, address, company or title; empty: everybody")] = "",
    provider: Sourced = LOCAL,
    page: PageNumber = FIRST_PAGE,
    size: PageSize = PAGE_SIZE,
) -> ContactPage:
    """Search people, with all that is known."""
    return contact_page(await verb.find_contacts(app, query=query, provider=provider, page=page, size=size))


TOOL = Definition(find_contacts, title="Find contacts", hints=READ)
