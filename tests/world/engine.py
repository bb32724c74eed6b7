"""The embedded engine on a real file, with a clock that the test moves."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.world.data_folder import Clock, with_schema
from tests.world.stores import open_store, shell

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.blueprint import (
    Blueprint,
    Channel,
    Delay,
    DelayUnit,
    LinkedInType,
    Sourcing,
    Step,
    Temporality,
)
from sequences_mcp.domain.contact import Contact, ContactFields
from sequences_mcp.domain.ids import KEY_ENTROPY, new_key
from sequences_mcp.domain.inbound import InboundEntry
from sequences_mcp.domain.plan import Plan, PlanHeader, Terms
from sequences_mcp.domain.run import Leaving, Run, StepRun
from sequences_mcp.domain.sender import Sender
from sequences_mcp.engine.calendar import Window
from sequences_mcp.engine.channels import outbox
from sequences_mcp.engine.channels.message import ComposedMessage, Receipt
from sequences_mcp.engine.claim import SendPolicy
from sequences_mcp.engine.context import EngineContext
from sequences_mcp.engine.provider import LocalProvider, local_provider
from sequences_mcp.engine.worker import Deliver, Worker
from sequences_mcp.ports.embedded import ContactEntry, PlannedPerson, SequenceDetail, SequenceFilter
from sequences_mcp.store.sqlite.connection import JournalMode
from sequences_mcp.store.statements import from_micros
from sequences_mcp.store.unit_of_work import Store

START = datetime(2026, 11, 23, 9, tzinfo=UTC)
SENDER = Sender("ada@example.com", "Ada", "Lovelace")
TERMS = Terms(
    sender_address=SENDER.address,
    sender_name=SENDER.name,
    delivery="outbox",
    window="Mon-Sun 00:00-24:00",
    daily_cap=1000,
    spacing=0,
)
EMAIL = Step(
    id="s1",
    name="Hello",
    type=Channel.EMAIL,
    subject="Hi",
    content="Hello there.",
    temporality_type=Temporality.ASAP,
)
LATER = EMAIL.model_copy(
    update={
        "id": "s2",
        "name": "Again",
        "temporality_type": Temporality.DELAYED,
        "delay": Delay(value=3, unit=DelayUnit.DAY),
    }
)
MESSAGE = EMAIL.model_copy(
    update={"type": Channel.LINKEDIN, "linked_in_type": LinkedInType.MESSAGE, "subject": None}
)


def fine(text: Leaving) -> None:
    """Find nothing wrong with a text."""


@dataclass(slots=True)
class EngineWorld:
    """A provider and what it stands on."""

    folder: Path
    store: Store
    clock: Clock
    terms: Terms
    local: LocalProvider = field(init=False)

    def __post_init__(self) -> None:
        self.local = local_provider(EngineContext(self.store, self.clock, os.urandom, self.terms, Actor("tester")))

    @classmethod
    def open(cls, folder: Path, *, journal: JournalMode | None = None, **terms: Any) -> EngineWorld:
        """Open a new world in a folder, with these terms changed."""
        clock = Clock(START)
        store = open_store(with_schema(folder / "data"), now=clock.now, journal=journal, busy_seconds=0.2)
        return cls(folder, store, clock, replace(TERMS, **terms))

    def under(self, **terms: Any) -> EngineWorld:
        """Return the same world after the settings were changed."""
        return EngineWorld(self.folder, self.store, self.clock, replace(self.terms, **terms))

    async def blueprint(self, *steps: Step) -> Blueprint:
        """Store a blueprint."""
        return await self.local.create_blueprint(
            name="Test", steps=steps or [EMAIL], sourcing=Sourcing(job_title="Engineer")
        )

    async def contact(self, email: str | None = None, *, of: str | None = None, **facts: str) -> Contact:
        """Save a person, or new facts ``of`` the one with an id."""
        entry = ContactEntry(ContactFields(email=email, **facts), id=of)
        return (await self.local.save_contacts([entry]))[0].contact

    async def plan(
        self, *people: Contact, blueprint: Blueprint | None = None, texts: Mapping[str, str | None] | None = None
    ) -> Plan:
        """Plan a start and seal it; ``texts`` are contents by step id in place of the blueprint's."""
        blueprint = blueprint or await self.blueprint()
        header = PlanHeader(
            blueprint_id=blueprint.id,
            blueprint_version=blueprint.version,
            blueprint_name=blueprint.name,
            terms=self.terms,
            expires_at=self.clock.now + timedelta(hours=24),
        )
        plan = await self.local.plans.open_plan(header)
        await self.local.plans.add_people(plan.id, [planned(one, blueprint, texts or {}) for one in people])
        return await self.local.plans.seal_plan(plan.id)

    async def approved(self, *people: Contact, **planning: Any) -> Plan:
        """Plan a start and approve it."""
        plan = await self.plan(*people, **planning)
        return await self.local.plans.approve_plan(plan.id, digest=plan.digest, actor=Actor("terminal"))

    async def runs(self, **wanted: Any) -> list[Run]:
        """Return all runs, the oldest first."""
        return [one.sequence for one in await self.details(**wanted)]

    async def details(self, **wanted: Any) -> tuple[SequenceDetail, ...]:
        """Return all runs with their contacts and outlooks."""
        return (await self.local.list_sequences(SequenceFilter(size=100, **wanted))).items

    def received(self, sequence_id: str) -> list[InboundEntry]:
        """Return what came in about a run as it is stored, the oldest first."""
        names = [one.name for one in fields(InboundEntry) if one.name != "sequence_id"]
        columns = ", ".join(f"i.{name}" for name in names)
        query = (
            f"SELECT {columns} FROM inbound i JOIN sequence s ON s.no = i.sequence_no WHERE s.id = ? ORDER BY i.no"
        )
        with shell(self.folder / "data") as database:
            rows = [
                dict(zip(names, row, strict=True)) for row in database.execute(query, (sequence_id,)).fetchall()
            ]
        instants = [{name: from_micros(row[name]) for name in ("sent_at", "until", "found_at")} for row in rows]
        return [InboundEntry(**row | at, sequence_id=sequence_id) for row, at in zip(rows, instants, strict=True)]

    def keep(self, before: Run, after: Run) -> None:
        """Store a state of a run as it is."""
        self.store.runs.save(before, after, next_run_at=None, now=self.clock.now)

    def worker(
        self, deliver: Deliver | None = None, check: Callable[..., str | None] = fine, **more: Any
    ) -> Worker:
        """Return a worker on this store; it writes to an outbox by default."""
        rules = SendPolicy(
            terms=self.terms,
            sender=SENDER,
            window=Window.parse(self.terms.window),
            check=check,
            lease=timedelta(minutes=2),
        )
        deliver = deliver or partial(outbox.deliver_to_outbox, self.folder / "outbox")
        return Worker(store=self.store, clock=self.clock, rules=rules, deliver=deliver, **more)

    @property
    def mails(self) -> list[Path]:
        """The e-mails in the outbox."""
        return sorted((self.folder / "outbox").glob("*.eml"))


def planned(contact: Contact, blueprint: Blueprint, texts: Mapping[str, str | None]) -> PlannedPerson:
    """Return a person of a plan with the blueprint's texts as they are."""
    recipients = {Channel.EMAIL: contact.email, Channel.LINKEDIN: contact.linkedin_url}
    return PlannedPerson(
        contact=contact,
        variables={},
        time_zone=contact.time_zone or "UTC",
        steps=tuple(
            StepRun(
                key=new_key(START, os.urandom(KEY_ENTROPY)),
                step=step,
                recipient=recipients.get(step.type, contact.phone),
                subject=step.subject,
                content=texts.get(step.id, step.content),
            )
            for step in blueprint.steps
        ),
    )


class FakeDelivery:
    """A channel that does as it is told: raises before or after the final dot, or accepts."""

    def __init__(self, before: BaseException | None = None, after: BaseException | None = None) -> None:
        self.before, self.after = before, after
        self.messages: list[ComposedMessage] = []

    def __call__(self, message: ComposedMessage, *, before_dot: Callable[[], None]) -> Receipt:
        """Deliver as told."""
        self.messages.append(message)
        if self.before is not None:
            raise self.before
        before_dot()
        if self.after is not None:
            raise self.after
        return Receipt("250 taken")


class AtTheDot(FakeDelivery):
    """A mail server that accepts everything, and before whose final dot, or behind it, something happens."""

    def __init__(self, *, before: Callable[[], Any] | None = None, after: Callable[[], Any] | None = None) -> None:
        super().__init__()
        self._first, self._then = before, after

    def __call__(self, message: ComposedMessage, *, before_dot: Callable[[], None]) -> Receipt:
        """Accept the e-mail."""
        if self._first is not None:
            self._first()
        before_dot()
        self.messages.append(message)
        if self._then is not None:
            self._then()
        return Receipt("250 taken")


def until(holds: Callable[[], Any]) -> None:
    """Wait for a condition, with a bound."""
    pause = threading.Event()
    assert any(holds() or pause.wait(0.02) for _ in range(6_000))


@pytest.fixture(name="world")
def embedded(tmp_path: Path) -> Iterator[EngineWorld]:
    """The embedded provider on an empty database."""
    world = EngineWorld.open(tmp_path)
    yield world
    world.store.close()
