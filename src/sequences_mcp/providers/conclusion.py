"""What a call that did not simply succeed comes to: one pure decision, from how it ended to our error.

The rule that matters most: once a write may have been acted on, nothing but a readable success makes it done and
nothing at all makes it not done.
"""

from __future__ import annotations

from dataclasses import dataclass

from sequences_mcp.errors import (
    ProviderUnavailableError,
    RateLimitedError,
    SequencesError,
    UnexpectedAnswerError,
)
from sequences_mcp.providers import refusal
from sequences_mcp.providers.retry import Effect, Fault
from sequences_mcp.providers.vendor import Refusal, Request, Vendor, Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """An answer, read: ``body`` is None where it is not JSON."""

    status: int
    body: object
    words: Words
    retry_after: float | None = None

    @property
    def is_success(self) -> bool:
        """Whether the status is a 2xx."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """No answer that says something, and why."""

    fault: Fault
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Barred:
    """Not one attempt was made: the vendor is down, or its limit is used up, for so many seconds."""

    is_down: bool
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that has ended; ``may_have_acted`` if any of its attempts may have had its effect."""

    vendor: Vendor
    request: Request
    attempts: int
    may_have_acted: bool

    @property
    def is_open(self) -> bool:
        """Whether nobody can say that nothing was changed."""
        return self.may_have_acted and self.request.effect is not Effect.READ


def error_of(call: Call, ended: Received | Broken | Barred) -> SequencesError:
    """Return the error of a call that ended without a success."""
    if isinstance(ended, Barred):
        return _barred(call, ended)
    if isinstance(ended, Broken):
        return _broken(call, ended)
    if call.is_open:
        return _unknown(call, f"HTTP {ended.status}", received=ended)
    return refusal.explained(
        Refusal(
            vendor=call.vendor,
            request=call.request,
            status=ended.status,
            words=ended.words,
            retry_after=ended.retry_after,
        )
    )


def error_of_unreadable(call: Call, why: str, *, received: Received | None = None) -> SequencesError:
    """Return the error of a success that does not say what it must."""
    if call.is_open:
        return _unknown(call, why, received=received)
    return UnexpectedAnswerError(
        f"{call.vendor.title} answered, but not as it documents (to {call.request.what}).",
        next_step=f"Check {call.vendor.url_setting} if it is set; otherwise try again later.",
        data={"provider": call.vendor.name, "why": why, "attempts": call.attempts},
    )


def _unknown(call: Call, why: str, *, received: Received | None = None) -> SequencesError:
    words, status = (received.words, received.status) if received else (Words(), None)
    return refusal.unknown(call.vendor, call.request, why, words=words, status=status, attempts=call.attempts)


def _barred(call: Call, barred: Barred) -> SequencesError:
    kind = ProviderUnavailableError if barred.is_down else RateLimitedError
    reason = "has failed too often just now" if barred.is_down else "allows no more requests just now"
    return kind(
        f"{call.vendor.title} {reason}; the request to {call.request.what} was not sent.",
        next_step=f"Try again in {barred.seconds:.0f} seconds.",
        data={"provider": call.vendor.name, "retry_after": round(barred.seconds, 1)},
    )


def _broken(call: Call, broken: Broken) -> SequencesError:
    if broken.fault in (Fault.UNREADABLE, Fault.OVERSIZED):
        return error_of_unreadable(call, broken.why)
    if call.is_open:
        return _unknown(call, broken.why)
    return ProviderUnavailableError(
        f"{call.vendor.title} could not be reached to {call.request.what}; nothing was done.",
        next_step=f"Check the network, and {call.vendor.url_setting} if it is set; then try again.",
        data={"provider": call.vendor.name, "why": broken.why, "attempts": call.attempts},
    )
