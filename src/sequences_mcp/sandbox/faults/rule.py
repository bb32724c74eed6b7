"""A fault to come: which requests, what happens to them, how often."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated, Any

from pydantic import Field


class Fault(StrEnum):
    """What happens instead of the answer.

    A reset before or during the body cuts the connection hard (RST), once the whole request was read. After the
    body it closes a connection that was to be kept, together with the last bytes of the answer: an RST could
    overtake the answer, and nobody could say what the client had seen.
    ``truncated`` is half of a JSON text in a whole HTTP message; ``body`` any JSON.
    """

    STALL = "stall"
    RESET_BEFORE_BODY = "reset_before_body"
    RESET_DURING_BODY = "reset_during_body"
    RESET_AFTER_BODY = "reset_after_body"
    EMPTY = "empty"
    HUGE = "huge"
    TRUNCATED = "truncated"
    WRONG_CONTENT_TYPE = "wrong_content_type"
    HTML = "html"
    REDIRECT = "redirect"
    STATUS = "status"
    BODY = "body"


# Faults that happen to an answer: the vendor acts unless told otherwise.
_AFTER_ACTING = frozenset(
    {
        Fault.RESET_DURING_BODY,
        Fault.RESET_AFTER_BODY,
        Fault.EMPTY,
        Fault.HUGE,
        Fault.TRUNCATED,
        Fault.WRONG_CONTENT_TYPE,
        Fault.BODY,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """One fault for requests of a vendor whose method and path match.

    ``path`` is the path below the vendor's prefix, with ``*`` for anything. ``times`` is how often it still
    happens. ``act`` says whether the vendor carries the request out; None is the fault's own habit: stall, reset
    before the body, HTML, redirect and status do not act. ``retry_after`` is in seconds and, with
    ``retry_after_as_date``, written as a date, ``skew`` seconds off together with the ``Date`` header.
    """

    fault: Fault
    vendor: str = "*"
    method: str = "*"
    path: str = "*"
    times: Annotated[int, Field(ge=1)] = 1
    act: bool | None = None
    status: Annotated[int, Field(ge=200, le=599)] | None = None
    retry_after: int | None = None
    retry_after_as_date: bool = False
    skew: int = 0
    seconds: float = 3600
    size: int = 50_000_000
    location: str = "https://elsewhere.example/"
    body: Any = None

    @property
    def acts(self) -> bool:
        """Whether the vendor carries the request out."""
        return self.fault in _AFTER_ACTING if self.act is None else self.act

    def hits(self, vendor: str, method: str, path: str) -> bool:
        """Say whether a request is meant."""
        patterns = ((vendor, self.vendor), (method, self.method), (path, self.path))
        return all(fnmatchcase(value, pattern) for value, pattern in patterns)


@dataclass(slots=True)
class Faults:
    """The faults that are still to come, the oldest first."""

    rules: list[FaultRule] = field(default_factory=list)

    def take(self, vendor: str, method: str, path: str) -> FaultRule | None:
        """Return the first rule that hits the request and count it down, or None."""
        for place, rule in enumerate(self.rules):
            if rule.hits(vendor, method, path):
                left = replace(rule, times=rule.times - 1)
                self.rules[place : place + 1] = [left] if left.times > 0 else []
                return rule
        return None
