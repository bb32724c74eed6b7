"""The tool ``save_contacts``."""

from __future__ import annotations

from typing import Annotated, Any

from sequences_mcp.flows import save_contacts as verb
from sequences_mcp.flows.desk import Desk
from sequences_mcp.server.arguments import ContactFormat
from sequences_mcp.server.definition import WRITE, Definition
from sequences_mcp.server.views.contact import ContactsSaved, contacts_saved


async def save_contacts(desk: Desk, contacts: Annotated[list[Any], ContactFormat]) -> ContactsSaved:
    """Save people, all or none. Someone already known (same email, else same phone)
    is updated: fields left out stay, a note is appended."""
    return contacts_saved(await verb.save_contacts(desk, contacts=contacts))


TOOL = Definition(save_contacts, title="Save contacts", hints=WRITE)
