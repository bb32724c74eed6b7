"""Wrong passphrases, counted on disk: guessing gets slow, and nobody's guessing keeps the right person out.

A browser that types five wrong ones waits, and only that browser. Browsers that were never unlocked cannot be
told from one another, since a program can be a new one at each try: they share a pause after each wrong one, which
grows to a few seconds and never becomes a refusal. A browser that was unlocked here before has no part in that
pause (https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies). Terminals have a
pause of their own, and so has the panel.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sequences_mcp.review.private import exclusively, write_private

FILE_NAME = "wrong-passphrases.json"
STRANGERS, TERMINAL, PANEL = "strangers", "terminal", "panel"
FREE = 5
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=15)
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0
FORGOTTEN = timedelta(hours=1)
MOST = 64


@dataclass(frozen=True, slots=True)
class Count:
    """How many wrong passphrases came one after another, and when the last did."""

    wrong: int
    last: str

    def is_after(self, now: datetime) -> bool:
        """Say whether the last one was counted by a clock that was ahead."""
        return datetime.fromisoformat(self.last) > now

    def age(self, now: datetime) -> timedelta:
        """Return how long ago the last one was; an instant after now counts as now."""
        return max(now - datetime.fromisoformat(self.last), timedelta())


class Tries:
    """The counts of a data folder, by who typed: a browser's token, ``STRANGERS``, ``TERMINAL`` or ``PANEL``."""

    def __init__(self, data_dir: Path, clock: Callable[[], datetime]) -> None:
        self._path = data_dir / FILE_NAME
        self._clock = clock

    def wrong(self, who: str) -> int:
        """Return how many wrong ones count."""
        return found.wrong if (found := self._counts().get(who)) else 0

    def wait(self, who: str) -> timedelta:
        """Return how long nothing that this one types is looked at."""
        self._put_right()
        found = self._counts().get(who)
        if found is None or found.wrong < FREE:
            return timedelta()
        whole: timedelta = min(FIRST_WAIT * int(2 ** min(found.wrong - FREE, 10)), LONGEST_WAIT)
        return max(whole - found.age(self._clock()), timedelta())

    def pause(self, who: str) -> float:
        """Return for how many seconds a wrong answer is held back, and everybody behind it with it."""
        over = self.wrong(who) - FREE
        return min(FIRST_PAUSE * 2 ** min(over, 10), LONGEST_PAUSE) if over >= 0 else 0.0

    def was_wrong(self, *who: str) -> None:
        """Count a wrong passphrase for each of these."""
        with exclusively(self._path):
            counts, now = self._counts(), self._clock().isoformat()
            for one in who:
                counts[one] = Count((counts[one].wrong if one in counts else 0) + 1, now)
            self._store(counts)

    def was_right(self, who: str) -> None:
        """Forget the wrong ones of one."""
        if not self.wrong(who):
            return
        with exclusively(self._path):
            self._store({name: count for name, count in self._counts().items() if name != who})

    def _put_right(self) -> None:
        """Let what a clock that was ahead counted count from now on: its waits would not end before that day."""
        now = self._clock()
        if any(one.is_after(now) for one in self._counts().values()):
            with exclusively(self._path):
                counts = self._counts()
                late = {who for who, one in counts.items() if one.is_after(now)}
                self._store(counts | {who: Count(counts[who].wrong, now.isoformat()) for who in late})

    def _counts(self) -> dict[str, Count]:
        try:
            known = json.loads(self._path.read_text(encoding="utf-8"))
            counts = {str(name): Count(int(one["wrong"]), str(one["last"])) for name, one in known.items()}
            now = self._clock()
            return {name: one for name, one in counts.items() if one.age(now) < FORGOTTEN}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def _store(self, counts: Mapping[str, Count]) -> None:
        shared = {name: one for name, one in counts.items() if name in (STRANGERS, TERMINAL, PANEL)}
        newest = sorted(counts.items(), key=lambda pair: pair[1].last)[-MOST:]
        write_private(self._path, json.dumps({name: asdict(one) for name, one in (dict(newest) | shared).items()}))
