"""Page "Update contact variables": merged, in two scopes of at most 200 keys.

Paths and body keys are not published. Chosen: ``/v1/contacts/{id}/variables``, a body of
``{"contact": {…}, "company": {…}}``, and DELETE of ``…/variables/{key}?scope=contact``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sequences_mcp.sandbox.rest.call import Call, Reply
from sequences_mcp.sandbox.rest.reading import choice, only
from sequences_mcp.sandbox.rest.refusal import BadInput, NoSuch
from sequences_mcp.sandbox.topo.contacts import contact_of

SCOPES = ("contact", "company")
MOST = 200

Variables = Mapping[str, str | None]


def shown(call: Call) -> Reply:
    """Show both scopes."""
    return Reply(dict(_variables(call)))


def merge(call: Call) -> Reply:
    """Write the keys given; null clears a value and keeps the key."""
    fields = call.fields()
    only(fields, SCOPES)
    merged = {scope: {**known, **_given(fields, scope)} for scope, known in _variables(call).items()}
    full = next((scope for scope, values in merged.items() if len(values) > MOST), None)
    if full is not None:
        raise BadInput(f"At most {MOST} variables per scope", field=full)
    return _stored(call, merged)


def remove(call: Call) -> Reply:
    """Remove a key and free its slot."""
    scope, key = choice(call.query, "scope", SCOPES, default="contact"), call.path["key"]
    variables = _variables(call)
    if key not in variables[scope]:
        raise NoSuch("Variable")
    left = {name: value for name, value in variables[scope].items() if name != key}
    _stored(call, {**variables, scope: left})
    return Reply(None, 204)


def _variables(call: Call) -> Mapping[str, Variables]:
    known = call.world.topo.variables.get(contact_of(call).id, {})
    return {scope: dict(known.get(scope, {})) for scope in SCOPES}


def _given(fields: Mapping[str, Any], scope: str) -> dict[str, str | None]:
    values = fields.get(scope, {})
    if not isinstance(values, dict) or not all(isinstance(value, str | None) for value in values.values()):
        raise BadInput(f"{scope} must be an object of strings", field=scope)
    return values


def _stored(call: Call, variables: Mapping[str, Variables]) -> Reply:
    state = call.world.topo
    call.world.topo = replace(state, variables={**state.variables, contact_of(call).id: variables})
    return Reply(dict(variables))
