"""Writes to vendors: recorded before the request, carried out once, reconciled afterwards."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple, NoReturn, TypeVar

from sequences_mcp.context import AppContext
from sequences_mcp.domain import actors
from sequences_mcp.domain.erasure import ERASE
from sequences_mcp.domain.ids import LOCAL, VENDORS, IdKind, parse_id, provider_of
from sequences_mcp.domain.run import TERMINAL, SequenceStatus
from sequences_mcp.errors import (
    ApprovalPendingError,
    ConflictError,
    OutcomeUnknownError,
    ProviderError,
    RequestError,
    SequencesError,
    WrongIdError,
    error_facts,
)
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.ports.embedded import PendingChange, SequenceDetail
from sequences_mcp.ports.provider import Provider
from sequences_mcp.ports.vendor import LAST_ANSWER, EnrolmentOutcome, VendorOperation, VendorWrite

T = TypeVar("T")


VARIABLES = "update_sequence"
HERE = "this data folder"
NOTHING = "(nothing)"
_BASE = "expected_version"


class ChangedValue(NamedTuple):
    """One value that is changed, in words."""

    name: str
    before: str
    after: str


async def request_change(
    app: AppContext, tool: str, subject: str, *, arguments: Mapping[str, object], earlier: Mapping[str, object]
) -> NoReturn:
    """Store a change for approval and raise ApprovalPendingError, which says where. Nothing is changed yet."""
    change = await app.changes.ask(tool, subject, arguments=arguments, earlier=earlier)
    ways = app.ways_to_review(path=f"/changes/{change.id}", command=f"approve {change.id}")
    raise ApprovalPendingError(
        f"This changes what {vendor_of(change)} sends to people under way, so it waits for a person until "
        f"{change.expires_at:%Y-%m-%d %H:%M} UTC. Nothing was changed.",
        next_step=f"A person reads old and new and decides {ways}. withdraw_plan with this id takes it back.",
        data={"change_id": change.id, "before": dict(earlier), "after": dict(arguments)},
    )


def vendor_of(change: PendingChange) -> str:
    """Return the title of the vendor at which something is changed, or words for this place."""
    return HERE if change.tool == ERASE else VENDORS[provider_of(change.subject)]


def what_it_is(change: PendingChange) -> str:
    """Return in words what is changed."""
    if change.tool == ERASE:
        return "Erase a person"
    kind = "Variables of a run" if change.tool == VARIABLES else "A blueprint with people under way"
    return f"{kind} at {vendor_of(change)}"


def differences(change: PendingChange) -> tuple[ChangedValue, ...]:
    """Return what is changed, value by value, from what to what; of steps only what differs."""
    given = change.arguments.get("variables") if change.tool == VARIABLES else change.arguments
    requested_changes: list[ChangedValue] = []
    for name, new in (given or {}).items():
        if name == "steps" and new is not None:
            requested_changes += _steps(change.earlier.get("steps") or [], new)
        elif change.tool == VARIABLES or (new is not None and name not in (_BASE, "blueprint_id")):
            old = change.earlier.get(name, "(not told by its API)" if name == "config" else None)
            requested_changes.append(ChangedValue(name, _words(old), _words(new)))
    return tuple(requested_changes)


def _steps(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Iterator[ChangedValue]:
    before, after = ({step["id"]: step for step in steps} for steps in (old, new))
    for step_id in dict.fromkeys([*before, *after]):
        was, will = before.get(step_id, {}), after.get(step_id, {})
        for name in dict.fromkeys([*was, *will]):
            if was.get(name) != will.get(name):
                yield ChangedValue(f"step {step_id}: {name}", _words(was.get(name)), _words(will.get(name)))
    if list(before) != list(after):
        yield ChangedValue("the order of the steps", ", ".join(before), ", ".join(after))


def _words(value: object) -> str:
    if value is None:
        return NOTHING
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


FIRST_LOOK = 0.02  # seconds until the outcome of another call with the same key is looked up; then doubled
LATEST_LOOK = 0.5
LOOKS = 260  # about two minutes: longer than any call
CHECKED = "checked"
SAME_AGAIN = (
    "The very same call, with every argument as it was, may be made again: it does no harm and resolves this."
)


async def run_once(app: AppContext, write: VendorWrite, effect: Callable[[], Awaitable[str]]) -> str:
    """Return the result of this write, or the stored one of an earlier call with its key.

    Calls with one key at the same time have one effect and one answer. Raises OutcomeUnknownError, with the
    operation's id, when nobody can tell what became of the request; ConflictError while an earlier write on the
    same thing is of unknown outcome or under way; and whatever the effect raises.
    """
    begun = await app.operations.begin(write)
    if not begun.is_new:
        return await _answer_of_other_call(app, begun.operation)
    try:
        answer = await effect()
    except BaseException as error:  # even a call that was given up may have reached the vendor
        await _record(app, begun.operation, error, repeatable=write.repeatable)
        raise
    await app.operations.conclude(begun.operation.id, state="done", answer=answer)
    return answer


async def _record(app: AppContext, operation: VendorOperation, error: BaseException, *, repeatable: bool) -> None:
    is_repeat = operation.state == "unknown"  # where a refused repeat proves nothing about the first request
    if isinstance(error, ProviderError | RequestError) and error.outcome != "unknown" and not is_repeat:
        await app.operations.conclude(operation.id, state="not_done", answer=_error_json(error))
        return
    unknown = _unknown_outcome(operation, error, repeatable=repeatable)
    await app.operations.mark_unknown(operation.id, answer=_error_json(unknown))
    if isinstance(error, Exception):
        raise unknown from error


def _unknown_outcome(
    operation: VendorOperation, error: BaseException, *, repeatable: bool = False
) -> OutcomeUnknownError:
    known = error if isinstance(error, OutcomeUnknownError) else None
    look = f"check_operation with {operation.id} finds out."
    return OutcomeUnknownError(
        known.message if known else f"OUTCOME UNKNOWN: {operation.tool} on {operation.subject} broke off.",
        next_step=SAME_AGAIN if repeatable else f"Do not call this again. {look}",
        data={
            **(known.data if known else {"why": type(error).__name__, "something_may_have_happened": True}),
            "safe_to_call_again": repeatable,
            "operation_id": operation.id,
        },
    )


async def _answer_of_other_call(app: AppContext, operation: VendorOperation) -> str:
    delay = FIRST_LOOK
    for _ in range(LOOKS):
        if operation.state != "begun":
            return _answer(operation)
        await asyncio.sleep(delay)
        delay = min(2 * delay, LATEST_LOOK)
        operation = await app.operations.get(operation.id)
    raise ConflictError(
        "The first call with this idempotency key is still under way.",
        next_step=f"check_operation with {operation.id} tells how it ended.",
        data={"operation_id": operation.id},
    )


def _answer(operation: VendorOperation) -> str:
    if operation.state == "unknown":
        _raise(operation.answer or _error_json(_unknown_outcome(operation, TimeoutError())))
    facts = json.loads(operation.answer or "{}")
    if operation.state == "not_done":
        _raise(operation.answer or "{}")
    if CHECKED in facts:
        raise ConflictError(
            "This was done: its outcome was unknown at first and was found out since.",
            next_step=f"check_operation with {operation.id} shows it; nothing has to be called again.",
            data={"operation_id": operation.id},
        )
    return operation.answer or ""


def last_answer_of(operation: VendorOperation) -> Mapping[str, Any] | None:
    """Return what the vendor answered last, where its answer was an error (``errors.error_facts``)."""
    try:
        facts = json.loads(operation.answer or "{}")
    except ValueError:
        return None
    result = facts.get(LAST_ANSWER) if isinstance(facts, dict) else None
    return result if isinstance(result, dict) else None


def _error_json(error: SequencesError) -> str:
    facts = {
        "code": error.code,
        "message": error.message,
        "next": error.next_step,
        "data": dict(error.data),
        LAST_ANSWER: error_facts(error) if isinstance(error, ProviderError) else None,
    }
    return json.dumps(facts, default=str)


def _raise(sentence: str) -> NoReturn:
    """Raise the error that an earlier call met."""
    facts = json.loads(sentence)
    if CHECKED in facts:
        raise ConflictError("This was found not to have been done.", next_step="Call again with a new key.")
    kind = next((kind for kind in _kinds(SequencesError) if kind.code == facts["code"]), SequencesError)
    raise kind(facts["message"], next_step=facts["next"], data=facts["data"])


def _kinds(kind: type[SequencesError]) -> Iterator[type[SequencesError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _kinds(child)


AGAIN_RESOLVES = "That sends the same change again: it does no harm and resolves this. Do not ask for it anew."
A_PERSON = "A person looks in its app, then: sequences-mcp review resolve."


class ReadBackAnswer(NamedTuple):
    """Whether it has happened, one line about how that is known, and what to do where nothing tells."""

    happened: bool | None
    why: str
    next_step: str | None = None


async def read_back_exclusion(app: AppContext, operation: VendorOperation) -> ReadBackAnswer:
    """Return whether somebody is on the vendor's own list."""
    provider = app.named(operation.provider)
    given = operation.arguments
    happened = await provider.is_excluded(str(given["kind"]), str(given["value"]))
    return ReadBackAnswer(happened, f"It is{'' if happened else ' not'} excluded there.")


async def read_back_people(app: AppContext, operation: VendorOperation) -> ReadBackAnswer:
    """Return whether everybody of a save is where they were to be put."""
    from sequences_mcp.planning.recipient_rows import read_contact_inputs

    provider = app.named(operation.provider)
    value: Any = operation.arguments.get("contacts")
    provider.require(Provider.place_contacts)
    people = read_contact_inputs(value, most=provider.contacts_a_call, misfit=provider.contact_misfit, policy=None)
    count, why = await provider.count_placed(operation.subject, people)
    if count is None:
        return ReadBackAnswer(None, f"{why} {A_PERSON}")
    return ReadBackAnswer(count == len(people), why)


async def read_back_skip(app: AppContext, operation: VendorOperation) -> ReadBackAnswer:
    """Return whether a task counts as skipped."""
    provider = app.provider_of(operation.subject, IdKind.TASK)
    status = await provider.task_status(operation.subject)
    if status is None:
        return ReadBackAnswer(None, f"The task is not among the newest that {provider.title} lists. {A_PERSON}")
    if status == "COMPLETED":
        return ReadBackAnswer(
            None, f"The task is COMPLETED, which somebody did in {provider.title}'s app. {A_PERSON}"
        )
    return ReadBackAnswer(status == "SKIPPED", f"The task is {status}.")


async def read_back_created(app: AppContext, operation: VendorOperation) -> ReadBackAnswer:
    """Return that it cannot be read: the vendor lists nothing, and a copy may exist."""
    title = app.named(operation.provider).title
    why = f"{title}'s API lists no blueprints, so nothing was read; one of this name may exist. {A_PERSON}"
    return ReadBackAnswer(None, why)


async def read_back_updated(app: AppContext, operation: VendorOperation) -> ReadBackAnswer:
    """Return that it cannot be read, and what reconciles it: the same call, with its approval if it had one."""
    why = f"{app.named(operation.provider).title}'s API does not show a blueprint. {A_PERSON}"
    change = await app.changes.of_request(operation.subject, operation.fingerprint)
    if change is None:
        return ReadBackAnswer(None, why, SAME_AGAIN)
    ways = app.ways_to_review(path=f"/changes/{change.id}", command=f"approve {change.id}")
    return ReadBackAnswer(
        None, why, f"A person approved this change and may approve it once more {ways}. {AGAIN_RESOLVES}"
    )


async def read_back_run(app: AppContext, operation: VendorOperation) -> ReadBackAnswer:
    """Return whether a run is as a pause, a resume, a stop or other variables would have left it."""
    provider = app.provider_of(operation.subject, IdKind.SEQUENCE)
    detail = await provider.get_sequence(operation.subject)
    happened = _happened(operation, detail)
    why = f"The sequence is {detail.provider_status or detail.sequence.status.value}."
    return ReadBackAnswer(happened, f"{why} That does not tell. {A_PERSON}" if happened is None else why)


def _happened(operation: VendorOperation, detail: SequenceDetail) -> bool | None:
    """Say whether the present state shows the effect; None where it shows nothing."""
    status = detail.sequence.status
    if detail.provider_status != status.value:
        return None  # a status word that is in no table here
    if operation.tool == "stop_sequence":
        return None if operation.arguments.get("scope") == "COMPANY" else status in TERMINAL
    if operation.tool == "update_sequence":
        return _merged(operation.arguments.get("variables"), detail)
    if status in TERMINAL:
        return None
    is_paused = status is SequenceStatus.WAITING_FOR_LEAD
    return is_paused if operation.tool == "pause_sequence" else not is_paused


def _merged(wanted: Any, detail: SequenceDetail) -> bool:
    return all(detail.sequence.variables.get(name) == value for name, value in dict(wanted or {}).items())


READERS = {
    **dict.fromkeys(("pause_sequence", "resume_sequence", "stop_sequence", "update_sequence"), read_back_run),
    "suppress_contact": read_back_exclusion,
    "save_contacts": read_back_people,
    "complete_task": read_back_skip,
    "create_blueprint": read_back_created,
    "update_blueprint": read_back_updated,
}


IN_FLIGHT_AT_MOST = timedelta(seconds=60)  # until then a request that seems lost may still be acted on
IN_WORDS = {"done": "enrolled", "not_done": "not enrolled", "unknown": "unknown"}


@dataclass(frozen=True, slots=True)
class CheckedOperation:
    """An operation as it is now, one line about how that is known, and what to do where that is not the usual."""

    operation: VendorOperation
    why: str
    next_step: str | None = None

    @property
    def last_answer(self) -> Mapping[str, Any] | None:
        """What the vendor answered last, where its answer was an error."""
        return last_answer_of(self.operation)


async def check_operation(app: AppContext, *, operation_id: str) -> CheckedOperation:
    """Return the operation, reconciled where the vendor's present state shows its outcome."""
    operation = await app.operations.get(await _operation_of(app, operation_id))
    if operation.state == "begun":
        return CheckedOperation(operation, "Its request is still under way.")
    if operation.state != "unknown":
        return CheckedOperation(operation, "Its outcome was known already.")
    if operation.tool == "start_sequence":
        return await _started(app, operation)
    return await _read(app, operation)


async def _operation_of(app: AppContext, text: str) -> str:
    """Return an operation's id, also for our id of the run whose request it is; WrongIdError says what helps."""
    if not text.startswith(f"{LOCAL}:{IdKind.SEQUENCE}_"):
        return str(parse_id(text, IdKind.OPERATION))
    run = (await app.local.get_sequence(text)).sequence
    if run.operation_id is None or not run.has_unknown_outcome:
        raise WrongIdError(
            f"{text} is a sequence, and nothing about it is unknown: it is {run.status}.",
            next_step="get_sequence shows how it stands and why.",
            data={"expected": "operation", "sequence": text},
        )
    return run.operation_id


async def _started(app: AppContext, operation: VendorOperation) -> CheckedOperation:
    """Return a start after a look at everybody in it; people who are certainly not in it wait a minute first."""
    provider = app.named(operation.provider)
    order = await app.vendor_runs.order_of(operation.id)
    outcomes = await provider.read_enrolment_back(order)
    shown = Counter(outcome.outcome for outcome in outcomes)
    sentence = ", ".join(f"{number} {IN_WORDS[outcome]}" for outcome, number in sorted(shown.items()))
    # A request may leave long after its operation was written down: what counts is when its answer was given up.
    lost_at = max((person.updated_at for person in order.people), default=operation.created_at)
    is_early = app.clock() - lost_at < IN_FLIGHT_AT_MOST
    if shown["unknown"]:
        why = next(outcome.why for outcome in outcomes if outcome.outcome == "unknown")
        can_find = provider.offers(Provider.find_contacts)
        show = f"find_contacts with provider {provider.name} shows the person. " if can_find else ""
        return CheckedOperation(
            operation,
            f"{provider.title}: {sentence}. {why}",
            f"Do not start them again. {show}A person looks in {provider.title}'s app and resolves it, in a "
            f"terminal: sequences-mcp review resolve {operation.id}",
        )
    if shown["not_done"] and is_early:
        return CheckedOperation(operation, f"{sentence}. The request may still arrive: ask again in a minute.")
    await app.vendor_runs.record_outcomes(operation.id, outcomes, actor=app.for_user(actors.CHECK_OPERATION))
    return CheckedOperation(await app.operations.get(operation.id), f"{provider.title}: {sentence}.")


async def _read(app: AppContext, operation: VendorOperation) -> CheckedOperation:
    read_back = await READERS[operation.tool](app, operation)
    if read_back.happened is None:
        return CheckedOperation(operation, read_back.why, read_back.next_step)
    return await _concluded(app, operation, happened=read_back.happened, why=read_back.why)


async def _concluded(app: AppContext, operation: VendorOperation, *, happened: bool, why: str) -> CheckedOperation:
    if not happened and app.clock() - operation.created_at < IN_FLIGHT_AT_MOST:
        return CheckedOperation(operation, f"{why} The request may still arrive: ask again in a minute.")
    concluded = await app.operations.conclude(
        operation.id,
        state="done" if happened else "not_done",
        answer=json.dumps({CHECKED: why, LAST_ANSWER: last_answer_of(operation)}),
        actor=app.for_user(actors.CHECK_OPERATION),
    )
    return CheckedOperation(concluded, why)


async def resolve_operation(
    app: AppContext, *, operation_id: str, done: bool, actor: actors.Actor
) -> VendorOperation:
    """Return the operation with the outcome a person found out; ConflictError unless it is unknown."""
    parse_id(operation_id, IdKind.OPERATION)
    operation = await app.operations.get(operation_id)
    if operation.state != "unknown":
        raise ConflictError(
            f"This operation is {operation.state} and cannot be resolved.",
            next_step="list_providers names the operations whose outcome is unknown.",
        )
    if operation.tool == "start_sequence":
        return await _start_resolved(app, operation, done=done, actor=actor)
    answer = json.dumps({CHECKED: f"{actor} looked.", LAST_ANSWER: last_answer_of(operation)})
    return await app.operations.conclude(
        operation_id, state="done" if done else "not_done", answer=answer, actor=actor
    )


async def _start_resolved(
    app: AppContext, operation: VendorOperation, *, done: bool, actor: actors.Actor
) -> VendorOperation:
    """Return a start with the outcome that a person found out: everybody in it was enrolled, or nobody."""
    order = await app.vendor_runs.order_of(operation.id)
    outcomes = [
        EnrolmentOutcome(sequence_id=person.id, outcome="done" if done else "not_done", why=f"{actor} looked.")
        for person in order.people
    ]
    await app.vendor_runs.record_outcomes(operation.id, outcomes, actor=actor)
    return await app.operations.get(operation.id)
