"""Topo's endpoints, its way of admitting a key and its errors (pages "Authentication" and "Errors")."""

from __future__ import annotations

from functools import partial
from typing import Any

from starlette.datastructures import Headers, QueryParams

from sequences_mcp.sandbox.rest.call import Endpoint, Vendor, bearer, key_for
from sequences_mcp.sandbox.rest.refusal import BadInput, NoSuch, Refused
from sequences_mcp.sandbox.topo import (
    activities,
    contact_entries,
    contact_lists,
    contact_variables,
    contacts,
    exclusions,
    me,
    sequences,
    tasks,
    templates,
)
from sequences_mcp.sandbox.world.whole import ApiKey

# The types of 429 and of 5xx are not published.
CODES = {
    400: "ValidationIssue",
    401: "UnauthorizedIssue",
    403: "UnauthorizedIssue",
    404: "NotFoundIssue",
    409: "CommitIssue",
    422: "BusinessIssue",
    429: "RateLimitIssue",
    500: "InternalIssue",
}
READS = (
    ("/me", me.shown, None),
    ("/sequences", sequences.listed, "sequences:read"),
    ("/sequences/{sequence_id}", sequences.shown, "sequences:read"),
    ("/sequence-templates", templates.listed, "sequences:read"),
    ("/sequence-templates/{sequence_template_id}", templates.shown, "sequences:read"),
    ("/contacts", contacts.listed, "contacts:read"),
    ("/contacts/{contact_id}", contacts.shown, "contacts:read"),
    ("/contacts/{contact_id}/variables", contact_variables.shown, "contacts:read"),
    ("/contact-lists", contact_lists.listed, "contact_lists:read"),
    ("/contact-lists/{contact_list_id}", contact_lists.shown, "contact_lists:read"),
    ("/contact-entries", contact_entries.listed, "contact_lists:read"),
    ("/contact-entries/{contact_entry_id}", contact_entries.shown, "contact_lists:read"),
    ("/contact-exclusions", partial(exclusions.listed, kind="contact"), "exclusions:read"),
    ("/contact-exclusions/{exclusion_id}", partial(exclusions.shown, kind="contact"), "exclusions:read"),
    ("/account-exclusions", partial(exclusions.listed, kind="account"), "exclusions:read"),
    ("/account-exclusions/{exclusion_id}", partial(exclusions.shown, kind="account"), "exclusions:read"),
    ("/activities", activities.listed, "activities:read"),
    ("/tasks", tasks.listed, "tasks:read"),
    ("/tasks/{task_id}/messages", tasks.messages, "tasks:read"),
)
WRITES = (
    ("PATCH", "/sequences/{sequence_id}", sequences.update, "sequences:write"),
    ("POST", "/sequences/{sequence_id}/pause", sequences.pause, "sequences:write"),
    ("POST", "/sequences/{sequence_id}/resume", sequences.resume, "sequences:write"),
    ("POST", "/sequences/{sequence_id}/stop", sequences.stop, "sequences:write"),
    ("PATCH", "/contacts/{contact_id}/variables", contact_variables.merge, "contacts:write"),
    ("DELETE", "/contacts/{contact_id}/variables/{key}", contact_variables.remove, "contacts:write"),
    ("POST", "/contact-lists", contact_lists.create, "contact_lists:write"),
    ("PATCH", "/contact-lists/{contact_list_id}", contact_lists.update, "contact_lists:write"),
    ("POST", "/contact-entries", contact_entries.create, "contact_lists:write"),
    ("POST", "/contact-exclusions", partial(exclusions.create, kind="contact"), "exclusions:write"),
    (
        "PATCH",
        "/contact-exclusions/{exclusion_id}",
        partial(exclusions.update, kind="contact"),
        "exclusions:write",
    ),
    (
        "DELETE",
        "/contact-exclusions/{exclusion_id}",
        partial(exclusions.remove, kind="contact"),
        "exclusions:write",
    ),
    ("POST", "/account-exclusions", partial(exclusions.create, kind="account"), "exclusions:write"),
    (
        "PATCH",
        "/account-exclusions/{exclusion_id}",
        partial(exclusions.update, kind="account"),
        "exclusions:write",
    ),
    (
        "DELETE",
        "/account-exclusions/{exclusion_id}",
        partial(exclusions.remove, kind="account"),
        "exclusions:write",
    ),
    ("POST", "/tasks/{task_id}/skip", tasks.skip, "tasks:write"),
    ("POST", "/tasks/{task_id}/reopen", tasks.reopen, "tasks:write"),
    ("PATCH", "/tasks/{task_id}/assignee", tasks.reassign, "tasks:write"),
)
ENDPOINTS = (
    *(Endpoint("GET", path, answer, scope) for path, answer, scope in READS),
    *(Endpoint(method, path, answer, scope) for method, path, answer, scope in WRITES),
)


def authenticate(headers: Headers, keys: tuple[ApiKey, ...]) -> ApiKey:
    """Return the key of ``Authorization: Bearer topo_…``; 401 comes before any other check."""
    if key := key_for(bearer(headers), keys):
        return key
    raise Refused(401, "UnauthorizedIssue", "Missing or invalid API key")


def authorize(key: ApiKey, endpoint: Endpoint, query: QueryParams) -> None:
    """Refuse a key without the scope: the same type as a wrong key, but 403."""
    if endpoint.scope is not None and endpoint.scope not in key.scopes:
        message = f"API key is missing the required scope: {endpoint.scope}"
        raise Refused(403, "UnauthorizedIssue", message, details={"required_scope": endpoint.scope})


def refuse(problem: BadInput | NoSuch) -> Refused:
    """Return wrong input as ValidationIssue, anything absent as NotFoundIssue."""
    if isinstance(problem, NoSuch):
        return Refused(404, "NotFoundIssue", problem.message)
    details = {"field": problem.field} if problem.field else None
    return Refused(400, "ValidationIssue", problem.message, details=details)


def envelope(refused: Refused, reference: str) -> dict[str, Any]:
    """Return ``{status_code, type, message, data?, request_id}``."""
    error: dict[str, Any] = {
        "status_code": refused.status,
        "type": refused.code,
        "message": refused.message,
        "request_id": reference,
    }
    return error | ({"data": dict(refused.details)} if refused.details else {})


TOPO = Vendor(
    name="topo",
    prefix="/topo/v1",
    endpoints=ENDPOINTS,
    authenticate=authenticate,
    authorize=authorize,
    refuse=refuse,
    envelope=envelope,
    codes=CODES,
)
