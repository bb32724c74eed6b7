"""A value that is never shown: API keys, passwords, addresses with a password in them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A value that neither ``repr`` nor ``str`` shows."""

    value: str

    def __repr__(self) -> str:
        return "Secret(…)"
