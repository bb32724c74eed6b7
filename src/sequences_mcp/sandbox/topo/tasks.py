"""Pages "Tasks", "List tasks", "Reopen task", "Reassign task" and "List task messages".

Chosen, as not published: skipping needs an actionable task and reopening one that is over (else 422), and a
task that a person reopens has no ``reopen_reason``, whose only known value is a rule's.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from sequences_mcp.sandbox.rest.call import Call, Reply
from sequences_mcp.sandbox.rest.reading import one_of, optional_stamp, stamp, text
from sequences_mcp.sandbox.rest.refusal import NoSuch, Refused
from sequences_mcp.sandbox.topo.envelope import ORGANIZATION, created_between, matching, paged
from sequences_mcp.sandbox.world.topo import Task, with_task
from sequences_mcp.sandbox.world.topo_course import task_over

SORT_BY = ("created_at", "updated_at")
FILTERS = {
    "sequence_id": "sequence_id",
    "types": "type",
    "status": "status",
    "priorities": "priority",
    "assignee_user_id": "assignee_user_id",
}
ACTIONABLE = frozenset({"PENDING", "IN_PROGRESS"})
OVER = frozenset({"COMPLETED", "SKIPPED"})


def listed(call: Call) -> Reply:
    """List by run, template, type, status, priority, assignee and time of creation."""
    state = call.world.topo
    wanted = call.query.getlist("sequence_template_ids")
    rows = [
        _row(task)
        for task in state.tasks.values()
        if not wanted or state.sequences[task.sequence_id].sequence_template_id in wanted
    ]
    return paged(matching(call.query, created_between(call.query, rows), FILTERS), call.query, sort_by=SORT_BY)


def messages(call: Call) -> Reply:
    """Show the messages of a task: a bare array."""
    rows = [
        {
            "id": message.id,
            "channel": message.channel,
            "direction": message.direction,
            "subject": message.subject,
            "body": message.body,
            "sent_at": stamp(message.sent_at),
            "sender_id": message.sender_id,
        }
        for message in _task_of(call).messages
    ]
    return Reply(rows)


def skip(call: Call) -> Reply:
    """Skip a task; its run goes on."""
    task = _require(_task_of(call), ACTIONABLE, "skipped")
    call.world.topo = task_over(call.world.topo, task, skipped=True, now=call.now)
    return Reply(_row(_task_of(call)))


def reopen(call: Call) -> Reply:
    """Open a task that is over once more; its run is not turned back."""
    task = _require(_task_of(call), OVER, "reopened")
    fresh = replace(
        task, status="PENDING", reopened_at=call.now, skipped_at=None, completed_at=None, updated_at=call.now
    )
    return _stored(call, fresh)


def reassign(call: Call) -> Reply:
    """Give a task, or every actionable task of its run, to somebody."""
    task, fields = _task_of(call), call.fields()
    assignee = text(fields, "assignee_user_id")
    scope = one_of(fields.get("scope", "TASK"), ("TASK", "SEQUENCE"), field="scope")
    others = [one for one in call.world.topo.tasks.values() if one.sequence_id == task.sequence_id]
    for one in others if scope == "SEQUENCE" else ():
        if one.status in ACTIONABLE:
            _stored(call, replace(one, assignee_user_id=assignee, updated_at=call.now))
    return _stored(call, replace(task, assignee_user_id=assignee, updated_at=call.now))


def _require(task: Task, states: Collection[str], what: str) -> Task:
    if task.status not in states:
        raise Refused(422, "BusinessIssue", f"A task in status {task.status} cannot be {what}")
    return task


def _task_of(call: Call) -> Task:
    if task := call.world.topo.tasks.get(call.path["task_id"]):
        return task
    raise NoSuch("Task")


def _stored(call: Call, task: Task) -> Reply:
    call.world.topo = with_task(call.world.topo, task)
    return Reply(_row(task))


def _row(task: Task) -> dict[str, Any]:
    return {
        "id": task.id,
        "organization_id": ORGANIZATION,
        "type": task.type,
        "priority": task.priority,
        "status": task.status,
        "sequence_id": task.sequence_id,
        "assignee_user_id": task.assignee_user_id,
        "disposition": task.disposition,
        "reopened_at": optional_stamp(task.reopened_at),
        "reopen_reason": task.reopen_reason,
        "skipped_at": optional_stamp(task.skipped_at),
        "completed_at": optional_stamp(task.completed_at),
        "created_at": stamp(task.created_at),
        "updated_at": stamp(task.updated_at),
    }
