"""The tool ``save_contacts``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from sequences_mcp.context import AppContext
from sequences_mcp.domain.ids import LOCAL
from sequences_mcp.ports.embedded import MOST_ON_LOOP
from sequences_mcp.server.arguments import ContactFormat, Holder, Unpacked
from sequences_mcp.server.catalog import WRITE, Definition
from sequences_mcp.server.views.contacts import ContactsSaved, contacts_placed, contacts_saved
from sequences_mcp.services import contacts as verb
from sequences_mcp.services.contacts import place_contacts


async def save_contacts(
    app: AppContext, contacts: Annotated[list[Any], Unpacked, ContactFormat], provider: Holder = LOCAL
) -> ContactsSaved:
    """Save people, all or none. Someone known (same email, else phone) is updated: fields left out
    stay, a note is appended. At a vendor each person has an outcome of their own."""
    if provider == LOCAL:
        return contacts_saved(await app.local.save_contacts(contacts))
    return contacts_placed(await place_contacts(app, place_id=provider, contacts=contacts))


async def _read(app: AppContext, arguments: Mapping[str, Any]) -> dict[str, Any]:
    if arguments["provider"] != LOCAL:  # a vendor checks its people itself; a wrong provider is refused there
        return dict(arguments)
    return {**arguments, "contacts": await verb.entries_to_save(app, contacts=arguments["contacts"])}


def _is_long(arguments: Mapping[str, Any]) -> bool:
    return arguments["provider"] == LOCAL and len(arguments["contacts"]) > MOST_ON_LOOP


TOOL = Definition(save_contacts, title="Save contacts", hints=WRITE, read_first=_read, is_long=_is_long)
