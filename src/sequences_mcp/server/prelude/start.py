"""Whether the prelude answers first, and what it has to know of the settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

from sequences_mcp.errors import SettingsError
from sequences_mcp.server.prelude.opening import Opening
from sequences_mcp.server.prelude.snapshot import FrozenAnswers, is_supported_here
from sequences_mcp.server.prelude.standard_input import InputLines

SWITCH = "SEQUENCES_PRELUDE"
T = TypeVar("T")


def plain_because(environ: Mapping[str, str]) -> str:
    """Return why a server with this environment starts without the prelude; empty where it has it."""
    return _snapshot(environ)[1]


def begin(environ: Mapping[str, str]) -> InputLines | None:
    """Begin to answer over the standard streams; None, with nothing touched, where anything speaks against it."""
    snapshot, _ = _snapshot(environ)
    if snapshot is None or not is_supported_here():
        return None
    source = InputLines(Opening(snapshot))
    source.leave_at_interrupt()  # before anybody can have an answer, and then interrupt it
    source.open()
    if not _may_connect(environ, snapshot):
        source.connected(())
    return source


def read_early(
    read: Callable[[], T], accounts: Callable[[T], Collection[str]], source: InputLines
) -> Callable[[], T]:
    """Read the settings, and tell which vendors are connected; with settings that are wrong none is.

    What is returned gives the settings, or raises what was raised, without reading them again the first time.
    """
    outcomes: list[T | SettingsError] = []
    try:
        outcomes.append(settings := read())
    except SettingsError as error:
        outcomes.append(error)
        source.connected(())
    else:
        source.connected(accounts(settings))

    def read_once() -> T:
        outcome = outcomes.pop() if outcomes else read()
        if isinstance(outcome, SettingsError):
            raise outcome
        return outcome

    return read_once


def _snapshot(environ: Mapping[str, str]) -> tuple[FrozenAnswers | None, str]:
    chosen = environ.get(SWITCH, "").strip() or "on"
    if chosen != "on":
        return None, f"{SWITCH} is {chosen}"
    try:
        snapshot = FrozenAnswers.load()
        why = snapshot.mismatch()
    except (OSError, ValueError, LookupError) as error:
        return None, f"the snapshot cannot be read ({error})"
    return (None, why) if why else (snapshot, "")


def _may_connect(environ: Mapping[str, str], snapshot: FrozenAnswers) -> bool:
    """Return whether any setting could connect a vendor, as far as that is seen without reading the settings."""
    if any(environ.get(name, "").strip() for name in snapshot.vendor_keys):
        return True
    folder = environ.get("SEQUENCES_DATA_DIR", "").strip() or usual_folder()
    if not os.path.isabs(folder):
        return True  # in the home folder, or a mistake
    return os.path.lexists(os.path.join(folder, snapshot.settings_file))


def usual_folder() -> str:
    """Return the data folder of a server without a setting for it, as the settings have it."""
    from platformdirs import user_data_dir

    return user_data_dir("sequences-mcp", appauthor=False)
