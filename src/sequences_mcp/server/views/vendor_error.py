"""What a vendor answered, as a result shows it: the same object in an error, in a start and in a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sequences_mcp.server.text import cut

KINDS_SHOWN = 3
TEXT_LIMIT = 500
ORDER = (
    *("code", "message", "next", "retryable", "link", "retry_after", "missing_scope", "operation_id"),
    *("cause", "why", "vendor_status", "vendor_code", "vendor_detail", "vendor_message", "vendor_data"),
    "request_id",
)


def vendor_error(facts: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return an error's facts in one order, long texts cut; None for none."""
    if facts is None:
        return None
    return {name: _fit(facts[name]) for name in ORDER if facts.get(name) is not None}


def vendor_errors(found: Iterable[tuple[Mapping[str, Any], int]]) -> tuple[dict[str, Any], ...] | None:
    """Return the first kinds of answers about several people, each with ``people``; None for none."""
    kinds = list(found)
    shown = [{"people": people, **(vendor_error(facts) or {})} for facts, people in kinds[:KINDS_SHOWN]]
    if len(kinds) > KINDS_SHOWN:
        rest = sum(people for _, people in kinds[KINDS_SHOWN:])
        shown.append({"people": rest, "message": f"{len(kinds) - KINDS_SHOWN} more kinds of answers."})
    return tuple(shown) or None


def _fit(value: Any) -> Any:
    return cut(value, TEXT_LIMIT) if isinstance(value, str) else value
