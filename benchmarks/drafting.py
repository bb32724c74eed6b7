"""What the playbooks are worth: 20 briefs drafted by a language model with and without them, scored by rules.

    python -m benchmarks.drafting            scores the drafts in benchmarks/drafts, as a Markdown table
    python -m benchmarks.drafting prompts FOLDER [seed]

The second writes 40 prompts into a folder, numbered at random, and ``key.json``, which says what each is; whoever
drafts sees the numbers alone. A draft is a JSON file of the same number: the list of steps that create_blueprint
takes. ``collect FOLDER`` reads them back into ``with.json`` and ``without.json``. No score asks a model.
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sequences_mcp import prompting
from sequences_mcp.domain.findings import Severity
from sequences_mcp.domain.variables import VARIABLES
from sequences_mcp.domain.workspace import PROFILE_FILE
from sequences_mcp.guards.check import check_steps
from sequences_mcp.guards.policy import DEFAULT
from sequences_mcp.server.prompt_facts import limits, often_broken, playbook_facts

DRAFTS = Path(__file__).with_name("drafts")
SIDES = ("with", "without")
ANSWER = """
Answer with a JSON list of steps and nothing else, in the format of create_blueprint. A step has id, name and type
(EMAIL or LINKEDIN); for LinkedIn linkedInType (LINKEDIN_INVITATION_WITH_MESSAGE or LINKEDIN_MESSAGE); for e-mail
subject; content; temporalityType (ASAP for the first, DELAYED for others), and where it is DELAYED delay, such as
{"value": 3, "unit": "day"}.
"""
BARE = """Draft an outreach sequence.

Goal: {goal}
Audience: {audience}
Channels: {channels}
Number of steps: {steps}
Language of the texts: {language}

About the sender: {profile}

Variables that are filled in for each person: {variables}.
"""
# What readers know from a hundred other mails, in the languages of the briefs.
BANNED = (
    "hope this finds you well",
    "hope this email finds you",
    "hope you are doing well",
    "hope you're doing well",
    "came across your profile",
    "impressive",
    "quick question",
    "just checking in",
    "just following up",
    "wanted to follow up",
    "bumping this",
    "touching base",
    "circle back",
    "synergy",
    "synergies",
    "game changer",
    "game-changer",
    "perfect fit",
    "reach out",
    "reaching out",
    "revolutionary",
    "leading provider",
    "pick your brain",
    "ich hoffe, es geht ihnen gut",
    "bin auf ihr profil gestoßen",
    "beeindruckend",
    "j'espère que vous allez bien",
    "je me permets de",
    "suis tombé sur votre profil",
    "espero que se encuentre bien",
    "me pongo en contacto",
    "espero que esteja bem",
    "spero che stia bene",
    "mi permetto di",
    "ik hoop dat het goed met u gaat",
    "mam nadzieję, że",
)


@dataclass(frozen=True, slots=True)
class Score:
    """How many of so many texts, or sequences, pass one check."""

    name: str
    passed: int
    total: int

    def __str__(self) -> str:
        """Return it as people read it, such as ``18 of 20``."""
        return f"{self.passed} of {self.total}"


def briefs() -> list[dict[str, str]]:
    """Return the briefs, with the arguments of draft_sequence."""
    found: list[dict[str, str]] = json.loads((DRAFTS / "briefs.json").read_text(encoding="utf-8"))
    return found


def prompt(brief: Mapping[str, str], side: str) -> str:
    """Return what a model is asked: draft_sequence with its playbook, or the brief with the variables alone."""
    profile = (DRAFTS / "profile.md").read_text(encoding="utf-8").strip()
    if side == "without":
        variables = ", ".join(f"{{{{{name}}}}} ({meaning})" for name, meaning in VARIABLES.items())
        return BARE.format(**brief, profile=profile, variables=variables) + ANSWER
    facts = {
        "variables": VARIABLES,
        "limits": limits(DEFAULT),
        "rules": often_broken(),
        "tone": "plain and friendly",
        "profile": profile,
        "profile_file": PROFILE_FILE,
    }
    return prompting.render_template("draft_sequence", **facts, **brief, **playbook_facts(brief)) + ANSWER


def scores(drafts: list[list[dict[str, Any]]], languages: list[str]) -> list[Score]:
    """Return the scores of one side's sequences; a language of each."""
    reports = [[one.severity for one in check_steps(steps).findings] for steps in drafts]
    texts = [
        (step, language)
        for steps, language in zip(drafts, languages, strict=True)
        for step in steps
        if step.get("content")
    ]
    mails = [(step, language) for step, language in texts if step.get("type") == "EMAIL"]
    subjects = [str(step["subject"]) for step, language in mails if step.get("subject") and language != "Japanese"]
    return [
        _score(
            "sequences that the guards accept at the first try", reports, lambda found: Severity.ERROR not in found
        ),
        _score(
            "sequences without a warning either",
            reports,
            lambda found: not {Severity.ERROR, Severity.WARNING} & set(found),
        ),
        _score("e-mails of 50 to 120 words (Japanese: 150 to 420 letters)", mails, lambda mail: _is_short(*mail)),
        _score("subjects of 2 to 6 words", subjects, lambda subject: 2 <= len(subject.split()) <= 6),
        _score("texts with one question at most", texts, lambda text: _questions(text[0]["content"]) <= 1),
        _score("texts without a phrase of every other mail", texts, lambda text: not _banned(text[0])),
        _score("sequences whose follow-ups answer in the thread", drafts, _is_threaded),
    ]


def _score(name: str, items: list[Any], passes: Callable[[Any], bool]) -> Score:
    return Score(name, sum(1 for item in items if passes(item)), len(items))


def _is_short(step: Mapping[str, Any], language: str) -> bool:
    text = str(step["content"])
    if language == "Japanese":
        return 150 <= len(text) <= 420
    return 50 <= len(text.split()) <= 120


def _questions(text: str) -> int:
    return len(re.findall(r"[?？]", text))


def _banned(step: Mapping[str, Any]) -> bool:
    text = f"{step.get('subject') or ''} {step['content']}".casefold()
    return any(phrase in text for phrase in BANNED)


def _is_threaded(steps: list[dict[str, Any]]) -> bool:
    mails = [step for step in steps if step.get("type") == "EMAIL"]
    return not any(step.get("subject") for step in mails[1:])


def _numbered(seed: int) -> Iterator[tuple[str, int, str]]:
    order = [(number, side) for number in range(len(briefs())) for side in SIDES]
    random.Random(seed).shuffle(order)
    for position, (number, side) in enumerate(order, start=1):
        yield f"{position:02}", number, side


def write_prompts(folder: Path, seed: int) -> None:
    """Write the prompts, numbered at random, and what each number is."""
    folder.mkdir(parents=True, exist_ok=True)
    key = {}
    for name, number, side in _numbered(seed):
        key[name] = (number, side)
        (folder / f"{name}.txt").write_text(prompt(briefs()[number], side), encoding="utf-8")
    (folder / "key.json").write_text(json.dumps(key), encoding="utf-8")


def collect(folder: Path) -> None:
    """Read the drafts of a folder into the files that are scored."""
    drafts: dict[str, dict[int, Any]] = {side: {} for side in SIDES}
    for name, (number, side) in json.loads((folder / "key.json").read_text(encoding="utf-8")).items():
        drafts[side][number] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    for side, found in drafts.items():
        text = json.dumps([found[number] for number in sorted(found)], ensure_ascii=False, indent=1)
        (DRAFTS / f"{side}.json").write_text(text + "\n", encoding="utf-8")


def table() -> str:
    """Return the scores of both sides as a Markdown table."""
    languages = [brief["language"] for brief in briefs()]
    columns = [
        scores(json.loads((DRAFTS / f"{side}.json").read_text(encoding="utf-8")), languages) for side in SIDES
    ]
    rows = [f"| {mine.name} | {mine} | {bare} |" for mine, bare in zip(*columns, strict=True)]
    return "\n".join(["| | with the prompt | without |", "|---|---|---|", *rows])


def _drafts(side: str) -> list[list[dict[str, Any]]]:
    found: list[list[dict[str, Any]]] = json.loads((DRAFTS / f"{side}.json").read_text(encoding="utf-8"))
    return found


def main(arguments: list[str]) -> int:
    """Do what the command line says."""
    match arguments:
        case []:
            print(table())
        case ["prompts", folder, *seed]:
            write_prompts(Path(folder), int(seed[0]) if seed else 1)
        case ["collect", folder]:
            collect(Path(folder))
        case _:
            print(__doc__)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
