"""Claiming one due run: approval, suppressions, window and text are checked again in its transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeAlias

from sequences_mcp.domain import actors
from sequences_mcp.domain.addresses import address_key, domain_of
from sequences_mcp.domain.blueprint import TEXTED, Channel
from sequences_mcp.domain.companies import company_root
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.digests import text_digest, wire_digest
from sequences_mcp.domain.entries import Attempt
from sequences_mcp.domain.inbound import DEAF
from sequences_mcp.domain.markdown import letter_of
from sequences_mcp.domain.pacing import duration_words
from sequences_mcp.domain.plan import Plan, PlanStatus, Terms
from sequences_mcp.domain.run import BEGUN, IN_FLIGHT, Leaving, Run, SequenceStatus, StepRun, StepState
from sequences_mcp.domain.sender import Sender
from sequences_mcp.domain.threads import takes_thread_subject, thread_left, without_re
from sequences_mcp.engine import approvals, four_eyes
from sequences_mcp.engine.calendar import CALLING_HOURS, Window, next_open
from sequences_mcp.engine.channels.message import ComposedMessage, Correspondence, compose, message_id
from sequences_mcp.engine.channels.replies import provider_message_id
from sequences_mcp.engine.context import action_of, keep_changes
from sequences_mcp.engine.events import SendEmail, Tick
from sequences_mcp.engine.machine import APPROVAL, advance, with_run
from sequences_mcp.engine.one_click import one_click_address
from sequences_mcp.engine.recovery import as_left
from sequences_mcp.engine.stopping import is_suppressed
from sequences_mcp.engine.supervisor import READER
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.lazy_dataclasses import dataclass, replace
from sequences_mcp.store.unit_of_work import Repositories, UnitOfWork

Check: TypeAlias = Callable[[Leaving], str | None]
"""Why a rendered text must not go out before a person has looked at it, or None."""

MOST_TRIES = 12
READER_SHOWS_ITSELF = timedelta(minutes=15)  # more than the longest pause between two tries to read


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPolicy:
    """What every claim is measured against; ``lease`` is how long a claim holds before the point of no return.

    ``signature_check`` looks at the signature of every approval, but for those of the blueprints' versions in
    ``preapproved``, whose starts the operator allowed beforehand. ``account`` stands for the mail server and the
    account on it, as a fingerprint. A step later than ``late_after`` is approved again. ``also_here`` are the
    addresses of the other mailboxes that this process sends from, each by a worker of its own. Where
    ``reads_inbox``, or where another process reads it, no step after the first leaves unless the sender's mailbox
    was read ``freshness`` ago at most. Below ``opt_out_url``, where given, recipients opt out with one click.
    ``approvers`` people have approved what leaves.
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
    also_here: frozenset[str] = frozenset()
    reads_inbox: bool = False
    freshness: timedelta = timedelta(minutes=10)
    opt_out_url: str = ""
    approvers: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """An e-mail claimed to be sent: its run, plan and step, the lease, the message, and the server's line."""

    sequence_id: str
    plan_id: str
    key: str
    lease: int
    message: ComposedMessage
    line: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """Why a person has to look at a step first; ``voided`` is its plan where the approval of all of it ends."""

    why: str
    voided: Plan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What is known of a due step: the tick for the machine, the e-mail where one may go, the plan to void."""

    tick: Tick
    message: ComposedMessage | None = None
    voided: Plan | None = None


def claim_due(
    work: UnitOfWork, sequence_id: str, *, rules: SendPolicy, now: datetime, fault: str | None = None
) -> Claim | None:
    """Advance one due run, inside the caller's transaction; return a claim when an e-mail is to be sent.

    ``fault`` says that the engine failed on this run before: it is then held for a person, unexamined. Raises
    RuntimeError for a run that is due without anything to do, which would be due for ever.
    """
    work.claims.foresee_claim(sequence_id)
    before = work.runs.find(sequence_id)
    if before is None or (run := before.current) is None:
        raise RuntimeError("nothing is left of this run")
    # Taken also where nothing is sent: a lease is never used twice, gaps in the numbers mean nothing.
    lease = work.attempts.next_lease()
    tick = Tick(lease=lease, lease_expires_at=now + rules.lease, blocked=fault)
    examined = Examined(tick=tick)
    if fault is None and before.status is SequenceStatus.ACTIVE and run.state not in IN_FLIGHT:
        work.claims.foresee_step(before, run, draft=approvals.draft_id(run))
        examined = examine_step(work, before, run, tick=tick, rules=rules, now=now)
    tick, message = examined.tick, examined.message
    if examined.voided is not None:
        approvals.decide(work, examined.voided, action="void", now=now, actor=actors.WORKER)
    after, effects = advance(before, tick, now)
    # A due run that does not change would be claimed again at once, for ever, and starve the others.
    if after == before:
        raise RuntimeError("its time has come and nothing follows")
    claim = None
    if message is not None and any(isinstance(effect, SendEmail) for effect in effects):
        after = _with_message_id(after, run.key, message.message_id)
        claim = _claimed(work, after, run, lease=lease, message=message, rules=rules, now=now)
    elif run.state is StepState.CLAIMED and run.lease is not None:
        work.attempts.give_back(run.lease)  # its worker ended before the final dot: nothing was accepted
        work.attempts.answered(run.lease, "died")
    keep_changes(work, before, after, action=action_of(tick), now=now, actor=actors.WORKER)
    # The journal may show this e-mail as sent by a later state of this database, since replaced by a backup. Only
    # now is there a step in flight that can become unknown.
    if claim is not None and (why := work.lineage.left_unseen(run.key)):
        as_left(work, work.runs.by_ids([sequence_id])[0], run.key, lease=lease, why=why, now=now)
        return None
    return claim


def examine_step(
    store: Repositories, sequence: Run, run: StepRun, *, tick: Tick, rules: SendPolicy, now: datetime
) -> Examined:
    """Check everything about the current step; return the tick and, where it may go out by e-mail, the message.

    It reads and decides, and writes nothing: what follows from it is for the caller to store.
    """
    contact = store.contacts.by_ids([sequence.contact_id])[0]
    recipients = {contact.id: run.recipient} if run.recipient else {}
    listed = is_suppressed(store, [contact], recipients=recipients).get(contact.id)
    tick = replace(tick, has_contact=run.recipient is not None, forbidden=listed and f"suppressed: {listed}")
    # A suppression comes before every other reason: the run ends and nobody is asked to approve anything.
    if listed or run.recipient is None or run.content is None:
        return Examined(tick=tick)
    if blocked := _blocked(store, sequence, run, contact=contact, rules=rules, now=now):
        return Examined(tick=replace(tick, blocked=blocked.why), voided=blocked.voided)
    unread = unread_because(store, sequence, rules=rules, now=now)
    if run.step.type is not Channel.EMAIL:
        hours = CALLING_HOURS if run.step.type in TEXTED else None
        return _by_hand(sequence, tick=replace(tick, unread=unread), hours=hours, now=now)
    try:
        opens_at = next_open(rules.window, sequence.time_zone, now)
        message = _composed(store, sequence, run, rules=rules, now=now)
    except InvalidArgumentsError as error:
        return Examined(tick=replace(tick, blocked=error.message))
    if opens_at is None or opens_at <= now:
        if paced := colleague_wait(store, sequence, run, terms=rules.terms, now=now):
            return Examined(tick=replace(tick, opens_at=paced[0], opens_why=paced[1]), message=message)
        tick = replace(tick, unread=unread)
    return Examined(tick=replace(tick, opens_at=opens_at), message=message)


def colleague_wait(
    store: Repositories, sequence: Run, run: StepRun, *, terms: Terms, now: datetime
) -> tuple[datetime, str] | None:
    """Return until when an e-mail waits because a colleague of the recipient was written to, and that; or None.

    Several who wait for the same company follow one another: each takes its turn when it first has to wait.
    """
    pause = terms.limits.company_pause
    company = company_root(domain_of(run.recipient)) if pause else None
    if company is None:
        return None
    others = store.attempts.newest_to_others(terms.sender_address, but=sequence.id, since=now - pause)
    newest = next((at for at, to in others if company_root(domain_of(to)) == company), None)
    if newest is None:
        return None
    why = f"somebody else at {company} was just written to: people of one company {duration_words(pause)} apart"
    until = min(newest, now) + pause
    last = None if run.reason == why else store.attempts.held_until(why, now=now)
    return (until if last is None else max(until, last + pause)), why


def _by_hand(sequence: Run, *, tick: Tick, hours: Window | None, now: datetime) -> Examined:
    """Return the tick of a step done by hand: a text keeps its hours, whatever the window is."""
    try:
        opens_at = next_open(hours, sequence.time_zone, now) if hours else None
    except InvalidArgumentsError as error:
        return Examined(tick=replace(tick, blocked=error.message))
    if opens_at is not None and opens_at > now:
        tick = replace(tick, unread=None)  # whoever answers until then is known by then
    return Examined(tick=replace(tick, opens_at=opens_at))


def unread_because(store: Repositories, sequence: Run, *, rules: SendPolicy, now: datetime) -> str | None:
    """Return why a step after the first waits: the mailbox was not read recently enough; or None."""
    if not any(step.state in BEGUN for step in sequence.steps):
        return None
    known = store.inboxes.reading(rules.terms.sender_address)
    if not rules.reads_inbox and not _is_read_elsewhere(store, rules.terms, now=now):
        return _no_longer_read(store, sequence, rules.terms.sender_address) if known and known.read_up_to else None
    if known is not None and known.is_fresh(now=now, freshness=rules.freshness):
        return None
    since = known.read_up_to if known is not None else None
    when = f"was not read since {since:%Y-%m-%d %H:%M} UTC" if since is not None else "was never read"
    why = f" ({known.error})" if known is not None and known.error else ""
    return f"the inbox of {rules.terms.sender_address} {when}{why}"


def _no_longer_read(store: Repositories, sequence: Run, sender: str) -> str | None:
    """Return that nobody reads a mailbox which was read; None where the approval covers that nobody does."""
    plan = store.plans.find(sequence.plan_id)
    if plan is None or any(warning.endswith(f": {DEAF}") for warning in plan.header.warnings):
        return None
    return (
        f"nobody reads the inbox of {sender} any more, which the approval does not cover: set SEQUENCES_IMAP_URL "
        "again, or stop this and start it anew"
    )


def _is_read_elsewhere(store: Repositories, terms: Terms, *, now: datetime) -> bool:
    """Say whether a process reads the mailbox of these settings, although this one does not know of it."""
    return any(
        state.queue == READER
        and terms.fingerprint in state.serves
        and abs(now - state.beat) <= READER_SHOWS_ITSELF
        for state in store.workers.all()
    )


def _blocked(
    store: Repositories, sequence: Run, run: StepRun, *, contact: Contact, rules: SendPolicy, now: datetime
) -> Blocked | None:
    """Return why a person has to look first, or None."""
    plan = store.plans.find(sequence.plan_id)
    if plan is None:
        return Blocked(why="its plan is gone")
    if changed := plan.header.terms.difference(rules.terms):  # it is another process's: nothing of it is voided
        return Blocked(why=f"{approvals.OTHER_SETTINGS}: {changed}")
    digest = text_digest(sequence, run)
    text = approvals.ApprovedText(sequence, run, approvals.text_approved_at(store, run, digest=digest))
    if blocked := _without_approval(store, plan, text=text, rules=rules, now=now):
        return blocked
    why = _text_blocked_because(store, plan, text=text, contact=contact, digest=digest, rules=rules)
    return Blocked(why=why) if why else None


def _without_approval(
    store: Repositories, plan: Plan, *, text: approvals.ApprovedText, rules: SendPolicy, now: datetime
) -> Blocked | None:
    """Return that the plan has no approval that holds, or that it comes too late for this step; or None."""
    if why := approvals.void_because(store, plan) or _unsigned_plan(store, plan, text.at, rules=rules):
        is_approved = plan.status is PlanStatus.APPROVED
        return Blocked(
            why=why,
            voided=approvals.voided(plan, why.removeprefix(f"{APPROVAL}: ")) if is_approved else None,
        )
    late = approvals.late(store, plan, text=text, limit=rules.late_after, now=now)
    if late is None:
        return None
    if late.is_everybodys:  # an outage, which concerns the whole plan
        return Blocked(why=f"{APPROVAL}: {late.why}", voided=approvals.voided(plan, late.why))
    return Blocked(why=late.why)


def _text_blocked_because(
    store: Repositories,
    plan: Plan,
    *,
    text: approvals.ApprovedText,
    contact: Contact,
    digest: bytes,
    rules: SendPolicy,
) -> str | None:
    """Return why one text of an approved plan waits for a person, or None.

    An approval of exactly this text stands for the plan's, and for the warnings, which that person saw; an error
    holds the text all the same.
    """
    sequence, run = text.sequence, text.run
    # Stored contacts can be merged or edited after a start, so two runs can come to share an address.
    if why := _shared_because(store, sequence):
        return why
    if text.at and (
        why := approvals.unsigned_text_because(store, run, digest=digest, signature_check=rules.signature_check)
        or four_eyes.lacking_text_because(store, approvals.draft_id(run), text=digest, approvers=rules.approvers)
    ):
        return why
    tries = store.attempts.count(run.key, generation=run.generation, since=text.at)
    if tries >= MOST_TRIES:
        return f"it was tried {tries} times; the last answer: {run.reason or 'none'}"
    if text.at is None:  # an approval of this very text holds whatever became of the plan's
        moved = (
            approvals.uncovered_because(store, plan, sequence=sequence, run=run)
            or approvals.moved_because(run, contact)
            or _forgotten(store, run.recipient or "")
        )
        if moved:
            return moved
    sourcing = approvals.stored_sourcing(store, sequence)
    return rules.check(
        Leaving(
            sequence=sequence,
            run=run,
            contact=contact,
            sourcing=sourcing,
            is_approved=text.at is not None,
            covered=plan.header.warnings,
        )
    )


def _shared_because(store: Repositories, sequence: Run) -> str | None:
    """Return that another live run writes to the same address, or None."""
    other = store.runs.live_at_address(sequence)
    return f"another sequence writes to this address: {other}" if other else None


def _forgotten(store: Repositories, recipient: str) -> str | None:
    """Return that an address was written to by a plan that is missing in this restored database; or None."""
    return store.lineage.wrote_to(address_key(recipient)) if "@" in recipient else None


def _unsigned_plan(store: Repositories, plan: Plan, approved: datetime | None, *, rules: SendPolicy) -> str | None:
    """Return why a plan's approval lacks the signature it needs; a text approved by itself has its own."""
    if approved is not None or plan.header.is_allowed_by(rules.preapproved):
        return None
    why = approvals.unsigned_because(store, plan.id, plan.digest, signature_check=rules.signature_check)
    why = why or four_eyes.lacking_because(store, plan.id, digest=plan.digest, approvers=rules.approvers)
    return f"{APPROVAL}: {why}" if why else None


def _composed(
    store: Repositories, sequence: Run, run: StepRun, *, rules: SendPolicy, now: datetime
) -> ComposedMessage:
    own_id = message_id(
        store.secret("message_id"),
        sequence_id=sequence.id,
        step_key=run.key,
        generation=run.generation,
        sender=rules.sender.address,
    )
    subject, before = run.subject or "", thread_left(run, sequence.steps)
    if not before and takes_thread_subject(run.step, sequence.before(run.step.id)):
        subject = without_re(subject)  # what it would have answered was not sent
    if not subject.strip():
        raise InvalidArgumentsError("This e-mail has no subject.", next_step="Give it one with edit_draft.")
    return compose(
        sender=rules.sender,
        recipient=run.recipient or "",
        subject=subject,
        content=letter_of(run.content or "") if run.step.is_markdown else run.content or "",
        message_id=own_id,
        date=now,
        within=replace(
            _correspondence(before, delivery=rules.terms.delivery),
            one_click=one_click_address(
                rules.opt_out_url,
                store.secret("message_id"),
                sequence_id=sequence.id,
                recipient=run.recipient or "",
            ),
        ),
    )


def _correspondence(before: tuple[StepRun, ...], *, delivery: str) -> Correspondence:
    """Return the conversation of the e-mails that left; where a provider gave one another id, with both."""
    ids: list[str] = []
    for step in before:
        ids += filter(None, [step.message_id, provider_message_id(step.server_reply or "", server=delivery)])
    return Correspondence(ids[-1] if ids else "", tuple(ids[:-1]), unsubscribes=True)


def _with_message_id(sequence: Run, key: str, header: str) -> Run:
    run = next(step for step in sequence.steps if step.key == key)
    return with_run(sequence, replace(run, message_id=header))


def _claimed(
    work: UnitOfWork,
    sequence: Run,
    run: StepRun,
    *,
    lease: int,
    message: ComposedMessage,
    rules: SendPolicy,
    now: datetime,
) -> Claim:
    attempt = Attempt(
        lease=lease,
        key=run.key,
        generation=run.generation,
        sender=rules.terms.sender_address,
        message_id=message.message_id,
        message_digest=wire_digest(message.data),
        claimed_at=now,
    )
    work.attempts.insert(attempt)
    sender = rules.terms.sender_address
    if rest := work.mailboxes.resting(sender, now=now, account=rules.account):
        work.mailboxes.reserve(rest, until=now + rules.lease)
    else:
        work.mailboxes.accepted(sender)  # what is there is of another account
    return Claim(
        sequence_id=sequence.id,
        plan_id=sequence.plan_id,
        key=run.key,
        lease=lease,
        message=message,
        line=work.line,
    )
