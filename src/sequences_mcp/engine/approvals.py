"""Whether an approval still covers one text (digests, terms, lateness); checked again before it is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TypeAlias

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.addresses import address_key
from sequences_mcp.domain.blueprint import Channel, Sourcing, Step
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.digests import DIGEST_SIZE, digests_of_person, plan_digest, text_digest
from sequences_mcp.domain.ids import LOCAL, IdKind
from sequences_mcp.domain.plan import Plan, PlanHeader, PlanStatus
from sequences_mcp.domain.run import Run, StepRun
from sequences_mcp.engine.machine import APPROVAL, step_due_at
from sequences_mcp.errors import NotFoundError
from sequences_mcp.lazy_dataclasses import dataclass, replace
from sequences_mcp.store.unit_of_work import Repositories, UnitOfWork

_BATCH = 500
HALF = "1 of 2 has approved"


def read_steps(store: Repositories, plan: Plan) -> list[int]:
    """Return the positions of the steps whose texts are to be read one by one; a vendor writes its own.

    ``policy.autoValidateAIDraft`` changes nothing here: it comes from whoever writes the texts.
    """
    if plan.header.is_at_vendor:
        return []
    return [number for number, step in enumerate(steps_of(store, plan)) if step.is_written_per_contact]


def steps_of(store: Repositories, plan: Plan) -> tuple[Step, ...]:
    """Return the steps of the plan's blueprint version; NotFoundError."""
    header = plan.header
    blueprint = store.blueprints.find(header.blueprint_id, version=header.blueprint_version)
    if blueprint is None:
        raise NotFoundError(
            f"There is no version {header.blueprint_version} of blueprint {header.blueprint_id}.",
            next_step="list_blueprints shows what there is.",
        )
    return blueprint.steps


def stored_sourcing(store: Repositories, sequence: Run) -> Sourcing:
    """Return what the blueprint version of a run fills; nothing where that version is not kept here."""
    blueprint = store.blueprints.find(sequence.blueprint_id, version=sequence.blueprint_version)
    return blueprint.sourcing if blueprint else Sourcing()


def digests_of(people: Iterable[Run]) -> bytes:
    """Return the digests of all their texts in order."""
    return b"".join(map(digests_of_person, people))


def covers(digests: bytes, sequence: Run, run: StepRun) -> bool:
    """Say whether a plan's list of digests contains this text at its place."""
    place = (sequence.ordinal * len(sequence.steps) + sequence.steps.index(run)) * DIGEST_SIZE
    return digests[place : place + DIGEST_SIZE] == text_digest(sequence, run)


def recounted(store: Repositories, plan: Plan) -> Plan:
    """Return the plan with its people, their warnings, missing and to-be-read texts counted again."""
    missing, to_read = store.plans.count_texts(plan.id, read_steps=read_steps(store, plan))
    people, warnings = store.plans.people_left(plan.id)
    return replace(plan, people=people, warnings=warnings, missing_texts=missing, to_read=to_read)


def sealed_digest(plan: Plan, digests: bytes) -> str:
    """Return what a plan's digest is with these digests of its texts."""
    return plan_digest(plan.header, [digests], version=plan.digest_version)


def resealed(store: Repositories, plan: Plan, digests: bytes) -> Plan:
    """Return the plan with the digest of these texts, and counted again."""
    digest = sealed_digest(plan, digests)
    is_half = (plan.reason or "").startswith(HALF)  # of what waited before, and not of what waits now
    reason = None if is_half and digest != plan.digest else plan.reason
    return replace(recounted(store, plan), digest=digest, reason=reason)


def with_texts_of(digests: bytes, sequence: Run) -> bytes:
    """Return a plan's list of digests with those of one person replaced."""
    digests_now = digests_of([sequence])
    place = sequence.ordinal * len(digests_now)
    return digests[:place] + digests_now + digests[place + len(digests_now) :]


def present_digests(store: Repositories, plan: Plan) -> bytes:
    """Return the digests of what a plan's texts are now, read person by person."""
    results, page = [], 1
    erased = store.plans.erased_places(plan.id)
    sealed = store.plans.text_digests(plan.id) if erased else b""

    def present(run: Run) -> bytes:
        digests = digests_of_person(run)
        if run.ordinal not in erased:
            return digests
        # What they would have got is not kept; what was approved for the others goes on.
        return sealed[run.ordinal * len(digests) : (run.ordinal + 1) * len(digests)]

    while True:
        people = store.runs.of_plan(plan.id, page=page, size=_BATCH)
        results.append(b"".join(map(present, people.items)))
        if not people.has_more:
            return b"".join(results)
        page += 1


def stands_for(store: Repositories, plan: Plan, digest: str) -> bool:
    """Say whether a digest of what a plan is now is its own, or the one left without people who were erased."""
    return digest == plan.digest or store.plans.redaction(plan.id) == (digest, plan.digest)


_NO_TIME = timedelta(0)


@dataclass(frozen=True, slots=True)
class ApprovedText:
    """The current step of a run, and when this very text was last approved by itself, if it was."""

    sequence: Run
    run: StepRun
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Late:
    """Why a step is held as late; ``is_everybodys``: the plan as a whole waited, not this person alone."""

    why: str
    is_everybodys: bool


def late(store: Repositories, plan: Plan, *, text: ApprovedText, limit: timedelta, now: datetime) -> Late | None:
    """Return why the current step is more than ``limit`` too late for its approval, or None."""
    sequence, run = text.sequence, text.run
    due = step_due_at(sequence, replace(run, until=None))
    instant = max(filter(None, (text.at, plan.decided_at)), default=sequence.created_at)
    meant = max(due - _paused(sequence, run, plan), instant)
    since = max(due, meant)
    was_paused = due - meant > limit
    if not was_paused and now - since <= limit:
        return None
    if not was_paused and run.step.type is Channel.EMAIL:
        sender = plan.header.terms.sender_address
        if store.attempts.longest_rest(sender, since=since, until=now) <= limit:
            return None  # it stood in the mailbox's queue
    days = (now - meant).days
    why = f"approved on {instant:%Y-%m-%d} for {meant:%Y-%m-%d %H:%M} UTC, {days} days ago; approve again"
    return Late(why, is_everybodys=text.at is None and not was_paused and _is_newest(store, plan))


def _paused(sequence: Run, run: StepRun, plan: Plan) -> timedelta:
    """Return by how much pauses have moved the step since the one before it, or since the start."""
    earlier = sequence.steps[: sequence.steps.index(run)]
    last = next((step for step in reversed(earlier) if step.executed_at and step.anchor), None)
    if last is not None and last.executed_at and last.anchor:
        return last.anchor - last.executed_at
    started = plan.decided_at or sequence.created_at
    return max(_NO_TIME, (sequence.anchor or started) - started)


def _is_newest(store: Repositories, plan: Plan) -> bool:
    """Say whether the plan can be renewed: one on an older version of its blueprint cannot."""
    newest = store.blueprints.find(plan.header.blueprint_id)
    return newest is not None and newest.version == plan.header.blueprint_version


SignatureCheck: TypeAlias = Callable[[str, str | None], str | None]
"""Why an approval of a digest does not count, given what a passkey signed for it (None: nothing did), or None."""


def accept_unsigned(digest: str, signature: str | None) -> str | None:
    """Accept an approval without a signature: no passkey is registered."""
    return None


def draft_id(run: StepRun) -> str:
    """Return the id under which a text is reviewed."""
    return f"{LOCAL}:{IdKind.DRAFT}_{run.key}"


def text_approved_at(store: Repositories, run: StepRun, *, digest: bytes) -> datetime | None:
    """Return when a person last approved exactly this text of this recipient, or None."""
    return max((approval.at for approval in store.approvals.of_text(draft_id(run), text=digest)), default=None)


OTHER_SETTINGS = "approved for other settings"


def void_because(store: Repositories, plan: Plan) -> str | None:
    """Return why a plan's approval does not hold (any more), or None: a hold that a new approval ends."""
    if plan.status is not PlanStatus.APPROVED:
        return f"{APPROVAL}: the plan is {plan.status.words}{f' ({plan.reason})' if plan.reason else ''}"
    if store.approvals.latest_at(plan.id, digest=plan.digest) is None:
        return f"{APPROVAL}: nobody approved the plan as it is now"
    return None


def unsigned_because(
    store: Repositories, subject: str, digest: str, *, signature_check: SignatureCheck
) -> str | None:
    """Return why this plan's or text's approval lacks the passkey signature it needs, or None."""
    return signature_check(digest, store.approvals.signature(subject, digest=digest))


def unsigned_text_because(
    store: Repositories, run: StepRun, *, digest: bytes, signature_check: SignatureCheck
) -> str | None:
    """Return why this text's latest signed approval lacks the passkey signature it needs, or None.

    An approval to send it again is signed for the attempt whose outcome was unknown.
    """
    approvals = store.approvals.of_text(draft_id(run), text=digest)
    signed = next((approval for approval in reversed(approvals) if approval.signature is not None), None)
    return signature_check(signed.digest, signed.signature) if signed else signature_check(digest.hex(), None)


def uncovered_because(store: Repositories, plan: Plan, *, sequence: Run, run: StepRun) -> str | None:
    """Return why a plan's approval does not cover this text, or None."""
    digests = store.plans.text_digests(plan.id)
    # The digest is computed anew from the stored rows, so that rows changed behind the program's back are found.
    present = _digest(plan.header, digests, version=plan.digest_version)
    if stands_for(store, plan, present) and covers(digests, sequence, run):
        return None
    return "this text is not the one that was approved"


def is_approved(store: Repositories, plan: Plan, *, sequence: Run, run: StepRun) -> bool:
    """Say whether a person approved exactly this text: by itself, or with its plan while that covered it."""
    if text_approved_at(store, run, digest=text_digest(sequence, run)) is not None:
        return True
    is_plan_approved = store.approvals.latest_at(plan.id, digest=plan.digest) is not None
    return is_plan_approved and uncovered_because(store, plan, sequence=sequence, run=run) is None


def moved_because(run: StepRun, contact: Contact) -> str | None:
    """Return that the contact's address is no longer the one the text was approved for, or None."""
    now = recipient_of(run.step.type, contact)
    key = address_key if run.step.type is Channel.EMAIL else str.casefold
    if run.recipient is None or now is None or key(now) == key(run.recipient):
        return None
    return f"it was approved for {run.recipient}, and the contact's address is now {now}"


def recipient_of(channel: Channel, contact: Contact) -> str | None:
    """Return where a channel reaches a person, or None."""
    if channel is Channel.EMAIL:
        return contact.email
    return contact.linkedin_url if channel is Channel.LINKEDIN else contact.phone


def voided(plan: Plan, reason: str) -> Plan:
    """Return the plan without its approval."""
    return replace(plan, status=PlanStatus.VOID, reason=reason)


@lru_cache(maxsize=4)
def _digest(header: PlanHeader, digests: bytes, *, version: int) -> str:
    """Return the digest of a plan's texts; remembered, since it is asked for before each of its e-mails."""
    return plan_digest(header, [digests], version=version)


def decide(work: UnitOfWork, plan: Plan, *, action: str, now: datetime, actor: Actor) -> Plan:
    """Store and audit a plan's decision in the caller's transaction; return it.

    Its people follow in ``engine.plans.apply_decision``.
    """
    is_final = plan.status not in {PlanStatus.DRAFTING, PlanStatus.WAITING, PlanStatus.VOID}
    if is_final:
        plan = replace(plan, decided_at=now, decided_by=actor)
    detail: dict[str, object] = {"digest": plan.digest}
    if plan.reason:
        detail["reason"] = plan.reason
    if plan.header.warnings or plan.warnings:
        detail["warnings"] = {"of_all": plan.header.warnings, "of_people": plan.warnings}
    work.plans.update(plan, unsettled=is_final)
    work.audit.record(at=now, actor=actor, action=f"plan.{action}", subject=plan.id, detail=detail)
    return plan
