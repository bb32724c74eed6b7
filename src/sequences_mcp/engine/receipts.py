"""What became of an e-mail, on the disk from the server's answer until it is written down in the database.

The database may be held by another program, or the process end, at that very moment; an answer that is lost then
makes an unknown e-mail out of one that was accepted. One file an e-mail, readable for its owner alone.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

log = logging.getLogger(__name__)
FOLDER = "receipts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How the delivery of one claimed e-mail ended.

    ``said`` is the receipt, or why it was not accepted, or why nobody can tell; ``reply`` the server's own
    words in the last two cases. ``blame`` is one of
    ``channels.replies.Blame``, or empty where no server was to blame; ``code`` is what a refusal is known by.
    """

    sequence_id: str
    key: str
    lease: int
    kind: Literal["accepted", "refused", "lost"]
    said: str
    blame: str = ""
    code: str = ""
    doubtful: bool = False
    reply: str = ""


@dataclass(frozen=True, slots=True)
class Receipts:
    """The folder they are in."""

    folder: Path

    def keep(self, outcome: Outcome) -> bool:
        """Write one down so that a crash cannot lose it; False where the disk does not take it."""
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            draft = self._path(outcome.lease).with_suffix(".tmp")
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(json.dumps(asdict(outcome)).encode())
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path(outcome.lease))
            self._sync()
        except OSError as error:
            log.warning("The outcome of lease %s is only in memory: %s", outcome.lease, error)
            return False
        return True

    def forget(self, lease: int) -> None:
        """Remove one that is written down in the database."""
        try:
            self._path(lease).unlink(missing_ok=True)
        except OSError as error:  # it is read again at the next start, and changes nothing
            log.warning("The outcome of lease %s stays beside the database: %s", lease, error)

    def kept(self) -> Iterator[Outcome]:
        """Yield what earlier processes could not write down; a file that cannot be read is left alone."""
        for path in sorted(self.folder.glob("*.json")):
            try:
                yield Outcome(**json.loads(path.read_bytes()))
            except (OSError, ValueError, TypeError) as error:
                log.warning("%s cannot be read: %s", path, error)

    def _path(self, lease: int) -> Path:
        return self.folder / f"{lease}.json"

    def _sync(self) -> None:
        if os.name == "nt":  # a folder cannot be opened there
            return
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
