"""Importing the product does nothing but define things, and loads nothing before its time."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.house.house_tree import ROOT, package, plant

from sequences_mcp.vendors.registry import DESCRIPTIONS

WATCH = """
import importlib, os, sys

DEEDS = {"subprocess.Popen", "os.system", "os.exec", "os.mkdir", "os.remove", "os.rename", "sqlite3.connect",
         "socket.connect", "socket.bind", "socket.getaddrinfo", "threading.start", "_thread.start_new_thread"}

def watch(event, details):
    writes = event == "open" and isinstance(details[2], int) and details[2] & (os.O_WRONLY | os.O_RDWR)
    if event in DEEDS or writes:
        print(module, "does", event, details[0])

for module in sys.stdin.read().split():
    if module == sys.argv[-1]:
        sys.addaudithook(watch)
    importlib.import_module(module)
"""

# What a server that nobody has asked anything yet has no use for.
LATER = {
    *("jinja2", "httpx", "phonenumbers", "smtplib", "imapclient", "imaplib", "sqlite3", "aiosmtpd", "tiktoken"),
    "markdown_it",
}


LIBRARIES = ("mcp", "mcp.server", "pydantic", "jinja2", "click", "sqlite3", "smtplib", "email.policy")


def deeds(modules: list[str], *, path: Path, libraries: Sequence[str] = LIBRARIES) -> str:
    """Import modules in a new interpreter and return what they did and printed; libraries are loaded first."""
    done = subprocess.run(
        [sys.executable, "-B", "-c", WATCH, modules[0]],
        input="\n".join([*libraries, *modules]),
        capture_output=True,
        text=True,
        cwd=path,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_product_does_nothing() -> None:
    names = sorted(f"sequences_mcp.{source.module}".rstrip(".") for source in package(ROOT))
    assert deeds([name for name in names if not name.endswith("__main__")], path=Path(sys.prefix)) == ""


WORK = {
    "a file": "open('made', 'w').close()",
    "a database": "import sqlite3\nsqlite3.connect(':memory:')",
    "a thread": "import threading\nthreading.Thread(target=print).start()",
    "words": "print('hello')",
}


@pytest.mark.parametrize("text", WORK.values(), ids=WORK.keys())
def test_work_at_import_is_found(tmp_path: Path, text: str) -> None:
    assert deeds(["busy"], path=plant(tmp_path, {"busy.py": text}), libraries=("sqlite3", "threading"))


# What the first call needs, and the due work: a server loads it once its host has the list of tools.
AFTER_THE_LIST = {
    "sequences_mcp.domain.blueprint",
    "sequences_mcp.domain.shown",
    "sequences_mcp.engine.machine",
    "sequences_mcp.engine.provider",
    "sequences_mcp.engine.worker",
    "sequences_mcp.ports.embedded",
    "sequences_mcp.server.tool",
    "sequences_mcp.server.view",
    "sequences_mcp.services.enrolment",
    "sequences_mcp.vendors.transport",
    *(f"sequences_mcp.vendors.{name}.wire" for name in DESCRIPTIONS),
}


def loaded_by(program: str, *, path: Path) -> set[str]:
    """Return the modules that a program, which prints them, has loaded at its end."""
    program = textwrap.dedent(program)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=path)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_what_is_loaded_late_exists() -> None:
    assert not [name for name in AFTER_THE_LIST if find_spec(name) is None]


def test_a_server_that_lists_its_tools_has_loaded_nothing_it_may_never_need(tmp_path: Path) -> None:
    loaded = loaded_by(
        """
        import sys
        from pathlib import Path
        from sequences_mcp import bootstrap, cli
        from sequences_mcp.server.app import build_server
        from sequences_mcp.server.catalog import listed_tools
        build_server(lambda: None, log_level="WARNING")
        assert listed_tools()
        print(*sorted(sys.modules))
        """,
        path=tmp_path,
    )
    assert not (early := LATER & loaded), f"Import these where they are used: {sorted(early)}"


def test_a_server_that_opened_and_closed_its_database_has_loaded_little_more_than_that(tmp_path: Path) -> None:
    program = """
        import asyncio, sys
        from pathlib import Path
        from sequences_mcp.bootstrap import open_context
        from sequences_mcp.server.app import build_server
        from sequences_mcp.server.catalog import listed_tools
        from sequences_mcp.settings import read_settings

        keys = {"KALENT_API_KEY": "kalent_none", "CLARKY_API_KEY": "ck_live_none", "TOPO_API_KEY": "topo_none"}
        sender = {"SEQUENCES_SENDER": "Ada Lovelace <ada@example.com>", "SEQUENCES_DATA_DIR": str(Path.cwd())}
        settings = read_settings({**keys, **sender})
        build_server(lambda: None, log_level="WARNING", vendors=settings.accounts.keys())

        async def main():
            async with open_context(settings, worker=True, work_after=3600):
                assert listed_tools(settings.accounts)
            print(*sorted(sys.modules))

        asyncio.run(main())
        """
    loaded_by(program, path=tmp_path)  # makes the database
    loaded = loaded_by(program, path=tmp_path)
    early = loaded & (AFTER_THE_LIST | LATER - {"sqlite3"})
    assert not early, f"Import these where they are used: {sorted(early)}"
