"""The doors of the guards: what goes in, what comes out, and that nothing ever raises."""

from __future__ import annotations

from typing import Any

import pytest
from tests.guards.guard_examples import email, step, verdict

from sequences_mcp.domain.blueprint import Channel, LinkedInType, Step
from sequences_mcp.domain.findings import Severity
from sequences_mcp.guards.check import apply_fixes, check_steps, check_text
from sequences_mcp.guards.policy import GuardPolicy


def rules(*steps: Any) -> list[str]:
    return [finding.rule for finding in check_steps(list(steps)).findings]


def test_good_steps_come_back_as_values_without_findings() -> None:
    report = check_steps([step(), email(id="s2", temporalityType="DELAYED", delay={"value": 3, "unit": "day"})])
    assert report.findings == ()
    assert report.steps is not None
    assert [one.id for one in report.steps] == ["s1", "s2"]


def test_steps_may_be_given_as_values() -> None:
    value = Step.model_validate(step(content="Hi {{firstName}}"))
    report = check_steps((value,))
    assert report.steps == (value,)
    assert [finding.rule for finding in report.findings] == ["variables.spelling"]


def test_no_steps_at_all_are_in_order() -> None:
    assert check_steps([]).steps == ()


@pytest.mark.parametrize("steps", [None, 7, "steps", b"steps", {"id": "a"}, object(), 1.5, {1, 2}])
def test_what_is_no_list_of_steps_is_a_finding(steps: object) -> None:
    report = check_steps(steps)
    assert report.steps is None
    assert [(finding.rule, finding.field) for finding in report.findings] == [("structure.form", "steps")]


def test_a_wrong_field_is_named_with_the_id_of_its_step() -> None:
    (finding,) = check_steps([step(id="s9", type="FAX")]).findings
    assert (finding.step_id, finding.field) == ("s9", "type")
    assert finding.message.startswith("type is wrong: ")


def test_a_wrong_field_of_a_step_without_id_is_named_with_its_number() -> None:
    nameless = {**step(), "id": 7, "content": "Hi {{first_name}}"}
    fields = [finding.field for finding in check_steps([step(), nameless]).findings]
    assert fields == ["steps[1].id", "steps[1].content"]


def test_something_that_is_no_step_is_named_with_its_number() -> None:
    (finding,) = check_steps([7]).findings
    assert finding.field == "steps[0]"
    assert finding.message.startswith("A step is wrong")


def test_a_missing_and_an_unknown_field_are_said_in_words() -> None:
    broken = step(subjekt="Rust")
    del broken["name"]
    messages = [finding.message for finding in check_steps([broken]).findings]
    assert messages == ["name is missing.", "subjekt is no field of a step."]


def test_the_problems_of_one_step_are_told_up_to_a_number() -> None:
    broken = step(**{f"extra{number}": 1 for number in range(100)})
    assert len(check_steps([broken]).findings) == 20


def test_the_texts_of_a_step_of_the_wrong_form_are_checked_all_the_same() -> None:
    found = check_steps([email(type="FAX", content="at [company]", subject="{{job}}")])
    assert {finding.rule for finding in found.findings} == {
        "structure.form",
        "placeholders.square",
        "variables.unknown",
    }
    assert {finding.field for finding in found.findings} == {"type", "content", "subject"}
    assert check_steps([step(type="FAX", content=7)]).steps is None


def test_ten_thousand_steps_are_one_finding_about_their_number() -> None:
    report = check_steps([step(id=str(number)) for number in range(10_000)])
    assert [finding.rule for finding in report.findings] == ["structure.size"]
    assert "10000" in report.findings[0].message
    assert report.steps is None


def test_the_most_steps_allowed_are_allowed() -> None:
    steps = [step(id=str(number)) for number in range(3)]
    assert check_steps(steps, policy=GuardPolicy(max_steps=3)).findings == ()
    assert check_steps(steps, policy=GuardPolicy(max_steps=2)).findings[0].rule == "structure.size"


@pytest.mark.parametrize("text", [None, 7, b"Hi", ["Hi"], {"a": 1}])
def test_what_is_no_text_is_a_finding(text: object) -> None:
    assert [finding.rule for finding in check_text(text, field="content")] == ["structure.kind"]


@pytest.mark.parametrize(
    "text",
    ["a" * 10_000_000, "a" * 100_001, "é" * 50_001, "\ud800" * 40_000],
    ids=["10 MB", "one more", "utf-8", "lone"],
)
def test_a_text_beyond_the_limit_is_one_finding(text: str) -> None:
    (finding,) = check_text(text, field="content")
    assert finding.rule == "structure.length"
    assert finding.excerpt == ""
    assert (finding.start, finding.end) == (0, len(text))


def test_a_text_of_exactly_the_limit_is_looked_at() -> None:
    assert check_text("a" * 100_000, field="content") == ()


@pytest.mark.parametrize("sign", ["[", "{", "<", "&", "\n", "\u200b"])
def test_a_crowd_of_one_sign_is_told_of_instead_of_looked_at(sign: str) -> None:
    (finding,) = check_text(sign * 5_001, field="content")
    assert finding.rule == "structure.crowded"


@pytest.mark.parametrize(
    "text", ["\x00", "\ud800", "\udfff{{", "\ufdd0\ufdd0", "{{\ufdd0}}", "[\ud800]", "\u202e[x"]
)
def test_odd_characters_are_findings_or_nothing_and_never_an_exception(text: str) -> None:
    for field in ("content", "subject"):
        assert all(finding.end <= len(text) for finding in check_text(text, field=field))


def test_the_cover_of_a_variable_cannot_be_smuggled_in() -> None:
    assert verdict(check_text("{\ufdd0}", field="content")) == "reject"
    assert verdict(check_text("[\ufdd0\ufdd0]", field="content")) == "reject"


def test_one_rule_tells_of_twenty_places_at_most() -> None:
    assert len(check_text("{{job}} " * 100, field="content")) == 20


def test_an_error_is_told_of_after_any_number_of_doubts_and_a_doubt_does_not_hide_it() -> None:
    many = "{} " * 40
    assert [finding.severity for finding in check_text(many, field="content")] == [Severity.WARNING] * 20
    assert verdict(check_text(many + "Hi {firstname},", field="content")) == "reject"
    assert verdict(check_text("{{job}} " * 40 + "[company]", field="content")) == "reject"
    assert [finding.rule for finding in check_text("{{job}} " * 40 + "[x y]", field="content")][
        -1
    ] == "placeholders.square"


def test_a_finding_knows_its_step_and_field() -> None:
    (finding,) = check_steps([email(subject="{{job}}")]).findings
    assert (finding.step_id, finding.field, finding.severity) == ("s1", "subject", Severity.ERROR)


def test_a_follow_up_may_answer_the_mail_before_it() -> None:
    first, second = email(id="a"), email(id="b", subject="Re: a role")
    assert rules(first, second) == []
    assert rules(second, first) == ["channel.reply_prefix"]
    assert rules(step(id="c"), second) == ["channel.reply_prefix"]


def test_an_answer_is_one_of_its_own_conversation_and_passes_nothing_on() -> None:
    first, answer = email(id="a"), email(id="b", subject="Re: a role")
    anew = {**answer, "config": {"newThread": True}}
    assert rules(first, anew) == ["channel.reply_prefix"]
    assert rules(first, {**anew, "subject": "A role"}, {**answer, "id": "c"}) == []
    for subject in ("Fwd: a role", "WG: a role", "转发：a role"):
        assert rules(first, {**answer, "subject": subject}) == ["channel.reply_prefix"]


@pytest.mark.parametrize(
    "subject", ["Re[2]: a role", "AW: a role", "Rif: a role", "【Re: a role】", "RE : a role", "Ｒｅ： a role"]
)
def test_an_answer_to_nothing_is_one_however_it_is_written(subject: str) -> None:
    assert "channel.reply_prefix" in rules(email(id="a", subject=subject))
    assert "channel.reply_prefix" not in rules(email(id="a"), email(id="b", subject=subject))


def test_a_text_still_to_be_written_per_contact_may_be_empty() -> None:
    assert rules(step(content="", contentSource="suggestedByKalent")) == []
    assert rules(step(content="")) == ["channel.empty_content"]
    assert rules(step(content="[company]", contentSource="suggestedByKalent")) == ["placeholders.square"]


def test_a_plain_invitation_is_not_asked_for_a_text() -> None:
    invitation = step(type="LINKEDIN", linkedInType="LINKEDIN_INVITATION", content="")
    assert rules(invitation) == []


def test_the_fixes_of_errors_are_applied_and_warnings_left_alone() -> None:
    steps = [
        email(content="[Remote] Hi {{firstName}}, {{ lastname }} at [company]\x00", subject="A&amp;B {{job}}")
    ]
    report = check_steps(steps)
    assert report.steps is not None
    (fixed,) = apply_fixes(report.steps, report.findings)
    assert fixed.content == "[Remote] Hi {{firstname}}, {{lastname}} at [company]"
    assert fixed.subject == "A&B {{job}}"


def test_a_fix_leaves_a_step_without_findings_as_it_is() -> None:
    report = check_steps([step(), step(id="s2", content="Hi {{firstName}}")])
    assert report.steps is not None
    fixed = apply_fixes(report.steps, report.findings)
    assert fixed[0] is report.steps[0]
    assert fixed[1].content == "Hi {{firstname}}"


def test_two_steps_of_one_id_are_not_mended_by_each_others_fixes() -> None:
    report = check_steps(
        [step(content="Hi {{firstName}}, how are you?"), step(content="Dear {{lastname}}, hello.")]
    )
    assert report.steps is not None
    assert apply_fixes(report.steps, report.findings) == report.steps


def test_what_cannot_be_written_down_is_spelled_out_in_every_finding() -> None:
    report = check_steps([{"id": "\ud800", "\udfff": 1, "content": "[\ud800]", "a" * 500: 1}])
    assert report.steps is None
    for finding in report.findings:
        for part in (finding.message, finding.field, finding.step_id, finding.excerpt):
            assert len((part or "").encode()) < 400


def test_the_text_of_a_plain_invitation_is_noted_and_nothing_else_is_said_of_what_is_not_sent() -> None:
    report = check_steps(
        [step(type="LINKEDIN", linkedInType="LINKEDIN_INVITATION", content="Hi {{firstName}} [x]")]
    )
    assert [(found.rule, found.severity) for found in report.findings] == [("structure.invitation_text", "note")]


def test_the_excerpt_marks_the_place_and_spells_out_what_cannot_be_seen() -> None:
    (finding,) = check_text("Hi {{first\u200bname}},\nbye", field="content")
    assert finding.excerpt == "Hi ⟦{{first⟨U+200B⟩name}}⟧,⏎bye"


def test_a_long_excerpt_is_cut_around_and_inside_the_place() -> None:
    (finding,) = check_text("a " * 50 + "[" + "company " * 30 + "]" + " b" * 50, field="content")
    assert len(finding.excerpt) < 150
    assert finding.excerpt.startswith("…")
    assert finding.excerpt.endswith("…")


def test_the_limits_of_a_channel_count_the_text_without_its_variables() -> None:
    note = {"channel": Channel.LINKEDIN, "linked_in_type": LinkedInType.INVITATION_WITH_MESSAGE}
    fits = "a" * 300 + "{{firstname}}"
    assert check_text(fits, field="content", **note) == ()  # type: ignore[arg-type]
    (finding,) = check_text("a" + fits, field="content", **note)  # type: ignore[arg-type]
    assert finding.message == "This has 301 characters without its variables, 1 more than the 300 allowed."
    free = GuardPolicy(free_linkedin_account=True)
    (finding,) = check_text("a" * 201, field="content", policy=free, **note)  # type: ignore[arg-type]
    assert finding.message == "This has 201 characters, 1 more than the 200 allowed."
    assert (finding.start, finding.end) == (200, 201)


@pytest.mark.parametrize(
    ("text", "severity", "says"),
    [
        ("a" * 160, None, ""),
        ("a" * 161, Severity.NOTE, "2 segments in GSM-7"),
        ("é" * 160, None, ""),
        ("€" * 81, Severity.NOTE, "2 segments in GSM-7"),
        ("ê" * 70, None, ""),
        ("ê" * 71, Severity.NOTE, "2 segments in UCS-2"),
        ("👋" * 36, Severity.NOTE, "2 segments in UCS-2"),
        ("a" * 459, Severity.NOTE, "3 segments in GSM-7"),
        ("a" * 460, Severity.WARNING, "4 segments in GSM-7"),
        ("a" * 200 + "{{firstname}}", Severity.NOTE, "at least 2 segments in GSM-7"),
    ],
)
def test_an_sms_is_counted_in_segments(text: str, severity: Severity | None, says: str) -> None:
    found = check_text(text, field="content", channel=Channel.SMS)
    assert [finding.severity for finding in found] == ([severity] if severity else [])
    assert all(says in finding.message for finding in found)
    assert all((finding.start, finding.end) == (0, len(text)) for finding in found)


def test_whatsapp_and_inmail_have_their_limits() -> None:
    long = check_text("a" * 4097, field="content", channel=Channel.WHATSAPP)
    assert [finding.rule for finding in long] == ["channel.whatsapp_length"]
    assert check_text("a" * 4096, field="content", channel=Channel.WHATSAPP) == ()
    inmail = check_text("a" * 201, field="subject", linked_in_type=LinkedInType.INMAIL)
    assert [finding.rule for finding in inmail] == ["channel.inmail_subject"]
    assert check_text("a" * 201, field="content", linked_in_type=LinkedInType.INMAIL) == ()
