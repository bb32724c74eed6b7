"""A task in words, read from a file: what is asked, what happened before, who answers, and how it has to end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("tasks")
DIALOGS = ("approve", "decline", "close", "none")
AFTERWARDS = ("nothing", "approve")
MOMENTS = ("at_once", "in_the_end")


@dataclass(frozen=True, slots=True)
class Agreement:
    """How the person of a task decides: in the chat's dialogs, and later, about everything that waits then."""

    dialog: str = "none"
    afterwards: str = "nothing"


@dataclass(frozen=True, slots=True)
class AgentTask:
    """One task. README.md beside this file says what stands in each field."""

    id: str
    prompt: str
    history: tuple[Mapping[str, Any], ...]
    person: Agreement
    ends: Mapping[str, Any]
    nothing_sent: bool = False


@dataclass(frozen=True, slots=True)
class Solution:
    """The fewest calls known to solve a task on one server, and an answer; ``{$1/path}`` is a part of a result."""

    calls: tuple[Mapping[str, Any], ...]
    answer: str


def tasks(folder: Path = FOLDER) -> list[AgentTask]:
    """Return every task of a folder, in the order of its files; ValueError for what is none."""
    offices = _read(folder / "histories.json")
    found = [
        _task(one, offices)
        for path in sorted(folder.glob("*.json"))
        if path.name not in ("histories.json", "solutions.json")
        for one in _read(path)
    ]
    ids = [task.id for task in found]
    if repeated := {one for one in ids if ids.count(one) > 1}:
        raise ValueError(f"Two tasks have one id: {', '.join(sorted(repeated))}.")
    return found


def solutions(folder: Path = FOLDER) -> dict[str, Solution]:
    """Return the reference's solutions for this server by the ids of their tasks."""
    read: dict[str, Any] = _read(folder / "solutions.json")
    return {name: Solution(tuple(one["calls"]), one["answer"]) for name, one in read.items()}


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _task(read: Mapping[str, Any], offices: Mapping[str, Any]) -> AgentTask:
    """Return a task as its file has it; a history may begin with the name of one of ``histories.json``."""
    unknown = set(read) - {"id", "prompt", "history", "person", "ends", "nothing_sent"}
    if unknown:
        raise ValueError(f"The task {read.get('id')} has fields that mean nothing: {', '.join(sorted(unknown))}.")
    person = Agreement(**read.get("person", {}))
    if person.dialog not in DIALOGS or person.afterwards not in AFTERWARDS:
        raise ValueError(f"The person of the task {read['id']} decides in a way that is not known.")
    return AgentTask(
        id=read["id"],
        prompt=_paragraph(read["prompt"]),
        history=tuple(_whole(read.get("history", []), offices)),
        person=person,
        ends=read["ends"],
        nothing_sent=read.get("nothing_sent", False),
    )


def _paragraph(prompt: str | list[str]) -> str:
    return prompt if isinstance(prompt, str) else "\n".join(prompt)


def _whole(history: list[Any], offices: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    events: list[Mapping[str, Any]] = []
    for one in history:
        events += _whole(offices[one], offices) if isinstance(one, str) else [one]
    return events
