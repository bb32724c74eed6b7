"""Replies on the page: what came back, what a person has to decide about, the thread of a run, the mailboxes."""

from __future__ import annotations

import re
from email import message_from_string

import pytest
from tests.review_page.test_page_runs import run_of, started
from tests.world.answers import ADA, LATER, NOWHERE, comes_in, was_read
from tests.world.data_folder import NOON
from tests.world.inbound_mail import Sent, reply, report
from tests.world.page import MAIL, PageWorld, Visitor

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.run import Run, SequenceStatus
from sequences_mcp.errors import ConflictError, NotFoundError

HOSTILE = "<script>alert(1)</script> \u202eevil {{ csrf() }}"


def sent_to(world: PageWorld) -> tuple[Sent, Run]:
    """Send somebody the first of two e-mails; return it, and their run."""
    plan = started(world, MAIL, LATER)
    world.mails_after_work()
    [mail] = [message_from_string(text) for text in world.mails]
    return Sent(message_id=str(mail["Message-ID"]), sender=ADA, recipient=str(mail["To"])), run_of(world, plan)


def stranger(sent: Sent, text: str = "He has left us.") -> bytes:
    """Return the answer of somebody else at the company."""
    host = sent.recipient.rpartition("@")[2]
    return reply(sent, text, sender=f"Eve <eve@{host}>")


def present(world: PageWorld, run: Run) -> Run:
    result: Run = world.at_desk(lambda app: app.local.get_sequence(run.id)).sequence
    return result


def test_what_came_back_is_listed_with_their_words_and_what_it_stopped(world: PageWorld, person: Visitor) -> None:
    assert "None." in person.get("/replies").text
    sent, run = sent_to(world)
    comes_in(world, reply(sent, f"Yes, on Tuesday. {HOSTILE}"))
    page = person.get("/replies").text
    assert "Yes, on Tuesday." in page
    assert "the run succeeded" in page
    assert f'href="/sequences/{run.id}"' in page
    assert "<script>alert" not in page
    assert "\u202e" not in page
    assert "Yes, on Tuesday." not in person.get("/replies?kind=bounce").text
    assert person.get("/replies?kind=perhaps").status == 422


def test_a_long_text_is_shown_from_its_beginning_and_whole_on_request(world: PageWorld, person: Visitor) -> None:
    sent, _ = sent_to(world)
    comes_in(world, reply(sent, "Yes. " + "And so on. " * 300 + "The end."))
    page = person.get("/replies").text
    assert page.count("The end.") == 1
    assert "The whole text" in page


def test_a_person_says_that_somebody_elses_words_are_a_reply(world: PageWorld, person: Visitor) -> None:
    sent, run = sent_to(world)
    comes_in(world, stranger(sent))
    assert "1 reply to decide about" in person.get("/").text
    page = person.get("/replies").text
    assert "To decide about" in page
    [action] = re.findall(r'action="(/replies/[^"]+/decide)"', page)
    assert person.post(action, about=run.id).status == 303
    assert present(world, run).status is SequenceStatus.SUCCEEDED
    page = person.get("/replies").text
    assert "a person said that it is about this sequence" in page
    assert "To decide about" not in page
    assert "to decide about" not in person.get("/").text
    assert person.post(action, about="nothing").status == 409


def test_what_a_person_says_is_nothing_ends_nothing(world: PageWorld, person: Visitor) -> None:
    sent, run = sent_to(world)
    comes_in(world, stranger(sent))
    before = present(world, run).status
    [action] = re.findall(r'action="(/replies/[^"]+/decide)"', person.get("/replies").text)
    assert person.post(action).status == 422
    assert person.post(action, about="nothing").status == 303
    assert present(world, run).status is before
    assert "a person said that it is nothing" in person.get("/replies").text


def test_an_opt_out_in_somebody_elses_words_suppresses_whom_a_person_says(
    world: PageWorld, person: Visitor
) -> None:
    sent, run = sent_to(world)
    comes_in(world, stranger(sent, "Please unsubscribe me."))
    [action] = re.findall(r'action="(/replies/[^"]+/decide)"', person.get("/replies").text)
    assert person.post(action, about=run.id).status == 303
    assert present(world, run).status is SequenceStatus.STOPPED_EARLY
    assert run.contact_id in person.get("/suppressions").text


def test_a_report_that_holds_a_run_can_be_decided_about_here(world: PageWorld, person: Visitor) -> None:
    sent, run = sent_to(world)
    other = Sent(message_id="<unrelated@else.example>", sender=ADA, recipient=sent.recipient)
    comes_in(world, report(other, status="5.1.1"))
    page = person.get("/replies").text
    assert "does not exist" in page
    [action] = re.findall(r'action="(/replies/[^"]+/decide)"', page)
    assert person.post(action, about=run.id).status == 303
    assert present(world, run).status is SequenceStatus.FAILED
    assert "To decide about" not in person.get("/replies").text
    assert "inbound.decided" in person.get("/audit").text


def test_what_is_about_no_sequence_is_shown_and_a_person_says_whose_it_is(
    world: PageWorld, person: Visitor
) -> None:
    sent, run = sent_to(world)
    home = Sent(message_id="<x@else.example>", sender=ADA, recipient="zoe@else.example")
    comes_in(world, reply(home, f"It is me, from home. {HOSTILE}", refers=False))
    page = person.get("/replies").text
    assert "About no sequence" in page
    assert "To decide about" not in page
    assert "<script>alert" not in page
    assert "not authenticated" in page
    [action] = re.findall(r'action="(/replies/[^"]+/decide)"', page)
    assert person.post(action).status == 422
    assert person.post(action, about="nothing", whose=sent.recipient).status == 422
    assert person.post(action, whose="nobody@else.example").status == 404
    assert person.post(action, whose=sent.recipient.upper()).status == 303
    assert present(world, run).status is SequenceStatus.SUCCEEDED
    page = person.get("/replies").text
    assert "About no sequence" not in page
    assert "a person said that it is about this sequence" in page


def test_what_needs_no_decision_gets_none(world: PageWorld, person: Visitor) -> None:
    sent, run = sent_to(world)
    comes_in(world, reply(sent, "Yes"))
    assert person.post("/replies/local:reply_e1/decide", about=run.id).status == 409
    assert person.post("/replies/local:reply_e9/decide", about=run.id).status == 404
    assert person.post("/replies/local:seq_1/decide", about="nothing").status == 404
    with pytest.raises(ConflictError):
        world.at_desk(lambda app: app.local.resolve_reply("local:reply_e1", sequence_id=None, actor=Actor("test")))
    with pytest.raises(NotFoundError):
        world.at_desk(lambda app: app.local.resolve_reply("local:reply_h1", sequence_id=None, actor=Actor("test")))


def test_the_thread_of_a_run_stands_in_order_on_its_screen(world: PageWorld, person: Visitor) -> None:
    sent, run = sent_to(world)
    world.clock.forward(hours=1)
    comes_in(world, report(sent, status="4.2.2"))
    world.clock.forward(hours=1)
    comes_in(world, reply(sent, "Yes, gladly."))
    page = person.get(f"/sequences/{run.id}").text
    places = [
        page.index(words) for words in ("would a short call", "bounce</span>", "Yes, gladly.", "will not be sent")
    ]
    assert places == sorted(places)


def test_the_state_of_the_mailbox_is_shown(world: PageWorld, person: Visitor) -> None:
    page = person.get("/replies").text
    assert "not read: no IMAP is set for it" in page
    assert "the outbox folder, which reaches nobody" in page


def test_it_says_up_to_when_a_mailbox_was_read_and_how_it_signs_in(world: PageWorld) -> None:
    world.more["SEQUENCES_IMAP_URL"] = NOWHERE
    with world.page() as person:
        person.unlock()
        was_read(world, NOON)
        world.clock.forward(seconds=40)
        page = person.get("/replies").text
    assert "40 s ago" in page
    assert "with a password" in page


def test_the_screen_is_locked_like_the_others(world: PageWorld, visitor: Visitor) -> None:
    assert "Passphrase" in visitor.get("/replies").text
    sent, run = sent_to(world)
    comes_in(world, stranger(sent))
    assert "He has left us." not in visitor.get("/replies").text
    before = present(world, run).status
    visitor.post("/replies/local:reply_e1/decide", about=run.id)
    assert present(world, run).status is before
