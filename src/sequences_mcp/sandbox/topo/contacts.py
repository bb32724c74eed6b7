"""Pages "Contacts" and "List contacts": read-only."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sequences_mcp.domain.addresses import address_key
from sequences_mcp.sandbox.rest.call import Call, Reply
from sequences_mcp.sandbox.rest.reading import optional_moment, stamp
from sequences_mcp.sandbox.rest.refusal import NoSuch
from sequences_mcp.sandbox.topo.envelope import paged
from sequences_mcp.sandbox.world.topo import Contact
from sequences_mcp.sandbox.world.topo_course import canonical_profile

SORT_BY = ("first_seen_at", "last_seen_at", "email")


def listed(call: Call) -> Reply:
    """List by address, LinkedIn profile, id and when they were seen."""
    first, last = optional_moment(call.query, "first_seen_after"), optional_moment(call.query, "last_seen_after")
    found = [
        _row(contact)
        for contact in call.world.topo.contacts.values()
        if (first is None or contact.first_seen_at > first)
        and (last is None or contact.last_seen_at > last)
        and _is_wanted(call, contact)
    ]
    return paged(found, call.query, sort_by=SORT_BY)


def _is_wanted(call: Call, contact: Contact) -> bool:
    email, profile = call.query.get("email"), call.query.get("linkedin_url")
    return (
        (email is None or address_key(email) == address_key(contact.email or ""))
        and (profile is None or canonical_profile(profile) == canonical_profile(contact.linkedin_url))
        and call.query.get("contact_id", contact.id) == contact.id
    )


def shown(call: Call) -> Reply:
    """Show one."""
    return Reply(_row(contact_of(call)))


def contact_of(call: Call) -> Contact:
    """Return the contact of the path."""
    if contact := call.world.topo.contacts.get(call.path["contact_id"]):
        return contact
    raise NoSuch("Contact")


def _row(contact: Contact) -> dict[str, Any]:
    seen = {"first_seen_at": stamp(contact.first_seen_at), "last_seen_at": stamp(contact.last_seen_at)}
    return {**asdict(contact), **seen}
