"""Write docs/examples.md: a call of every tool with the answer it got, from one conversation with the real server.

    python -m scripts.examples

The conversation is held in a temporary data folder at a fixed time; ids, which are random, are numbered in the
order in which they appear. A test holds it again and says so when the page is out of date.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mcp.types import ElicitResult
from scripts.readme import DOCS
from tests.world.product import MAIL, Desktop, World, tomorrow, yes

PAGE = DOCS / "examples.md"
LONGEST = 40  # lines of an answer
HEAD = """# Every tool, with a call and its answer

Made by `python -m scripts.examples` from a conversation with the server, in which a person approved the start. Ids
are random in reality. An answer that is longer than 40 lines is cut. What each tool takes is in its description,
which your client shows; [the table of tools](tools.md) says what each does.
"""
STEPS = [
    {
        **MAIL,
        "subject": "{{sourcingJobTitle}} in {{sourcingLocation}}",
        "content": "Hi {{firstname}},\n\nwould a short call about the role suit you?",
    },
    {
        "id": "note",
        "name": "LinkedIn",
        "type": "LINKEDIN",
        "linkedInType": "LINKEDIN_MESSAGE",
        "content": "Hi {{firstname}}, I wrote to you by e-mail about a role.",
        "temporalityType": "DELAYED",
        "delay": {"value": 2, "unit": "day"},
    },
]
PEOPLE = [
    {
        "email": "maria@globex.example",
        "first_name": "Maria",
        "last_name": "Silva",
        "company": "Globex",
        "linkedin_url": "https://www.linkedin.com/in/maria",
    },
    {
        "email": "jonas@acme.example",
        "first_name": "Jonas",
        "last_name": "Weber",
        "company": "Acme",
        "linkedin_url": "https://www.linkedin.com/in/jonas",
    },
]


@dataclass
class Recorder:
    """Calls tools and keeps, of each tool, the call and its answer that were asked for first."""

    desktop: Desktop
    calls: dict[str, tuple[Mapping[str, Any], Any]] = field(default_factory=dict)

    async def __call__(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool, whatever it answers, and return that."""
        raw = await self.desktop.raw(tool, **arguments)
        block = raw.content[0]  # behind it may be a link
        assert block.type == "text"
        answer: dict[str, Any] = json.loads(block.text)
        self.calls.setdefault(tool, (arguments, answer))
        return answer


PANEL = ("show_plan", "decide_plan")  # called by the panel in a chat alone


async def conversation(
    folder: Path, recorder: Callable[[Desktop], Recorder] = Recorder
) -> dict[str, tuple[Mapping[str, Any], Any]]:
    """Return of each tool a call and its answer; ``recorder`` makes what calls the tools."""
    office = World(folder / "data")
    answers = iter((yes, no, yes))
    async with office.client(answer=lambda message: next(answers)(message)) as desktop:
        ask = recorder(desktop)
        maria, jonas, blueprint = await _prepared(ask)
        await ask("start_sequence", blueprint_id=blueprint, contacts=[maria, jonas])
        for _ in range(2):  # one e-mail leaves after the other
            await asyncio.to_thread(office.work)
            office.forward(minutes=5)
        runs = {run["contact_id"]: run["id"] for run in (await ask("list_sequences"))["items"]}
        await _under_way(ask, runs[maria], runs[jonas])
        office.forward(days=3)
        await asyncio.to_thread(office.work)
        [task, *_] = (await ask("list_tasks"))["items"]
        await ask("complete_task", task_id=task["id"], outcome="done")
        await _answered(ask, runs[maria], blueprint=blueprint)
    return ask.calls


async def _prepared(ask: Recorder) -> tuple[str, str, str]:
    """Save two people and a blueprint, look at them, and return their ids."""
    await ask("list_providers")
    await ask(
        "check_blueprint", steps=[{**STEPS[0], "content": "Hi {{firstName}}, your work at [company] is good."}]
    )
    facts = {"name": "Engineers", "job_title": "Staff Engineer", "location": "Lisbon"}
    blueprint = (await ask("create_blueprint", steps=STEPS, **facts))["blueprint_id"]
    await ask("update_blueprint", blueprint_id=blueprint, expected_version=1, location="Porto")
    await ask("get_blueprint", blueprint_id=blueprint)
    await ask("list_blueprints")
    maria, jonas = [person["contact_id"] for person in (await ask("save_contacts", contacts=PEOPLE))["contacts"]]
    await ask("export_contact", contact="jonas@acme.example")
    await ask("import_contacts", text="E-Mail;Vorname;Land\nlena@initech.example;Lena;Deutschland\n")
    await ask("export_data", what="contacts")
    await ask("find_contacts", query="globex")
    await ask("preview_sequence", blueprint_id=blueprint, contacts=[maria])
    return maria, jonas, blueprint


async def _under_way(ask: Recorder, first: str, second: str) -> None:
    """Look at a run, pause and resume it; change a text of another and stop that."""
    await ask("get_sequence", sequence_id=first)
    await ask("pause_sequence", sequence_id=first, paused_until=tomorrow(3))
    await ask("resume_sequence", sequence_id=first)
    steps = (await ask("get_sequence", sequence_id=second))["steps"]
    draft = next(step["draft_id"] for step in steps if step["step_id"] == "note")
    await ask("edit_draft", draft_id=draft, content="Hi Jonas, I wrote to you about Porto. Did it arrive?")
    await ask("list_reviews")
    await ask("update_sequence", sequence_id=second, variables={"firstname": "Jo"})
    await ask("stop_sequence", sequence_id=second, reason="LOSE")


async def _answered(ask: Recorder, run: str, *, blueprint: str) -> None:
    """Record an answer, take a plan back and suppress, and look at what came of it."""
    await ask("record_reply", who=run, answer="interested")
    replies = (await ask("list_replies"))["items"]
    await ask("draft_reply", reply_id=replies[0]["id"], content="Thank you, Maria. Does Tuesday at ten suit you?")
    lea = {**PEOPLE[1], "email": "lea@hooli.example", "first_name": "Léa", "last_name": "Martin"}
    waiting = await ask("start_sequence", blueprint_id=blueprint, contacts=[lea])
    await ask("withdraw_plan", plan_id=waiting["plan_id"], reason="The role is filled.")
    await ask("suppress_contact", contact="hooli.example", reason="They asked us to.")
    await ask("retry_failed", blueprint_id=blueprint)
    await ask("report", blueprint_id=blueprint)
    await ask("erase_contact", contact=PEOPLE[1]["email"])


def no(_: str) -> ElicitResult:
    """Return the answer of a person who closes the dialog."""
    return ElicitResult(action="cancel")


def page(calls: Mapping[str, tuple[Mapping[str, Any], Any]], tools: Iterable[str]) -> str:
    """Return the page, in the order of the tools."""
    parts = [HEAD]
    for tool in tools:
        if tool not in calls:
            raise ValueError(f"The conversation of scripts/examples.py does not call {tool}.")
        arguments, answer = calls[tool]
        parts += [f"## {tool}\n", _block(arguments), "answers\n", _block(answer)]
    return _numbered("\n".join(parts))


def _block(value: object) -> str:
    lines = json.dumps(value, ensure_ascii=False, indent=1).splitlines()
    shown = lines if len(lines) <= LONGEST else [*lines[:LONGEST], "…"]
    return "\n".join(["```json", *shown, "```", ""])


def _numbered(text: str) -> str:
    """Return the text with the random part of each id as a number, counted by kind."""
    numbers: dict[str, int] = {}
    kinds: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        kind, name = match[1], match[0]
        if name not in numbers:
            numbers[name] = kinds[kind] = kinds.get(kind, 0) + 1
        return f"{kind}_{numbers[name]}"

    text = re.sub(r"\b[0-9a-f]{64}\b", "…", text)
    text = re.sub(r"(Z-)[0-9a-f]{8}\b", r"\g<1>0123abcd", text)  # of the name of an export
    return re.sub(r"\b([a-z]+)_([0-9A-Z]{26})\b", number, text)


def written() -> str:
    """Hold the conversation and return the page."""
    from sequences_mcp.server.catalog import listed_tools

    with TemporaryDirectory() as folder:
        calls = asyncio.run(conversation(Path(folder)))
        calls = json.loads(json.dumps(calls).replace(folder, "/home/ada"))
    return page(calls, [tool.name for tool in listed_tools() if tool.name not in PANEL])


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")
