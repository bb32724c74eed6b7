"""The edges of limits, and the exact words and fixes of findings."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pkgutil import iter_modules

import pytest
from tests.guards.guard_examples import email, step, verdict

from sequences_mcp import guards
from sequences_mcp.domain.blueprint import Step
from sequences_mcp.domain.findings import Severity
from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.guards.catalogue import RULES
from sequences_mcp.guards.check import check_rendered, check_steps, check_text, check_value
from sequences_mcp.guards.double_braces import either, meant
from sequences_mcp.guards.inspect import excerpt
from sequences_mcp.guards.rule import Fact, Value
from sequences_mcp.guards.rules.structure import LIMITS, too_many
from sequences_mcp.guards.text import sms_segments
from sequences_mcp.guards.words import is_field, words_of


@pytest.mark.parametrize(
    ("inner", "name"),
    [
        ("firstnames", "firstname"),
        ("firstname2", "firstname"),
        ("lastnam", "lastname"),
        ("recruiterFirstnam", "recruiterFirstname"),
        ("recruiterLstnme", "recruiterLastname"),
        ("sourcingJobTitel", "sourcingJobTitle"),
        ("candidateLocatoin", "candidateLocation"),
        ("first<b>name</b>", "firstname"),
        ("first&shy;name", "firstname"),
        ("PRÉNOM", "firstname"),
        ("Company-Name", "candidateCompanyName"),
        ("会社名", "candidateCompanyName"),
        ("name", None),
        ("job", None),
        ("lastna", None),
        ("recruiterLstme", None),
        ("x" * 50, None),
        ("salary", None),
        ("lastnamen", "lastname"),
        ("recruiterFrstname", "recruiterFirstname"),
        ("recruiterFstname", None),
        ("lostnime", None),
        ("recruiterFirst", None),
        ("candidateLoca", None),
    ],
)
def test_a_name_is_taken_for_the_one_variable_it_is_near(inner: str, name: str | None) -> None:
    assert meant(inner) == name


def test_a_name_that_could_be_two_is_left_to_the_writer() -> None:
    assert either("Job_Title") == ("sourcingJobTitle", "candidateJobTitle")
    (finding,) = check_text("{{city}}", field="content")
    assert (
        finding.message == "There is no such variable; you may mean {{sourcingLocation}} or {{candidateLocation}}."
    )
    assert finding.fix is None


@pytest.mark.parametrize(
    ("text", "rule", "fix"),
    [
        ("{{firstName}}", "variables.spelling", "{{firstname}}"),
        ("{{lastname,}}", "variables.spelling", "{{lastname}}"),
        ("{{firstname|there}}", "variables.expression", "{{firstname}}"),
        ("{{contact.firstname}}", "variables.expression", "{{firstname}}"),
        ("{{firstname + lastname}}", "variables.expression", None),
        ("{{#if firstname}}", "variables.expression", None),
        ("{{else}}", "variables.expression", None),
        ("{{7*7}}", "variables.expression", None),
        ("{{}}", "variables.empty", None),
        ("{{salary}}", "variables.unknown", None),
        ("{{firstname", "variables.unbalanced", "{{firstname}}"),
        ("{{firstname}", "variables.unbalanced", "{{firstname}}"),
        ("{{salary}", "variables.unbalanced", None),
        ("{{firstname}}}", "variables.unbalanced", ""),
        ("{{{firstname}}", "variables.unbalanced", ""),
        ("}}", "variables.unbalanced", None),
        ("{{a}}}", "variables.unbalanced", None),
        ("candidateJobTitle", "variables.bare", "{{candidateJobTitle}}"),
        ("{{first\n\nname}}", "variables.unbalanced", "{{firstname}}"),
        ("{{" + "a" * 6_000 + "}}", "variables.unknown", None),
        ("{{" + "a" * 6_001 + "}}", "variables.unbalanced", None),
    ],
)
def test_a_variable_gone_wrong_is_named_and_mended(text: str, rule: str, fix: str | None) -> None:
    finding = check_text(text, field="content")[0]
    assert (finding.rule, finding.fix) == (rule, fix)


def test_the_place_of_a_finding_is_exact() -> None:
    places = {
        "Hi {{firstName}}!": (3, 16),
        "Hi {{firstname}}}!": (16, 17),
        "Hi {{{firstname}}!": (3, 4),
        "at [company].": (3, 12),
        "at company], x": (10, 11),
        "Hi [company, x": (3, 11),
        "x {name} y": (2, 8),
        "Hi null,": (3, 7),
        "《会社名》の": (0, 5),
        "see [x](#) y": (4, 7),
    }
    found = {text: check_text(text, field="content")[0] for text in places}
    assert {text: (finding.start, finding.end) for text, finding in found.items()} == places


def test_places_that_touch_are_each_told_of() -> None:
    found = check_text("[x y z]{{job}}[a b c]{{job}}", field="content")
    assert sorted((finding.start, finding.end) for finding in found) == [(0, 7), (7, 14), (14, 21), (21, 28)]


def test_what_is_no_text_has_no_place() -> None:
    (finding,) = check_text(None, field="subject")
    assert (finding.start, finding.end, finding.excerpt, finding.field) == (0, 0, "", "subject")


def test_an_excerpt_is_cut_where_it_says() -> None:
    assert excerpt("abc", 1, 2) == "a⟦b⟧c"
    assert excerpt("a" * 24 + "b" + "c" * 24, 24, 25) == "a" * 24 + "⟦b⟧" + "c" * 24
    assert excerpt("a" * 25 + "b" + "c" * 25, 25, 26) == "…" + "a" * 24 + "⟦b⟧" + "c" * 24 + "…"
    assert excerpt("x" * 80, 0, 80) == f"⟦{'x' * 80}⟧"
    assert excerpt("x" * 150, 50, 130) == f"…{'x' * 24}⟦{'x' * 80}⟧{'x' * 20}"
    assert excerpt("x" * 81, 0, 81) == f"⟦{'x' * 80}…⟧"
    assert excerpt("a\tb\r\nc\u00a0d", 0, 1) == "⟦a⟧ b⏎c\u00a0d"
    assert excerpt("é\u202e", 0, 1) == "⟦é⟧⟨U+202E⟩"


@pytest.mark.parametrize("sign", sorted(LIMITS))
def test_a_sign_may_occur_as_often_as_its_limit_says(sign: str) -> None:
    assert too_many(sign * LIMITS[sign]) is None
    assert too_many(sign * (LIMITS[sign] + 1)) == sign
    assert LIMITS[sign] in (300, 2_000, 5_000)


def test_a_crowd_is_told_of_by_its_sign() -> None:
    (finding,) = check_text("[1] " * 301, field="content")
    assert finding.message == "There are more '[' here than a person would write."
    assert finding.excerpt == ""


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.check_value], ids=lambda rule: rule.id)
def test_a_rule_about_values_judges_its_own_examples(rule) -> None:  # type: ignore[no-untyped-def]
    fact = Fact.FIRST if Fact.FIRST in rule.facts else Fact.COMPANY
    assert [value for value in rule.accept if rule.check_value(Value(value, fact))] == []
    assert [value for value in rule.reject if not rule.check_value(Value(value, fact))] == []


def test_segments_are_counted_as_networks_count_them() -> None:
    assert sms_segments("") == (1, "GSM-7")
    assert sms_segments("a" * 160) == (1, "GSM-7")
    assert sms_segments("a" * 306) == (2, "GSM-7")
    assert sms_segments("a" * 307) == (3, "GSM-7")
    assert sms_segments("[" * 80) == (1, "GSM-7")
    assert sms_segments("[" * 80 + "a") == (2, "GSM-7")
    assert sms_segments("—" * 70) == (1, "UCS-2")
    assert sms_segments("—" * 134) == (2, "UCS-2")
    assert sms_segments("—" * 135) == (3, "UCS-2")


@pytest.mark.parametrize(
    ("value", "unit", "is_fine"),
    [
        (366, "day", True),
        (367, "day", False),
        (527_040, "minute", True),
        (527_041, "minute", False),
        (31_622_400, "second", True),
        (31_622_401, "second", False),
        (1, "second", True),
        (0, "second", False),
        (-1, "day", False),
    ],
)
def test_a_delay_is_positive_and_a_year_at_most(value: int, unit: str, is_fine: bool) -> None:
    delayed = step(temporalityType="DELAYED", delay={"value": value, "unit": unit})
    assert (check_steps([delayed]).findings == ()) is is_fine


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[see][jd]\n\n[jd]:https://acme.com", "ambiguous"),
        ("[see] [x]\n\n[jd]: nowhere", "reject"),
        ("[jd]: nowhere at all", "reject"),
        ("[www.acme.com/x](https://phish.io)", "reject"),
        ("[acme.com](https://acme.com.phish.io)", "reject"),
        ("[acme.com](http://ACME.com/x)", "ambiguous"),
        ("[blog.acme.com](https://acme.com)", "ambiguous"),
        ("[Acme.com/x](https://phish.io)", "reject"),
        ("[notacme.com](https://acme.com)", "reject"),
        ("[Booking.com](https://careers.io)", "ambiguous"),
        ("[vue.js](https://vuejs.org)", "ambiguous"),
        ("<a href='https://acme.com'>acme.com</a>", "reject"),
        ("{{first\nname}} and {{\n\n}}", "reject"),
        ("a_name_b -x-name-y-", "accept"),
        ("_name_ **company** *name* here", "ambiguous"),
        ("__name__ or ==company==", "reject"),
    ],
)
def test_near_the_edge_a_text_falls_on_the_right_side(text: str, expected: str) -> None:
    assert verdict(check_text(text, field="content")) == expected


@pytest.mark.parametrize(
    ("text", "rule", "severity"),
    [
        # A label is one with its colon; without it a word that may be meant is told of, or nothing.
        ("Closing\nHi Ada", None, None),
        ("Closing:\nHi Ada", "foreign.draft_label", Severity.WARNING),
        ("Hook\nI saw your talk", "foreign.draft_label", Severity.WARNING),
        ("(personal hook)", "placeholders.instruction", Severity.WARNING),
        ("(short personal hook)", None, None),
        ("Hi names,", "placeholders.bare_word", Severity.WARNING),
        ("company] b", "placeholders.unclosed", Severity.ERROR),
        ("see https://EXAMPLE.com", "placeholders.example_host", Severity.WARNING),
        ("see https://acmE.com", None, None),
        ("Thanks\\n\\nbest", "foreign.escape", Severity.ERROR),
        ("Thanks\\nbest", "foreign.escape", Severity.WARNING),
        # The longest local part of an address has 64 letters (RFC 5321, section 4.5.3.1.1).
        ("а" + "b" * 63 + "@acme.com", "channel.homograph", Severity.ERROR),
        ("а" + "b" * 64 + "@acme.com", None, None),
        # What stands on the line before is not directly before it.
        ("Hello\n<Company>", "placeholders.angle", Severity.ERROR),
        ("Regards:\n<first name>, you", "placeholders.angle", Severity.ERROR),
        ("#include <company>", "placeholders.angle", Severity.WARNING),
        ("#include \n<company>", "placeholders.angle", Severity.ERROR),
        ("Hi word\n{name}", "foreign.single_brace", Severity.ERROR),
    ],
)
def test_a_text_is_told_of_by_one_rule_as_sure_as_that_is(
    text: str, rule: str | None, severity: Severity | None
) -> None:
    found = {(finding.rule, finding.severity) for finding in check_text(text, field="content")}
    assert found == ({(rule, severity)} if rule else set())


def test_a_place_seen_only_without_a_disguise_ends_where_it_does_in_the_text() -> None:
    found = {finding.rule: finding for finding in check_text("Dear \u0421andidate, we\u200b do", field="content")}
    word = found["placeholders.bare_word"]
    assert (word.start, word.end) == (5, 14)


def test_a_name_is_made_of_an_address_with_two_letters_before_the_dot() -> None:
    (finding,) = check_value("firstname", "jo.smith@acme.example")
    assert finding.fix == "Jo"
    (finding,) = check_value("firstname", "j.smith@acme.example")
    assert finding.fix is None


@pytest.mark.parametrize(("value", "is_heading"), [("surname of applicant", True), ("city of surname", False)])
def test_a_heading_of_one_fact_of_another_begins_with_the_word_for_a_name(value: str, is_heading: bool) -> None:
    assert [finding.rule for finding in check_value("company", value)] == ["values.heading"] * is_heading


def test_no_pattern_takes_a_break_behind_its_end_for_the_end() -> None:
    """``$`` matches before a last line break too (the re module's documentation), ``\\Z`` at the end alone."""
    for info in iter_modules(guards.__path__, "sequences_mcp.guards."):
        module = import_module(info.name)
        for path in getattr(module, "__path__", ()):
            for inner in iter_modules([path], f"{info.name}."):
                import_module(inner.name)
    patterns = {
        (name, pattern.source)
        for name, module in list(sys.modules.items())
        if name.startswith("sequences_mcp.guards.")
        for pattern in vars(module).values()
        if isinstance(pattern, LazyPattern)
    }
    assert len(patterns) > 100
    loose = {found for found in patterns if re.search(r"(?<!\\)\$(?=$|\|[^()]*$)", found[1])}
    assert not {found for found in loose if "(?im)" not in found[1] and "(?m)" not in found[1]}


def test_a_phrase_too_long_to_name_a_fact_has_no_words() -> None:
    assert words_of("first_name companyName") == ["first", "name", "company", "name"]
    assert words_of("name " * 20) == ["name"] * 20
    assert words_of("name " * 20 + "x") == []
    assert is_field("candidate city")
    assert is_field("the name of your company")
    assert not is_field("candidate dinner")
    assert not is_field("of the")
    assert is_field("company " * 12)
    assert not is_field("company " * 13)


@pytest.mark.parametrize(("text", "place"), [("We met [ , and then", 7), ("so [", 3)])
def test_a_bracket_with_no_word_after_it_is_marked_alone(text: str, place: int) -> None:
    [finding] = check_text(text, field="content")
    assert (finding.rule, finding.start, finding.end) == ("placeholders.unclosed", place, place + 1)


@pytest.mark.parametrize("is_follow_up", [False, True])
def test_a_final_subject_is_never_empty_and_that_of_an_answer_may_be_until_then(is_follow_up: bool) -> None:
    answer = Step.model_validate(email(subject=""))
    final = check_rendered(step=answer, subject="", content="Hi Grace", is_follow_up=is_follow_up)
    assert [finding.rule for finding in final] == ["channel.empty_subject"]
    later = {"temporalityType": "DELAYED", "delay": {"value": 3, "unit": "day"}}
    written = check_steps([email(), email(id="s2", name="Second", subject=" ", **later)]).findings
    assert "channel.empty_subject" not in {finding.rule for finding in written}


@pytest.mark.parametrize(
    ("kind", "rules"), [("LINKEDIN_INVITATION", []), ("LINKEDIN_MESSAGE", ["channel.empty_content"])]
)
def test_a_plain_invitation_leaves_without_a_text_and_a_message_does_not(kind: str, rules: list[str]) -> None:
    made = Step.model_validate(step(type="LINKEDIN", linkedInType=kind, content=""))
    assert [finding.rule for finding in check_rendered(step=made, subject=None, content="")] == rules


def test_a_rule_about_steps_says_what_is_missing_or_what_is_too_much() -> None:
    missing = check_steps([step(type="LINKEDIN")]).findings
    assert [finding.message for finding in missing] == ["A LinkedIn step needs a linkedInType."]
    out_of_place = check_steps([step(linkedInType="LINKEDIN_MESSAGE")]).findings
    assert [finding.message for finding in out_of_place] == ["linkedInType is for LinkedIn steps only."]
    assert [finding.field for finding in out_of_place] == ["linkedInType"]
    assert (out_of_place[0].start, out_of_place[0].end, out_of_place[0].excerpt) == (0, 0, "")
