"""A follow-up answers the e-mail before it, as a person's would: one conversation in the reader's mail program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from tests.world.engine import EMAIL, LATER, EngineWorld, FakeDelivery
from tests.world.product import GRACE, MAIL, Bureau, yes

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.blueprint import Step, StepConfig
from sequences_mcp.domain.run import Run, StepRun, StepState
from sequences_mcp.engine.channels.message import ComposedMessage, Receipt
from sequences_mcp.engine.channels.replies import provider_message_id
from sequences_mcp.errors import DeliveryDeferredError, DeliveryUnknownError

AMAZON = "0102018f3c1e7a9b-5d2c4e6f-1a2b-4c3d-8e9f-0a1b2c3d4e5f-000000"
AMAZON_SERVER = "smtps://email-smtp.eu-west-1.amazonaws.com:465"
AGAIN = LATER.model_copy(update={"subject": ""})
NEW_THREAD = LATER.model_copy(
    update={"id": "s3", "subject": "Another matter", "config": StepConfig(new_thread=True)}
)
DAY = {"temporalityType": "DELAYED", "delay": {"value": 1, "unit": "day"}}


class FakeServer(FakeDelivery):
    """A mail server that accepts with these words."""

    def __init__(self, reply: str = "250 taken") -> None:
        super().__init__()
        self.reply = reply

    def __call__(self, message: ComposedMessage, *, before_dot: Callable[[], None]) -> Receipt:
        """Accept it."""
        super().__call__(message, before_dot=before_dot)
        return Receipt(self.reply)


def mails(delivery: FakeDelivery) -> list[EmailMessage]:
    return [message_from_bytes(message.data, policy=policy.default) for message in delivery.messages]


def ids(mail: EmailMessage, header: str = "References") -> list[str]:
    return str(mail[header] or "").split()


async def sent(
    world: EngineWorld, *steps: Step, delivery: FakeDelivery | None = None, runs: int = 3
) -> FakeDelivery:
    """Approve a sequence for one person and let everything leave; what has no subject is planned as an answer."""
    planned = [step if step.subject else step.model_copy(update={"subject": "Re: Hi"}) for step in steps]
    await world.approved(await world.contact("a@example.org"), blueprint=await world.blueprint(*planned))
    delivery = delivery or FakeServer()
    for _ in range(runs):
        world.worker(delivery).run_due()
        world.clock.forward(days=3, minutes=1)
    return delivery


async def test_a_follow_up_names_the_e_mails_before_it_the_last_one_as_what_it_answers(world: EngineWorld) -> None:
    third = LATER.model_copy(update={"id": "s3", "name": "Last"})
    first, second, last = mails(await sent(world, EMAIL, LATER, third))
    assert (first["In-Reply-To"], first["References"]) == (None, None)
    assert ids(second, "In-Reply-To") == ids(second) == [first["Message-ID"]]
    assert ids(last, "In-Reply-To") == [second["Message-ID"]]
    assert ids(last) == [first["Message-ID"], second["Message-ID"]]


async def test_a_step_that_begins_a_new_conversation_answers_nothing_and_the_next_answers_it(
    world: EngineWorld,
) -> None:
    last = LATER.model_copy(update={"id": "s4"})
    delivery = await sent(world, EMAIL, LATER, NEW_THREAD, last, runs=4)
    _, _, anew, after = mails(delivery)
    assert (anew["In-Reply-To"], anew["References"]) == (None, None)
    assert ids(after) == [anew["Message-ID"]]


async def test_the_id_that_the_provider_gave_an_e_mail_is_what_its_follow_up_answers(world: EngineWorld) -> None:
    world = world.under(delivery=AMAZON_SERVER)
    first, second = mails(await sent(world, EMAIL, LATER, delivery=FakeServer(f"250 Ok {AMAZON}")))
    theirs = f"<{AMAZON}@eu-west-1.amazonses.com>"
    assert ids(second, "In-Reply-To") == [theirs]
    assert ids(second) == [first["Message-ID"], theirs]  # the copy in the sender's mailbox has ours


@pytest.mark.parametrize(
    ("reply", "server", "expected"),
    [
        (f"250 Ok {AMAZON}", "smtps://email-smtp.us-east-1.amazonaws.com:465", f"<{AMAZON}@email.amazonses.com>"),
        (f"250 Ok {AMAZON}", "smtps://smtp.example.com:465", ""),
        (
            "250 2.0.0 OK <AM0PR01MB1@AM0PR01MB1.eurprd01.prod.exchangelabs.com> [Hostname=AM0.prod.outlook.com]",
            "smtp://smtp.office365.com:587",
            "<AM0PR01MB1@AM0PR01MB1.eurprd01.prod.exchangelabs.com>",
        ),
        ("250 2.0.0 Ok: queued as 4XyZ12abc", AMAZON_SERVER, ""),
        ("250 2.0.0 OK  1700000000 a640c23a62f3a-9fe", "smtps://smtp.gmail.com:465", ""),
        ("written to /outbox/a.eml", "outbox", ""),
        ("250 2.0.0 OK <a b@c.example> <d@e.example>", AMAZON_SERVER, ""),
    ],
)
def test_only_an_answer_that_surely_names_the_id_is_taken_for_one(reply: str, server: str, expected: str) -> None:
    assert provider_message_id(reply, server=server) == expected


async def test_a_retried_follow_up_keeps_its_message_id_and_what_it_answers(world: EngineWorld) -> None:
    delivery = await sent(world, EMAIL, LATER, runs=1)
    delivery.before = DeliveryDeferredError("Busy.", next_step="Wait.", data={"blame": "later", "code": "450"})
    world.worker(delivery).run_due()
    delivery.before = None
    world.clock.forward(hours=1)
    world.worker(delivery).run_due()
    first, tried, again = mails(delivery)
    assert tried["Message-ID"] == again["Message-ID"] != first["Message-ID"]
    assert ids(tried) == ids(again) == [first["Message-ID"]]


async def one(world: EngineWorld) -> tuple[Run, StepRun]:
    run = (await world.runs())[0]
    return run, run.steps[0]


async def test_where_the_first_e_mail_was_skipped_the_next_answers_nothing_and_says_no_re(
    world: EngineWorld,
) -> None:
    blueprint = await world.blueprint(EMAIL, AGAIN)
    plan = await world.plan(await world.contact("a@example.org"), blueprint=blueprint)
    run, first = await one(world)
    steps = (replace(first, state=StepState.SKIPPED), replace(run.steps[1], subject="Re: Hi"))
    world.store.runs.save(run, replace(run, steps=(steps[0], run.steps[1])), next_run_at=None, now=world.clock.now)
    await world.local.rewrite_texts(run.id, {"s2": text_of(steps[1])})
    plan = await world.local.plans.get_plan(plan.id)
    await world.local.plans.approve_plan(plan.id, digest=plan.digest, actor=Actor("terminal"))
    delivery = FakeServer()
    world.clock.forward(days=4)
    world.worker(delivery).run_due()
    [mail] = mails(delivery)
    assert (mail["Subject"], mail["In-Reply-To"]) == ("Hi", None)


def text_of(run: StepRun) -> Any:
    from sequences_mcp.ports.embedded import StepText

    return StepText(subject=run.subject, content=run.content or "")


async def test_an_e_mail_of_unknown_outcome_is_answered_once_a_person_knows_that_it_left(
    world: EngineWorld,
) -> None:
    delivery = FakeServer()
    delivery.after = DeliveryUnknownError("The connection was lost.", next_step="Look.")
    await sent(world, EMAIL, LATER, delivery=delivery)
    delivery.after = None
    assert len(delivery.messages) == 1  # nothing follows while it is not known
    _, first = await one(world)
    await world.local.resolve_unknown(f"local:draft_{first.key}", sent=True, actor=Actor("terminal"))
    world.clock.forward(days=3, minutes=1)
    world.worker(delivery).run_due()
    before, after = mails(delivery)
    assert ids(after) == [before["Message-ID"]]


FOLLOW_UP = {**MAIL, "id": "again", "subject": "", "content": "Did you see my note, {{firstname}}?", **DAY}


async def test_the_plan_shows_the_subject_as_it_will_leave_and_so_it_leaves(bureau: Bureau) -> None:
    bureau = bureau.having(WORKER="off")
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint({**MAIL, "subject": "A role for {{firstname}}"}, FOLLOW_UP)
        preview = await desktop.call("preview_sequence", blueprint_id=blueprint, contacts=[GRACE])
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
        assert [step["subject"] for step in preview["people"][0]["steps"]] == [
            "A role for Grace",
            "Re: A role for Grace",
        ]
        assert started["status"] == "approved"
    for _ in range(2):
        bureau.work()
        bureau.forward(days=1, minutes=1)
    first, second = sorted(bureau.outbox, key=lambda mail: str(mail["Subject"]))
    assert (second["Subject"], ids(second)) == ("Re: A role for Grace", [first["Message-ID"]])


async def test_a_new_subject_of_the_first_e_mail_is_the_follow_ups_too(bureau: Bureau) -> None:
    async with bureau.having(WORKER="off").client("auto") as desktop:
        blueprint = await desktop.blueprint({**MAIL, "subject": "A role"}, FOLLOW_UP)
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
        run = started["sample"]["sequence_id"]
        first = (await desktop.call("get_sequence", sequence_id=run))["steps"][0]["draft_id"]
        await desktop.call("edit_draft", draft_id=first, content="Hello Grace, a word.", subject="A better role")
        steps = (await desktop.call("get_sequence", sequence_id=run))["steps"]
    assert [step["subject"] for step in steps] == ["A better role", "Re: A better role"]


@pytest.mark.parametrize(
    ("steps", "rule"),
    [
        ([{**MAIL, "subject": ""}], "channel.empty_subject"),
        ([MAIL, {**FOLLOW_UP, "config": {"newThread": True}}], "channel.empty_subject"),
        ([{**MAIL, "config": {"newThread": True}}], "local.new_thread"),
    ],
)
async def test_whatever_answers_nothing_needs_a_subject_of_its_own(
    bureau: Bureau, steps: list[dict[str, Any]], rule: str
) -> None:
    async with bureau.client("auto") as desktop:
        refused = await desktop.refused("create_blueprint", name="A", steps=steps)
    assert rule in [finding["rule"] for finding in refused["findings"]]


async def test_re_in_a_subject_is_for_an_e_mail_that_answers_one(bureau: Bureau) -> None:
    re = {**FOLLOW_UP, "subject": "Re: our talk"}
    found = {}
    async with bureau.client("auto") as desktop:
        for name, steps in (
            ("first", [{**MAIL, "subject": "Re: our talk"}]),
            ("new", [MAIL, {**re, "config": {"newThread": True}}]),
            ("answer", [MAIL, re]),
        ):
            report = await desktop.call("check_blueprint", steps=steps)
            found[name] = [finding["rule"] for finding in report["findings"]]
    assert "channel.reply_prefix" in found["first"] and "channel.reply_prefix" in found["new"]
    assert "channel.reply_prefix" not in found["answer"]
