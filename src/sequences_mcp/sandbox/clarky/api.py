"""Clarky's endpoints, its way of admitting a key and its errors (pages "Authentication" and "Errors")."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import Headers, QueryParams

from sequences_mcp.sandbox.clarky import agents, contacts, enrollments, start
from sequences_mcp.sandbox.clarky.limiter import metered
from sequences_mcp.sandbox.rest.call import Endpoint, Vendor, bearer, key_for
from sequences_mcp.sandbox.rest.refusal import BadInput, NoSuch, Refused
from sequences_mcp.sandbox.world.whole import ApiKey

CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    422: "validation_error",
    429: "rate_limited",
    500: "internal_error",
}
PAGING = frozenset({"page", "page_size"})
ENDPOINTS = (
    Endpoint("POST", "/sequences/start", start.start, "write"),
    Endpoint("GET", "/sequences/enrollments/{id}", enrollments.shown, "read"),
    Endpoint("GET", "/contacts", contacts.listed, "read", contacts.FILTERS | PAGING),
    Endpoint("GET", "/contacts/by-email", contacts.by_email, "read", frozenset({"email"})),
    Endpoint("GET", "/contacts/{id}", contacts.shown, "read"),
    Endpoint("POST", "/contacts", contacts.create, "write"),
    Endpoint("GET", "/agents", agents.listed, "read", PAGING),
    Endpoint("GET", "/agents/{id}", agents.shown, "read"),
)


def authenticate(headers: Headers, keys: tuple[ApiKey, ...]) -> ApiKey:
    """Return the key of ``Authorization: Bearer ck_live_…``."""
    if key := key_for(bearer(headers), keys):
        return key
    raise Refused(401, "unauthorized", "The API key is missing, malformed or revoked")


def authorize(key: ApiKey, endpoint: Endpoint, query: QueryParams) -> None:
    """Refuse a write with a read-only key, and parameters that do not exist."""
    if endpoint.scope is not None and endpoint.scope not in key.scopes:
        raise Refused(403, "forbidden", f"This API key does not have the {endpoint.scope} scope")
    unknown = sorted(set(query) - endpoint.query) if endpoint.scope else []
    if unknown:
        raise BadInput(f"Unsupported parameter: {unknown[0]}")


def refuse(problem: BadInput | NoSuch) -> Refused:
    """Return a malformed request as bad_request, a failed field as validation_error."""
    if isinstance(problem, NoSuch):
        return Refused(404, "not_found", problem.message)
    if problem.field is None:
        return Refused(400, "bad_request", problem.message)
    return Refused(422, "validation_error", problem.message, details={"field": problem.field})


def envelope(refused: Refused, reference: str) -> dict[str, Any]:
    """Return ``{"error": {code, message, details?}}``; no request id is published."""
    error: dict[str, Any] = {"code": refused.code, "message": refused.message}
    return {"error": error | ({"details": dict(refused.details)} if refused.details else {})}


CLARKY = Vendor(
    name="clarky",
    prefix="/clarky/api/v1",
    endpoints=ENDPOINTS,
    authenticate=authenticate,
    authorize=authorize,
    refuse=refuse,
    envelope=envelope,
    codes=CODES,
    meter=metered,
)
