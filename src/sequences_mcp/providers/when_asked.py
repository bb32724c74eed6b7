"""What is made when it is first asked for: a server that lists its tools connects no vendor and plans nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar, cast

T = TypeVar("T")


class WhenAsked(Mapping[str, T]):
    """A mapping of what is there already and of what ``make`` makes, once, when a name is first asked for."""

    def __init__(self, ready: Mapping[str, T], names: Iterable[str], make: Callable[[str], T]) -> None:
        self._made = dict(ready)
        self._names = (*ready, *names)
        self._make = make

    def __getitem__(self, name: str) -> T:
        if name not in self._made and name in self._names:
            self._made[name] = self._make(name)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names


def when_used(make: Callable[[], T]) -> T:
    """Return what stands for the value of ``make``, which is called once, when a method is first asked of it."""
    return cast("T", _Later(make))


class _Later:
    """Hands every attribute on to what ``make`` makes."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make: Callable[[], Any] | None = make
        self._made: Any = None

    def __getattr__(self, name: str) -> Any:
        if self._make is not None:
            self._made, self._make = self._make(), None
        return getattr(self._made, name)
