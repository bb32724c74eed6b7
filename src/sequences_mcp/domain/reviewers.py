"""Who may do what on a review page at which people sign in: a person, their role, the actor they act as."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from sequences_mcp.domain.actors import REVIEWER, Actor
from sequences_mcp.domain.sender import Secret
from sequences_mcp.lazy_dataclasses import dataclass, field

LONGEST_SUBJECT, LONGEST_NAME = 255, 80  # a subject is at most 255 letters of ASCII (OpenID Connect Core, 2)


class Role(StrEnum):
    """What a person may do, each role all that those before it may: look and hold back, approve, administer."""

    MEMBER = "member"
    APPROVER = "approver"
    ADMIN = "admin"

    def covers(self, needed: Role) -> bool:
        """Say whether whoever has this role may do what the other one is needed for."""
        return _ORDER.index(self) >= _ORDER.index(needed)


_ORDER = tuple(Role)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewSettings:
    """The review page under its own name: its address, and this page as a client of the issuer.

    The values of ``role_claim`` that ``roles`` has give a role; a claim inside others is written with dots between
    (``realm_access.roles``).
    """

    url: str
    issuer: str
    client_id: str
    client_secret: Secret | None = field(default=None, repr=False)
    role_claim: str = "email"
    roles: Mapping[str, Role] = field(default_factory=dict)

    @property
    def callback(self) -> str:
        """The address that browsers come back to from the issuer."""
        return f"{self.url}/sign-in/back"


def highest_role(roles: set[Role]) -> Role | None:
    """Return the role that covers all others, None of none."""
    return max(roles, key=_ORDER.index, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewer:
    """A person who signed in: ``subject`` is who they are at the issuer for good, ``name`` what people call them.

    ``role`` is None for somebody whom nobody gave one: they see nothing.
    """

    subject: str
    name: str
    role: Role | None

    @property
    def actor(self) -> Actor:
        """Who the audit and an approval name: ``reviewer:SUBJECT (NAME)``."""
        return REVIEWER.with_detail(f"{self.subject} ({self.name})" if self.name else self.subject)

    def may(self, needed: Role) -> bool:
        """Say whether they may do what a role is needed for."""
        return self.role is not None and self.role.covers(needed)


def is_subject(text: object) -> bool:
    """Say whether a text can name a person in an actor: ASCII that is seen, without spaces and brackets."""
    return (
        isinstance(text, str)
        and 0 < len(text) <= LONGEST_SUBJECT
        and all("!" <= letter <= "~" and letter not in "()" for letter in text)
    )


def shown_name(text: object) -> str:
    """Return what an issuer calls a person as it may stand in an actor; nothing where that cannot be shown."""
    if not isinstance(text, str):
        return ""
    from sequences_mcp.domain.invisible import hidden_spans

    name = " ".join(text.replace("(", " ").replace(")", " ").split())[:LONGEST_NAME].strip()
    return name if name.isprintable() and not any(hidden_spans(name)) else ""
