"""What a database must do for the repositories: named statements, transactions and snapshots.

A second database implements this and nothing else; the repositories and their statements are the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeVar

from sequences_mcp.domain.page import Page

T = TypeVar("T")
Row: TypeAlias = Any
"""One row of an answer, its values by name and by place as the driver gives them; not seen outside the store."""


class Database(Protocol):
    """An open database, for the thread that opened it. Everything raises StoreError and its kinds."""

    @property
    def path(self) -> Path:
        """The database's file, or its name on another machine; its folder has the journals."""
        ...

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        ...

    @property
    def title(self) -> str:
        """The database, for people to read: its file, or its address without the password."""
        ...

    def transaction(self, *, beside: bool = False) -> AbstractContextManager[None]:
        """Run the block in one transaction that nobody else's writes come between; a nested block joins it.

        It commits at its end and rolls back on an error. An error that leaves a nested block undoes that alone.
        With ``beside``, where the database can, other transactions that say so run at the same time: each changes
        the run that it has taken, which the others pass over, and names with ``alone_for`` what else it needs.
        """
        ...

    def joined(self) -> AbstractContextManager[None]:
        """Join the open transaction, or begin one. An error that leaves the block rolls the whole of it back."""
        ...

    def snapshot(self) -> AbstractContextManager[None]:
        """Give every read of the block the same state of the database; free inside a transaction."""
        ...

    def hasty(self, seconds: float) -> AbstractContextManager[None]:
        """Inside the block, wait at most ``seconds`` for other processes; for a caller that retries."""
        ...

    def after_commit(self, act: Callable[[], None]) -> None:
        """Call a function after the open transaction commits, never when it rolls back; at once outside of one."""
        ...

    def alone_for(self, name: str) -> None:
        """Let no other transaction that asks for the same name go on until the open one has ended."""
        ...

    def write_last(self, items: Sequence[T], write: Callable[[Sequence[T]], None]) -> None:
        """Have ``write`` store these in the open transaction: at its end, where others would wait meanwhile."""
        ...

    def remembered(self, key: Hashable, read: Callable[[], T]) -> T:
        """Return what ``read`` finds under a key; it need not be read again while nothing was committed since."""
        ...

    def rows(self, name: str, /, **values: Any) -> list[Row]:
        """Return all rows of the named statement."""
        ...

    def row(self, name: str, /, **values: Any) -> Row | None:
        """Return the first row of the named statement, or None."""
        ...

    def pieced(self, name: str, pieces: Mapping[str, str], values: Mapping[str, Any]) -> list[Row]:
        """Return all rows of the named statement with SQL put in for its ``/* piece */`` marks."""
        ...

    def write(self, name: str, /, **values: Any) -> int:
        """Execute the named statement; return how many rows it changed."""
        ...

    def write_many(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Execute the named statement once for each set of values."""
        ...

    def secret(self, name: str) -> bytes:
        """Return a random key that was made with the database."""
        ...

    def has_room(self) -> bool:
        """Say whether there is room for the commits that must follow a send."""
        ...

    def require_in_place(self) -> None:
        """Raise StoreUnwritableError unless what is open is still the database at its path."""
        ...

    def check(self) -> None:
        """Examine the whole database, slowly; StoreDamagedError says what is wrong."""
        ...

    def sweep(self) -> bool:
        """Remove what deleted and changed rows have left in the files; False where others keep them busy now."""
        ...

    def described(self) -> tuple[str, str]:
        """Return how commits are made durable, in a word, and why so, for people to read."""
        ...

    def close(self) -> None:
        """Close it, and let a restore have the folder."""
        ...


def page_of(
    database: Database, name: str, read: Callable[[Row], T], *, page: int, size: int, **values: Any
) -> Page[T]:
    """Return one page of a list: ``file.list`` has its rows, ``file.count_list`` how many there are in all."""
    file, _, listed = name.partition(".")
    with database.snapshot():
        rows = database.rows(name, **values, size=size, skip=(page - 1) * size)
        total = database.rows(f"{file}.count_{listed}", **values)[0]["found"]
    return Page(tuple(map(read, rows)), total, page, size)
