"""The product as someone has installed it: its own processes, its own data folder, a mail server beside it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from mcp import StdioServerParameters
from mcp.types import ElicitResult
from tests.secrecy import planted
from tests.secrecy.client import Client
from tests.secrecy.hearing import heard
from tests.world.data_folder import choose_passphrase
from tests.world.loaded import product, python
from tests.world.product import Desktop
from tests.world.stores import address_of, shell

from sequences_mcp.domain.workspace import Workspace

T = TypeVar("T")
ERAS = ("auto", "legacy")
PATIENCE = 120.0
PAUSE = 0.05  # seconds between two questions about the same
PASSPHRASE = planted.PASSPHRASE.value
# The server writes its process id down and is then the very command that a host starts.
_BECOME = """
import os, runpy, sys
open(sys.argv.pop(), "w").write(str(os.getpid()))
runpy.run_module("sequences_mcp", run_name="__main__", alter_sys=True)
"""
Answer = Callable[[str], ElicitResult]


class Said(NamedTuple):
    """What a command answered."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Installation:
    """A data folder with settings, and the ways to start the product on it."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    is_plain: bool = False

    @property
    def plain(self) -> Installation:
        """A terminal on the same data folder, with nothing else in its environment."""
        return Installation(self.folder, is_plain=True)

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    @property
    def environ(self) -> dict[str, str]:
        """The settings as environment variables."""
        base = {
            "SEQUENCES_DATA_DIR": str(self.data),
            "SEQUENCES_SENDER": "Ada Lovelace <ada@lovelace.example>",
            "SEQUENCES_WINDOW": "Mon-Sun 00:00-24:00",
            "SEQUENCES_SPACING": "0",
        }
        if self.is_plain:
            base = {"SEQUENCES_DATA_DIR": str(self.data)}
        if (url := address_of(self.data)) is not None:
            base["SEQUENCES_DATABASE_URL"] = url
        return {**base, **self.settings}

    def write_settings(self, text: str) -> None:
        """Write the data folder's file of settings."""
        self.data.mkdir(mode=0o700, exist_ok=True)
        (self.data / "settings.toml").write_text(text, encoding="utf-8")

    def having(self, **settings: str) -> Installation:
        """Return the same installation with these settings, without their prefix, changed."""
        return replace(self, settings={**self.settings, **{f"SEQUENCES_{k}": v for k, v in settings.items()}})

    @asynccontextmanager
    async def client(self, era: str = "auto", answer: Answer | None = None) -> AsyncIterator[Desktop]:
        """Start a server as a host does and connect to it; ``answer`` is the person at its dialogs."""

        async def dialog(context: object, params: Any) -> ElicitResult:
            assert answer is not None
            return answer(params.message)

        command, *more = python()
        server = StdioServerParameters(
            command=command, args=[*more, "-c", _BECOME, str(self.pid_file)], env=self.environ
        )
        async with Client(server, mode=era, elicitation_callback=dialog if answer else None) as client:
            yield Desktop(client)

    @property
    def pid_file(self) -> Path:
        """Where the last server that was started wrote its process id."""
        return self.folder / "server.pid"

    def kill_server(self) -> None:
        """End the last server that was started as a power cut would."""
        os.kill(int(self.pid_file.read_text()), signal.SIGKILL)

    async def run(self, *arguments: str) -> Said:
        """Run a command to its end; nobody is at its terminal."""
        process = await self._begin(*arguments)
        async with asyncio.timeout(PATIENCE):
            out, err = await process.communicate()
        assert process.returncode is not None
        heard("what a command said", out + err)
        return Said(process.returncode, out.decode(), err.decode())

    @asynccontextmanager
    async def working(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """Have a process of its own do the due work meanwhile."""
        process = await self._begin("work")
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.communicate()

    async def _begin(self, *arguments: str) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            *product(),
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            env={**os.environ, **self.environ},
        )

    async def until_it_sends(self) -> None:
        """Wait until a process has a worker that sends; asking ``doctor`` takes a process each time."""

        async def senders() -> list[Any]:
            with shell(self.data) as database:
                rows: list[Any] = database.execute("SELECT sends FROM worker WHERE sends <> ''").fetchall()
            return rows

        await until(senders, bool)

    def passphrase_file(self) -> Path:
        """Choose a passphrase and return the file that holds it."""
        file = self.folder / "passphrase.txt"
        file.write_text(f"{PASSPHRASE}\n", encoding="utf-8")
        choose_passphrase(Workspace(self.data), PASSPHRASE)
        return file

    async def with_passphrase(self) -> Path:
        """Choose a passphrase as a person does and return the file that holds it."""
        file = self.folder / "passphrase.txt"
        file.write_text(f"{PASSPHRASE}\n", encoding="utf-8")
        said = await self.run("review", "set-passphrase", "--passphrase-file", str(file))
        assert (said[0], said[2]) == (0, "") and said[1].startswith("The passphrase is set.\n")
        return file


async def until(ask: Callable[[], Awaitable[T]], is_so: Callable[[T], bool]) -> T:
    """Return what is asked for once it is so; TimeoutError after two minutes, with what it was."""
    found: T | str = "nothing"
    try:
        async with asyncio.timeout(PATIENCE):
            while not is_so(present := await ask()):
                found = present
                with suppress(TimeoutError):  # the processor is the other processes' meanwhile
                    await asyncio.wait_for(asyncio.Event().wait(), PAUSE)
    except TimeoutError:
        raise AssertionError(f"it never became so: {found}") from None
    return present
