"""What people do at the vendors' ends: a candidate replies, a recruiter approves a draft, somebody does a task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sequences_mcp.sandbox.rest.refusal import BadInput, NoSuch
from sequences_mcp.sandbox.world import clarky, kalent, topo, topo_course
from sequences_mcp.sandbox.world.run import Run, RunState, accepted, advance, ended, paused, released, resumed
from sequences_mcp.sandbox.world.whole import World

Change = Callable[[World, str, datetime], None]
RunChange = Callable[[Run, datetime], Run]

NOT_NOW = "This cannot happen to it in its present state"


def happen(world: World, vendor: str, what: str, *, to: str) -> None:
    """Let something happen to a candidate (Kalent), an enrollment (Clarky), a sequence or a task (Topo).

    Raises NoSuch for an unknown id, BadInput for what cannot happen.
    """
    change = HAPPENINGS.get((vendor, what))
    if change is None:
        known = ", ".join(f"{v} {w}" for v, w in HAPPENINGS)
        raise BadInput(f"Nothing called {vendor} {what}: there are {known}", field="what")
    change(world, to, world.settle())


def _replied(run: Run, now: datetime) -> Run:
    return ended(run, RunState.REPLIED)


def _failed(run: Run, now: datetime) -> Run:
    return ended(run, RunState.FAILED)


def _paused(run: Run, now: datetime) -> Run:
    _allow(run.state is RunState.RUNNING)
    return paused(run, now, until=None)


def _resumed(run: Run, now: datetime) -> Run:
    _allow(run.state is RunState.PAUSED)
    return advance(resumed(run, now), now)


def _released(run: Run, now: datetime) -> Run:
    """Approve the draft a run waits for, or give up the contact it misses."""
    _allow(run.state is RunState.BLOCKED)
    missing = run.current is not None and run.current.block == kalent.MISSING_CONTACT
    return released(run, now, skipped=missing)


def _allow(holds: bool) -> None:
    if not holds:
        raise BadInput(NOT_NOW, field="what")


def _on_candidate(change: RunChange) -> Change:
    def changed(world: World, candidate_id: str, now: datetime) -> None:
        sequence = kalent.latest_sequence(world.kalent, candidate_id)
        if sequence is None:
            raise NoSuch("Dynamic sequence of this candidate")
        _allow(not sequence.run.is_over)
        world.kalent = kalent.with_run(world.kalent, sequence, change(sequence.run, now))

    return changed


def _enrollment(world: World, enrollment_id: str) -> clarky.Enrollment:
    if found := world.clarky.enrollments.get(enrollment_id):
        return found
    raise NoSuch("Enrollment")


def _on_enrollment(change: RunChange) -> Change:
    def changed(world: World, enrollment_id: str, now: datetime) -> None:
        found = _enrollment(world, enrollment_id)
        if found.run is None or found.run.is_over:
            raise BadInput(NOT_NOW, field="what")
        world.clarky = clarky.with_enrollment(world.clarky, replace(found, run=change(found.run, now)))

    return changed


def _reviewable(world: World, enrollment_id: str, now: datetime) -> clarky.Enrollment:
    found = _enrollment(world, enrollment_id)
    _allow(found.run is None and not found.rejected and found.generated_at <= now)
    return found


def _approved_enrollment(world: World, enrollment_id: str, now: datetime) -> None:
    found = _reviewable(world, enrollment_id, now)
    world.clarky = clarky.with_enrollment(world.clarky, clarky.approved(world.clarky, found, now))


def _rejected_enrollment(world: World, enrollment_id: str, now: datetime) -> None:
    found = _reviewable(world, enrollment_id, now)
    world.clarky = clarky.with_enrollment(world.clarky, replace(found, rejected=True))


def _sequence(world: World, sequence_id: str) -> topo.Sequence:
    if found := world.topo.sequences.get(sequence_id):
        return found
    raise NoSuch("Sequence")


def _approved_lead(world: World, sequence_id: str, now: datetime) -> None:
    found = _sequence(world, sequence_id)
    _allow(found.phase == "found")
    world.topo = topo.with_sequence(world.topo, topo_course.activated(world.topo, found, now))


def _refused_lead(world: World, sequence_id: str, now: datetime) -> None:
    found = _sequence(world, sequence_id)
    _allow(found.phase == "found")
    world.topo = topo.with_sequence(world.topo, replace(found, phase="refused", updated_at=now))


def _lead_replied(world: World, sequence_id: str, now: datetime) -> None:
    found = _sequence(world, sequence_id)
    _allow(found.run is not None and not found.is_over and found.run.state is not RunState.REPLIED)
    world.topo = topo_course.replied(world.topo, found, "Thank you, tell me more.", now=now)


def _contact_deleted(world: World, sequence_id: str, now: datetime) -> None:
    found = _sequence(world, sequence_id)
    world.topo = topo.with_sequence(world.topo, replace(found, contact_id=None, updated_at=now))


def _lead_failed(world: World, sequence_id: str, now: datetime) -> None:
    found = _sequence(world, sequence_id)
    if found.run is None or found.is_over:
        raise BadInput(NOT_NOW, field="what")
    failed = replace(found, run=ended(found.run, RunState.FAILED), updated_at=now)
    world.topo = topo.with_sequence(world.topo, failed)


def _task_completed(world: World, task_id: str, now: datetime) -> None:
    task = world.topo.tasks.get(task_id)
    if task is None:
        raise NoSuch("Task")
    _allow(task.status in ("PENDING", "IN_PROGRESS"))
    world.topo = topo_course.task_over(world.topo, task, skipped=False, now=now)


HAPPENINGS: dict[tuple[str, str], Change] = {
    ("kalent", "accepted"): _on_candidate(accepted),
    ("kalent", "replied"): _on_candidate(_replied),
    ("kalent", "failed"): _on_candidate(_failed),
    ("kalent", "paused"): _on_candidate(_paused),
    ("kalent", "resumed"): _on_candidate(_resumed),
    ("kalent", "released"): _on_candidate(_released),
    ("clarky", "approved"): _approved_enrollment,
    ("clarky", "rejected"): _rejected_enrollment,
    ("clarky", "replied"): _on_enrollment(_replied),
    ("clarky", "failed"): _on_enrollment(_failed),
    ("topo", "approved"): _approved_lead,
    ("topo", "refused"): _refused_lead,
    ("topo", "replied"): _lead_replied,
    ("topo", "failed"): _lead_failed,
    ("topo", "contact_deleted"): _contact_deleted,
    ("topo", "task_completed"): _task_completed,
}
