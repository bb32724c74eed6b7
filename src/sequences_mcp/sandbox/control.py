"""The sandbox's own routes, which no vendor has: faults to come, the clock, what people do, what was received."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sequences_mcp.sandbox.faults.rule import FaultRule, Faults
from sequences_mcp.sandbox.happenings import happen
from sequences_mcp.sandbox.rest.reading import stamp, text
from sequences_mcp.sandbox.rest.refusal import BadInput, NoSuch
from sequences_mcp.sandbox.world.whole import World

# A hundred years: the calendar ends somewhere.
MOST_SECONDS = 3_155_760_000

Doing = Callable[[dict[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Control:
    """The switches of one sandbox; a mistake is answered with 400 and a sentence, an unknown id with 404."""

    world: World
    faults: Faults

    def routes(self) -> list[Route]:
        """Return the routes, all of which begin with an underscore."""
        return [
            _route("/_faults", "GET", self.list_faults),
            _route("/_faults", "POST", self.add_fault),
            _route("/_faults", "DELETE", self.clear_faults),
            _route("/_clock", "GET", self.tell_time),
            _route("/_clock", "POST", self.move_clock),
            _route("/_happenings", "POST", self.let_happen),
            _route("/_requests", "GET", self.list_requests),
            _route("/_requests", "DELETE", self.clear_requests),
        ]

    def list_faults(self, fields: dict[str, Any]) -> Any:
        """Return the faults still to come."""
        return [asdict(rule) for rule in self.faults.rules]

    def add_fault(self, fields: dict[str, Any]) -> Any:
        """Add one: the fields of ``FaultRule``."""
        rule = _RULE.validate_python(fields)
        unknown = sorted(set(fields) - set(asdict(rule)))
        if unknown:
            raise BadInput(f"Unknown field: {unknown[0]}", field=unknown[0])
        self.faults.rules.append(rule)
        return asdict(rule)

    def clear_faults(self, fields: dict[str, Any]) -> Any:
        """Forget them all."""
        self.faults.rules.clear()
        return []

    def tell_time(self, fields: dict[str, Any]) -> Any:
        """Return the sandbox's time."""
        return {"now": stamp(self.world.settle())}

    def move_clock(self, fields: dict[str, Any]) -> Any:
        """Let ``advance_seconds`` pass at once."""
        seconds = fields.get("advance_seconds")
        is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        if seconds is None or not is_number or not 0 <= seconds <= MOST_SECONDS:
            raise BadInput(f"advance_seconds must be a number from 0 to {MOST_SECONDS}", field="advance_seconds")
        self.world.ahead += timedelta(seconds=seconds)
        return self.tell_time(fields)

    def let_happen(self, fields: dict[str, Any]) -> Any:
        """Let ``what`` happen to ``id`` at ``vendor``."""
        happen(self.world, text(fields, "vendor"), text(fields, "what"), to=text(fields, "id"))
        return fields

    def list_requests(self, fields: dict[str, Any]) -> Any:
        """Return every vendor request since the start or the last clearing, the oldest first."""
        return [asdict(one) for one in self.world.received]

    def clear_requests(self, fields: dict[str, Any]) -> Any:
        """Forget them all."""
        self.world.received.clear()
        return []


_RULE = TypeAdapter(FaultRule)


def _route(path: str, method: str, act: Doing) -> Route:
    async def respond(request: Request) -> Response:
        try:
            return JSONResponse(act(_object(await request.body())))
        except NoSuch as problem:
            return JSONResponse({"error": problem.message}, 404)
        except ValidationError as problem:
            return JSONResponse({"error": problem.errors()[0]["msg"]}, 400)
        except BadInput as problem:
            return JSONResponse({"error": problem.message}, 400)

    return Route(path, respond, methods=[method])


def _object(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content or b"{}")
    except ValueError as error:
        raise BadInput("The body is not valid JSON") from error
    if not isinstance(body, dict):
        raise BadInput("The body must be a JSON object")
    return body
