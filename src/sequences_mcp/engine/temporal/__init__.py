"""The clock on Temporal: a workflow for each run keeps its timers, and activities take what is due.

The database stays the truth. A workflow knows the id of its run and nothing else of it; when it wakes, it has an
activity do what is due by the database, and sleeps until what that says comes next.

This file is read with the settings and loads nothing of Temporal's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec

from sequences_mcp.domain.sender import Secret

_ADDRESS = re.compile(r"(https?://)?([A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\]):(\d{1,5})(?:/([A-Za-z0-9._-]+))?")

NOT_INSTALLED = "The clock is Temporal's, whose library is not installed here: this process takes nothing."
INSTALL = "Install it with `pipx install 'sequences-mcp[temporal]'`, or set `clock = \"own\"`."

HOW_TO_SET = 'Set `temporal = "host:7233"` in settings.toml where one is to.'


@dataclass(frozen=True, slots=True)
class TemporalAddress:
    """Where Temporal is: ``host:port``, its namespace, whether the connection is encrypted, and its API key.

    With a key it is always encrypted.
    """

    target: str
    namespace: str = "default"
    tls: bool = False
    api_key: Secret | None = None

    @classmethod
    def parse(cls, text: str) -> TemporalAddress:
        """Return the address that a person wrote: ``host:7233``, ``https://host:7233/namespace``; ValueError."""
        match = _ADDRESS.fullmatch(text)
        if match is None or not 0 < int(match[3]) < 65_536:
            raise ValueError(f"{text!r} does not read host:7233, host:7233/namespace or https://host:7233")
        return cls(f"{match[2]}:{match[3]}", match[4] or "default", match[1] == "https://")

    @property
    def is_installed(self) -> bool:
        """Whether Temporal's library is installed here."""
        return find_spec("temporalio") is not None

    @property
    def words(self) -> str:
        """The address for people to read."""
        return self.target if self.namespace == "default" else f"{self.target}, namespace {self.namespace},"


def api_key(text: str) -> Secret | None:
    """Return the key that a person wrote, None for an empty text; ValueError for what no header could carry."""
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("it holds a blank or a letter that no key has")
    return Secret(text) if text else None
