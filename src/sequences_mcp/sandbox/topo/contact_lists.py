"""Pages "Contact lists", "Create contact lists" and "Update contact list".

A new list with a wrong template makes the whole creation fail: the page says all or nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from sequences_mcp.sandbox.rest.call import Call, Reply
from sequences_mcp.sandbox.rest.reading import objects, optional_text, stamp, text
from sequences_mcp.sandbox.rest.refusal import BadInput, NoSuch
from sequences_mcp.sandbox.topo.envelope import batch, created_between, matching, paged
from sequences_mcp.sandbox.world.topo import ContactList, Topo

SORT_BY = ("created_at", "updated_at", "name")
TEMPLATE = "default_sequence_template_id"


def listed(call: Call) -> Reply:
    """List by exact name and time of creation."""
    rows = [_row(call.world.topo, one) for one in call.world.topo.lists.values()]
    found = matching(call.query, created_between(call.query, rows), {"name": "name"})
    return paged(found, call.query, sort_by=SORT_BY)


def shown(call: Call) -> Reply:
    """Show one."""
    return Reply(_row(call.world.topo, _list_of(call)))


def create(call: Call) -> Reply:
    """Make 1 to 100 lists."""
    made = [
        ContactList(
            id=call.world.new_uuid(),
            name=text(item, "name"),
            default_sequence_template_id=_template(call, item),
            created_at=call.now,
            updated_at=call.now,
        )
        for item in objects(call.fields(), "items", most=100)
    ]
    state = call.world.topo
    call.world.topo = replace(state, lists={**state.lists, **{one.id: one for one in made}})
    return batch([partial(_created, call, one) for one in made])


def _created(call: Call, one: ContactList) -> tuple[str, dict[str, Any]]:
    return "CREATED", _row(call.world.topo, one)


def update(call: Call) -> Reply:
    """Change the name, or the template, which null clears."""
    known, fields = _list_of(call), call.fields()
    name = text(fields, "name") if "name" in fields else known.name
    template = _template(call, fields) if TEMPLATE in fields else known.default_sequence_template_id
    changed = replace(known, name=name, default_sequence_template_id=template, updated_at=call.now)
    state = call.world.topo
    call.world.topo = replace(state, lists={**state.lists, changed.id: changed})
    return Reply(_row(call.world.topo, changed))


def _template(call: Call, fields: Mapping[str, Any]) -> str | None:
    template_id = optional_text(fields, TEMPLATE)
    if template_id is not None and template_id not in call.world.topo.templates:
        raise BadInput(f"{TEMPLATE} is not a template of this workspace", field=TEMPLATE)
    return template_id


def _list_of(call: Call) -> ContactList:
    if found := call.world.topo.lists.get(call.path["contact_list_id"]):
        return found
    raise NoSuch("Contact list")


def _row(state: Topo, one: ContactList) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        TEMPLATE: one.default_sequence_template_id,
        "entries_count": sum(entry.contact_list_id == one.id for entry in state.entries.values()),
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.updated_at),
    }
