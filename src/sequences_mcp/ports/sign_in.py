"""How a person signs in to the review page: at an issuer, which says who they are and what they may do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime

from sequences_mcp.domain.reviewers import Reviewer
from sequences_mcp.errors import SequencesError
from sequences_mcp.lazy_dataclasses import dataclass


class ReviewerRefusedError(SequencesError):
    """The issuer, or what came back from it, does not say who somebody is.

    ``data["needs_person"]``: it would say so after asking them, which it was told not to do.
    """

    code = "sign_in_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """What is remembered of a browser that was sent to the issuer.

    ``state`` comes back with it, ``nonce`` in the ID token; ``verifier`` is the secret of PKCE (RFC 7636).
    ``is_silent``: the issuer is not to ask anything. ``next_path`` is where the person wants to go.
    """

    state: str
    nonce: str
    verifier: str
    next_path: str
    at: datetime
    is_silent: bool = False


class SignInIssuer(ABC):
    """An issuer at which people sign in."""

    title: str
    """What people know it by: its host."""

    @abstractmethod
    async def address(self, departure: Departure) -> str:
        """Return the issuer's page to which a browser is sent; ReviewerRefusedError where it cannot be known."""

    @abstractmethod
    async def reviewer(self, departure: Departure, answer: Mapping[str, str]) -> Reviewer:
        """Return who came back with these values in the address; ReviewerRefusedError."""
