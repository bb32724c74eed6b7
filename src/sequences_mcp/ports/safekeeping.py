"""What approvals are checked with, as small texts by name, for every process that works with one database.

With a database in a file they are files of its data folder. With a database on a server they are rows there, so
that a passphrase that is chosen on one host is asked for on all, and a passkey's signature is verified by
whichever worker sends. What belongs to one host's page, which only that host's browsers can reach, stays in its
folder.

Nobody can read them through this program: no tool and no export returns one. Whoever reads the data folder, or has
the database's password, reads the hashes and public keys, and whoever writes there can replace them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import StrEnum

from sequences_mcp.domain.workspace import Workspace


class KeptRecord(StrEnum):
    """Each text by the name of its file's property of ``Workspace``."""

    PASSPHRASE = "passphrase"  # noqa: S105 - the name of a record
    PROOF = "proof"
    PASSKEYS = "passkeys"
    PASSKEY_CODE = "passkey_code"
    WRONG_PASSPHRASES = "wrong_passphrases"
    PAGE_WORD = "page_word"
    PAGE_BROWSERS = "page_browsers"
    PAGE_TICKET = "page_ticket"
    SETUP_CODE = "setup_code"


OF_HOST = frozenset({KeptRecord.PAGE_BROWSERS, KeptRecord.PAGE_TICKET, KeptRecord.SETUP_CODE})
"""Those that belong to the host whose page or setup they are for; all others are shared."""
SHARED = tuple(record for record in KeptRecord if record not in OF_HOST)


class Safekeeping(ABC):
    """The records of a workspace. Files raise OSError, and ValueError for no UTF-8; a server StoreError."""

    workspace: Workspace
    """This host's data folder."""

    @abstractmethod
    def has(self, record: KeptRecord) -> bool:
        """Say whether there is such a record, readable or not."""

    @abstractmethod
    def read(self, record: KeptRecord) -> str | None:
        """Return the text of a record; None where there is none."""

    @abstractmethod
    def write(self, record: KeptRecord, text: str) -> None:
        """Store a record in place of what was there."""

    @abstractmethod
    def swap(self, record: KeptRecord, before: str | None, text: str) -> bool:
        """Store a record where it still is ``before``, None for none at all; False where it is not."""

    @abstractmethod
    def delete(self, record: KeptRecord) -> None:
        """Delete a record where there is one."""

    @abstractmethod
    def title(self, record: KeptRecord) -> str:
        """Return where a record is kept, for people to read."""

    def change(self, record: KeptRecord, change: Callable[[str | None], str | None]) -> None:
        """Replace a record by what ``change`` makes of it, or leave it where that is None.

        Where another process replaced it meanwhile, ``change`` is called again with what is there then.
        """
        while True:
            before = self.read(record)
            after = change(before)
            if after is None or after == before or self.swap(record, before, after):
                return
