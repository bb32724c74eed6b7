"""A workspace: one data folder with its database, settings, secrets and journals, and what each file there is for.

Everything that two workspaces could share is named by a ``Workspace`` that is passed on, so that one process can
work with several. No other module spells the name of a file of the data folder; a test says so.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from sequences_mcp.lazy_dataclasses import dataclass

DATABASE = "sequences.db"
SETTINGS_FILE = "settings.toml"
SENT_JOURNAL, SUPPRESSION_JOURNAL = "sent.log", "suppressions.log"
GUARDS_FILE, LAW_FILE, PROFILE_FILE = "guards.toml", "law.toml", "profile.md"
OUTBOX_FOLDER, WORKERS_FOLDER, RECEIPTS_FOLDER, SIGN_INS_FOLDER = "outbox", "workers", "receipts", "sign_in"
EXPORTS_FOLDER = "exports"
# Folders in which every file is this product's, so that others' rights to it are taken away.
PRIVATE_FOLDERS = (OUTBOX_FOLDER, WORKERS_FOLDER, RECEIPTS_FOLDER, SIGN_INS_FOLDER, EXPORTS_FOLDER)
_PASSPHRASE, _PROOF, _PASSKEYS = "passphrase.json", "proof.json", "passkeys.json"
# What a backup has besides the database and its journals.
BACKED_UP = (_PASSPHRASE, _PROOF, _PASSKEYS, GUARDS_FILE, LAW_FILE)
LONGEST_TENANT = 63  # as a label of a host name has it (RFC 1035, 2.3.4), so that it can become one
_TENANT = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", re.ASCII)


def is_tenant_name(text: str) -> bool:
    """Say whether a folder can be a tenant's: small letters of English, digits, and hyphens between them."""
    return len(text) <= LONGEST_TENANT and _TENANT.fullmatch(text) is not None


@lru_cache(maxsize=512)  # most calls ask for several, and joining a path takes longer than asking for its file
def _path(folder: Path, name: str) -> Path:
    return folder / name


@dataclass(frozen=True, slots=True)
class Workspace:
    """A data folder by its absolute path. Nothing here reads or writes: each property is where something lies."""

    folder: Path

    @property
    def database(self) -> Path:
        """The SQLite database. SQLite puts files of its own beside it (``-wal``, ``-shm``)."""
        return _path(self.folder, DATABASE)

    @property
    def database_lock(self) -> Path:
        """Locked in shared mode by every process that has the database open, and exclusively by a restore."""
        return _path(self.folder, "sequences.lock")

    @property
    def turn_lock(self) -> Path:
        """The lock of those whose change must not wait until a long one is stored."""
        return _path(self.folder, "turn.lock")

    @property
    def sent_journal(self) -> Path:
        """What was given to mail servers and vendors, one JSON object a line; append-only."""
        return _path(self.folder, SENT_JOURNAL)

    @property
    def suppression_journal(self) -> Path:
        """Who was put on the suppression list and taken off it, one JSON object a line; append-only."""
        return _path(self.folder, SUPPRESSION_JOURNAL)

    @property
    def receipts(self) -> Path:
        """The folder of outcomes of deliveries that the database could not be given yet, one file a lease."""
        return _path(self.folder, RECEIPTS_FOLDER)

    @property
    def workers(self) -> Path:
        """The folder in which workers show that they are alive while they cannot write to the database."""
        return _path(self.folder, WORKERS_FOLDER)

    @property
    def last_start(self) -> Path:
        """How the server that a client started last began to answer."""
        return _path(self.folder, "last-start.json")

    @property
    def last_serve(self) -> Path:
        """With what certificate and address the server over HTTP was begun last."""
        return _path(self.folder, "last-serve.json")

    @property
    def outbox(self) -> Path:
        """The folder of e-mails, as ``.eml`` files, of a mailbox without a mail server."""
        return _path(self.folder, OUTBOX_FOLDER)

    @property
    def exports(self) -> Path:
        """The folder of exports that were written for a person, each for a day."""
        return _path(self.folder, EXPORTS_FOLDER)

    @property
    def settings_file(self) -> Path:
        """The settings that every process of this workspace reads."""
        return _path(self.folder, SETTINGS_FILE)

    @property
    def guards(self) -> Path:
        """The house policy of the guards, where the settings name no other file."""
        return _path(self.folder, GUARDS_FILE)

    @property
    def law(self) -> Path:
        """The house's changes to the table of what first messages need by law."""
        return _path(self.folder, LAW_FILE)

    @property
    def profile(self) -> Path:
        """What the person wrote about themselves for drafts."""
        return _path(self.folder, PROFILE_FILE)

    @property
    def sign_ins(self) -> Path:
        """The folder with the state of each mailbox's OAuth grant, and the secrets kept in files."""
        return _path(self.folder, SIGN_INS_FOLDER)

    @property
    def clients(self) -> Path:
        """What was written into the configuration files of chat programs, so that it can be taken out again."""
        return _path(self.folder, "clients.json")

    @property
    def scheduled_task(self) -> Path:
        """The definition of the background task that Windows is given."""
        return _path(self.folder, "service.xml")

    @property
    def passphrase(self) -> Path:
        """The hash that a typed passphrase is checked against."""
        return _path(self.folder, _PASSPHRASE)

    @property
    def proof(self) -> Path:
        """What a chat panel's proof of the passphrase is verified with."""
        return _path(self.folder, _PROOF)

    @property
    def passkeys(self) -> Path:
        """The public keys of the registered passkeys."""
        return _path(self.folder, _PASSKEYS)

    @property
    def setup_code(self) -> Path:
        """The hash of the one-time code with which the page's first visit begins."""
        return _path(self.folder, "setup-code.json")

    @property
    def passkey_code(self) -> Path:
        """The hash of the one-time code with which a passkey is registered."""
        return _path(self.folder, "passkey-code.json")

    @property
    def wrong_passphrases(self) -> Path:
        """How many wrong passphrases were given, by who gave them."""
        return _path(self.folder, "wrong-passphrases.json")

    @property
    def serve_token(self) -> Path:
        """The token with which whoever can read this folder uses the server over HTTP on this machine."""
        return _path(self.folder, "serve-token.txt")

    @property
    def page_lock(self) -> Path:
        """Locked by the process that serves the review page."""
        return _path(self.folder, "review.lock")

    @property
    def page_port(self) -> Path:
        """The port on which the review page was served last."""
        return _path(self.folder, "review.json")

    @property
    def page_word(self) -> Path:
        """The word by which a person recognises the unlock page."""
        return _path(self.folder, "page-word.json")

    @property
    def page_browsers(self) -> Path:
        """The hashes of the browsers to which the unlock page shows that word."""
        return _path(self.folder, "browsers.json")

    @property
    def page_ticket(self) -> Path:
        """The hash of the one-time ticket that makes a browser one of them."""
        return _path(self.folder, "page-ticket.json")

    @property
    def traces(self) -> tuple[Path, ...]:
        """The files that outlive a database that was deleted: beside them a new one is not the first."""
        return (self.sent_journal, self.suppression_journal, self.passkeys)
