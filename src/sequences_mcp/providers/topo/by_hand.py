"""Topo's tasks: what waits to be done by hand, with the messages it is about."""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass, replace

from sequences_mcp.domain.page import Page
from sequences_mcp.errors import SequencesError
from sequences_mcp.providers.remote import RemoteMessage, RemotePage, RemoteTask
from sequences_mcp.providers.topo import limits
from sequences_mcp.providers.topo.client import Topo
from sequences_mcp.providers.vendor_port import VendorMessage, VendorTask

OPEN = ("PENDING", "IN_PROGRESS")  # one list after the other: Topo documents one status a call
WITH_MESSAGES = 5
MESSAGES = 3
PAGES_LOOKED_AT = 5


@dataclass(frozen=True, slots=True)
class TopoTasks:
    """``providers.vendor_port.VendorTasks`` over Topo."""

    topo: Topo

    async def list_open(self, *, page: int, size: int) -> Page[VendorTask]:
        """Return one page of the pending ones, then of those in progress, each oldest first."""
        pending = await self.topo.list_tasks(status=OPEN[0], page=page, size=size)
        waiting = pending.counted().total_count
        skip = max(0, (page - 1) * size - waiting)
        started, total = await self._window(skip, size - len(pending.items) - pending.unreadable)
        tasks = [*map(_task, pending.items), *map(_task, started)]
        shown = [await self._told(one) for one in tasks[:WITH_MESSAGES]]
        rest = [replace(one, untold=UNREAD) for one in tasks[WITH_MESSAGES:]]
        return Page((*shown, *rest), waiting + total, page, size)

    async def skip(self, task_id: str) -> VendorTask:
        """Skip one; its run goes on."""
        return _task(await self.topo.skip_task(task_id))

    async def status_of(self, task_id: str) -> str | None:
        """Return Topo's word for how a task stands, from the newest of its lists: it shows no task alone."""
        for status in ("SKIPPED", *OPEN, "COMPLETED"):
            for number in range(1, PAGES_LOOKED_AT + 1):
                page = await self._latest(status, number)
                if any(one.id == task_id for one in page.items):
                    return status
                if not page.has_more:
                    break
        return None

    async def _latest(self, status: str, page: int) -> RemotePage[RemoteTask]:
        return await self.topo.list_tasks(
            status=status, sort_by="updated_at", sort_order="desc", page=page, size=limits.PAGE_SIZE
        )

    async def _window(self, skip: int, count: int) -> tuple[Items[RemoteTask], int]:
        """Return so many of the tasks in progress after the first ``skip``, and how many there are."""
        size = max(1, count)
        first = await self.topo.list_tasks(status=OPEN[1], page=skip // size + 1, size=size)
        total = first.counted().total_count
        if count <= 0:
            return (), total
        found = list(first.items)
        if skip % size and first.has_more:
            found += (await self.topo.list_tasks(status=OPEN[1], page=skip // size + 2, size=size)).items
        return found[skip % size :][:count], total

    async def _told(self, one: VendorTask) -> VendorTask:
        try:
            messages = await self.topo.list_task_messages(one.id)
        except SequencesError as error:
            return replace(one, untold=f"Its messages could not be read: {error.code}.")
        newest = sorted(messages, key=_sent, reverse=True)
        more = len(newest) - MESSAGES
        untold = f"{more} older messages are left out; Topo's app has them." if more > 0 else None
        return replace(one, messages=tuple(map(_message, newest[:MESSAGES])), untold=untold)


UNREAD = f"Not read: messages come with the first {WITH_MESSAGES} tasks of a page."


def _sent(message: RemoteMessage) -> float:
    return message.sent_at.timestamp() if message.sent_at else 0.0


def _message(message: RemoteMessage) -> VendorMessage:
    return VendorMessage(
        direction=message.direction,
        channel=message.channel,
        subject=message.subject,
        body=message.body,
        sent_at=message.sent_at,
    )


def _task(found: RemoteTask) -> VendorTask:
    return VendorTask(
        id=found.id,
        type=found.type,
        priority=found.priority,
        status=found.provider_status,
        sequence_id=found.sequence_id,
        created_at=found.created_at,
    )
