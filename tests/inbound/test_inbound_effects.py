"""What follows from a message that came in, row by row, on a real database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from tests.world.engine import EMAIL, LATER, SENDER, START, EngineWorld, FakeDelivery
from tests.world.inbound_mail import AT, Sent, complaint, raw, reply, report

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.blueprint import ReplyRules, Sourcing
from sequences_mcp.domain.run import Run, SequenceStatus, StepState
from sequences_mcp.engine.channels.replies import provider_ids
from sequences_mcp.engine.inbound.effects import hold_after_fault, incoming, resolve_named, take_in_message
from sequences_mcp.errors import DeliveryUnknownError
from sequences_mcp.ports.embedded import ReplyFilter

S = SequenceStatus
LOST = DeliveryUnknownError("The connection was lost.", next_step="Look.")
FOLLOW_UP = LATER.model_copy(update={"content": "Only a second word. Reply STOP or unsubscribe here."})


async def started(
    world: EngineWorld, address: str = "bob@acme.example", *, after: Exception | None = None
) -> Sent:
    """Send the first of two e-mails to somebody and return it."""
    blueprint = await world.blueprint(EMAIL, FOLLOW_UP)
    await world.approved(await world.contact(address), blueprint=blueprint)
    delivery = FakeDelivery(after=after)
    world.worker(delivery).run_due()
    message = delivery.messages[-1]
    return Sent(message_id=message.message_id, recipient=address, subject="Hi", text="Hello there.")


def comes(world: EngineWorld, data: bytes) -> str | None:
    """Let a message come in."""
    item = incoming(data, arrived_at=world.clock.now)
    with world.store.transaction() as work:
        return take_in_message(work, item, address=SENDER.address, now=world.clock.now)


async def run_of(world: EngineWorld, address: str = "bob@acme.example") -> Run:
    return next(run for run in await world.runs() if run.steps[0].recipient == address)


async def listed(world: EngineWorld) -> dict[str, str]:
    page = await world.local.records.list_suppressed(page=1, size=50)
    return {one.value: one.reason for one in page.items}


def leaves(world: EngineWorld, **span: float) -> int:
    """Return how many e-mails leave once so much time has passed."""
    world.clock.forward(**span)
    delivery = FakeDelivery()
    world.worker(delivery).run_due()
    return len(delivery.messages)


async def test_a_persons_reply_ends_the_run_as_succeeded(world: EngineWorld) -> None:
    sent = await started(world)
    assert comes(world, reply(sent, "Yes, gladly.")) == "the run succeeded"
    run = await run_of(world)
    assert (run.status, run.steps[1].state) == (S.SUCCEEDED, StepState.CANCELLED)
    assert leaves(world, days=5) == 0
    [row] = world.received(run.id)
    assert (row.kind, row.basis, row.text, row.key) == ("reply", "message_id", "Yes, gladly.", run.steps[0].key)


@pytest.mark.parametrize("quoted", [True, False])
async def test_a_name_of_ten_thousand_letters_does_not_hide_who_answered(
    world: EngineWorld, *, quoted: bool
) -> None:
    sent = await started(world)
    name = "Bob " * 2_500
    data = reply(sent, "Yes, gladly.", refers=False)
    long = data.replace(b"From: Bob Miller", f'From: "{name}"'.encode() if quoted else f"From: {name}".encode())
    assert len(long) > len(data) + 9_000
    assert comes(world, long) == "the run succeeded"
    [row] = world.received((await run_of(world)).id)
    assert row.sender == "bob@acme.example"


async def test_a_message_is_acted_on_once_whoever_reads_it(world: EngineWorld) -> None:
    sent = await started(world)
    data = reply(sent, "Yes.")
    assert comes(world, data) is not None
    assert comes(world, data) is None
    assert len(world.received((await run_of(world)).id)) == 1


async def test_a_reply_without_references_is_known_by_the_address_of_one_live_run(world: EngineWorld) -> None:
    sent = await started(world)
    assert comes(world, reply(sent, "Sure", refers=False)) == "the run succeeded"
    assert (await run_of(world)).status is S.SUCCEEDED


async def test_a_reply_under_the_id_that_the_mail_server_gave_is_known(world: EngineWorld) -> None:
    sent = await started(world)
    run = await run_of(world)
    given = "0102018f2f9a1b7c-1f2e3d4c-5b6a-4988-8776-655443322110-000000"
    world.store.inbound.keep_provider_ids(run.steps[0].key, provider_ids(f"250 Ok {given}"))
    data = reply(sent, "Yes", refers=False, more=f"References: <{given}@eu-west-1.amazonses.com>")
    assert comes(world, data) == "the run succeeded"
    [row] = world.received(run.id)
    assert row.basis == "provider_id"


async def test_a_forged_id_of_ours_is_not_ours(world: EngineWorld) -> None:
    await started(world)
    forged = Sent(message_id="<aaaabbbbccccddddeeeeffffgggghhhh@example.com>", recipient="stranger@else.example")
    assert comes(world, reply(forged, "unsubscribe")) is None
    assert comes(world, report(forged, status="5.1.1")) is None
    assert (await run_of(world)).status is S.ACTIVE
    assert not await listed(world)


async def test_a_strangers_message_is_nobodys(world: EngineWorld) -> None:
    sent = await started(world)
    assert comes(world, reply(sent, "Buy now", sender="shop@else.example", refers=False, subject="Offers")) is None
    assert (await run_of(world)).status is S.ACTIVE


async def test_what_somebody_writes_to_a_mailing_list_is_no_answer(world: EngineWorld) -> None:
    sent = await started(world)
    assert (
        comes(world, reply(sent, "Hello all", refers=False, subject="News", more="List-Id: <dev.lists.example>"))
        is None
    )
    assert (await run_of(world)).status is S.ACTIVE


async def test_our_own_e_mail_in_the_inbox_changes_nothing(world: EngineWorld) -> None:
    sent = await started(world)
    assert comes(world, raw(sent.headers, sent.text)) is None
    assert (await run_of(world)).status is S.ACTIVE


async def test_our_own_e_mail_is_known_when_its_server_wrote_another_sender(world: EngineWorld) -> None:
    sent = await started(world)
    assert comes(world, raw(sent.headers.replace("ada@example.com", "ada@mail.example"), sent.text)) is None
    assert (await run_of(world)).status is S.ACTIVE


@pytest.mark.parametrize("subject", ["Urlaub planen", "Out of office, covered", "Absent: a new way"])
async def test_an_answer_is_an_answer_where_our_own_subject_sounds_like_an_automatic_reply(
    world: EngineWorld, subject: str
) -> None:
    first = EMAIL.model_copy(update={"subject": subject})
    await world.approved(await world.contact("bob@acme.example"), blueprint=await world.blueprint(first, LATER))
    delivery = FakeDelivery()
    world.worker(delivery).run_due()
    sent = Sent(message_id=delivery.messages[-1].message_id, recipient="bob@acme.example", subject=subject)
    assert comes(world, reply(sent, "Gladly.", subject=f"Automatic reply: {subject}")) != "the run succeeded"
    assert comes(world, reply(sent, "Yes, gladly.", subject=f"Re: {subject}")) == "the run succeeded"


async def test_an_answer_that_the_program_fails_on_holds_its_run(world: EngineWorld) -> None:
    sent = await started(world)
    item = incoming(reply(sent, "Yes, gladly."), arrived_at=world.clock.now)
    with world.store.transaction() as work:
        said = hold_after_fault(work, item, address=SENDER.address, now=world.clock.now)
    assert said == "held for a person"
    assert (await run_of(world)).steps[1].state is StepState.HELD
    assert leaves(world, days=30) == 0


async def test_somebody_else_at_the_company_is_shown_and_changes_nothing(world: EngineWorld) -> None:
    sent = await started(world)
    effect = comes(
        world, reply(sent, "Bob has left us.", sender="carol@acme.example", refers=False, subject="Re: Hi")
    )
    assert effect == "shown: from somebody else at the company"
    assert (await run_of(world)).status is S.ACTIVE


async def test_a_reply_from_an_address_that_is_not_known_as_theirs_holds_the_run_and_is_shown(
    world: EngineWorld,
) -> None:
    sent = await started(world)
    assert comes(world, reply(sent, "Yes", sender="bob@home.example")) == "held for a person"
    run = await run_of(world)
    assert (run.status, run.steps[1].state) == (S.WAITING_FOR_USER, StepState.HELD)
    page = world.store.inbound.page(ReplyFilter(waiting=True))
    assert [(one.kind, one.sender, one.text) for one in page.items] == [("unmatched", "bob@home.example", "Yes")]
    assert leaves(world, days=5) == 0


async def test_a_reply_from_an_address_that_the_contact_had_before_ends_the_run(world: EngineWorld) -> None:
    sent = await started(world)
    run = await run_of(world)
    await world.contact("bob@new.example", of=run.contact_id)
    assert comes(world, reply(sent, "Yes", sender="bob@new.example")) == "the run succeeded"


async def test_a_colleague_who_quotes_our_e_mail_does_not_end_the_run(world: EngineWorld) -> None:
    sent = await started(world)
    forwarded = f"Bob showed me this.\n\n> Message-ID: {sent.message_id}\n> Hello there."
    data = reply(sent, forwarded, sender="carol@acme.example", refers=False, subject="Fwd: Hi")
    assert comes(world, data) == "held for a person"
    assert (await run_of(world)).status is S.WAITING_FOR_USER


async def test_a_mailing_list_that_quotes_our_e_mail_does_not_end_the_run(world: EngineWorld) -> None:
    sent = await started(world)
    data = reply(sent, "Look at that", sender="dev@lists.example", more="List-Id: <dev.lists.example>")
    assert comes(world, data) == "held for a person"
    assert (await run_of(world)).status is S.WAITING_FOR_USER


async def test_somebody_else_who_asks_not_to_be_written_to_is_not_and_the_contact_is_left_to_a_person(
    world: EngineWorld,
) -> None:
    sent = await started(world)
    data = reply(sent, "Please remove me from your list.", sender="carol@acme.example")
    assert comes(world, data) == "held for a person"
    assert await listed(world) == {"carol@acme.example": "opted out by e-mail"}
    assert (await run_of(world)).status is S.WAITING_FOR_USER


def at(world: EngineWorld, data: bytes, arrived: datetime) -> str | None:
    """Let a message come in that its server took at an instant."""
    with world.store.transaction() as work:
        item = incoming(data, arrived_at=arrived)
        return take_in_message(work, item, address=SENDER.address, now=world.clock.now)


def dated(data: bytes, when: datetime) -> bytes:
    return data.replace(f"Date: {format_datetime(AT)}".encode(), f"Date: {format_datetime(when)}".encode())


@pytest.mark.parametrize("before", [timedelta(hours=1), timedelta(days=20)])
async def test_a_mail_that_is_older_than_the_first_e_mail_is_no_answer_to_it(
    world: EngineWorld, before: timedelta
) -> None:
    sent = await started(world)
    old = world.clock.now - before
    assert at(world, dated(reply(sent, "About last year", refers=False), old), old) is None
    assert (await run_of(world)).status is S.ACTIVE
    assert leaves(world, days=4) == 1


@pytest.mark.parametrize(
    ("arrived", "written"),
    [(timedelta(minutes=3), timedelta(minutes=3)), (timedelta(0), timedelta(days=9))],
    ids=["minutes before it", "moved into this mailbox today"],
)
async def test_a_mail_that_may_be_older_than_the_first_e_mail_is_held_for_a_person(
    world: EngineWorld, arrived: timedelta, written: timedelta
) -> None:
    sent = await started(world)
    data = dated(reply(sent, "Hello", refers=False), world.clock.now - written)
    assert at(world, data, world.clock.now - arrived) == "held for a person"
    assert leaves(world, days=4) == 0


async def test_an_answer_to_our_e_mail_counts_whatever_its_date_says(world: EngineWorld) -> None:
    sent = await started(world)
    data = dated(reply(sent, "Yes"), world.clock.now - timedelta(days=900))
    assert at(world, data, world.clock.now - timedelta(days=1)) == "the run succeeded"


async def two_at_one_address(world: EngineWorld) -> dict[str, Sent]:
    """Begin two runs, one for an address that the person of the other has by now."""
    sent = {address: await started(world, address) for address in ("bob@acme.example", "bob@home.example")}
    await world.contact("bob@new.example", of=(await run_of(world)).contact_id)
    await world.contact("bob@acme.example", of=(await run_of(world, "bob@home.example")).contact_id)
    return sent


async def test_an_answer_that_names_no_e_mail_holds_every_run_that_it_may_be_about(world: EngineWorld) -> None:
    sent = await two_at_one_address(world)
    said = comes(world, reply(sent["bob@acme.example"], "Sure", refers=False))
    assert said is not None
    assert said.startswith("held for a person: ")
    assert [run.status for run in await world.runs()] == [S.WAITING_FOR_USER] * 2
    assert leaves(world, days=9) == 0


async def test_an_answer_that_names_an_e_mail_ends_its_run_and_holds_their_others(
    world: EngineWorld,
) -> None:
    sent = await two_at_one_address(world)
    comes(world, reply(sent["bob@home.example"], "Sure"))
    assert (await run_of(world, "bob@home.example")).status is S.SUCCEEDED
    assert (await run_of(world)).status is S.WAITING_FOR_USER


async def test_an_empty_return_path_alone_makes_no_automatic_reply_of_a_persons(world: EngineWorld) -> None:
    sent = await started(world)
    assert comes(world, reply(sent, "Thanks, we got it.", more="Return-Path: <>")) == "the run succeeded"


async def test_a_reply_to_a_run_that_is_over_is_noted(world: EngineWorld) -> None:
    sent = await started(world)
    comes(world, reply(sent, "Yes"))
    assert comes(world, reply(sent, "And one more thing.")) == "noted: the run is over"


async def test_an_opt_out_ends_all_runs_and_the_address_is_never_written_to_again(world: EngineWorld) -> None:
    sent = await started(world)
    assert comes(world, reply(sent, "Please remove me from your list.")) == "never written to again"
    assert (await run_of(world)).status is S.STOPPED_EARLY
    assert await listed(world) == {"bob@acme.example": "opted out by e-mail"}


async def test_our_own_line_about_stopping_is_no_opt_out(world: EngineWorld) -> None:
    blueprint = await world.blueprint(
        FOLLOW_UP.model_copy(update={"temporality_type": EMAIL.temporality_type, "delay": None}), LATER
    )
    await world.approved(await world.contact("bob@acme.example"), blueprint=blueprint)
    delivery = FakeDelivery()
    world.worker(delivery).run_due()
    sent = Sent(message_id=delivery.messages[0].message_id, recipient="bob@acme.example", subject="Hi")
    comes(world, reply(sent, "Tell me more.\n\nAda wrote:\nOnly a second word. Reply STOP or unsubscribe here.\n"))
    assert (await run_of(world)).status is S.SUCCEEDED
    assert not await listed(world)


async def test_somebody_away_is_not_written_to_before_the_day_they_name_and_then_is(world: EngineWorld) -> None:
    sent = await started(world)
    away = reply(sent, "I am out of the office until 30 November.", more="Auto-Submitted: auto-replied")
    assert comes(world, away) == "waits until 2026-11-30 00:00 UTC"
    run = await run_of(world)
    assert (run.status, run.paused_until) == (S.WAITING_FOR_LEAD, datetime(2026, 11, 30, tzinfo=UTC))
    assert leaves(world, days=5) == 0
    assert leaves(world, days=2) == 1


async def test_a_pause_that_a_person_asked_for_is_not_shortened(world: EngineWorld) -> None:
    sent = await started(world)
    run = await run_of(world)
    until = world.clock.now + timedelta(days=13)
    await world.local.pause_sequence(run.id, until=until)
    comes(
        world, reply(sent, "Out until 30 November.", subject="Out of office", more="Auto-Submitted: auto-replied")
    )
    assert (await run_of(world)).paused_until == until


async def test_an_automatic_reply_of_another_kind_changes_nothing(world: EngineWorld) -> None:
    sent = await started(world)
    assert (
        comes(world, reply(sent, "We got it.", more="Auto-Submitted: auto-generated"))
        == "noted: an automatic message"
    )
    assert leaves(world, days=4) == 1


@pytest.mark.parametrize(
    ("text", "more", "reason"),
    [
        (
            "Bob no longer works here. Write to carol@acme.example.",
            "Auto-Submitted: auto-replied",
            "no longer works",
        ),
        (
            "I no longer work at Acme. This mailbox is not read, please contact Carol.",
            "",
            "no longer works",
        ),
        ("Your request has been logged as case 4711.", "", "bears no mark"),
    ],
)
async def test_an_automatic_message_that_may_mean_more_holds_the_run_for_a_person(
    world: EngineWorld, text: str, more: str, reason: str
) -> None:
    sent = await started(world)
    assert comes(world, reply(sent, text, more=more)) == "held for a person"
    run = await run_of(world)
    assert run.status not in (S.SUCCEEDED, S.FAILED)
    assert any(reason in (step.reason or "") for step in run.steps)
    assert leaves(world, days=4) == 0
    assert not await listed(world)


async def test_a_hard_bounce_after_the_acceptance_fails_the_run_and_suppresses_the_address(
    world: EngineWorld,
) -> None:
    sent = await started(world)
    comes(world, report(sent, status="5.1.1", diagnostic="smtp; 550 5.1.1 User unknown"))
    run = await run_of(world)
    assert (run.status, run.steps[0].state) == (S.FAILED, StepState.SENT)
    assert run.reason == "the e-mail came back: its address does not exist (5.1.1)"
    assert await listed(world) == {"bob@acme.example": f"bounced: {run.reason}"}


@pytest.mark.parametrize("status", ["5.1.8", "5.2.2", "5.7.1", "4.4.1"])
async def test_a_soft_bounce_is_noted_and_the_third_holds(world: EngineWorld, status: str) -> None:
    sent = await started(world)
    for number in range(3):
        assert (await run_of(world)).status is S.ACTIVE
        comes(world, report(sent, status=status, more=f"X-Number: {number}\n"))
    run = await run_of(world)
    assert (run.status, run.steps[1].state) == (S.WAITING_FOR_USER, StepState.HELD)
    assert not await listed(world)


async def test_a_report_about_an_address_that_ours_was_forwarded_to_holds_and_suppresses_nobody(
    world: EngineWorld,
) -> None:
    sent = await started(world)
    data = report(sent, status="5.1.1")
    for header in (b"Final-Recipient", b"Original-Recipient"):
        data = data.replace(header + b": rfc822; bob@acme.example", header + b": rfc822; old.private@home.example")
        data = data.replace(header + b": rfc822;bob@acme.example", header + b": rfc822;old.private@home.example")
    assert comes(world, data) == "held for a person"
    assert not await listed(world)
    assert leaves(world, days=30) == 0


async def test_a_report_that_names_only_the_address_holds_and_suppresses_nobody(world: EngineWorld) -> None:
    await started(world)
    other = Sent(message_id="<unrelated@else.example>", recipient="bob@acme.example")
    assert comes(world, report(other, status="5.1.1")) == "held for a person"
    assert (await run_of(world)).status is S.WAITING_FOR_USER
    assert not await listed(world)


async def test_a_complaint_suppresses(world: EngineWorld) -> None:
    sent = await started(world)
    assert comes(world, complaint(sent)) == "never written to again"
    assert (await run_of(world)).status is S.STOPPED_EARLY
    assert await listed(world) == {"bob@acme.example": "marked an e-mail as spam"}


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (lambda sent: reply(sent, "Yes"), S.SUCCEEDED),
        (lambda sent: reply(sent, "We got it", more="Auto-Submitted: auto-generated"), S.ACTIVE),
        (lambda sent: report(sent, status="4.4.1", action="delayed"), S.ACTIVE),
        (lambda sent: report(sent, status="5.1.1"), S.FAILED),
    ],
    ids=["a reply", "an automatic one", "a delay", "a bounce"],
)
async def test_whatever_names_an_e_mail_of_unknown_outcome_says_that_it_was_sent(
    world: EngineWorld, data: Callable[[Sent], bytes], status: SequenceStatus
) -> None:
    sent = await started(world, after=LOST)
    assert (await run_of(world)).steps[0].state is StepState.UNKNOWN
    comes(world, data(sent))
    run = await run_of(world)
    assert (run.status, run.steps[0].state) == (status, StepState.SENT)


async def test_an_answer_that_comes_before_the_servers_own_resolves_it_afterwards(world: EngineWorld) -> None:
    blueprint = await world.blueprint(EMAIL, FOLLOW_UP)
    await world.approved(await world.contact("bob@acme.example"), blueprint=blueprint)
    came: list[str | None] = []

    class FakeSlow(FakeDelivery):
        """A server whose answer is lost after the contact has answered."""

        def __call__(self, message, *, before_dot):  # type: ignore[no-untyped-def]
            before_dot()
            came.append(
                comes(world, reply(Sent(message_id=message.message_id, recipient="bob@acme.example"), "Fine"))
            )
            raise LOST

    world.worker(FakeSlow()).run_due()
    assert came == ["the run succeeded"]
    assert (await run_of(world)).steps[0].state is StepState.UNKNOWN
    with world.store.transaction() as work:
        assert resolve_named(work, now=world.clock.now) == 1
    run = await run_of(world)
    assert (run.status, run.steps[0].state) == (S.SUCCEEDED, StepState.SENT)


async def begun_under(world: EngineWorld, *addresses: str, **rules: object) -> dict[str, Sent]:
    """Send the first e-mail to each of these people from a blueprint with these rules for answers."""
    blueprint = await world.local.create_blueprint(
        name="Rules", steps=[EMAIL, FOLLOW_UP], sourcing=Sourcing(), replies=ReplyRules.model_validate(rules)
    )
    await world.approved(*[await world.contact(address) for address in addresses], blueprint=blueprint)
    delivery = FakeDelivery()
    world.worker(delivery).run_due()
    return {
        one.recipient: Sent(message_id=one.message_id, recipient=one.recipient, subject="Hi")
        for one in delivery.messages
    }


async def test_where_the_blueprint_says_hold_an_answer_holds_the_run(world: EngineWorld) -> None:
    sent = await begun_under(world, "bob@acme.example", on_reply="hold")
    assert comes(world, reply(sent["bob@acme.example"], "Yes")) == "held for a person"
    run = await run_of(world)
    assert (run.status, run.steps[1].reason) == (S.WAITING_FOR_USER, "the contact answered")


async def test_where_the_blueprint_says_continue_the_run_goes_on_but_for_an_opt_out(world: EngineWorld) -> None:
    sent = await begun_under(world, "bob@acme.example", "eve@other.example", on_reply="continue")
    assert comes(world, reply(sent["bob@acme.example"], "Yes")) == "noted: its blueprint goes on after an answer"
    assert (
        comes(world, reply(sent["eve@other.example"], "Please remove me from your list."))
        == "never written to again"
    )
    assert leaves(world, days=4) == 1


async def test_an_answer_holds_the_companys_runs_where_the_blueprint_says_so(world: EngineWorld) -> None:
    people = ("bob@acme.example", "carol@acme.example", "eve@other.example")
    sent = await begun_under(world, *people, stop_company=True)
    said = comes(world, reply(sent["bob@acme.example"], "Yes"))
    carol = await run_of(world, "carol@acme.example")
    assert said == f"the run succeeded; held for a person: {carol.id}"
    assert carol.steps[1].reason == "somebody at the same company answered"
    assert (await run_of(world, "eve@other.example")).status is S.ACTIVE


async def test_a_mailbox_rests_above_one_complaint_in_a_thousand_and_stops_at_three(world: EngineWorld) -> None:
    people = [f"person{number}@acme{number}.example" for number in range(6)]
    sent = await begun_under(world, *people)
    mailbox = world.store.mailboxes

    def opens() -> tuple[bool, str]:
        world.clock.forward(seconds=1)
        at, why = mailbox.opens(SENDER.address, limits=world.terms.limits, now=world.clock.now) or (START, "")
        return at > world.clock.now, why

    comes(world, complaint(sent[people[0]]))
    assert not opens()[0]
    comes(world, complaint(sent[people[1]]))
    assert opens() == (True, "the mailbox rests for a day: 2 of its last 1,000 e-mails were marked as spam")
    world.clock.forward(days=1)
    assert not opens()[0]
    comes(world, complaint(sent[people[2]]))
    world.clock.forward(days=2)
    stopped, why = opens()
    assert stopped
    assert why.startswith("the mailbox has stopped until a person lets it go on: 3 of its last 1,000 e-mails")
    assert leaves(world, days=1) == 0
    mailbox.clear_complaints(SENDER.address, actor=Actor("terminal"), now=world.clock.now)
    assert leaves(world, days=1) == 3


async def test_the_ids_that_a_server_names_are_read_out_of_its_acceptance() -> None:
    assert provider_ids("250 2.0.0 OK <AS8PR01MB1@AS8PR01MB1.eurprd01.prod.outlook.com> [Hostname=AS8]") == (
        "as8pr01mb1@as8pr01mb1.eurprd01.prod.outlook.com",
    )
    assert provider_ids("250 2.0.0 Ok: queued as 4F2A1C") == ()
