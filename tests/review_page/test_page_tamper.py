"""Ten thousand changes of one byte to an approved plan: each of them is noticed before a send."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.world.page import LINKEDIN, MAIL, PageWorld

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.plan import Plan, PlanHeader
from sequences_mcp.domain.run import Run
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.engine.approvals import uncovered_because
from sequences_mcp.ports.embedded import PeopleFilter
from sequences_mcp.store.unit_of_work import Store

CHANGES = 10_000


def test_ten_thousand_changes_of_one_byte_are_ten_thousand_refusals(world: PageWorld) -> None:
    made = world.plan(MAIL, LINKEDIN, people=5)
    world.at_desk(lambda app: app.plans.approve_plan(made.id, digest=made.digest, actor=Actor("test")))
    chance = random.Random(20261123)
    with Store.open(Workspace(world.folder), now=world.clock()) as store:
        plan = store.plans.find(made.id)
        assert plan is not None
        people = list(
            store.runs.of_plan_warned_first(made.id, PeopleFilter(), read_steps=(), page=1, size=10).items
        )
        assert len(people) == 5
        assert all(refused(store, plan, one, step) is None for one in people for step in range(2))
        for _ in range(CHANGES):
            one, step = chance.choice(people), chance.randrange(2)
            changed_plan, changed = changed_somewhere(plan, one, step, chance)
            assert refused(store, changed_plan, changed, step), (changed_plan, changed)


def refused(store: Store, plan: Plan, one: Run, step: int) -> str | None:
    return uncovered_because(store, plan, sequence=one, run=one.steps[step])


def changed_somewhere(plan: Plan, one: Run, step: int, chance: random.Random) -> tuple[Plan, Run]:
    """Return the plan and one of its people with one byte changed in something that an approval covers."""
    run = one.steps[step]
    texts = {name: value for name in ("recipient", "subject", "content") if (value := getattr(run, name))}
    places = [*texts, "time_zone", "contact_id", "id", "generation", "delivery", "sender", "window", "digest"]
    place = chance.choice([*places, "expires", "step"])
    if place in texts:
        changed: dict[str, Any] = {place: one_byte_off(texts[place], chance)}
        run = replace(run, **changed)
    elif place == "generation":
        run = replace(run, generation=run.generation + 1 + chance.randrange(255))
    elif place == "step":
        run = replace(run, step=run.step.model_copy(update={"name": one_byte_off(run.step.name, chance)}))
    elif place in ("time_zone", "contact_id", "id"):
        changed = {place: one_byte_off(getattr(one, place), chance)}
        one = replace(one, **changed)
    elif place == "digest":
        plan = replace(plan, digest=one_byte_off(plan.digest, chance))
    else:
        plan = replace(plan, header=changed_header(plan.header, place, chance))
    steps = tuple(run if number == step else other for number, other in enumerate(one.steps))
    return plan, replace(one, steps=steps)


def changed_header(header: PlanHeader, place: str, chance: random.Random) -> PlanHeader:
    terms = header.terms
    if place == "delivery":
        return replace(header, terms=replace(terms, delivery=one_byte_off(terms.delivery, chance)))
    if place == "sender":
        return replace(header, terms=replace(terms, sender_address=one_byte_off(terms.sender_address, chance)))
    if place == "window":
        return replace(header, terms=replace(terms, window=one_byte_off(terms.window, chance)))
    return replace(header, expires_at=header.expires_at + timedelta(microseconds=1 + chance.randrange(10**6)))


def one_byte_off(text: str, chance: random.Random) -> str:
    """Return a text with one of its bytes changed."""
    data = bytearray(text.encode())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(7)
    return data.decode("utf-8", "surrogateescape")
