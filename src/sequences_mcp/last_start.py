"""How the server that a client started last in a data folder began to answer: noted by it, told by ``doctor``."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from sequences_mcp.private_files import write_private


def note_start(path: Path, *, answers: int | None, now: datetime) -> None:
    """Note a start that gave so many answers before the SDK was loaded, or, with None, had no prelude.

    Nothing is made of a data folder that is not there yet, and a disk that is full stops no server.
    """
    if path.parent.is_dir():
        with suppress(OSError):
            write_private(path, json.dumps({"at": now.isoformat(), "answers": answers}))


def last_start(path: Path) -> str:
    """Return how the last start went, in words; empty where none is noted, or not in a way that is known here."""
    try:
        noted = json.loads(path.read_bytes())
        at, answers = datetime.fromisoformat(noted["at"]).astimezone(UTC), noted["answers"]
    except (OSError, ValueError, TypeError, LookupError):
        return ""
    if answers is not None and type(answers) is not int:
        return ""
    number = "without early answers" if answers is None else f"with {answers} early answer{'s' * (answers != 1)}"
    return f"the last server here began {number}, {at:%Y-%m-%d %H:%M} UTC"
