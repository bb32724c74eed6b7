"""A step with variants: each text is looked at as a step's own is, and named where something is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.guards.guard_examples import email, step

from sequences_mcp.domain.blueprint import Step
from sequences_mcp.guards.check import apply_fixes, check_steps

BODY = "Hi {{firstname}}, could we talk about the role on Tuesday?"
TWO_SUBJECTS = email(subject=None, content=BODY, variants=[{"subject": "A role"}, {"subject": "A question"}])
ASAP = {"id": "s1", "name": "First", "temporalityType": "ASAP"}


def found(*steps: Any) -> list[tuple[str, str | None]]:
    """Return the rule and the field of each finding."""
    return [(finding.rule, finding.field) for finding in check_steps(list(steps)).findings]


def test_what_a_variant_leaves_out_is_the_steps_own() -> None:
    subjects = Step.model_validate(TWO_SUBJECTS)
    assert found(TWO_SUBJECTS) == []
    assert [(one.subject, one.content) for one in subjects.alternatives] == [
        ("A role", BODY),
        ("A question", BODY),
    ]
    contents = Step.model_validate(
        {
            **ASAP,
            "type": "EMAIL",
            "subject": "A role",
            "variants": [
                {"content": BODY},
                {"content": "Hello {{firstname}}, is Tuesday good?", "subject": "Tuesday?"},
            ],
        }
    )
    assert [one.subject for one in contents.alternatives] == ["A role", "Tuesday?"]
    assert all(one.variants is None for one in contents.alternatives)


def test_a_step_without_variants_is_its_own_only_text() -> None:
    plain = Step.model_validate(step())
    assert plain.alternatives == (plain,)
    assert plain.given(None) is plain
    assert Step.model_validate(step(variants=[])) == Step.model_validate(step(variants=None)) == plain


@pytest.mark.parametrize(
    ("given", "variant"), [(TWO_SUBJECTS, None), (TWO_SUBJECTS, 2), (TWO_SUBJECTS, -1), (step(), 0)]
)
def test_nobody_gets_a_variant_that_there_is_not_or_none_where_there_are_some(given: Any, variant: Any) -> None:
    with pytest.raises(ValueError, match="has no variant"):
        Step.model_validate(given).given(variant)


@pytest.mark.parametrize(
    ("variants", "expected"),
    [
        (
            [{"subject": "A role"}, {"subject": "A role for [name]"}],
            ("placeholders.square", "variants[1].subject"),
        ),
        (
            [{"subject": "A role"}, {"subject": "A role, {{firstName}}"}],
            ("variables.spelling", "variants[1].subject"),
        ),
        ([{"subject": "Re: A role"}, {"subject": "A role"}], ("channel.reply_prefix", "variants[0].subject")),
        ([{"subject": "A role"}, {}], ("structure.subject", "variants[1].subject")),
        ([{"subject": "A role"}, {"subject": "Hi", "content": "TODO: write this"}], None),
        (
            [{"subject": "A role"}, {"subject": "Hi", "content": " "}],
            ("channel.empty_content", "variants[1].content"),
        ),
        ([{"subject": "A role", "name": "A\u200bB"}, {"subject": "Hi"}], ("structure.name", "variants[0].name")),
    ],
)
def test_each_variant_is_looked_at_and_a_finding_names_it(variants: Any, expected: Any) -> None:
    findings = found({**TWO_SUBJECTS, "variants": variants})
    assert findings
    assert {field for _, field in findings} <= {expected[1] if expected else "variants[1].content"}
    assert expected is None or expected in findings


def test_a_part_that_variants_share_is_looked_at_once_and_named_as_the_steps_own() -> None:
    assert found({**TWO_SUBJECTS, "content": "Hi [name], a role"}) == [("placeholders.square", "content")]


@pytest.mark.parametrize("count", [1, 5])
def test_too_few_and_too_many_variants_are_refused_with_what_to_do(count: int) -> None:
    variants = [{"subject": f"A role in team {number}"} for number in range(count)]
    findings = check_steps([{**TWO_SUBJECTS, "variants": variants}]).findings
    assert [(finding.rule, finding.field) for finding in findings] == [("structure.variants", "variants")]
    assert f"has {count}." in findings[0].message
    assert "2 to 4" in findings[0].message


@pytest.mark.parametrize(
    "variants", ["A or B", ["A role", "A question"], {"subject": "A"}, [{"subject": "A", "weight": 2}, {}], [7, 8]]
)
def test_variants_in_another_form_are_refused_with_the_form_they_have(variants: Any) -> None:
    findings = check_steps([{**TWO_SUBJECTS, "variants": variants}]).findings
    assert {finding.rule for finding in findings} == {"structure.form"}
    assert all("list of 2 to 4 texts, each {name, subject, content}" in finding.message for finding in findings)


def test_a_step_in_another_form_has_its_variants_looked_at_all_the_same() -> None:
    bad = {**TWO_SUBJECTS, "type": "FAX", "variants": [{"subject": "Hi [name]"}, {"subject": "A role"}]}
    assert ("placeholders.square", "variants[0].subject") in found(bad)


def test_the_own_text_of_a_step_may_be_one_of_its_variants_and_is_refused_where_nobody_gets_it() -> None:
    texts = [{"content": BODY}, {"content": "Hello {{firstname}}, is Tuesday good?"}]
    assert found(step(content=BODY, variants=texts)) == []
    assert found(step(content="Hi there, all of you!", variants=texts)) == [("structure.variants", "content")]


def test_fixes_are_applied_to_the_variant_they_are_about() -> None:
    steps = [
        {**TWO_SUBJECTS, "variants": [{"subject": "A role, {{firstName}}"}, {"subject": "{{Firstname}}, a role"}]}
    ]
    report = check_steps(steps)
    assert report.steps is not None
    [fixed] = apply_fixes(report.steps, report.findings)
    assert [one.subject for one in fixed.alternatives] == ["A role, {{firstname}}", "{{firstname}}, a role"]
    assert check_steps([fixed]).findings == ()


@pytest.mark.parametrize("name", ["A\nSubject: a role", "A\r", "A\u2028B", "x" * 201])
@pytest.mark.parametrize("where", ["id", "name", "variants[0].name"])
def test_a_name_or_an_id_is_one_line_of_moderate_length(where: str, name: str) -> None:
    first, second = TWO_SUBJECTS["variants"]
    changed = {where: name} if where in ("id", "name") else {"variants": [{**first, "name": name}, second]}
    assert ("structure.name", where) in found({**TWO_SUBJECTS, **changed})


def test_variants_that_differ_in_blanks_around_them_alone_are_one_text() -> None:
    same = {**TWO_SUBJECTS, "variants": [{"subject": "A role"}, {"subject": "A role "}]}
    assert ("structure.variants", "variants[1]") in found(same)
    lines = [{"content": BODY}, {"content": BODY.replace(", ", ",\n\n")}]
    assert found(email(subject="A role", content="", variants=lines)) == []
