"""Clarky's answers (page "Pagination"): ``data`` alone, or ``data`` with ``pagination``."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import QueryParams

from sequences_mcp.sandbox.rest.call import Reply
from sequences_mcp.sandbox.rest.reading import integer

# The workspace of every key of the sandbox.
WORKSPACE = "w_01SANDBOX"


def single(data: dict[str, Any], *, status: int = 200) -> Reply:
    """Return one resource."""
    return Reply({"data": data}, status)


def paged(rows: list[dict[str, Any]], query: QueryParams) -> Reply:
    """Return one page; pages count from 1, a page has 25 rows, at most 100."""
    page = integer(query, "page", 1, low=1)
    size = integer(query, "page_size", 25, low=1, high=100)
    pages = -(-len(rows) // size)
    counts = {"page": page, "page_size": size, "total": len(rows), "total_pages": pages}
    return Reply({"data": rows[(page - 1) * size : page * size], "pagination": counts})
