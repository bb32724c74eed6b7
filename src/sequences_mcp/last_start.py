"""How the servers that were started last in a data folder began: noted by them, told by ``doctor``."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from sequences_mcp.private_files import write_private


def note_start(path: Path, *, answers: int | None, now: datetime) -> None:
    """Note a start that gave so many answers before the SDK was loaded, or, with None, had no prelude.

    Nothing is made of a data folder that is not there yet, and a disk that is full stops no server.
    """
    if path.parent.is_dir():
        with suppress(OSError):
            write_private(path, json.dumps({"at": now.isoformat(), "answers": answers}))


class ServedBy(NamedTuple):
    """What the server over HTTP was told on its command line: a file with its certificate, its public address."""

    certificate: Path | None = None
    public_url: str = ""


def note_serve(path: Path, *, certificate: Path | None, public_url: str) -> None:
    """Note how the server over HTTP is begun, as ``note_start`` does."""
    if path.parent.is_dir():
        facts = {"certificate": str(certificate.absolute()) if certificate else "", "public_url": public_url}
        with suppress(OSError):
            write_private(path, json.dumps(facts))


def last_serve(path: Path) -> ServedBy:
    """Return how it was begun last; nothing where none is noted, or not in a way that is known here."""
    try:
        noted = json.loads(path.read_bytes())
        certificate, public_url = noted["certificate"], noted["public_url"]
    except (OSError, ValueError, TypeError, LookupError):
        return ServedBy()
    if not (isinstance(certificate, str) and isinstance(public_url, str)):
        return ServedBy()
    return ServedBy(Path(certificate) if certificate else None, public_url)


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
