"""What only a vendor has: operations whose outcome may be unknown, sourcings, variables of its own, a key.

The second half of the contract in ``providers.port``.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from sequences_mcp.domain.blueprint import Blueprint, Sourcing, Step
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.page import Page
from sequences_mcp.providers.port import Call, SequenceDetail


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One write to a vendor: ``subject`` is the id of what it changes; ``safe`` ones only ever hold back."""

    call: Call
    provider: str
    subject: str
    arguments: Mapping[str, object]
    safe: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A write to a vendor as it was recorded; ``answer`` is a result when done, else the JSON of an error."""

    id: str
    provider: str
    tool: str
    subject: str
    fingerprint: str
    arguments: Mapping[str, object]
    state: Literal["begun", "done", "not_done", "unknown"]
    answer: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Begun:
    """An operation, and whether this call is the one to carry it out."""

    operation: Operation
    is_new: bool


class Operations(Protocol):
    """Writes to vendors: recorded before the request, settled after it."""

    async def begin(self, write: Write) -> Begun:
        """Record a write that is about to be made, or return the earlier one of the same key.

        KeyReusedError for a key that belongs to other arguments, ConflictError with the operation's id while
        another write on the same thing is open. One whose caller has died counts as unknown.
        """
        ...

    async def get(self, operation_id: str) -> Operation:
        """Return one operation; NotFoundError."""
        ...

    async def unknown(self, *, size: int) -> Items[Operation]:
        """Return operations whose outcome nobody knows, oldest first."""
        ...

    async def doubt(self, operation_id: str, *, answer: str) -> Operation:
        """Record that nobody knows what became of it."""
        ...

    async def settle(
        self, operation_id: str, *, state: Literal["done", "not_done"], answer: str, actor: str | None = None
    ) -> Operation:
        """Record what became of it; what is settled stays as it was."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcingRow:
    """What is being filled at Kalent."""

    id: str
    name: str | None


class Sourcings(Protocol):
    """Where Kalent keeps its candidates and blueprints."""

    async def list_sourcings(self, *, page: int, size: int) -> Page[SourcingRow]:
        """Return one page."""
        ...

    async def find_candidates(self, sourcing_id: str, query: str, *, page: int, size: int) -> Page[Contact]:
        """Return one page of a sourcing's people whose facts contain the query."""
        ...

    async def create_blueprint(self, sourcing_id: str, *, name: str, steps: Items[Step]) -> Blueprint:
        """Create a blueprint there, which becomes version 1 as known here."""
        ...


class Overrides(Protocol):
    """Variables of a run, changed at the vendor."""

    async def update_variables(self, sequence_id: str, *, variables: Mapping[str, str | None]) -> SequenceDetail:
        """Merge overrides; None removes one."""
        ...


class Exclusions(Protocol):
    """A vendor's own list of those it must not import again; ``kind`` is ``address`` or ``domain``."""

    async def is_excluded(self, kind: str, value: str) -> bool:
        """Say whether it is there."""
        ...

    async def exclude(self, kind: str, value: str, *, message: str) -> None:
        """Put it there, for good."""
        ...


class Introduction(Protocol):
    """What a vendor says about the key."""

    async def about_key(self) -> str:
        """Return one line: what the key may do, as far as the vendor tells."""
        ...


class Memory(Protocol):
    """Vendors' blueprints as they were last written, or told of, here: no API shows all of them."""

    async def get_blueprint(self, blueprint_id: str, version: int | None = None) -> Blueprint:
        """Return one version, the newest known by default; NotFoundError."""
        ...

    async def remember(self, blueprint_id: str, *, name: str, steps: Items[Step], sourcing: Sourcing) -> Blueprint:
        """Keep what was just written as the newest version."""
        ...

    async def note(self, blueprint_id: str, *, name: str) -> Blueprint:
        """Keep what was told of a blueprint whose steps are not known; another name is another version."""
        ...

    async def require_newest(self, blueprint_id: str, version: int) -> None:
        """Raise StaleVersionError when a newer version is known."""
        ...
