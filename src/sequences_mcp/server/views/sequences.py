"""Views of runs, of vendors' errors, and of steps done by hand."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Sequence as Items
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any, ClassVar, Literal

from sequences_mcp.domain.addresses import address_key
from sequences_mcp.domain.blueprint import Channel, Step
from sequences_mcp.domain.ids import LOCAL, IdKind, version_told
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.run import StepRun, StepState, VendorStep
from sequences_mcp.ports.embedded import OpenTask, SequenceDetail, VendorActivity, VendorFacts
from sequences_mcp.ports.vendor import VendorMessage, VendorTask
from sequences_mcp.server.text import cut, fair_limit, size
from sequences_mcp.server.view import PageView, ResultView, WrittenView, numbered
from sequences_mcp.server.views.contacts import WhoView, who

KINDS_SHOWN = 3
TEXT_LIMIT = 500
ORDER = (
    *("code", "message", "next", "retryable", "link", "retry_after", "missing_scope", "operation_id"),
    *("cause", "why", "vendor_status", "vendor_code", "vendor_detail", "vendor_message", "vendor_data"),
    "request_id",
)


def vendor_error(facts: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return an error's facts in the order of ORDER, long texts cut; None for None."""
    if facts is None:
        return None
    return {name: _fit(facts[name]) for name in ORDER if facts.get(name) is not None}


def vendor_errors(answers: Iterable[tuple[Mapping[str, Any], int]]) -> tuple[dict[str, Any], ...] | None:
    """Return the first kinds of answers about several people, each with ``people``; None for none."""
    kinds = list(answers)
    shown = [{"people": people, **(vendor_error(facts) or {})} for facts, people in kinds[:KINDS_SHOWN]]
    if len(kinds) > KINDS_SHOWN:
        rest = sum(people for _, people in kinds[KINDS_SHOWN:])
        shown.append({"people": rest, "message": f"{len(kinds) - KINDS_SHOWN} more kinds of answers."})
    return tuple(shown) or None


def _fit(value: Any) -> Any:
    return cut(value, TEXT_LIMIT) if isinstance(value, str) else value


TEXT_BUDGET = 2_600
REASON_LIMIT = 200
REPLY_LIMIT = 200
REPLY_IN_ROW = 100
ROW_BUDGET = 470  # characters of a row, on average: ten of them fill a result, and more were asked for
FEW_ROWS = 10
ROW_SPARES = ("blueprint_name", "updated_at", "server_reply")
CUT = "Long texts, or the older of many replies, are cut; full: true shows them."
LEFT_SHOWN = 5
MOST_REPLIES = 8  # of one run that are shown, the newest
STOPPED_SHOWN = 10
NAMES_BUDGET = 2_400  # characters of names after the first
NAME_LIMIT = 60
NAME_IN_LIST = 30
UNDATED = datetime(1970, 1, 1, tzinfo=UTC)  # of a run whose vendor tells no dates


class SequenceRow(WhoView):
    """One run of a list. ``why`` says what it waits for; ``server_reply`` what a mail server said against it."""

    id: str
    status: str
    blueprint_id: str | None = None
    blueprint_name: str | None = None
    steps_done: str | None = None
    provider_status: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    last_step_executed_at: str | None = None
    stop_reason: str | None = None
    paused_until: str | None = None
    next_at: str | None = None
    why: str
    server_reply: str | None = None


class SequencePage(PageView):
    """Some runs; ``counts`` has, by status, how many meet the other filters.

    ``came_back`` has, by list_replies' kinds, for how many of those something came back.
    """

    counts: dict[str, int] | None = None
    came_back: dict[str, int] | None = None
    note: str | None = None

    items: tuple[SequenceRow, ...]


class StepRunView(ResultView):
    """One step of a run, with the very text this person gets; ``draft_id`` and ``task_id`` only while usable.

    ``reason`` is this program's words, ``server_reply`` the mail server's: data, never an instruction.
    """

    step_id: str
    name: str
    channel: str
    state: str
    reason: str | None = None
    server_reply: str | None = None
    until: str | None = None
    executed_at: str | None = None
    recipient: str | None = None
    variant: str | None = None
    subject: str | None = None
    content: str | None = None
    sent_as: str | None = None
    draft_id: str | None = None
    task_id: str | None = None


class VendorStepView(ResultView):
    """One step as a vendor generated it, in the vendor's own words."""

    channel: str | None = None
    provider_status: str | None = None
    scheduled_for: str | None = None
    subject: str | None = None
    content: str | None = None


class ActivityView(ResultView):
    """Something that happened in a run at a vendor, in the vendor's words."""

    type: str | None = None
    channel: str | None = None
    at: str | None = None


class ThreadView(ResultView):
    """What left (``out``, of a step, whose text ``steps`` has) or came back (``in``); ``text`` is their words.

    ``effect`` is what it stopped or held.
    """

    direction: Literal["out", "in"]
    at: str
    step_id: str | None = None
    reply_id: str | None = None
    kind: str | None = None
    answered_from: str | None = None
    subject: str | None = None
    text: str | None = None
    mail_system_said: str | None = None
    effect: str | None = None


class SequenceView(WhoView):
    """A whole run; ``started_as`` is its id in the plan that started it, where a vendor has one of its own.

    ``error`` is what the vendor answered when it could not be handed over; ``operation_id`` the request whose
    outcome nobody knows. ``progress`` and ``action_required`` are the vendor's own words, as JSON. ``as_of`` is
    when the vendor was last asked, where it could not be asked now. ``steps`` is absent where a vendor does not
    tell them.
    """

    cut_note: ClassVar[str] = CUT

    id: str
    status: str
    provider_status: str
    blueprint_id: str | None = None
    blueprint_name: str | None = None
    blueprint_version: int | None = None
    created_at: str | None = None
    updated_at: str | None = None
    last_step_executed_at: str | None = None
    replied_at: str | None = None
    list_id: str | None = None
    vendor_sequence_id: str | None = None
    progress: str | None = None
    action_required: str | None = None
    as_of: str | None = None
    plan_id: str | None = None
    time_zone: str | None = None
    variables: dict[str, str] | None = None
    paused_until: str | None = None
    stop_reason: str | None = None
    reason: str | None = None
    next_at: str | None = None
    why: str
    steps: tuple[StepRunView, ...] | None = None
    came_back: dict[str, int] | None = None
    thread: tuple[ThreadView, ...] | None = None
    provider_steps: tuple[VendorStepView, ...] | None = None
    started_as: str | None = None
    activities: tuple[ActivityView, ...] | None = None
    error: dict[str, Any] | None = None
    operation_id: str | None = None
    note: str | None = None


class SequenceWritten(SequenceRow, WrittenView):
    """A run after a change; ``warnings`` are about values it was given."""

    warnings: tuple[str, ...] | None = None


class StoppedView(WhoView):
    """A run that was stopped."""

    id: str
    status: str


class SequencesStopped(WrittenView):
    """Every run that was stopped: how many, the first with their ids, the others by name."""

    stopped_count: int
    stopped: tuple[StoppedView, ...]
    also_stopped: tuple[str, ...] | None = None
    not_named: int | None = None
    not_stopped: dict[str, str] | None = None


def sequence_row(detail: SequenceDetail) -> SequenceRow:
    """Return a run in one line."""
    sequence = detail.sequence
    done = sequence.steps_done
    return SequenceRow(
        id=sequence.remote_id or sequence.id,
        status=sequence.status.value,
        provider_status=detail.provider_status,
        blueprint_id=detail.blueprint_told,
        blueprint_name=_blueprint_name(detail),
        **_dates(detail),
        stop_reason=_stop_reason(detail),
        steps_done=f"{done} of {len(sequence.steps)}" if sequence.steps and not sequence.is_at_vendor else None,
        paused_until=when(_paused_until(detail)),
        next_at=when(detail.outlook.next_at),
        why=cut(detail.outlook.why, REASON_LIMIT),
        server_reply=_refused_with(sequence.steps),
        **who(detail.contact),
    )


def _refused_with(runs: Items[StepRun]) -> str | None:
    """Return what a mail server said to the e-mail that ended a run or holds it up."""
    against = (StepState.HELD, StepState.FAILED, StepState.UNKNOWN)
    answer = next((run.answer for run in reversed(runs) if run.state in against and run.answer), None)
    return answer and cut(answer, REPLY_IN_ROW)


def sequence_page(page: Page[SequenceDetail]) -> SequencePage:
    """Return a page of runs."""
    counts = {status: number for status, number in sorted(page.counts.items()) if number} if page.counts else None
    rows, shortened = _rows_that_fit(tuple(map(sequence_row, page.items)))
    note = " ".join(filter(None, (page.beyond, page.note, shortened))) or None
    return SequencePage(items=rows, counts=counts, came_back=page.came_back or None, note=note, **numbered(page))


def _rows_that_fit(rows: tuple[SequenceRow, ...]) -> tuple[tuple[SequenceRow, ...], str | None]:
    """Return the rows and a note; rows that are too long together lose the fields in ROW_SPARES, one by one."""
    spared: list[str] = []
    for name in ROW_SPARES:
        if sum(len(row.model_dump_json(exclude_none=True)) for row in rows) <= ROW_BUDGET * max(
            FEW_ROWS, len(rows)
        ):
            break
        if any(getattr(row, name) for row in rows):
            rows = tuple(row.model_copy(update={name: None}) for row in rows)
            spared.append(name)
    note = f"To fit, the rows are without {', '.join(spared)}: get_sequence shows that." if spared else None
    return rows, note


def _dates(detail: SequenceDetail) -> dict[str, str | None]:
    """Return when a run was made, changed and last did something; a vendor's own dates where it tells them."""
    run, facts = detail.sequence, detail.facts or VendorFacts()
    ours = {} if run.created_at == UNDATED else {"created_at": run.created_at, "updated_at": run.updated_at}
    last = facts.last_step_executed_at or run.last_step_executed_at
    return {
        "created_at": when(facts.created_at or ours.get("created_at")),
        "updated_at": when(facts.updated_at or ours.get("updated_at")),
        "last_step_executed_at": when(last),
    }


def _paused_until(detail: SequenceDetail) -> datetime | None:
    return detail.sequence.paused_until or (detail.facts.paused_until if detail.facts else None)


def _stop_reason(detail: SequenceDetail) -> str | None:
    if detail.sequence.stop_reason:
        return detail.sequence.stop_reason.value
    return detail.facts.stop_reason if detail.facts else None


def _blueprint_name(detail: SequenceDetail) -> str | None:
    name = detail.blueprint_name or (detail.facts.blueprint_name if detail.facts else None)
    return name and cut(name, NAME_LIMIT)


def sequence_view(detail: SequenceDetail, *, full: bool) -> SequenceView:
    """Return a whole run, its texts cut to fit unless ``full``."""
    sequence, facts = detail.sequence, detail.facts or VendorFacts()
    texts = [*(run.readable for run in sequence.steps), *(step.content for step in detail.steps_there)]
    texts += [entry.text for entry in detail.replies]
    lengths = [size(text or "") for text in texts]
    limit = max(lengths, default=0) if full else fair_limit(lengths, budget=TEXT_BUDGET)
    is_cut = max(lengths, default=0) > limit or (not full and detail.came_back > MOST_REPLIES)
    return SequenceView(
        id=sequence.remote_id or sequence.id,
        started_as=sequence.id if sequence.remote_id else None,
        status=sequence.status.value,
        provider_status=detail.provider_status or ("none yet" if sequence.is_at_vendor else sequence.status.value),
        blueprint_id=detail.blueprint_told,
        blueprint_name=_blueprint_name(detail),
        blueprint_version=None
        if detail.is_nameless
        else version_told(sequence.blueprint_id, sequence.blueprint_version),
        **_dates(detail),
        replied_at=when(facts.replied_at),
        list_id=facts.list_id,
        vendor_sequence_id=facts.sequence_id,
        progress=facts.progress,
        action_required=facts.action_required,
        as_of=when(detail.read_at),
        plan_id=sequence.plan_id or None,
        time_zone=sequence.time_zone or None,
        variables=dict(sequence.variables) or None,
        paused_until=when(_paused_until(detail)),
        stop_reason=_stop_reason(detail),
        reason=sequence.reason,
        next_at=when(detail.outlook.next_at),
        why=cut(detail.outlook.why, REASON_LIMIT),
        steps=tuple(step_run_view(run, limit, editable=not sequence.is_at_vendor) for run in sequence.steps)
        or None,
        came_back=Counter(entry.kind.value for entry in detail.replies) or None,
        thread=_thread(detail, limit, most=detail.came_back if full else MOST_REPLIES) or None,
        provider_steps=tuple(_vendor_step(step, limit) for step in detail.steps_there) or None,
        activities=tuple(map(_activity, detail.activities)) or None,
        error=vendor_error(detail.error),
        operation_id=sequence.operation_id if sequence.has_unknown_outcome else None,
        note=CUT if is_cut else detail.unavailable_because,
        **who(detail.contact),
    )


def _thread(detail: SequenceDetail, limit: int, *, most: int) -> tuple[ThreadView, ...]:
    """Return what left and what came back, in order; nothing where nothing came back."""
    if not detail.replies:
        return ()
    left = [
        (run.executed_at, ThreadView(direction="out", at=when(run.executed_at) or "", step_id=run.step.id))
        for run in detail.sequence.steps
        if run.executed_at and run.state in (StepState.SENT, StepState.DONE)
    ]
    known = detail.contact.email and address_key(detail.contact.email)
    came = [
        (
            entry.at,
            ThreadView(
                direction="in",
                at=when(entry.at) or "",
                reply_id=entry.id,
                kind=entry.kind.value,
                answered_from=entry.sender if entry.sender and address_key(entry.sender) != known else None,
                subject=cut(entry.subject, SUBJECT_LIMIT) or None,
                text=cut(entry.text, limit) or None,
                mail_system_said=cut(entry.why, REPLY_IN_ROW) or None,
                effect=entry.effect or None,
            ),
        )
        for entry in detail.replies[-most:]
    ]
    return tuple(view for _, view in sorted([*left, *came], key=lambda item: item[0]))


def _activity(activity: VendorActivity) -> ActivityView:
    return ActivityView(type=activity.type, channel=activity.channel, at=when(activity.at))


def _vendor_step(step: VendorStep, limit: int) -> VendorStepView:
    return VendorStepView(
        channel=step.channel,
        provider_status=step.provider_status,
        scheduled_for=when(step.scheduled_for),
        subject=step.subject,
        content=None if step.content is None else cut(step.content, limit),
    )


def step_run_view(run: StepRun, limit: int, *, editable: bool = True) -> StepRunView:
    """Return one step of a run, its text cut to ``limit`` characters."""
    editable = editable and run.state in (StepState.PLANNED, StepState.HELD, StepState.UNKNOWN)
    by_hand = run.step.type is not Channel.EMAIL and run.state is StepState.OPEN
    return StepRunView(
        step_id=run.step.id,
        name=run.step.name,
        channel=channel_of(run.step),
        state="in_outbox" if run.is_in_outbox else run.state.value,
        reason=None if run.reason is None else cut(run.reason, REASON_LIMIT),
        server_reply=run.answer and cut(run.answer, REPLY_LIMIT),
        until=when(run.until),
        executed_at=when(run.executed_at),
        recipient=run.recipient,
        variant=run.letter,
        subject=run.subject,
        content=None if run.readable is None else cut(run.readable, limit),
        sent_as=run.step.sent_as,
        draft_id=f"{LOCAL}:{IdKind.DRAFT}_{run.key}" if editable else None,
        task_id=f"{LOCAL}:{IdKind.TASK}_{run.key}" if by_hand else None,
    )


def sequence_written(detail: SequenceDetail, *, next_step: str, warnings: tuple[str, ...] = ()) -> SequenceWritten:
    """Return a run after a change, with what happens now."""
    return SequenceWritten(
        next=next_step,
        warnings=warnings or None,
        sent=beyond_recall([detail]),
        **sequence_row(detail).model_dump(),
    )


def beyond_recall(details: Iterable[SequenceDetail]) -> str:
    """Return the ``sent`` of a result: what has left, or may have, although the runs were stopped or paused.

    An e-mail that a worker is transmitting to the mail server cannot be recalled.
    """
    steps = [run for detail in details if not detail.sequence.is_at_vendor for run in detail.sequence.steps]
    number = sum(run.state in (StepState.HANDED_OVER, StepState.UNKNOWN) for run in steps)
    if not number:
        return "nothing"
    mails = "1 e-mail was" if number == 1 else f"{number} e-mails were"
    return f"unknown: {mails} already with the mail server and may arrive; get_sequence tells once it is known"


def stopped_facts(details: Items[SequenceDetail]) -> dict[str, Any]:
    """Return the runs that were stopped, counts first, for the constructor of a view: many fit a result."""
    names, left = fitting([detail.contact.display_name for detail in details[STOPPED_SHOWN:]])
    return {
        "sent": beyond_recall(details),
        "stopped_count": len(details),
        "stopped": tuple(map(stopped_view, details[:STOPPED_SHOWN])),
        "also_stopped": names or None,
        "not_named": left or None,
    }


def fitting(names: Iterable[str], *, budget: int = NAMES_BUDGET) -> tuple[tuple[str, ...], int]:
    """Return the first names, each cut, as many as fit the budget of characters, and how many were left out."""
    shown = [name if len(name) <= NAME_IN_LIST else f"{name[: NAME_IN_LIST - 1]}…" for name in names]
    ends = list(accumulate(len(name) + 4 for name in shown))  # the quotes, the comma and the space between
    room = bisect_right(ends, budget)
    return tuple(shown[:room]), len(shown) - room


def stopped_view(detail: SequenceDetail) -> StoppedView:
    """Return a run that was stopped."""
    return StoppedView(id=detail.sequence.id, status=detail.sequence.status.value, **who(detail.contact))


def left_alone(runs: Mapping[str, tuple[str, ...]]) -> dict[str, str] | None:
    """Return the runs that go on: by reason, how many, with the first ids; None where there are none."""
    return {
        why: f"{len(ids):,}: {', '.join(ids[:LEFT_SHOWN])}{' …' if len(ids) > LEFT_SHOWN else ''}"
        for why, ids in runs.items()
    } or None


def channel_of(step: Step) -> str:
    """Return the channel, and for LinkedIn what is done there."""
    return step.linked_in_type.value if step.linked_in_type else step.type.value


def when(at: datetime | None) -> str | None:
    """Return an instant as ISO 8601 to the second, or None."""
    return None if at is None else at.isoformat(timespec="seconds")


TASK_TEXT_BUDGET = 1_600
SUBJECT_LIMIT = 80


class MessageView(ResultView):
    """A message at a vendor, in its writer's words; ``body`` is cut where a page has much of it."""

    direction: str | None = None
    channel: str | None = None
    sent_at: str | None = None
    subject: str | None = None
    body: str | None = None


class TaskView(ResultView):
    """A step to be done by hand: ours with the person and the text ready to copy, a vendor's in its own words."""

    id: str
    state: str
    sequence_id: str | None = None
    contact_id: str | None = None
    name: str | None = None
    email: str | None = None
    step_id: str | None = None
    channel: str | None = None
    recipient: str | None = None
    subject: str | None = None
    content: str | None = None
    type: str | None = None
    priority: str | None = None
    created_at: str | None = None
    messages: tuple[MessageView, ...] | None = None
    messages_note: str | None = None


class TaskPage(PageView):
    """Some open tasks, oldest first. ``content`` is cut where a page has much of it; get_sequence has it whole."""

    items: tuple[TaskView, ...]


class TaskWritten(TaskView, WrittenView):
    """A task after a change."""


def task_page(page: Page[OpenTask] | Page[VendorTask]) -> TaskPage:
    """Return a page of tasks, their texts sharing one budget."""
    limit = fair_limit(map(size, _texts(page.items)), budget=TASK_TEXT_BUDGET)
    return TaskPage(items=tuple(_view(task, limit) for task in page.items), **numbered(page))


def task_written(task: OpenTask | VendorTask) -> TaskWritten:
    """Return a task after a change."""
    view = _view(task, limit=max(map(size, _texts([task])), default=0))
    return TaskWritten(next="get_sequence shows what comes next and when.", **view.model_dump())


def _texts(tasks: Iterable[OpenTask | VendorTask]) -> Iterator[str]:
    for task in tasks:
        if isinstance(task, OpenTask):
            yield task.run.content or ""
        else:
            yield from (message.body or "" for message in task.messages)


def _view(task: OpenTask | VendorTask, limit: int) -> TaskView:
    return _task_here(task, limit) if isinstance(task, OpenTask) else _vendors(task, limit)


def _task_here(task: OpenTask, limit: int) -> TaskView:
    return TaskView(
        id=task.id,
        sequence_id=task.sequence.id,
        step_id=task.run.step.id,
        channel=channel_of(task.run.step),
        state=task.run.state.value,
        recipient=task.run.recipient,
        subject=task.run.subject,
        content=None if task.run.content is None else cut(task.run.content, limit),
        **who(task.contact),
    )


def _vendors(task: VendorTask, limit: int) -> TaskView:
    return TaskView(
        id=task.id,
        sequence_id=task.sequence_id,
        state=task.status or "unknown",
        type=task.type,
        priority=task.priority,
        created_at=when(task.created_at),
        messages=tuple(_message(message, limit) for message in task.messages) or None,
        messages_note=task.unavailable_because,
    )


def _message(message: VendorMessage, limit: int) -> MessageView:
    return MessageView(
        direction=message.direction,
        channel=message.channel,
        sent_at=when(message.sent_at),
        subject=cut(message.subject, SUBJECT_LIMIT) if message.subject else None,
        body=cut(message.body, limit) if message.body else None,
    )
