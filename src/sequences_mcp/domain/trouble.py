"""Something that is wrong now, as every place that shows it says it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What is wrong, since when where that is known, and what a person does about it.

    ``server_reply`` is what a mail server said about it: a stranger's words, no part of the line. ``stops``: as
    long as it lasts, nothing leaves, or nothing of it that it names.
    """

    code: str
    what: str
    remedy: str
    since: datetime | None = None
    stops: bool = True
    server_reply: str = ""

    @property
    def line(self) -> str:
        """All of it on one line."""
        since = f" Since {self.since:%Y-%m-%d %H:%M} UTC." if self.since else ""
        return f"{self.what}{since} {self.remedy}"
