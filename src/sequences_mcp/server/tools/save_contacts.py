"""The tool ``save_contacts``."""

from __future__ import annotations

from typing import Annotated, Any

from sequences_mcp.domain.ids import LOCAL
from sequences_mcp.flows import save_contacts as verb
from sequences_mcp.flows.desk import Desk
from sequences_mcp.flows.place_contacts import place_contacts
from sequences_mcp.server.arguments import ContactFormat, Holder, Unpacked
from sequences_mcp.server.definition import WRITE, Definition
from sequences_mcp.server.views.contact import ContactsSaved, contacts_placed, contacts_saved


async def save_contacts(
    desk: Desk, contacts: Annotated[list[Any], Unpacked, ContactFormat], provider: Holder = LOCAL
) -> ContactsSaved:
    """Save people, all or none. Someone already known (same email, else same phone)
    is updated: fields left out stay, a note is appended. At a vendor each person
    has an outcome of their own."""
    if provider == LOCAL:
        return contacts_saved(await verb.save_contacts(desk, contacts=contacts))
    return contacts_placed(await place_contacts(desk, place_id=provider, contacts=contacts))


TOOL = Definition(save_contacts, title="Save contacts", hints=WRITE)
