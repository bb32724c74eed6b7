"""The SDK's own answers, as they were when this version was made: what ``python -m scripts.prelude`` writes.

``index.json`` says which pieces of ``pieces.txt``, a line each, an answer is put together from, by version of the
protocol, method and the vendors that are connected. Lists differ in few of their items: each item is stored once.
A snapshot answers for one version of the product and of the SDK, and for no other.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from importlib.machinery import PathFinder
from typing import Any, Self

from sequences_mcp import __version__

FOLDER = os.path.join(os.path.dirname(__file__), "snapshot")
INDEX, PIECES = "index.json", "pieces.txt"
SDK = ("mcp", "mcp_types")


class FrozenAnswers:
    """The answers of one version: to methods that are known, in each version of the protocol."""

    def __init__(self, index: Mapping[str, Any], pieces: Sequence[str]) -> None:
        self._index = index
        self._pieces = pieces

    @classmethod
    def load(cls, folder: str = FOLDER) -> Self:
        """Return the snapshot of this package; OSError or ValueError where there is none."""
        index, pieces = (_text(folder, name) for name in (INDEX, PIECES))
        return cls(json.loads(index), pieces.split("\n"))

    @property
    def newest_handshake(self) -> str:
        """The version that a handshake ends in which asks for one that is not known."""
        newest: str = self._index["newest_handshake"]
        return newest

    @property
    def handshakes(self) -> Collection[str]:
        """The versions of the protocol that a handshake can ask for."""
        return [version for version, answers in self._index["answers"].items() if "initialize" in answers]

    @property
    def vendor_keys(self) -> Collection[str]:
        """The names of the environment variables of which each connects a vendor."""
        keys: list[str] = self._index["vendor_keys"]
        return keys

    @property
    def settings_file(self) -> str:
        """The name of the file of settings in a data folder."""
        name: str = self._index["settings_file"]
        return name

    def depends_on_vendors(self, version: str, method: str) -> bool:
        """Return whether the vendors that are connected make a difference to an answer."""
        return type(self._index["answers"].get(version, {}).get(method)) is dict

    def result(self, version: str, method: str, vendors: Collection[str]) -> str | None:
        """Return the JSON text of a result, None where there is none for this."""
        answer = self._index["answers"].get(version, {}).get(method)
        if type(answer) is dict:
            answer = answer.get(",".join(sorted(vendors)))
        if answer is None:
            return None
        return "".join([self._pieces[number] for number in self._index["texts"][answer]])

    def mismatch(self) -> str:
        """Return why this snapshot does not answer for what is installed, empty where it does."""
        if self._index["product"] != __version__:
            return f"the snapshot is of version {self._index['product']}"
        for package, version in self._index["sdk"].items():
            if (installed := _installed(package)) != version:
                return f"the snapshot is of {package} {version}, and {installed or 'no one version'} is installed"
        return ""


def _installed(package: str) -> str:
    """Return a distribution's version by the name of its folder: its metadata take longer than all of the rest."""
    spec = PathFinder.find_spec(package)
    if spec is None or not spec.origin:
        return ""
    place = os.path.dirname(os.path.dirname(spec.origin))
    start, end = f"{package}-", ".dist-info"
    versions = [
        name[len(start) : -len(end)] for name in os.listdir(place) if name.startswith(start) and name.endswith(end)
    ]
    return versions[0] if len(versions) == 1 else ""


def _text(folder: str, name: str) -> str:
    with open(os.path.join(folder, name), encoding="utf-8", newline="\n") as file:
        return file.read()


def is_supported_here() -> bool:
    """Return whether standard input and output are what is read and written here without the SDK."""
    try:
        os.fstat(0), os.fstat(1)
        return not os.isatty(0) and (sys.platform == "win32" or (os.get_blocking(0) and os.get_blocking(1)))
    except OSError:  # one of them is closed
        return False
