"""Who does the due work, as every place that shows it says it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerAtWork:
    """A process that does the due work: since when, when it was last seen and did something.

    ``sends`` says who sends and through what, ``hands_over`` names the vendors, each empty where it does not;
    ``serves`` has the marks of the settings it works for (``domain.plan.settings_marks``).
    """

    host: str
    process: int
    since: datetime
    seen: datetime
    last_act: datetime | None
    sends: str
    hands_over: str
    serves: frozenset[str]

    @property
    def words(self) -> str:
        """All of it on one line."""
        did = f"last act {self.last_act:%Y-%m-%d %H:%M} UTC" if self.last_act else "nothing done yet"
        sends = f"sends as {self.sends}" if self.sends else "sends nothing"
        hands = f", hands starts over to {self.hands_over}" if self.hands_over else ""
        since = f"since {self.since:%Y-%m-%d %H:%M} UTC"
        return f"process {self.process} on {self.host} {since}, {did}; {sends}{hands}"
