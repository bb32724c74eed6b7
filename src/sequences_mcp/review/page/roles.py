"""Which role each form of the page needs, where people sign in. Looking needs the least of them."""

from __future__ import annotations

from collections.abc import Mapping

from sequences_mcp.domain.reviewers import Role

# What only holds messages back or takes them back: done at any time for whoever is signed in.
HOLD_BACK = frozenset(
    {
        "/pause-all",
        "/plans/{plan}/refuse",
        "/plans/{plan}/people/{sequence}/refuse",
        "/plans/{plan}/take-out",
        "/changes/{change}/refuse",
        "/sequences/{sequence}/pause",
        "/sequences/{sequence}/stop",
        "/sequences/{sequence}/reply",
        "/suppressions",
        "/lock",
        "/sign-out",
    }
)
# What prepares, and what waits for an approval all the same.
MEMBERS = frozenset(
    {
        "/unlock",
        "/unlock/word",
        "/texts/{draft}",
        "/texts/{draft}/check",
        "/tasks/{task}",
        "/import-blueprint",
        "/blueprints/{blueprint}/archive",
        "/people/file",
        "/people/import/{token}/columns",
        "/people/import/{token}/save",
        "/people/import/{token}/put-aside",
    }
)
# What lets something leave, says what became of it, or lifts what holds it back.
APPROVERS = frozenset(
    {
        "/plans/{plan}/approve",
        "/plans/{plan}/renew",
        "/changes/{change}/approve",
        "/texts/{draft}/approve",
        "/texts/{draft}/resolve",
        "/sequences/{sequence}/resume",
        "/resume-all",
        "/campaigns/{blueprint}/retry",
        "/replies/{reply}/decide",
        "/suppressions/lift",
        "/passkeys",
        "/passkeys/begin",
    }
)
_NEEDED: Mapping[str, Role] = {
    **dict.fromkeys(HOLD_BACK | MEMBERS, Role.MEMBER),
    **dict.fromkeys(APPROVERS, Role.APPROVER),
}


def role_needed(path: str, *, writes: bool) -> Role:
    """Return the role that a route needs, by its path with the names of its parts; an admin where none is said."""
    return _NEEDED.get(path, Role.ADMIN) if writes else Role.MEMBER
