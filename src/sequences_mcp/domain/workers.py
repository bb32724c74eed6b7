"""The workers that run, as doctor, page and ``list_providers`` describe them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sequences_mcp.lazy_dataclasses import asdict, dataclass

_LABEL = "lane"  # as rows and files call it
SILENT_AFTER = timedelta(seconds=150)  # an e-mail may take 100 s, and a notice as long


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPresence:
    """A process that does the due work: since when, when it was last seen and did something.

    ``sends`` says who sends and through what, ``hands_over`` names the vendors, each empty where it does not;
    ``serves`` has the fingerprints of the settings it works for (``domain.plan.settings_fingerprints``).
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


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerState:
    """One queue of one process: since when, when it last showed itself and did something, what stands in its way.

    ``error`` is None while all is well; ``error_since`` is when it began to stand in the way. ``serves`` has the
    fingerprints of the settings it works for (``domain.plan.settings_fingerprints``), ``sends`` says in words who
    sends and how.
    ``label`` is the queue it takes from; of a further mailbox ``queue-NAME``.
    """

    process: int
    label: str
    since: datetime
    beat: datetime
    last_act: datetime | None = None
    error: str | None = None
    error_since: datetime | None = None
    host: str = ""
    serves: tuple[str, ...] = ()
    sends: str = ""

    @classmethod
    def of_stored(cls, facts: Mapping[str, Any]) -> WorkerState:
        """Return a state of its stored fields, where ``label`` has an older name. TypeError, KeyError."""
        known = {name: value for name, value in facts.items() if name != _LABEL}
        return cls(label=facts[_LABEL], **known | {"serves": tuple(facts.get("serves", ()))})

    def as_stored(self) -> dict[str, Any]:
        """Return the fields by the names under which rows and files have them."""
        facts = asdict(self)
        return {_LABEL: facts.pop("label"), **facts}

    @property
    def queue(self) -> str:
        """What kind of work it does."""
        return self.label.partition("-")[0]

    def is_silent(self, now: datetime) -> bool:
        """Whether it has not shown itself for longer than any work takes, and is probably gone."""
        return abs(now - self.beat) > SILENT_AFTER  # a clock that was ahead shows nothing either
