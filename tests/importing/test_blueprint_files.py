"""Blueprints as files: out and in gives the same steps to the byte, and what is not understood is told of."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.test_local_blueprints import STEPS
from tests.house.house_tree import ROOT
from tests.world.engine import START
from tests.world.texts import CHARACTERS

from sequences_mcp.domain.blueprint import (
    Blueprint,
    Channel,
    OnReply,
    ReplyRules,
    Sourcing,
    Step,
    StepConfig,
    Temporality,
    TextKind,
    Variant,
)
from sequences_mcp.domain.findings import errors_in
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.guards.check import check_steps
from sequences_mcp.importing.blueprint_files import BlueprintFile, file_of, from_markdown, json_text, markdown_text
from sequences_mcp.services.blueprint_files import (
    FORMS,
    as_form,
    markdown_to_edit,
    read_blueprint_files,
    suggested_name,
)
from sequences_mcp.store.blueprints import steps_json

AWKWARD = st.text('ab`#-*:\n\r\t"\\ {}\u2028\u200d~<!é🏴\x00\ufeff', max_size=40) | st.text(
    CHARACTERS, max_size=20
)
ANY_STEP = st.builds(
    lambda step, text, subject, config, text_format, variants: step.model_copy(
        update={
            "content": text,
            "subject": subject,
            "config": config,
            "format": text_format,
            "name": text,
            "variants": variants,
        }
    ),
    STEPS,
    AWKWARD,
    st.none() | AWKWARD,
    st.none() | st.builds(StepConfig, user_id=st.none() | AWKWARD, new_thread=st.booleans()),
    st.sampled_from(TextKind),
    st.none()
    | st.lists(
        st.builds(Variant, name=st.none() | AWKWARD, subject=st.none() | AWKWARD, content=st.none() | AWKWARD),
        min_size=1,
        max_size=4,
    ).map(tuple),
)
BLUEPRINTS = st.builds(
    lambda steps, name, title, place, replies: Blueprint(
        id="local:bp_1",
        name=name,
        version=3,
        steps=tuple(steps),
        sourcing=Sourcing(job_title=title, location=place),
        created_at=START,
        replies=replies,
    ),
    st.lists(ANY_STEP, min_size=1, max_size=4),
    AWKWARD.map(str.strip),
    st.none() | AWKWARD,
    st.none() | AWKWARD,
    st.builds(ReplyRules, on_reply=st.sampled_from(OnReply), stop_company=st.booleans()),
)


def read_back(blueprint: Blueprint, text: str) -> tuple[BlueprintFile, tuple[Step, ...]]:
    (file,) = read_blueprint_files(text)
    assert not file.findings
    return file, tuple(map(Step.model_validate, file.steps))


@pytest.mark.parametrize("form", FORMS)
@given(blueprint=BLUEPRINTS)
@settings(max_examples=100, deadline=None)
def test_out_and_in_gives_the_same_steps_to_the_byte(form: str, blueprint: Blueprint) -> None:
    file, steps = read_back(blueprint, as_form(file_of(blueprint), form))  # type: ignore[arg-type]
    assert steps_json(steps) == steps_json(blueprint.steps)
    assert replace(file, steps=()) == replace(file_of(blueprint), steps=())


@given(blueprint=BLUEPRINTS)
@settings(max_examples=40, deadline=None)
def test_markdown_survives_an_editor_of_another_system(blueprint: Blueprint) -> None:
    """Line breaks of Windows and a byte order mark change nothing: what they could change is written as JSON."""
    text = "\ufeff" + markdown_text(file_of(blueprint)).replace("\n", "\r\n")
    assert steps_json(read_back(blueprint, text)[1]) == steps_json(blueprint.steps)


def test_the_markdown_is_what_a_person_reads() -> None:
    mail = Step(
        id="mail",
        name="First e-mail",
        type=Channel.EMAIL,
        subject="Staff Engineer",
        content="Hi {{firstname}},\n\n**a** word",
        format=TextKind.MARKDOWN,
        temporality_type=Temporality.DELAYED,
        delay={"value": 36, "unit": "hours"},
        config=StepConfig(new_thread=True),
    )
    blueprint = Blueprint(
        id="local:bp_1",
        name="Engineers",
        version=1,
        steps=(mail,),
        sourcing=Sourcing(location="Lyon"),
        created_at=START,
        replies=ReplyRules(on_reply=OnReply.HOLD, stop_company=True),
    )
    assert (
        markdown_text(file_of(blueprint))
        == """\
<!-- sequences-mcp/blueprint/1 -->

# Engineers

- Location: Lyon
- When somebody answers: hold
- Hold others at their company too: yes

## 1. First e-mail

- Id: mail
- Channel: E-mail
- When: 2160 minutes after the step before
- Subject: Staff Engineer
- Format: markdown
- New conversation: yes

```markdown
Hi {{firstname}},

**a** word
```
"""
    )


BY_HAND = """\
# By hand

- format: markdown

## Hello

* id: a
* channel: email
* when: AT ONCE
* subject: Hi

~~~
Hi {{firstname}}
~~~

## 2) Again
- Id: b
- Channel: e-mail
- When: after 1.5 hours
- Without an address: yes
```text
Again.
```
"""


def test_what_a_person_wrote_by_hand_is_read() -> None:
    file = from_markdown(BY_HAND)
    assert not file.findings and file.name == "By hand"
    first, second = map(Step.model_validate, file.steps)
    assert (first.name, first.subject, first.content, first.format) == (
        "Hello",
        "Hi",
        "Hi {{firstname}}",
        "markdown",
    )
    assert second.delay is not None and (second.delay.value, second.delay.unit) == (90, "minute")
    assert second.policy.skip_step_if_no_contact and second.name == "Again"


WRONG_LINES = {
    "a fact nobody knows": ("- Colour: red", "Line 3: 'Colour' is not known here"),
    "a fact of no step": ("## A\n- Weather: fine", "Line 4: 'Weather' is not known here"),
    "a time nobody knows": ("## A\n- When: soon", "Line 4: When: it is `at once`"),
    "a channel nobody knows": ("## A\n- Channel: pigeon", "Line 4: Channel: it is one of E-mail"),
    "a block without an end": ("## A\n```text\nHi", "Line 4: this block has no end"),
    "a second text": ("## A\n```\na\n```\n```\nb\n```", "Line 7: a step has one text"),
    "a broken quotation": ('## A\n- Subject: "x', "Line 4: Subject:"),
    "words beside": ("Some words.", "Line 3: this is no fact"),
}


@pytest.mark.parametrize(("text", "words"), WRONG_LINES.values(), ids=WRONG_LINES.keys())
def test_what_is_not_understood_in_markdown_is_told_of_with_its_line(text: str, words: str) -> None:
    (finding,) = from_markdown(f"# Name\n\n{text}").findings
    assert finding.message.startswith(words) and finding.rule == "import.line"


def test_a_file_of_a_later_format_is_refused_and_says_so() -> None:
    later = "sequences-mcp/blueprint/2"
    for text in (json.dumps({"schema": later, "name": "A", "steps": []}), f"<!-- {later} -->\n# A\n"):
        with pytest.raises(InvalidArgumentsError, match=r"blueprint/2.*Update the program"):
            read_blueprint_files(text)


def test_what_is_no_field_of_ours_in_json_is_told_of() -> None:
    facts = {"schema": "sequences-mcp/blueprint/1", "name": "A", "steps": [], "color": 1, "on_reply": "sing"}
    (file,) = read_blueprint_files(json.dumps(facts))
    assert [finding.rule for finding in file.findings] == ["import.unknown_field", "import.wrong_field"]
    assert not errors_in(file.findings) and file.on_reply is None


def test_a_format_of_the_whole_file_is_that_of_the_emails_that_say_none() -> None:
    mail = {"id": "a", "name": "A", "type": "EMAIL", "content": "Hi", "temporalityType": "ASAP"}
    steps = [mail, {**mail, "id": "b", "format": "text"}, {**mail, "id": "c", "type": "SMS"}]
    (file,) = read_blueprint_files(json.dumps({"name": "A", "format": "markdown", "steps": steps}))
    assert [step.get("format") for step in file.steps] == ["markdown", "text", None]


@pytest.mark.parametrize(
    "text", ["", "Hello", "{}", "[]", "null", '{"steps": []}', "<p>Hi</p>", "[" * 100_000, "{"]
)
def test_what_is_no_file_known_here_is_refused_with_what_is_read(text: str) -> None:
    with pytest.raises(InvalidArgumentsError) as told:
        read_blueprint_files(text)
    assert told.value.next_step


@given(
    st.recursive(st.none() | st.booleans() | st.floats() | st.text(CHARACTERS, max_size=5), st.lists)
    | st.text(CHARACTERS, max_size=200)
)
@settings(max_examples=100, deadline=None)
def test_no_text_raises_anything_but_what_is_wrong_with_it(value: object) -> None:
    text = value if isinstance(value, str) else json.dumps({"schema": "sequences-mcp/blueprint/1", "steps": value})
    for given_text in (text, f"# A\n{text}", f"# A\n## B\n{text}"):
        try:
            assert read_blueprint_files(given_text)
        except InvalidArgumentsError as error:
            assert error.next_step


NO_STEPS: tuple[object, ...] = (
    5,
    {"id": "a"},
    {"id": "a", "name": 5, "type": "EMAIL", "temporalityType": "ASAP"},
    {"id": "a", "name": "n", "type": ["EMAIL"], "temporalityType": "ASAP"},
    {"id": "a", "name": "n", "type": "EMAIL", "temporalityType": "DELAYED", "delay": {"unit": 1}},
    {"id": "a", "name": "n", "type": "EMAIL", "temporalityType": "ASAP", "content": "c", "variants": [5]},
    {"id": "a", "name": "n", "type": "EMAIL", "temporalityType": "ASAP", "content": 7},
)


@pytest.mark.parametrize("step", NO_STEPS)
def test_a_file_whose_steps_are_none_is_not_written_as_markdown_and_says_which(step: object) -> None:
    text = json.dumps({"schema": "sequences-mcp/blueprint/1", "name": "A", "steps": [step]})
    (file,) = read_blueprint_files(text)
    with pytest.raises(InvalidArgumentsError, match="Step 1 has not the form of a step"):
        markdown_to_edit(file)


def test_a_step_in_the_other_spelling_of_its_names_is_written_as_markdown() -> None:
    step = {"id": "a", "name": "n", "type": "SMS", "temporality_type": "ASAP", "content": "Hi", "subject": None}
    (file,) = read_blueprint_files(json.dumps({"name": "A", "steps": [step]}))
    assert "- When: at once" in markdown_to_edit(file)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"schema": "sequences-mcp/blueprint/1", "name": "\ud800", "steps": []}),
        json.dumps([{"seq_number": 1, "subject": "a", "email_body": "\udfff"}]),
    ],
)
def test_half_of_a_character_is_refused_wherever_it_stands(text: str) -> None:
    with pytest.raises(InvalidArgumentsError, match="half of a character"):
        read_blueprint_files(text)


def test_half_of_a_character_in_markdown_is_told_of_with_its_line() -> None:
    text = '# A\n## 1. B\n- Subject: "\\udc00"\n- Other: {"a": "\\ud800"}\n```json\n"\\ud800"\n```\n'
    (file,) = read_blueprint_files(text)
    assert [finding.message[:6] for finding in file.findings] == ["Line 3", "Line 4", "Line 5"]
    assert file.steps == ({"name": "B"},)


def test_of_many_findings_the_first_are_kept_and_one_that_refuses_is_among_them() -> None:
    (file,) = read_blueprint_files("# A\n" + "what\n" * 5_000)
    assert len(file.findings) == 201 and "4,800 more" in file.findings[-1].message
    assert not errors_in(file.findings)
    (refused,) = read_blueprint_files("# A\n" + "what\n" * 5_000 + "- Nothing: known\n")
    assert len(refused.findings) == 201 and errors_in(refused.findings)


def test_a_file_is_named_after_its_blueprint_in_plain_letters() -> None:
    assert suggested_name("Ingénieurs / Lyon: ../2026", "markdown") == "Ing-nieurs-Lyon-2026.md"
    assert suggested_name("日本", "json") == "blueprint.json"
    assert json_text(BlueprintFile(name="A", steps=())).endswith("}\n")


def test_the_files_shown_in_the_documentation_are_read_and_pass_the_guards() -> None:
    page = (ROOT / "docs" / "blueprints.md").read_text("utf-8")
    shown = re.findall(r"^````markdown\n(.*?)^````$", page, re.MULTILINE | re.DOTALL)
    shown += re.findall(r"^```json\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(shown) == 2
    for text in shown:
        [file] = read_blueprint_files(text)
        assert errors_in(check_steps([*file.steps]).findings) == ()


@pytest.mark.parametrize("line", ["- {}x", "- a{}x", "``` {}`", "## {}x", "### Variant {}!"])
def test_a_long_line_of_blanks_takes_no_longer_than_its_length_asks_for(line: str) -> None:
    def seconds(number: int) -> float:
        text = f"# A\n## 1. B\n{line.format(' ' * number)}\n"
        began = time.process_time()
        read_blueprint_files(text)
        return time.process_time() - began

    seconds(100)
    assert min(seconds(16_000), seconds(16_000)) < 32 * max(seconds(2_000), 0.005)
