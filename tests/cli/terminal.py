"""The command line, called in this process with an environment and a folder of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pytest
from tests.secrecy import planted
from tests.secrecy.hearing import heard
from tests.world.data_folder import choose_passphrase, with_schema
from tests.world.product import SENDER, Bureau

from sequences_mcp.cli import main
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.review.lock import greeting
from sequences_mcp.store.safekeeping import FolderRecords
from sequences_mcp.upkeep import make_database

T = TypeVar("T")
PASSPHRASE = planted.PASSPHRASE.value
ENDINGS = (signal.SIGINT, signal.SIGTERM)


class Said(NamedTuple):
    """How a command ended and what it said."""

    status: int
    out: str
    err: str


def run_command(
    arguments: Sequence[str], *, environ: Mapping[str, str], capture: pytest.CaptureFixture[str]
) -> Said:
    """Run a command in this process to its end, with exactly this environment."""
    before, argv = dict(os.environ), sys.argv
    ends = [(number, signal.getsignal(number)) for number in ENDINGS]
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = ["sequences-mcp", *arguments]
    capture.readouterr()
    status: Any = 0
    try:
        main()
    except SystemExit as end:
        status = end.code
    finally:
        sys.argv = argv
        os.environ.clear()
        os.environ.update(before)
        for number, handler in ends:  # which `work` takes for its own
            signal.signal(number, handler)
    out, err = capture.readouterr()
    heard("what a command said", out + err)
    return Said(int(status or 0), out, err)


@dataclass
class Terminal:
    """A person's terminal, with settings in its environment and nobody at its keyboard."""

    folder: Path
    capture: pytest.CaptureFixture[str]
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    @property
    def bureau(self) -> Bureau:
        """The product on the same folder, at the time it is for the commands, which read the clock themselves."""
        bureau = Bureau.at(self.folder)
        bureau.clock.now = datetime.now(UTC)
        return bureau

    def run(self, *arguments: str) -> Said:
        """Run a command to its end."""
        base = {
            "SEQUENCES_DATA_DIR": str(self.data),
            "SEQUENCES_SENDER": SENDER,
            "SEQUENCES_SPACING": "0",
            "SEQUENCES_DAILY_CAP": "10000",
            "SEQUENCES_WINDOW": "Mon-Sun 00:00-24:00",
        }
        settings = {f"SEQUENCES_{name}": value for name, value in self.settings.items()}
        return run_command(arguments, environ={**os.environ, **base, **settings}, capture=self.capture)

    def write(self, name: str, text: str) -> str:
        """Write a file and return its path."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def with_passphrase(self) -> str:
        """Choose a passphrase, as the command does but for a quick one, and return the file that holds it."""
        with_schema(self.data)
        make_database(self.bureau.settings)
        choose_passphrase(Workspace(self.data), PASSPHRASE)
        greeting.set_word(FolderRecords(Workspace(self.data)), greeting.made_up())
        return self.write("passphrase.txt", f"{PASSPHRASE}\n")

    def change(self, *sql: str) -> None:
        """Change the database behind the product's back."""
        with closing(sqlite3.connect(self.data / "sequences.db")) as database, database:
            for statement in sql:
                database.execute(statement)


def done(work: Coroutine[Any, Any, T]) -> T:
    """Return what asynchronous work comes to."""
    return asyncio.run(work)
