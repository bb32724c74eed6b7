"""What follows from a reply, by the rules of the blueprint that was answered.

The reader of a mailbox, ``record_reply`` and a person on the review page all call this, so a reply has the same
consequence however it became known. An opt-out is not decided here: it always suppresses (``stopping``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.addresses import address_key
from sequences_mcp.domain.blueprint import OnReply, ReplyRules
from sequences_mcp.domain.inbound import HELD_FOR_PERSON
from sequences_mcp.domain.run import LIVE, Run, SequenceStatus, StepRun, StepState, StopReason
from sequences_mcp.engine.context import apply_event
from sequences_mcp.engine.events import LEGAL, Event, Held, Replied, Stopped
from sequences_mcp.engine.stopping import end_all
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.store.unit_of_work import Repositories, UnitOfWork

RUN_OVER = "noted: the run is over"
GOES_ON_AFTER = "noted: its blueprint goes on after an answer"
WHOLE_SECONDS = timedelta(seconds=2)  # in which servers tell when a message came
_LEFT = frozenset({StepState.SENT, StepState.UNKNOWN, StepState.HANDED_OVER})


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerEvent:
    """The person of a run answered: ``reason`` is stored with a run that this ends, ``actor`` reported it.

    ``sender`` is the address that it came from, where there is one. ``ends_as`` is given where whoever answered
    said more than that, so that the run ends whatever its blueprint says. ``together`` are all the runs that are
    answered: none of them is held because another one was.
    """

    reason: str
    now: datetime
    actor: Actor
    sender: str = ""
    ends_as: Event | None = None
    together: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AnswerOutcome:
    """What followed, in words, and the runs that it changed, as they are now."""

    words: str
    changed: tuple[Run, ...] = ()


def follow_answer(work: UnitOfWork, run: Run, answer: AnswerEvent) -> AnswerOutcome:
    """Do with a run what its blueprint says of answers, and hold what else runs for the same person or company.

    A run that has not begun is taken out of its plan. What is over stays over.
    """
    rules = rules_of(work, run)
    others = [other for other in others_of_person(work, run, answer.sender) if other.id not in answer.together]
    held = _held(work, others, answer, reason="the contact answered an e-mail of another sequence")
    if rules.stop_company:
        held += _held(work, _of_company(work, run), answer, reason="somebody at the same company answered")
    words, changed = _followed(work, run, answer, on_reply=rules.on_reply)
    return AnswerOutcome(words + held_words([other.id for other in held]), (*changed, *held))


def _followed(work: UnitOfWork, run: Run, answer: AnswerEvent, *, on_reply: OnReply) -> tuple[str, list[Run]]:
    """Do what follows for the run itself; return that in words, and the run where it changed."""
    has_begun = run.status is not SequenceStatus.FOUND
    if answer.ends_as is None and on_reply is OnReply.CONTINUE:
        return (GOES_ON_AFTER if run.status in LIVE or not has_begun else RUN_OVER), []
    if answer.ends_as is None and on_reply is OnReply.HOLD and has_begun:
        held = _held(work, [run], answer, reason="the contact answered")
        return (HELD_FOR_PERSON if held else RUN_OVER), held
    # A run that has not begun cannot have succeeded: its person is only taken out of the plan.
    replied = Replied(answer.reason) if has_begun else Stopped(StopReason.WIN, answer.reason)
    event = answer.ends_as or replied
    if run.status not in LEGAL[type(event)]:
        return RUN_OVER, []
    ended = end_all(work, [run], event, now=answer.now, actor=answer.actor)
    return ("the run succeeded" if event is replied and has_begun else "the run was stopped"), ended


def _held(work: UnitOfWork, runs: Iterable[Run], answer: AnswerEvent, *, reason: str) -> list[Run]:
    """Hold the next step of these runs for a person, where their status allows it; return them as they are."""
    going = [run for run in runs if run.status in LEGAL[Held]]
    return [apply_event(work, run, Held(reason), now=answer.now, actor=answer.actor)[0] for run in going]


def held_words(ids: Sequence[str]) -> str:
    """Return, to be put after a sentence, that these other runs are held for a person; or nothing."""
    return f"; {HELD_FOR_PERSON}: {', '.join(ids)}" if ids else ""


def rules_of(work: Repositories, run: Run) -> ReplyRules:
    """Return what a run's blueprint says of answers; where that is gone, what is usual."""
    blueprint = work.blueprints.find(run.blueprint_id, version=run.blueprint_version)
    return blueprint.replies if blueprint else ReplyRules()


def _of_company(work: Repositories, run: Run) -> list[Run]:
    """Return the live runs of everybody else at the company of a run's person."""
    known = work.contacts.by_ids([run.contact_id])
    colleagues = [person for contact in known for person in work.contacts.colleagues(contact)]
    going = work.runs.by_ids(work.runs.going_of(colleagues))
    return [other for other in going if other.contact_id != run.contact_id]


def others_of_person(store: Repositories, sequence: Run, sender: str = "") -> list[Run]:
    """Return the other live runs of a run's person, known by any address that they have or had, or write from."""
    known = store.contacts.by_ids([sequence.contact_id])
    addresses = [contact.email for contact in known if contact.email]
    addresses += [run.recipient for run in sequence.steps if run.recipient and "@" in run.recipient]
    keys = {address_key(address) for address in (*addresses, sender) if address}
    keys |= {key for former in store.contacts.former_addresses([sequence.contact_id]).values() for key in former}
    return [run for run in live_runs_at(store, sorted(keys)) if run.id != sequence.id]


def live_runs_at(store: Repositories, addresses: Iterable[str]) -> list[Run]:
    """Return the live runs, of the embedded engine, of whoever has or had one of these addresses."""
    result: dict[str, None] = {}
    for key in addresses:
        if run_id := store.runs.live_at([key]):
            result[run_id] = None
        result |= dict.fromkeys(store.runs.going_of(store.contacts.at_address(key)))
    return [run for run in store.runs.by_ids(result) if run.status in LIVE and not run.is_at_vendor]


# A run that was planned anew after it failed leaves out what an earlier one has sent. Whoever answers that,
# answers the run that goes on.


def going_on_from(store: Repositories, sequence: Run, step_id: str) -> Run | None:
    """Return the run that goes on where one has failed and leaves out a step that was sent by then; or None.

    It may wait for its plan's approval.
    """
    if sequence.status is not SequenceStatus.FAILED:
        return None
    ids = store.runs.going_of([sequence.contact_id], blueprint_id=sequence.blueprint_id)
    later = [run for run in store.runs.by_ids(ids) if run.id != sequence.id and not run.is_at_vendor]
    return next((run for run in reversed(later) if _skips(run, step_id)), None)


def _skips(run: Run, step_id: str) -> bool:
    return any(step.step.id == step_id and step.state is StepState.SKIPPED for step in run.steps)


def gone_on_from(store: Repositories, sequence: Run) -> Run | None:
    """Return the failed run in whose place this one goes on: it sent what is left out here; or None."""
    skipped = {step.step.id for step in sequence.steps if step.state is StepState.SKIPPED}
    if not skipped:
        return None
    return next(
        (
            run
            for run in store.runs.of_contact(sequence.contact_id)
            if run.created_at < sequence.created_at
            and (run.blueprint_id, run.status) == (sequence.blueprint_id, SequenceStatus.FAILED)
            and any(step.step.id in skipped for step in run.steps if step.state in _LEFT)
        ),
        None,
    )


def last_left(sequence: Run) -> StepRun | None:
    """Return the last step whose e-mail left, or may have; None where none did."""
    return next((run for run in reversed(sequence.steps) if run.state in _LEFT), None)


def had_begun(store: Repositories, sequence: Run, at: datetime) -> bool:
    """Say whether a run had begun at an instant: what somebody wrote before that is no answer to it."""
    first = sequence
    while (before := gone_on_from(store, first)) is not None:
        first = before
    left = [begun for run in first.steps if (begun := run.accepted_at or run.executed_at) is not None]
    return at >= min(left, default=first.created_at) - WHOLE_SECONDS
