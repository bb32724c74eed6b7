"""The records that approvals are checked with, as files of a data folder, and the choice of where they are."""

from __future__ import annotations

from pathlib import Path

from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.ports.safekeeping import KeptRecord, Safekeeping
from sequences_mcp.private_files import exclusively, write_private

GIVEN = ".moved"  # ends the name of a file whose text is in the database now


class FolderRecords(Safekeeping):
    """The records of a data folder, one private file each (``Workspace`` names them)."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def has(self, record: KeptRecord) -> bool:
        """Say whether there is such a file."""
        return self._path(record).is_file()

    def read(self, record: KeptRecord) -> str | None:
        """Return the text of a file; OSError, and ValueError for one that is no UTF-8."""
        try:
            return self._path(record).read_bytes().decode("utf-8")
        except FileNotFoundError:
            return None

    def write(self, record: KeptRecord, text: str) -> None:
        """Replace a file, and make its folder where there is none; OSError."""
        write_private(self._path(record), text)

    def swap(self, record: KeptRecord, before: str | None, text: str) -> bool:
        """Replace a file that still says ``before``, with a lock beside it; OSError."""
        with exclusively(self._path(record)):
            if self.read(record) != before:
                return False
            self.write(record, text)
            return True

    def delete(self, record: KeptRecord) -> None:
        """Delete a file; OSError."""
        self._path(record).unlink(missing_ok=True)

    def put_aside(self, record: KeptRecord) -> None:
        """Rename a file whose text is in the database now, so that nobody takes it for what counts; OSError."""
        path = self._path(record)
        path.replace(path.with_name(f"{path.name}{GIVEN}"))

    def title(self, record: KeptRecord) -> str:
        """Return the path of a file."""
        return str(self._path(record))

    def _path(self, record: KeptRecord) -> Path:
        path: Path = getattr(self.workspace, record.value)
        return path


def safekeeping_in(workspace: Workspace, *, url: str | None) -> Safekeeping:
    """Return the records of a data folder, or with ``url`` those of its database on a server, which it may ask.

    Raises what opening the database raises, once a record is wanted.
    """
    if url is None:
        return FolderRecords(workspace)
    from sequences_mcp.store.postgres.safekeeping import ServerRecords

    return ServerRecords(workspace, url, beside=FolderRecords(workspace))
