"""Change notices: whoever listens to a run or a blueprint hears that it changed, whoever changed it.

Every change writes a row of the audit in its own transaction, in whichever process. While somebody listens, new
rows are read every few seconds; what they are about is told, and a client then reads it again. In the protocol's
older era nobody can listen: the SDK has no public way to declare it there, and declares that it is not so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

from mcp.server.subscriptions import InMemorySubscriptionBus, ResourceUpdated, ServerEvent

from sequences_mcp.errors import SequencesError

if TYPE_CHECKING:
    from sequences_mcp.context import AppContext

log = logging.getLogger(__name__)
EVERY = 2.0  # seconds between two looks at the audit
PART = 500  # rows of it read at once
ADDRESSES = {"seq_": ("sequence://",), "bp_": ("blueprint://", "blueprint-file://", "blueprint-text://")}


class AuditBus(InMemorySubscriptionBus):
    """Tells its listeners which runs and blueprints have new rows in the audit, which nobody reads without any."""

    def __init__(
        self,
        open_context: Callable[[], Awaitable[AppContext]],
        *,
        every: float = EVERY,
        reader: Callable[[], str] = str,
    ) -> None:
        """``reader`` returns who listens at the moment, who hears nothing of what is somebody else's alone."""
        super().__init__()
        self._reader = reader
        self._owner = ""  # of what is being told
        self._open_context = open_context
        self._every = every
        self._listening = 0
        self._watching: asyncio.Task[None] | None = None

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        """Register a listener; what changes from now on is told to it."""
        reader = self._reader()

        def hear(event: ServerEvent) -> None:
            if not self._owner or reader in ("", self._owner):
                listener(event)

        leave = super().subscribe(hear)
        self._listening += 1
        if self._watching is None:
            self._watching = asyncio.get_running_loop().create_task(self._watch())
        is_over = False

        def unsubscribe() -> None:
            nonlocal is_over
            if is_over:
                return
            is_over = True
            leave()
            self._listening -= 1
            if not self._listening and self._watching is not None:
                self._watching.cancel()
                self._watching = None

        return unsubscribe

    async def _watch(self) -> None:
        mark: int | None = None
        while True:
            try:
                mark = await self._look(mark)
            except SequencesError as error:
                log.warning("Nobody is told of changes for now: %s", error)
            except Exception:  # whoever listens, also later, must not hear nothing for good because of one fault
                log.exception("Nobody is told of changes for now")
            await asyncio.sleep(self._every)

    async def _look(self, mark: int | None) -> int:
        """Tell what the audit has after a row; return the last row's number. The first look tells nothing."""
        app = await self._open_context()
        if mark is None:
            return await app.records.last_audit_number()
        while True:
            changed, last = await app.records.changed_after(mark, size=PART)
            for subject, owner in dict.fromkeys(changed):
                self._owner = owner
                for uri in addresses_of([subject]):
                    await self.publish(ResourceUpdated(uri=uri))
            self._owner = ""
            if len(changed) < PART:
                return last
            mark = last


def addresses_of(subjects: Iterable[str]) -> list[str]:
    """Return the addresses of the resources that these subjects of the audit are, each once."""
    return [
        f"{scheme}{subject}"
        for subject in dict.fromkeys(subjects)
        for kind, schemes in ADDRESSES.items()
        if subject.partition(":")[2].startswith(kind)
        for scheme in schemes
    ]
