"""The one clock of the tests: it stands still until a test moves it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday


@dataclass
class Clock:
    """What every part that is told the time is given."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def forward(self, **span: float) -> None:
        """Move on by a span of time."""
        self.now += timedelta(**span)
