"""One history on both kinds of store: whatever is asked between two deeds, both answer alike."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.world.data_folder import Clock, with_schema
from tests.world.engine import EMAIL, LATER, MESSAGE, START, TERMS, EngineWorld, FakeDelivery
from tests.world.stores import drop_databases, fresh_database, needs_server

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.run import StopReason
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.engine.context import apply_event
from sequences_mcp.engine.events import Paused, Stopped
from sequences_mcp.errors import DeliveryDeferredError, DeliveryUnknownError, SequencesError
from sequences_mcp.ports.embedded import PeopleFilter, SequenceFilter
from sequences_mcp.store.unit_of_work import Store

pytestmark = needs_server
WAYS: dict[str, Callable[[], FakeDelivery]] = {
    "accepted": FakeDelivery,
    "deferred": lambda: FakeDelivery(before=DeliveryDeferredError("busy", next_step="Wait.")),
    "lost": lambda: FakeDelivery(after=DeliveryUnknownError("lost", next_step="Look.")),
}
PEOPLE = ["ann@one.example", "Bob@two.example", "çem@three.example", "dee@one.example", "ann@free.example"]
COMPANIES = ["", "Acme GmbH", "acme", "50%_off", "É\\co"]
DEEDS = st.one_of(
    st.tuples(
        st.just("save"), st.sampled_from(PEOPLE), st.sampled_from(["", "Acme GmbH", "acme", "50%_off", "É\\co"])
    ),
    st.tuples(st.just("start"), st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=3, unique=True)),
    st.tuples(st.just("approve"), st.integers(0, 3)),
    st.tuples(st.just("work"), st.sampled_from(sorted(WAYS)), st.integers(1, 4)),
    st.tuples(st.just("stop"), st.integers(0, 5)),
    st.tuples(st.just("pause"), st.integers(0, 5)),
    st.tuples(st.just("suppress"), st.sampled_from(["address", "domain"]), st.sampled_from(PEOPLE)),
    st.tuples(st.just("wait"), st.integers(1, 100)),
)
FILTERS = (
    SequenceFilter(size=3, company="acme"),
    SequenceFilter(size=3, contact="ann"),
    SequenceFilter(size=3, contact="%_"),
    SequenceFilter(size=3, waiting_for="approval"),
    SequenceFilter(size=3, waiting_for="decision"),
    SequenceFilter(size=3, waiting_for="time"),
    SequenceFilter(size=3, sort_by="status", sort_order="desc"),
)
_IDS = re.compile(
    r"local:[a-z]+_[0-9A-Z]{26}|\b[0-9A-HJKMNP-TV-Z]{26}\b|<[a-z2-7]{32}@|\b[0-9a-f]{64}\b|\blease(?:=|': )\d+"
)


@dataclass
class History:
    """The deeds so far on one store."""

    world: EngineWorld
    people: dict[str, Contact] = field(default_factory=dict)
    plans: list[str] = field(default_factory=list)

    async def do(self, deed: str, *values: Any) -> str:
        """Do one thing and return what came of it, errors included."""
        act: Callable[..., Any] = getattr(self, deed)
        try:
            return repr(await act(*values))
        except SequencesError as error:
            return f"{type(error).__name__}: {error}"

    async def save(self, email: str, company: str) -> Contact:
        """Save a person, or a new company of theirs."""
        facts = {"company": company} if company else {}
        self.people[email] = await self.world.contact(email, **facts)
        return self.people[email]

    async def start(self, emails: list[str]) -> Any:
        """Plan a start for those who are known."""
        people = [self.people[email] for email in emails if email in self.people]
        if not people:
            return None
        blueprint = await self.world.blueprint(EMAIL, LATER, MESSAGE)
        plan = await self.world.plan(*people, blueprint=blueprint)
        self.plans.append(plan.id)
        return plan

    async def approve(self, place: int) -> Any:
        """Approve one of the plans."""
        if place >= len(self.plans):
            return None
        plan = await self.world.local.plans.get_plan(self.plans[place])
        return await self.world.local.plans.approve_plan(plan.id, digest=plan.digest, actor=Actor("terminal"))

    async def work(self, way: str, limit: int) -> int:
        """Do some of what is due."""
        return self.world.worker(WAYS[way]()).run_due(limit=limit)

    async def stop(self, place: int) -> None:
        """Stop one of the runs."""
        await self._apply(place, Stopped(StopReason.WIN))

    async def pause(self, place: int) -> None:
        """Pause one of the runs for a day."""
        await self._apply(place, Paused(self.world.clock.now + timedelta(days=1)))

    async def _apply(self, place: int, event: Stopped | Paused) -> None:
        runs = await self.world.runs()
        if place < len(runs):
            with self.world.store.transaction() as work:
                apply_event(work, runs[place], event, now=self.world.clock.now, actor=Actor("tester"))

    async def suppress(self, kind: Literal["address", "domain"], email: str) -> Any:
        """Put somebody on the list, or everybody at their domain."""
        value = email if kind == "address" else email.partition("@")[2]
        return await self.world.local.suppressions.suppress(kind, value, reason="asked")

    async def wait(self, hours: int) -> None:
        """Let time pass."""
        self.world.clock.forward(hours=hours)

    async def answers(self) -> dict[str, str]:
        """Return everything that can be asked, in words that no id is in."""
        return {name: repr(in_order(answer)) for name, answer in [one async for one in self._asked()]}

    async def _asked(self) -> Any:
        world, store = self.world, self.world.store
        yield "runs", await world.details()
        for wanted in FILTERS:
            yield f"runs {wanted}", await world.local.list_sequences(wanted)
        for search in ("", "ANN", "çem", "É\\co", "50%_"):
            yield f"people {search}", await world.local.find_contacts(search, page=1, size=10)
        yield "blueprints", await world.local.list_blueprints(page=1, size=10)
        yield "plans", await world.local.plans.list_plans(page=1, size=10)
        yield "drafts", await world.local.list_drafts(plan_id=None, page=1, size=10)
        yield "tasks", await world.local.list_tasks(page=1, size=10)
        yield "suppressions", store.suppressions.page(page=1, size=10)
        yield "waiting", store.waiting.counts(now=world.clock.now, not_because="approval")
        yield "mailbox", store.mailboxes.opens(TERMS.sender_address, limits=TERMS.limits, now=world.clock.now)
        yield "unknown", store.upkeep.unknown()
        yield "failed", store.upkeep.failed(since=START)
        yield "audit", list(store.audit.entries())
        yield "chain", store.audit.verify()
        blueprints = [item.id for item in (await world.local.list_blueprints(page=1, size=10)).items]
        yield "outcomes", sorted(_IDS.sub("#", repr(row)) for row in store.outcomes.of_blueprints(blueprints))
        yield "next of", sorted(store.outcomes.next_of(blueprints).values())
        yield "report", store.outcomes.blueprints("local", page=1, size=10)
        for plan in self.plans:
            yield (
                f"plan {plan}",
                store.runs.of_plan_warned_first(plan, PeopleFilter(), read_steps=[0], page=1, size=9),
            )


def in_order(answer: Any) -> Any:
    """Return an answer with what is counted by status in one order: no list is promised for it."""
    if isinstance(answer, Page) and answer.counts:
        return replace(answer, counts=dict(sorted(answer.counts.items())))
    return answer


def plain(text: str, folder: Path) -> str:
    """Return an answer with its ids and digests numbered in the order in which they come."""
    seen: dict[str, str] = {}
    return _IDS.sub(lambda match: seen.setdefault(match[0], f"#{len(seen)}"), text.replace(str(folder), "FOLDER"))


def histories(folder: Path, url: str) -> Iterator[History]:
    """Begin both: one in a file, one on the server."""
    for name, address in (("file", None), ("served", url)):
        place = with_schema(folder / name) if address is None else folder / name
        store = Store.open(Workspace(place), now=START, url=address, busy_seconds=5)
        yield History(EngineWorld(folder / name, store, Clock(START), TERMS))


@settings(max_examples=int(os.environ.get("BOTH_STORES", "6")), deadline=None)
@given(deeds=st.lists(DEEDS, min_size=4, max_size=14))
def test_both_stores_answer_alike_after_any_history(deeds: list[tuple[Any, ...]]) -> None:
    asyncio.run(compared(deeds))


async def compared(deeds: list[tuple[Any, ...]], *, url: str | None = None) -> int:
    """Go through one history on both, and hold every answer of one against the other's; return how many."""
    url = url or fresh_database(f"both_{os.getpid()}")
    with TemporaryDirectory(dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")) as folder:
        both = list(histories(Path(folder), url))
        try:
            for deed in [("save", PEOPLE[0], ""), *deeds]:
                said = [plain(await one.do(*deed), one.world.folder) for one in both]
                assert said[0] == said[1], deed
            answers = [await one.answers() for one in both]
        finally:
            for one in both:
                one.world.store.close()
            drop_databases()
    for (name, mine), theirs in zip(answers[0].items(), answers[1].values(), strict=True):
        assert plain(mine, both[0].world.folder) == plain(theirs, both[1].world.folder), name
    return len(answers[0])
