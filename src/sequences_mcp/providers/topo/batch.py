"""Topo's batch answers: one outcome for every item that was asked for, whatever the answer leaves out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sequences_mcp.providers.lenient import Row, UnreadableError, inner, is_row, number, row, text
from sequences_mcp.providers.remote import ItemOutcome
from sequences_mcp.providers.vendor_text import MESSAGE

T = TypeVar("T")
DONE = frozenset({"CREATED", "UPDATED"})


def outcomes(body: object, read: Callable[[Row], T], *, asked: int) -> tuple[ItemOutcome[T], ...]:
    """Return what became of each of the items asked for, in their order.

    An item is done when its result says CREATED or UPDATED (or says no status at all), names no error and has a
    resource that can be read. It is not done when its result says FAILED or names an error. Anything else, and
    an item that the answer does not mention, is unknown.
    """
    items = row(body, "the answer").get("items")
    if not isinstance(items, list):
        raise UnreadableError("`items` is not a list")
    by_index: dict[int, Row] = {}
    for item in filter(is_row, items):
        index = number(item, "index")
        if index is None or index in by_index:
            raise UnreadableError("an item has no `index` of its own")
        by_index[index] = item
    return tuple(_outcome(by_index.get(index, {}), read) for index in range(asked))


def _outcome(item: Row, read: Callable[[Row], T]) -> ItemOutcome[T]:
    word, error = text(item, "status"), item.get("error")
    if word == "FAILED" or (error is not None and word not in DONE):
        return _failed(item, word)
    resource = _resource(item, read) if error is None and (word is None or word in DONE) else None
    return ItemOutcome(outcome="unknown" if resource is None else "done", item=resource, provider_status=word)


def _resource(item: Row, read: Callable[[Row], T]) -> T | None:
    try:
        return read(row(item.get("resource"), "`resource`"))
    except UnreadableError:
        return None


def _failed(item: Row, word: str | None) -> ItemOutcome[T]:
    error = inner(item, "error")
    return ItemOutcome(
        outcome="not_done",
        item=None,
        provider_status=word,
        vendor_code=text(error, "type", limit=80),
        vendor_message=text(error, "message", limit=MESSAGE),
    )
