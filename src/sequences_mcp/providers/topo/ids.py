"""Topo's own part of a whole id, by what it is the id of. Each raises WrongIdError for another provider's id."""

from __future__ import annotations

from sequences_mcp.providers.topo.errors import TOPO


def sequence(whole_id: str) -> str:
    """Return the id of a run."""
    return TOPO.own(whole_id, "a sequence id", listed_by="list_sequences")


def blueprint(whole_id: str) -> str:
    """Return the id of a sequence template."""
    return TOPO.own(whole_id, "a blueprint id", listed_by="list_blueprints")


def contact(whole_id: str) -> str:
    """Return the id of a contact."""
    return TOPO.own(whole_id, "a contact id", listed_by="find_contacts")


def contact_list(whole_id: str) -> str:
    """Return the id of a contact list."""
    return TOPO.own(whole_id, "a contact list id", listed_by="save_contacts with the provider `topo`")


def task(whole_id: str) -> str:
    """Return the id of a task."""
    return TOPO.own(whole_id, "a task id", listed_by="list_tasks")


def exclusion(whole_id: str) -> str:
    """Return the id of an exclusion."""
    return TOPO.own(whole_id, "an exclusion id", listed_by="suppress_contact")
