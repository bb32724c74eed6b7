"""HTTP calls to a vendor's API with an account's key: limited in time, paced, retried only where that is safe."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from sequences_mcp import __version__
from sequences_mcp.domain.sender import Secret
from sequences_mcp.lazy_dataclasses import dataclass, replace
from sequences_mcp.vendors.account import checked_base_url, checked_key, json_without, text_without
from sequences_mcp.vendors.outcome import (
    ConnectionFault,
    Effect,
    Ending,
    HttpCall,
    NoAnswer,
    Response,
    Throttled,
    VendorApi,
    VendorRequest,
    VendorWords,
    delay_before_next,
    error_of,
    error_of_unreadable,
    may_have_acted,
    seconds_asked,
)
from sequences_mcp.vendors.pacing import Clockwork, Pacer, Timing
from sequences_mcp.vendors.parsing import UnreadableError, on_one_line

if TYPE_CHECKING:
    from sequences_mcp.vendors.exchange import Exchange, HttpAnswer, Outgoing


USER_AGENT = f"sequences-mcp/{__version__} (+https://github.com/sequences-mcp/sequences-mcp)"
SHORTEST_TRY = 0.1  # seconds; a call whose time is up while it waited still gets a definite answer
logger = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(slots=True)
class _Trail:
    """The attempts of one call so far."""

    began: float
    attempts: int = 0
    may_have_acted: bool = False
    ending: str = "nothing was sent"
    request_id: str | None = None


class Transport:
    """Calls one vendor. Nothing is opened before the first call.

    Raises SettingsError for a base URL that is not https (http only on loopback) or a key that cannot be one.
    """

    def __init__(
        self,
        vendor: VendorApi,
        key: Secret,
        *,
        clockwork: Clockwork,
        base_url: str = "",
        timing: Timing | None = None,
    ) -> None:
        self.vendor = vendor
        self._key = checked_key(vendor.description, key)
        self._base_url = checked_base_url(base_url or vendor.base_url, setting=vendor.url_setting)
        self._clockwork = clockwork
        self._timing = timing or Timing()
        self._gate = Pacer(vendor, clockwork)
        self._exchange: Exchange | None = None

    async def send(self, request: VendorRequest, read: Callable[[object], T]) -> T:
        """Make one call and return what ``read`` makes of its JSON.

        ``read`` raises UnreadableError for a body that does not say what it must: of a write, the outcome is
        then unknown. Raises ProviderError, and NotFoundError for a 404.
        """
        trail = _Trail(self._clockwork.monotonic())
        try:
            ended = await self._carried(request, trail)
        except asyncio.CancelledError:
            self._gate.give_up(request)
            raise
        finally:
            self._log(request, trail)
        call = HttpCall(
            vendor=self.vendor, request=request, attempts=trail.attempts, may_have_acted=trail.may_have_acted
        )
        if not isinstance(ended, Response) or not ended.is_success:
            raise error_of(call, ended)
        try:
            return read(ended.body)
        except UnreadableError as error:
            why = f"HTTP {ended.status} with an answer in which {error}"
            raise error_of_unreadable(call, why, received=ended) from None

    async def aclose(self) -> None:
        """Close every connection; a later call opens new ones."""
        exchange, self._exchange = self._exchange, None
        if exchange:
            await exchange.aclose()

    async def _carried(self, request: VendorRequest, trail: _Trail) -> Response | NoAnswer | Throttled:
        ended: Response | NoAnswer | None = None
        while True:
            barred = await self._gate.admit(request, remaining=self._remaining(trail))
            if barred:
                trail.ending += ", then barred" if ended else ""
                return ended or barred
            ended, ending = await self._attempted(request, trail)
            delay = delay_before_next(
                request.effect,
                ending,
                attempt=trail.attempts,
                jitter=self._clockwork.random(),
                remaining=self._remaining(trail),
            )
            if delay is None or not request.patient:
                return ended
            await self._clockwork.sleep(delay)

    async def _attempted(self, request: VendorRequest, trail: _Trail) -> tuple[Response | NoAnswer, Ending]:
        trail.attempts += 1
        trail.ending = "no answer was waited for"
        seconds = max(SHORTEST_TRY, self._remaining(trail))
        answer = await self._opened().once(self._outgoing(request), seconds=seconds)
        ended = self._without_key(answer) if isinstance(answer, NoAnswer) else self._received(answer)
        ending = _ending(ended)
        trail.may_have_acted |= may_have_acted(ending)
        trail.ending = ended.fault.value if isinstance(ended, NoAnswer) else str(ended.status)
        trail.request_id = ended.words.request_id if isinstance(ended, Response) else None
        self._gate.record(request, ending, {} if isinstance(answer, NoAnswer) else answer.headers)
        return ended, ending

    def _remaining(self, trail: _Trail) -> float:
        return self._timing.total - (self._clockwork.monotonic() - trail.began)

    def _opened(self) -> Exchange:
        from sequences_mcp.vendors.exchange import Exchange

        if self._exchange is None:
            headers = {"User-Agent": USER_AGENT, "Accept": "application/json", "Accept-Encoding": "identity"}
            signed = {**headers, **self.vendor.sign(self._key)}
            self._exchange = Exchange(self._timing, headers=signed, base_url=self._base_url)
        return self._exchange

    def _outgoing(self, request: VendorRequest) -> Outgoing:
        from sequences_mcp.vendors.exchange import Outgoing

        body = request.body
        return Outgoing(
            method=request.method,
            url=self._base_url + request.path,
            query=request.query,
            content=None if body is None else json.dumps(body).encode(),
            is_write=request.effect is not Effect.READ,
        )

    def _received(self, answer: HttpAnswer) -> Response | NoAnswer:
        is_success = 200 <= answer.status < 300
        try:
            body = json_without(self._key, json.loads(answer.body, parse_constant=_no_constant))
        except (ValueError, RecursionError):
            if is_success:
                return NoAnswer(
                    fault=ConnectionFault.UNREADABLE, why=f"HTTP {answer.status} with a body that is not JSON"
                )
            body = None
        retry_after = answer.headers.get("retry-after")
        date, now = answer.headers.get("date"), self._clockwork.now()
        return Response(
            status=answer.status,
            body=body,
            words=self._words(body, answer),
            retry_after=seconds_asked(retry_after, date=date, now=now),
        )

    def _words(self, body: object, answer: HttpAnswer) -> VendorWords:
        words = self.vendor.words(body)
        header = on_one_line(text_without(self._key, answer.headers.get("x-request-id", "")))
        return words if words.request_id or not header else replace(words, request_id=header)

    def _without_key(self, broken: NoAnswer) -> NoAnswer:
        return replace(broken, why=on_one_line(text_without(self._key, broken.why)))

    def _log(self, request: VendorRequest, trail: _Trail) -> None:
        logger.info(
            "%s %s %s: %s in %.0f ms, attempts %d, request id %s",
            self.vendor.name,
            request.method,
            request.path,
            trail.ending,
            (self._clockwork.monotonic() - trail.began) * 1000,
            trail.attempts,
            trail.request_id or "-",
        )


def _ending(ended: Response | NoAnswer) -> Ending:
    if isinstance(ended, NoAnswer):
        return Ending(fault=ended.fault)
    return Ending(status=ended.status, retry_after=ended.retry_after)


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
