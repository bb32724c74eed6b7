"""A program in a Python that has the product loaded does what it does in a plain one, seen from outside."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tests.secrecy.hearing import heard
from tests.sign_in.typist import at_terminal
from tests.world.loaded import product, python

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="programs of tests are plain processes here")
PLAIN = (sys.executable,)
TELLING = """
import json, os, signal, sys, threading
print(json.dumps({
    "argv": sys.argv, "path": sys.path[:2], "main": __name__, "environ": dict(os.environ), "folder": os.getcwd(),
    "stdin": sys.stdin.read(), "encodings": [one.encoding for one in (sys.stdin, sys.stdout, sys.stderr)],
    "errors": [one.errors for one in (sys.stdin, sys.stdout, sys.stderr)], "executable": sys.executable,
    "handlers": {number: str(signal.getsignal(number)).split(" at ")[0] for number in signal.valid_signals()},
    "threads": threading.active_count(), "modules": sys.modules["__main__"].__dict__ is globals(),
    "descriptors": sorted(name for name in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + name)),
}))
print("what goes wrong", file=sys.stderr)
"""
ENDINGS = {
    "the end": ("pass", 0),
    "a status": ("import sys; sys.exit(7)", 7),
    "a sentence": ("import sys; sys.exit('no')", 1),
    "an error": ("raise ValueError('no')", 1),
    "an output that cannot be written": ("import os; print('said'); os.close(1)", 120),
    "more than a status holds": ("import sys; sys.exit(300)", 44),
    "at once": ("import os; os._exit(9)", 9),
    "a signal": ("import os; os.kill(os.getpid(), 9)", -9),
    "a signal that is passed on": ("import os; os.kill(os.getpid(), 15)", -15),
    "an interrupt": ("import os; os.kill(os.getpid(), 2)", -2),
    "threads and what is done at the end": (
        "import atexit, threading\n"
        "atexit.register(print, 'last')\n"
        "later = threading.Event()\n"
        "threading.Thread(target=lambda: (later.wait(), print('second'))).start()\n"
        "print('first'); later.set()",
        0,
    ),
}


def ended(
    begin: Sequence[str], code: str, *, said: str = "", folder: Path | None = None, **more: str
) -> tuple[int, str, str]:
    """Run a program to its end with an environment of its own; return its status and what it wrote."""
    done = subprocess.run(
        [*begin, "-c", code, "one", "two words", "drei, “vier”"],
        input=said,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=folder,
        env={"PATH": "/nowhere", "OWN": "é", "TZ": "Asia/Tokyo", "PYTHONPATH": "/of/its/own", **more},
    )
    heard("what a program said", done.stdout + done.stderr)
    return done.returncode, done.stdout, done.stderr


def test_it_is_given_what_a_plain_one_is_given(tmp_path: Path) -> None:
    plain, loaded = (ended(begin, TELLING, said="typed\nmore", folder=tmp_path) for begin in (PLAIN, python()))
    assert json.loads(loaded[1]) == json.loads(plain[1])
    assert (loaded[0], loaded[2]) == (plain[0], plain[2]) == (0, "what goes wrong\n")


@pytest.mark.parametrize(("code", "status"), ENDINGS.values(), ids=ENDINGS.keys())
def test_it_ends_as_a_plain_one_ends(code: str, status: int) -> None:
    plain, loaded = ended(PLAIN, code), ended(python(), code)
    assert loaded[:2] == plain[:2] and plain[0] == status
    assert loaded[2].splitlines()[-1:] == plain[2].splitlines()[-1:]


def test_what_it_writes_waits_for_the_end_unless_its_environment_says_otherwise() -> None:
    code = "import os; print('said', end=''); os._exit(0)"
    for begin in (PLAIN, python()):
        assert ended(begin, code)[1] == ""
        assert ended(begin, code, PYTHONUNBUFFERED="1")[1] == "said"


@pytest.mark.parametrize("beginning", [lambda: PLAIN, python], ids=["plain", "loaded"])
@pytest.mark.parametrize(("passed", "status"), [(signal.SIGTERM, 21), (signal.SIGINT, 22), (signal.SIGHUP, -1)])
def test_a_signal_reaches_it(
    beginning: Callable[[], tuple[str, ...]], passed: signal.Signals, status: int
) -> None:
    code = (
        "import signal, sys, threading\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(21))\n"
        "try:\n"
        "    print('ready', flush=True); threading.Event().wait()\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(22)"
    )
    with subprocess.Popen([*beginning(), "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        process.send_signal(passed)
        try:
            assert process.wait(60) == status
        finally:
            process.kill()  # else the end of this block waits for one that has not heard it


def test_it_is_gone_when_its_launcher_is_killed() -> None:
    code = "import os, sys; print(os.getpid(), flush=True); sys.stdin.read()"
    with subprocess.Popen([*python(), "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        number = int(process.stdout.readline())
        assert number != process.pid
        process.kill()
        assert process.stdout.read() == b""  # nobody has its output open any more
        assert process.wait(60) == -signal.SIGKILL


def test_programs_run_beside_one_another_and_know_nothing_of_each_other() -> None:
    code = "import sequences_mcp as own; own.mark = getattr(own, 'mark', 0) + 1; input(); print(own.mark)"
    pipe = subprocess.PIPE
    running = [subprocess.Popen([*python(), "-c", code], stdin=pipe, stdout=pipe) for _ in range(5)]
    assert [one.communicate(b"go\n")[0] for one in running] == [b"1\n"] * 5


@pytest.mark.parametrize("arguments", [("--version",), ("doctor",), ("nonsense",), ("work", "--once")])
def test_the_product_says_the_same(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    def said(begin: tuple[str, ...], folder: str) -> tuple[int, list[str], str]:
        environ = {"SEQUENCES_DATA_DIR": str(tmp_path / folder), "SEQUENCES_SENDER": "Ada <ada@lovelace.example>"}
        done = subprocess.run([*begin, *arguments], env=environ, capture_output=True, text=True, timeout=60)
        heard("what a command said", done.stdout + done.stderr)
        lines = [line.replace(folder, "here") for line in done.stdout.splitlines() if " clock: " not in line]
        return done.returncode, lines, done.stderr

    assert said(product(), "loaded") == said((sys.executable, "-m", "sequences_mcp"), "plain")


def test_a_terminal_is_its_own_and_ctrl_c_is_pressed_there(tmp_path: Path) -> None:
    with at_terminal("review", "set-passphrase", SEQUENCES_DATA_DIR=str(tmp_path)) as typist:
        typist.sees(":")
        assert typist.interrupts() != 0
