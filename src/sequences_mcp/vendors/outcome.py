"""What a call came to: what an attempt proves, whether another one follows, and the error a failure becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Literal
from urllib.parse import quote

from sequences_mcp.domain.sender import Secret
from sequences_mcp.errors import (
    NotFoundError,
    OutcomeUnknownError,
    PlanUpgradeError,
    ProviderConflictError,
    ProviderForbiddenError,
    ProviderRejectedError,
    ProviderUnauthorizedError,
    ProviderUnavailableError,
    RateLimitedError,
    SequencesError,
    UnexpectedAnswerError,
    WrongIdError,
)
from sequences_mcp.lazy_dataclasses import dataclass, field
from sequences_mcp.vendors.description import VendorDescription

ATTEMPTS = 3
FIRST_DELAY = 0.5
LONGEST_DELAY = 8.0
LONGEST_RETRY_AFTER = 60.0
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
NEVER_ACTED_ON = frozenset({307, 308})  # "send it elsewhere"; the other redirects may follow a finished action


class Effect(StrEnum):
    """What repeating a call would do."""

    READ = "read"
    WRITE_ONCE = "write_once"
    WRITE_KEYED = "write_keyed"


class ConnectionFault(StrEnum):
    """How an attempt can end without an answer that says something.

    ``not_sent``: no name, no connection, no TLS, no free connection. ``lost``: sent at least in part, and no
    whole answer. ``unreadable``: a 2xx whose body is cut or is not JSON. ``oversized``: a 2xx too large to read.
    """

    NOT_SENT = "not_sent"
    LOST = "lost"
    UNREADABLE = "unreadable"
    OVERSIZED = "oversized"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How one attempt ended: a fault or an HTTP status, and the seconds the vendor asked to wait."""

    fault: ConnectionFault | None = None
    status: int = 0
    retry_after: float | None = None


def may_have_acted(ending: Ending) -> bool:
    """Say whether the vendor may have carried the request out.

    A 503 counts as "perhaps": no vendor documents that its 503 means that nothing was done.
    """
    if ending.fault:
        return ending.fault is not ConnectionFault.NOT_SENT
    if 400 <= ending.status < 500:
        return ending.status == 408
    return ending.status not in NEVER_ACTED_ON


def is_outage(ending: Ending) -> bool:
    """Say whether an attempt indicates that the vendor is down: no usable answer or a 5xx, never a 4xx."""
    return ending.fault is not None or ending.status >= 500


def delay_before_next(
    effect: Effect, ending: Ending, *, attempt: int, jitter: float, remaining: float
) -> float | None:
    """Return the seconds to wait before the next attempt, or None when this one was the last.

    ``attempt`` counts from 1; ``jitter`` is a random number from 0 to 1; ``remaining`` are the seconds left of
    the whole call. A wait that does not fit into them, or that the vendor wants longer than a minute, is left to
    the caller.
    """
    if effect is Effect.WRITE_ONCE or attempt >= ATTEMPTS or not _may_pass(ending):
        return None
    requested = ending.retry_after or 0.0
    wait = requested + jitter * min(LONGEST_DELAY, FIRST_DELAY * 2 ** (attempt - 1))
    return wait if requested <= LONGEST_RETRY_AFTER and wait < remaining else None


def _may_pass(ending: Ending) -> bool:
    return ending.status in PASSING if ending.fault is None else ending.fault is not ConnectionFault.OVERSIZED


def seconds_asked(retry_after: str | None, *, date: str | None, now: datetime) -> float | None:
    """Return what a ``Retry-After`` asks for in seconds, or None when it says nothing that can be read.

    Both forms of RFC 9110, 10.2.3. A point in time is compared with the answer's own ``Date``, so a vendor's
    clock that runs fast or slow changes nothing; ``now`` stands in where there is no ``Date``.
    """
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    at = http_date(text)
    return max(0.0, (at - (http_date(date) or now)).total_seconds()) if at else None


def http_date(text: str | None) -> datetime | None:
    """Return an HTTP date as an aware time, or None."""
    try:
        at = parsedate_to_datetime(text or "")
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


Query = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorRequest:
    """One call of an API.

    ``path`` is below the base URL, its ids escaped. ``what`` is our phrase for it ("stop the sequence").
    ``scope`` is what the key must carry, where the vendor has scopes. ``read_back`` says how to find out what
    became of a write. ``safe`` calls (pause, stop, exclude) wait for no breaker and no bucket; one that is not
    ``patient`` is attempted once.
    """

    method: Literal["GET", "POST", "PATCH"]
    path: str
    what: str
    effect: Effect = Effect.READ
    query: Query = ()
    body: Mapping[str, Any] | None = None
    scope: str | None = None
    read_back: str = ""
    safe: bool = False
    patient: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorWords:
    """What a vendor's error body says, made fit to be quoted; None where it says nothing."""

    code: str | None = None
    detail: str | None = None
    message: str | None = None
    request_id: str | None = None
    more: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorRefusal:
    """An answer that is not a 2xx, and what was asked."""

    vendor: VendorApi
    request: VendorRequest
    status: int
    words: VendorWords
    retry_after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorApi:
    """One vendor's API: its description, how a key is sent, its published limits, and how its errors are read.

    ``sign`` makes the headers that carry the key. ``words`` reads an error body of any shape. ``explain`` takes
    a refusal to our error, or to None where the status alone says enough.
    """

    description: VendorDescription
    sign: Callable[[Secret], Mapping[str, str]]
    words: Callable[[object], VendorWords]
    explain: Callable[[VendorRefusal], SequencesError | None]
    reads_per_minute: int | None = None
    writes_per_minute: int | None = None

    @property
    def name(self) -> str:
        """The name its ids begin with."""
        return self.description.name

    @property
    def base_url(self) -> str:
        """The address of its API."""
        return self.description.base_url

    @property
    def title(self) -> str:
        """How people write its name."""
        return self.description.title

    @property
    def key_setting(self) -> str:
        """The environment variable that holds the key."""
        return self.description.key_setting

    @property
    def url_setting(self) -> str:
        """The environment variable that holds another base URL."""
        return self.description.url_setting

    def whole(self, bare: str) -> str:
        """Return the whole id of one of this vendor's: ``topo:1111-…``."""
        return f"{self.name}:{bare}"

    def bare_id(self, whole_id: str, kind: str, *, listed_by: str) -> str:
        """Return the vendor's part of a whole id; WrongIdError names the kind and what lists such ids."""
        provider, _, bare = whole_id.partition(":")
        if provider != self.name or not 0 < len(bare) <= 200 or not bare.isprintable() or " " in bare:
            raise WrongIdError(
                f"{whole_id[:80]!r} is not {kind} of {self.title}: such ids begin with `{self.name}:`.",
                next_step=f"Such ids come from {listed_by}.",
                data={"expected": kind, "listed_by": listed_by},
            )
        return bare


def path(template: str, *ids: str) -> str:
    """Return a path with each ``{}`` replaced by an id, escaped so that it cannot leave its place."""
    return template.format(*(quote(item_id, safe="").replace(".", "%2E") for item_id in ids))


def query(**values: object) -> Query:
    """Return the parameters that are not None; a list repeats its name, a time is written in ISO 8601."""
    pairs = ((name, value) for name, given in values.items() for value in _several(given))
    return tuple((name, _written(value)) for name, value in pairs if value is not None)


def _several(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    isoformat = getattr(value, "isoformat", None)
    return str(isoformat() if callable(isoformat) else value)


def explained_refusal(refusal: VendorRefusal) -> SequencesError:
    """Return our error for an answer that is not a 2xx: the vendor's own reading of it first, else by status."""
    return refusal.vendor.explain(refusal) or _by_status(refusal)


def made_error(
    kind: type[SequencesError], refusal: VendorRefusal, message: str, *, next_step: str, link: str | None = None
) -> SequencesError:
    """Return an error of a kind that carries what the vendor said as data; ``link`` is where a person mends it."""
    known = refusal_facts(refusal)
    return kind(message, next_step=next_step, data={**known, "link": link} if link else known)


def refusal_facts(refusal: VendorRefusal) -> dict[str, Any]:
    """Return what is known of a refusal, without what is not."""
    known = {
        **vendor_said(refusal.vendor, refusal.words),
        "vendor_status": refusal.status,
        "retry_after": refusal.retry_after,
    }
    return {name: value for name, value in known.items() if value is not None}


def vendor_said(vendor: VendorApi, words: VendorWords) -> dict[str, Any]:
    """Return a vendor's words as data."""
    return {
        "provider": vendor.name,
        "vendor_code": words.code,
        "vendor_detail": words.detail,
        "vendor_message": words.message,
        "vendor_data": dict(words.more) or None,
        "request_id": words.request_id,
    }


def unknown_outcome(
    vendor: VendorApi,
    request: VendorRequest,
    why: str,
    *,
    words: VendorWords | None = None,
    status: int | None,
    attempts: int,
) -> OutcomeUnknownError:
    """Return the error for a write that may have been carried out; ``cause`` is what the last answer means."""
    last = VendorRefusal(vendor=vendor, request=request, status=status or 0, words=words or VendorWords())
    meant = vendor.explain(last) if status and words else None
    data = {
        **vendor_said(vendor, last.words),
        "something_may_have_happened": True,
        "safe_to_call_again": False,
        "why": why,
        "cause": meant.message if meant else None,
        "vendor_status": status,
        "attempts": attempts,
    }
    return OutcomeUnknownError(
        f"OUTCOME UNKNOWN: {vendor.title} may or may not have carried out the request to {request.what}.",
        next_step=f"Do not call this again. {request.read_back}",
        data={name: value for name, value in data.items() if value is not None},
    )


def _by_status(refusal: VendorRefusal) -> SequencesError:
    status = refusal.status
    if status >= 500:
        return made_error(ProviderUnavailableError, refusal, _sentence(refusal, "could not"), next_step=_LATER)
    if status < 400:
        return _redirected(refusal)
    known = {
        401: _unauthorized,
        402: _plan,
        403: _forbidden,
        404: _not_found,
        409: _conflict,
        429: _rate_limited,
    }
    return known.get(status, _rejected)(refusal)


_LATER = "Nothing was done. Try again in a few minutes; the vendor's status page may know more."


def _sentence(refusal: VendorRefusal, verb: str) -> str:
    return f"{refusal.vendor.title} {verb} {refusal.request.what} (HTTP {refusal.status})."


def _redirected(refusal: VendorRefusal) -> SequencesError:
    vendor = refusal.vendor
    return made_error(
        UnexpectedAnswerError,
        refusal,
        f"{vendor.title} answered with a redirect (HTTP {refusal.status}), which is never followed.",
        next_step=f"Check {vendor.url_setting}: the documented base URL is {vendor.base_url}.",
    )


def _unauthorized(refusal: VendorRefusal) -> SequencesError:
    vendor = refusal.vendor
    return made_error(
        ProviderUnauthorizedError,
        refusal,
        f"{vendor.title} does not accept the API key.",
        next_step=f"Put a valid key into {vendor.key_setting} in the client's configuration and restart it.",
    )


def _plan(refusal: VendorRefusal) -> SequencesError:
    return made_error(
        PlanUpgradeError,
        refusal,
        f"The {refusal.vendor.title} plan of this account does not allow it to {refusal.request.what}.",
        next_step=f"A person with access to billing at {refusal.vendor.title} can change the plan.",
    )


def _forbidden(refusal: VendorRefusal) -> SequencesError:
    vendor = refusal.vendor
    if refusal.request.scope is None:
        return made_error(
            ProviderForbiddenError,
            refusal,
            _sentence(refusal, "does not allow this key to"),
            next_step=f"Check in {vendor.title} what the user of this key may do.",
        )
    message, next_step = lacks_scope(vendor, refusal.request)
    data = {**refusal_facts(refusal), "missing_scope": refusal.request.scope}
    return ProviderForbiddenError(message, next_step=next_step, data=data)


def lacks_scope(vendor: VendorApi, request: VendorRequest) -> tuple[str, str]:
    """Return what a key without the request's scope cannot do, and what to do next."""
    scope = request.scope
    return (
        f"The {vendor.title} key may not {request.what}: it lacks the scope `{scope}`.",
        f"Make a {vendor.title} key with the scope `{scope}` and put it into {vendor.key_setting}.",
    )


def _not_found(refusal: VendorRefusal) -> SequencesError:
    vendor = refusal.vendor
    hint = "" if refusal.words.code else f" If every call says so, check {vendor.url_setting}."
    return made_error(
        NotFoundError,
        refusal,
        f"{vendor.title} has nothing with this id in the workspace of this key (to {refusal.request.what}).",
        next_step=f"Look the id up again with the tool that lists such ids.{hint}",
    )


def _conflict(refusal: VendorRefusal) -> SequencesError:
    return made_error(
        ProviderConflictError,
        refusal,
        _sentence(refusal, "did not"),
        next_step="Read its present state first, then decide; the same call would meet the same conflict.",
    )


def _rate_limited(refusal: VendorRefusal) -> SequencesError:
    wait = refusal.retry_after or 60
    return made_error(
        RateLimitedError,
        refusal,
        _sentence(refusal, "has had too many requests and did not"),
        next_step=f"Nothing was done. Try again in {wait:.0f} seconds.",
    )


def _rejected(refusal: VendorRefusal) -> SequencesError:
    return made_error(
        ProviderRejectedError,
        refusal,
        _sentence(refusal, "refused the request to"),
        next_step="Nothing was done. `vendor_message` quotes the reason; the same request would meet it again.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer, read: ``body`` is None where it is not JSON."""

    status: int
    body: object
    words: VendorWords
    retry_after: float | None = None

    @property
    def is_success(self) -> bool:
        """Whether the status is a 2xx."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """No answer that says something, and why."""

    fault: ConnectionFault
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttled:
    """No attempt was made, because the vendor is down or its limit is used up, for this many seconds."""

    is_down: bool
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCall:
    """A call that has ended; ``may_have_acted`` if any of its attempts may have been carried out."""

    vendor: VendorApi
    request: VendorRequest
    attempts: int
    may_have_acted: bool

    @property
    def is_open(self) -> bool:
        """Whether the outcome is unknown: the vendor may have changed something."""
        return self.may_have_acted and self.request.effect is not Effect.READ


def error_of(call: HttpCall, ended: Response | NoAnswer | Throttled) -> SequencesError:
    """Return the error of a call that ended without a success."""
    if isinstance(ended, Throttled):
        return _barred(call, ended)
    if isinstance(ended, NoAnswer):
        return _broken(call, ended)
    if call.is_open:
        return _unknown(call, f"HTTP {ended.status}", received=ended)
    return explained_refusal(
        VendorRefusal(
            vendor=call.vendor,
            request=call.request,
            status=ended.status,
            words=ended.words,
            retry_after=ended.retry_after,
        )
    )


def error_of_unreadable(call: HttpCall, why: str, *, received: Response | None = None) -> SequencesError:
    """Return the error of a success that does not say what it must."""
    if call.is_open:
        return _unknown(call, why, received=received)
    return UnexpectedAnswerError(
        f"{call.vendor.title} answered, but not as it documents (to {call.request.what}).",
        next_step=f"Check {call.vendor.url_setting} if it is set; otherwise try again later.",
        data={"provider": call.vendor.name, "why": why, "attempts": call.attempts},
    )


def _unknown(call: HttpCall, why: str, *, received: Response | None = None) -> SequencesError:
    words, status = (received.words, received.status) if received else (VendorWords(), None)
    return unknown_outcome(call.vendor, call.request, why, words=words, status=status, attempts=call.attempts)


def _barred(call: HttpCall, barred: Throttled) -> SequencesError:
    kind = ProviderUnavailableError if barred.is_down else RateLimitedError
    reason = "has failed too often just now" if barred.is_down else "allows no more requests just now"
    return kind(
        f"{call.vendor.title} {reason}; the request to {call.request.what} was not sent.",
        next_step=f"Try again in {barred.seconds:.0f} seconds.",
        data={"provider": call.vendor.name, "retry_after": round(barred.seconds, 1)},
    )


def _broken(call: HttpCall, broken: NoAnswer) -> SequencesError:
    if broken.fault in (ConnectionFault.UNREADABLE, ConnectionFault.OVERSIZED):
        return error_of_unreadable(call, broken.why)
    if call.is_open:
        return _unknown(call, broken.why)
    return ProviderUnavailableError(
        f"{call.vendor.title} could not be reached to {call.request.what}; nothing was done.",
        next_step=f"Check the network, and {call.vendor.url_setting} if it is set; then try again.",
        data={"provider": call.vendor.name, "why": broken.why, "attempts": call.attempts},
    )
