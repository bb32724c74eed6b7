"""The worker's half of the sending protocol: what is recorded for whatever becomes of an e-mail."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import timedelta
from hashlib import sha256

import pytest
from tests.world.engine import EMAIL, LATER, START, EngineWorld, FakeDelivery
from tests.world.stores import open_store, shell

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.run import Run, SequenceStatus, StepRun, StepState, StopReason, StopScope
from sequences_mcp.engine.channels.message import ComposedMessage, Receipt
from sequences_mcp.engine.worker import retry_after
from sequences_mcp.errors import DeliveryDeferredError, DeliveryRejectedError, DeliveryUnknownError
from sequences_mcp.ports.embedded import SequenceFilter

DEFERRED = DeliveryDeferredError("The server is busy.", next_step="Wait.", data={"blame": "mailbox"})
LATER_FOR_ONE = DeliveryDeferredError("450 later", next_step="Wait.", data={"blame": "later", "code": "450"})
NOBODYS = DeliveryDeferredError("The journal cannot be written.", next_step="Wait.", data={"blame": ""})
LOST = DeliveryUnknownError("The connection was lost.", next_step="Look.")


def rejected(*, bounced: bool) -> DeliveryRejectedError:
    return DeliveryRejectedError("550 no", next_step="Check.", data={"blame": "gone" if bounced else "refuses"})


class FakeWitness:
    """A channel that looks at the database from outside, and may do something, around the final dot."""

    def __init__(self, world: EngineWorld, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.world, self.meanwhile = world, meanwhile
        self.seen: list[StepState] = []
        self.accepted = 0

    def __call__(self, message: ComposedMessage, *, before_dot: Callable[[], None]) -> Receipt:
        """Look, do something, pass the point of no return, look again, accept."""
        self._look()
        self.meanwhile()
        before_dot()
        self._look()
        self.accepted += 1
        return Receipt("250 taken")

    def _look(self) -> None:
        with open_store(self.world.store.workspace.folder, now=START) as other:
            (run,) = other.runs.page(SequenceFilter(size=1), provider=None).items
            self.seen.append(run.steps[0].state)


def done(deed: Coroutine[None, None, object]) -> None:
    """Carry out a method of the provider from plain code: it never waits."""
    with pytest.raises(StopIteration):
        deed.send(None)


async def one_run(world: EngineWorld) -> tuple[Run, StepRun]:
    run = (await world.runs())[0]
    return run, run.steps[0]


async def test_a_delivered_email_is_recorded_with_its_id_its_bytes_and_the_servers_words(
    world: EngineWorld,
) -> None:
    await world.approved(await world.contact("a@example.org"), blueprint=await world.blueprint(EMAIL, LATER))
    delivery = FakeDelivery()
    world.worker(delivery).run_due()
    run, step = await one_run(world)
    (message,) = delivery.messages
    assert (step.state, step.server_reply, step.message_id) == (StepState.SENT, "250 taken", message.message_id)
    with shell(world.folder / "data") as database:
        row = database.execute("SELECT message_digest, message_id FROM attempt WHERE lease = 1").fetchone()
    assert row == (sha256(message.data).digest(), message.message_id)
    assert (run.status, run.anchor) == (SequenceStatus.ACTIVE, START)


async def test_the_claim_and_the_point_of_no_return_are_committed_before_the_step_they_cover(
    world: EngineWorld,
) -> None:
    await world.approved(await world.contact("a@example.org"))
    witness = FakeWitness(world)
    points: list[str] = []
    world.worker(witness, at=points.append).run_due()
    assert witness.seen == [StepState.CLAIMED, StepState.HANDED_OVER]
    sending = ["claim", "claimed", "before_handed_over", "handed_over", "answered", "before_sent", "sent"]
    assert points == [*sending, "claim"]  # the last one finds nothing more


async def test_a_deferred_email_is_tried_again_later_with_the_same_message_id(world: EngineWorld) -> None:
    await world.approved(await world.contact("a@example.org"))
    delivery = FakeDelivery(before=DEFERRED)
    worker = world.worker(delivery)
    worker.run_due()
    run, step = await one_run(world)
    assert (run.status, step.state, step.until) == (
        SequenceStatus.ACTIVE,
        StepState.HELD,
        START + timedelta(minutes=1),
    )
    assert worker.run_due() == 0
    world.clock.forward(minutes=1)
    delivery.before = None
    worker.run_due()
    assert (await one_run(world))[1].state is StepState.SENT
    assert len({message.message_id for message in delivery.messages}) == 1


def test_retries_wait_a_minute_then_twice_as_long_each_time_and_at_most_an_hour() -> None:
    waits = [retry_after(tries) for tries in range(1, 13)]
    assert waits[:4] == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8)]
    assert max(waits) == waits[-1] == timedelta(hours=1)


async def test_after_twelve_tries_a_person_decides_and_gets_twelve_more(world: EngineWorld) -> None:
    await world.approved(await world.contact("a@example.org"))
    delivery = FakeDelivery(before=LATER_FOR_ONE)
    worker = world.worker(delivery)
    for _ in range(20):
        worker.run_due()
        world.clock.forward(hours=1)
    run, step = await one_run(world)
    assert len(delivery.messages) == 12
    assert (run.status, step.state, step.until) == (SequenceStatus.WAITING_FOR_USER, StepState.HELD, None)
    assert "tried 12 times" in (step.reason or "")
    (draft,) = (await world.local.list_drafts(plan_id=None, page=1, size=10)).items
    await world.local.approve_draft(draft.id, digest=draft.digest, actor=Actor("terminal"))
    delivery.before = None
    worker.run_due()
    assert (await one_run(world))[1].state is StepState.SENT


async def test_a_refused_email_fails_its_run(world: EngineWorld) -> None:
    await world.approved(await world.contact("a@example.org"))
    world.worker(FakeDelivery(before=rejected(bounced=False))).run_due()
    run, step = await one_run(world)
    assert (run.status, step.state, run.reason) == (SequenceStatus.FAILED, StepState.FAILED, "550 no")
    person = await world.contact("a@example.org")
    assert await world.local.suppressions.suppressed_among([person]) == {}


async def test_a_dead_address_is_never_written_to_again(world: EngineWorld) -> None:
    person = await world.contact("a@example.org")
    await world.approved(person)
    world.worker(FakeDelivery(after=rejected(bounced=True))).run_due()
    assert await world.local.suppressions.suppressed_among([person]) == {person.id: "bounced: 550 no"}
    await world.approved(person)
    assert (await world.runs())[1].status is SequenceStatus.REFUSED


async def test_a_connection_lost_after_the_final_dot_is_unknown_and_never_resent(world: EngineWorld) -> None:
    await world.approved(await world.contact("a@example.org"))
    delivery = FakeDelivery(after=LOST)
    worker = world.worker(delivery)
    worker.run_due()
    world.clock.forward(days=30)
    worker.run_due()
    run, step = await one_run(world)
    assert (run.status, step.state) == (SequenceStatus.WAITING_FOR_USER, StepState.UNKNOWN)
    assert len(delivery.messages) == 1


async def test_a_dead_workers_claim_is_due_again_and_its_handed_over_email_unknown(world: EngineWorld) -> None:
    await world.approved(await world.contact("a@example.org"), await world.contact("b@example.org"))

    def die_at(wanted: str) -> Callable[[str], None]:
        def at(point: str) -> None:
            if point == wanted:
                raise KeyboardInterrupt  # as final for a worker as a kill, and no Exception it could catch

        return at

    with pytest.raises(KeyboardInterrupt):
        world.worker(FakeDelivery(), at=die_at("claimed")).run_due()
    with pytest.raises(KeyboardInterrupt):
        world.worker(FakeDelivery(), at=die_at("handed_over")).run_due()
    assert [run.steps[0].state for run in await world.runs()] == [StepState.CLAIMED, StepState.HANDED_OVER]
    world.clock.forward(seconds=119)
    assert world.worker().run_due() == 0
    world.clock.forward(seconds=1)
    world.worker().run_due()
    assert [run.steps[0].state for run in await world.runs()] == [StepState.SENT, StepState.HANDED_OVER]
    world.clock.forward(seconds=660)
    world.worker().run_due()
    assert (await world.runs())[1].steps[0].state is StepState.UNKNOWN


async def test_a_frozen_worker_cannot_pass_the_point_of_no_return(world: EngineWorld) -> None:
    await world.approved(await world.contact("a@example.org"))

    def freeze() -> None:
        world.clock.forward(seconds=121)
        world.worker(FakeDelivery()).run_due()

    witness = FakeWitness(world, meanwhile=freeze)
    world.worker(witness).run_due()
    assert witness.accepted == 0
    assert (await one_run(world))[1].state is StepState.SENT
    assert world.store.audit.verify() is None


@pytest.mark.parametrize("stop", ["stop", "pause", "suppress"])
async def test_what_is_stopped_while_it_is_being_sent_does_not_leave(world: EngineWorld, stop: str) -> None:
    await world.approved(await world.contact("a@example.org"))
    (run,) = await world.runs()
    deeds: dict[str, Callable[[], Coroutine[None, None, object]]] = {
        "stop": lambda: world.local.stop_sequence(run.id, reason=StopReason.LOSE, scope=StopScope.CONTACT),
        "pause": lambda: world.local.pause_sequence(run.id, until=START + timedelta(days=1)),
        "suppress": lambda: world.local.suppressions.suppress("address", "a@example.org", reason="asked"),
    }

    def interfere() -> None:
        done(deeds[stop]())

    witness = FakeWitness(world, meanwhile=interfere)
    world.worker(witness).run_due()
    assert witness.accepted == 0
    assert witness.seen == [StepState.CLAIMED]


async def test_an_email_whose_worker_died_before_the_final_dot_uses_up_nothing_of_the_day(
    world: EngineWorld,
) -> None:
    limited = world.under(daily_cap=1)
    await limited.approved(await limited.contact("a@example.org"))

    def die(point: str) -> None:
        if point == "claimed":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        limited.worker(FakeDelivery(), at=die).run_due()
    limited.clock.forward(minutes=2)
    limited.worker().run_due()
    assert (await one_run(limited))[1].state is StepState.SENT


async def test_an_email_stopped_before_the_final_dot_leaves_its_place_in_the_day_to_another(
    world: EngineWorld,
) -> None:
    limited = world.under(daily_cap=1)
    await limited.approved(await limited.contact("a@example.org"), await limited.contact("b@example.org"))
    (first, _) = await limited.runs()
    delivery = FakeDelivery()

    def deliver(message: ComposedMessage, *, before_dot: Callable[[], None]) -> Receipt:
        if not delivery.messages:
            done(limited.local.stop_sequence(first.id, reason=StopReason.LOSE, scope=StopScope.CONTACT))
        return delivery(message, before_dot=before_dot)

    limited.worker(deliver).run_due()
    assert [run.steps[0].state for run in await limited.runs()][1] is StepState.SENT
    assert [message.recipient for message in delivery.messages] == ["a@example.org", "b@example.org"]


@pytest.mark.parametrize("error", [NOBODYS, DEFERRED, LATER_FOR_ONE], ids=["nobody", "mailbox", "recipient"])
async def test_an_email_put_off_before_the_final_dot_uses_up_nothing_of_the_day_whoevers_doing_it_was(
    world: EngineWorld, error: DeliveryDeferredError
) -> None:
    limited = world.under(daily_cap=1)
    await limited.approved(await limited.contact("a@example.org"))
    limited.worker(FakeDelivery(before=error)).run_due()
    assert (await one_run(limited))[1].state is StepState.HELD
    limited.clock.forward(hours=1)
    limited.worker().run_due()
    assert (await one_run(limited))[1].state is StepState.SENT


async def test_an_email_that_a_person_knows_was_not_sent_uses_up_nothing_of_the_day(world: EngineWorld) -> None:
    limited = world.under(daily_cap=1)
    await limited.approved(await limited.contact("a@example.org"))
    limited.worker(FakeDelivery(after=LOST)).run_due()
    _, step = await one_run(limited)
    assert step.state is StepState.UNKNOWN
    draft_id = f"local:draft_{step.key}"
    await limited.local.resolve_unknown(draft_id, sent=False, actor=Actor("terminal"))
    limited.worker().run_due()
    assert (await one_run(limited))[1].state is StepState.SENT


async def test_an_email_stopped_beyond_recall_is_still_recorded_as_sent(world: EngineWorld) -> None:
    await world.approved(await world.contact("a@example.org"))
    (run,) = await world.runs()

    def deliver(message: ComposedMessage, *, before_dot: Callable[[], None]) -> Receipt:
        before_dot()
        done(world.local.stop_sequence(run.id, reason=StopReason.LOSE, scope=StopScope.CONTACT))
        return Receipt("250 taken")

    world.worker(deliver).run_due()
    after, step = await one_run(world)
    assert (after.status, step.state, step.server_reply) == (
        SequenceStatus.STOPPED_EARLY,
        StepState.SENT,
        "250 taken",
    )


async def test_an_answer_that_comes_after_a_persons_decision_is_kept_in_the_audit(world: EngineWorld) -> None:
    await world.approved(await world.contact("a@example.org"))

    def deliver(message: ComposedMessage, *, before_dot: Callable[[], None]) -> Receipt:
        before_dot()
        world.clock.forward(seconds=661)
        world.worker(FakeDelivery()).run_due()
        key = world.store.database.rows("sequences.waiting_texts", plan_reason="-", size=1, skip=0)[0]["key"]
        done(world.local.resolve_unknown(f"local:draft_{key}", sent=False, actor=Actor("terminal")))
        return Receipt("250 taken")

    world.worker(deliver, answer_timeout=timedelta(seconds=660)).run_due(limit=1)
    told = [one for one in world.store.audit.entries() if one.action == "sequence.too_late"]
    assert [(one.detail["outcome"], one.detail["lease"]) for one in told] == [("accepted", 1)]
