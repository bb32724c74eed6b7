"""Whether a task ended as it had to: the state of the store, the e-mails that left, the calls and the answer.

Every condition that does not hold is one sentence; a task is solved when there is none. Nothing here asks a model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.agents.task import MOMENTS, AgentTask

State = Mapping[str, Any]
Condition = Callable[[State, Any], Iterator[str]]


@dataclass(frozen=True, slots=True)
class MadeCall:
    """One call of a player: the server, the tool, with what, whether it only reads, and whether it worked."""

    server: str
    tool: str
    arguments: Mapping[str, Any]
    only_reads: bool
    worked: bool


@dataclass(frozen=True, slots=True)
class Played:
    """What a player did about a task, and what was so when it had answered and after time had passed."""

    answer: str
    calls: tuple[MadeCall, ...]
    at_once: State
    in_the_end: State


def faults(task: AgentTask, played: Played, *, own: str) -> list[str]:
    """Return what is not as the task says; ``own`` is the server that the task is about."""
    found = [*_calls(task, played, own), *_answer(task.ends.get("answer", {}), played.answer)]
    for moment in MOMENTS:
        state = played.at_once if moment == "at_once" else played.in_the_end
        for name, wanted in task.ends.get(moment, {}).items():
            found += [f"{moment}: {fault}" for fault in CONDITIONS[name](state, wanted)]
    if task.nothing_sent and played.in_the_end["sent"]:
        found.append(f"Nothing may leave, and this did: {_letters(played.in_the_end)}.")
    return found


def _calls(task: AgentTask, played: Played, own: str) -> Iterator[str]:
    wanted = task.ends.get("calls", {})
    mine = [call for call in played.calls if call.server == own]
    worked = {call.tool for call in mine if call.worked}
    yield from (f"{tool} was never called with success." for tool in wanted.get("uses", []) if tool not in worked)
    called = {call.tool for call in mine}
    never = {"decide_plan", *wanted.get("never", [])}
    yield from (f"{tool} was called." for tool in sorted(never & called))
    if not wanted.get("writes", True) and (wrote := sorted({call.tool for call in mine if not call.only_reads})):
        yield f"It was a question, and {', '.join(wrote)} was called."
    for call in played.calls:
        if call.server != own and not call.only_reads:
            yield f"{call.tool} of another server was called, which writes."


def _answer(wanted: Mapping[str, Any], answer: str) -> Iterator[str]:
    yield from _text(wanted, answer, what="The answer")


def _text(wanted: Mapping[str, Any], text: str, *, what: str) -> Iterator[str]:
    """Yield what a text lacks of ``says``, where a list is any of several, and has of ``lacks``."""
    said = " ".join(text.casefold().split())
    for one in wanted.get("says", []):
        ways = [one] if isinstance(one, str) else one
        if not any(way.casefold() in said for way in ways):
            yield f"{what} does not say {' or '.join(ways)}: {text[:300]!r}."
    yield from (f"{what} says {one}." for one in wanted.get("lacks", []) if one.casefold() in said)


def _letters(state: State) -> str:
    return ", ".join(f"“{mail['subject']}” to {mail['to']}" for mail in state["sent"])


def _sent(state: State, wanted: Mapping[str, int]) -> Iterator[str]:
    counted = Counter(mail["to"] for mail in state["sent"])
    if dict(counted) != dict(wanted):
        yield f"e-mails by recipient are {dict(counted)} instead of {dict(wanted)}."


def _letter(state: State, wanted: list[Mapping[str, Any]]) -> Iterator[str]:
    for one in wanted:
        texts = [f"{mail['subject']}\n{mail['text']}" for mail in state["sent"] if mail["to"] == one["to"]]
        if not texts:
            yield f"no e-mail to {one['to']} left."
        for text in texts:
            yield from _text(one, text, what=f"an e-mail to {one['to']}")


def _waiting(state: State, wanted: list[Mapping[str, Any]]) -> Iterator[str]:
    there = sorted((plan["blueprint"], sorted(plan["people"])) for plan in state["waiting"])
    asked = sorted((plan["blueprint"], sorted(plan["people"])) for plan in wanted)
    if there != asked:
        yield f"the plans that wait are {there} instead of {asked}."


def _runs(state: State, wanted: Mapping[str, Any]) -> Iterator[str]:
    """Yield whose newest run is in another state; ``wanted`` is by ``address`` or ``address of BLUEPRINT``."""
    for name, status in wanted.items():
        address, _, blueprint = name.partition(" of ")
        found = [
            run["status"]
            for run in state["runs"]
            if run["person"] == address and blueprint in ("", run["blueprint"])
        ]
        if (found[-1] if found else None) != status:
            yield f"the run of {name} is {found[-1] if found else 'none'} instead of {status}."


def _paused(state: State, wanted: Mapping[str, str]) -> Iterator[str]:
    for address, day in wanted.items():
        until = [run["paused_until"] or "" for run in state["runs"] if run["person"] == address]
        if not (until and until[-1].startswith(day)):
            yield f"{address} is paused until {until[-1] if until else 'never'} instead of {day}."


def _listed(name: str) -> Condition:
    def condition(state: State, wanted: list[str]) -> Iterator[str]:
        if sorted(state[name]) != sorted(wanted):
            yield f"{name} are {sorted(state[name])} instead of {sorted(wanted)}."

    return condition


def _people(state: State, wanted: Mapping[str, Mapping[str, Any] | None]) -> Iterator[str]:
    """Yield whose facts are others; a list are texts that the fact has to contain, None that nobody is there."""
    for address, facts in wanted.items():
        person = state["people"].get(address)
        if (person is None) != (facts is None):
            yield f"{address} is {'not ' if person is None else ''}stored."
            continue
        for name, value in (facts or {}).items():
            there = (person or {}).get(name)
            parts = value if isinstance(value, list) else None
            if there != value if parts is None else any(part not in (there or "") for part in parts):
                yield f"{name} of {address} is {there!r} instead of {value!r}."


def _blueprints(state: State, wanted: Mapping[str, Mapping[str, Any] | None]) -> Iterator[str]:
    for name, facts in wanted.items():
        blueprint = state["blueprints"].get(name)
        if (blueprint is None) != (facts is None):
            yield f"the blueprint {name} is {'not ' if blueprint is None else ''}there."
            continue
        for fact, value in (facts or {}).items():
            there = (blueprint or {}).get(fact)
            if fact in ("says", "lacks"):
                yield from _text({fact: value}, (blueprint or {})["text"], what=f"the blueprint {name}")
            elif there != value:
                yield f"{fact} of the blueprint {name} is {there!r} instead of {value!r}."


CONDITIONS: Mapping[str, Condition] = {
    "sent": _sent,
    "letters": _letter,
    "waiting": _waiting,
    "runs": _runs,
    "paused": _paused,
    "suppressed": _listed("suppressed"),
    "tasks": _listed("tasks"),
    "people": _people,
    "blueprints": _blueprints,
}
