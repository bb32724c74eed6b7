"""One due thing, looked at afresh and taken: everything is asked again in the transaction that takes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from sequences_mcp.domain.addresses import address_key
from sequences_mcp.domain.blueprint import Channel
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.digests import text_digest, wire_digest
from sequences_mcp.domain.plan import Plan, PlanStatus, Terms
from sequences_mcp.domain.run import IN_FLIGHT, Leaving, Run, SequenceStatus, StepRun, StepState
from sequences_mcp.domain.sender import Sender
from sequences_mcp.engine import approvals
from sequences_mcp.engine.calendar import Window, next_open
from sequences_mcp.engine.channels.message import ComposedMessage, compose, message_id
from sequences_mcp.engine.context import action_of, keep_changes
from sequences_mcp.engine.events import SendEmail, Tick
from sequences_mcp.engine.machine import APPROVAL, advance, with_run
from sequences_mcp.engine.recovery import as_left
from sequences_mcp.engine.stopping import is_suppressed
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.store import contacts, lineage, mailboxes, plans, sequences
from sequences_mcp.store.database import Store
from sequences_mcp.store.suppressions import ENGINE

Check: TypeAlias = Callable[[Leaving], str | None]
"""Why a rendered text must not go out before a person has looked at it, or None."""

MOST_TRIES = 12
ACTOR = ENGINE


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPolicy:
    """What every claim is measured against; ``lease`` is how long a claim holds before the point of no return.

    ``signature_check`` looks at the signature of every approval, but for those of the blueprints' versions in
    ``preapproved``, whose starts the operator allowed beforehand. ``account`` stands for the mail server and the
    account on it, without telling them. A step later than ``late_after`` is approved again.
    """

    terms: Terms
    sender: Sender
    window: Window
    check: Check
    lease: timedelta
    signature_check: approvals.SignatureCheck = approvals.accept_unsigned
    preapproved: frozenset[str] = frozenset()
    account: str = ""
    late_after: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """An e-mail taken to be sent: whose, which step, under which lease, and the very message."""

    sequence_id: str
    key: str
    lease: int
    message: ComposedMessage


def claim_due(
    store: Store, sequence_id: str, *, rules: SendPolicy, now: datetime, fault: str | None = None
) -> Claim | None:
    """Move one due run on, inside the caller's transaction; return a claim when an e-mail is to be sent.

    ``fault`` says that the engine failed on this run before: it is then held for a person, unexamined. Raises
    RuntimeError for a run that is due without anything to do, which would be due for ever.
    """
    before = sequences.find_run(store, sequence_id)
    if before is None or (run := before.current) is None:
        raise RuntimeError("nothing is left of this run")
    lease = mailboxes.next_lease(store)
    tick = Tick(lease=lease, lease_expires_at=now + rules.lease, blocked=fault)
    message = None
    if fault is None and before.status is SequenceStatus.ACTIVE and run.state not in IN_FLIGHT:
        tick, message = _examined(store, before, run, tick=tick, rules=rules, now=now)
    after, effects = advance(before, tick, now)
    if after == before:
        raise RuntimeError("its time has come and nothing follows")
    claim = None
    if message is not None and any(isinstance(effect, SendEmail) for effect in effects):
        after = _with_message_id(after, run.key, message.message_id)
        claim = _claimed(store, after, run, lease=lease, message=message, rules=rules, now=now)
    elif run.state is StepState.CLAIMED and run.lease is not None:
        mailboxes.give_back(store, run.lease)  # its worker ended before the final dot: nothing was accepted
        mailboxes.attempt_answered(store, run.lease, "died")
    keep_changes(store, before, after, action=action_of(tick), now=now, actor=ACTOR)
    if claim is not None and (why := lineage.left_unseen(store, run.key)):
        as_left(store, sequences.runs_by_ids(store, [sequence_id])[0], run.key, lease=lease, why=why, now=now)
        return None
    return claim


def _examined(
    store: Store, sequence: Run, run: StepRun, *, tick: Tick, rules: SendPolicy, now: datetime
) -> tuple[Tick, ComposedMessage | None]:
    """Return how the world looks for the current step and, where it may go out by e-mail, the message."""
    contact = contacts.contacts_by_ids(store, [sequence.contact_id])[0]
    recipients = {contact.id: run.recipient} if run.recipient else {}
    listed = is_suppressed(store, [contact], recipients=recipients).get(contact.id)
    tick = replace(tick, has_contact=run.recipient is not None, forbidden=listed and f"suppressed: {listed}")
    if listed or run.recipient is None or run.content is None:
        return tick, None
    if why := _blocked(store, sequence, run, contact=contact, rules=rules, now=now):
        return replace(tick, blocked=why), None
    if run.step.type is not Channel.EMAIL:
        return tick, None
    try:
        opens_at = next_open(rules.window, sequence.time_zone, now)
        message = _composed(store, sequence, run, rules=rules, now=now)
    except InvalidArgumentsError as error:
        return replace(tick, blocked=error.message), None
    return replace(tick, opens_at=opens_at), message


def _blocked(
    store: Store, sequence: Run, run: StepRun, *, contact: Contact, rules: SendPolicy, now: datetime
) -> str | None:
    """Return why a person has to look first, or None.

    A yes to exactly this text stands for the plan's, and for the warnings, which that person saw; an error holds
    the text all the same.
    """
    plan = plans.find_plan(store, sequence.plan_id)
    if plan is None:
        return "its plan is gone"
    digest = text_digest(sequence, run)
    approved = approvals.text_approved_at(store, run, digest=digest)
    if changed := plan.header.terms.difference(rules.terms):  # it is another process's: nothing of it is voided
        return f"{approvals.OTHER_SETTINGS}: {changed}"
    if why := approvals.void_because(store, plan) or _unsigned_plan(store, plan, approved, rules=rules):
        if plan.status is PlanStatus.APPROVED:
            reason = why.removeprefix(f"{APPROVAL}: ")
            approvals.decide(store, approvals.voided(plan, reason), action="void", now=now, actor=ACTOR)
        return why
    if why := _too_late(store, plan, text=approvals.ApprovedText(sequence, run, approved), rules=rules, now=now):
        return why
    if why := _shared_because(store, sequence):
        return why
    if approved and (
        why := approvals.unsigned_text_because(store, run, digest=digest, signature_check=rules.signature_check)
    ):
        return why
    tries = mailboxes.count_attempts(store, run.key, generation=run.generation, since=approved)
    if tries >= MOST_TRIES:
        return f"it was tried {tries} times; the last answer: {run.reason or 'none'}"
    if approved is None:
        moved = (
            approvals.uncovered_because(store, plan, sequence=sequence, run=run)
            or approvals.moved_because(run, contact)
            or _forgotten(store, run.recipient or "")
        )
        if moved:
            return moved
    sourcing = approvals.stored_sourcing(store, sequence)
    return rules.check(
        Leaving(sequence=sequence, run=run, contact=contact, sourcing=sourcing, is_approved=approved is not None)
    )


def _too_late(
    store: Store, plan: Plan, *, text: approvals.ApprovedText, rules: SendPolicy, now: datetime
) -> str | None:
    """Return that the step is too late for its approval, or None; an outage voids that of the whole plan."""
    late = approvals.late(store, plan, text=text, limit=rules.late_after, now=now)
    if late is None:
        return None
    if not late.is_everybodys:
        return late.why
    approvals.decide(store, approvals.voided(plan, late.why), action="void", now=now, actor=ACTOR)
    return f"{APPROVAL}: {late.why}"


def _shared_because(store: Store, sequence: Run) -> str | None:
    """Return that another live run writes to the same address, or None."""
    other = sequences.live_at_address(store, sequence)
    return f"another sequence writes to this address: {other}" if other else None


def _forgotten(store: Store, recipient: str) -> str | None:
    """Return that an address was written to by a plan which this database, put back since, never saw; or None."""
    return lineage.wrote_to(store, address_key(recipient)) if "@" in recipient else None


def _unsigned_plan(store: Store, plan: Plan, approved: datetime | None, *, rules: SendPolicy) -> str | None:
    """Return why a plan's yes lacks the signature it needs; a text with a yes of its own needs its own."""
    if approved is not None or plan.header.is_allowed_by(rules.preapproved):
        return None
    why = approvals.unsigned_because(store, plan.id, plan.digest, signature_check=rules.signature_check)
    return f"{APPROVAL}: {why}" if why else None


def _composed(store: Store, sequence: Run, run: StepRun, *, rules: SendPolicy, now: datetime) -> ComposedMessage:
    own_id = message_id(
        store.secret("message_id"),
        sequence_id=sequence.id,
        step_key=run.key,
        generation=run.generation,
        sender=rules.sender.address,
    )
    return compose(
        sender=rules.sender,
        recipient=run.recipient or "",
        subject=run.subject or "",
        content=run.content or "",
        message_id=own_id,
        date=now,
    )


def _with_message_id(sequence: Run, key: str, own: str) -> Run:
    run = next(step for step in sequence.steps if step.key == key)
    return with_run(sequence, replace(run, message_id=own))


def _claimed(
    store: Store,
    sequence: Run,
    run: StepRun,
    *,
    lease: int,
    message: ComposedMessage,
    rules: SendPolicy,
    now: datetime,
) -> Claim:
    attempt = mailboxes.Attempt(
        lease=lease,
        key=run.key,
        generation=run.generation,
        sender=rules.terms.sender_address,
        message_id=message.message_id,
        message_digest=wire_digest(message.data),
        claimed_at=now,
    )
    mailboxes.insert_attempt(store, attempt)
    sender = rules.terms.sender_address
    if rest := mailboxes.resting(store, sender, now=now, account=rules.account):
        mailboxes.mailbox_tried(store, rest, until=now + rules.lease)
    else:
        mailboxes.mailbox_accepted(store, sender)  # what is there is of another account
    return Claim(sequence_id=sequence.id, key=run.key, lease=lease, message=message)
