"""The one sender of this server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sender:
    """Who the messages come from; the recruiter variables are this person's names."""

    address: str
    first_name: str
    last_name: str

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()
