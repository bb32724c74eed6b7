"""Messages of other programs than the corpus has: receipts, invitations, tickets, guards of mailboxes, mailers."""

from __future__ import annotations

import pytest
from tests.world.inbound_mail import AT, Sent, reply
from tests.world.mail_corpus import ElsewhereItem, elsewhere, table

from sequences_mcp.engine.inbound.absence import away_until
from sequences_mcp.engine.inbound.kind import is_hard, judge_inbound
from sequences_mcp.engine.inbound.opt_out import is_opt_out
from sequences_mcp.engine.inbound.own_text import new_text
from sequences_mcp.engine.inbound.parsing import parse_inbound

SENT = Sent()
ODD = table("odd")["messages"]


@pytest.mark.parametrize("row", ODD, ids=[row["name"] for row in ODD])
def test_a_message_of_an_unusual_program_is_what_it_is(row: dict[str, str | list[str]]) -> None:
    message = parse_inbound(str(row["mail"]).replace("\n", "\r\n").encode())
    judged = judge_inbound(message)
    assert judged.kind in row["kinds"], judged.why
    assert not is_opt_out(new_text(message.text, (SENT.text, SENT.subject)))


@pytest.mark.parametrize("item", elsewhere(), ids=[item.name for item in elsewhere()])
def test_a_message_from_elsewhere_is_what_it_is(item: ElsewhereItem) -> None:
    message = parse_inbound(item.data)
    judged = judge_inbound(message)
    assert judged.kind.value in item.kinds, judged.why
    assert not is_opt_out(new_text(message.text, (SENT.text, SENT.subject)), message.subject)
    assert not item.until or f"{away_until(message.text, AT):%Y-%m-%d}" == item.until


UNMARKED = [(kind, text) for kind, texts in table("elsewhere")["unmarked"].items() for text in texts]


@pytest.mark.parametrize(("kind", "text"), UNMARKED)
def test_an_answer_without_any_mark_is_told_by_what_it_says(kind: str, text: str) -> None:
    assert judge_inbound(parse_inbound(reply(SENT, text))).kind.value == kind
    assert not is_opt_out(text)


WISHES = [(kind == "opt_out", text) for kind, texts in table("elsewhere")["wishes"].items() for text in texts]


@pytest.mark.parametrize(("is_one", "text"), WISHES)
def test_whoever_asks_for_no_more_is_heard_in_their_words_and_nobody_else(*, is_one: bool, text: str) -> None:
    for written in (text, f"Hello Ada,\n\n{text}\n\nBest regards\nBob"):
        message = parse_inbound(reply(SENT, written))
        assert judge_inbound(message).kind.value == "reply"
        assert is_opt_out(new_text(message.text, (SENT.text, SENT.subject))) is is_one


REFUSALS = [
    (kind == "hard", status, words)
    for kind, rows in table("elsewhere")["refusals"].items()
    for status, words in rows
]


@pytest.mark.parametrize(("is_gone", "status", "words"), REFUSALS)
def test_an_address_is_given_up_where_a_server_says_nothing_else_of_it(
    *, is_gone: bool, status: str, words: str
) -> None:
    assert is_hard(status, words) is is_gone


@pytest.mark.parametrize(("text", "until"), table("elsewhere")["away"]["until"])
def test_an_absence_ends_on_the_day_that_it_names_however_it_is_written(text: str, until: str) -> None:
    assert f"{away_until(text, AT):%Y-%m-%d}" == until


@pytest.mark.parametrize(
    "subject",
    [
        "Read: the paper I mentioned",
        "Lest: Bewerbung",
        "Urlaub und Termin",
        "Ferie in Italien",
        "Absent friends",
        "Poissa huomenna",
        "Holiday plans and Tuesday",
        "Leave: two questions",
        "Ticket 12 for the fair",
        "New ticket prices",
        "Thanks for contacting us, here is my CV",
        "Consegna: documenti",
        "Wir haben Ihre Unterlagen geprüft",
        "Delivery problem with your attachment",
        "Recall our talk",
    ],
)
def test_a_subject_that_sounds_like_a_machines_makes_none_of_a_person(subject: str) -> None:
    said = "Hello Ada, Tuesday at ten suits me well. See my notes attached."
    assert judge_inbound(parse_inbound(reply(SENT, said, subject=subject))).kind.value == "reply"


def test_there_are_more_than_sixty_of_them() -> None:
    assert len(ODD) > 60
