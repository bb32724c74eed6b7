"""Steps a person does by hand."""

from __future__ import annotations

from dataclasses import dataclass

from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.ids import LOCAL, Kind
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.sequence import Sequence, StepRun, TaskOutcome
from sequences_mcp.engine.change import change
from sequences_mcp.engine.events import TaskCompleted
from sequences_mcp.engine.local.details import people_of, require_step
from sequences_mcp.engine.local.engine import Engine, require_page
from sequences_mcp.engine.store import texts
from sequences_mcp.providers.port import Task


@dataclass(frozen=True, slots=True)
class LocalTasks:
    """``providers.port.Tasks`` over the store and the machine."""

    engine: Engine

    async def list_tasks(self, *, page: int, size: int) -> Page[Task]:
        """Return the open ones, oldest first; not those of people who are paused."""
        require_page(page, size)
        found = texts.open_tasks(self.engine.store, now=self.engine.clock(), page=page, size=size)
        people = people_of(self.engine, (one for one, _ in found.items))
        return found.map(lambda pair: _task(*pair, people[pair[0].contact_id]))

    async def complete_task(self, task_id: str, *, outcome: TaskOutcome) -> Task:
        """Record what became of a task; ConflictError for one that is over."""
        engine = self.engine
        with engine.store.transaction():
            sequence, run = require_step(engine, task_id, Kind.TASK)
            event = TaskCompleted(run.key, outcome)
            after, _ = change(engine.store, sequence, event, now=engine.clock(), actor=engine.actor)
            person = people_of(engine, [after])[after.contact_id]
            return _task(after, next(one for one in after.steps if one.key == run.key), person)


def _task(sequence: Sequence, run: StepRun, contact: Contact) -> Task:
    return Task(id=f"{LOCAL}:{Kind.TASK}_{run.key}", sequence=sequence, run=run, contact=contact)
