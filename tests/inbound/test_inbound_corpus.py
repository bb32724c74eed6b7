"""The corpus of what comes in, several hundred e-mails of many systems and languages: what they are told to be.

A bounce that is called soft where it is hard costs an e-mail or two; one that is called hard where it is not costs
a contact. So the first has a share that is allowed, and the second none.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.world.inbound_mail import AT, reply
from tests.world.mail_corpus import SENT, CorpusItem, absences, attached, bounces, machines
from tests.world.mail_replies import (
    CHARSETS,
    ReplyItem,
    further_replies,
    in_charset,
    no_opt_outs,
    opt_outs,
    present,
    replies,
)

from sequences_mcp.engine.inbound.absence import away_until
from sequences_mcp.engine.inbound.kind import OF_MAILERS, InboundKind, judge_inbound
from sequences_mcp.engine.inbound.opt_out import is_opt_out, offered_answers
from sequences_mcp.engine.inbound.own_text import new_text
from sequences_mcp.engine.inbound.parsing import parse_inbound

HARD, DELAYED = InboundKind.HARD_BOUNCE, InboundKind.DELAYED
OF_PEOPLE = frozenset({InboundKind.REPLY, InboundKind.OPT_OUT})


def kind_of(item: CorpusItem) -> InboundKind:
    return judge_inbound(parse_inbound(item.data)).kind


RETURNED = [item for item in bounces() if item.kind in OF_MAILERS]


def test_there_are_reports_of_many_systems_and_languages() -> None:
    assert len(RETURNED) >= 300
    assert len({item.name.partition(",")[0].partition(":")[0] for item in RETURNED}) >= 60
    assert len({item.data for item in bounces()}) == len(bounces())


def test_nearly_no_report_is_taken_for_a_person() -> None:
    lost = [item.name for item in RETURNED if kind_of(item) in OF_PEOPLE]
    assert len(lost) <= 0.03 * len(RETURNED), lost


def test_nearly_no_report_is_taken_for_some_automatic_reply() -> None:
    lost = [item.name for item in RETURNED if kind_of(item) not in OF_MAILERS]
    assert len(lost) <= 0.03 * len(RETURNED), lost


def test_no_address_is_given_up_that_may_exist() -> None:
    assert [item.name for item in bounces() if item.kind is not HARD and kind_of(item) is HARD] == []


def test_most_addresses_that_do_not_exist_are_known_to_be_gone() -> None:
    hard = [item for item in RETURNED if item.kind is HARD]
    missed = [item.name for item in hard if kind_of(item) is not HARD]
    assert len(missed) <= 0.1 * len(hard), missed


def test_a_notice_that_something_is_late_is_no_bounce() -> None:
    late = [item for item in RETURNED if item.kind is DELAYED]
    assert [item.name for item in late if kind_of(item) is not DELAYED] == []


def disguised(data: bytes, sender: str) -> bytes:
    """Return a report as a gateway passes it on: without its marks, by somebody else."""
    bare = re.sub(rb"(?im)^(?:return-path|auto-submitted): .*\r\n", b"", data)
    return re.sub(rb"(?im)^From: .*\r\n", f"From: {sender}\r\n".encode(), bare, count=1)


@pytest.mark.parametrize(
    "sender", ["System <noreply@acme.example>", "mail@acme.example", "Bob <bob@acme.example>"]
)
def test_a_report_is_one_whoever_sends_it_and_whatever_marks_were_lost(sender: str) -> None:
    kinds = {item.name: judge_inbound(parse_inbound(disguised(item.data, sender))).kind for item in RETURNED}
    lost = [name for name, kind in kinds.items() if kind not in OF_MAILERS]
    assert len(lost) <= 0.03 * len(RETURNED), lost


def test_a_report_in_unicode_is_one() -> None:
    report = next(item.data for item in bounces() if "message/delivery-status" in item.data.decode("utf-8"))
    global_report = report.replace(b"message/delivery-status", b"message/global-delivery-status")
    assert judge_inbound(parse_inbound(global_report)).kind is HARD


def test_a_complaint_without_a_report_is_one() -> None:
    data = attached(
        SENT,
        words="This is a complaint by one of our users.",
        sender="staff@mail.example",
        subject="complaint about message from 192.0.2.7",
    )
    assert judge_inbound(parse_inbound(data)).kind is InboundKind.COMPLAINT


@pytest.mark.parametrize("local", ["postmaster", "mta", "system"])
def test_a_person_may_have_the_address_of_a_mailer(local: str) -> None:
    sender = f"{local}@acme.example"
    assert judge_inbound(parse_inbound(reply(SENT, "Yes, gladly.", sender=sender))).kind is InboundKind.REPLY


def test_an_absence_with_an_empty_return_path_is_one() -> None:
    data = reply(SENT, "I am away until 4 December.", more="Return-Path: <>")
    assert judge_inbound(parse_inbound(data)).kind is InboundKind.AWAY


def test_a_report_names_our_message_or_at_least_our_recipient() -> None:
    ours = SENT.message_id.strip("<>")
    for item in RETURNED:
        message = parse_inbound(item.data)
        if item.names_ours:
            assert ours in message.own_ids, item.name
        assert SENT.recipient in (judge_inbound(message).addresses or message.addresses), item.name


# Machines that are no mailers


def test_an_absence_is_one_whatever_program_sends_it_and_ends_on_the_day_that_it_names() -> None:
    assert len(absences()) >= 150
    wrong = [item.name for item in absences() if kind_of(item) is not InboundKind.AWAY]
    wrong += [
        f"{item.name}: {until:%Y-%m-%d}"
        for item in absences()
        if f"{(until := away_until(parse_inbound(item.data).text, AT)):%Y-%m-%d}" != item.until
    ]
    assert wrong == []


def test_tickets_challenges_and_receipts_are_automatic() -> None:
    assert [item.name for item in machines() if kind_of(item) is not InboundKind.AUTOMATIC] == []


# People


def said(item: ReplyItem) -> str:
    return new_text(parse_inbound(item.data).text, ("\n\n".join(item.ours), item.subject))


def words(text: str) -> str:
    return " ".join(text.split())


def test_what_somebody_writes_is_kept_and_what_they_quote_of_ours_is_not() -> None:
    assert len(replies()) == 210
    for item in replies():
        text = words(said(item))
        assert kind_of_reply(item) is InboundKind.REPLY, item.name
        assert all(words(answer) in text for answer in item.answers), item.name
        assert not any(words(line) in text for line in (*item.ours[:2], item.ours[3])), item.name


def kind_of_reply(item: ReplyItem) -> InboundKind:
    return judge_inbound(parse_inbound(item.data)).kind


def test_our_own_line_about_stopping_is_never_an_opt_out() -> None:
    assert [item.name for item in replies() if is_opt_out(said(item), f"Re: {item.subject}")] == []


def test_whatever_program_quotes_it_the_line_that_the_product_offers_is_never_an_opt_out() -> None:
    assert len(further_replies()) >= 200
    for item in further_replies():
        assert kind_of_reply(item) is InboundKind.REPLY, item.name
        assert not is_opt_out(said(item), f"Re: {item.subject}", offered=offered_answers(item.ours)), item.name
        assert all(words(answer) in words(said(item)) for answer in item.answers), item.name


def test_an_opt_out_is_heard_in_every_language() -> None:
    assert len(opt_outs()) >= 80
    assert [item.name for item in opt_outs() if not is_opt_out(said(item))] == []
    assert [item.name for item in opt_outs() if kind_of_reply(item) is not InboundKind.REPLY] == []


def test_words_of_an_opt_out_about_something_else_are_none() -> None:
    assert len(no_opt_outs()) >= 80
    assert [item.name for item in no_opt_outs() if is_opt_out(said(item))] == []


def test_somebody_who_tells_of_an_absence_and_answers_is_a_person() -> None:
    assert [item.name for item in present() if kind_of_reply(item) is not InboundKind.REPLY] == []


@pytest.mark.parametrize("is_html", [False, True], ids=["plain", "HTML"])
def test_a_text_is_read_in_the_charset_that_it_is_in_whatever_its_header_says(is_html: bool) -> None:
    texts = {(item.text, item.named): parse_inbound(in_charset(item, html=is_html)).text for item in CHARSETS}
    assert {key: words(text) for key, text in texts.items()} == {key: words(key[0]) for key in texts}


def test_the_corpus_has_more_than_six_hundred_messages() -> None:
    everything = [item.data for item in (*bounces(), *machines())]
    everything += [item.data for item in absences()]
    everything += [item.data for item in replies()]
    everything += [item.data for item in (*opt_outs(), *no_opt_outs(), *present())]
    assert len(set(everything)) >= 900


# The samples of docs/samples

DOCS = Path(__file__).parents[2] / "docs"
ROW = re.compile(r"^\| \[([\w.-]+)\]\(\1\) \| (\w+) \|", re.MULTILINE)
DOCUMENTED = ROW.findall((DOCS / "samples" / "README.md").read_text("utf-8"))


def test_each_sample_is_in_its_table_and_each_kind_has_one() -> None:
    assert {name for name, _ in DOCUMENTED} == {path.name for path in (DOCS / "samples").glob("*.eml")}
    assert {kind for _, kind in DOCUMENTED} == {kind.value for kind in InboundKind}


@pytest.mark.parametrize(("name", "kind"), DOCUMENTED)
def test_a_sample_is_what_its_table_says(name: str, kind: str) -> None:
    message = parse_inbound((DOCS / "samples" / name).read_bytes())
    text = new_text(message.text, ("\n\n".join(replies()[0].ours), SENT.subject))
    judged = judge_inbound(message).kind
    is_theirs = judged is InboundKind.REPLY and is_opt_out(text)
    assert (InboundKind.OPT_OUT if is_theirs else judged).value == kind
    assert SENT.message_id.strip("<>") in message.own_ids
