"""A tool as its file declares it: a handler that knows nothing of MCP, and what a host should know about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sequences_mcp.server.view import View


class Hints(NamedTuple):
    """MCP's four annotations, none left to a default."""

    read_only: bool
    destructive: bool
    idempotent: bool
    open_world: bool


READ = Hints(read_only=True, destructive=False, idempotent=True, open_world=False)
WRITE = Hints(read_only=False, destructive=False, idempotent=False, open_world=False)
SEND = Hints(read_only=False, destructive=True, idempotent=False, open_world=True)
# The two of what only ever holds back.
PAUSE = Hints(read_only=False, destructive=False, idempotent=True, open_world=False)
STOP = Hints(read_only=False, destructive=True, idempotent=True, open_world=False)


@dataclass(frozen=True, slots=True)
class Definition:
    """One tool. Its name is the handler's, its description the handler's docstring, its schemas the annotations.

    A handler that writes runs through the ledger: once for each ``idempotency_key``, an argument that such a tool
    has beside those of the handler. ``staged`` handlers see to that themselves, because their effect takes
    several transactions, and take the key and the MCP context. A ``repeatable`` write may be made once
    more at a vendor and does no harm. ``told_apart_by`` names the argument that tells two writes on one thing of
    a vendor apart: only writes with the same value wait for one another. A tool that ``moves_runs`` takes our id
    of a run at a vendor as well as the vendor's. ``meta`` is what a host reads beside
    the schema.
    """

    handler: Callable[..., Awaitable[View]]
    title: str
    hints: Hints
    staged: bool = False
    repeatable: bool = False
    told_apart_by: str | None = None
    moves_runs: bool = False
    meta: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """The tool's name, which is also its file's."""
        return self.handler.__name__

    @property
    def safe(self) -> bool:
        """Whether the tool only holds back, which nothing may keep it from."""
        return self.hints in (PAUSE, STOP)

    @property
    def writes(self) -> bool:
        """Whether the tool can change anything."""
        return not self.hints.read_only
