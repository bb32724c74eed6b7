"""Single texts and steps by hand: read, rewritten, approved, completed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.digests import resend_digest, text_digest
from sequences_mcp.domain.findings import Finding
from sequences_mcp.domain.ids import LOCAL, VENDORS, IdKind, parse_id
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.plan import PlanStatus
from sequences_mcp.domain.run import LIVE, Run, SequenceStatus, StepRun, StepState, TaskOutcome
from sequences_mcp.engine import four_eyes
from sequences_mcp.engine.approvals import draft_id as id_of
from sequences_mcp.engine.approvals import is_approved, read_steps, resealed, with_texts_of
from sequences_mcp.engine.context import LocalMethods, apply_event, require_page
from sequences_mcp.engine.events import DraftApproved, OutcomeResolved, Rewritten, TaskCompleted
from sequences_mcp.engine.machine import APPROVAL, EDITED, with_run
from sequences_mcp.engine.plans import apply_decision
from sequences_mcp.engine.sequences import plan_people, require_sequence, require_step
from sequences_mcp.errors import ApprovalError, ConflictError, NotFoundError
from sequences_mcp.ports.embedded import Draft, OpenTask, StepText
from sequences_mcp.store.unit_of_work import UnitOfWork

Why = Literal["missing", "written", "edited", "held", "unknown"]


class LocalDrafts(LocalMethods):
    """Single texts over the store and the machine."""

    async def list_drafts(self, *, plan_id: str | None, page: int, size: int) -> Page[Draft]:
        """Return texts that wait for a person: of one plan, or of every started sequence.

        Texts held because a plan's approval is void are not among them: the plan is what waits.
        """
        require_page(page, size)
        store = self.engine.store
        with store.snapshot():
            if plan_id is None:
                results = store.runs.waiting_texts(not_because=APPROVAL, page=page, size=size)
            else:
                plan = store.plans.find(str(parse_id(plan_id, IdKind.PLAN)))
                if plan is None:
                    raise NotFoundError(f"There is no plan {plan_id}.", next_step="list_reviews shows what waits.")
                steps = read_steps(store, plan)
                results = store.runs.texts_of_plan(plan_id, read_steps=steps, page=page, size=size)
            people = plan_people(self.engine, (run for run, _ in results.items))
        return results.map(lambda pair: _draft(*pair, people[pair[0].contact_id]))

    async def get_draft(self, draft_id: str) -> Draft:
        """Return one text; NotFoundError."""
        sequence, run = require_step(self.engine, draft_id, IdKind.DRAFT)
        return self._draft(sequence, run)

    async def rewrite_texts(
        self,
        sequence_id: str,
        texts: Mapping[str, StepText],
        *,
        findings: tuple[Finding, ...] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Run:
        """Replace pending texts by step id, what is found about this person, and the overrides when given.

        ``findings``: the warnings about this person's own data and texts from now on.
        Raises ConflictError when one of the steps is in flight or over. Voids the approval of each text: before
        its start the plan gets another digest; under way each text waits for an approval of its own. A text that
        is byte for byte one that was approved before is approved again, and a plan that is again what it was has
        the digest it had.
        """
        engine = self.engine
        with engine.store.transaction() as work:
            before = self._startable(require_sequence(engine, sequence_id))
            if before.is_at_vendor:
                raise _one_text_for_all(before)
            event = replace(self._rewritten(before, texts, variables), findings=findings)
            after, _ = apply_event(work, before, event, now=engine.clock(), actor=engine.actor)
            if after.status is SequenceStatus.FOUND and after != before:
                _reseal(work, after)
            return after

    async def approve_draft(
        self, draft_id: str, *, digest: str, actor: Actor, signature: str | None = None
    ) -> Draft:
        """Record the approval of exactly this text of a live run and end its hold.

        ApprovalPendingError for the first of two approvals, which is kept.
        """
        engine = self.engine
        with engine.store.transaction() as work:
            sequence, run = require_step(engine, draft_id, IdKind.DRAFT)
            _require_approvable(sequence, run, digest)
            now = engine.clock()
            if not self._is_first_yes(work, sequence, run, digest=digest, actor=actor, signature=signature):
                engine.require_signature(digest, signature)
                work.approvals.record(id_of(run), digest=digest, actor=actor, signature=signature, now=now)
                event = DraftApproved(run.key)
                after, _ = apply_event(work, sequence, event, now=now, actor=actor)
                return self._draft(after, next(step for step in after.steps if step.key == run.key))
        raise four_eyes.still_pending(actor)

    def _is_first_yes(
        self,
        work: UnitOfWork,
        sequence: Run,
        run: StepRun,
        *,
        digest: str,
        actor: Actor,
        signature: str | None,
    ) -> bool:
        """Keep the first of two approvals of a text; say whether this was one."""
        return four_eyes.keep_first(
            self.engine,
            work,
            id_of(run),
            digest=digest,
            actor=actor,
            signature=signature,
            authors=four_eyes.written_by(work, plan_id=sequence.plan_id, sequence_id=sequence.id),
        )

    async def resolve_unknown(
        self, draft_id: str, *, sent: bool, actor: Actor, digest: str | None = None, signature: str | None = None
    ) -> Run:
        """Resolve an e-mail of unknown outcome with what a person found out.

        Not sent: exactly this text leaves once more. That approves it, kept and checked at the send like any
        other: ApprovalError when ``digest``, of the text that the person saw, is not its present one, or where a
        passkey is registered and did not sign ``Draft.to_sign``, which is another one for each attempt.
        ConflictError when the outcome is known.
        """
        engine, now = self.engine, self.engine.clock()
        with engine.store.transaction() as work:
            sequence, run = require_step(engine, draft_id, IdKind.DRAFT)
            text, lease = text_digest(sequence, run), run.lease or 0
            again = resend_digest(text, attempt=lease).hex()
            is_half = (
                not sent
                and run.state is StepState.UNKNOWN
                and digest in (None, text.hex())
                and self._is_first_yes(work, sequence, run, digest=again, actor=actor, signature=signature)
            )
            if not is_half:
                after, _ = apply_event(work, sequence, OutcomeResolved(run.key, sent), now=now, actor=actor)
                if sent:
                    return after
                _require_same(text.hex(), digest or text.hex())
                engine.require_signature(again, signature)
                work.approvals.record_resend(
                    id_of(run), text=text, lease=lease, actor=actor, signature=signature, now=now
                )
                if run.lease is not None:
                    work.attempts.give_back(run.lease)
                return after
        raise four_eyes.still_pending(actor)

    def _rewritten(
        self, before: Run, texts: Mapping[str, StepText], variables: Mapping[str, str] | None
    ) -> Rewritten:
        """Return the event, with the texts that were there before and those that an approval covers."""
        store = self.engine.store
        plan = store.plans.find(before.plan_id)
        same_as, approved = {}, set()
        for run in before.steps:
            text = texts.get(run.step.id)
            if text is None or run.content is None:
                continue
            known = store.runs.generation_of(run.key, subject=text.subject, content=text.content)
            if known is None:
                continue
            same_as[run.step.id] = known
            back = replace(run, subject=text.subject, content=text.content, same_as=known)
            if plan is not None and is_approved(store, plan, sequence=with_run(before, back), run=back):
                approved.add(run.step.id)
        new = {step_id: (text.subject, text.content) for step_id, text in texts.items()}
        merged = None if variables is None else dict(variables)
        return Rewritten(new, merged, same_as, frozenset(approved))

    def _draft(self, sequence: Run, run: StepRun) -> Draft:
        return _draft(sequence, run, plan_people(self.engine, [sequence])[sequence.contact_id])

    def _startable(self, sequence: Run) -> Run:
        """Return the run, told of its plan's decision first should a crash have come between."""
        plan = self.engine.store.plans.find(sequence.plan_id)
        if plan is None or sequence.status is not SequenceStatus.FOUND or plan.decided_at is None:
            return sequence
        apply_decision(self.engine.store, plan, now=self.engine.clock())
        return require_sequence(self.engine, sequence.id)


def _reseal(work: UnitOfWork, sequence: Run) -> None:
    plan = work.plans.find(sequence.plan_id)
    digests = with_texts_of(work.plans.text_digests(sequence.plan_id), sequence)
    work.plans.set_text_digests(sequence.plan_id, digests)
    if plan is not None and plan.status is not PlanStatus.DRAFTING:
        work.plans.update(resealed(work, plan, digests))


def _draft(sequence: Run, run: StepRun, contact: Contact) -> Draft:
    text, why = text_digest(sequence, run), _why(run)
    signed = resend_digest(text, attempt=run.lease or 0) if why == "unknown" else text
    return Draft(
        id=id_of(run),
        why=why,
        sequence=sequence,
        run=run,
        contact=contact,
        digest=text.hex(),
        to_sign=signed.hex(),
    )


def _why(run: StepRun) -> Why:
    if run.state is StepState.UNKNOWN:
        return "unknown"
    if run.content is None:
        return "missing"
    if run.state is StepState.HELD:
        return "edited" if run.reason == EDITED else "held"
    return "written"


def _one_text_for_all(sequence: Run) -> ConflictError:
    return ConflictError(
        f"{VENDORS[sequence.provider]} carries this out and has one text for everybody.",
        next_step="Change the blueprint and plan again, or take this person out with stop_sequence.",
        data={"sequence": sequence.id},
    )


def _require_approvable(sequence: Run, run: StepRun, digest: str) -> None:
    if run.state is StepState.UNKNOWN:
        raise ConflictError(
            "This e-mail may have been delivered: there is nothing to approve.",
            next_step="Find out whether it arrived, then resolve it.",
        )
    if sequence.status not in LIVE or (run.reason or "").startswith(APPROVAL):
        raise ApprovalError(
            "This text is part of a plan that waits for its own approval.",
            next_step=f"Approve or renew {sequence.plan_id}.",
            data={"plan": sequence.plan_id},
        )
    if run.content is None:
        raise ApprovalError(
            "This text is still to be written.", next_step="Write it with edit_draft, then approve it."
        )
    _require_same(text_digest(sequence, run).hex(), digest)


def _require_same(present: str, digest: str) -> None:
    if digest != present:
        raise ApprovalError(
            "The text has changed since it was shown: the digest is another one.",
            next_step="Look at it again and approve what it is now.",
            data={"digest": present},
        )


class LocalTasks(LocalMethods):
    """Steps done by hand, over the store and the machine."""

    async def list_tasks(self, *, page: int, size: int) -> Page[OpenTask]:
        """Return the open ones, oldest first; not those of people who are paused."""
        require_page(page, size)
        results = self.engine.store.runs.open_tasks(now=self.engine.clock(), page=page, size=size)
        people = plan_people(self.engine, (run for run, _ in results.items))
        return results.map(lambda pair: _task(*pair, people[pair[0].contact_id]))

    async def complete_task(self, task_id: str, *, outcome: TaskOutcome) -> OpenTask:
        """Record what became of a task; ConflictError for one that is over."""
        engine = self.engine
        with engine.store.transaction() as work:
            sequence, run = require_step(engine, task_id, IdKind.TASK)
            event = TaskCompleted(run.key, outcome)
            after, _ = apply_event(work, sequence, event, now=engine.clock(), actor=engine.actor)
            person = plan_people(engine, [after])[after.contact_id]
            return _task(after, next(step for step in after.steps if step.key == run.key), person)


def _task(sequence: Run, run: StepRun, contact: Contact) -> OpenTask:
    return OpenTask(id=f"{LOCAL}:{IdKind.TASK}_{run.key}", sequence=sequence, run=run, contact=contact)
