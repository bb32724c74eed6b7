"""An e-mail in Markdown leaves as text and as HTML that say the same; no value becomes markup in either."""

from __future__ import annotations

import re
import time
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.world.mail_servers import bytes_of
from tests.world.product import GRACE, MAIL, Bureau, mailing, yes
from tests.world.texts import CHARACTERS

from sequences_mcp.domain.markdown import faults, filled, letter_of, markdown_line, markdown_lines, template_letter
from sequences_mcp.errors import SettingsError
from sequences_mcp.guards.check import check_steps, check_text

WRITTEN = """\
Hi {{firstname}},

I saw *your* talk about **queues**. Here is [the role](https://acme.com/jobs?a=1&b=2).

We have
- four days a week
- a team of six:
  1. two in Lisbon
  2. four elsewhere

> as you said in your talk

Best,
{{recruiterFirstname}}"""
PLAIN = """\
Hi Grace,

I saw your talk about queues. Here is the role (https://acme.com/jobs?a=1&b=2).

We have
- four days a week
- a team of six:
  1. two in Lisbon
  2. four elsewhere

  as you said in your talk

Best,
Ada"""
MARKDOWN = {**MAIL, "format": "markdown", "content": WRITTEN}
HOSTILE = [
    "[x](http://evil.example)",
    "<b>Grace</b>",
    "<http://evil.example>",
    "http://evil.example/_a_/",
    "![x](http://evil.example/x.png)",
    "**Grace**",
    "_Grace_",
    "`Grace`",
    "# Grace",
    "- Grace",
    "+ Grace",
    "1. Grace",
    "1) Grace",
    "> Grace",
    "Grace\n\n# Heading",
    "Grace\n===",
    "```\nGrace",
    "~~~\nGrace",
    "Grace\\",
    "\\[x](http://evil.example)",
    "[x]: http://evil.example",
    "](http://evil.example) [x",
    "&lt;b&gt;",
    "<script>alert(1)</script>",
    "{{firstname}}",
    "| a |\n|---|",
    "***",
    "---",
    "[x][1]",
    "(http://evil.example)",
    "\u2028# Grace",
]


class Tags:
    """What tags and what words an HTML has, as a browser takes it apart."""

    def __init__(self, html: str) -> None:
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.words: list[str] = []
        reader: Any = HTMLParser()
        reader.handle_starttag = lambda tag, attrs: self.tags.append((tag, tuple(attrs)))
        reader.handle_data = self.words.append
        reader.feed(html)
        reader.close()


def parts(mail: EmailMessage) -> tuple[str, str]:
    """Return both parts of an e-mail, the text first."""
    assert mail.get_content_type() == "multipart/alternative"
    text, html = mail.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert isinstance(text, EmailMessage) and isinstance(html, EmailMessage)
    return text.get_content().strip(), html.get_content()


def letters(text: str) -> str:
    return "".join(re.findall(r"\w", text))


async def test_an_e_mail_in_markdown_leaves_as_text_and_as_html_that_say_the_same(bureau: Bureau) -> None:
    with mailing(bureau, {}) as (connected, inbox):
        async with connected.client("auto", yes) as desktop:
            blueprint = await desktop.blueprint(MARKDOWN)
            await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
        connected.work()
    [envelope] = inbox.taken
    mail = message_from_bytes(bytes_of(envelope), policy=policy.default)
    assert isinstance(mail, EmailMessage)
    text, html = parts(mail)
    assert text.replace("\r\n", "\n") == PLAIN
    made = Tags(html)
    assert ("a", (("href", "https://acme.com/jobs?a=1&b=2"),)) in made.tags
    assert {"em", "strong", "ul", "ol", "li", "blockquote"} <= {tag for tag, _ in made.tags}
    assert not {"img", "script", "style", "link"} & {tag for tag, _ in made.tags}
    assert letters("".join(made.words)) == letters(re.sub(r" \(https://[^)]*\)|\d\. ", "", text))


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    "template",
    ["Hi {{firstname}}, hello.", "{{firstname}}", "- {{firstname}}", "{{firstname}}. A word", "**{{firstname}}**"],
)
def test_a_value_never_becomes_markup_or_a_link(template: str, value: str) -> None:
    made, usual = (letter_of(filled(template, {"firstname": name})) for name in (value, "Grace"))
    shown = " ".join(value.split())
    assert shown in " ".join(made.plain.split())
    assert Tags(made.html).tags == Tags(usual.html).tags
    assert shown in " ".join("".join(Tags(made.html).words).split())
    assert made.links == ()


TEMPLATES = [
    "{{firstname}} {{lastname}}",
    "Hi {{firstname}}, see [the page of {{lastname}}](https://acme.com).",
    "- {{firstname}}\n- {{lastname}}{{firstname}}",
    "# {{firstname}}\n> {{lastname}}) x",
    "\\{{firstname}} [{{lastname}}] \\\\{{firstname}}",
    "**{{firstname}}** and *{{lastname}}*. {{firstname}}{{lastname}}.",
    "[a]{{firstname}} {{lastname}}(https://acme.com)",
    "{{firstname}}1. word\n> {{lastname}}20) word",
]
MARKS = st.text(st.sampled_from("[]()<>!*_`~#-+=.:/\\&{}|\"' \n\tab1é@;"), min_size=1, max_size=24)


@given(st.sampled_from(TEMPLATES), MARKS, MARKS)
@example("{{firstname}}1. word", "1", "x")
@example("\\{{firstname}}", "<https://evil.example>", "x")
def test_no_value_at_all_makes_a_tag_a_link_or_a_list(template: str, first: str, last: str) -> None:
    values: dict[str, str | None] = {"firstname": first, "lastname": last}
    try:
        made = letter_of(filled(template, values))
    except KeyError:  # a blank value
        return
    usual = template_letter(template)
    kept = [(link.address, link.is_image) for link in usual.links]
    assert [(link.address, link.is_image) for link in made.links] == kept
    names = [[tag for tag, _ in Tags(letter.html).tags if tag not in ("em", "strong")] for letter in (made, usual)]
    assert names[0] == names[1]
    for name, value in values.items():
        if value and f"{{{{{name}}}}}" in template:
            assert " ".join(value.split()) in " ".join(made.plain.split())


@given(st.text(CHARACTERS, max_size=60))
def test_what_is_escaped_is_read_as_it_was(text: str) -> None:
    line = " ".join(text.split())
    assert letters(letter_of(markdown_line(line)).plain) == letters(line)


@pytest.mark.parametrize(
    "content",
    [
        "[a]({{firstname}})",
        "[a](https://{{firstname}}/)",
        "[a](htt{{firstname}})",
        "[a](<{{firstname}}>)",
        "[a]( \n{{firstname}})",
        '[a](https://acme.com "{{firstname}}")',
        "[a](https://acme.com/(b){{firstname}})",
        "[a](javascript:alert(1))",
        "[a](data:text/html,x)",
        "[a](//acme.com)",
        "[a](/jobs)",
        "![a](https://acme.com/a.png)",
        "[![a](https://acme.com/a.png)](https://acme.com)",
        "`{{firstname}}`",
        "``` \n{{firstname}}",
        "a ` b {{firstname}}",
        "> " * 14 + "deep",
        "".join("  " * depth + "- x\n" for depth in range(9)),
        "Hi <b>Grace</b>",
        "Hi<br>there",
        "<img src=https://acme.com/x.png>",
        "Hi&nbsp;there",
        "[https://acme.com](https://evil.example)",
        "[acme\\.example](https://evil.example)",
        "[**https://acme.com**](https://evil.example)",
        "\\[Company\\]",
        "[Com**pany**]",
        "{\\{first_name}}",
    ],
)
def test_what_could_lead_elsewhere_or_hide_something_is_refused(content: str) -> None:
    report = check_steps([{**MARKDOWN, "content": content}])
    assert "error" in [finding.severity.value for finding in report.findings]


def test_markdown_is_no_finding_in_an_e_mail_of_that_format_and_one_elsewhere() -> None:
    content = f"# The role\n\n{WRITTEN}\n\n---\n\n`make` and _more_\n\n```\nmake all\n```"
    assert (
        check_steps(
            [
                {
                    **MARKDOWN,
                    "content": content.replace("{{firstname}}", "Grace").replace("{{recruiterFirstname}}", "Ada"),
                }
            ]
        ).findings
        == ()
    )
    assert check_steps([MARKDOWN]).findings == ()
    assert "channel.markdown" in {
        finding.rule for finding in check_steps([{**MARKDOWN, "format": "text"}]).findings
    }
    sms = {"id": "s", "name": "S", "type": "SMS", "content": "Hi {{firstname}}", "temporalityType": "ASAP"}
    assert [finding.rule for finding in check_steps([{**sms, "format": "markdown"}]).findings] == [
        "structure.format"
    ]
    assert check_steps([{**sms, "format": "text"}]).findings == ()


def test_a_table_which_nothing_draws_is_told_of() -> None:
    found = check_text("| a | b |\n|---|---|\n| 1 | 2 |", field="content", is_markdown=True)
    assert [finding.rule for finding in found] == ["channel.markdown"]


SLOW = [
    "[" * 149 + "]" * 149,
    "*a **b " * 260,
    "_a __b " * 260,
    "[a](<b " * 149,
    "![[](" * 140,
    "[a]" * 149 + "(b)",
    "> " * 900,
    "- " * 900,
    "- a\n" * 4_000,
    "`" * 1_900,
    "`a``b" * 600,
    "\\" * 1_900,
    "a\n" * 4_900,
    "*" * 1_900 + "a" + "*" * 90,
]


@pytest.mark.alone
@pytest.mark.parametrize("content", SLOW, ids=[repr(text[:8]) for text in SLOW])
def test_a_text_made_to_be_slow_takes_no_longer_than_a_few_long_ones(content: str) -> None:
    """The guards allow 300 of each bracket and 2,000 of other signs, so that nothing quadratic grows far."""
    assert "structure.crowded" not in {finding.rule for finding in check_text(content, field="content")}

    def spent(text: str) -> float:
        times = []
        for _ in range(3):
            letter_of.cache_clear()
            started = time.process_time()
            list(faults(text))
            times.append(time.process_time() - started)
        return min(times)

    assert spent(content) < 20 * spent("A *word* and [another](https://acme.com) of `them`.\n\n" * 350)


def test_what_the_parser_drops_is_refused() -> None:
    content = "".join("  " * depth + f"- word{depth}\n" for depth in range(60))
    assert "word59" not in letter_of(content).plain
    assert [*faults(content)]


@pytest.mark.parametrize("address", ["https://acme.com/_a_/b_c_d", "https://acme.com/?q=_x_&y=_z_"])
def test_an_address_that_stands_in_the_text_stays_as_it_is(address: str) -> None:
    letter = letter_of(f"See {address} or **{address}** today")
    assert letter.plain == f"See {address} or {address} today"
    assert letter.links == ()


def test_a_signature_is_read_as_it_was_set() -> None:
    signature = "*Ada* Lovelace\n- Example Ltd, 1. floor\n<https://example.com>\n\n# one"
    assert letter_of(markdown_lines(signature)).plain == signature
    assert letter_of(markdown_lines(signature)).links == ()


async def test_a_values_markup_is_seen_by_nobody_but_as_words(bureau: Bureau) -> None:
    person: dict[str, Any] = {**GRACE, "company": "A*B_C & Sons (UK) [x]"}
    content = "Hi {{firstname}}, how is {{candidateCompanyName}}?"
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint({**MARKDOWN, "content": content})
        shown = await desktop.call("preview_sequence", blueprint_id=blueprint, contacts=[person])
        [step] = shown["people"][0]["steps"]
        assert step["content"] == "Hi Grace, how is A*B_C & Sons (UK) [x]?"
        assert "HTML" in step["sent_as"]
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[person])
    bureau.work()
    [mail] = bureau.outbox
    text, html = parts(mail)
    assert text == "Hi Grace, how is A*B_C & Sons (UK) [x]?"
    assert "<p>Hi Grace, how is A*B_C &amp; Sons (UK) [x]?</p>" in html


async def test_the_signature_is_in_both_parts_and_its_picture_in_the_html_alone(bureau: Bureau) -> None:
    table = """\
[mailboxes.ada]
name = "Ada Lovelace"
address = "ada@lovelace.example"
window = "Mon-Sun 00:00-24:00"
signature = "*Ada* Lovelace\\n- Example Ltd"
signature_picture = "https://lovelace.example/ada.png?a=1&b=2"
opt_out_line = true
"""
    bureau.folder.mkdir(mode=0o700, exist_ok=True)
    (bureau.folder / "settings.toml").write_text(table, encoding="utf-8")
    told: list[str] = []

    def agrees(words: str) -> Any:
        told.append(words)
        return yes(words)

    async with bureau.client("auto", agrees) as desktop:
        blueprint = await desktop.blueprint({**MARKDOWN, "content": "Hi {{firstname}}, a *call*?"})
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
    bureau.work()
    [mail] = bureau.outbox
    text, html = (part.replace("\r\n", "\n") for part in parts(mail))
    assert text.startswith("Hi Grace, a call?\n\n*Ada* Lovelace\n- Example Ltd\n\n")
    assert "<p>*Ada* Lovelace<br>\n- Example Ltd</p>" in html
    pictures = [dict(attrs) for tag, attrs in Tags(html).tags if tag == "img"]
    assert pictures == [{"src": "https://lovelace.example/ada.png?a=1&b=2", "alt": "Ada Lovelace"}]
    assert "img" not in text and "<script" not in html
    assert "https://lovelace.example/ada.png" in told[0] and "*Ada* Lovelace" in told[0]


@pytest.mark.parametrize(
    "address",
    [
        "http://a.example/x.png",
        "data:image/png;base64,AA",
        'https://a.example/x.png" onload=',
        "ada.png",
        "https://",
    ],
)
async def test_a_picture_that_is_no_address_is_said_with_the_settings(bureau: Bureau, address: str) -> None:
    bureau.folder.mkdir(mode=0o700, exist_ok=True)
    table = f"""\
[mailboxes.ada]
name = "Ada Lovelace"
address = "ada@lovelace.example"
signature_picture = '{address}'
"""
    (bureau.folder / "settings.toml").write_text(table, encoding="utf-8")
    with pytest.raises(SettingsError, match="https:// address of a picture"):
        _ = bureau.settings
