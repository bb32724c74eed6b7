"""Upsert people: by primary e-mail without case, then by phone."""

from __future__ import annotations

from collections.abc import Sequence as Items

from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.flows.entry import read_entries
from sequences_mcp.providers.port import SavedContact


async def save_contacts(desk: Desk, *, contacts: Items[object]) -> list[SavedContact]:
    """Save all or none; a note is appended with a stamp and nothing stored is erased."""
    entries = read_entries(contacts, policy=desk.policy, extras=False)
    store = offered(desk.local.contacts, desk.local, verb="save contacts")
    return await store.save_contacts([entry.contact for entry in entries])
