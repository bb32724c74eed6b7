"""Markup where plain text is sent: tags and entities are refused, Markdown is a doubt, each with its fix."""

from __future__ import annotations

import pytest

from sequences_mcp.domain.blueprint import Channel, Step, Temporality, TextKind
from sequences_mcp.domain.findings import Finding, Severity
from sequences_mcp.domain.markdown import letter_of
from sequences_mcp.guards.check import check_rendered, check_text, check_value

REFUSED = {
    "<p>Hi {{firstname}},</p><p>see <a href='https://acme.com/x'>the role</a>.</p>": (
        "Hi {{firstname}},\n\nsee the role (https://acme.com/x)."
    ),
    "Hi&nbsp;{{firstname}}": "Hi {{firstname}}",
    "R&amp;D and R&amp D": "R&D and R& D",
    "it&#8217s here": "it’s here",
    "it&#x2019;s here": "it’s here",
    "one<br>two<br/>three": "one\ntwo\nthree",
    "one <br two": "one ",
    "a <!-- draft --> b": "a  b",
    "<ul><li>one</li><li>two</li></ul>": "- one\n- two",
    "<b>Remote</b> role": "Remote role",
    "<SPAN STYLE='x'>Hi</SPAN>": "Hi",
    "see <a href=https://acme.com>https://acme.com</a>": "see https://acme.com",
    "Hi&hellip; there": "Hi… there",
    "<o:p>Hi</o:p>": "Hi",
    "<p>Hi": "Hi",
    "Hi</p>": "Hi",
    "<table><tr><td>Pay</td><td>90k</td></tr></table>": "Pay 90k",
    "<style>p{color:red}</style>Hi": "Hi",
}
DOUBTED = {
    "a **bold** word": "a bold word",
    "a ***strong*** word": "a strong word",
    "a __bold word__ here": "a bold word here",
    "an *important* word": "an important word",
    "an _important_ word": "an important word",
    "# The role": "The role",
    "### The role ###\nis here": "The role\nis here",
    "see [role](https://acme.com/jobs)": "see role (https://acme.com/jobs)",
    "see [role](https://acme.com/jobs 'Jobs') now": "see role (https://acme.com/jobs) now",
    "![logo](https://acme.com/logo.png)": "logo (https://acme.com/logo.png)",
    "[write](mailto:jane@acme.com)": "write (jane@acme.com)",
    "| Pay | Place |\n|---|---|\n| 90k | Paris |": "Pay, Place\n90k, Paris",
    "Pay | Place\n--- | ---\n90k | Paris": "Pay, Place\n90k, Paris",
    "```\nHi there\n```": "Hi there",
    "```text\nHi\nthere\n```\nBye": "Hi\nthere\nBye",
    "run `make` here": "run make here",
    "> as you wrote": "as you wrote",
    "~~old~~ new": "old new",
    "The role\n========\nis here": "The role\nis here",
}
FINE = (
    "a < b and c > d",
    "if a <b and c> d",
    "I <3 Rust",
    "x <p and y",
    "write to <maria@globex.example> or <https://acme.com>",
    "AT&T, R&D, Q&A and Johnson & Johnson",
    "https://acme.com/?a=1&copy=2&lt=3&amp_x=1",
    "Vec<T>, Promise<User>, List<String>",
    "* one\n* two\n- three\n1. four",
    "5 * 3 * 2 = 30 and 2**10",
    "snake_case_name, _private and __init__",
    "#1 in C#, F# and #hiring",
    "> 5 years of Rust",
    "price* (*without tax)",
    "$100k-$120k, ~20 days",
    "CTO | Founder\n---\nJane",
    "Best,\n-- \nJane | Acme",
    "file_a.txt and https://acme.com/a_b_c_d",
    "don`t and won't",
    "¯\\_(ツ)_/¯",
)
KINDS = ("channel.markup", "channel.markdown")


def mended(text: str, found: list[Finding]) -> str:
    """Return the text with each fix in its place, from the end."""
    for finding in sorted(found, key=lambda finding: finding.start, reverse=True):
        assert finding.fix is not None
        text = text[: finding.start] + finding.fix + text[finding.end :]
    return text


def found_in(text: str, field: str = "content", channel: Channel | None = None) -> list[Finding]:
    return [one for one in check_text(text, field=field, channel=channel) if one.rule in KINDS]  # type: ignore[arg-type]


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.LINKEDIN, Channel.WHATSAPP, Channel.SMS])
@pytest.mark.parametrize(("text", "plain"), REFUSED.items())
def test_tags_and_entities_are_refused_in_every_channel_with_the_plain_text_as_the_fix(
    text: str, plain: str, channel: Channel
) -> None:
    found = found_in(text, channel=channel)
    assert [finding.severity for finding in found] == [Severity.ERROR]
    assert mended(text, found) == plain


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.LINKEDIN, Channel.SMS])
@pytest.mark.parametrize(("text", "plain"), DOUBTED.items())
def test_markdown_is_a_doubt_in_every_channel_with_the_plain_text_as_the_fix(
    text: str, plain: str, channel: Channel
) -> None:
    found = found_in(text, channel=channel)
    assert {finding.severity for finding in found} == {Severity.WARNING}
    assert mended(text, found) == plain


def test_whatsapp_draws_emphasis_itself_and_nothing_else() -> None:
    assert not found_in("an *important* and _urgent_ `word`", channel=Channel.WHATSAPP)
    for text in ("a **bold** word", "[role](https://acme.com)", "# The role"):
        assert found_in(text, channel=Channel.WHATSAPP)


@pytest.mark.parametrize("text", FINE)
def test_what_only_looks_like_markup_is_left_alone(text: str) -> None:
    assert [(finding.rule, finding.excerpt) for finding in found_in(text)] == []


@pytest.mark.parametrize(
    "text", ["A **bold** role", "<b>Role</b>", "R&amp;D", "[role](https://acme.com)", "`Role`"]
)
def test_markup_is_told_of_in_a_subject(text: str) -> None:
    assert check_text(text, field="subject")


def test_markup_is_told_of_in_a_value() -> None:
    assert {finding.rule for finding in check_value("company", "R&amp;D Partners")} == {"channel.markup"}
    assert {finding.rule for finding in check_value("notes", "<b>Ada</b>")} == {"channel.markup"}


def test_what_is_found_in_what_a_letter_in_markdown_reads_has_its_place_there_but_a_link_has_none() -> None:
    step = Step(
        id="s1",
        name="Hello",
        type=Channel.EMAIL,
        subject="A role",
        content="Hi",
        format=TextKind.MARKDOWN,
        temporality_type=Temporality.ASAP,
    )
    content = "Hi Grace,\n\na **bold** word for [comp**any**] and [https://acme.com](https://other.example/x)."
    found = {one.rule: one for one in check_rendered(step=step, subject="A role", content=content)}
    placeholder, link = found["placeholders.square"], found["channel.link_mismatch"]
    read = letter_of(content).plain
    assert read[placeholder.start : placeholder.end] == "[company]"
    assert (link.start, link.end, link.fix) == (0, len(content), None)
