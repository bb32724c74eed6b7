"""Kill workers again and again while they hand approved starts over to vendors, then compare the two records.

The sandbox serves Kalent, Clarky and Topo on loopback in a process of its own. It takes its time, before it acts
and before it answers, and acts on whatever has arrived, whoever is gone by then. Two workers at once share one
database; each is killed with SIGKILL at a point of the protocol, in the middle of its request or at any instant,
and others are started, minutes later by their clocks, until nothing is left. Unknown outcomes are settled as
check_operation does. Then everybody is looked up in both records:

- nobody was enrolled twice,
- nobody was enrolled without a yes: neither those of plans that nobody approved or somebody refused, nor those who
  were put on the list of those never to contact after the yes,
- nobody is recorded as enrolled whom no vendor has,
- nobody whom a vendor has is recorded as anything but enrolled or unknown.

Exit status 1 when one of these does not hold. Needs a system with ``fork``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from benchmarks.kill import everybody
from benchmarks.slow_sandbox import ENDS, SLOWEST, address, now, sandbox

from sequences_mcp.bootstrap import open_context
from sequences_mcp.context import AppContext
from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.plan import PlanStatus
from sequences_mcp.domain.run import Run
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.engine import vendor_transitions
from sequences_mcp.services.blueprints import create_blueprint
from sequences_mcp.services.enrolment import enrol_at_vendor
from sequences_mcp.services.reviews import approve_plan, refuse_plan
from sequences_mcp.services.starts import start_sequence
from sequences_mcp.services.vendor_writes import check_operation
from sequences_mcp.settings import Settings, read_settings
from sequences_mcp.store.unit_of_work import Store
from sequences_mcp.vendors import exchange  # noqa: F401 - so that no worker has to import it
from sequences_sandbox.seeds import CLARKY_TEMPLATES
from sequences_sandbox.serve import HOST
from sequences_sandbox.serve import settings as accounts

POINTS = ("take", "taken", "in the request", "answered", "recorded")
ANYWHEN = "any instant"
A_PLAN = {"kalent": 4, "clarky": 1, "topo": 4}
STINT = 12  # plans: a process that hands over more would only wait for Clarky's published limit
LATER = timedelta(seconds=150)  # longer than a request keeps others off
SETTLED_TRIES = 4


@dataclass(frozen=True, slots=True)
class Death:
    """Where a worker is to die: the n-th time it comes to a point, or after some seconds."""

    point: str
    after: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What both records say."""

    people: int
    preapproved: int
    twice: int
    unapproved: int
    lost: int
    unnoticed: int
    done: int
    not_done: int
    unknown: int
    unknown_enrolled: int
    left: int
    sound: bool

    @property
    def holds(self) -> bool:
        """Whether the promise was kept."""
        broken = self.twice or self.unapproved or self.lost or self.unnoticed or self.left
        return self.sound and not broken


def main() -> int:
    """Run and print the table."""
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--plans", type=int, default=900, help="approved plans, a third at each vendor")
    wanted.add_argument("--kills", type=int, default=240)
    wanted.add_argument("--seed", type=int, default=1)
    options = wanted.parse_args()
    chance, begun = random.Random(options.seed), time.monotonic()
    with tempfile.TemporaryDirectory() as folder, sandbox(chance, people=options.plans * 4) as port:
        settings = read_settings(
            {"SEQUENCES_DATA_DIR": folder, "SEQUENCES_SENDER": "Ada <ada@x.example>", **accounts(port)}
        )
        asyncio.run(at_desk(settings, partial(fill, number_of_plans=options.plans), clock=now))
        kills = run(settings, options.kills, chance)
        verdict = compare(settings, port)
        show(kills, verdict, time.monotonic() - begun)
    return 0 if verdict.holds and kills.total() >= options.kills else 1


def run(settings: Settings, wanted: int, chance: random.Random) -> Counter[str]:
    """Let two workers at a time work, each until its death, until nothing is left; return how many died where."""
    kills: Counter[str] = Counter()
    ahead, idle = timedelta(), 0
    while idle < SETTLED_TRIES:
        ahead += LATER
        deaths = [death(chance) if kills.total() < wanted else None for _ in range(2)]
        children = [worker(settings, one, ahead) for one in deaths]
        died = [ended_by_a_kill(child, one) for child, one in zip(children, deaths, strict=True)]
        kills.update(one.point for one, dead in zip(deaths, died, strict=True) if one is not None and dead)
        idle = 0 if any(died) or asyncio.run(at_desk(settings, is_anybody_left, clock=later(ahead))) else idle + 1
    return kills


def death(chance: random.Random) -> Death:
    """Return where the next worker is to die."""
    point = chance.choice((*POINTS, ANYWHEN))
    return Death(point, chance.uniform(0.05, 0.5) if point == ANYWHEN else chance.randint(1, 3))


def worker(settings: Settings, one: Death | None, ahead: timedelta) -> int:
    """Start a worker in a process of its own, whose clock is ahead; return its process id."""
    child = os.fork()  # no connection is open here: none is carried over
    if not child:
        code = 1
        try:
            asyncio.run(at_desk(settings, partial(work, at=dying(one)), clock=later(ahead)))
            code = 0
        finally:
            os._exit(code)
    return child


def ended_by_a_kill(child: int, one: Death | None) -> bool:
    """Wait for a worker, killing it where that is its death; return whether it died."""
    if one is not None and one.point == ANYWHEN:
        time.sleep(one.after)
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if not os.WIFSIGNALED(status) and os.WEXITSTATUS(status):
        raise RuntimeError("a worker failed")
    return os.WIFSIGNALED(status)


def dying(one: Death | None) -> Callable[[str], None]:
    """Return what ends this process at the n-th visit of a point; in a request, a few milliseconds into it."""
    point = "taken" if one is not None and one.point == "in the request" else one and one.point
    visits, chance = 0, random.Random(os.getpid())

    def at(here: str) -> None:
        nonlocal visits
        visits += here == point
        if one is None or here != point or visits < one.after:
            return
        if one.point == "in the request":
            threading.Timer(3 * SLOWEST * chance.random() ** 3, os.kill, (os.getpid(), signal.SIGKILL)).start()
        else:
            os.kill(os.getpid(), signal.SIGKILL)

    return at


async def work(app: AppContext, *, at: Callable[[str], None]) -> None:
    """Settle what can be looked up, then hand over a stint of plans, as a server that was just started."""
    for operation in await app.operations.unknown(size=100):
        if operation.provider != "clarky":  # its API does not tell: a person looks
            await check_operation(app, operation_id=operation.id)
    waiting = await app.vendor_runs.waiting()
    random.Random(os.getpid()).shuffle(waiting)
    for plan in waiting[:STINT]:
        await enrol_at_vendor(app, plan_id=plan.id, at=at)


async def is_anybody_left(app: AppContext) -> bool:
    """Say whether somebody is still to be handed over, or an outcome can still be found out."""
    unknown = [one for one in await app.operations.unknown(size=100) if one.provider != "clarky"]
    outcomes = [await app.vendor_runs.outcome(plan.id) for plan in await app.vendor_runs.waiting()]
    return bool(unknown) or any(one.waiting for one in outcomes)


async def at_desk(
    settings: Settings, do: Callable[[AppContext], Awaitable[Any]], *, clock: Callable[[], datetime]
) -> Any:
    """Open the desk, do something there, and return what that returns."""
    async with open_context(settings, worker=False, clock=clock) as app:
        return await do(app)


def later(ahead: timedelta) -> Callable[[], datetime]:
    """Return a clock that is ahead."""
    return lambda: now() + ahead


async def fill(app: AppContext, *, number_of_plans: int) -> None:
    """Plan and approve starts at all three vendors, and some that must never leave."""
    step = {"id": "s1", "name": "Hello", "type": "EMAIL", "subject": "Hi", "content": "Hello."}
    steps = [{**step, "temporalityType": "ASAP"}]
    made = await create_blueprint(app, name="K", steps=steps, provider="kalent:sourcing_1")
    topo = (await app.providers["topo"].list_blueprints(page=1, size=100)).items
    blueprints = {
        "kalent": made.blueprint.id,
        "clarky": f"clarky:{CLARKY_TEMPLATES[0]}",
        "topo": next(one.id for one in topo if one.name == "Three e-mails"),
    }
    number = 0
    for count in range(number_of_plans):
        vendor = ("kalent", "clarky", "topo")[count % 3]
        people = [person(vendor, number + one) for one in range(A_PLAN[vendor])]
        number += len(people)
        await decided(app, blueprints[vendor], people, outcome=count // 3)


async def decided(app: AppContext, blueprint_id: str, people: list[Any], *, outcome: int) -> None:
    """Plan a start; say yes to most, no to some, nothing to others, and take somebody back after the yes."""
    report = await start_sequence(app, blueprint_id=blueprint_id, contacts=people, progress=silent)
    plan = report.plan
    if outcome % 10 == 7:
        return
    if outcome % 10 == 8:
        await refuse_plan(app, plan_id=plan.id, reason="no", actor=Actor("benchmark"))
        return
    await approve_plan(app, plan_id=plan.id, digest=plan.digest, actor=Actor("benchmark"))
    if outcome % 10 == 9:
        await app.suppressions.suppress("address", report.sample.contact.email or "", reason="asked")


async def silent(done: int, total: int) -> None:
    """Tell nobody how far it is."""


def person(vendor: str, number: int) -> Any:
    """Return somebody as a start names them."""
    return f"kalent:candidate_{number}" if vendor == "kalent" else {"email": address(number), "first_name": "Bo"}


def compare(settings: Settings, port: int) -> Verdict:
    """Look everybody up in both records."""
    enrolled = received(port)
    with Store.open(Workspace(settings.data_dir), now=now()) as store:
        store.check()
        sound = store.audit.verify() is None
        runs = list(everybody(store))
        plan_ids = {one.plan_id for one in runs}
        yes = {own for own in plan_ids if (plan := store.plans.find(own)) and plan.status is PlanStatus.APPROVED}
    there = {one.id: enrolled[known_as(one)] for one in runs}
    outcomes = {one.id: fate_of(one) for one in runs if one.plan_id in yes}
    preapproved = [one for one in runs if one.plan_id not in yes or one.operation_id is None]
    return Verdict(
        people=len(outcomes),
        preapproved=len(preapproved),
        twice=sum(count > 1 for count in enrolled.values()),
        unapproved=sum(bool(there[one.id]) for one in preapproved),
        lost=sum(outcome == "done" and not there[own] for own, outcome in outcomes.items()),
        unnoticed=sum(
            outcome not in ("done", "unknown") and bool(there[own]) for own, outcome in outcomes.items()
        ),
        unknown_enrolled=sum(outcome == "unknown" and bool(there[own]) for own, outcome in outcomes.items()),
        sound=sound,
        **{outcome: list(outcomes.values()).count(outcome) for outcome in ("done", "not_done", "unknown", "left")},
    )


def fate_of(one: Run) -> str:
    """Return what our file says of somebody in an approved plan."""
    if one.waits_for_plan or one.reason == vendor_transitions.TAKEN:
        return "left"
    return vendor_transitions.vendor_outcome_known(one) if one.operation_id else "not_done"


def known_as(one: Run) -> tuple[str, str]:
    """Return by what a vendor knows somebody."""
    given = one.vendor_facts
    return one.provider, given["candidate"].partition(":")[2] if "candidate" in given else given["email"]


def received(port: int) -> Counter[tuple[str, str]]:
    """Return how often each person was enrolled, as the vendors know it: Clarky counts a repeated key once."""
    with urllib.request.urlopen(f"http://{HOST}:{port}/_requests") as answer:
        requests = json.load(answer)
    acted = [one for one in requests if one["method"] == "POST" and (one["status"] or 999) < 300]
    keys: dict[str, str] = {}
    found: Counter[tuple[str, str]] = Counter()
    for one in acted:
        vendor, body = one["vendor"], one["body"]
        if not one["path"].endswith(ENDS[vendor]):
            continue
        if vendor == "kalent":
            found.update((vendor, own) for own in body["candidateIds"])
        elif vendor == "topo":
            found.update((vendor, item["email"]) for item in body["items"])
        else:
            keys[body["idempotency_key"]] = body["contact"]["emails"][0]
    found.update(("clarky", email) for email in keys.values())
    return found


def show(kills: Counter[str], verdict: Verdict, seconds: float) -> None:
    """Print the table."""
    for point in (*POINTS, ANYWHEN):
        print(f"  killed at {point:<20} {kills[point]:>5}")
    print(f"  kills                          {kills.total():>5}")
    print(f"  people with a yes              {verdict.people:>5}")
    print(f"  nobody may be given            {verdict.preapproved:>5}, of which enrolled {verdict.unapproved}")
    print(f"  enrolled twice                 {verdict.twice:>5}")
    print(f"  recorded enrolled, not there   {verdict.lost:>5}")
    print(f"  there, recorded otherwise      {verdict.unnoticed:>5}")
    print(f"  still waiting                  {verdict.left:>5}")
    print(f"  enrolled / not enrolled        {verdict.done:>5} / {verdict.not_done}")
    print(f"  unknown                        {verdict.unknown:>5}, of which enrolled {verdict.unknown_enrolled}")
    print(f"  file and audit sound           {'yes' if verdict.sound else 'NO':>5}")
    print(f"  {'held' if verdict.holds else 'BROKEN'} in {seconds:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
