"""Who plays a task: a scripted player with calls that are known to be enough, or a program behind JSON lines.

A player is given the prompt and the tools that a host would show, calls them through a real MCP client, and ends
with an answer in words.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Protocol

from benchmarks.agents.distractors import distractors
from benchmarks.agents.judging import MadeCall, Played, faults
from benchmarks.agents.office import SERVER, Office
from benchmarks.agents.task import AgentTask, Solution
from mcp import Client
from mcp.types import CallToolResult, Tool

MOST_CALLS = 60
ANSWER_WITHIN = 600.0  # seconds for one line of a program
_PART = re.compile(r"\{\$(\d+)/([^}]*)\}")


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """What a tool answered: its text, its structured content where it has one, and whether it is an error."""

    text: str
    is_error: bool
    structured: Mapping[str, Any] | None = None

    @property
    def facts(self) -> Any:
        """The answer as data."""
        return self.structured if self.structured is not None else json.loads(self.text)


@dataclass(frozen=True, slots=True)
class ShownTask:
    """A task as a player sees it: ``tools`` as hosts give them to a model, named ``server__tool``."""

    id: str
    prompt: str
    instructions: str
    tools: Sequence[Mapping[str, Any]]


UseTool = Callable[[str, Mapping[str, Any]], Awaitable[ToolAnswer]]


class PlayerError(Exception):
    """A player who broke off: its task is not solved, and the next one goes on."""


class Player(Protocol):
    """Whoever can play a task."""

    async def play(self, task: ShownTask, use: UseTool) -> str:
        """Call what is needed and return the answer to the person."""
        ...


@dataclass
class Table:
    """The servers of a task, each with its client and its tools, and the calls that were made."""

    clients: dict[str, Client] = field(default_factory=dict)
    tools: dict[str, tuple[str, Tool]] = field(default_factory=dict)
    calls: list[MadeCall] = field(default_factory=list)

    async def add(self, server: str, client: Client) -> None:
        """Put a connected server on the table."""
        self.clients[server] = client
        for tool in (await client.list_tools()).tools:
            self.tools[f"{server}__{tool.name}"] = (server, tool)

    async def use(self, name: str, arguments: Mapping[str, Any]) -> ToolAnswer:
        """Call a tool by the name it is shown under."""
        if len(self.calls) >= MOST_CALLS:
            return ToolAnswer(f"This was call {MOST_CALLS + 1}; answer now.", is_error=True)
        if name not in self.tools:
            return ToolAnswer(f"There is no tool {name}.", is_error=True)
        server, tool = self.tools[name]
        result = await self.clients[server].call_tool(tool.name, dict(arguments))
        assert isinstance(result, CallToolResult)
        only_reads = bool(tool.annotations and tool.annotations.read_only_hint)
        self.calls.append(MadeCall(server, tool.name, dict(arguments), only_reads, not result.is_error))
        text = "\n".join(block.text for block in result.content if block.type == "text")
        return ToolAnswer(text, bool(result.is_error), result.structured_content)

    def shown(self, task: AgentTask) -> ShownTask:
        """Return the task with everything that a host would show."""
        tools = [
            {"name": name, "description": tool.description or "", "inputSchema": tool.input_schema}
            for name, (_, tool) in self.tools.items()
            if "ui" not in (tool.meta or {}) or "model" in (tool.meta or {})["ui"].get("visibility", ["model"])
        ]
        instructions = "\n\n".join(filter(None, (client.instructions for client in self.clients.values())))
        return ShownTask(task.id, task.prompt, instructions, tools)


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What came of one task: what is not as it has to be, and the calls beside the fewest known.

    ``undone`` is what would not be as it has to be had nobody done or said anything.
    """

    task: AgentTask
    faults: tuple[str, ...]
    undone: tuple[str, ...]
    calls: int
    fewest: int
    played: Played


async def play_task(
    task: AgentTask, player: Player, office: Office, *, solution: Solution, with_distractors: bool = False
) -> TaskResult:
    """Prepare a task, let a player play it, let time pass, and judge."""
    await office.prepare(task)
    before = office.state()
    table = Table()
    async with AsyncExitStack() as open_clients:
        await table.add(SERVER, await open_clients.enter_async_context(office.connect(task)))
        for server, connecting in distractors().items() if with_distractors else ():
            await table.add(server, await open_clients.enter_async_context(connecting))
        answer, broken = "", []
        try:
            answer = await player.play(table.shown(task), table.use)
        except PlayerError as error:
            broken = [str(error)]
    at_once = office.state()
    await office.go_on(task)
    played = Played(answer, tuple(table.calls), at_once, office.state())
    return TaskResult(
        task=task,
        faults=(*broken, *faults(task, played, own=SERVER)),
        undone=tuple(faults(task, Played("", (), before, before), own=SERVER)),
        calls=len(table.calls),
        fewest=len(solution.calls),
        played=played,
    )


@dataclass(frozen=True, slots=True)
class ReferencePlayer:
    """Plays the calls of a solution and gives its answer, both filled in from the results before."""

    solution: Solution

    async def play(self, task: ShownTask, use: UseTool) -> str:
        """Play them all, in order."""
        results: list[Any] = []
        for call in self.solution.calls:
            answer = await use(f"{SERVER}__{call['tool']}", filled(call["arguments"], results))
            results.append(answer.facts)
        return str(filled(self.solution.answer, results))


def filled(value: Any, results: Sequence[Any]) -> Any:
    """Return a value with every ``{$2/items/name=Engineers/id}`` in it replaced from the second result."""
    if isinstance(value, Mapping):
        return {name: filled(one, results) for name, one in value.items()}
    if isinstance(value, list):
        return [filled(one, results) for one in value]
    if not isinstance(value, str):
        return value
    if whole := _PART.fullmatch(value):
        return _part(results, whole)
    return _PART.sub(lambda found: str(_part(results, found)), value)


def _part(results: Sequence[Any], found: re.Match[str]) -> Any:
    value = results[int(found[1]) - 1]
    for step in found[2].split("/"):
        if isinstance(value, list):
            name, equals, wanted = step.partition("=")
            value = next(one for one in value if str(one.get(name)) == wanted) if equals else value[int(step)]
        else:
            value = value[step]
    return value


@dataclass(frozen=True, slots=True)
class CommandPlayer:
    """A program that plays: JSON lines on its standard input and output, so that any model can be behind it.

    It is told ``{"type": "task", …}`` once, then ``{"type": "result", …}`` for each ``{"type": "call", "tool",
    "arguments"}`` that it writes, until it writes ``{"type": "answer", "text"}``.
    """

    command: Sequence[str]

    async def play(self, task: ShownTask, use: UseTool) -> str:
        """Start the program for this task and do as it says; PlayerError where it says nothing that is known."""
        program = await asyncio.create_subprocess_exec(
            *self.command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**24
        )
        assert program.stdin is not None and program.stdout is not None
        say = _teller(program.stdin)
        try:
            await say({"type": "task", **_fields(task)})
            while True:
                line = await asyncio.wait_for(program.stdout.readline(), ANSWER_WITHIN)
                said = _read(line)
                match said.get("type"):
                    case "call":
                        answer = await use(str(said["tool"]), said.get("arguments") or {})
                        result = {"text": answer.text, "structured": answer.structured}
                        await say({"type": "result", "is_error": answer.is_error, **result})
                    case "answer":
                        return str(said["text"])
                    case _:
                        raise PlayerError(f"The player's program said neither a call nor an answer: {line!r}.")
        finally:
            program.stdin.close()
            if program.returncode is None:
                program.kill()
            await program.wait()


def _read(line: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _teller(stdin: asyncio.StreamWriter) -> Callable[[Mapping[str, Any]], Awaitable[None]]:
    async def say(message: Mapping[str, Any]) -> None:
        stdin.write(json.dumps(message, ensure_ascii=False).encode() + b"\n")
        await stdin.drain()

    return say


def _fields(task: ShownTask) -> dict[str, Any]:
    return {
        "id": task.id,
        "prompt": task.prompt,
        "instructions": task.instructions,
        "tools": list(task.tools),
    }
