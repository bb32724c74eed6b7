"""E-mails that left without a record in this database: receipts on the disk, gaps after a restore or a copy."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from sequences_mcp.domain import actors
from sequences_mcp.domain.blueprint import Channel, Temporality
from sequences_mcp.domain.entries import Attempt, UnseenHandover
from sequences_mcp.domain.plan import PlanStatus
from sequences_mcp.domain.run import IN_FLIGHT, Run, SequenceStatus, StepRun, StepState
from sequences_mcp.engine import machine, vendor_transitions
from sequences_mcp.engine.approvals import decide, voided
from sequences_mcp.engine.context import apply_event, keep_changes
from sequences_mcp.engine.events import HandedToServer, Lost, Tick
from sequences_mcp.engine.machine import with_run
from sequences_mcp.lazy_dataclasses import asdict, dataclass, replace
from sequences_mcp.ports.embedded import ToolCall
from sequences_mcp.ports.vendor import EnrolmentOutcome, VendorWrite
from sequences_mcp.private_files import on_disk, replacing, sync_folder
from sequences_mcp.store.unit_of_work import Store, UnitOfWork

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How the delivery of one claimed e-mail ended.

    ``words`` is the receipt, or why it was not accepted, or why nobody can tell; ``reply`` the server's own
    words in the last two cases. ``blame`` is one of
    ``channels.replies.Blame``, or empty where no server was to blame; ``code`` is what a refusal is known by,
    ``is_uncertain`` whether it is unclear whom it is about.
    """

    sequence_id: str
    key: str
    lease: int
    kind: Literal["accepted", "refused", "lost"]
    words: str
    blame: str = ""
    code: str = ""
    is_uncertain: bool = False
    reply: str = ""


# Older programs wrote these fields of a receipt's file, and read them, under these names.
_IN_FILES = {"words": "said", "is_uncertain": "doubtful"}


def _written(outcome: Outcome) -> bytes:
    return json.dumps({_IN_FILES.get(name, name): value for name, value in asdict(outcome).items()}).encode()


def _read(text: bytes) -> Outcome:
    names = {older: name for name, older in _IN_FILES.items()}
    facts: dict[str, Any] = dict(json.loads(text))
    return Outcome(**{names.get(name, name): value for name, value in facts.items()})


UNREADABLE = ".unreadable"


@dataclass(frozen=True, slots=True)
class Receipts:
    """The folder of outcomes that are not yet in the database: one JSON file a lease."""

    folder: Path

    def keep(self, outcome: Outcome) -> bool:
        """Store an outcome so that it outlives this process; False where the disk does not take it.

        It is there for every other process at once, and after a loss of power once ``wait`` has returned: the
        disk takes longer than the database does, which most often has the outcome a moment later.
        """
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            with replacing(self._path(outcome.lease), waits=False) as file:
                file.write(_written(outcome))
        except OSError as error:
            log.warning("The outcome of lease %s is only in memory: %s", outcome.lease, error)
            return False
        return True

    def wait(self, lease: int) -> None:
        """Return when a stored outcome is on the disk, which a loss of power leaves as it is."""
        try:
            with self._path(lease).open("r+b") as file:
                on_disk(file.fileno())
            sync_folder(self.folder)
        except OSError as error:
            log.warning("The outcome of lease %s may be lost with the power: %s", lease, error)

    def forget(self, lease: int) -> None:
        """Remove the file of an outcome that the database has."""
        try:
            self._path(lease).unlink(missing_ok=True)
        except OSError as error:  # it is read again at the next start, and changes nothing
            log.warning("The outcome of lease %s stays beside the database: %s", lease, error)

    def files(self) -> frozenset[Path]:
        """Return the files of outcomes that are not in the database yet."""
        return frozenset(self.folder.glob("*.json"))

    def unrecorded(self, files: Iterable[Path]) -> Iterator[Outcome]:
        """Yield the outcomes in these files; one without an outcome, as lost power leaves it, is set aside."""
        for path in sorted(files):
            try:
                text = path.read_bytes()
            except FileNotFoundError:  # another process has just recorded it
                continue
            except OSError as error:
                log.warning("%s cannot be read: %s", path, error)
                continue
            try:
                yield _read(text)
            except (ValueError, TypeError, AttributeError):
                self._set_aside(path)

    def _set_aside(self, path: Path) -> None:
        aside = path.with_suffix(UNREADABLE)
        try:
            path.replace(aside)
        except OSError as error:
            log.warning("%s is no outcome and cannot be set aside: %s", path, error)
            return
        log.warning(
            "What became of one e-mail was not written to the end, as when the power fails: %s is set aside and "
            "not read again. Unless the database has its outcome, the e-mail is unknown and waits for a person.",
            aside,
        )

    def _path(self, lease: int) -> Path:
        return self.folder / f"{lease}.json"


COPIED = "this database is a copy, and the original may have sent it before the copy was taken over"
LOST_HOST = "the database server was replaced, and a host that is lost may have sent it before"
COPIED_PLAN = (
    "this database is a copy, and the original may have handed these people over; approve it again if not"
)
START = "start_sequence"
_NOTHING = b"\0" * 32


def take_in(store: Store, *, now: datetime) -> int:
    """Mark as unknown each current step that the journal shows as sent; return how many. Can be repeated."""
    if not store.lineage.unseen():
        return 0
    with store.transaction() as work:
        return mark_unseen(work, now=now)


def mark_unseen(work: UnitOfWork, *, now: datetime) -> int:
    """Do what ``take_in`` does, inside the caller's transaction.

    What is not due yet, or paused, is made unknown when its turn comes (``claim.claim_due``).
    """
    done = 0
    for unseen in work.lineage.unseen():
        if unseen.kind == "vendor":
            _begun_operation(work, unseen.facts, why=unseen.why, now=now)
            work.lineage.mark_told(unseen.key)
            continue
        for sequence, run in work.runs.of_keys([unseen.key]):
            done += _left(work, sequence, run, unseen=unseen, now=now)
    return done


def as_left(work: UnitOfWork, sequence: Run, key: str, *, lease: int, why: str, now: datetime) -> None:
    """Make a claimed e-mail unknown, inside the caller's transaction: it may have left before."""
    apply_event(work, sequence, HandedToServer(lease, now), now=now, actor=actors.ENGINE)
    [present] = work.runs.by_ids([sequence.id])
    apply_event(work, present, Lost(lease, why), now=now, actor=actors.ENGINE)
    work.lineage.mark_told(key)


def take_over_folder(work: UnitOfWork, *, now: datetime, actor: actors.Actor, nothing_left: bool) -> int:
    """Accept a database at its present place on a person's word; return how many e-mails become unknown.

    In the caller's transaction. Unless that person also says that nothing left elsewhere, all a copy may have sent
    by now is unknown.
    """
    kinds = {standstill.kind for standstill in work.lineage.go_on(now=now, actor=actor)}
    mark_unseen(work, now=now)
    why = LOST_HOST if kinds == {"failed_over"} else COPIED
    return 0 if nothing_left or kinds <= {"begun_anew"} else unknown_due(work, now=now, why=why)


def unknown_due(work: UnitOfWork, *, now: datetime, why: str = COPIED) -> int:
    """Note every e-mail that another copy of this database may have sent by now; return how many those are.

    Plans whose people a vendor was to be given are void: what the other copy handed over is not known here.
    """
    keys: dict[str, str | None] = {}
    for sequence_id in work.lineage.runs_that_may_send():
        [sequence] = work.runs.by_ids([sequence_id])
        keys |= {run.key: run.recipient for run in _due_by(sequence, now)}
    work.lineage.may_have_left(keys, why=why, now=now)
    for plan_id in work.plans.unfinished():
        plan = work.plans.find(plan_id)
        if plan is not None and plan.header.is_at_vendor and plan.status is PlanStatus.APPROVED:
            decide(work, voided(plan, COPIED_PLAN), action="void", now=now, actor=actors.ENGINE)
    mark_unseen(work, now=now)
    return len(keys)


def _due_by(sequence: Run, now: datetime) -> Iterator[StepRun]:
    """Yield the e-mails of a run that could have left by now, had everything gone on as fast as it can."""
    run = sequence.current
    if run is None:
        return
    at = machine.step_due_at(replace(sequence, paused_since=None, paused_until=None), run)
    for step in sequence.steps[sequence.steps.index(run) :]:
        if step is not run and step.step.temporality_type is Temporality.DELAYED and step.step.delay:
            at += step.step.delay.duration()
        if at > now:
            return
        if step.step.type is Channel.EMAIL and not step.is_over and step.state is not StepState.UNKNOWN:
            yield step


def _left(work: UnitOfWork, sequence: Run, run: StepRun, *, unseen: UnseenHandover, now: datetime) -> int:
    present = sequence.current
    # Only the current step of a live run can have been sent; what is in flight resolves itself by its lease.
    stands = sequence.status is SequenceStatus.ACTIVE and present is not None and present.key == run.key
    if stands and run.state is StepState.CLAIMED and run.lease == unseen.facts.get("lease"):
        as_left(work, sequence, run.key, lease=int(unseen.facts["lease"]), why=unseen.why, now=now)
        return 1  # the claim is known, and only the hand-over was forgotten
    if not stands or run.state in IN_FLIGHT or run.content is None or run.recipient is None:
        return 0
    lease = work.attempts.next_lease()
    after, effects = _ticked(sequence, lease, now)
    if not effects:
        return 0
    message_id = str(unseen.facts.get("message_id", ""))
    claimed = with_run(
        after, replace(next(step for step in after.steps if step.key == run.key), message_id=message_id)
    )
    keep_changes(work, sequence, claimed, action="sequence.tick", now=now, actor=actors.ENGINE)
    attempt = Attempt(
        lease=lease,
        key=run.key,
        generation=run.generation,
        sender=str(unseen.facts.get("sender", "")),
        message_id=message_id,
        message_digest=_NOTHING,
        claimed_at=unseen.at,
    )
    work.attempts.insert(attempt)
    [last] = work.runs.by_ids([sequence.id])
    as_left(work, last, run.key, lease=lease, why=unseen.why, now=now)
    return 1


def _ticked(sequence: Run, lease: int, now: datetime) -> tuple[Run, tuple[object, ...]]:
    from sequences_mcp.engine.machine import advance

    return advance(sequence, Tick(lease=lease, lease_expires_at=now), now)


def _begun_operation(work: UnitOfWork, facts: Mapping[str, Any], *, why: str, now: datetime) -> None:
    """Store a vendor operation whose process died as unknown; check_operation finds its outcome."""
    people = [run for run in work.runs.by_ids(facts["sequences"]) if run.waits_for_plan]
    if facts["tool"] == START and not people:
        return
    # An open operation of the same kind on the same subject already stands for it.
    if any(
        open_operation.tool == facts["tool"]
        for open_operation in work.operations.open_on(facts["subject"], now=now)
    ):
        return
    write = VendorWrite(
        call=ToolCall(facts["tool"], None, facts["fingerprint"]),
        provider=facts["provider"],
        subject=facts["subject"],
        arguments=facts["arguments"],
    )
    work.operations.insert(facts["id"], write, actor=actors.ENGINE, now=now, lease=now)
    for person in people:
        run = vendor_transitions.vendor_run_claimed(person, operation_id=facts["id"], now=now)
        keep_changes(work, person, run, action="sequence.taken", now=now, actor=actors.ENGINE)
        lost = EnrolmentOutcome(sequence_id=person.id, outcome="unknown", why=why)
        keep_changes(
            work,
            run,
            vendor_transitions.vendor_run_concluded(run, lost, now=now),
            action="sequence.unknown",
            now=now,
            actor=actors.ENGINE,
        )
