"""Never contact again: whatever the spelling, at every moment, for everything under way."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.world.engine import LATER, EngineWorld

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.inbound import InboundEntry
from sequences_mcp.domain.run import ReplyKind, Run, SequenceStatus
from sequences_mcp.errors import InvalidArgumentsError, WrongIdError


@pytest.mark.parametrize(
    ("kind", "value", "covered"),
    [
        ("address", " ANN@Acme.Example ", True),
        ("domain", "Acme.Example", True),
        ("domain", "@acme.example", True),
        ("domain", "www.acme.example", True),
        ("domain", "example", None),
        ("domain", "me.example", False),
        ("domain", "sub.acme.example", False),
        ("address", "anna@acme.example", False),
    ],
)
async def test_a_suppression_covers_exactly_what_it_names(
    world: EngineWorld, kind: str, value: str, covered: bool | None
) -> None:
    person = await world.contact("ann@acme.example")
    await world.approved(person, blueprint=await world.blueprint(LATER))
    if covered is None:
        with pytest.raises(InvalidArgumentsError):
            await world.local.suppressions.suppress(kind, value, reason="asked")  # type: ignore[arg-type]
        return
    done = await world.local.suppressions.suppress(kind, value, reason="asked")  # type: ignore[arg-type]
    assert [one.contact.id for one in done.stopped] == [person.id] * covered
    assert (await world.local.suppressions.suppressed_among([person]) == {person.id: "asked"}) is covered


async def test_a_domain_covers_those_below_it_and_the_people_of_its_company(world: EngineWorld) -> None:
    below = await world.contact("ann@mail.acme.example")
    private = await world.contact("bob@gmail.com", company_domain="acme.example")
    await world.approved(below, private, blueprint=await world.blueprint(LATER))
    done = await world.local.suppressions.suppress("domain", "acme.example", reason="asked")
    assert {one.contact.id for one in done.stopped} == {below.id, private.id}
    assert {one.sequence.status for one in done.stopped} == {SequenceStatus.STOPPED_EARLY}
    assert (await world.local.suppressions.suppressed_among([below, private])).keys() == {below.id, private.id}


async def test_a_person_is_suppressed_whatever_their_address_becomes(world: EngineWorld) -> None:
    person = await world.contact("ann@acme.example", phone="+33612345678")
    first = await world.local.suppressions.suppress("contact", person.id, reason="asked")
    again = await world.local.suppressions.suppress("contact", person.id, reason="asked twice")
    assert (first.already, again.already) == (False, True)
    moved = await world.contact("ann@other.example", of=person.id)
    assert await world.local.suppressions.suppressed_among([moved]) == {person.id: "asked"}
    with pytest.raises(WrongIdError):
        await world.local.suppressions.suppress("contact", "local:seq_1", reason="asked")


async def test_a_suppression_that_comes_by_another_door_is_seen_at_the_send(world: EngineWorld) -> None:
    await world.approved(await world.contact("ann@acme.example"))
    mark = ("domain", "acme.example")
    world.store.suppressions.add(mark, reason="asked", actor=Actor("another process"), now=world.clock.now)
    world.worker().run_due()
    (run,) = await world.runs()
    assert (run.status, run.reason) == (SequenceStatus.STOPPED_EARLY, "suppressed: asked")
    assert world.mails == []


async def test_the_address_a_text_was_approved_for_counts_also_after_the_person_moved(world: EngineWorld) -> None:
    await world.approved(await world.contact("ann@acme.example", phone="+33612345678"))
    await world.contact("ann@other.example", phone="+33612345678")
    mark = ("address", "ann@acme.example")
    world.store.suppressions.add(mark, reason="asked", actor=Actor("another process"), now=world.clock.now)
    world.worker().run_due()
    assert (await world.runs())[0].status is SequenceStatus.STOPPED_EARLY


async def test_busy_people_are_named_with_their_live_run(world: EngineWorld) -> None:
    person, idle = await world.contact("a@example.org"), await world.contact("b@example.org")
    await world.plan(idle)
    await world.approved(person, blueprint=await world.blueprint(LATER))
    busy = await world.local.suppressions.busy_among([person.id, idle.id])
    assert busy == {person.id: (await world.runs(status=SequenceStatus.ACTIVE))[0].id}


@pytest.mark.parametrize(
    ("kind", "basis", "is_answer"),
    [
        ("", "", False),
        (ReplyKind.WON, "", True),
        (ReplyKind.OUT_OF_OFFICE, "", False),
        ("reply", "address", True),
        ("reply", "company", False),
        ("away", "message_id", False),
        ("hard_bounce", "message_id", False),
    ],
)
async def test_who_had_the_whole_of_a_blueprint_is_known_by_their_address_and_who_answered_after_it(
    world: EngineWorld, kind: str, basis: str, is_answer: bool
) -> None:
    blueprint, other = await world.blueprint(), await world.blueprint()
    ann = await world.contact("ann@acme.example")
    await world.approved(ann, blueprint=blueprint)
    world.worker().run_due()
    [run] = await world.runs()
    assert run.status is SequenceStatus.COMPLETED
    if isinstance(kind, ReplyKind):
        until = world.clock.now + timedelta(days=1) if kind is ReplyKind.OUT_OF_OFFICE else None
        await world.local.record_reply(ann.id, kind, until=until, about=run.id)
    elif kind:
        world.store.inbound.insert(came_in(run, kind=kind, basis=basis, now=world.clock.now))
    await world.contact("ann@other.example", of=ann.id)
    anew = await world.contact("Ann@ACME.example")
    nobody = await world.contact("bob@acme.example")
    for blueprint_id, is_same in ((blueprint.id, True), (other.id, False)):
        everybody = [ann.id, anew.id, nobody.id]
        answered, had_all = await world.local.suppressions.earlier_among(everybody, blueprint_id=blueprint_id)
        assert answered == ({ann.id, anew.id} if is_answer else set())
        assert had_all == ({ann.id, anew.id} if is_same else set())


def came_in(run: Run, *, kind: str, basis: str, now: datetime) -> InboundEntry:
    """Return an e-mail that came in about a run, as the reader of a mailbox stores it."""
    words: dict[str, Any] = dict.fromkeys(("mailbox", "sender", "subject", "text", "why"), "")
    found: dict[str, Any] = {
        "sequence_id": run.id,
        "key": None,
        "effect": "noted: the run is over",
        "sent_at": now,
        "found_at": now,
    }
    return InboundEntry(hash=bytes(32), kind=kind, basis=basis, until=None, **words, **found)
