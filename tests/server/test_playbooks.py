"""What the drafting prompts know about writing: playbooks, manners, and the sender's own profile."""

from __future__ import annotations

import re
from itertools import product

import pytest
from benchmarks import tokens
from mcp import MCPError
from tests.world.data_folder import with_schema
from tests.world.product import MAIL, Desktop, World

from sequences_mcp.domain.findings import Severity
from sequences_mcp.domain.workspace import PROFILE_FILE
from sequences_mcp.guards.check import check_steps, check_text
from sequences_mcp.prompting import (
    PLAYBOOKS,
    PROFILE_SHOWN,
    Playbook,
    folder,
    language_named,
    manners_of_channels,
    manners_of_language,
    playbook,
)
from sequences_mcp.server.prompts import LANGUAGES

BOOKS = {name: playbook(name) for name in PLAYBOOKS}
EXAMPLES = [(name, language) for name in PLAYBOOKS for language in LANGUAGES]
PROMPT_LIMIT = 2_000  # tokens


async def drafted(desktop: Desktop, name: str = "draft_sequence", **arguments: str) -> str:
    """Return the text of a drafting prompt."""
    given = {"goal": "Fill a role"} if name == "draft_sequence" else {"channel": "EMAIL", "purpose": "Hello"}
    [message] = (await desktop.client.get_prompt(name, {**given, **arguments})).messages
    assert message.content.type == "text"
    return str(message.content.text)


def words(text: str) -> int:
    return len(re.findall(r"\S+", text))


def test_every_file_is_a_playbook_and_every_playbook_speaks_every_language() -> None:
    files = {path.stem for path in (folder() / "playbooks").iterdir()}
    assert files == {re.sub(r"\W", "_", name) for name in PLAYBOOKS}
    for book in BOOKS.values():
        assert set(book.examples) == set(book.follow_ups) == set(LANGUAGES), book.title
        for spoken in [*(angle.angles for angle in book.arc), *(bad.texts for bad in book.bad)]:
            assert set(spoken) == set(LANGUAGES) and len(set(spoken.values())) == len(LANGUAGES), book.title
    assert all(manners_of_language(language) for language in LANGUAGES)


@pytest.mark.parametrize(("name", "language"), EXAMPLES)
def test_each_example_passes_the_guards_without_a_finding_and_keeps_its_own_measures(
    name: str, language: str
) -> None:
    text = BOOKS[name].examples[language]
    report = check_steps([{**MAIL, "subject": text.subject, "content": text.content}])
    assert [(one.rule, one.excerpt) for one in report.findings if one.severity is not Severity.NOTE] == []
    if language == "Japanese":
        assert 150 <= len(text.content) <= 420 and len(text.subject) <= 40
        assert "でしょうか" in text.content
        return
    assert 50 <= words(text.content) <= 120, words(text.content)
    assert 2 <= words(text.subject) <= 6
    assert text.content.count("?") == 1, "one request"


@pytest.mark.parametrize(("name", "language"), EXAMPLES)
def test_each_follow_up_answers_the_first_e_mail_of_its_language_and_keeps_its_manners(
    name: str, language: str
) -> None:
    first, text = BOOKS[name].examples[language], BOOKS[name].follow_ups[language]
    assert check_text(text.content, field="content") == ()
    assert check_steps([{**MAIL, "content": text.content}]).findings == ()
    assert text.subject == "", "it answers in the thread"
    lines, of_the_first = text.content.splitlines(), first.content.splitlines()
    assert lines[0] == of_the_first[0] and lines[-2:] == of_the_first[-2:], "one greeting and one sign-off"
    if language == "Japanese":
        assert 150 <= len(text.content) <= 420, len(text.content)
        assert text.content.count("でしょうか") == 1 and not {"?", "\uff1f"} & set(text.content), "one request"
    else:
        assert 50 <= words(text.content) <= 120, words(text.content)
        assert text.content.count("?") == 1, "one request"


@pytest.mark.parametrize(("name", "language"), EXAMPLES)
def test_each_follow_up_has_the_facts_and_the_variables_of_the_english_one(name: str, language: str) -> None:
    text, english = BOOKS[name].follow_ups[language].content, BOOKS[name].follow_ups["English"].content
    assert set(re.findall(r"\d+", english)) <= set(re.findall(r"\d+", text))
    # Where a language greets without a name, or by the last one, the variables of people's names are its own.
    names = {"{{firstname}}", "{{lastname}}", "{{recruiterFirstname}}", "{{recruiterLastname}}"}
    given, expected = (set(re.findall(r"\{\{\w+\}\}", one)) for one in (text, english))
    assert given - names == expected - names
    assert given <= set(re.findall(r"\{\{\w+\}\}", BOOKS[name].examples[language].content))


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_each_arc_says_something_new_on_later_days(name: str) -> None:
    book: Playbook = BOOKS[name]
    days = [angle.day for angle in book.arc]
    assert days[0] == 0 and days == sorted(set(days))
    for language in LANGUAGES:
        assert len({angle.angles[language] for angle in book.arc}) == len(days), language
    assert all(bad.why.endswith(".") for bad in book.bad) and len(book.bad) >= 2


QUESTION = re.compile(r"\?|でしょうか")


@pytest.mark.parametrize(("name", "language"), EXAMPLES)
def test_each_bad_example_has_the_fault_of_the_english_one_and_no_other(name: str, language: str) -> None:
    for bad in BOOKS[name].bad:
        text, english = bad.texts[language], bad.texts["English"]
        assert len(QUESTION.findall(text)) == english.count("?"), "as many questions"
        assert re.findall(r"\d+", text) == re.findall(r"\d+", english), "no other figures"
        assert "{{" not in text, "nothing of the reader"
        assert check_text(text, field="content") == (), "bad as writing, and not for a rule of the guards"
        good = (BOOKS[name].examples[language], BOOKS[name].follow_ups[language])
        assert all(text not in example.content for example in good)


SPACES = {" ": "a plain space", "\u00a0": "a no-break space", "\u202f": "a narrow no-break space"}


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_french_has_a_no_break_space_before_its_high_signs_and_the_guards_take_any(name: str) -> None:
    book = BOOKS[name]
    mails = [book.examples["French"], book.follow_ups["French"]]
    said = [*(angle.angles["French"] for angle in book.arc), *(bad.texts["French"] for bad in book.bad)]
    for text in [*said, *(mail.content for mail in mails)]:
        assert re.findall(r"[^\u00a0\n/s][:;?!](?!//)", text) == [], text
    assert all("\u00a0?" in mail.content for mail in mails)
    for mail, space in product(mails, SPACES):
        content = mail.content.replace("\u00a0", space)
        assert check_text(content, field="content") == (), SPACES[space]


async def test_no_drafting_prompt_is_long_whatever_is_chosen(world: World) -> None:
    count = tokens.counter().count
    with_schema(world.folder)
    world.workspace.profile.write_text("I hire for a hospital. " * 25)
    async with world.client("auto") as desktop:
        for book, language in product(("", *PLAYBOOKS), LANGUAGES):
            text = await drafted(desktop, playbook=book, language=language, channels="e-mail and LinkedIn")
            assert count(text) <= PROMPT_LIMIT, (book, language, count(text))


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_prompt_quotes_the_first_e_mail_and_the_follow_up_of_its_language_alone(
    world: World, language: str
) -> None:
    async with world.client("auto") as desktop:
        for name, book in BOOKS.items():
            text = await drafted(desktop, playbook=name, language=language)
            assert [one for one, known in book.examples.items() if known.content in text] == [language], name
            assert [one for one, known in book.follow_ups.items() if known.content in text] == [language], name
            assert text.index(book.examples[language].content) < text.index(book.follow_ups[language].content)


async def test_a_playbook_gives_its_arc_and_its_examples_in_the_language_of_the_texts(
    world: World, era: str
) -> None:
    async with world.client(era) as desktop:
        text = await drafted(desktop, playbook="Founder sales", language="de")
        english = await drafted(desktop, playbook="founder sales", language="Klingon")
        chosen = await drafted(desktop)
        with pytest.raises(MCPError, match="There are recruiting, founder sales, partnerships"):
            await drafted(desktop, playbook="spam")
    book = BOOKS["founder sales"]
    for language, shown in (("German", text), ("English", english)):
        spoken = [*(angle.angles for angle in book.arc), *(bad.texts for bad in book.bad)]
        assert all(one[language] in shown for one in spoken), language
        assert all(one["French"] not in shown for one in spoken), language
    assert book.examples["German"].content in text
    assert manners_of_language("German") in text and book.follow_ups["German"].content in text
    assert book.examples["English"].content in english and book.follow_ups["English"].content in english
    assert all(known.situation in chosen for known in BOOKS.values()) and "say which" in chosen


async def test_the_drafts_know_who_writes_from_the_profile_or_ask_for_it(world: World, era: str) -> None:
    async with world.client(era) as desktop:
        before = await drafted(desktop, "draft_step")
        world.workspace.profile.write_text("\ufeffAda, Brightwater. Dry humour.\n\nNever say: synergy.")
        after = [await drafted(desktop, name) for name in ("draft_step", "draft_sequence")]
        world.workspace.profile.write_text("x" * (PROFILE_SHOWN + 1))
        cut = await drafted(desktop, "draft_step")
    assert f"There is no {PROFILE_FILE}" in before
    assert all("Ada, Brightwater. Dry humour.\n\nNever say: synergy." in text for text in after)
    assert "\ufeff" not in "".join(after) and f"There is no {PROFILE_FILE}" not in "".join(after)
    assert "x" * PROFILE_SHOWN + " [...]" in cut and "x" * (PROFILE_SHOWN + 1) not in cut


@pytest.mark.parametrize(
    ("said", "channels"),
    [
        ("e-mail", ["EMAIL"]),
        ("Email, then a phone call", ["EMAIL", "CALL"]),
        ("LINKEDIN_INMAIL", ["LINKEDIN"]),
        ("SMS", ["SMS"]),
        ("mail and an SMS", ["EMAIL", "SMS"]),
        ("typically InMails", ["LINKEDIN"]),
        ("whatever works", ["EMAIL", "LINKEDIN", "WHATSAPP", "SMS", "CALL", "MANUAL_TASK"]),
    ],
)
def test_the_manners_are_those_of_the_channels_that_are_named(said: str, channels: list[str]) -> None:
    assert list(manners_of_channels(said)) == channels


@pytest.mark.parametrize(
    ("said", "name"), [("fr", "French"), ("pt-BR", "Portuguese"), ("JAPANESE", "Japanese"), ("Klingon", "Klingon")]
)
def test_a_language_is_known_by_its_name_and_its_code(said: str, name: str) -> None:
    assert language_named(said) == name
