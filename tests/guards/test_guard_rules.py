"""Laws about all rules, and the examples of each."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from tests.guards.guard_examples import cases, findings_of

import sequences_mcp.guards
from sequences_mcp.guards.catalogue import RULES, page, write_page
from sequences_mcp.guards.rule import Rule
from sequences_mcp.guards.text import Field, GuardedText

ROOM = Path(sequences_mcp.guards.__file__).parent
PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
LAYERS = ["structure", "variables", "placeholders", "foreign", "channel", "values", "law"]
FILES = sorted((ROOM / "rules").glob("[!_]*.py"))


def examples(kind: str) -> list[object]:
    return [
        pytest.param(rule, example, id=f"{rule.id}-{number}")
        for rule in RULES
        for number, example in enumerate(getattr(rule, kind))
    ]


def written(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the constant and the id of each rule that a file defines."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and (call := node.value) and ast.unparse(call).startswith("Rule("):
            assert isinstance(call, ast.Call) and isinstance(node.targets[0], ast.Name)
            given = {word.arg: word.value for word in call.keywords}
            yield node.targets[0].id, ast.literal_eval(given["id"])


def test_each_rule_that_is_written_is_listed_once() -> None:
    assert sorted(rule.id for rule in RULES) == sorted(id for path in FILES for _, id in written(path))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_rule_stands_in_a_file_of_its_layer_under_its_own_name(path: Path) -> None:
    for constant, id in written(path):
        layer, _, name = id.partition(".")
        assert constant == name.upper()
        assert path.stem == layer or path.stem.startswith(f"{layer}_")


def test_the_layers_come_in_their_order() -> None:
    assert list(dict.fromkeys(rule.layer for rule in RULES)) == LAYERS


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_has_a_sentence_and_a_source_and_an_accepted_example(rule: Rule) -> None:
    assert rule.message.endswith((".", "?"))
    assert rule.source
    assert rule.accept


@pytest.mark.parametrize(("rule", "example"), examples("accept"))
def test_a_rule_lets_its_accepted_examples_pass(rule: Rule, example: str) -> None:
    assert rule.id not in {finding.rule for finding in findings_of(rule, example)}


@pytest.mark.parametrize(("rule", "example"), examples("reject"))
def test_a_rule_finds_its_rejected_examples(rule: Rule, example: str) -> None:
    assert rule.id in {finding.rule for finding in findings_of(rule, example)}


def test_only_the_rules_that_need_more_than_a_text_have_no_rejected_example() -> None:
    assert {rule.id for rule in RULES if not rule.reject} == {"structure.kind", "channel.forbidden"}


def test_the_page_is_written_where_it_is_asked_for(tmp_path: Path) -> None:
    write_page(tmp_path / "rules.md")
    assert (tmp_path / "rules.md").read_text(encoding="utf-8").count("\n| `") == len(RULES)


def test_the_page_of_the_rules_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(RULES), (
        "python -m sequences_mcp.guards.catalogue docs/rules.md"
    )


SIGNED = [rule for rule in RULES if rule.signs]
TEXTS = [case.text for name in ("corpus.jsonl", "own_cases.jsonl") for case in cases(name)]


@cache
def looked_at(original: str, field: Field, rendered: bool) -> GuardedText:
    """Return a text, whose views are made once for all rules."""
    return GuardedText(original=original, field=field, rendered=rendered)


@pytest.mark.parametrize("rule", SIGNED, ids=lambda rule: rule.id)
def test_a_rule_finds_nothing_in_a_text_without_the_signs_it_asks_for(rule: Rule) -> None:
    assert rule.check
    bare = str.maketrans("", "", "".join(rule.signs))
    field: Field = "subject" if rule.example == "subject" else "content"
    for original in (
        *TEXTS,
        *(text.translate(bare) for text in TEXTS),
        *(text.translate(bare) for text in rule.reject),
    ):
        for rendered in (False, True):
            text = looked_at(original, field, rendered)
            assert not (text.letters.isdisjoint(rule.signs) and list(rule.check(text))), original
