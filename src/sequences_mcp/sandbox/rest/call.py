"""One call of one endpoint, and what a vendor is made of."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.datastructures import Headers, QueryParams

from sequences_mcp.sandbox.rest.refusal import BadInput, NoSuch, Refused
from sequences_mcp.sandbox.world.whole import ApiKey, VendorName, World


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; ``body`` is what becomes JSON, None is an empty body."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Who asks for what, and when."""

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
    """One API: where it is, what it has, and its ways of admitting and refusing."""

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
