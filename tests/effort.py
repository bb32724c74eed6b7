"""A measure for work that every machine shares: a fixed piece of it, timed in the same run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from statistics import median
from time import process_time


@cache
def one_effort() -> float:
    """Return how many seconds of processor time a million additions take here: about 0.05 on a machine of 2024."""

    def once() -> float:
        began = process_time()
        assert sum(number % 7 for number in range(1_000_000))
        return process_time() - began

    return median(once() for _ in range(5))


@contextmanager
def at_most(efforts: float, *what: object) -> Iterator[None]:
    """Fail when the block takes this process more processor time than so many efforts."""
    began = process_time()
    yield
    took = (process_time() - began) / one_effort()
    assert took < efforts, (f"{took:.1f} efforts, and {efforts} are allowed", *what)
