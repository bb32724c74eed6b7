"""The examples of the rules and the labelled texts, as the tests apply them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sequences_mcp.domain.blueprint import Step
from sequences_mcp.domain.findings import Finding, Severity
from sequences_mcp.domain.sender import LawSetting
from sequences_mcp.guards.check import check_rendered, check_steps, check_text, check_value
from sequences_mcp.guards.law import FirstMessage, Law, PersonFacts, built_in, findings_about
from sequences_mcp.guards.rule import Fact, Rule


@dataclass(frozen=True)
class Case:
    """A text with the verdict a person gave it."""

    id: str
    field: Any
    text: str
    expected: str
    note: str


def cases(name: str) -> list[Case]:
    """Read the labelled texts of a file beside this one; ``relabelled.jsonl`` says which verdicts were changed."""
    newer = {row["id"]: row for row in _rows("relabelled.jsonl")}
    rows = [{**row, **newer.get(row["id"], {})} for row in _rows(name)]
    return [Case(row["id"], row["field"], row["text"], row["expected"], row["note"]) for row in rows]


def _rows(name: str) -> list[dict[str, Any]]:
    lines = Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def verdict(findings: tuple[Finding, ...]) -> str:
    """Return what a text comes to: reject, ambiguous (a person has to say) or accept."""
    severities = {finding.severity for finding in findings}
    if Severity.ERROR in severities:
        return "reject"
    return "ambiguous" if Severity.WARNING in severities else "accept"


def step(**fields: Any) -> dict[str, Any]:
    """Return a good step as JSON, with some fields changed."""
    good = {"id": "s1", "name": "First", "type": "SMS", "content": "Hi {{firstname}}", "temporalityType": "ASAP"}
    return {**good, **fields}


def email(**fields: Any) -> dict[str, Any]:
    """Return a good e-mail step as JSON, with some fields changed."""
    return step(**{"type": "EMAIL", "subject": "{{firstname}}, a role", **fields})


def findings_of(rule: Rule, example: str) -> tuple[Finding, ...]:
    """Apply the guards to an example of a rule."""
    if rule.example == "value":
        return check_value("firstname" if Fact.FIRST in rule.facts else "company", example)
    if rule.example == "rendered":
        return check_rendered(step=Step.model_validate(step()), subject=None, content=example)
    if rule.example == "law":
        return first_message(**json.loads(example))
    if rule.example != "steps":
        return check_text(example, field=rule.example)
    steps = json.loads(example)
    if isinstance(steps, list):
        steps = [step(**fields) if isinstance(fields, Mapping) else fields for fields in steps]
    return check_steps(steps).findings


EXAMPLE_LTD = LawSetting(sender="Example Ltd, 12 High St, London")


def first_message(*, country: str = "", text: str, **facts: Any) -> tuple[Finding, ...]:
    """Apply the layer of the law to a first message of Example Ltd."""
    law = Law(table=built_in(), setting=EXAMPLE_LTD)
    person = PersonFacts(countries=(country,) if country else (), **facts)
    return tuple(findings_about(law, person, [FirstMessage("s1", text, end=len(text))]))
