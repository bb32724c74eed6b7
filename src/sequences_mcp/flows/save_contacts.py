"""Upsert people: by primary e-mail without case, then by phone."""

from __future__ import annotations

from collections.abc import Sequence as Items

from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.flows.entry import read_rows
from sequences_mcp.providers.port import SavedContact


async def save_contacts(desk: Desk, *, contacts: Items[object]) -> list[SavedContact]:
    """Save all or none; a note is appended with a stamp and nothing stored is erased."""
    rows = read_rows(contacts, policy=desk.policy, extras=False)
    store = offered(desk.local.contacts, desk.local, verb="save contacts")
    entries = [entry.contact for entry in rows.entries]
    if not rows.is_sound:  # one answer names what is wrong with the other rows too
        rows.require_sound((await store.match_contacts(entries)).problems)
    return await store.save_contacts(entries)
