"""Page "Create contact entries": the way onto a template, by a list that has one.

Chosen, as not published: someone who is on the list already is UPDATED and not enrolled again; someone excluded,
or an unknown list, is FAILED by itself; entries are read as account entries are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from sequences_mcp.sandbox.rest.call import Call, Reply
from sequences_mcp.sandbox.rest.reading import objects, optional_text, stamp
from sequences_mcp.sandbox.rest.refusal import BadInput, NoSuch, Refused
from sequences_mcp.sandbox.topo.envelope import batch, created_between, matching, paged
from sequences_mcp.sandbox.topo.exclusions import is_excluded
from sequences_mcp.sandbox.world.topo import Entry
from sequences_mcp.sandbox.world.topo_course import is_same_person

GIVEN = (
    "first_name",
    "last_name",
    "email",
    "linkedin_url",
    "company_name",
    "company_domain",
    "job_title",
    "phone",
)
SORT_BY = ("created_at", "updated_at")


def create(call: Call) -> Reply:
    """Put 1 to 100 people on lists; they become contacts, and are enrolled, after the answer."""
    items = objects(call.fields(), "items", most=100)
    asked = [_checked(call, number, item) for number, item in enumerate(items)]
    return batch([partial(_added, call, entry) for entry in asked])


def _checked(call: Call, number: int, item: Mapping[str, Any]) -> Entry:
    entry = Entry(
        id=call.world.new_uuid(),
        contact_list_id=optional_text(item, "contact_list_id") or "",
        created_at=call.now,
        updated_at=call.now,
        **{name: optional_text(item, name) for name in GIVEN},
    )
    if not entry.contact_list_id:
        raise BadInput("contact_list_id is required", field=f"items[{number}].contact_list_id")
    if not entry.email and not entry.linkedin_url:
        raise BadInput("At least one of email, linkedin_url is required", field=f"items[{number}].email")
    return entry


def _added(call: Call, entry: Entry) -> tuple[str, dict[str, Any]]:
    state = call.world.topo
    if entry.contact_list_id not in state.lists:
        raise Refused(404, "NotFoundIssue", "Contact list not found")
    if is_excluded(state, entry, call.now):
        raise Refused(422, "BusinessIssue", "This contact is excluded")
    known = next((e for e in state.entries.values() if _is_same_entry(e, entry)), None)
    kept = entry if known is None else _merged(known, entry)
    call.world.topo = replace(state, entries={**state.entries, kept.id: kept})
    return "CREATED" if known is None else "UPDATED", _row(kept)


def _is_same_entry(one: Entry, other: Entry) -> bool:
    return one.contact_list_id == other.contact_list_id and is_same_person(one, other)


def _merged(known: Entry, new: Entry) -> Entry:
    values = {name: getattr(new, name) or getattr(known, name) for name in GIVEN}
    return replace(known, **values, updated_at=new.updated_at)


def listed(call: Call) -> Reply:
    """List entries, of one list where ``contact_list_id`` is given."""
    rows = [_row(entry) for entry in call.world.topo.entries.values()]
    found = matching(call.query, created_between(call.query, rows), {"contact_list_id": "contact_list_id"})
    return paged(found, call.query, sort_by=SORT_BY)


def shown(call: Call) -> Reply:
    """Show one entry."""
    if entry := call.world.topo.entries.get(call.path["contact_entry_id"]):
        return Reply(_row(entry))
    raise NoSuch("Contact entry")


def _row(entry: Entry) -> dict[str, Any]:
    return {**asdict(entry), "created_at": stamp(entry.created_at), "updated_at": stamp(entry.updated_at)}
