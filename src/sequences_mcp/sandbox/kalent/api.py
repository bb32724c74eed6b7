"""Kalent's endpoints, its way of admitting a key and its error envelope (page "Authentication")."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import Headers, QueryParams

from sequences_mcp.sandbox.kalent import blueprints, candidates, dynamic_sequence, enrichment, sourcings, start
from sequences_mcp.sandbox.rest.call import Endpoint, Vendor, bearer, key_for
from sequences_mcp.sandbox.rest.refusal import BadInput, NoSuch, Refused
from sequences_mcp.sandbox.world.whole import ApiKey

CODES = {
    400: "validation_error",
    401: "invalid_api_key",
    402: "plan_upgrade_required",
    403: "forbidden",
    404: "not_found",
    429: "rate_limit_exceeded",
    500: "internal_error",
    503: "temporal_unavailable",
}
ENDPOINTS = (
    Endpoint("POST", "/sourcings", sourcings.create),
    Endpoint("GET", "/sourcings", sourcings.listed),
    Endpoint("POST", "/sourcings/{sourcingId}/candidates", candidates.add),
    Endpoint("GET", "/sourcings/{sourcingId}/candidates", candidates.listed),
    Endpoint("GET", "/candidates/{candidateId}", candidates.shown),
    Endpoint("POST", "/candidates/{candidateId}/enrich-contacts", enrichment.begin),
    Endpoint("POST", "/sourcings/{sourcingId}/sequence-blueprints", blueprints.create),
    Endpoint("PATCH", "/sequence-blueprints/{blueprintId}", blueprints.update),
    Endpoint("POST", "/sequence-blueprints/{blueprintId}/start", start.start),
    Endpoint("GET", "/candidates/{candidateId}/dynamic-sequence", dynamic_sequence.shown),
)


def authenticate(headers: Headers, keys: tuple[ApiKey, ...]) -> ApiKey:
    """Return the key of ``x-api-key``; a bearer token is an OAuth access token, and none is valid here."""
    token = headers.get("x-api-key")
    if not token and not bearer(headers):
        raise Refused(401, "missing_api_key", "Missing API key")
    if key := key_for(token, keys):
        return key
    raise Refused(401, "invalid_api_key", "Invalid API key")


def authorize(key: ApiKey, endpoint: Endpoint, query: QueryParams) -> None:
    """Admit every key to every endpoint: Kalent has plans, not scopes."""


def refuse(problem: BadInput | NoSuch) -> Refused:
    """Return wrong input as validation_error, anything absent as not_found."""
    if isinstance(problem, NoSuch):
        return Refused(404, "not_found", problem.message)
    return Refused(400, "validation_error", problem.message)


def envelope(refused: Refused, reference: str) -> dict[str, Any]:
    """Return the newer of the two published shapes; ``details`` only where there are some."""
    error: dict[str, Any] = {
        "code": refused.code,
        "message": refused.message,
        "debugTrackingCode": reference,
    }
    return {"success": False, "error": error | ({"details": dict(refused.details)} if refused.details else {})}


KALENT = Vendor(
    name="kalent",
    prefix="/kalent/api/v1",
    endpoints=ENDPOINTS,
    authenticate=authenticate,
    authorize=authorize,
    refuse=refuse,
    envelope=envelope,
    codes=CODES,
)
