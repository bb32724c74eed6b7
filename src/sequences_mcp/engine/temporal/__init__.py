"""The clock on Temporal: a workflow for each run keeps its timers, and activities take what is due.

The database stays the truth. A workflow knows the id of its run and nothing else of it; when it wakes, it has an
activity do what is due by the database, and sleeps until what that says comes next.

This file is read with the settings and loads nothing of Temporal's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sequences_mcp.domain.sender import Secret
from sequences_mcp.lazy_dataclasses import dataclass, replace

_ADDRESS = re.compile(r"(https?://)?([A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\]):(\d{1,5})(?:/([A-Za-z0-9._-]+))?")

NOT_INSTALLED = "The clock is Temporal's, whose library is not installed here: this process takes nothing."
INSTALL = "Install it with `pipx install 'sequences-mcp[temporal]'`, or set `clock = \"own\"`."

HOW_TO_SET = 'Set `temporal = "host:7233"` in settings.toml where one is to.'


@dataclass(frozen=True, slots=True)
class TemporalAddress:
    """Where Temporal is: ``host:port``, its namespace, and what the connection is encrypted and let in with.

    ``authority`` is a file with the certificates that vouch for the server, ``certificate`` one with the client's;
    with one of them or with an API key the connection is always encrypted. ``versioning``: each of its workers is
    only given what it is current for.
    """

    target: str
    namespace: str = "default"
    tls: bool = False
    api_key: Secret | None = None
    authority: Path | None = None
    certificate: Path | None = None
    certificate_key: Secret | None = None
    versioning: bool = False

    @classmethod
    def parse(cls, text: str) -> TemporalAddress:
        """Return the address that a person wrote: ``host:7233``, ``https://host:7233/namespace``; ValueError."""
        match = _ADDRESS.fullmatch(text)
        if match is None or not 0 < int(match[3]) < 65_536:
            raise ValueError(f"{text!r} does not read host:7233, host:7233/namespace or https://host:7233")
        return cls(f"{match[2]}:{match[3]}", match[4] or "default", match[1] == "https://")

    @property
    def is_encrypted(self) -> bool:
        """Whether nothing is sent before the server has shown its certificate."""
        return self.tls or any((self.api_key, self.authority, self.certificate, self.certificate_key))

    @property
    def is_installed(self) -> bool:
        """Whether Temporal's library is installed here."""
        return find_spec("temporalio") is not None

    @property
    def words(self) -> str:
        """The address for people to read."""
        return self.target if self.namespace == "default" else f"{self.target}, namespace {self.namespace},"


def read_temporal(
    read: Callable[[str, Callable[[str], Any], str], Any], *, switch: Callable[[str], bool]
) -> tuple[TemporalAddress | None, str]:
    """Return what the settings say of the server, and who keeps the timers: ``own``, ``temporal`` or neither said.

    ``read`` takes a name, what reads its text, and a default; ``switch`` reads `on` and `off`.
    """
    given = {
        "api_key": read("TEMPORAL_API_KEY", _api_key, ""),
        "authority": read("TEMPORAL_CA", _pem_file, ""),
        "certificate": read("TEMPORAL_CERTIFICATE", _pem_file, ""),
        "certificate_key": read("TEMPORAL_CERTIFICATE_KEY", _private_key, ""),
        "versioning": read("TEMPORAL_VERSIONING", switch, "off"),
    }
    address = read("TEMPORAL", lambda text: TemporalAddress.parse(text) if text else None, "")
    return None if address is None else replace(address, **given), read("CLOCK", _whose, "")


def _api_key(text: str) -> Secret | None:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("it holds a blank or a letter that no key has")
    return Secret(text) if text else None


def _private_key(text: str) -> Secret | None:
    if text and "PRIVATE KEY-----" not in text:
        raise ValueError("it does not hold a private key in PEM")
    return Secret(text) if text else None


def _pem_file(text: str) -> Path | None:
    if text and not Path(text).expanduser().is_absolute():
        raise ValueError(f"{text!r} is not the whole path of a file")
    return Path(text).expanduser() if text else None


def _whose(text: str) -> str:
    if text not in ("", "own", "temporal"):
        raise ValueError(f"{text!r} is neither `own` nor `temporal`")
    return text
