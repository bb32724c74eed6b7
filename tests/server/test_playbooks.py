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
from sequences_mcp.guards.check import check_steps
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
    assert {name: tuple(sorted(book.examples)) for name, book in BOOKS.items()} == dict.fromkeys(
        PLAYBOOKS, tuple(sorted(LANGUAGES))
    )
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


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_each_arc_says_something_new_on_later_days_and_its_follow_up_answers_the_first(name: str) -> None:
    book: Playbook = BOOKS[name]
    days = [angle.day for angle in book.arc]
    assert days[0] == 0 and days == sorted(set(days)) and len({angle.angle for angle in book.arc}) == len(days)
    assert book.follow_up.subject == "" and book.follow_up.content.count("?") == 1
    assert 50 <= words(book.follow_up.content) <= 120
    assert all(bad.why.endswith(".") for bad in book.bad) and len(book.bad) >= 2
    report = check_steps([{**MAIL, "content": book.follow_up.content}])
    assert [one.rule for one in report.findings] == []


async def test_no_drafting_prompt_is_long_whatever_is_chosen(world: World) -> None:
    count = tokens.counter().count
    with_schema(world.folder)
    world.workspace.profile.write_text("I hire for a hospital. " * 25)
    async with world.client("auto") as desktop:
        for book, language in product(("", *PLAYBOOKS), LANGUAGES):
            text = await drafted(desktop, playbook=book, language=language, channels="e-mail and LinkedIn")
            assert count(text) <= PROMPT_LIMIT, (book, language, count(text))


async def test_a_playbook_gives_its_arc_and_its_example_in_the_language_of_the_texts(
    world: World, era: str
) -> None:
    async with world.client(era) as desktop:
        text = await drafted(desktop, playbook="Founder sales", language="de")
        english = await drafted(desktop, playbook="founder sales", language="Klingon")
        chosen = await drafted(desktop)
        with pytest.raises(MCPError, match="There are recruiting, founder sales, partnerships"):
            await drafted(desktop, playbook="spam")
    book = BOOKS["founder sales"]
    assert all(angle.angle in text for angle in book.arc) and book.examples["German"].content in text
    assert manners_of_language("German") in text and book.follow_up.content not in text
    assert book.examples["English"].content in english and book.follow_up.content in english
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
