"""What is found in each labelled text and each example, where it stands, and what would mend it: to the letter.

``findings.jsonl`` has a line for each of them. Whoever changes a rule on purpose writes it anew, and sees in the
difference what else has changed:

    REWRITE_FINDINGS=1 python -m pytest tests/guards/test_guard_findings.py
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from tests.guards.guard_examples import cases, findings_of

from sequences_mcp.domain.findings import Finding
from sequences_mcp.guards.catalogue import RULES
from sequences_mcp.guards.inspect import of_text
from sequences_mcp.guards.text import GuardedText

TABLE = Path(__file__).with_name("findings.jsonl")
REWRITE = "REWRITE_FINDINGS"
BEGINS = 20


class Looked(NamedTuple):
    """A text under a name of its own, what it begins with, and what is found in it."""

    name: str
    begins: str
    found: list[str]


def shown(findings: Iterable[Finding]) -> list[str]:
    """Return of each finding the rule, how serious it is, its place and its fix."""
    return [f"{one.rule} {one.severity.value} {one.start}-{one.end} {one.fix!r}" for one in findings]


def looked_at() -> Iterator[Looked]:
    """Yield every labelled text, as a template and as a final text, and every example of every rule."""
    for file in ("corpus.jsonl", "own_cases.jsonl"):
        for case in cases(file):
            text = GuardedText(original=case.text, field=case.field)
            template, final = shown(of_text(text)), shown(of_text(replace(text, rendered=True)))
            yield Looked(case.id, case.text[:BEGINS], [*template, *(f"final {one}" for one in final)])
    for rule in RULES:
        for kind in ("accept", "reject"):
            for example in getattr(rule, kind):
                name = f"{rule.id} {kind} {sha256(example.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
                yield Looked(name, example[:BEGINS], shown(findings_of(rule, example)))


def in_table() -> dict[str, list[str]]:
    """Return what was found in each text when the table was written."""
    rows = map(json.loads, TABLE.read_text(encoding="ascii").splitlines())
    return {name: found for name, _, found in rows}


def test_every_labelled_text_and_example_has_the_findings_that_it_had() -> None:
    if os.environ.get(REWRITE):
        lines = [json.dumps(each, ensure_ascii=True) for each in looked_at()]
        TABLE.write_text("\n".join(lines) + "\n", encoding="ascii")
    known = in_table()
    changed = [one for one in looked_at() if one.found != known.get(one.name, one.found)]
    lines = [f"{one.name} {one.begins!r}\n  had {known[one.name]}\n  has {one.found}" for one in changed[:10]]
    lines.append(f"{len(changed)} texts. Where that is meant, {REWRITE}=1 writes the table anew, as said above.")
    assert not changed, "\n".join(lines)


def test_nearly_every_labelled_text_and_example_is_in_the_table() -> None:
    names = {one.name for one in looked_at()}
    assert len(names.intersection(in_table())) >= 0.9 * len(names) > 1_500, f"{REWRITE}=1 writes it anew"
