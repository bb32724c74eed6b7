"""A change of what a vendor sends to people under way: asked for by an agent, kept until a person decides."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, NoReturn

from sequences_mcp.domain.ids import VENDORS, provider_of
from sequences_mcp.errors import ApprovalPendingError
from sequences_mcp.flows.desk import Desk
from sequences_mcp.providers.record_port import AskedChange

VARIABLES = "update_sequence"
NOTHING = "(nothing)"
_BASE = "expected_version"


class Changed(NamedTuple):
    """One value that is changed, in words."""

    name: str
    before: str
    after: str


async def ask_for(
    desk: Desk, tool: str, subject: str, *, arguments: Mapping[str, object], earlier: Mapping[str, object]
) -> NoReturn:
    """Keep the change for a person and raise ApprovalPendingError, which says where. Nothing is changed."""
    change = await desk.changes.ask(tool, subject, arguments=arguments, earlier=earlier)
    ways = desk.ways_to_review(path=f"/changes/{change.id}", command=f"approve {change.id}")
    raise ApprovalPendingError(
        f"This changes what {vendor_of(change)} sends to people under way, so it waits for a person until "
        f"{change.expires_at:%Y-%m-%d %H:%M} UTC. Nothing was changed.",
        next_step=f"A person reads old and new and decides {ways}. withdraw_plan with this id takes it back.",
        data={"change_id": change.id, "before": dict(earlier), "after": dict(arguments)},
    )


def vendor_of(change: AskedChange) -> str:
    """Return how people write the name of the vendor at which something is changed."""
    return VENDORS[provider_of(change.subject)]


def what_it_is(change: AskedChange) -> str:
    """Return in words what is changed."""
    kind = "Variables of a run" if change.tool == VARIABLES else "A blueprint with people under way"
    return f"{kind} at {vendor_of(change)}"


def differences(change: AskedChange) -> tuple[Changed, ...]:
    """Return what is changed, value by value, from what to what; of steps only what differs."""
    given = change.arguments.get("variables") if change.tool == VARIABLES else change.arguments
    found: list[Changed] = []
    for name, new in (given or {}).items():
        if name == "steps" and new is not None:
            found += _steps(change.earlier.get("steps") or [], new)
        elif change.tool == VARIABLES or (new is not None and name not in (_BASE, "blueprint_id")):
            old = change.earlier.get(name, "(not told by its API)" if name == "config" else None)
            found.append(Changed(name, _words(old), _words(new)))
    return tuple(found)


def _steps(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Iterator[Changed]:
    before, after = ({step["id"]: step for step in steps} for steps in (old, new))
    for own in dict.fromkeys([*before, *after]):
        was, will = before.get(own, {}), after.get(own, {})
        for name in dict.fromkeys([*was, *will]):
            if was.get(name) != will.get(name):
                yield Changed(f"step {own}: {name}", _words(was.get(name)), _words(will.get(name)))
    if list(before) != list(after):
        yield Changed("the order of the steps", ", ".join(before), ", ".join(after))


def _words(value: object) -> str:
    if value is None:
        return NOTHING
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
