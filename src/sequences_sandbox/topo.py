"""Topo's API on loopback, written from its documents."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import partial
from typing import Any

from starlette.datastructures import Headers, QueryParams

from sequences_mcp.domain.companies import company_domain_of, company_key, is_same_company
from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.domain.run import SequenceStatus, StopReason, StopScope
from sequences_sandbox import topo_people
from sequences_sandbox.rest import (
    BadInput,
    Call,
    Endpoint,
    NoSuch,
    Refused,
    Reply,
    Vendor,
    bearer,
    key_for,
    moment,
    one_of,
    optional_stamp,
    stamp,
    text,
)
from sequences_sandbox.runs import RunState, SandboxRun, advance_run, ended, paused, resumed, started
from sequences_sandbox.topo_people import ORGANIZATION, created_between, matching, paged_topo_envelope
from sequences_sandbox.topo_world import (
    Activity,
    Task,
    Topo,
    TopoContact,
    TopoRun,
    TopoTemplate,
    derived_id,
    task_over,
    with_progress,
    with_sequence,
    with_task,
)
from sequences_sandbox.world import ApiKey


def shown_me(call: Call) -> Reply:
    """Show the key that asks."""
    return Reply(
        {
            "id": derived_id("key", call.key.name),
            "organization_id": ORGANIZATION,
            "name": call.key.name,
            "key_prefix": call.key.token[:12],
            "scopes": sorted(call.key.scopes),
            "last_used_at": stamp(call.now),
            "created_at": "2026-01-05T09:00:00Z",
        }
    )


TEMPLATES_SORT_BY = ("created_at", "updated_at", "name")


def listed_templates(call: Call) -> Reply:
    """List by exact name, status and time of creation."""
    rows = [_row(template) for template in call.world.topo.templates.values()]
    results = matching(call.query, created_between(call.query, rows), {"name": "name", "status": "status"})
    return paged_topo_envelope(results, call.query, sort_by=TEMPLATES_SORT_BY)


def shown_templates(call: Call) -> Reply:
    """Show one."""
    if template := call.world.topo.templates.get(call.path["sequence_template_id"]):
        return Reply(_row(template))
    raise NoSuch("Sequence template")


def _row(template: TopoTemplate) -> dict[str, Any]:
    return {
        "id": template.id,
        "name": template.name,
        "summary": template.summary,
        "status": template.status,
        "step_count": len(template.touches),
        "language": template.language,
        "timezone": template.timezone,
        "activated_at": optional_stamp(template.activated_at),
        "created_at": stamp(template.created_at),
        "updated_at": stamp(template.updated_at),
    }


SEQUENCES_SORT_BY = ("created_at", "updated_at", "status")
SEQUENCES_FILTERS = {"status": "status", "sequence_template_id": "sequence_template_id"}
PAUSABLE = frozenset({"ACTIVE", "WAITING_FOR_LEAD"})
LIVE = frozenset({"FOUND", "WAITING_FOR_USER", *PAUSABLE})


def listed_sequences(call: Call) -> Reply:
    """List by status, template and time of creation; there is no filter by contact."""
    if "status" in call.query:
        one_of(call.query["status"], SequenceStatus, field="status")
    rows = [_sequences_row(sequence) for sequence in call.world.topo.sequences.values()]
    return paged_topo_envelope(
        matching(call.query, created_between(call.query, rows), SEQUENCES_FILTERS),
        call.query,
        sort_by=SEQUENCES_SORT_BY,
    )


def shown_sequences(call: Call) -> Reply:
    """Show one."""
    return Reply(_sequences_row(_sequence_of(call)))


def update_sequences(call: Call) -> Reply:
    """Merge variables; null removes an override."""
    sequence, raw = _sequence_of(call), call.fields().get("variables")
    if not isinstance(raw, dict):
        raise BadInput("variables must be an object", field="variables")
    wrong = next((key for key, value in raw.items() if not isinstance(value, str | None)), None)
    if wrong is not None:
        raise BadInput(f"variables.{wrong} must be a string or null", field=f"variables.{wrong}")
    _require(sequence, LIVE, "updated")
    merged = {**(sequence.variables or {}), **raw}
    remaining = {key: value for key, value in merged.items() if value is not None}
    return _stored(call, replace(sequence, variables=remaining, updated_at=call.now))


def pause(call: Call) -> Reply:
    """Wait until a time in the future."""
    sequence = _sequence_of(call)
    until = moment(call.fields().get("paused_until"), field="paused_until")
    if until <= call.now:
        raise BadInput("paused_until must be in the future", field="paused_until")
    run = _require(sequence, PAUSABLE, "paused")
    return _stored(call, replace(sequence, run=paused(run, call.now, until=until), updated_at=call.now))


def resume(call: Call) -> Reply:
    """Go on now."""
    sequence = _sequence_of(call)
    run = advance_run(resumed(_require(sequence, {"WAITING_FOR_LEAD"}, "resumed"), call.now), call.now)
    call.world.topo = with_progress(call.world.topo, sequence, run, now=call.now)
    return Reply(_sequences_row(_sequence_of(call)))


def stop(call: Call) -> Reply:
    """Stop for good; the answer is this one run, however many stopped with it."""
    sequence, fields = _sequence_of(call), call.fields()
    one_of(fields.get("reason"), StopReason, field="reason")
    scope = one_of(fields.get("scope"), StopScope, field="scope")
    _require(sequence, LIVE, "stopped")
    others = _same_company(call, sequence) if scope == StopScope.COMPANY else []
    for item in (*others, sequence):
        run = item.run or started((), call.now)
        stopped = replace(item, phase="started", run=ended(run, RunState.STOPPED), updated_at=call.now)
        call.world.topo = with_sequence(call.world.topo, stopped)
    return Reply(_sequences_row(_sequence_of(call)))


def _same_company(call: Call, sequence: TopoRun) -> list[TopoRun]:
    """Return the other active runs of the template at the contact's company; 422 where no company is known."""
    state = call.world.topo
    mine = _employment(state.contacts.get(sequence.contact_id or ""))
    if company_domain_of(mine) is None and company_key(mine.company) is None:
        raise Refused(422, "BusinessIssue", "The contact's company is unknown")
    return [
        run
        for run in state.sequences.values()
        if run.id != sequence.id
        and run.sequence_template_id == sequence.sequence_template_id
        and run.status in LIVE
        and is_same_company(mine, _employment(state.contacts.get(run.contact_id or "")))
    ]


def _employment(contact: TopoContact | None) -> ContactFields:
    if contact is None:
        return ContactFields()
    return ContactFields(email=contact.email, company=contact.company_name, company_domain=contact.company_domain)


def _require(sequence: TopoRun, states: Collection[str], what: str) -> SandboxRun:
    """Return the run where the status allows it."""
    if sequence.status not in states:
        message = f"A sequence in status {sequence.status} cannot be {what}"
        raise Refused(422, "BusinessIssue", message, details={"status": sequence.status})
    return sequence.run or started((), sequence.created_at)


def _sequence_of(call: Call) -> TopoRun:
    if sequence := call.world.topo.sequences.get(call.path["sequence_id"]):
        return sequence
    raise NoSuch("Sequence")


def _stored(call: Call, sequence: TopoRun) -> Reply:
    call.world.topo = with_sequence(call.world.topo, sequence)
    return Reply(_sequences_row(sequence))


def _sequences_row(sequence: TopoRun) -> dict[str, Any]:
    return {
        "id": sequence.id,
        "organization_id": ORGANIZATION,
        "contact_id": sequence.contact_id,
        "sequence_template_id": sequence.sequence_template_id,
        "status": sequence.status,
        "variables": None if sequence.variables is None else dict(sequence.variables),
        "source_contact_list_id": sequence.source_contact_list_id,
        "last_step_executed_at": optional_stamp(sequence.run.last_executed_at if sequence.run else None),
        "created_at": stamp(sequence.created_at),
        "updated_at": stamp(sequence.updated_at),
    }


ACTIVITIES_FILTERS = ("person_id", "sequence_id", "sequence_template_id", "resource_type", "channel")


def listed_activities(call: Call) -> Reply:
    """List, the latest first; ``event_type`` is the second word of a type: ``message.sent`` is SENT."""
    rows = [_activities_row(call.world.topo, activity) for activity in call.world.topo.activities.values()]
    return paged_topo_envelope(
        [row for row in rows if _is_wanted(call, row["payload"])],
        call.query,
        sort_by=("created_at",),
        order="desc",
    )


def _is_wanted(call: Call, payload: dict[str, Any]) -> bool:
    exact = all(name not in call.query or payload[name] in call.query.getlist(name) for name in ACTIVITIES_FILTERS)
    event = payload["type"].partition(".")[2].upper()
    return exact and ("event_type" not in call.query or event in call.query.getlist("event_type"))


def _activities_row(state: Topo, activity: Activity) -> dict[str, Any]:
    sequence = state.sequences[activity.sequence_id]
    payload: dict[str, Any] = {
        "type": activity.type,
        "organization_id": ORGANIZATION,
        "person_id": derived_id("person", sequence.contact_id or ""),
        "sequence_id": sequence.id,
        "sequence_template_id": sequence.sequence_template_id,
        "resource_type": activity.resource_type,
        "channel": activity.channel,
        "message_id": activity.message_id,
        "hot_lead_id": None,
        "calendar_event_id": None,
        "task_id": activity.task_id,
    }
    if activity.type == "invitation.sent":
        payload["metadata"] = {"step_number": activity.step_number}
    if activity.type == "message.replied":
        payload["metadata"] = {"reply_category": None}
    return {"id": activity.id, "created_at": stamp(activity.created_at, millis=True), "payload": payload}


TASKS_SORT_BY = ("created_at", "updated_at")
TASKS_FILTERS = {
    "sequence_id": "sequence_id",
    "types": "type",
    "status": "status",
    "priorities": "priority",
    "assignee_user_id": "assignee_user_id",
}
ACTIONABLE = frozenset({"PENDING", "IN_PROGRESS"})
TASKS_OVER = frozenset({"COMPLETED", "SKIPPED"})


def listed_tasks(call: Call) -> Reply:
    """List by run, template, type, status, priority, assignee and time of creation."""
    state = call.world.topo
    wanted = call.query.getlist("sequence_template_ids")
    rows = [
        _tasks_row(task)
        for task in state.tasks.values()
        if not wanted or state.sequences[task.sequence_id].sequence_template_id in wanted
    ]
    return paged_topo_envelope(
        matching(call.query, created_between(call.query, rows), TASKS_FILTERS), call.query, sort_by=TASKS_SORT_BY
    )


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
    task = _tasks_require(_task_of(call), ACTIONABLE, "skipped")
    call.world.topo = task_over(call.world.topo, task, skipped=True, now=call.now)
    return Reply(_tasks_row(_task_of(call)))


def reopen(call: Call) -> Reply:
    """Open a task that is over once more; its run is not turned back."""
    task = _tasks_require(_task_of(call), TASKS_OVER, "reopened")
    fresh = replace(
        task, status="PENDING", reopened_at=call.now, skipped_at=None, completed_at=None, updated_at=call.now
    )
    return _tasks_stored(call, fresh)


def reassign(call: Call) -> Reply:
    """Give a task, or every actionable task of its run, to somebody."""
    task, fields = _task_of(call), call.fields()
    assignee = text(fields, "assignee_user_id")
    scope = one_of(fields.get("scope", "TASK"), ("TASK", "SEQUENCE"), field="scope")
    others = [item for item in call.world.topo.tasks.values() if item.sequence_id == task.sequence_id]
    for item in others if scope == "SEQUENCE" else ():
        if item.status in ACTIONABLE:
            _tasks_stored(call, replace(item, assignee_user_id=assignee, updated_at=call.now))
    return _tasks_stored(call, replace(task, assignee_user_id=assignee, updated_at=call.now))


def _tasks_require(task: Task, states: Collection[str], what: str) -> Task:
    if task.status not in states:
        raise Refused(422, "BusinessIssue", f"A task in status {task.status} cannot be {what}")
    return task


def _task_of(call: Call) -> Task:
    if task := call.world.topo.tasks.get(call.path["task_id"]):
        return task
    raise NoSuch("Task")


def _tasks_stored(call: Call, task: Task) -> Reply:
    call.world.topo = with_task(call.world.topo, task)
    return Reply(_tasks_row(task))


def _tasks_row(task: Task) -> dict[str, Any]:
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


# The types of 429 and of 5xx are not published.
TOPO_API_CODES = {
    400: "ValidationIssue",
    401: "UnauthorizedIssue",
    403: "UnauthorizedIssue",
    404: "NotFoundIssue",
    409: "CommitIssue",
    422: "BusinessIssue",
    429: "RateLimitIssue",
    500: "InternalIssue",
}
READS = (
    ("/me", shown_me, None),
    ("/sequences", listed_sequences, "sequences:read"),
    ("/sequences/{sequence_id}", shown_sequences, "sequences:read"),
    ("/sequence-templates", listed_templates, "sequences:read"),
    ("/sequence-templates/{sequence_template_id}", shown_templates, "sequences:read"),
    ("/contacts", topo_people.listed_topo_contacts, "contacts:read"),
    ("/contacts/{contact_id}", topo_people.shown_topo_contacts, "contacts:read"),
    ("/contacts/{contact_id}/variables", topo_people.shown_contact_variables, "contacts:read"),
    ("/contact-lists", topo_people.listed_contact_lists, "contact_lists:read"),
    ("/contact-lists/{contact_list_id}", topo_people.shown_contact_lists, "contact_lists:read"),
    ("/contact-entries", topo_people.listed_contact_entries, "contact_lists:read"),
    ("/contact-entries/{contact_entry_id}", topo_people.shown_contact_entries, "contact_lists:read"),
    ("/contact-exclusions", partial(topo_people.listed_exclusions, kind="contact"), "exclusions:read"),
    (
        "/contact-exclusions/{exclusion_id}",
        partial(topo_people.shown_exclusions, kind="contact"),
        "exclusions:read",
    ),
    ("/account-exclusions", partial(topo_people.listed_exclusions, kind="account"), "exclusions:read"),
    (
        "/account-exclusions/{exclusion_id}",
        partial(topo_people.shown_exclusions, kind="account"),
        "exclusions:read",
    ),
    ("/activities", listed_activities, "activities:read"),
    ("/tasks", listed_tasks, "tasks:read"),
    ("/tasks/{task_id}/messages", messages, "tasks:read"),
)
WRITES = (
    ("PATCH", "/sequences/{sequence_id}", update_sequences, "sequences:write"),
    ("POST", "/sequences/{sequence_id}/pause", pause, "sequences:write"),
    ("POST", "/sequences/{sequence_id}/resume", resume, "sequences:write"),
    ("POST", "/sequences/{sequence_id}/stop", stop, "sequences:write"),
    ("PATCH", "/contacts/{contact_id}/variables", topo_people.merge, "contacts:write"),
    ("DELETE", "/contacts/{contact_id}/variables/{key}", topo_people.remove_contact_variables, "contacts:write"),
    ("POST", "/contact-lists", topo_people.create_contact_lists, "contact_lists:write"),
    ("PATCH", "/contact-lists/{contact_list_id}", topo_people.update_contact_lists, "contact_lists:write"),
    ("POST", "/contact-entries", topo_people.create_contact_entries, "contact_lists:write"),
    ("POST", "/contact-exclusions", partial(topo_people.create_exclusions, kind="contact"), "exclusions:write"),
    (
        "PATCH",
        "/contact-exclusions/{exclusion_id}",
        partial(topo_people.update_exclusions, kind="contact"),
        "exclusions:write",
    ),
    (
        "DELETE",
        "/contact-exclusions/{exclusion_id}",
        partial(topo_people.remove_exclusions, kind="contact"),
        "exclusions:write",
    ),
    ("POST", "/account-exclusions", partial(topo_people.create_exclusions, kind="account"), "exclusions:write"),
    (
        "PATCH",
        "/account-exclusions/{exclusion_id}",
        partial(topo_people.update_exclusions, kind="account"),
        "exclusions:write",
    ),
    (
        "DELETE",
        "/account-exclusions/{exclusion_id}",
        partial(topo_people.remove_exclusions, kind="account"),
        "exclusions:write",
    ),
    ("POST", "/tasks/{task_id}/skip", skip, "tasks:write"),
    ("POST", "/tasks/{task_id}/reopen", reopen, "tasks:write"),
    ("PATCH", "/tasks/{task_id}/assignee", reassign, "tasks:write"),
)
TOPO_API_ENDPOINTS = (
    *(Endpoint("GET", path, answer, scope) for path, answer, scope in READS),
    *(Endpoint(method, path, answer, scope) for method, path, answer, scope in WRITES),
)


def authenticate_topo_api(headers: Headers, keys: tuple[ApiKey, ...]) -> ApiKey:
    """Return the key of ``Authorization: Bearer topo_…``; 401 comes before any other check."""
    if key := key_for(bearer(headers), keys):
        return key
    raise Refused(401, "UnauthorizedIssue", "Missing or invalid API key")


def authorize_topo_api(key: ApiKey, endpoint: Endpoint, query: QueryParams) -> None:
    """Refuse a key without the scope: the same type as a wrong key, but 403."""
    if endpoint.scope is not None and endpoint.scope not in key.scopes:
        message = f"API key is missing the required scope: {endpoint.scope}"
        raise Refused(403, "UnauthorizedIssue", message, details={"required_scope": endpoint.scope})


def refuse_topo_api(problem: BadInput | NoSuch) -> Refused:
    """Return wrong input as ValidationIssue, anything absent as NotFoundIssue."""
    if isinstance(problem, NoSuch):
        return Refused(404, "NotFoundIssue", problem.message)
    details = {"field": problem.field} if problem.field else None
    return Refused(400, "ValidationIssue", problem.message, details=details)


def envelope_topo_api(refused: Refused, reference: str) -> dict[str, Any]:
    """Return ``{status_code, type, message, data?, request_id}``."""
    error: dict[str, Any] = {
        "status_code": refused.status,
        "type": refused.code,
        "message": refused.message,
        "request_id": reference,
    }
    return error | ({"data": dict(refused.details)} if refused.details else {})


TOPO = Vendor(
    name="topo",
    prefix="/topo/v1",
    endpoints=TOPO_API_ENDPOINTS,
    authenticate=authenticate_topo_api,
    authorize=authorize_topo_api,
    refuse=refuse_topo_api,
    envelope=envelope_topo_api,
    codes=TOPO_API_CODES,
)
