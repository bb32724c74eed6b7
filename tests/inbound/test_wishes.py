"""Whether a reply asks for no more e-mail, measured over several hundred replies in seventeen languages.

The tables stand in ``tests/world/corpus/wishes.toml``. An opt-out that is not recognised still ends the run, and a
person reads it; a reply that is wrongly taken for one loses a contact. So the first has a share, and the second
nearly none.
"""

from __future__ import annotations

import pytest
from tests.world.mail_corpus import table

from sequences_mcp.engine.inbound import wishes
from sequences_mcp.engine.inbound.opt_out import is_opt_out

TABLES = ("known", "hard", "later")
Texts = list[tuple[str, str]]
FORMS = ["{}", "Hello Ada,\n\n{}\n\nBest regards\nBob", "{}\n\nSent from my iPhone", "Bob\n\n{}"]


def texts(name: str, kind: str) -> Texts:
    """Return the texts of a table with their languages."""
    rows: dict[str, list[str]] = table("wishes")[name][kind]
    return [(language, text) for language, of_language in rows.items() for text in of_language]


def heard(rows: Texts) -> Texts:
    """Return the texts that are taken for opt-outs."""
    return [(language, text) for language, text in rows if is_opt_out(text)]


@pytest.mark.parametrize("name", TABLES)
def test_nearly_whoever_asks_for_no_more_is_heard(name: str) -> None:
    rows = texts(name, "opt_out")
    known = heard(rows)
    missed = [row for row in rows if row not in known]
    assert len(rows) >= 100
    assert len(missed) <= 0.02 * len(rows), missed


@pytest.mark.parametrize("language", sorted({language for language, _ in texts("known", "opt_out")}))
def test_no_language_is_much_worse_than_the_others(language: str) -> None:
    rows = [row for name in TABLES for row in texts(name, "opt_out") if row[0] == language]
    assert len(heard(rows)) >= 0.9 * len(rows)


@pytest.mark.parametrize("name", TABLES)
def test_hardly_anybody_who_does_not_ask_is_taken_to(name: str) -> None:
    rows = texts(name, "none")
    assert len(rows) >= 100
    assert len(heard(rows)) <= 0.01 * len(rows), heard(rows)


@pytest.mark.parametrize("form", FORMS)
def test_a_greeting_and_a_signature_change_nothing(form: str) -> None:
    for name in TABLES:
        asking = [(language, text) for language, text in texts(name, "opt_out") if "\n" not in text]
        others = [(language, text) for language, text in texts(name, "none") if "\n" not in text]
        in_form = heard([(language, form.format(text)) for language, text in asking])
        assert len(in_form) >= 0.95 * len(asking), name
        wrongly = heard([(language, form.format(text)) for language, text in others])
        assert len(wrongly) <= 0.01 * len(others), wrongly


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("Please delete my data.", True),
        ("Please do not delete my data.", False),
        ("We deleted your data.", False),
        ("I want you to delete my data.", True),
        ("Can you delete my data?", True),
        ("Did they delete my data?", False),
        ("Please stop. Sending the contract on Friday suits me.", False),
        ("Stop the e-mails until Monday.", False),
        ("Ne m'écrivez plus.", True),
        ("Ne m'écrivez plus avant lundi.", False),
        ("I do not want to be on your list.", True),
        ("I want to be on your list.", False),
        ("Delete the comma after my name.", False),
        ("Delete my name.", True),
        ("Where did you get my address? Please delete it.", True),
        ("Where did you get the picture? Please delete it.", False),
        ("Remove jo@acme.example from your database.", True),
        ("Remove us from your client list.", True),
        ("We remove clients from our list.", False),
        ("Do not forget to send me more e-mails.", False),
        ("Hören Sie auf, mir zu schreiben.", True),
        ("Hören Sie nicht auf, mir zu schreiben.", False),
    ],
)
def test_a_request_is_affirmed_of_the_writer_and_without_a_limit(*, text: str, is_one: bool) -> None:
    assert wishes.asks_for_no_more(text) is is_one


def test_accents_and_capitals_may_be_missing() -> None:
    for _, text in texts("known", "opt_out"):
        plain = wishes._folded(text)
        assert wishes.asks_for_no_more(text) == wishes.asks_for_no_more(plain), text


def test_words_of_two_languages_make_no_request_together() -> None:
    assert not wishes.asks_for_no_more("Bitte Paragraph 3: remove Herr Müller und die Liste der Kunden")


def test_a_letter_is_left_to_a_person() -> None:
    assert wishes.asks_for_no_more("please stop sending me mail ")
    assert not wishes.asks_for_no_more("please stop sending me mail " * 500)
