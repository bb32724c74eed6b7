"""What people answered: written down, and done at once to everything that runs for them here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sequences_mcp.domain.sequence import Answer, Sequence, SequenceStatus, StopReason
from sequences_mcp.engine import stopping
from sequences_mcp.engine.change import change
from sequences_mcp.engine.events import Event, Paused, Replied, Stopped
from sequences_mcp.engine.local.details import details
from sequences_mcp.engine.local.engine import Engine
from sequences_mcp.engine.store import schedule, sequences
from sequences_mcp.providers.port import SequenceDetail

REPLIED = "the contact replied"
NOT_INTERESTED = "the contact is not interested"


@dataclass(frozen=True, slots=True)
class LocalReplies:
    """``providers.port.Replies`` over the store and the machine."""

    engine: Engine

    async def record(
        self, contact_id: str, answer: Answer, *, until: datetime | None = None
    ) -> list[SequenceDetail]:
        """Keep it, and do what follows to every run of this person here, a start that waits for a yes included."""
        return await self.engine.insisting(lambda: self._recorded(contact_id, answer, until=until))

    def _recorded(self, contact_id: str, answer: Answer, *, until: datetime | None) -> list[SequenceDetail]:
        store = self.engine.store
        with store.transaction():
            going = sequences.by_ids(store, schedule.going_of(store, [contact_id]))
            touched = self._held(going, until) if until is not None else self._ended(going, answer)
            said = {"answer": answer.value} | ({"until": until.isoformat()} if until is not None else {})
            self.engine.audit("contact.answered", contact_id, **said)
            return list(details(self.engine, touched))

    def _held(self, going: list[Sequence], until: datetime) -> list[Sequence]:
        """Pause what is under way or waits for a yes; a pause that ends later stays."""
        return [
            one
            if one.paused_until is not None and one.paused_until >= until
            else change(self.engine.store, one, Paused(until), now=self.engine.clock(), actor=self.engine.actor)[0]
            for one in going
        ]

    def _ended(self, going: list[Sequence], answer: Answer) -> list[Sequence]:
        ended: list[Sequence] = []
        for one in going:
            event = _ending(one, answer)
            ended += stopping.end_all(
                self.engine.store, [one], event, now=self.engine.clock(), actor=self.engine.actor
            )
        return ended


def _ending(one: Sequence, answer: Answer) -> Event:
    if answer is not Answer.REPLIED:
        return Stopped(StopReason.LOSE, NOT_INTERESTED if answer is Answer.NOT_INTERESTED else None)
    # What has not begun cannot succeed: somebody who answered is only taken out of it.
    return Stopped(StopReason.WIN, REPLIED) if one.status is SequenceStatus.FOUND else Replied(REPLIED)
