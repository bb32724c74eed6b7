"""One history on both kinds of store: whatever is asked between two deeds, both answer alike."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.world.data_folder import Clock, with_schema
from tests.world.engine import EMAIL, LATER, MESSAGE, START, TERMS, EngineWorld, FakeDelivery
from tests.world.stores import drop_databases, fresh_database, needs_server

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.contact import Contact, ContactFields
from sequences_mcp.domain.findings import Waiver
from sequences_mcp.domain.run import ReplyKind, StopReason, StopScope, TaskOutcome
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.engine.context import apply_event
from sequences_mcp.engine.events import Paused, Resumed, Stopped
from sequences_mcp.engine.inbound.effects import incoming, take_in_message
from sequences_mcp.errors import DeliveryDeferredError, DeliveryUnknownError, SequencesError
from sequences_mcp.ports.embedded import (
    ContactEntry,
    PeopleFilter,
    ReplyFilter,
    SequenceFilter,
    StepText,
    ToolCall,
)
from sequences_mcp.ports.vendor import VendorWrite
from sequences_mcp.store.unit_of_work import Store

pytestmark = needs_server
WAYS: dict[str, Callable[[], FakeDelivery]] = {
    "accepted": FakeDelivery,
    "deferred": lambda: FakeDelivery(before=DeliveryDeferredError("busy", next_step="Wait.")),
    "lost": lambda: FakeDelivery(after=DeliveryUnknownError("lost", next_step="Look.")),
}
PEOPLE = ["ann@one.example", "Bob@two.example", "çem@three.example", "dee@one.example", "ann@free.example"]
MAILS = ["Yes, gladly. É'ö", "Unsubscribe me", "I am out of office until 2026-11-30."]
TOOLS = ["stop_sequence", "update_blueprint", "start_sequences"]
ENDS = ["", "unknown", "done", "not_done"]
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
    st.tuples(st.just("resume"), st.integers(0, 5)),
    st.tuples(st.just("stop_company"), st.integers(0, 5)),
    st.tuples(st.just("reject"), st.integers(0, 3)),
    st.tuples(st.just("rewrite"), st.integers(0, 5), st.sampled_from(["Hello anew.", "É'ö\n"])),
    st.tuples(st.just("approve_text"), st.integers(0, 2)),
    st.tuples(st.just("settle"), st.booleans()),
    st.tuples(st.just("complete"), st.sampled_from(list(TaskOutcome))),
    st.tuples(st.just("answer"), st.sampled_from(PEOPLE), st.sampled_from(list(ReplyKind))),
    st.tuples(st.just("lift"), st.sampled_from(["address", "domain"]), st.sampled_from(PEOPLE)),
    st.tuples(st.just("archive"), st.integers(0, 2), st.booleans()),
    st.tuples(st.just("change"), st.integers(0, 2)),
    st.tuples(st.just("waive"), st.integers(0, 2)),
    st.tuples(st.just("erase"), st.sampled_from(PEOPLE)),
    st.tuples(st.just("bring"), st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=4, unique=True)),
    st.tuples(st.just("mail"), st.integers(0, 5), st.sampled_from(MAILS)),
    st.tuples(st.just("operate"), st.sampled_from(TOOLS), st.sampled_from(ENDS)),
)
EVERYTHING: list[tuple[Any, ...]] = [
    ("save", PEOPLE[1], "Acme GmbH"),
    ("save", PEOPLE[2], "acme"),
    ("save", PEOPLE[3], "50%_off"),
    ("start", PEOPLE[:3]),
    ("start", [PEOPLE[3]]),
    ("waive", 0),
    ("change", 0),
    ("rewrite", 1, "É'ö\n"),
    ("approve", 0),
    ("reject", 1),
    ("work", "lost", 1),
    ("work", "accepted", 3),
    ("settle", False),
    ("rewrite", 0, "Hello anew."),
    ("approve_text", 0),
    ("pause", 0),
    ("resume", 0),
    ("answer", PEOPLE[1], ReplyKind.OUT_OF_OFFICE),
    ("wait", 80),
    ("work", "deferred", 2),
    ("wait", 80),
    ("work", "accepted", 4),
    ("work", "accepted", 4),
    ("complete", TaskOutcome.DONE),
    ("answer", PEOPLE[2], ReplyKind.INTERESTED),
    ("stop_company", 2),
    ("suppress", "domain", PEOPLE[2]),
    ("lift", "domain", PEOPLE[2]),
    ("archive", 1, True),
    ("stop", 0),
    ("bring", [PEOPLE[4], PEOPLE[3], PEOPLE[1]]),
    ("start", [PEOPLE[4]]),
    ("approve", 2),
    ("work", "accepted", 2),
    *[("mail", place, text) for place, text in enumerate([*MAILS, *MAILS])],
    *[("operate", tool, end) for tool in TOOLS for end in ENDS],
    ("erase", PEOPLE[0]),
]
"""A history in which each deed is done, most of them with an effect."""
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
    r"|(?<=pauses=')[0-9a-f]{16}\b"
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
        facts = {"linkedin_url": f"https://www.linkedin.com/in/person{PEOPLE.index(email)}"}
        facts |= {"company": company} if company else {}
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

    async def _apply(self, place: int, event: Stopped | Paused | Resumed) -> None:
        runs = await self.world.runs()
        if place < len(runs):
            with self.world.store.transaction() as work:
                apply_event(work, runs[place], event, now=self.world.clock.now, actor=Actor("tester"))

    async def resume(self, place: int) -> None:
        """Let one of the runs go on."""
        await self._apply(place, Resumed())

    async def stop_company(self, place: int) -> Any:
        """Stop everybody of one company."""
        runs = await self.world.runs()
        if place >= len(runs):
            return None
        return await self.world.local.stop_sequence(
            runs[place].id, reason=StopReason.LOSE, scope=StopScope.COMPANY
        )

    async def reject(self, place: int) -> Any:
        """Say no to one of the plans."""
        if place >= len(self.plans):
            return None
        return await self.world.local.plans.refuse_plan(self.plans[place], reason="no", actor=Actor("terminal"))

    async def rewrite(self, place: int, content: str) -> Any:
        """Write another text for one of the runs."""
        runs = await self.world.runs()
        if place >= len(runs):
            return None
        return await self.world.local.rewrite_texts(
            runs[place].id, {"s2": StepText(subject="Again", content=content)}
        )

    async def approve_text(self, place: int) -> Any:
        """Approve one of the texts that wait."""
        drafts = (await self.world.local.list_drafts(plan_id=None, page=1, size=10)).items
        if place >= len(drafts):
            return None
        digest = drafts[place].digest
        return await self.world.local.approve_draft(drafts[place].id, digest=digest, actor=Actor("terminal"))

    async def settle(self, sent: bool) -> Any:
        """Say what became of the first e-mail of which nobody knows."""
        drafts = (await self.world.local.list_drafts(plan_id=None, page=1, size=10)).items
        unknown = next((draft.id for draft in drafts if draft.why == "unknown"), None)
        if unknown is None:
            return None
        return await self.world.local.resolve_unknown(unknown, sent=sent, actor=Actor("terminal"))

    async def complete(self, outcome: TaskOutcome) -> Any:
        """Say what became of the first task."""
        tasks = (await self.world.local.list_tasks(page=1, size=10)).items
        return await self.world.local.complete_task(tasks[0].id, outcome=outcome) if tasks else None

    async def answer(self, email: str, kind: ReplyKind) -> Any:
        """Note what somebody answered."""
        until = self.world.clock.now + timedelta(days=2) if kind is ReplyKind.OUT_OF_OFFICE else None
        person = self.people.get(email)
        return await self.world.local.record_reply(person.id, kind, until=until) if person else None

    async def lift(self, kind: Literal["address", "domain"], email: str) -> Any:
        """Take somebody off the list."""
        value = email if kind == "address" else email.partition("@")[2]
        return await self.world.local.suppressions.lift(kind, value, reason="asked", actor=Actor("terminal"))

    async def _blueprints(self) -> list[Any]:
        return list((await self.world.local.list_blueprints(page=1, size=10)).items)

    async def archive(self, place: int, archived: bool) -> Any:
        """Put a blueprint away, or take one back."""
        known = (
            await self._blueprints() if archived else (await self.world.local.list_archived(page=1, size=10)).items
        )
        if place >= len(known):
            return None
        return await self.world.local.archive_blueprint(known[place].id, archived=archived)

    async def change(self, place: int) -> Any:
        """Store the next version of a blueprint."""
        known = await self._blueprints()
        if place >= len(known):
            return None
        return await self.world.local.update_blueprint(
            known[place].id,
            expected_version=known[place].version,
            name="Çhanged 50%_",
            steps=known[place].steps[:2],
            sourcing=known[place].sourcing,
        )

    async def waive(self, place: int) -> Any:
        """Accept a warning for a blueprint."""
        known, until = await self._blueprints(), self.world.clock.now + timedelta(days=1)
        if place >= len(known):
            return None
        waiver = Waiver(
            blueprint_id=known[place].id, rule="tone", reason="ours", actor=Actor("tester"), until=until
        )
        return await self.world.local.waivers.waive(waiver)

    async def erase(self, email: str) -> Any:
        """Erase somebody."""
        person = self.people.get(email)
        return await self.world.local.erasures.erase(person.id, actor=Actor("terminal")) if person else None

    async def bring(self, emails: list[str]) -> Any:
        """Import people from a file: those who are known with another name."""
        entries = [
            ContactEntry(fields=ContactFields(email=email, first_name=f"Né{place}", company="50%_off"), note="x")
            for place, email in enumerate(emails)
        ]
        since = await self.world.local.place_in_audit()
        matched = await self.world.local.match_contacts(entries)
        if matched.problems:
            return matched
        part = await self.world.local.prepare_matched(matched)
        saved = await self.world.local.save_prepared([part], since=since, concerns=lambda contact: False)
        for email in emails:
            found = await self.world.local.find_contacts(email, page=1, size=5)
            self.people |= {person.email: person for person in found.items if person.email == email}
        return matched.people, saved

    async def mail(self, place: int, text: str) -> Any:
        """Take in an e-mail that came: an answer to what one of the runs sent, or from whoever wrote to nobody."""
        runs, now = await self.world.runs(), self.world.clock.now
        run = runs[place] if place < len(runs) else None
        answered = next((step.message_id for step in run.steps if step.message_id), None) if run else None
        lines = [
            f"From: {(run.address if run else None) or 'stranger@three.example'}",
            f"To: {TERMS.sender_address}",
            f"Message-ID: <came{place}.{len(text)}@one.example>",
            "Subject: Re: Hi",
            "Content-Type: text/plain; charset=utf-8",
            *([f"In-Reply-To: {answered}"] if answered else []),
        ]
        came = incoming("\r\n".join([*lines, "", text]).encode(), arrived_at=now)
        with self.world.store.transaction() as work:
            return take_in_message(work, came, address=TERMS.sender_address, now=now)

    async def operate(self, tool: str, end: str) -> Any:
        """Begin a write at a vendor, and note what became of it."""
        operations = self.world.local.operations
        call = ToolCall(tool, f"key of {tool} {end}", "f" * 64)
        write = VendorWrite(
            call=call, provider="kalent", subject=f"kalent:bp_{len(end)}", arguments={"é": [1, None, "%_"]}
        )
        begun = await operations.begin(write)
        if end == "unknown":
            return begun.operation, await operations.mark_unknown(begun.operation.id, answer='{"é": 1}')
        if end in ("done", "not_done"):
            state: Literal["done", "not_done"] = "done" if end == "done" else "not_done"
            return await operations.conclude(begun.operation.id, state=state, answer="{}", actor=Actor("tester"))
        return begun

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
        async for asked in self._asked_of_records():
            yield asked
        for number, plan in enumerate(self.plans):
            yield f"tally {number}", await world.local.records.tally(plan)
            yield f"to read {number}", await world.local.records.unread_people(plan, opened=())
            yield (
                f"plan {number}",
                store.runs.of_plan_warned_first(plan, PeopleFilter(), read_steps=[0], page=1, size=9),
            )

    async def _asked_of_records(self) -> Any:
        world, store, records = self.world, self.world.store, self.world.local.records
        for number, run in enumerate(await world.runs()):
            yield f"run {number}", await world.local.get_sequence(run.id)
            yield f"schedule {number}", store.schedule.of_run(run.id)
            yield f"colleagues {number}", await world.local.not_stopped(run.id)
        for number, person in enumerate(self.people.values()):
            ids = [person.id]
            yield f"suppressed {number}", await world.local.suppressions.suppressed_among([person])
            yield f"busy {number}", await world.local.suppressions.busy_among(ids)
            yield f"former {number}", store.contacts.former_addresses(ids)
            yield (
                f"held {number}",
                {name: len(rows) for name, rows in store.erasures.everything(person.id).items()},
            )
        everybody = [person.id for person in self.people.values()]
        for number, item in enumerate(await self._blueprints()):
            earlier = await world.local.suppressions.earlier_among(everybody, blueprint_id=item.id)
            yield f"earlier {number}", [sorted(map(everybody.index, ids)) for ids in earlier]
            yield f"waivers {number}", await world.local.waivers.waivers_of(item.id)
            yield f"version {number}", await world.local.get_blueprint(item.id, version=1)
            yield (
                f"variants {number}",
                await world.local.plans.variants_of(
                    [one.id for one in self.people.values()], blueprint_id=item.id
                ),
            )
        yield "archived", await world.local.list_archived(page=1, size=10)
        yield "replies", await world.local.list_replies(ReplyFilter(size=9))
        yield "replies after", await records.replies_after("", size=9)
        yield "campaigns", await records.campaigns("local", search="ÇHANGED 50%_", page=1, size=9)
        yield "all campaigns", await records.campaigns("local", page=1, size=9)
        yield "failed runs", await records.failed()
        yield "next e-mails", await records.next_emails(size=9)
        yield "pauses", await records.pauses()
        yield "waits", await records.waiting()
        yield "usage", await records.mailbox_usage(TERMS)
        yield "mails", await records.list_mails(page=1, size=9)
        yield "listed", await records.list_suppressed(page=1, size=9)
        yield "contacts after", await records.contacts_after(0, size=99)
        yield "runs after", await records.runs_after(0, size=99)
        yield "suppressions after", await records.suppressions_after(("", ""), size=9)
        yield "audit after", await records.audit_after(0, size=99)
        yield "audit page", await records.list_audit(page=1, size=99)
        yield "to decide", await world.local.list_replies(ReplyFilter(size=9, waiting=True))
        yield "operations", await world.local.operations.unknown(size=9)
        yield "open operations", store.operations.open_on("kalent:bp_0", now=world.clock.now)
        yield "named", store.inbound.unknown_but_named()
        yield "at host", store.inbound.live_at_host("one.example")
        yield "wrote", store.inbound.has_written(PEOPLE[0], since=START, until=world.clock.now)
        yield "overdue", store.upkeep.overdue(before=world.clock.now)
        yield "not handed over", store.upkeep.not_handed_over(before=world.clock.now)
        yield "unresolved", store.upkeep.unresolved()
        yield "steps", dict(sorted(store.upkeep.steps().items()))
        yield "kinds of replies", dict(sorted(store.upkeep.replies().items()))
        yield "newest", store.upkeep.newest_instant(TERMS.sender_address)
        yield "live", store.schedule.live(after=0, size=99)
        yield "coming", list(store.schedule.coming(before=world.clock.now + timedelta(days=9)))
        yield "standstills", store.lineage.standstills()
        yield "may send", store.lineage.runs_that_may_send()
        yield "anybody erased", store.erasures.is_anybody()


def in_order(answer: Any) -> Any:
    """Return an answer with what is counted by status in one order: no list is promised for it."""
    if not is_dataclass(answer) or isinstance(answer, type):
        return answer
    counted = {one.name: getattr(answer, one.name) for one in fields(answer) if one.init}
    return replace(
        answer, **{name: dict(sorted(of.items())) for name, of in counted.items() if of and isinstance(of, dict)}
    )


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


def test_the_history_of_everything_has_each_deed() -> None:
    kinds = {deed[0] for deed in EVERYTHING}
    verbs = {name for name, act in vars(History).items() if asyncio.iscoroutinefunction(act) and name[0] != "_"}
    assert kinds == verbs - {"do", "answers"}


# Runs of two blueprints change last at the same instant: which is listed first must not hang on their ids.
TWO_AT_ONE_INSTANT: list[tuple[Any, ...]] = [
    ("start", ["çem@three.example", "dee@one.example", "ann@one.example"]),
    ("erase", "dee@one.example"),
    ("pause", 1),
    ("stop_company", 2),
    ("save", "Bob@two.example", "É\\co"),
    ("start", ["ann@free.example", "ann@one.example", "Bob@two.example"]),
]


@settings(max_examples=int(os.environ.get("BOTH_STORES", "6")), deadline=None)
@example(deeds=EVERYTHING)
@example(deeds=TWO_AT_ONE_INSTANT)
@example(deeds=[("start", ["ann@one.example"]), ("answer", "ann@one.example", ReplyKind.OUT_OF_OFFICE)])
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
