"""Where a page is visited: on localhost by whoever is at the machine, or under its own name by many people."""

from __future__ import annotations

from urllib.parse import urlsplit

from sequences_mcp.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PageAddress:
    """An origin of the page as a browser writes it, and every ``Host`` under which it is asked for.

    ``has_sign_in``: people sign in there, each as themselves.
    """

    origin: str
    hosts: frozenset[str]
    has_sign_in: bool = False

    @classmethod
    def on_loopback(cls, authority: str) -> PageAddress:
        """Return the place of a page on this machine, by its host and port (``localhost:4000``)."""
        return cls(f"http://{authority}", frozenset({authority}))

    @property
    def authority(self) -> str:
        """Host and port, as the origin has them."""
        return urlsplit(self.origin).netloc

    @property
    def is_secure(self) -> bool:
        """Whether it is reached over TLS."""
        return self.origin.startswith("https://")

    def cookie(self, name: str) -> str:
        """Return the whole name of a cookie: over TLS no other host and no path can have set it (``__Host-``)."""
        return f"__Host-{name}" if self.is_secure else name
