"""Sequences of other programs become blueprints of ours; what cannot is told of, never dropped in silence."""

from __future__ import annotations

import json
import time
from html import escape
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.importing.foreign_samples import APOLLO, INSTANTLY, LEMLIST, OUTREACH, SMARTLEAD
from tests.world.texts import CHARACTERS

from sequences_mcp.domain.blueprint import Step
from sequences_mcp.domain.findings import Severity
from sequences_mcp.domain.markdown import template_letter
from sequences_mcp.domain.variables import VARIABLES
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.importing.blueprint_files import BlueprintFile
from sequences_mcp.importing.foreign_sequences import known_sequences
from sequences_mcp.importing.foreign_texts import FindingsCollector, counterpart, from_html, our_text
from sequences_mcp.services.blueprint_files import read_blueprint_files

SAMPLES = {
    "lemlist": LEMLIST,
    "Instantly": INSTANTLY,
    "Smartlead": SMARTLEAD,
    "Outreach": OUTREACH,
    "Apollo": APOLLO,
}


def read(value: Any) -> tuple[BlueprintFile, list[Step]]:
    (file,) = read_blueprint_files(json.dumps(value), name="A file")
    return file, list(map(Step.model_validate, file.steps))


def shape(steps: list[Step]) -> list[tuple[str, str | None, str | None]]:
    """Return what each step is, its subject, and the wait before it."""
    return [
        (
            (step.linked_in_type or step.type).value,
            step.subject,
            f"{step.delay.value} {step.delay.unit.value}" if step.delay else None,
        )
        for step in steps
    ]


def told(file: BlueprintFile) -> str:
    return "\n".join(f"{finding.rule} {finding.step_id} {finding.message}" for finding in file.findings)


@pytest.mark.parametrize("program", SAMPLES)
def test_whose_file_it_is_is_seen_from_its_form(program: str) -> None:
    file, steps = read(SAMPLES[program])
    assert file.origin == program and steps
    assert not [finding for finding in file.findings if finding.severity is Severity.ERROR]


def test_a_sequence_of_lemlist() -> None:
    file, steps = read(LEMLIST)
    assert file.name == "A file"
    assert shape(steps) == [
        ("LINKEDIN_INVITATION_WITH_MESSAGE", None, "1 day"),
        ("EMAIL", "{{firstname}}, a question about {{candidateCompanyName}}", "2 day"),
        ("EMAIL", None, "3 day"),
    ]
    assert steps[1].content == (
        "Hey {{firstname}},\n\nYour work at **{{candidateCompanyName}}** is close to "
        "[a role](https://jobs.example/42) I fill.\n\nShall I send two lines about it?\n\n{{recruiterFirstname}}"
    )
    assert steps[1].is_markdown and not steps[2].is_markdown
    assert steps[2].content == "Hi {{firstname}}, did my e-mail reach you?"
    words = told(file)
    for said in (
        "Step 1 is 'linkedinVisit' there",
        "city became {{candidateLocation}}",
        "'Hi'; left out: 'Hello'",
        "signature was left out",
        "Step 5 is 'phone' there, for which there is no step here",
        "It says: 'Call about the role.'",
        "The condition 'linkedinInviteAccepted' was left out",
        "A branch of a condition, with 1 steps, was left out; it begins: 'Thanks for connecting!'",
        "A wait after the last step",
    ):
        assert said in words, said


def test_a_wait_before_a_step_counts_in_a_subsequence_of_instantly_alone() -> None:
    mails = [{"type": "email", "delay": 3, "variants": [{"subject": "Hello", "body": "Hi there,"}]} for _ in "12"]
    mails[1] |= {"pre_delay": 2, "pre_delay_unit": "days"}
    campaign = {"name": "One", "sequences": [{"steps": mails}]}
    assert [wait for *_, wait in shape(read(campaign)[1])] == [None, "3 day"]
    assert [wait for *_, wait in shape(read({**campaign, "parent_campaign": "0197"})[1])] == [None, "5 day"]


def test_a_campaign_of_instantly_whose_delays_are_waits_after_a_step() -> None:
    file, steps = read(INSTANTLY)
    assert file.name == "Founders in Lyon"
    assert shape(steps) == [
        ("EMAIL", "Question for {{candidateCompanyName}}", None),
        ("EMAIL", None, "3 day"),
        ("EMAIL", "Another matter", "2160 minute"),
    ]
    assert [(step.subject, step.content) for step in steps[0].alternatives] == [
        (
            "Question for {{candidateCompanyName}}",
            "Hi {{firstname}},\n\na question about {{candidateCompanyName}}.",
        ),
        ("Second version", "Hi there,"),
    ]
    assert steps[2].starts_thread and not steps[1].starts_thread
    words = told(file)
    assert "Its 2 versions became variants" in words and "'Off'" not in words  # it is switched off there
    assert "firstName had the fallback 'there'" in words


def test_a_sequence_of_smartlead_in_the_order_of_its_numbers() -> None:
    file, steps = read({"name": "Engineers", "sequences": SMARTLEAD})
    assert file.name == "Engineers" == read({"name": "Engineers", "data": SMARTLEAD})[0].name
    assert shape(steps) == [("EMAIL", "{{candidateCompanyName}}?", "1 day"), ("EMAIL", None, "4 day")]
    assert [step.content[-2:] for step in steps[0].alternatives] == ["A.", "B."]
    assert steps[1].content == "{{firstname}}, one more try."
    many = {**SMARTLEAD[1], "seq_variants": [{"subject": f"S{n}", "email_body": f"Text {n}"} for n in range(6)]}
    file, steps = read([many])
    assert len(steps[0].alternatives) == 4
    assert "left out: subject 'S4', text 'Text 4'" in told(file) and "'S5'" in told(file)


def test_a_sequence_of_outreach_with_its_templates() -> None:
    file, steps = read(OUTREACH)
    assert file.name == "Partners"
    # The wait before the call counts for the step after it: a day and an hour and a half.
    assert shape(steps) == [("EMAIL", "{{candidateCompanyName}} and us", None), ("EMAIL", None, "1530 minute")]
    assert steps[0].name == "Opening"
    assert steps[0].content == "Hi {{firstname}},\n\n- one\n- two\n\n{{recruiterFirstname}} {{recruiterLastname}}"
    words = told(file)
    assert "Step 2 is 'call' there" in words and "Ask for the lead." in words
    assert "The subject 'Re: us' was left out" in words and "A person sends it by hand there" in words


def test_a_sequence_of_apollo() -> None:
    file, steps = read(APOLLO)
    assert file.name == "Data leaders"
    assert shape(steps) == [
        ("EMAIL", "{{candidateCompanyName}} and data", "30 minute"),
        ("EMAIL", None, "2 day"),
        ("LINKEDIN_INVITATION_WITH_MESSAGE", None, "60 minute"),
    ]
    assert steps[0].content == "Hi {{firstname}},\n\n{{icebreaker}}"
    assert steps[1].content == "Any news, {{firstname}}?\n\n{{recruiterFirstname}} {{recruiterLastname}}"
    words = told(file)
    assert "left out for the others: 'there'" in words and "{{icebreaker}} is none of the nine variables" in words
    assert "Step 4 is 'action_item' there" in words
    nested = {
        "id": "c1",
        "name": "Nested",
        "emailer_steps": [{**APOLLO["emailer_steps"][1], "emailer_touches": []}],
    }
    alone, _ = read({"emailer_campaign": nested})
    assert "Its template is not in the file" in told(alone)


def test_several_campaigns_in_one_file_are_several_blueprints() -> None:
    one = INSTANTLY["items"][0]
    files = read_blueprint_files(json.dumps([one, {**one, "name": "Another"}]))
    assert [file.name for file in files] == ["Founders in Lyon", "Another"]
    listed = {"emailer_campaigns": [{"id": "c1", "name": "Listed"}]}
    (file,) = read_blueprint_files(json.dumps(listed))
    assert "Its steps are not in the file" in told(file)


SPELLINGS = {
    "firstname": (
        "firstName",
        "first_name",
        "FIRST_NAME",
        "First Name",
        "contact.first_name",
        "prospect.first_name",
    ),
    "lastname": ("lastName", "last_name", "lead.last_name"),
    "candidateCompanyName": ("companyName", "company", "company_name", "account.name", "organization_name"),
    "candidateJobTitle": ("jobTitle", "title", "job_title", "position"),
    "candidateLocation": ("location", "contact.location"),
    "recruiterFirstname": ("senderFirstName", "sender.first_name", "sender_first_name", "sendingAccountFirstName"),
    "recruiterLastname": ("senderLastName", "sender.last_name", "user.last_name"),
}


def test_every_spelling_of_a_variable_becomes_one_of_the_nine() -> None:
    for name, spellings in SPELLINGS.items():
        for spelling in (name, *spellings):
            assert counterpart(spelling) == f"{{{{{name}}}}}", spelling
            assert our_text(f"a {{{{ {spelling} }}}} b", FindingsCollector("s")) == f"a {{{{{name}}}}} b"
    assert all(counterpart(name) == f"{{{{{name}}}}}" for name in VARIABLES)
    assert counterpart("icebreaker") is None and counterpart("account.owner") is None


TEXTS = {
    "fallback": ("Hi {{first_name|there}}", "Hi {{firstname}}", "fallback"),
    "Liquid's default": ('Hi {{ firstName | default: "you" }}', "Hi {{firstname}}", "fallback"),
    "a filter": ("Hi {{ firstName | capitalize }}", "Hi {{firstname}}", "filter"),
    "alternatives": ("{Hi|Hey {{firstName}}|Yo}!", "Hi!", "alternatives"),
    "alternatives in each other": ("{a {b|c}|d} {{RANDOM | {x|y} | z}}", "a b x", "alternatives"),
    "alternatives in two braces": ("{{Hi|Hello}} you", "Hi you", "alternatives"),
    "alternatives of Liquid": ("{% spin %}{% variation %}Hi{% variation %}Yo{% endspin %}", "Hi", "alternatives"),
    "a condition": ("{% if companyName %}at {{companyName}}{% else %}there{% endif %}",
                    "at {{candidateCompanyName}}", "condition"),
    "a condition the other way": ("{% unless company %}there{% else %}at {{company}}{% endunless %}",
                                  "at {{candidateCompanyName}}", "condition"),
    "conditions in each other": ("{% if first_name != blank %}{% if title %}a{% else %}b{% endif %}c{% endif %}",
                                 "ac", "condition"),
    "Apollo's empty condition": ("Hi {{#if first_name}}{{#endif}}", "Hi {{firstname}}", "condition"),
    "a condition about something else": (
        "{% if icp == 'x' %}a{% endif %}", "{% if icp == 'x' %}a{% endif %}", "variable"
    ),
    "a variable of theirs": ("{{custom_line|x}}", "{{custom_line|x}}", "variable"),
    "a signature": ("Bye\n%signature%", "Bye", "left_out"),
    "a way out": ("Bye {{unsubscribe}}", "Bye", "left_out"),
    "one brace": ("a { b | c", "a { b | c", None),
    "percents": ("100% of 50% off", "100% of 50% off", None),
}  # fmt: skip


@pytest.mark.parametrize(("source", "ours", "rule"), TEXTS.values(), ids=TEXTS.keys())
def test_what_their_texts_say_is_said_in_ours(source: str, ours: str, rule: str | None) -> None:
    reading = FindingsCollector("s")
    assert our_text(source, reading) == ours
    assert {finding.rule for finding in reading.findings} == ({f"import.{rule}"} if rule else set())


MARKUP = {
    "paragraphs": ("<p>a</p><p>b<br>c</p>", "a\n\nb\nc", False),
    "empty paragraphs": ("<div>a</div><div><br></div><div><br/></div><div>b</div>", "a\n\nb", False),
    "entities": ("<p>a &amp; b &lt;c&gt;&nbsp;d</p>", "a & b <c> d", False),
    "a list": ("<ol><li>a</li><li>b<ul><li>c</li></ul></li></ol>", "1. a\n2. b\n  - c", True),
    "emphasis": ("<p>a <b>b </b>c <i> </i><em>d</em></p>", "a **b** c *d*", True),
    "a link": ('<a href="https://x.example/a(b)">x</a>', "[x](https://x.example/a%28b%29)", True),
    "a bare link": ('<a href="https://x.example/">https://x.example</a>', "https://x.example", False),
    "what Markdown would read": ("<p># a</p><p>1. *b* _c_ d_e [f]</p><b>g</b>",
                                 "\\# a\n\n1\\. \\*b\\* \\_c\\_ d_e \\[f\\]\n\n**g**", True),
    "a script": ("<style>p {}</style><script>x</script><p>a</p>", "a", False),
    "a tag within a variable": ("<p>Hi {{first<span>Name</span>}}</p>", "Hi {{firstname}}", False),
    "no html": ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2", False),
}  # fmt: skip


@pytest.mark.parametrize(("source", "ours", "is_markdown"), MARKUP.values(), ids=MARKUP.keys())
def test_html_becomes_text_or_markdown(source: str, ours: str, is_markdown: bool) -> None:
    text = from_html(source, FindingsCollector("s"), may_be_markdown=True)
    assert (text.content, text.is_markdown) == (ours, is_markdown)


def test_what_html_has_and_a_text_has_not_is_told_of() -> None:
    reading = FindingsCollector("s")
    html = '<p style="color: red">a<img src="https://t.example/p.gif"></p><table><tr><td>b</td></tr></table>'
    assert from_html(html + "<b>c</b>", reading, may_be_markdown=False).content == "a\n\nb\n\nc"
    words = " ".join(finding.message for finding in reading.findings)
    assert "https://t.example/p.gif" in words and "colours" in words and "table" in words and "Bold" in words


@given(st.lists(st.text("ab1 .#*_-+>=~`[]()\\!:", min_size=1, max_size=12), min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_text_in_markdown_is_read_as_it_stood_in_html(lines: list[str]) -> None:

    body = "".join(f"<p>{escape(line)}</p>" for line in lines)
    read_text = from_html(f"{body}<p><b>end</b></p>", FindingsCollector("s"), may_be_markdown=True)
    plain = from_html(f"{body}<p>end</p>", FindingsCollector("s"), may_be_markdown=True)
    assert read_text.is_markdown and not plain.is_markdown
    letter = template_letter(read_text.content)
    assert [line.strip() for line in letter.plain.split("\n")] == [
        line.strip() for line in plain.content.split("\n")
    ]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(CHARACTERS, max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(CHARACTERS, max_size=4), inner, max_size=3)
    ),
    max_leaves=4,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, child in inner for place in places(child, (*path, key)))]


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    if isinstance(value, dict):
        return {key: changed(child, path[1:], new) if key == path[0] else child for key, child in value.items()}
    return [changed(child, path[1:], new) if at == path[0] else child for at, child in enumerate(value)]


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_value_of_any_form_anywhere_raises_nothing_but_what_is_wrong(data: st.DataObject) -> None:
    sample = SAMPLES[data.draw(st.sampled_from(sorted(SAMPLES)))]
    place = data.draw(st.sampled_from(places(sample)))
    bent = changed(sample, place, data.draw(JSON_VALUES))
    try:
        files = read_blueprint_files(json.dumps(bent), name="x")
    except InvalidArgumentsError as error:
        assert error.next_step
        return
    assert files and all(finding.message for file in files for finding in file.findings)
    for file in files:
        assert all(Step.model_validate(step) for step in file.steps)


def test_awkward_numbers_and_many_steps_end() -> None:
    step = {"seq_number": 1, "seq_delay_details": {"delay_in_days": 1e300}, "subject": "a", "email_body": "b"}
    file, steps = read([step, {**step, "seq_number": 2, "seq_delay_details": {"delay_in_days": "-3"}}])
    assert shape(steps)[0][2] == "366 day" and shape(steps)[1][2] is None
    assert "became one of a year" in told(file)
    many, _ = read([{**step, "seq_number": number} for number in range(300)])
    assert len(many.steps) == 200 and "Only the first 200 steps" in told(many)


UNITS = (
    "{",
    "{{",
    "{a|",
    "{{a|b",
    "{% if x %}",
    "<p>",
    "<ul><li>",
    "%a",
    "{% spin %}",
    "|}",
    " ",
    "<br>",
    "<b> ",
    "<a ",
    "<",
)


@pytest.mark.parametrize("unit", UNITS)
def test_a_long_text_of_open_marks_takes_no_longer_than_its_length_asks_for(unit: str) -> None:
    """Eight times the text would take 64 times as long, or more, if it were read again from each mark."""

    def seconds(number: int) -> float:
        began = time.process_time()
        from_html(f"<p>a</p>{unit * number}x", FindingsCollector("s"), may_be_markdown=True)
        return time.process_time() - began

    seconds(100)
    assert min(seconds(4_000), seconds(4_000)) < 32 * max(seconds(500), 0.005)


@pytest.mark.parametrize("opened", ["<b>", "<a href=x>y", "words of a paragraph <a>"])
@pytest.mark.parametrize("then", ["<a href=x>y</a>", "</a>", "<p>"])
def test_many_marks_after_many_open_ones_take_no_longer_than_their_length_asks_for(opened: str, then: str) -> None:
    def seconds(number: int) -> float:
        text = f"<p>{opened * number}{'x' * 10 * number}{then * number}"
        began = time.process_time()
        from_html(text, FindingsCollector("s"), may_be_markdown=True)
        return time.process_time() - began

    seconds(100)
    assert min(seconds(4_000), seconds(4_000)) < 32 * max(seconds(500), 0.005)


def test_a_link_within_a_link_ends_it_and_emphasis_around_links_stays() -> None:
    def in_markdown(source: str) -> str:
        return from_html(source, FindingsCollector("s"), may_be_markdown=True).content

    assert in_markdown("<b>See <a href='https://a.example'>A</a> now</b>") == "**See [A](https://a.example) now**"
    assert in_markdown("<a href='https://a.example'><b>A</b></a> b") == "[**A**](https://a.example) b"
    nested = in_markdown("<a href='https://a.example'>A <a href='https://b.example'>B</a></a>")
    assert nested == "[A ](https://a.example)[B](https://b.example)"


def test_a_file_has_so_many_sequences_and_a_step_so_many_versions_at_most() -> None:
    one = INSTANTLY["items"][0]
    with pytest.raises(InvalidArgumentsError, match="more than 50 sequences"):
        read_blueprint_files(json.dumps([one] * 51))
    versions = [{"subject": f"s{number}", "body": f"text {number}"} for number in range(400)]
    (file,) = read_blueprint_files(json.dumps([{"sequences": [{"steps": [{"variants": versions}]}]}]))
    assert len(file.steps[0]["variants"]) == 4 and "more versions of this step were left out" in told(file)


def test_steps_and_their_templates_are_matched_once_however_many_there_are() -> None:
    def outreach(number: int) -> object:
        link = {"sequence": {"data": {"id": "s"}}}
        steps = [{"type": "sequenceStep", "id": f"{n}", "relationships": link} for n in range(min(number, 199))]
        links = [{"type": "sequenceTemplate", "id": f"{n}"} for n in range(number)]
        return {"data": [{"type": "sequence", "id": "s"}], "included": [*steps, *links]}

    def apollo(number: int) -> object:
        steps = [{"id": n, "type": "auto_email"} for n in range(min(number, 199))]
        touches = [{"emailer_step_id": "another"}] * number
        return {"emailer_campaign": {"name": "A", "emailer_steps": steps, "emailer_touches": touches}}

    def seconds(value: object) -> float:
        began = time.process_time()
        known_sequences(value, name="")
        return time.process_time() - began

    for made in (outreach, apollo):
        seconds(made(20))
        assert min(seconds(made(8_000)), seconds(made(8_000))) < 20 * max(seconds(made(200)), 0.005), made
