"""What a refusal of the mailbox costs: one try, a rest that all processes keep, and nobody's sequence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from aiosmtpd.smtp import AuthResult
from tests.secrecy import planted
from tests.world.engine import EMAIL, LATER, START, EngineWorld, FakeDelivery
from tests.world.mail_servers import CALM, Running, free_port, mail_server
from tests.world.stores import open_store

from sequences_mcp.domain.run import SequenceStatus, StepState
from sequences_mcp.engine.channels import smtp
from sequences_mcp.engine.channels.mail_server import MailServer, Security
from sequences_mcp.engine.channels.message import ComposedMessage, Receipt
from sequences_mcp.engine.worker import SEVERAL, Worker

ADA = "ada@example.com"
OURS = {
    "Gmail's daily limit": {"RCPT": "550 5.4.5 Daily user sending limit exceeded."},
    "relay denied": {"RCPT": "554 5.7.1 <p@example.org>: Relay access denied"},
    "unauthenticated sender": {
        "dot": "550 5.7.26 This mail has been blocked because the sender is unauthenticated."
    },
    "may not send as": {"dot": "550 5.7.60 SMTP; Client does not have permissions to send as this sender"},
    "SendAsDenied": {"dot": "554 5.2.252 SendAsDenied; ada@example.com not allowed to send as eve@example.com"},
    "a server out of order": {"dot": "500 Error: (FileNotFoundError) [Errno 2] No such file or directory"},
    "account suspended": {"MAIL": "550 5.7.1 account suspended"},
    "too many connections": {"greeting": "421 4.7.0 Too many concurrent connections"},
    "no words at all": {"RCPT": "550 no"},
    "spam": {"dot": "554 5.7.1 Spam message rejected"},
    "no storage": {"dot": "452 4.3.1 Insufficient system storage"},
    "never explained": {"dot": "554 Transaction failed"},
    "sign in first": {"MAIL": "530 5.7.0 Authentication required"},
}


async def started(world: EngineWorld, count: int = 8) -> None:
    people = [await world.contact(f"p{number}@example.org") for number in range(count)]
    await world.approved(*people, blueprint=await world.blueprint(EMAIL, LATER))


def over_smtp(world: EngineWorld, running: Running) -> Worker:
    return world.worker(partial(smtp.deliver_by_smtp, running.server(), timeouts=CALM))


async def statuses(world: EngineWorld) -> set[SequenceStatus]:
    return {run.status for run in await world.runs()}


@pytest.mark.parametrize("script", OURS.values(), ids=OURS.keys())
async def test_a_refusal_of_us_fails_nobody_is_tried_once_and_sends_go_on_by_themselves(
    world: EngineWorld, script: dict[str, str]
) -> None:
    await started(world)
    with mail_server(script) as running:
        worker = over_smtp(world, running)
        for _ in range(10):
            worker.run_due()
        assert await statuses(world) == {SequenceStatus.ACTIVE}
        assert running.inbox.commands.count("EHLO") <= 1  # one connection
        running.inbox.script.clear()
        world.clock.forward(minutes=1)
        worker.run_due()
    assert len({envelope.rcpt_tos[0] for envelope in running.inbox.taken}) == 8 == len(running.inbox.taken)
    assert world.store.mailboxes.resting(ADA, now=world.clock.now) is None


async def test_a_wrong_password_is_tried_once_a_rest_and_the_rest_doubles_to_an_hour(world: EngineWorld) -> None:
    await started(world)

    def no(*_: object) -> AuthResult:
        return AuthResult(success=False, handled=False, message="535 5.7.8 Username and Password not accepted")

    with mail_server({}, auth_require_tls=False, authenticator=no) as running:
        server = running.server(Security.PLAIN, username="ada", password=planted.SMTP_PASSWORD.value)
        worker = world.worker(partial(smtp.deliver_by_smtp, server, timeouts=CALM))
        rests = []
        for tried in range(1, 9):
            for _ in range(5):
                worker.run_due()
            assert running.inbox.commands.count("AUTH") == tried
            rest = world.store.mailboxes.resting(ADA, now=world.clock.now)
            assert rest is not None
            rests.append((rest.until - world.clock.now) / timedelta(minutes=1))
            world.clock.now = rest.until - timedelta(seconds=1)
            assert worker.run_due() == 0
            world.clock.forward(seconds=1)
    assert rests == [1, 2, 4, 8, 16, 32, 60, 60]
    assert await statuses(world) == {SequenceStatus.ACTIVE}


async def test_every_process_keeps_the_rest_that_one_of_them_began(world: EngineWorld) -> None:
    await started(world)
    with mail_server({"MAIL": "550 5.7.1 account suspended"}) as running:
        for _ in range(5):
            with open_store(world.store.workspace.folder, now=START) as own:
                other = EngineWorld(world.folder, own, world.clock, world.terms)
                over_smtp(other, running).run_due()
    assert running.inbox.commands.count("MAIL") == 1


async def test_while_one_process_tries_a_resting_mailbox_no_other_does(world: EngineWorld) -> None:
    await started(world)
    world.store.mailboxes.refused(ADA, why="421 later", account="", now=START)
    world.clock.forward(minutes=1)
    tried = []

    def deliver(message: ComposedMessage, *, before_dot: Callable[[], None]) -> Receipt:
        tried.append(message)
        assert world.worker(FakeDelivery()).run_due() == 0
        before_dot()
        return Receipt("250 taken")

    world.worker(deliver).run_due(limit=1)
    assert len(tried) == 1


async def test_another_password_ends_the_rest(world: EngineWorld) -> None:
    await started(world, 1)
    world.store.mailboxes.refused(ADA, why="535 wrong", account="old", now=START)
    world.worker().run_due()
    assert (await world.runs())[0].steps[0].state is StepState.SENT


async def test_an_outage_of_seven_hours_holds_nobody_and_sends_go_on_by_themselves(world: EngineWorld) -> None:
    await started(world, 5)
    nowhere = MailServer(host="127.0.0.1", port=free_port(), security=Security.PLAIN)
    away = world.worker(partial(smtp.deliver_by_smtp, nowhere, timeouts=CALM))
    for _ in range(7 * 12):
        away.run_due()
        world.clock.forward(minutes=5)
    runs = await world.runs()
    assert {run.status for run in runs} == {SequenceStatus.ACTIVE}
    assert all(run.steps[0].until is not None for run in runs if run.steps[0].state is StepState.HELD)
    world.clock.forward(hours=1)
    with mail_server() as running:
        over_smtp(world, running).run_due()
    assert len(running.inbox.taken) == 5


async def test_addresses_that_do_not_exist_fail_their_own_people_and_hold_up_nobody(world: EngineWorld) -> None:
    await started(world, 4)
    with mail_server() as running:
        worker = over_smtp(world, running)
        for reply in ("550 5.1.1 no such user", None, "550 5.1.1 no such user", None):
            running.inbox.script.clear()
            running.inbox.script.update({"RCPT": reply} if reply else {})
            worker.run_due(limit=1)
    assert [run.status for run in await world.runs()] == [
        SequenceStatus.FAILED,
        SequenceStatus.ACTIVE,
        SequenceStatus.FAILED,
        SequenceStatus.ACTIVE,
    ]


@pytest.mark.parametrize(
    "reply",
    [
        "550 5.1.1 User unknown",
        "550 5.2.1 disabled",
        "450 4.2.0 x",
        "554 5.6.0 bad",
        "550 5.4.1 Recipient address rejected: Access denied",
    ],
)
async def test_the_same_refusal_of_several_people_counts_as_ours_whatever_it_says(
    world: EngineWorld, reply: str
) -> None:
    await started(world, 8)
    with mail_server({"RCPT": reply}) as running:
        worker = over_smtp(world, running)
        for _ in range(5):
            worker.run_due()
        assert running.inbox.commands.count("RCPT") == SEVERAL
        rest = world.store.mailboxes.resting(ADA, now=world.clock.now)
        assert rest is not None
        assert reply.split()[1] in rest.why
        failed = [run for run in await world.runs() if run.status is SequenceStatus.FAILED]
        assert len(failed) < SEVERAL
        running.inbox.script.clear()
        for _ in range(5):
            world.clock.forward(hours=1)
            worker.run_due()
    assert len(running.inbox.taken) >= 8 - SEVERAL


@pytest.mark.parametrize(
    "reply", ["552 5.3.4 message too big", "554 5.6.0 bad", "550 5.7.1 recipient not authorised"]
)
async def test_whom_a_streak_held_for_a_person_goes_on_by_themselves_once_it_turns_out_to_be_ours(
    world: EngineWorld, reply: str
) -> None:
    await started(world, 8)
    with mail_server({"dot": reply}) as running:
        worker = over_smtp(world, running)
        for _ in range(5):
            worker.run_due()
        assert await statuses(world) == {SequenceStatus.ACTIVE}
        running.inbox.script.clear()
        world.clock.forward(hours=1)
        for _ in range(3):
            worker.run_due()
    assert len({envelope.rcpt_tos[0] for envelope in running.inbox.taken}) == 8 == len(running.inbox.taken)


async def test_whoever_alone_is_refused_without_a_reason_waits_for_a_person(world: EngineWorld) -> None:
    await started(world, 3)

    class OneRefused(FakeDelivery):
        def __call__(self, message: ComposedMessage, *, before_dot: Callable[[], None]) -> Receipt:
            if message.recipient == "p0@example.org":
                running.inbox.script["RCPT"] = "550 5.7.1 Rejected"
            else:
                running.inbox.script.clear()
            return smtp.deliver_by_smtp(running.server(), message, before_dot=before_dot, timeouts=CALM)

    with mail_server() as running:
        worker = world.worker(OneRefused())
        for _ in range(4):
            worker.run_due()
            world.clock.forward(minutes=2)
    first, *others = await world.runs()
    assert (first.status, first.steps[0].state) == (SequenceStatus.WAITING_FOR_USER, StepState.HELD)
    assert "although e-mails to others were accepted" in (first.steps[0].reason or "")
    assert {run.steps[0].state for run in others} == {StepState.SENT}


async def test_a_limit_that_is_met_again_every_day_never_holds_the_same_person(world: EngineWorld) -> None:
    await started(world, 12)
    replies = {"RCPT": "550 5.4.5 Daily user sending limit exceeded"}
    with mail_server() as running:
        worker = over_smtp(world, running)
        for _ in range(6):
            running.inbox.script.clear()
            worker.run_due(limit=1)
            running.inbox.script.update(replies)
            for _ in range(3):
                worker.run_due()
                world.clock.forward(hours=1)
    assert StepState.HELD not in {run.steps[0].state for run in await world.runs() if run.steps[0].until is None}
    assert await statuses(world) == {SequenceStatus.ACTIVE}


async def test_no_notice_is_tried_while_the_mailbox_rests(world: EngineWorld) -> None:
    told: list[int] = []

    def tell() -> bool:
        told.append(1)
        return True

    world.store.mailboxes.refused(ADA, why="535 wrong", account="", now=START)
    worker = world.worker(tell=tell)
    worker.run_due()
    assert told == []
    world.clock.forward(minutes=1)
    worker.run_due()
    assert told == [1]
