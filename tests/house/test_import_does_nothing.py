"""Importing the product does nothing but define things, and loads nothing before its time."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from house_tree import ROOT, package, plant

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
LATER = {"jinja2", "httpx", "phonenumbers", "smtplib", "sqlite3", "aiosmtpd", "tiktoken"}


def deeds(modules: list[str], *, path: Path) -> str:
    """Import modules in a new interpreter and return what they did and printed; libraries are loaded first."""
    libraries = ["mcp", "mcp.server", "pydantic", "jinja2", "click", "sqlite3", "smtplib", "email.policy"]
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
    assert deeds(["busy"], path=plant(tmp_path, {"busy.py": text}))


def test_a_server_that_lists_its_tools_has_loaded_nothing_it_may_never_need(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from sequences_mcp import bootstrap, cli
        from sequences_mcp.server.app import build
        from sequences_mcp.server.catalog import listed
        build(lambda: None, log_level="WARNING")
        assert listed()
        print(*sorted(sys.modules))
        """
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not (early := LATER & set(done.stdout.split())), f"Import these where they are used: {sorted(early)}"
