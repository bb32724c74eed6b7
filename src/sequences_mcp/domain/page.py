"""One page of a list, in Topo's shape: ``items``, ``total_count``, ``total_pages``, ``has_more``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")

DEFAULT_SIZE = 10
MAX_SIZE = 100


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of the items of a list; pages are numbered from 1."""

    items: tuple[T, ...]
    total_count: int
    page: int
    size: int

    @property
    def total_pages(self) -> int:
        """How many pages of this size there are."""
        return -(-self.total_count // self.size)

    @property
    def has_more(self) -> bool:
        """Whether another page follows."""
        return self.page < self.total_pages

    def map(self, change: Callable[[T], U]) -> Page[U]:
        """Return the same page of other items."""
        return Page(tuple(map(change, self.items)), self.total_count, self.page, self.size)
