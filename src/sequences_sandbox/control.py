"""The control API of the sandbox: it advances time, and causes replies, bounces and faults."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sequences_sandbox import clarky_world, kalent_world, topo_world
from sequences_sandbox.faults import FaultRule, Faults
from sequences_sandbox.rest import BadInput, NoSuch, stamp, text
from sequences_sandbox.runs import RunState, SandboxRun, accepted, advance_run, ended, paused, released, resumed
from sequences_sandbox.world import World

Change = Callable[[World, str, datetime], None]
RunChange = Callable[[SandboxRun, datetime], SandboxRun]

NOT_NOW = "This cannot happen to it in its present state"


def happen(world: World, vendor: str, what: str, *, to: str) -> None:
    """Let something happen to a candidate (Kalent), an enrollment (Clarky), a sequence or a task (Topo).

    Raises NoSuch for an unknown id, BadInput for what cannot happen.
    """
    change = HAPPENINGS.get((vendor, what))
    if change is None:
        known = ", ".join(f"{v} {w}" for v, w in HAPPENINGS)
        raise BadInput(f"Nothing called {vendor} {what}: there are {known}", field="what")
    change(world, to, world.advance())


def _replied(run: SandboxRun, now: datetime) -> SandboxRun:
    return ended(run, RunState.REPLIED)


def _failed(run: SandboxRun, now: datetime) -> SandboxRun:
    return ended(run, RunState.FAILED)


def _paused(run: SandboxRun, now: datetime) -> SandboxRun:
    _allow(run.state is RunState.RUNNING)
    return paused(run, now, until=None)


def _resumed(run: SandboxRun, now: datetime) -> SandboxRun:
    _allow(run.state is RunState.PAUSED)
    return advance_run(resumed(run, now), now)


def _released(run: SandboxRun, now: datetime) -> SandboxRun:
    """Approve the draft a run waits for, or give up waiting for contact data."""
    _allow(run.state is RunState.BLOCKED)
    missing = run.current is not None and run.current.block == kalent_world.MISSING_CONTACT
    return released(run, now, skipped=missing)


def _allow(holds: bool) -> None:
    if not holds:
        raise BadInput(NOT_NOW, field="what")


def _on_candidate(change: RunChange) -> Change:
    def changed(world: World, candidate_id: str, now: datetime) -> None:
        sequence = kalent_world.latest_sequence(world.kalent, candidate_id)
        if sequence is None:
            raise NoSuch("Dynamic sequence of this candidate")
        _allow(not sequence.run.is_over)
        world.kalent = kalent_world.with_run_kalent(world.kalent, sequence, change(sequence.run, now))

    return changed


def _enrollment(world: World, enrollment_id: str) -> clarky_world.Enrollment:
    if enrollment := world.clarky.enrollments.get(enrollment_id):
        return enrollment
    raise NoSuch("Enrollment")


def _on_enrollment(change: RunChange) -> Change:
    def changed(world: World, enrollment_id: str, now: datetime) -> None:
        enrollment = _enrollment(world, enrollment_id)
        if enrollment.run is None or enrollment.run.is_over:
            raise BadInput(NOT_NOW, field="what")
        world.clarky = clarky_world.with_enrollment(
            world.clarky, replace(enrollment, run=change(enrollment.run, now))
        )

    return changed


def _reviewable(world: World, enrollment_id: str, now: datetime) -> clarky_world.Enrollment:
    enrollment = _enrollment(world, enrollment_id)
    _allow(enrollment.run is None and not enrollment.rejected and enrollment.generated_at <= now)
    return enrollment


def _approved_enrollment(world: World, enrollment_id: str, now: datetime) -> None:
    enrollment = _reviewable(world, enrollment_id, now)
    world.clarky = clarky_world.with_enrollment(world.clarky, clarky_world.approved(world.clarky, enrollment, now))


def _rejected_enrollment(world: World, enrollment_id: str, now: datetime) -> None:
    enrollment = _reviewable(world, enrollment_id, now)
    world.clarky = clarky_world.with_enrollment(world.clarky, replace(enrollment, rejected=True))


def _sequence(world: World, sequence_id: str) -> topo_world.TopoRun:
    if run := world.topo.sequences.get(sequence_id):
        return run
    raise NoSuch("Sequence")


def _approved_lead(world: World, sequence_id: str, now: datetime) -> None:
    run = _sequence(world, sequence_id)
    _allow(run.phase == "found")
    world.topo = topo_world.with_sequence(world.topo, topo_world.activated(world.topo, run, now))


def _refused_lead(world: World, sequence_id: str, now: datetime) -> None:
    run = _sequence(world, sequence_id)
    _allow(run.phase == "found")
    world.topo = topo_world.with_sequence(world.topo, replace(run, phase="refused", updated_at=now))


def _lead_replied(world: World, sequence_id: str, now: datetime) -> None:
    run = _sequence(world, sequence_id)
    _allow(run.run is not None and not run.is_over and run.run.state is not RunState.REPLIED)
    world.topo = topo_world.replied(world.topo, run, "Thank you, tell me more.", now=now)


def _contact_deleted(world: World, sequence_id: str, now: datetime) -> None:
    run = _sequence(world, sequence_id)
    world.topo = topo_world.with_sequence(world.topo, replace(run, contact_id=None, updated_at=now))


def _lead_failed(world: World, sequence_id: str, now: datetime) -> None:
    run = _sequence(world, sequence_id)
    if run.run is None or run.is_over:
        raise BadInput(NOT_NOW, field="what")
    failed = replace(run, run=ended(run.run, RunState.FAILED), updated_at=now)
    world.topo = topo_world.with_sequence(world.topo, failed)


def _task_completed(world: World, task_id: str, now: datetime) -> None:
    task = world.topo.tasks.get(task_id)
    if task is None:
        raise NoSuch("Task")
    _allow(task.status in ("PENDING", "IN_PROGRESS"))
    world.topo = topo_world.task_over(world.topo, task, skipped=False, now=now)


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


# A hundred years, so that no date overflows.
MOST_SECONDS = 3_155_760_000

Doing = Callable[[dict[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Control:
    """The switches of one sandbox; a mistake is answered with 400 and a sentence, an unknown id with 404."""

    world: World
    faults: Faults

    def routes(self) -> list[Route]:
        """Return the routes, all of which begin with an underscore."""
        return [
            _route("/_faults", "GET", self.list_faults),
            _route("/_faults", "POST", self.add_fault),
            _route("/_faults", "DELETE", self.clear_faults),
            _route("/_clock", "GET", self.tell_time),
            _route("/_clock", "POST", self.move_clock),
            _route("/_happenings", "POST", self.let_happen),
            _route("/_requests", "GET", self.list_requests),
            _route("/_requests", "DELETE", self.clear_requests),
        ]

    def list_faults(self, fields: dict[str, Any]) -> Any:
        """Return the faults that have not happened yet."""
        return [asdict(rule) for rule in self.faults.rules]

    def add_fault(self, fields: dict[str, Any]) -> Any:
        """Add a fault; the body has the fields of ``FaultRule``."""
        rule = _RULE.validate_python(fields)
        unknown = sorted(set(fields) - set(asdict(rule)))
        if unknown:
            raise BadInput(f"Unknown field: {unknown[0]}", field=unknown[0])
        self.faults.rules.append(rule)
        return asdict(rule)

    def clear_faults(self, fields: dict[str, Any]) -> Any:
        """Forget them all."""
        self.faults.rules.clear()
        return []

    def tell_time(self, fields: dict[str, Any]) -> Any:
        """Return the sandbox's time."""
        return {"now": stamp(self.world.advance())}

    def move_clock(self, fields: dict[str, Any]) -> Any:
        """Move the sandbox's clock forward by ``advance_seconds``."""
        seconds = fields.get("advance_seconds")
        is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        if seconds is None or not is_number or not 0 <= seconds <= MOST_SECONDS:
            raise BadInput(f"advance_seconds must be a number from 0 to {MOST_SECONDS}", field="advance_seconds")
        self.world.ahead += timedelta(seconds=seconds)
        return self.tell_time(fields)

    def let_happen(self, fields: dict[str, Any]) -> Any:
        """Cause the event ``what`` for the object ``id`` of ``vendor``."""
        happen(self.world, text(fields, "vendor"), text(fields, "what"), to=text(fields, "id"))
        return fields

    def list_requests(self, fields: dict[str, Any]) -> Any:
        """Return every vendor request since the start or the last clearing, the oldest first."""
        return [asdict(received) for received in self.world.received]

    def clear_requests(self, fields: dict[str, Any]) -> Any:
        """Forget them all."""
        self.world.received.clear()
        return []


_RULE = TypeAdapter(FaultRule)


def _route(path: str, method: str, act: Doing) -> Route:
    async def respond(request: Request) -> Response:
        try:
            return JSONResponse(act(_object(await request.body())))
        except NoSuch as problem:
            return JSONResponse({"error": problem.message}, 404)
        except ValidationError as problem:
            return JSONResponse({"error": problem.errors()[0]["msg"]}, 400)
        except BadInput as problem:
            return JSONResponse({"error": problem.message}, 400)

    return Route(path, respond, methods=[method])


def _object(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content or b"{}")
    except ValueError as error:
        raise BadInput("The body is not valid JSON") from error
    if not isinstance(body, dict):
        raise BadInput("The body must be a JSON object")
    return body
