"""Topo's answers: the bare object, the list envelope, the batch envelope (page "Pagination and filtering")."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from starlette.datastructures import QueryParams

from sequences_mcp.sandbox.rest.call import Reply
from sequences_mcp.sandbox.rest.reading import choice, integer, optional_moment, stamp
from sequences_mcp.sandbox.rest.refusal import Refused

# The organization of every key of the sandbox.
ORGANIZATION = "22222222-2222-4222-8222-222222222222"


def paged(
    rows: Iterable[dict[str, Any]], query: QueryParams, *, sort_by: Sequence[str], order: str = "asc"
) -> Reply:
    """Return one page in the order asked for; ``sort_by`` begins with the default."""
    field = choice(query, "sort_by", sort_by, default=sort_by[0])
    descending = choice(query, "sort_order", ("asc", "desc"), default=order) == "desc"
    page, size = integer(query, "page", 1, low=1), integer(query, "size", 10, low=1, high=100)
    found = sorted(rows, key=lambda row: str(row[field] or ""), reverse=descending)
    pages = -(-len(found) // size)
    shown = found[(page - 1) * size : page * size]
    return Reply({"items": shown, "total_count": len(found), "total_pages": pages, "has_more": page < pages})


def created_between(query: QueryParams, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows created strictly after ``created_at_after`` and before ``created_at_before``."""
    after, before = optional_moment(query, "created_at_after"), optional_moment(query, "created_at_before")
    low, high = after and stamp(after), before and stamp(before)
    return [
        row
        for row in rows
        if (low is None or row["created_at"] > low) and (high is None or row["created_at"] < high)
    ]


def matching(query: QueryParams, rows: Iterable[dict[str, Any]], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the rows that have one of the values given for each parameter; ``names`` maps it to the field."""
    wanted = {field: query.getlist(name) for name, field in names.items() if name in query}
    return [row for row in rows if all(row[field] in values for field, values in wanted.items())]


def batch(results: Iterable[Callable[[], tuple[str, dict[str, Any]]]]) -> Reply:
    """Return the batch envelope: each thing made gives its status and resource, or is refused by itself."""
    items: list[dict[str, Any]] = []
    for index, make in enumerate(results):
        try:
            status, resource = make()
            items.append({"index": index, "status": status, "resource": resource, "error": None})
        except Refused as refused:
            error = {"type": refused.code, "message": refused.message}
            items.append({"index": index, "status": "FAILED", "resource": None, "error": error})
    failed = sum(item["status"] == "FAILED" for item in items)
    summary = {"total": len(items), "succeeded": len(items) - failed, "failed": failed}
    return Reply({"items": items, "summary": summary})
