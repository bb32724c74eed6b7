"""An office that is kept in a folder, so that a client of anybody's choice can play a task in it."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.agents.judging import MadeCall, Played, faults
from benchmarks.agents.office import SERVER, Office, mail_server
from benchmarks.agents.task import AgentTask, solutions, tasks
from mcp.types import CallToolResult, InputRequiredResult

from sequences_mcp.server import catalog
from sequences_mcp.server.app import OpenedContext, SequencesServer

STATE, CALLS = "office.json", "calls.jsonl"


async def prepare(task: AgentTask, folder: Path) -> None:
    """Make the office of a task in a new folder and say how a client is connected to it."""
    folder.mkdir(parents=True)
    with mail_server() as (port, inbox):
        office = Office.at(folder.resolve(), port, inbox)
        await office.prepare(task)
    kept = {
        "task": task.id,
        "port": port,
        "now": office.bureau.clock.now.isoformat(),
        "settings": office.bureau.more,
    }
    (folder / STATE).write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    print(f"Server:  {sys.executable} -m benchmarks.agents serve {folder.resolve()}")
    print(f"Prompt:  {task.prompt}")
    print(f"Dialogs: {task.person.dialog}")
    print(f"Then:    {sys.executable} -m benchmarks.agents check {folder.resolve()} 'the answer in words'")


def _opened(folder: Path, port: int, inbox: Any) -> tuple[AgentTask, Office]:
    kept = json.loads((folder / STATE).read_text(encoding="utf-8"))
    [task] = [one for one in tasks() if one.id == kept["task"]]
    office = Office.at(folder, port, inbox)
    office.bureau = office.bureau.having()
    office.bureau.more.update(kept["settings"])
    office.bureau.clock.now = datetime.fromisoformat(kept["now"])
    return task, office


class RecordingServer(SequencesServer):
    """The product's server, which writes down each call of a tool."""

    calls: Path

    async def call_tool(self, name: str, arguments: dict[str, Any], context: Any = None) -> Any:
        """Call a tool and write down that it was."""
        result = await super().call_tool(name, arguments, context)
        if isinstance(result, InputRequiredResult):
            return result
        assert isinstance(result, CallToolResult)
        hints = next((one.annotations for one in catalog.listed_tools() if one.name == name), None)
        call = {
            "server": SERVER,
            "tool": name,
            "arguments": arguments,
            "only_reads": bool(hints and hints.read_only_hint),
            "worked": not result.is_error,
        }
        with self.calls.open("a", encoding="utf-8") as file:
            file.write(json.dumps(call) + "\n")
        return result


def serve(folder: Path) -> None:
    """Serve the office of a folder over standard input and output; its clock stands still."""
    port = json.loads((folder / STATE).read_text(encoding="utf-8"))["port"]
    _, office = _opened(folder, port, None)
    server = RecordingServer(OpenedContext(office.bureau.app), log_level="WARNING", vendors=())
    server.calls = folder / CALLS
    server.run()


async def check(folder: Path, answer: str) -> int:
    """Let time pass in the office of a folder, judge, and return 1 where the task is not solved."""
    port = json.loads((folder / STATE).read_text(encoding="utf-8"))["port"]
    with mail_server(port) as (_, inbox):
        task, office = _opened(folder, port, inbox)
        at_once = office.state()
        await office.go_on(task)
        calls = folder / CALLS
        made = [MadeCall(**json.loads(line)) for line in calls.read_text().splitlines()] if calls.exists() else []
        found = faults(task, Played(answer, tuple(made), at_once, office.state()), own=SERVER)
    for fault in found:
        print(fault)
    enough = len(solutions()[task.id].calls)
    print(f"{'Not solved' if found else 'Solved'}: {len(made)} calls, {enough} are enough.")
    return int(bool(found))
