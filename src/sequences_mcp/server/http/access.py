"""Which scope a request needs, and what may be done without one.

A scope is what a user lets their program do. There are three, and none of them approves anything. What only holds
messages back (``Definition.safe``) needs no more than a valid token, whatever its scopes are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sequences_mcp.errors import RequestError

READ, DRAFT, OPERATE = "sequences:read", "sequences:draft", "sequences:operate"
SCOPES = (READ, DRAFT, OPERATE)
NEEDS = "io.github.sequences-mcp/needs"  # in the ``_meta`` of a listed tool that the caller's scopes do not cover
CALL = "tools/call"
# By tool; those that are not here are safe.
TOOL_SCOPES: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "list_providers",
            "list_blueprints",
            "get_blueprint",
            "check_blueprint",
            "preview_sequence",
            "find_contacts",
            "list_sequences",
            "get_sequence",
            "list_replies",
            "report",
            "list_reviews",
            "list_tasks",
            "list_sourcings",
            "show_plan",
        ),
        READ,
    ),
    **dict.fromkeys(
        (
            "create_blueprint",
            "update_blueprint",
            "save_contacts",
            "import_contacts",
            "export_data",
            "export_contact",
            "erase_contact",
            "start_sequence",
            "edit_draft",
            "draft_reply",
        ),
        DRAFT,
    ),
    **dict.fromkeys(
        ("update_sequence", "resume_sequence", "retry_failed", "complete_task", "check_operation", "decide_plan"),
        OPERATE,
    ),
}
# Whatever hands out stored data; lists of what there is, and the beginning of a session, tell nothing of it.
_READING = ("resources/read", "resources/subscribe", "prompts/get", "completion/complete", "subscriptions/listen")


class InsufficientScopeError(RequestError):
    """The token does not let its program do this."""

    code = "insufficient_scope"


def scopes_needed(method: str, params: Mapping[str, Any] | None) -> frozenset[str]:
    """Return the scopes that a request needs, as its method and its params say; none of it need be valid."""
    if method in _READING:
        return frozenset({READ})
    if method != CALL:
        return frozenset()
    given = params or {}
    name, arguments = given.get("name"), given.get("arguments")
    needed = {TOOL_SCOPES[name]} if isinstance(name, str) and name in TOOL_SCOPES else set[str]()
    # A start that the operator's setting lets go at once sends, so that it is more than a draft.
    if name == "start_sequence" and isinstance(arguments, Mapping):
        needed |= {OPERATE} if arguments.get("auto_approve") not in (None, False) else set()
    return frozenset(needed)


def in_order(scopes: Collection[str]) -> str:
    """Return scopes as a header has them."""
    return " ".join(scope for scope in SCOPES if scope in scopes)


def insufficient(needed: Collection[str]) -> InsufficientScopeError:
    """Return the error for a call that needs these scopes as well."""
    return InsufficientScopeError(
        f"Your token does not cover this: it needs {in_order(needed)}.",
        next_step="Sign in again with that scope. Pausing, stopping, suppressing and withdrawing need none.",
        data={"scope": in_order(needed)},
    )
