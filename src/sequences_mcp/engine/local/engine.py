"""What every capability of the embedded provider works with."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from sequences_mcp.domain.ids import Kind, new_id
from sequences_mcp.domain.plan import Terms
from sequences_mcp.engine.approvals import Unproven, accept_unsigned
from sequences_mcp.engine.store.audit import Entry, append
from sequences_mcp.engine.store.database import Store
from sequences_mcp.errors import ApprovalError, InvalidArgumentsError, StoreBusyError

T = TypeVar("T")
INSIST = 120.0  # seconds for a stop, a pause or a suppression, when another program reads without an end
A_TRY, BETWEEN = 0.3, 0.05


@dataclass(frozen=True, slots=True)
class Engine:
    """An open store, today's settings, a clock, a source of randomness, and who is acting.

    ``unproven`` looks at the signature of every approval, but for those of the blueprints in ``unasked``.
    ``vendor_terms`` are the terms of the vendors that are connected, ``accounts`` marks of the accounts there.
    ``knows_server``: somebody told this process through which mail server e-mails leave, or that they do not.
    """

    store: Store
    clock: Callable[[], datetime]
    entropy: Callable[[int], bytes]
    terms: Terms
    actor: str
    unproven: Unproven = accept_unsigned
    unasked: frozenset[str] = frozenset()
    vendor_terms: Mapping[str, Terms] = field(default_factory=dict)
    accounts: Mapping[str, str] = field(default_factory=dict)
    knows_server: bool = True

    def require_signature(self, digest: str, signature: str | None) -> None:
        """Raise ApprovalError where a passkey has to sign this digest and has not."""
        if why := self.unproven(digest, signature):
            raise ApprovalError(
                f"This approval does not count: {why}.",
                next_step="Approve it on the review page, in a browser that has the passkey.",
            )

    async def insisting(self, act: Callable[[], T]) -> T:
        """Return what an operation that only ever holds back comes to, waiting for other programs the longest.

        Each try is one transaction, done whole or not at all; between two, everything else goes on. Inside a
        transaction of the caller's it is tried once.
        """
        if self.store.in_transaction:
            return act()
        give_up = time.monotonic() + INSIST
        while True:
            try:
                with self.store.hasty(A_TRY):
                    return act()
            except StoreBusyError:
                if time.monotonic() > give_up:
                    raise
            await asyncio.sleep(BETWEEN)

    def new_id(self, kind: Kind) -> str:
        """Return a fresh id."""
        return new_id(kind, self.clock(), self.entropy(10))

    def audit(self, action: str, subject: str, **detail: object) -> None:
        """Write down what was done, inside the transaction that does it."""
        append(
            self.store,
            [Entry(at=self.clock(), actor=self.actor, action=action, subject=subject, detail=detail)],
        )


def require_page(page: int, size: int) -> None:
    """Raise InvalidArgumentsError for a page or size that does not exist."""
    if page < 1 or size < 1:
        raise InvalidArgumentsError(
            f"There is no page {page} of {size} items.", next_step="Pages are numbered from 1; size is at least 1."
        )


def require_aware(at: datetime | None, name: str) -> None:
    """Raise InvalidArgumentsError for an instant without its offset from UTC."""
    if at is not None and at.utcoffset() is None:
        raise InvalidArgumentsError(
            f"{name} has no offset from UTC.", next_step="Write it like 2026-11-21T09:30:00+01:00."
        )
