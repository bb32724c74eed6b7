"""The tests obey rules too: real parts, no sleeps, names that are sentences."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest
from tests.house.house_tree import PACKAGE, ROOT, Law, Source, called, plant, suite

SLEEPS = ("time.sleep", "sleep", "asyncio.sleep", "anyio.sleep")
YIELDS = ("asyncio.sleep(0)", "anyio.sleep(0)", "time.sleep(0)")
PATCHES = ("monkeypatch.setattr", "monkeypatch.delattr", "monkeypatch.setitem", "mocker.patch")
MOCKS = ("unittest.mock", "mock", "pytest_mock", "responses", "respx", "aioresponses", "freezegun", "time_machine")
GIVEN_UP = ("pytest.mark.skip", "pytest.mark.xfail")
# Programs that are started there are given no secrets, or are the search itself.
OUT_OF_EARSHOT = ("tests/house/", "tests/packaging/", "tests/secrecy/")
PROOFS = ("raises", "warns", "run_state_machine_as_test")

# Path to how many sleeps it holds, for a test whose subject is elapsed time in another process.
SLEEPS_ALLOWED: dict[str, int] = {}
LEAST = 5.0  # seconds
BOUNDED = {"asyncio.timeout": 0, "asyncio.wait_for": 1, "httpx.Timeout": 0}  # which argument is the bound
ALPHABETS = {"st.text": 0, "st.from_regex": 2}  # which argument it is; from_regex takes it by name alone
# Files whose short bounds are meant to pass: nothing happens meanwhile, or the test looks again afterwards.
MEANT_TO_PASS = {
    "tests/store/test_store_opening.py",
    "tests/services/test_safe_tools.py",
    "tests/vendors/test_vendor_transport.py",
    "tests/world/installation.py",
    "tests/world/page.py",
}


def sleeps(root: Path) -> list[str]:
    """Return a sentence for each file of tests that sleeps more often than it may."""
    counts = {source.path: sum(map(_sleeps, source.nodes)) for source in suite(root)}
    return [
        f"{path} sleeps {count} times: wait for a condition, with a bound."
        for path, count in counts.items()
        if count > SLEEPS_ALLOWED.get(path, 0)
    ]


def _sleeps(node: ast.AST) -> bool:
    return called(node) in SLEEPS and ast.unparse(node) not in YIELDS


def short_waits(root: Path) -> list[str]:
    """Return a sentence for each bound on waiting that a slow machine may pass while all is well."""
    return [
        f"{source.path}:{node.lineno} waits {seconds:g} s at most: a machine may be slow, allow {LEAST:g} or more."
        for source in suite(root)
        if source.path not in MEANT_TO_PASS
        for node in source.nodes
        if isinstance(node, ast.Call) and (seconds := _bound(node)) is not None and seconds < LEAST
    ]


def _bound(call: ast.Call) -> float | None:
    """Return the seconds that a call may wait, where they are written down."""
    place = BOUNDED.get(called(call))
    given = [one.value for one in call.keywords if one.arg == "timeout"]
    given += call.args[place : place + 1] if place is not None else []
    found = [one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, int | float)]
    return float(found[0]) if found else None


def mocks(root: Path) -> list[str]:
    """Return a sentence for each mock library and each patch of our own code."""
    return [
        f"{source.path}:{getattr(node, 'lineno', 0)} {what}"
        for source in suite(root)
        for node in source.nodes
        if (what := _mock(node))
    ]


def _mock(node: ast.AST) -> str:
    names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
    if isinstance(node, ast.ImportFrom):
        names = [node.module or "", f"{node.module}.{node.names[0].name}"]
    if library := next((name for name in names if name.split(".")[0] in MOCKS or name in MOCKS), ""):
        return f"imports {library}: use the real part, a Fake scripted by the test, or a Memory twin."
    patched = called(node)
    return f"calls {patched}: pass the double in instead of patching." if patched in PATCHES else ""


def classes_of_tests(root: Path) -> list[str]:
    """Return a sentence for each class of tests and each double named Mock."""
    return [
        f"{source.path}:{node.lineno} class {node.name}: tests are functions, doubles are Fake… or Memory…."
        for source in suite(root)
        for node in source.nodes
        if isinstance(node, ast.ClassDef) and node.name.startswith(("Test", "Mock", "Stub"))
    ]


def repeated_names(root: Path) -> list[str]:
    """Return a sentence for each file name that two folders of tests share; no package tells them apart."""
    counts = Counter(name for source in suite(root) if (name := source.path.split("/")[-1]) != "conftest.py")
    return [f"{name} exists {count} times under tests/." for name, count in counts.items() if count > 1]


def proves_nothing(root: Path) -> list[str]:
    """Return a sentence for each test that cannot fail by its own word."""
    return [
        f"{source.path}:{function.lineno} {function.name} asserts nothing."
        for source in suite(root)
        for asserting in [_asserting(source)]
        for function in source.functions
        if function.name.startswith("test_")
        if not any(_proves(node, asserting) for node in ast.walk(function))
    ]


def _asserting(source: Source) -> set[str]:
    """Return the functions of a file that assert, which a test may call to do so."""
    return {f.name for f in source.functions if any(isinstance(n, ast.Assert) for n in ast.walk(f))}


def _proves(node: ast.AST, asserting: set[str]) -> bool:
    name = called(node).split(".")[-1]
    return isinstance(node, ast.Assert) or name in PROOFS or name in asserting


def skips(root: Path) -> list[str]:
    """Return a sentence for each test that is expected to fail, or skipped without a condition."""
    return [
        f"{source.path}:{node.lineno} {mark}: pin what it does today, or mend it."
        for source in suite(root)
        for node in source.nodes
        if isinstance(node, ast.Attribute) and (mark := ast.unparse(node)) in GIVEN_UP
    ]


def unheard(root: Path) -> list[str]:
    """Return a sentence for each answer or output that is kept from the search for planted secrets."""
    return [
        f"{source.path}:{getattr(node, 'lineno', 0)} {what}"
        for source in suite(root)
        if not source.path.startswith(OUT_OF_EARSHOT)
        for node in source.nodes
        if (what := _unheard(node, source))
    ]


def _unheard(node: ast.AST, source: Source) -> str:
    if isinstance(node, ast.ImportFrom) and node.module == "mcp" and "Client" in [a.name for a in node.names]:
        return "imports mcp's Client: that of tests.secrecy.client has its answers searched for secrets."
    word = ast.unparse(node) if isinstance(node, ast.Attribute | ast.keyword) else ""
    reads = word == "capture_output=True" or word.endswith("subprocess.PIPE")
    return (
        "reads a program's output: tell tests.secrecy.hearing.heard."
        if reads and "heard(" not in source.text
        else ""
    )


def letters_by_default(root: Path) -> list[str]:
    """Return a sentence for each strategy that would have Hypothesis encode every character there is."""
    return [
        f"{source.path}:{node.lineno} {called(node)} has no alphabet: give it CHARACTERS of tests.world.texts."
        for source in suite(root)
        for node in source.nodes
        if isinstance(node, ast.Call) and (place := ALPHABETS.get(called(node))) is not None
        if len(node.args) <= place and not any(one.arg == "alphabet" for one in node.keywords)
    ]


LAWS = (
    sleeps,
    short_waits,
    mocks,
    classes_of_tests,
    repeated_names,
    proves_nothing,
    skips,
    unheard,
    letters_by_default,
)


@pytest.mark.parametrize("law", LAWS)
def test_the_suite_keeps_its_rules(law: Law) -> None:
    assert not (offences := law(ROOT)), "\n".join(offences)


def test_no_file_is_named_for_sleeps_that_are_gone() -> None:
    present = {s.path: sum(map(_sleeps, s.nodes)) for s in suite(ROOT)}
    stale = {path for path, count in SLEEPS_ALLOWED.items() if present.get(path) != count}
    assert not stale, f"SLEEPS_ALLOWED names more than there is: {stale}"


BAD = {
    "a sleep": (sleeps, "import time\ndef test_it():\n    time.sleep(1)\n    assert 1"),
    "an async sleep": (sleeps, "async def test_it():\n    await asyncio.sleep(0.1)\n    assert 1"),
    "a short timeout": (
        short_waits,
        "async def test_it():\n    async with asyncio.timeout(0.5): ...",
    ),
    "a short wait": (short_waits, "def test_it(thread):\n    assert thread.wait(timeout=2)"),
    "a short wait for": (short_waits, "async def test_it(x):\n    assert await asyncio.wait_for(x, 1)"),
    "a mock": (mocks, "from unittest import mock"),
    "a mock by its module": (mocks, "import unittest.mock"),
    "a patch": (mocks, f"def test_it(monkeypatch):\n    monkeypatch.setattr('{PACKAGE}.flows.start', None)"),
    "a class": (classes_of_tests, "class TestIt: ..."),
    "a Mock": (classes_of_tests, "class MockServer: ..."),
    "no proof": (proves_nothing, "def test_it():\n    1 + 1"),
    "a client of its own": (unheard, "from mcp import Client, StdioServerParameters"),
    "an output kept to itself": (unheard, "done = subprocess.run(['x'], capture_output=True)"),
    "a pipe kept to itself": (unheard, "serving = subprocess.Popen(['x'], stdout=subprocess.PIPE)"),
    "a text of any letters": (letters_by_default, "NAMES = st.text(max_size=9)"),
    "an expected failure": (skips, "@pytest.mark.xfail\ndef test_it():\n    assert 0"),
}


@pytest.mark.parametrize(("law", "text"), BAD.values(), ids=BAD.keys())
def test_a_bad_test_is_found(tmp_path: Path, law: Law, text: str) -> None:
    assert law(plant(tmp_path, {"tests/services/test_a.py": text}))


def test_a_file_name_used_twice_is_found(tmp_path: Path) -> None:
    assert repeated_names(plant(tmp_path, {"tests/services/test_a.py": "", "tests/engine/test_a.py": ""}))


GOOD = """
def must_be_one(x):
    assert x == 1

def test_one_is_one():
    must_be_one(1)

async def test_two_is_refused(monkeypatch):
    monkeypatch.setenv("A", "1")
    await asyncio.sleep(0)
    with pytest.raises(ValueError):
        int("two")
"""


@pytest.mark.parametrize("law", LAWS)
def test_a_good_test_is_left_alone(tmp_path: Path, law: Law) -> None:
    assert not law(plant(tmp_path, {"tests/services/test_a.py": GOOD}))
