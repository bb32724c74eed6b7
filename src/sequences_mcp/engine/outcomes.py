"""What the end of a delivery means: for its sequence, for its mailbox, and for the count of tries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from sequences_mcp.domain.addresses import address_key
from sequences_mcp.domain.digests import text_digest
from sequences_mcp.domain.sequence import LIVE, Sequence, StepRun, StepState
from sequences_mcp.engine import events
from sequences_mcp.engine.approvals import approved_at
from sequences_mcp.engine.change import change, keep
from sequences_mcp.engine.channels.replies import Blame
from sequences_mcp.engine.claim import ACTOR, Rules
from sequences_mcp.engine.events import Event, SuppressAddress
from sequences_mcp.engine.receipts import Outcome
from sequences_mcp.engine.steps import settled, with_run
from sequences_mcp.engine.stopping import suppress
from sequences_mcp.engine.store import attempts, audit, mailboxes, sequences, suppressions
from sequences_mcp.engine.store.database import Store
from sequences_mcp.errors import NotFoundError

FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(hours=1)
OURS = "the same refusal of several people in a row says nothing about any of them"
ALONE = "It was refused again, although e-mails to others were accepted in between"


def record(store: Store, outcome: Outcome, *, rules: Rules, now: datetime) -> None:
    """Write down how a delivery ended; ConflictError when its lease is lost, and then nothing is changed."""
    with store.transaction():
        found = sequences.by_ids(store, [outcome.sequence_id])
        run = next((run for one in found for run in one.steps if run.key == outcome.key), None)
        if run is None:
            raise NotFoundError(f"There is no step {outcome.key}.", next_step="get_sequence shows what there is.")
        event = _event(store, outcome, sequence=found[0], run=run, rules=rules, now=now)
        _, effects = change(store, found[0], event, now=now, actor=ACTOR)
        for effect in effects:
            if isinstance(effect, SuppressAddress):
                mark = ("address", address_key(effect.address))
                suppress(store, mark, reason=f"bounced: {effect.reason}", now=now, actor=ACTOR)


def retry_after(tries: int) -> timedelta:
    """Return how long to wait after so many tries: a minute, then twice as long each time, at most an hour."""
    return min(FIRST_RETRY * (1 << min(tries - 1, 10)), LONGEST_RETRY)


def _event(
    store: Store, outcome: Outcome, *, sequence: Sequence, run: StepRun, rules: Rules, now: datetime
) -> Event:
    """Return what has happened to the e-mail, the attempt and the mailbox noted with it."""
    sender = rules.terms.sender_address
    if outcome.kind == "lost":
        return events.Lost(outcome.lease, outcome.said, outcome.reply)
    if outcome.kind == "accepted":
        attempts.answered(store, outcome.lease, "accepted")
        mailboxes.accepted(store, sender)
        return events.Delivered(outcome.lease, outcome.said)
    if not outcome.blame:  # no server's doing: nothing is learnt, and the next try is as good as this one
        mailboxes.free(store, sender, now=now)
        attempts.give_back(store, outcome.lease)
        return events.Deferred(outcome.lease, outcome.said, now + FIRST_RETRY)
    return _refused(store, outcome, sequence=sequence, run=run, rules=rules, now=now)


def _refused(
    store: Store, outcome: Outcome, *, sequence: Sequence, run: StepRun, rules: Rules, now: datetime
) -> Event:
    sender = rules.terms.sender_address
    since = approved_at(store, run, digest=text_digest(sequence, run))
    generation, blame = run.generation, Blame(outcome.blame)
    if blame is Blame.MAILBOX and not (
        outcome.doubtful
        and mailboxes.refused_alone(store, sender, key=run.key, generation=generation, since=since)
    ):
        return _of_mailbox(store, outcome, rules=rules, now=now)
    alike = mailboxes.refused_alike(store, sender, key=run.key, code=outcome.code) if outcome.code else set()
    if blame is not Blame.MAILBOX and len(alike) >= mailboxes.SEVERAL:
        _put_right(store, alike - {run.key}, now=now)
        return _of_mailbox(store, outcome, rules=rules, now=now)
    attempts.answered(store, outcome.lease, "recipient", code=outcome.code)
    mailboxes.free(store, sender, now=now)
    if blame in (Blame.GONE, Blame.REFUSES):
        return events.Rejected(outcome.lease, outcome.said, blame is Blame.GONE, outcome.reply)
    attempts.give_back(store, outcome.lease)
    if blame is Blame.LATER:
        tries = attempts.tries(store, run.key, generation=generation, since=since)
        return events.Deferred(outcome.lease, outcome.said, now + retry_after(tries), outcome.reply)
    said = f"{ALONE}. {outcome.said}" if blame is Blame.MAILBOX else outcome.said
    return events.Deferred(outcome.lease, said, None, outcome.reply)


def _put_right(store: Store, keys: Iterable[str], *, now: datetime) -> None:
    """Undo what refusals did to people that turn out to be ours.

    Whoever is held for a person goes on by themselves; whom the engine put on the list is off it, while anybody
    else's entry stays. Their failed runs stay failed: a person decides about a new try (``retry_failed``).
    """
    for sequence, run in sequences.of_keys(store, keys):
        if (
            sequence.status in LIVE
            and run == sequence.current
            and run.state is StepState.HELD
            and run.until is None
        ):
            freed = with_run(sequence, replace(run, until=now + FIRST_RETRY))
            keep(store, sequence, settled(freed, now), action="sequence.let_go", now=now, actor=ACTOR)
        mark = ("address", address_key(run.recipient or ""))
        if (was := suppressions.of_engine(store, mark)) is not None:
            suppressions.lift(store, mark, reason=OURS, actor=ACTOR, now=now)
            subject, detail = ":".join(mark), {"reason": OURS, "was": was}
            entry = audit.Entry(at=now, actor=ACTOR, action="suppression.lifted", subject=subject, detail=detail)
            audit.append(store, [entry])


def _of_mailbox(store: Store, outcome: Outcome, *, rules: Rules, now: datetime) -> Event:
    """Let the mailbox rest; the e-mail waits behind all others that are due, so that each of them has its try."""
    answer: attempts.Answer = "mailbox" if not outcome.doubtful and outcome.blame == Blame.MAILBOX else "doubtful"
    attempts.answered(store, outcome.lease, answer, code=outcome.code)
    attempts.give_back(store, outcome.lease)
    sender = rules.terms.sender_address
    mailboxes.refused(store, sender, why=outcome.said, reply=outcome.reply, account=rules.account, now=now)
    return events.Deferred(outcome.lease, outcome.said, now + FIRST_RETRY, outcome.reply)
