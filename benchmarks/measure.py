"""The measurements behind the budgets: each returns what it found beside what is allowed.

A ratio is taken in one run, in which the two sides take turns. A latency counts with the best of each side (a busy
machine only adds); a start takes long enough to be slowed down in every round and counts with the median ratio.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks import tokens
from benchmarks.due import fill
from benchmarks.people import SETTINGS, SOURCING, people, steps
from benchmarks.wire import BARE, PRODUCT, Child, Era

COLD_START = 1.20
LIST_TOKENS = 4500
RESULT_TOKENS = 2000
LATENCY = 2.0
GUARDS_SECONDS = 0.002  # the guards' own budget for five steps, on top of any tool's
PLANNING_SECONDS = 4.0
PLANNING_WORK = 14.0  # times the work of ``reference``, both in processor time; 8 to 12 were measured
BATCH = 500
IDLE_MB = 20.0
IDLE_SECONDS = 5.0  # long enough for several passes of the worker

READS: Mapping[str, Mapping[str, Any]] = {
    "list_providers": {},
    "list_blueprints": {},
    "find_contacts": {"query": ""},
    "list_sequences": {},
    "list_reviews": {},
    "list_tasks": {},
}
# get_sequence is given the first run of the list.
COMPARED: Mapping[str, Mapping[str, Any]] = {
    "list_sequences": {},
    "get_sequence": {},
    "find_contacts": {"query": ""},
    "list_reviews": {},
    "list_providers": {},
    "check_blueprint": {"steps": steps(5)},
}
GUARDED = {"check_blueprint"}
# Keys that connect all three vendors; nobody is called before a tool needs it.
KEYS = {"KALENT_API_KEY": "kalent_none", "CLARKY_API_KEY": "ck_live_none", "TOPO_API_KEY": "topo_none"}
NO_KEYS: Mapping[str, str] = {}


class Measured(NamedTuple):
    """One budget: what was found, at most what is allowed, both in ``unit``."""

    what: str
    found: float
    allowed: float
    unit: str
    detail: str = ""

    @property
    def holds(self) -> bool:
        """Whether the budget is kept."""
        return self.found <= self.allowed


@contextmanager
def product(folder: str | Path, *, era: Era = "modern", keys: Mapping[str, str] = NO_KEYS) -> Iterator[Child]:
    """Run the product's server over the data in a folder, connected to the vendors whose keys these are."""
    with Child(PRODUCT, era=era, settings={**SETTINGS, **keys, "SEQUENCES_DATA_DIR": str(folder)}) as child:
        yield child


@contextmanager
def product_in_passing(keys: Mapping[str, str] = NO_KEYS, *, era: Era = "modern") -> Iterator[Child]:
    """Run the product's server over a new folder that goes away with it."""
    with tempfile.TemporaryDirectory() as folder, product(folder, era=era, keys=keys) as child:
        yield child


@contextmanager
def bare_server(era: Era) -> Iterator[Child]:
    """Run the bare server that answers are compared with, connected."""
    with Child(BARE, era=era) as child:
        child.list_tools()
        yield child


def facts(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a tool said; RuntimeError with its words when it refused."""
    if result.get("isError"):
        raise RuntimeError(result["content"][0]["text"])
    found: dict[str, Any] = result["structuredContent"]
    return found


def taking_turns(sides: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, float]:
    """Return the best time of each side in seconds; a first round warms up and does not count."""
    best = dict.fromkeys(sides, float("inf"))
    for number in range(rounds + 1):
        for name, act in sides.items():
            begun = time.perf_counter()
            act()
            if number:
                best[name] = min(best[name], time.perf_counter() - begun)
    return best


def in_pairs(ours: Callable[[], object], bare: Callable[[], object], *, rounds: int) -> list[tuple[float, float]]:
    """Return the seconds of both sides in each round, one right after the other; who is first changes each time.

    What slows the machine down for longer than a round slows down both. A first round warms up and does not count.
    """
    pairs = []
    for number in range(rounds + 1):
        taken = {}
        for act in (ours, bare) if number % 2 else (bare, ours):
            begun = time.perf_counter()
            act()
            taken[act] = time.perf_counter() - begun
        if number:
            pairs.append((taken[ours], taken[bare]))
    return pairs


def _ratio(what: str, best: Mapping[str, float], *, allowed: float) -> Measured:
    (ours, bare) = (best["ours"], best["bare"])
    return Measured(what, ours / bare, allowed, "x", f"{ours * 1000:.2f} ms against {bare * 1000:.2f} ms")


def cold_start(era: Era, *, rounds: int, keys: Mapping[str, str] = NO_KEYS) -> Measured:
    """Measure from spawning a server over its first tools/list answer to its end, over a data folder in use.

    Without the prelude: it measures what is loaded. ``first_answers`` measures what a chat waits for.
    """

    def ours() -> None:
        with product(folder, era=era, keys={**keys, "SEQUENCES_PRELUDE": "off"}) as child:
            child.list_tools()

    def bare() -> None:
        with bare_server(era):
            pass

    with tempfile.TemporaryDirectory() as folder:
        pairs = in_pairs(ours, bare, rounds=rounds)
    middle, (mine, theirs) = median(a / b for a, b in pairs), map(median, zip(*pairs, strict=True))
    detail = f"{mine * 1000:.0f} ms against {theirs * 1000:.0f} ms"
    return Measured(f"cold start{_connected(keys)}, {era} era", middle, COLD_START, "x", detail)


def tools_list(keys: Mapping[str, str] = NO_KEYS) -> Measured:
    """Count what tools/list costs a model."""
    with product_in_passing(keys) as child:
        listed = child.list_tools()
    how = "counted" if tokens.counter().exact else "estimated"
    what = f"tools/list{_connected(keys)}"
    return Measured(what, tokens.cost(listed), LIST_TOKENS, "tokens", f"{len(listed)} tools, {how}")


def _connected(keys: Mapping[str, str]) -> str:
    return ", all three vendors" if keys else ""


def planning(child: Child, *, contacts: int) -> list[Measured]:
    """Plan a start for so many new people over MCP, and see that progress was reported for each batch."""
    made = facts(child.call("create_blueprint", {"name": "Bench", "steps": steps(3), **SOURCING}))
    everybody = people(contacts + 1)
    first = {"blueprint_id": made["blueprint_id"], "contacts": everybody[contacts:]}
    facts(child.call("preview_sequence", first))  # loads and gathers what is needed once, whatever the number
    arguments = {"blueprint_id": made["blueprint_id"], "contacts": everybody[:contacts]}
    begun, used = time.perf_counter(), child.processor_ms()
    facts(child.call("start_sequence", arguments, progress=True))
    taken, used = time.perf_counter() - begun, child.processor_ms() - used
    reports = sum(notice["method"] == "notifications/progress" for notice in child.notices)
    silent, work = contacts / max(reports, 1), f"{used / 1000:.1f} s of processor time"
    bare = min(reference(contacts) for _ in range(3))
    against = f"{used / 1000:.2f} s against {bare:.2f} s of processor time"
    return [
        Measured(f"planning {contacts:,} contacts, 3 steps", taken, PLANNING_SECONDS, "s", work),
        Measured(
            "planning over filling in, hashing and storing alone", used / 1000 / bare, PLANNING_WORK, "x", against
        ),
        Measured("people between two progress reports", silent, BATCH, "people", f"{reports} reports"),
    ]


def reference(contacts: int) -> float:
    """Return the processor time of what no plan can do without: fill in three texts a person, hash and store them.

    Planning is compared with it in the same run, so that a slow machine is slow for both.
    """
    token = re.compile(r"\{\{(\w+)\}\}")
    begun = time.process_time()
    with tempfile.TemporaryDirectory() as folder, sqlite3.connect(Path(folder) / "bare.db") as database:
        database.execute("CREATE TABLE text (id TEXT PRIMARY KEY, person TEXT, content TEXT, digest TEXT)")
        rows = []
        for number, one in enumerate(people(contacts)):
            for step in steps(3):
                content = token.sub(lambda match, one=one: one.get(match[1], one["first_name"]), step["content"])  # type: ignore[misc]
                digest = hashlib.sha256(json.dumps({**one, "content": content}).encode()).hexdigest()
                rows.append((f"{number}.{step['id']}", json.dumps(one), content, digest))
            if len(rows) >= BATCH:
                database.executemany("INSERT INTO text VALUES (?, ?, ?, ?)", rows)
                database.commit()
                rows.clear()
    return time.process_time() - begun


def latency(child: Child, bare: Child, tool: str, *, rounds: int) -> Measured:
    """Compare a local read, over whatever data the child has, with the echo of a bare server of the same era."""
    arguments = _first_run(child) if tool == "get_sequence" else COMPARED[tool]
    facts(child.call(tool, arguments))
    _, ours = child.ready("tools/call", {"name": tool, "arguments": arguments})
    _, echo = bare.ready("tools/call", {"name": "echo", "arguments": {"text": "hello"}})
    sides = {"ours": lambda: child.exchange(ours), "bare": lambda: bare.exchange(echo)}
    best = taking_turns(sides, rounds=rounds)
    allowed = LATENCY + (GUARDS_SECONDS / best["bare"] if tool in GUARDED else 0)
    return _ratio(f"{tool}, {child.era} era", best, allowed=allowed)


def _first_run(child: Child) -> dict[str, str]:
    return {"sequence_id": facts(child.call("list_sequences", {"size": 1}))["items"][0]["id"]}


def largest_result(child: Child) -> Measured:
    """Count what each list costs a model with default arguments, and return the most expensive."""
    count = tokens.counter().count
    counted = {tool: count(_text(child.call(tool, arguments))) for tool, arguments in READS.items()}
    worst = max(counted, key=counted.__getitem__)
    return Measured("largest default result", counted[worst], RESULT_TOKENS, "tokens", worst)


def _text(result: Mapping[str, Any]) -> str:
    facts(result)
    return "".join(block.get("text", "") for block in result["content"])


def idle_memory(*, sleeping: int) -> Measured:
    """Compare an idle server with a crowd asleep in its file with one whose file is empty."""
    with tempfile.TemporaryDirectory() as empty, tempfile.TemporaryDirectory() as crowded:
        fill(Path(crowded), sleeping)
        few, many = _idle_mb(empty), _idle_mb(crowded)
    what, detail = f"idle with {sleeping:,} sequences asleep", f"{many:.0f} MB against {few:.0f} MB"
    return Measured(what, many - few, IDLE_MB, "MB", detail)


def _idle_mb(folder: str) -> float:
    with product(folder) as child:
        child.list_tools()
        facts(child.call("list_sequences", {}))
        time.sleep(IDLE_SECONDS)
        facts(child.call("list_sequences", {}))
        return child.memory_mb()
