"""The fourth moment: the final text, and the values that filled it in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

import pytest
from tests.effort import at_most
from tests.guards.guard_examples import email

from sequences_mcp.domain.blueprint import Step
from sequences_mcp.domain.findings import Severity, errors_in
from sequences_mcp.domain.variables import VARIABLES, fill_in, missing
from sequences_mcp.guards.check import check_rendered, check_value, check_values
from sequences_mcp.guards.names import is_plain
from sequences_mcp.guards.rule import Value

STEP = Step.model_validate(email(content="Hi {{firstname}}, your work at {{candidateCompanyName}} is good."))
GOOD = {"firstname": "Jane", "candidateCompanyName": "Acme & Sons"}


def rules(values: Mapping[str, str | None], *, step: Step = STEP) -> list[str]:
    whole = {name: value or "" for name, value in {**GOOD, **values}.items()}
    content = step.content
    for name, value in whole.items():
        content = content.replace(f"{{{{{name}}}}}", value)
    found = check_rendered(step=step, subject="A role", content=content, values={**GOOD, **values})
    return [finding.rule for finding in found]


def test_a_plain_message_may_leave() -> None:
    assert rules({}) == []


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (None, "values.missing"),
        ("", "values.missing"),
        (" \t", "values.missing"),
        ("\u200b", "values.missing"),
        ("\u2800", "values.missing"),
        ("null", "values.nothing"),
        ("N/A", "values.nothing"),
        ("{{lastname}}", "variables.unfilled"),
        ("[company]", "placeholders.square"),
        ("｛name｝", "foreign.single_brace"),
        ("Jane\r\nBcc: x@evil.test", "values.control"),
        ("Ja\x00ne", "values.control"),
        ("a" * 300, "values.long"),
        ("محمد", "values.direction"),
        ("https://evil.test", "values.link"),
    ],
)
def test_a_value_that_is_not_plain_is_told_of(value: str | None, rule: str) -> None:
    assert rule in rules({"firstname": value})


def test_a_variable_left_in_the_final_text_is_refused() -> None:
    found = check_rendered(step=STEP, subject="A role", content="Hi {{firstname}},")
    assert [(finding.rule, finding.severity) for finding in found] == [("variables.unfilled", Severity.ERROR)]


def test_a_finding_inside_a_value_says_which_and_offers_no_fix() -> None:
    content = "Hi {{lastname}}, your work at Acme is good."
    found = check_rendered(
        step=STEP, subject="A role", content=content, values={**GOOD, "firstname": "{{lastname}}"}
    )
    inside = [finding for finding in found if finding.rule.startswith("variables.")]
    assert [finding.fix for finding in inside] == [None]
    assert inside[0].message.startswith("{{firstname}}: ")
    assert {finding.variable for finding in found} == {"firstname"}


def test_a_finding_outside_every_value_does_not_blame_one() -> None:
    found = check_rendered(step=STEP, subject="A role", content="Hi Jane, at [company] Jane", values=GOOD)
    assert [finding.message.endswith("}}.") for finding in found] == [False]


def test_a_value_the_step_does_not_use_is_not_looked_at() -> None:
    assert rules({"lastname": "[x]", "candidateLocation": None}) == []


def test_a_value_written_right_to_left_is_at_home_in_a_text_that_is_too() -> None:
    arabic = Step.model_validate(email(content="مرحبا {{firstname}}، كيف حالك؟"))
    assert rules({"firstname": "محمد"}, step=arabic) == []


def test_an_empty_or_missing_content_is_refused_when_it_is_about_to_leave() -> None:
    for content in (None, "", " \n"):
        found = check_rendered(step=STEP, subject="A role", content=content)
        assert [(finding.rule, finding.severity) for finding in found] == [
            ("channel.empty_content", Severity.ERROR)
        ]


def test_a_missing_subject_is_refused_where_the_step_has_one() -> None:
    found = check_rendered(step=STEP, subject=None, content="Hi Jane,")
    assert [finding.rule for finding in found] == ["channel.empty_subject"]
    sms = Step.model_validate({"id": "a", "name": "a", "type": "SMS", "content": "Hi", "temporalityType": "ASAP"})
    assert check_rendered(step=sms, subject=None, content="Hi") == ()


def test_a_reply_prefix_is_in_order_after_an_earlier_mail() -> None:
    for is_follow_up, expected in ((True, []), (False, ["channel.reply_prefix"])):
        found = check_rendered(step=STEP, subject="Re: a role", content="Hi", is_follow_up=is_follow_up)
        assert [finding.rule for finding in found] == expected


def awkward() -> Iterator[dict[str, str | None]]:
    odd = [
        None,
        "",
        "  ",
        "\u00a0",
        "null",
        "None",
        "undefined",
        "N/A",
        "{{firstname}}",
        "{name}",
        "[name]",
        "<b>x</b>",
    ]
    odd += [
        "\x00",
        "a\nb",
        "a" * 300,
        "\u202eabc",
        "محمد",
        "&nbsp;",
        "[",
        "}}",
        "%FNAME%",
        "https://x.test",
        "\u200b",
    ]
    for place, value in product(range(4), odd):
        names = ["firstname", "lastname", "candidateJobTitle", "candidateCompanyName"]
        yield {**dict.fromkeys(names, "Zoë O’Connor-Müller"), names[place]: value}
    for first, second in product(odd, odd[:20]):
        yield {"firstname": first, "lastname": second, "candidateJobTitle": "CTO", "candidateCompanyName": "Acme"}


def test_of_five_hundred_awkward_contacts_none_gets_a_blank_or_a_leftover() -> None:
    template = (
        "Hi {{firstname}} {{lastname}},\nas {{candidateJobTitle}} at {{candidateCompanyName}} you know us.\nBest"
    )
    step = Step.model_validate(email(content=template))
    rows = list(awkward())
    assert len(rows) >= 500
    for values in rows:
        gaps = missing(template, values)
        content = "" if gaps else fill_in(template, values)
        found = check_rendered(step=step, subject="A role", content=content, values=values)
        assert found, values
        assert not gaps or errors_in(found), values


def test_a_value_that_passes_the_quick_look_passes_every_rule() -> None:
    samples = [
        "Jane",
        "Zoë O’Connor",
        "Иван",
        "山田太郎",
        "김철수",
        "CTO | Founder",
        "C++/C#",
        "São Paulo, SP",
        "Nguyễn",
    ]
    assert [value for value in samples if not is_plain(Value(value))] == []
    assert check_values({str(number): value for number, value in enumerate(samples)}) == ()


def test_ten_thousand_contacts_are_looked_at_in_no_time() -> None:
    values = {name: "Anne-Marie" if "name" in name else "Nguyễn & Sons (Paris)" for name in VARIABLES}
    values["lastname"] = "O’Connor Nguyễn"
    with at_most(30):
        assert all(not check_values(values) for _ in range(10_000))


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("firstname", "[company]", "placeholders.square"),
        ("candidateCompanyName", "{{company}}", "variables.spelling"),
        ("notes", "Ask about [First Name]", "placeholders.square"),
        ("note", "[insert note]", "placeholders.square"),
        ("job_title", "Head of <department>", "placeholders.angle"),
        ("lead_source", "%FIRSTNAME%", "foreign.sigil"),
        ("company", "【会社名】", "placeholders.other_bracket"),
        ("email", "[email]", "placeholders.square"),
        ("first_name", "&lt;name&gt;", "placeholders.angle"),
        ("custom", "{Hi|Hello}", "foreign.spintax"),
        ("company", "XXXX", "placeholders.blank"),
        ("notes", "Met at ____", "placeholders.blank"),
        ("notes", "Met\u200b in Rust", "values.control"),
        ("company", "com\ufe01\ufe02pany", "values.control"),
        ("company", "[object Object]", "placeholders.square"),
        ("job_title", "undefined undefined", "foreign.failed_render"),
        ("company", "{company}", "foreign.single_brace"),
        ("company", "<company>", "placeholders.angle"),
    ],
)
def test_a_value_that_is_a_placeholder_or_hides_something_is_refused_with_its_name(
    name: str, value: str, rule: str
) -> None:
    refused = errors_in(check_value(name, value))
    assert (rule, name) in {(finding.rule, finding.field) for finding in refused}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("company", "Johnson & Johnson"),
        ("company", "C# & .NET"),
        (
            "notes",
            "[via API 2026-11-21T09:30:00Z] Called [Ada]; likes Rust.\nSubject: hiring\nTODO: call",
        ),
        ("job_title", "CTO | Founder"),
        ("email", "maria+jobs@globex.example"),
        ("linkedin_url", "https://www.linkedin.com/in/maria"),
    ],
)
def test_an_ordinary_value_of_any_name_passes(name: str, value: str) -> None:
    assert check_value(name, value) == ()


def test_brackets_that_no_blank_has_are_a_doubt_in_a_value_and_in_the_text_it_fills() -> None:
    values = {"firstname": "Jane", "candidateCompanyName": "[Nexus]"}
    (found,) = check_values(values)
    assert (found.severity, found.variable) == (Severity.WARNING, "candidateCompanyName")
    content = fill_in(STEP.content, values)
    final = check_rendered(step=STEP, subject="A role", content=content, values=values)
    assert final
    assert not errors_in(final)


@pytest.mark.parametrize(
    "value", ["[x]cube LABS", "ООО «Яндекс»", "腾讯科技（深圳）有限公司", "Yahoo!", "Guess?", "360°"]
)
def test_signs_that_a_company_has_in_its_name_are_none_in_the_text_it_fills_either(value: str) -> None:
    values = {"firstname": "Jane", "candidateCompanyName": value}
    final = check_rendered(step=STEP, subject="A role", content=fill_in(STEP.content, values), values=values)
    assert final == ()


@pytest.mark.parametrize(
    ("value", "severities"),
    [("None More Studio", [Severity.WARNING]), ("None", [Severity.WARNING, Severity.ERROR])],
)
def test_the_word_for_none_is_refused_in_the_final_text_unless_a_name_goes_on_behind_it(
    value: str, severities: list[Severity]
) -> None:
    values = {"firstname": "Jane", "candidateCompanyName": value}
    final = check_rendered(step=STEP, subject="A role", content=fill_in(STEP.content, values), values=values)
    assert [finding.severity for finding in final] == severities


@pytest.mark.parametrize("value", ["[company]", "{{firstname}}", "<name>", "%LASTNAME%", "a\u200bb"])
def test_a_value_that_is_refused_alone_is_refused_in_the_final_text_too(value: str) -> None:
    values = {"firstname": "Jane", "candidateCompanyName": value}
    content = f"Hi Jane, your work at {value} is good."
    final = check_rendered(step=STEP, subject="A role", content=content, values=values)
    assert {finding.variable for finding in errors_in(final)} == {"candidateCompanyName"}
