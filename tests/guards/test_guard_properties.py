"""What holds for every text there is. The long form of the first is ``benchmarks/guard_fuzz.py``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from tests.guards.guard_examples import Case, cases, step, verdict
from tests.world.texts import CHARACTERS

from sequences_mcp.domain.findings import Severity
from sequences_mcp.domain.salutations import DEGREES, GREETINGS, TITLES
from sequences_mcp.domain.variables import VARIABLES
from sequences_mcp.guards.catalogue import RULES
from sequences_mcp.guards.check import apply_fixes, check_steps, check_text, check_value
from sequences_mcp.guards.inspect import _OF_VALUES
from sequences_mcp.guards.names import is_plain
from sequences_mcp.guards.rule import Value, fact_of
from sequences_mcp.guards.text import GuardedText
from sequences_mcp.guards.words import lines

SEEDS = [case.text for name in ("corpus.jsonl", "own_cases.jsonl") for case in cases(name) if len(case.text) < 400]
SIGNS = "[]{}<>()%$#@&;|*_«»‹›【】［］｛｝“”\"'`:/\\.,!?-=^~ \n\r\t\x00\u200b\u202e\ufdd0\ud800é山م🏴"
MIXED = st.lists(
    st.one_of(st.sampled_from(SEEDS), st.text(SIGNS, max_size=8), st.text(CHARACTERS, max_size=8)), max_size=5
)
TEXT = st.one_of(st.text(CHARACTERS, max_size=200), st.text(SIGNS, max_size=60), MIXED.map("".join))
FIELD = st.sampled_from(["content", "subject"])
NAME = st.sampled_from(list(VARIABLES))
Field = Literal["content", "subject"]


@given(TEXT, FIELD)
@settings(max_examples=400, deadline=None)
def test_no_text_raises_and_every_finding_lies_in_it(text: str, field: Field) -> None:
    for finding in check_text(text, field=field):
        assert 0 <= finding.start <= finding.end <= len(text)
        assert finding.excerpt.count("⟦") >= 1
        assert finding.message


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(CHARACTERS, max_size=9),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["id", "name", "type", "content", "subject", "delay", "x"]), inner, max_size=6
            )
        ),
    )
)
@settings(max_examples=200, deadline=None)
def test_no_json_raises(steps: object) -> None:
    report = check_steps(steps)
    assert report.steps is not None or report.findings


@given(TEXT, FIELD)
@settings(max_examples=150, deadline=None)
def test_looking_twice_finds_the_same(text: str, field: Field) -> None:
    assert check_text(text, field=field) == check_text(text, field=field)


@given(st.text(CHARACTERS, max_size=40), NAME, st.text(CHARACTERS, max_size=40))
@settings(max_examples=200, deadline=None)
def test_only_the_nine_exact_tokens_may_stand_in_double_braces(before: str, name: str, after: str) -> None:
    inner = f"{before}{name}{after}"
    assume("}}" not in inner)  # that would end the token, and another could begin
    assert verdict(check_text(f"Hi {{{{{inner}}}}},", field="content")) == (
        "accept" if inner == name else "reject"
    )


@given(
    NAME,
    st.sampled_from([str.upper, str.title, str.swapcase, lambda name: f" {name}", lambda name: f"{name}\u200b"]),
)
def test_a_near_miss_is_mended_by_its_own_fix(name: str, change: Callable[[str], str]) -> None:
    report = check_steps([step(content=f"Hi {{{{{change(name)}}}}}, hello")])
    assert report.steps is not None
    (mended,) = apply_fixes(report.steps, report.findings)
    assert mended.content == f"Hi {{{{{name}}}}}, hello"


@given(MIXED.map("".join))
@settings(max_examples=150, deadline=None)
def test_mending_ends(text: str) -> None:
    steps = check_steps([step(content=text)]).steps
    assert steps is not None
    for _ in range(60):
        mended = apply_fixes(steps, check_steps(steps).findings)
        if mended == steps:
            return
        steps = mended
    raise AssertionError(text)


BAD = [case for case in cases("corpus.jsonl") if case.expected == "reject" and case.field == "content"]


@given(st.sampled_from(BAD))
@settings(max_examples=150, deadline=None)
def test_a_good_text_after_a_bad_one_does_not_excuse_it(case: Case) -> None:
    text = f"{case.text}\n\nWe would love to talk.\n\nBest,\n{{{{recruiterFirstname}}}}"
    assert verdict(check_text(text, field="content")) == "reject"


LISTED = [
    word.replace("_", " ")
    for name in ("heading", "no_company", "nothing", "remark", "sample", "team")
    for _, rest in lines(name)
    for word in rest.split()
] + sorted(TITLES | DEGREES | GREETINGS)
IN_ANY_CASE = st.builds(
    lambda word, change: change(word), st.sampled_from(LISTED), st.sampled_from([str.lower, str.upper, str.title])
)


@given(st.one_of(st.none(), st.text(CHARACTERS, max_size=250), st.text(SIGNS, max_size=20), IN_ANY_CASE))
@settings(max_examples=400, deadline=None)
@example("looking for work")
@example("engineer | speaker | dad")
@example("Acme - We are hiring!")
@example("at Acme")
@example("Acme via Globex")
def test_the_quick_look_at_a_value_never_overlooks_what_a_rule_would_find(value: str | None) -> None:
    for name in ("firstname", "candidateCompanyName", "candidateJobTitle", "candidateLocation", "notes"):
        given = Value(value or "", fact_of(name))
        against = [
            rule.id for rule in RULES if rule.check_value and given.fact in rule.facts and rule.check_value(given)
        ]
        found = check_value(name, value)
        assert not (is_plain(given) and against)
        assert bool(found) >= bool(against)
        assert all(finding.variable == finding.field == name for finding in found)


@given(st.one_of(st.text(" ,.'&#/@:|+!-()abXxnul{[<%$_", max_size=20), TEXT))
@settings(max_examples=300, deadline=None)
@example("LOREM IPSUM#")
@example("0/(GGF/ANPASSEN)")
def test_a_value_that_is_plain_would_pass_every_rule_about_texts(value: str) -> None:
    if is_plain(Value(value)):
        text = GuardedText(original=value, rendered=True)
        errors = [
            rule.id
            for rule, check in _OF_VALUES
            for hit in check(text)
            if (hit.severity or rule.severity) is Severity.ERROR
        ]
        assert errors == [] or text.raw.greetings


@given(TEXT)
@settings(max_examples=100, deadline=None)
def test_a_rule_about_subjects_never_fires_on_a_content(text: str) -> None:
    rules = {finding.rule for finding in check_text(text, field="content") if finding.severity is Severity.ERROR}
    assert not rules & {"channel.empty_subject", "channel.header", "channel.subject_markup"}
