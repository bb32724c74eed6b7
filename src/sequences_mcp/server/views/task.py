"""Steps done by hand: our own, with the text to copy, and a vendor's, with the messages they are about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sequences_mcp.domain.page import Page
from sequences_mcp.providers.port import Task
from sequences_mcp.providers.vendor_port import VendorMessage, VendorTask
from sequences_mcp.server.text import cut, fair_limit
from sequences_mcp.server.view import PageView, View, WrittenView, numbered
from sequences_mcp.server.views.contact import who
from sequences_mcp.server.views.sequence import channel_of, when

TEXT_BUDGET = 1_600
SUBJECT_LIMIT = 80


class MessageView(View):
    """A message at a vendor, in its writer's words; ``body`` is cut where a page has much of it."""

    direction: str | None = None
    channel: str | None = None
    sent_at: str | None = None
    subject: str | None = None
    body: str | None = None


class TaskView(View):
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


def task_page(page: Page[Task] | Page[VendorTask]) -> TaskPage:
    """Return a page of tasks, their texts sharing one budget."""
    limit = fair_limit(map(len, _texts(page.items)), budget=TEXT_BUDGET)
    return TaskPage(items=tuple(_view(task, limit) for task in page.items), **numbered(page))


def task_written(task: Task | VendorTask) -> TaskWritten:
    """Return a task after a change."""
    view = _view(task, limit=max(map(len, _texts([task])), default=0))
    return TaskWritten(next="get_sequence shows what comes next and when.", **view.model_dump())


def _texts(tasks: Iterable[Task | VendorTask]) -> Iterator[str]:
    for task in tasks:
        if isinstance(task, Task):
            yield task.run.content or ""
        else:
            yield from (message.body or "" for message in task.messages)


def _view(task: Task | VendorTask, limit: int) -> TaskView:
    return _own(task, limit) if isinstance(task, Task) else _vendors(task, limit)


def _own(task: Task, limit: int) -> TaskView:
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
        messages=tuple(_message(one, limit) for one in task.messages) or None,
        messages_note=task.untold,
    )


def _message(message: VendorMessage, limit: int) -> MessageView:
    return MessageView(
        direction=message.direction,
        channel=message.channel,
        sent_at=when(message.sent_at),
        subject=cut(message.subject, SUBJECT_LIMIT) if message.subject else None,
        body=cut(message.body, limit) if message.body else None,
    )
