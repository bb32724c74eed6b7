"""What was found out about single values, remembered while many are looked at and let go of afterwards.

A start for ten thousand people asks about each of their values several times, so that many results are worth
keeping while it is made. A process that runs for weeks would keep the names and addresses of everybody it ever had
to do with. Whatever ends a piece of work (a call, a worker's round) therefore lets go of them where they are many.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from functools import _lru_cache_wrapper

P = ParamSpec("P")
T = TypeVar("T")
Function = TypeVar("Function", bound=Callable[..., Any])
BETWEEN = 1_024  # results that may stay: those of a small start, from its plan to its approval


class Results:
    """The results of several functions, let go of together."""

    def __init__(self) -> None:
        self._cached: list[_lru_cache_wrapper[Any]] = []
        self._others: list[tuple[Callable[[], int], Callable[[], None]]] = []
        # Found out since they were let go of: as many as there can be. Threads at once may lose count of a few.
        self._new = 0
        self._at_work: list[
            None
        ] = []  # one for each: threads may add and take at once, which a number does not bear

    def up_to(self, most: int) -> Callable[[Function], Function]:
        """Return a decorator that remembers so many results of a function, the last ones."""

        def decorate(function: Function) -> Function:
            @wraps(function)
            def counted(*given: Any, **named: Any) -> Any:
                self._new += 1
                return function(*given, **named)

            cached = lru_cache(maxsize=most)(counted)
            self._cached.append(cached)
            return cast("Function", cached)

        return decorate

    def include(self, count: Callable[[], int], clear: Callable[[], None]) -> None:
        """Let go of something else too; ``count`` returns how many results it keeps."""
        self._others.append((count, clear))

    def __len__(self) -> int:
        return sum(cached.cache_info().currsize for cached in self._cached) + self._of_others()

    def _of_others(self) -> int:
        return sum(count() for count, _ in self._others)

    def needed_by(self, work: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Let go of nothing while something goes through many people, whatever else ends meanwhile."""

        @wraps(work)
        async def working(*given: P.args, **named: P.kwargs) -> T:
            self._at_work.append(None)
            try:
                return await work(*given, **named)
            finally:
                self._at_work.pop()

        return working

    def let_go(self) -> None:
        """Forget all of them where they are more than may stay. Whoever asks meanwhile finds out anew."""
        # Every call asks this: each function's own count would take longer than all else that ends a call.
        if self._at_work or self._new + self._of_others() <= BETWEEN:
            return
        self._new = 0
        for cached in self._cached:
            cached.cache_clear()
        for _, clear in self._others:
            clear()


VALUES = Results()
"""About values of people: their names, addresses and companies, and lines of texts to them."""
