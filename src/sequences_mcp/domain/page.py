"""One page of a list, in Topo's shape: ``items``, ``total_count``, ``total_pages``, ``has_more``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from sequences_mcp.lazy_dataclasses import dataclass

T = TypeVar("T")


U = TypeVar("U")


DEFAULT_SIZE = 10


MAX_SIZE = 100


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of the items of a list; pages are numbered from 1.

    ``counts``, where it is known, says how many items of each status meet the other conditions of the list;
    ``note`` what the page cannot show. ``came_back``, of a list of runs: for how many something of each kind came
    back.
    """

    items: tuple[T, ...]
    total_count: int
    page: int
    size: int
    counts: Mapping[str, int] | None = None
    note: str | None = None
    came_back: Mapping[str, int] | None = None

    @property
    def total_pages(self) -> int:
        """How many pages of this size there are."""
        return -(-self.total_count // self.size)

    @property
    def has_more(self) -> bool:
        """Whether another page follows."""
        return self.page < self.total_pages

    @property
    def beyond(self) -> str | None:
        """Where the list ends, in words, for a page that lies past its end; None for one that there is."""
        if self.items or self.page == 1:
            return None
        end = f"the last is {self.total_pages:,}" if self.total_pages else "the list is empty"
        return f"There is no page {self.page:,}: {end}."

    def map(self, change: Callable[[T], U]) -> Page[U]:
        """Return the same page of other items."""
        return self.of(tuple(map(change, self.items)))

    def of(self, items: tuple[U, ...]) -> Page[U]:
        """Return this page with these items in place of its own."""
        return Page(items, self.total_count, self.page, self.size, self.counts, self.note, self.came_back)
