"""Rows of a file as they wait to be shown and saved: compressed, and on the disk from some number on.

Two hundred thousand people would take a hundred megabytes of memory, which the transaction that saves them needs.
"""

from __future__ import annotations

import json
import tempfile
import weakref
import zlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from typing import Any, Generic, TypeVar, overload

FOLD = 500  # rows that are kept, and later saved, together
_IN_MEMORY = 1 << 20  # bytes that are kept before a file is made
T = TypeVar("T")


class PartsOnDisk(Sequence[bytes]):
    """Pieces of bytes, one behind the other in a file without a name, which only this process can open.

    The system removes it with the object, and when the process ends, in whatever way.
    """

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # closed with the object
        weakref.finalize(self, self._file.close)
        self._ends = array("q", [0])
        self._alone = Lock()  # reading moves the place in the file

    def append(self, piece: bytes) -> None:
        """Keep a piece behind the others."""
        with self._alone:
            self._file.seek(self._ends[-1])
            self._file.write(piece)
            self._ends.append(self._ends[-1] + len(piece))

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, place: int) -> bytes: ...
    @overload
    def __getitem__(self, place: slice) -> list[bytes]: ...
    def __getitem__(self, place: int | slice) -> bytes | list[bytes]:
        if isinstance(place, slice):
            return [self[at] for at in range(*place.indices(len(self)))]
        at = range(len(self))[place]
        with self._alone:
            self._file.seek(self._ends[at])
            return self._file.read(self._ends[at + 1] - self._ends[at])


class FoldedList(Generic[T]):
    """Rows as compressed JSON, some hundreds together: 200,000 of them take some ten megabytes of a file.

    ``fold`` and ``unfold`` make JSON values of a row, and a row of these.
    """

    def __init__(self, fold: Callable[[T], list[Any]], unfold: Callable[[list[Any]], T]) -> None:
        self._fold, self._unfold = fold, unfold
        self._parts = PartsOnDisk()
        self._last: list[str] = []

    def add(self, row: T) -> str:
        """Keep a row; return it as JSON."""
        text = json.dumps(self._fold(row), separators=(",", ":"))
        self._last.append(text)
        if len(self._last) == FOLD:
            self._parts.append(zlib.compress(f"[{','.join(self._last)}]".encode("ascii"), 1))
            self._last.clear()
        return text

    def parts(self) -> Iterator[list[T]]:
        """Yield the rows, some hundreds at a time."""
        for part in range(len(self._parts) + bool(self._last)):
            yield self._part(part)

    def __len__(self) -> int:
        return len(self._parts) * FOLD + len(self._last)

    def __iter__(self) -> Iterator[T]:
        for part in self.parts():
            yield from part

    def between(self, first: int, end: int) -> list[T]:
        """Return the rows from one place to before another, both counted from 0."""
        end = min(end, len(self))
        wanted = [self._part(part) for part in range(first // FOLD, -(-end // FOLD))]
        return [row for part in wanted for row in part][first % FOLD : first % FOLD + max(end - first, 0)]

    def _part(self, place: int) -> list[T]:
        folded = self._parts[place] if place < len(self._parts) else None
        text = zlib.decompress(folded).decode("ascii") if folded else f"[{','.join(self._last)}]"
        return [self._unfold(row) for row in json.loads(text)]
