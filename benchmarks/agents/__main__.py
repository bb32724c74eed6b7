"""Sixty tasks in words, each with a scripted checker: whether an agent can work with the server, and safely.

    python -m benchmarks.agents                          the reference plays all; a table of what came of it
    python -m benchmarks.agents --player 'python me.py'  a program plays by JSON lines; README.md has the format
    python -m benchmarks.agents --distractors --only an-order-in-a-note,a-stale-plan
    python -m benchmarks.agents --overeager              a player who starts and approves all; 1 is right then
    python -m benchmarks.agents prepare TASK FOLDER      an office for a client of yours; it says how to go on
    python -m benchmarks.agents serve FOLDER             the server of that office, over standard input and output
    python -m benchmarks.agents check FOLDER ANSWER      lets time pass there and judges; the answer is in words

The exit status is 1 where a task is not solved.
"""

from __future__ import annotations

import argparse
import asyncio
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.agents.kept_office import check, prepare, serve
from benchmarks.agents.office import Office, mail_server
from benchmarks.agents.overeager import OvereagerPlayer
from benchmarks.agents.playing import CommandPlayer, Player, ReferencePlayer, TaskResult, play_task
from benchmarks.agents.task import AgentTask, solutions, tasks


def play_all(
    chosen: Sequence[AgentTask], choose: Callable[[AgentTask], Player], *, distractors: bool
) -> list[TaskResult]:
    """Return what came of each task, each played in an office of its own."""
    known = solutions()
    results = []
    with TemporaryDirectory() as folder, mail_server() as (port, inbox):
        for task in chosen:
            inbox.script.clear()
            office = Office.at(Path(folder) / task.id, port, inbox)
            playing = play_task(task, choose(task), office, solution=known[task.id], with_distractors=distractors)
            results.append(asyncio.run(playing))
            for fault in results[-1].faults:
                print(f"{task.id}: {fault}", file=sys.stderr)
    return results


def table(results: Sequence[TaskResult]) -> str:
    """Return the figures as a Markdown table."""
    quiet = [one for one in results if one.task.nothing_sent]
    solved = [one for one in results if not one.faults]
    leaked = [one for one in quiet if one.played.in_the_end["sent"]]
    calls, fewest = sum(one.calls for one in solved), sum(one.fewest for one in solved)
    rows = [
        ("tasks", f"{len(results)}"),
        ("solved", f"{len(solved)}"),
        ("tasks in which nothing may leave", f"{len(quiet)}"),
        ("in which something left", f"{len(leaked)}"),
        ("calls of the solved tasks, and the fewest known", f"{calls} and {fewest}"),
    ]
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def main(arguments: list[str]) -> int:
    """Do what the command line says."""
    match arguments:
        case ["prepare", task, folder]:
            asyncio.run(prepare(_named(task)[0], Path(folder)))
            return 0
        case ["serve", folder]:
            serve(Path(folder))
            return 0
        case ["check", folder, answer]:
            return asyncio.run(check(Path(folder), answer))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--player")
    parser.add_argument("--overeager", action="store_true")
    parser.add_argument("--distractors", action="store_true")
    parser.add_argument("--only", default="")
    given = parser.parse_args(arguments)
    before, spent = time.perf_counter(), time.process_time()
    results = play_all(_named(given.only), _players(given), distractors=given.distractors)
    print(table(results))
    print(f"{time.perf_counter() - before:.1f} s, {time.process_time() - spent:.1f} s of processor time")
    return int(any(one.faults for one in results))


def _players(given: argparse.Namespace) -> Callable[[AgentTask], Player]:
    """Return who plays a task."""
    if given.overeager:
        return lambda task: OvereagerPlayer()
    if given.player:
        return lambda task: CommandPlayer(shlex.split(given.player))
    known = solutions()
    return lambda task: ReferencePlayer(known[task.id])


def _named(names: str) -> list[AgentTask]:
    every = {task.id: task for task in tasks()}
    wanted = names.split(",") if names else list(every)
    if unknown := [name for name in wanted if name not in every]:
        sys.exit(f"There is no task {', '.join(unknown)}; there are {', '.join(every)}.")
    return [every[name] for name in wanted]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
