"""The search for planted secrets finds what it should, wherever it stands, and fails the run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.secrecy import planted
from tests.secrecy.planted import PART, SECRETS, found_in, spellings

ROOT = Path(__file__).parents[2]
TWO = ("-p", "xdist", "-n", "2")
LEAKY = """
import base64, json, logging, sqlite3, subprocess, sys, warnings
from urllib.parse import quote
from tests.secrecy import planted
from tests.secrecy.hearing import heard, learnt
import mcp.types, pytest

def test_a_print():
    print("key", planted.KALENT_KEY.value)

def test_a_server_says_it_on_its_standard_error():
    subprocess.run([sys.executable, "-c", f"import sys; sys.stderr.write({planted.CLARKY_KEY.value!r})"])

def test_a_log_that_is_off_by_default():
    logging.getLogger("sequences_mcp.x").debug("sent %s", {"authorization": f"Bearer {planted.TOPO_KEY.value}"})

def test_a_log_of_a_crash():
    try:
        raise OSError(planted.REVOKED_KEY.value)
    except OSError:
        logging.getLogger("sequences_mcp.x").exception("it failed")

def test_a_command_that_a_test_reads():
    heard("what a command said", json.dumps(planted.ECHOED_KEY.value))

def test_a_header_in_base64():
    print("AUTH PLAIN", base64.b64encode(f"\\0ada\\0{planted.SMTP_PASSWORD.value}".encode()).decode())

def test_a_quoted_url():
    print(planted.url_with_password("mx.example:25"))

def test_a_database(tmp_path):
    database = sqlite3.connect(tmp_path / "sequences.db")
    database.execute("CREATE TABLE setting (value TEXT)")
    with database:
        database.execute("INSERT INTO setting VALUES (?)", [planted.PASSPHRASE.value])
    database.close()

@pytest.fixture
def journal(tmp_path):
    file = tmp_path / "sequences.db-wal"
    file.write_bytes(planted.NEW_PASSPHRASE.value.encode())
    yield
    file.unlink()

def test_a_file_that_is_gone_when_the_test_ends(journal):
    assert journal is None

def test_an_e_mail_that_is_folded(tmp_path):
    half = len(planted.MISTYPED.value) // 2
    (tmp_path / "1.eml").write_text(planted.MISTYPED.value[:half] + "=\\n" + planted.MISTYPED.value[half:])

def test_a_tools_result():
    block = mcp.types.TextContent(type="text", text=planted.BAD_SETTING.value)
    heard("a tool's result", repr(mcp.types.CallToolResult(content=[block])))

def test_a_session_that_the_page_made_up():
    heard("a page", f"<!-- {learnt('a cookie', 'dGhlIGNvb2tpZSBvZiBhIHNlc3Npb24')} -->")

def test_a_folder_of_no_single_test(tmp_path_factory):
    (tmp_path_factory.mktemp("shared") / "log").write_text(planted.READ_ONLY_KEY.value)

def test_a_failure_that_prints_it():
    assert planted.KALENT_KEY.value == "other"

def test_what_is_allowed(tmp_path):
    (tmp_path / "passphrase.txt").write_text(planted.PASSPHRASE.value)

@pytest.mark.parametrize("secret", [planted.PASSPHRASE, planted.NEW_PASSPHRASE, planted.MISTYPED], ids="abc")
def test_a_passphrase_in_a_file_that_is_not_the_persons(tmp_path, secret):
    (tmp_path / "notes.txt").write_text(secret.value)

def test_nothing_at_all():
    logging.getLogger("sequences_mcp.x").info("fine")
"""
FOUND = {
    "test_a_print": "Kalent's key is in captured stdout call",
    "test_a_server_says_it_on_its_standard_error": "Clarky's key is in captured stderr call",
    "test_a_log_that_is_off_by_default": "Topo's key is in the log of sequences_mcp.x",
    "test_a_log_of_a_crash": "a revoked key is in the log of sequences_mcp.x",
    "test_a_command_that_a_test_reads": "a key that a vendor echoes is in what a command said",
    "test_a_header_in_base64": "the mail server's password is in captured stdout call",
    "test_a_quoted_url": "the password in a mail server's URL is in captured stdout call",
    "test_a_database": "the passphrase is in file sequences.db",
    "test_a_file_that_is_gone_when_the_test_ends": "the passphrase after a change is in file sequences.db-wal",
    "test_an_e_mail_that_is_folded": "a passphrase or password that is wrong is in file 1.eml",
    "test_a_tools_result": "a secret in a bad setting is in a tool's result",
    "test_a_session_that_the_page_made_up": "a cookie is in a page",
    "test_a_failure_that_prints_it": "Kalent's key is in the report of its failure",
    "test_a_passphrase_in_a_file_that_is_not_the_persons[a]": "the passphrase is in file notes.txt",
    "test_a_passphrase_in_a_file_that_is_not_the_persons[b]": "the passphrase after a change is in file notes.txt",
    "test_a_passphrase_in_a_file_that_is_not_the_persons[c]": f"{planted.MISTYPED.name} is in file notes.txt",
    "the run": "a key that may only read is in file log",
}


@pytest.fixture
def apart() -> Iterator[Path]:
    """Yield a folder that the search of this run does not look into."""
    with TemporaryDirectory() as folder:
        yield Path(folder)


def run(folder: Path, text: str, *more: str) -> tuple[int, dict[str, set[str]], str]:
    """Run tests in a run of their own; return its exit status, what it found in each test, and its last line."""
    file = folder / "test_leaky.py"
    file.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "--tb=no", "--show-capture=no", "--no-summary", str(file)]
    command += ["-c", os.devnull, "--rootdir", str(folder), "-p", "tests.secrecy.watch", "-p", "no:cacheprovider"]
    command += ["--basetemp", str(folder / "run"), *more]
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environ)
    assert "passed" in ran.stdout, ran.stdout + ran.stderr
    leaks: dict[str, set[str]] = {}
    for test, what in re.findall(r"^LEAK (?:\S*::)?(.+?): (.*)$", ran.stdout, re.MULTILINE):
        leaks.setdefault(test, set()).add(re.sub(r"file \S*/", "file ", what))
    return ran.returncode, leaks, ran.stdout.splitlines()[-1]


@pytest.mark.parametrize("shared", [(), TWO], ids=["one process", "two processes"])
def test_a_leak_anywhere_fails_the_run_and_is_named_with_its_test_and_place(
    apart: Path, shared: tuple[str, ...]
) -> None:
    if shared:
        pytest.importorskip("xdist")
    status, leaks, _ = run(apart, LEAKY, *shared)
    assert status == 1
    assert leaks.keys() == FOUND.keys()
    for test, what in FOUND.items():
        assert what in leaks[test]
        assert {one.partition(" is in ")[0] for one in leaks[test]} == {what.partition(" is in ")[0]}


def test_a_run_whose_tests_all_pass_fails_for_a_leak_alone(apart: Path) -> None:
    clean = "def test_it():\n    assert True\n"
    assert run(apart, clean)[:2] == (0, {})
    leak = f"def test_it():\n    print({planted.TOPO_KEY.value!r})\n"
    assert run(apart, leak)[0] == 1


ENDED = f"""
import pytest

@pytest.fixture
def begins_badly():
    raise OSError("it does not begin")

@pytest.fixture
def ends_badly():
    yield
    raise OSError("it does not end")

@pytest.fixture
def left_out():
    pytest.skip("it is not here")

def test_it():
    print({planted.TOPO_KEY.value!r})

def test_that_never_begins(begins_badly):
    assert True

def test_whose_end_fails(ends_badly):
    assert True

def test_that_is_left_out(left_out):
    assert True
"""


def test_several_processes_tell_a_leak_and_whatever_did_not_pass_of_each_test(apart: Path) -> None:
    pytest.importorskip("xdist")
    status, leaks, said = run(apart, ENDED, *TWO)
    assert (status, *leaks) == (1, "test_it")
    assert said.startswith("2 passed, 1 skipped, 2 errors in ")


def test_a_leak_alone_fails_a_run_of_several_processes_too(apart: Path) -> None:
    pytest.importorskip("xdist")
    leak = f"def test_it():\n    print({planted.TOPO_KEY.value!r})\n"
    assert run(apart, leak, *TWO)[0] == 1


def test_each_of_the_twelve_is_found_by_its_name_in_every_spelling() -> None:
    assert len({one.value for one in SECRETS}) == len(SECRETS) == 12
    for one in SECRETS:
        for before in ("", "x", "xy"):
            for form in spellings(f"{before}{one.value}tail"):
                assert found_in(b"before " + form + b" after", {}) == [one.name], form


def test_a_part_of_a_secret_is_found_and_other_texts_are_not() -> None:
    assert found_in(planted.KALENT_KEY.value[:-2].encode(), {}) == [PART]
    assert found_in(b"Hi Grace, a key, a secret, a passphrase: " + bytes(range(256)), {}) == []
