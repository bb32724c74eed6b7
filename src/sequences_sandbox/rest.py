"""What the three APIs share: parsing of requests, JSON, error answers, routes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from sequences_sandbox.world import ApiKey, VendorName, World


class Refused(Exception):  # noqa: N818 - an answer of the API, not a fault of the program
    """The vendor refuses a request, with its own status and code."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.headers = headers or {}


class BadInput(Exception):  # noqa: N818 - an answer of the API, not a fault of the program
    """Something in the query or the body is wrong; without a field the request as a whole is malformed."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class NoSuch(Exception):  # noqa: N818 - an answer of the API, not a fault of the program
    """The object does not exist, or is not visible to this key."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.message = f"{what} not found"


def integer(query: QueryParams, name: str, default: int, *, low: int, high: int | None = None) -> int:
    """Return a whole number of the query within its bounds."""
    text = query.get(name, str(default))
    number = int(text) if text.removeprefix("-").isascii() and text.removeprefix("-").isdigit() else None
    if number is None or number < low or (high is not None and number > high):
        bounds = f"at least {low}" if high is None else f"between {low} and {high}"
        raise BadInput(f"{name} must be an integer {bounds}", field=name)
    return number


def choice(query: QueryParams, name: str, options: Iterable[str], *, default: str) -> str:
    """Return one of the options."""
    return one_of(query.get(name, default), options, field=name)


def one_of(value: object, options: Iterable[str], *, field: str) -> str:
    """Return the value if it is one of the options."""
    allowed = sorted(options)
    if not isinstance(value, str) or value not in allowed:
        raise BadInput(f"{field} must be one of {', '.join(allowed)}", field=field)
    return value


def text(fields: Mapping[str, Any], name: str) -> str:
    """Return a required string with something in it."""
    value = optional_text(fields, name)
    if value is None or not value.strip():
        raise BadInput(f"{name} is required", field=name)
    return value


def optional_text(fields: Mapping[str, Any], name: str) -> str | None:
    """Return a string, or None where it is absent or null."""
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise BadInput(f"{name} must be a string", field=name)
    return value


def flag(fields: Mapping[str, Any], name: str, default: bool) -> bool:
    """Return a boolean."""
    value = fields.get(name, default)
    if not isinstance(value, bool):
        raise BadInput(f"{name} must be a boolean", field=name)
    return value


def texts(fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return a list of strings; none where it is absent."""
    value = fields.get(name) or []
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise BadInput(f"{name} must be an array of strings", field=name)
    return tuple(value)


def objects(fields: Mapping[str, Any], name: str, *, most: int) -> list[dict[str, Any]]:
    """Return a required list of 1 to ``most`` objects."""
    value = fields.get(name)
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        raise BadInput(f"{name} must be an array of 1 to {most} items", field=name)
    for number, item in enumerate(value):
        if not isinstance(item, dict):
            raise BadInput(f"{name}[{number}] must be an object", field=f"{name}[{number}]")
    return value


def only(fields: Mapping[str, Any], names: Iterable[str]) -> None:
    """Refuse keys that do not exist."""
    unknown = sorted(set(fields) - set(names))
    if unknown:
        raise BadInput(f"Unrecognized key: {unknown[0]}", field=unknown[0])


def moment(value: object, *, field: str) -> datetime:
    """Return a point in time from ISO 8601; one without an offset is read as UTC."""
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
        if instant is not None:
            return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        pass
    raise BadInput(f"{field} must be an ISO 8601 datetime", field=field)


def optional_moment(query: Mapping[str, Any], name: str) -> datetime | None:
    """Return a point in time, or None where it is absent or null."""
    return None if query.get(name) is None else moment(query[name], field=name)


def stamp(at: datetime, *, millis: bool = False) -> str:
    """Return a time as the vendors write it: ``2026-01-05T09:00:00Z``."""
    written = at.astimezone(UTC).isoformat(timespec="milliseconds" if millis else "seconds")
    return written.replace("+00:00", "Z")


def optional_stamp(at: datetime | None) -> str | None:
    """Return a time as the vendors write it, or None."""
    return None if at is None else stamp(at)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; ``body`` is what becomes JSON, None is an empty body."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request: its key, parameters, body and time."""

    world: World
    key: ApiKey
    now: datetime
    path: Mapping[str, str]
    query: QueryParams
    headers: Headers
    content: bytes = b""

    def fields(self) -> dict[str, Any]:
        """Return the JSON object of the body; BadInput without a field for anything else."""
        if not self.headers.get("content-type", "").startswith("application/json"):
            raise BadInput("Content-Type must be application/json")
        try:
            body = json.loads(self.content)
        except ValueError as error:
            raise BadInput("The body is not valid JSON") from error
        if not isinstance(body, dict):
            raise BadInput("The body must be a JSON object")
        return body


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path, and the scope it needs. ``query`` names the parameters that exist."""

    method: str
    path: str
    answer: Callable[[Call], Reply]
    scope: str | None = None
    query: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """One API: its prefix, its routes, how it authenticates, and the form of its errors."""

    name: VendorName
    prefix: str
    endpoints: tuple[Endpoint, ...]
    authenticate: Callable[[Headers, tuple[ApiKey, ...]], ApiKey]
    authorize: Callable[[ApiKey, Endpoint, QueryParams], None]
    refuse: Callable[[BadInput | NoSuch], Refused]
    envelope: Callable[[Refused, str], dict[str, Any]]
    # The code of a status that a fault asks for; where the vendor publishes none, one was chosen.
    codes: Mapping[int, str]
    meter: Callable[[World, ApiKey, str], Mapping[str, str]] = lambda world, key, method: {}


def bearer(headers: Headers) -> str | None:
    """Return the token of ``Authorization: Bearer …``, or None."""
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" and token.strip() else None


def key_for(token: str | None, keys: tuple[ApiKey, ...]) -> ApiKey | None:
    """Return the key with this token, or None."""
    return next((key for key in keys if key.token == token), None)


METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]
NOBODY = ApiKey(token="", name="nobody")


def mounted(vendor: Vendor, world: World) -> Mount:
    """Return the routes of one vendor below its prefix; anything else there is the vendor's own 404."""
    routes: list[BaseRoute] = [_route(vendor, world, endpoint) for endpoint in vendor.endpoints]
    routes += [_route(vendor, world, Endpoint(method, "/{rest:path}", _no_such_route)) for method in METHODS]
    return Mount(vendor.prefix, routes=routes)


def _no_such_route(call: Call) -> Reply:
    raise NoSuch("Route")


def _route(vendor: Vendor, world: World, endpoint: Endpoint) -> Route:
    async def respond(request: Request) -> Response:
        content = await request.body()
        call = Call(
            world=world,
            key=NOBODY,
            now=world.advance(),
            path=request.path_params,
            query=request.query_params,
            headers=request.headers,
            content=content,
        )
        return response(_answered(vendor, endpoint, call), world)

    return Route(endpoint.path, respond, methods=[endpoint.method])


def _answered(vendor: Vendor, endpoint: Endpoint, call: Call) -> Reply:
    metered: dict[str, str] = {}
    try:
        key = vendor.authenticate(call.headers, call.world.keys[vendor.name])
        metered.update(vendor.meter(call.world, key, endpoint.method))
        vendor.authorize(key, endpoint, call.query)
        reply = endpoint.answer(replace(call, key=key))
    except (BadInput, NoSuch) as problem:
        reply = refusal(vendor, vendor.refuse(problem), call.world)
    except Refused as refused:
        reply = refusal(vendor, refused, call.world)
    return Reply(reply.body, reply.status, {**metered, **reply.headers})


def refusal(vendor: Vendor, refused: Refused, world: World) -> Reply:
    """Return a refusal in the vendor's envelope, with an id to quote."""
    return Reply(vendor.envelope(refused, world.new_id("req")), refused.status, refused.headers)


def response(reply: Reply, world: World) -> Response:
    """Return a reply as HTTP; the date is the sandbox's own, so that dates in other headers agree with it."""
    headers = {"date": format_datetime(world.now().astimezone(UTC), usegmt=True), **reply.headers}
    if reply.body is None:
        return Response(status_code=reply.status, headers=headers)
    content = json.dumps(reply.body, ensure_ascii=False).encode(errors="replace")
    return Response(content, reply.status, headers, media_type="application/json")
