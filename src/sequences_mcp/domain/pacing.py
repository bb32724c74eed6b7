"""How fast a mailbox sends: the pause after each e-mail, what a new mailbox may send a day, one company at a time.

All of it is a function of settings, of stored instants and of the keys of texts, so that a plan can tell it and a
claim after a restart decides the same.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

from sequences_mcp.lazy_dataclasses import dataclass

DAY = timedelta(hours=24)
SAME_COMPANY = 10  # pauses between e-mails to two people of one company


@dataclass(frozen=True, slots=True, kw_only=True)
class MailThrottle:
    """What a mailbox may send: at most ``daily_cap`` e-mails in any 24 hours, at least ``spacing`` seconds apart.

    ``ramp_up`` is how many a new mailbox may send on its first day, and how many more on each day after it; 0 for
    one that need not begin slowly.
    """

    daily_cap: int
    spacing: int
    ramp_up: int = 0

    def pause_after(self, key: str) -> timedelta:
        """Return the pause after the e-mail with this key: the spacing, and up to half as much again.

        The key is drawn when the plan is made and seeds the addition, so that no two pauses need be alike and each
        is the same whenever it is computed.
        """
        share = int.from_bytes(sha256(key.encode()).digest()[:4], "big") / 2**32
        return timedelta(seconds=self.spacing + int(self.spacing / 2 * share))

    @property
    def company_pause(self) -> timedelta:
        """How long after an e-mail to somebody the next one to a colleague of theirs may leave."""
        return timedelta(seconds=self.spacing * SAME_COMPANY)

    def cap_at(self, now: datetime, *, first: datetime | None) -> int:
        """Return how many e-mails may leave in the 24 hours before an instant; ``first`` is when the first did."""
        return self._cap_on(day_of(now, first=first))

    def _cap_on(self, day: int) -> int:
        return min(self.daily_cap, self.ramp_up * (day + 1)) if self.ramp_up else self.daily_cap

    def rises_at(self, now: datetime, *, first: datetime | None) -> datetime | None:
        """Return when a new mailbox may send more than now, or None where it never will."""
        if first is None or self.cap_at(now, first=first) >= self.daily_cap:
            return None
        return first + DAY * (day_of(now, first=first) + 1)

    def days_for(self, mails: int, *, day: int = 0) -> int:
        """Return on how many days so many e-mails leave, from the mailbox's ``day`` on (0 is its first)."""
        left, days = mails, 0
        while left > 0 and (cap := self._cap_on(day + days)) < self.daily_cap:
            left, days = left - cap, days + 1
        return days + -(-max(left, 0) // self.daily_cap)

    @property
    def words(self) -> str:
        """The limits as a person reads them."""
        ramp = f", {self.ramp_up} more a day while the mailbox is new" if self.ramp_up else ""
        return f"{self.daily_cap:,} in 24 hours{ramp}, {self.pause_words}"

    @property
    def pause_words(self) -> str:
        """The pauses as a person reads them: "30 to 45 s apart, people of one company 5 min"."""
        if not self.spacing:
            return "0 s apart"
        most = self.spacing + self.spacing // 2
        span = f"{self.spacing} to {most}" if most > self.spacing else f"{self.spacing}"
        return f"{span} s apart, people of one company {duration_words(self.company_pause)}"


def day_of(now: datetime, *, first: datetime | None) -> int:
    """Return which day of a mailbox's use an instant lies in; its first e-mail begins day 0."""
    return max((now - first) // DAY, 0) if first is not None else 0


def duration_words(duration: timedelta) -> str:
    """Return a short duration in words: 40 s, 5 min, 2 h."""
    seconds = int(duration.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    return f"{round(seconds / 60)} min" if seconds < 7200 else f"{round(seconds / 3600)} h"
