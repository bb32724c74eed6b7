"""A vendor's answer, caught before it leaves, and what a fault makes of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from email.utils import format_datetime

from starlette.responses import Response
from starlette.types import Message, Send

from sequences_mcp.sandbox.faults.rule import Fault, FaultRule
from sequences_mcp.sandbox.rest.call import Vendor
from sequences_mcp.sandbox.rest.refusal import Refused
from sequences_mcp.sandbox.rest.surface import refusal, response
from sequences_mcp.sandbox.world.whole import World

HTML_PAGE = (
    "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
)


@dataclass(slots=True)
class Answer:
    """Status, headers and whole body. A vendor that was not asked cannot say that it did anything: 500."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=lambda: [(b"content-type", b"application/json")])
    body: bytes = b""

    async def take(self, message: Message) -> None:
        """Keep one ASGI message of the vendor."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    async def send(self, send: Send) -> None:
        """Send the whole of it."""
        await self.send_head(send)
        await send({"type": "http.response.body", "body": self.body})

    async def send_head(self, send: Send) -> None:
        """Send status and headers, with the length of the whole body."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})

    def for_fault(self, rule: FaultRule, vendor: Vendor, world: World) -> Answer:
        """Return the answer this fault gives as a whole HTTP message."""
        match rule.fault:
            case Fault.STATUS:
                return _of(_status(rule, vendor, world))
            case Fault.REDIRECT:
                return _of(Response(status_code=rule.status or 302, headers={"location": rule.location}))
            case Fault.HTML:
                return _of(Response(HTML_PAGE, rule.status or 502, media_type="text/html"))
            case Fault.BODY:
                content = json.dumps(rule.body)
                return _of(Response(content, rule.status or self.status, media_type="application/json"))
            case Fault.EMPTY:
                return self._with_body(b"")
            case Fault.TRUNCATED:
                return self._with_body(self._said()[: max(1, len(self._said()) // 2)])
            case Fault.WRONG_CONTENT_TYPE:
                return self._with_body(self._said(), content_type=b"text/plain; charset=utf-8")
            case _:
                return self._with_body(self._said())

    def _said(self) -> bytes:
        return self.body or b'{"message": "nothing was done"}'

    def _with_body(self, body: bytes, *, content_type: bytes | None = None) -> Answer:
        changed = {b"content-length": str(len(body)).encode()}
        changed |= {b"content-type": content_type} if content_type else {}
        kept = [(name, value) for name, value in self.headers if name not in changed]
        return Answer(self.status, [*kept, *changed.items()], body)


def _of(response: Response) -> Answer:
    return Answer(response.status_code, list(response.raw_headers), bytes(response.body))


def _status(rule: FaultRule, vendor: Vendor, world: World) -> Response:
    """Return the vendor's own envelope for a status, or the body the rule gives."""
    status = rule.status or 500
    code = vendor.codes.get(status) or vendor.codes[400 if status < 500 else 500]
    refused = Refused(status, code, f"Injected fault: {status}", headers=_timed(rule, world))
    reply = refusal(vendor, refused, world)
    if rule.body is None:
        return response(reply, world)
    return Response(json.dumps(rule.body), status, reply.headers, media_type="application/json")


def _timed(rule: FaultRule, world: World) -> Mapping[str, str]:
    """Return ``Retry-After`` in seconds, or as a date beside a ``Date`` that is as far off."""
    now = world.now().astimezone(UTC) + timedelta(seconds=rule.skew)
    if rule.retry_after is None:
        return {}
    if not rule.retry_after_as_date:
        return {"retry-after": str(rule.retry_after)}
    later = now + timedelta(seconds=rule.retry_after)
    return {"date": format_datetime(now, usegmt=True), "retry-after": format_datetime(later, usegmt=True)}
