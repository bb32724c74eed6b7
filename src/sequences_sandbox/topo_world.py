"""Topo's state: templates, contacts, lists with their entries, runs, tasks, exclusions and activities.

How Topo's people come onto a template and go through it: resolving, enrolling, executing, asking a person.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from sequences_mcp.domain.addresses import address_key
from sequences_sandbox.runs import Executed, RunState, SandboxRun, Touch, advance_run, ended, released, started

Phase = Literal["found", "refused", "started"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopoTemplate:
    """A sequence template; its touches are not shown over REST. COPILOT leads wait in FOUND for an approval."""

    id: str
    name: str
    summary: str | None
    status: str
    touches: tuple[Touch, ...]
    approval: Literal["COPILOT", "AUTOPILOT"]
    language: str | None
    timezone: str
    activated_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TopoContact:
    """A person."""

    id: str
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    job_title: str | None = None
    linkedin_url: str | None = None
    phone_number: str | None = None
    city: str | None = None
    state: str | None = None
    country: str | None = None
    profile_picture_url: str | None = None
    company_name: str | None = None
    company_domain: str | None = None
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactList:
    """A list; new entries are enrolled in its default template."""

    id: str
    name: str | None
    default_sequence_template_id: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A person on a list; ``contact_id`` is None until it was resolved."""

    id: str
    contact_list_id: str
    contact_id: str | None = None
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    linkedin_url: str | None = None
    company_name: str | None = None
    company_domain: str | None = None
    job_title: str | None = None
    phone: str | None = None
    description: str | None = None
    location: str | None = None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TopoRun:
    """One contact's run of one template. ``run`` is None while it was not started."""

    id: str
    contact_id: str | None
    sequence_template_id: str
    phase: Phase
    run: SandboxRun | None
    variables: Mapping[str, str] | None
    source_contact_list_id: str | None
    created_at: datetime
    updated_at: datetime

    @property
    def status(self) -> str:
        """Topo's status of the run.

        A run whose touches all went out is SUCCEEDED, one that ended before them COMPLETED.
        """
        if self.phase != "started" or self.run is None:
            return "FOUND" if self.phase == "found" else "REFUSED"
        if self.run.state is RunState.COMPLETED:
            return "SUCCEEDED" if self.run.current is None else "COMPLETED"
        return STATUS[self.run.state]

    @property
    def is_over(self) -> bool:
        """Whether the status is terminal."""
        return self.phase == "refused" or (self.run is not None and self.run.is_over)


STATUS = {
    RunState.RUNNING: "ACTIVE",
    RunState.PAUSED: "WAITING_FOR_LEAD",
    RunState.BLOCKED: "WAITING_FOR_USER",
    RunState.REPLIED: "WAITING_FOR_USER",
    RunState.FAILED: "FAILED",
    RunState.STOPPED: "STOPPED_EARLY",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message a task is about."""

    id: str
    channel: str
    direction: Literal["INBOUND", "OUTBOUND"]
    subject: str | None
    body: str
    sent_at: datetime
    sender_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something a person does by hand."""

    id: str
    type: str
    priority: str
    status: str
    sequence_id: str
    assignee_user_id: str | None = None
    disposition: str | None = None
    reopened_at: datetime | None = None
    reopen_reason: str | None = None
    skipped_at: datetime | None = None
    completed_at: datetime | None = None
    created_at: datetime
    updated_at: datetime
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """Someone, or a whole domain, who is not to be imported."""

    id: str
    reason: str
    email: str | None = None
    linkedin_url: str | None = None
    domain: str | None = None
    message: str | None = None
    until: datetime | None = None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Something that happened."""

    id: str
    type: str
    sequence_id: str
    resource_type: str
    channel: str | None
    created_at: datetime
    message_id: str | None = None
    task_id: str | None = None
    step_number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Topo:
    """The whole state."""

    templates: Mapping[str, TopoTemplate]
    contacts: Mapping[str, TopoContact]
    variables: Mapping[str, Mapping[str, Mapping[str, str | None]]] = field(default_factory=dict)
    lists: Mapping[str, ContactList] = field(default_factory=dict)
    entries: Mapping[str, Entry] = field(default_factory=dict)
    sequences: Mapping[str, TopoRun] = field(default_factory=dict)
    tasks: Mapping[str, Task] = field(default_factory=dict)
    contact_exclusions: Mapping[str, Exclusion] = field(default_factory=dict)
    account_exclusions: Mapping[str, Exclusion] = field(default_factory=dict)
    activities: Mapping[str, Activity] = field(default_factory=dict)


def with_sequence(state: Topo, sequence: TopoRun) -> Topo:
    """Return the state with this run in its place."""
    return replace(state, sequences={**state.sequences, sequence.id: sequence})


def with_task(state: Topo, task: Task) -> Topo:
    """Return the state with this task in its place."""
    return replace(state, tasks={**state.tasks, task.id: task})


def with_activities(state: Topo, *activities: Activity) -> Topo:
    """Return the state with more of what happened."""
    return replace(state, activities={**state.activities, **{activity.id: activity for activity in activities}})


# Neither time is published: how long an entry takes to become a contact, and a lead to become active.
RESOLUTION = timedelta(seconds=5)
ACTIVATION = timedelta(seconds=5)
_NAMES = uuid.UUID("6f1f6a52-7a52-4c55-9d0e-2d9a3c8f0b11")


def derived_id(*parts: str) -> str:
    """Return an id derived from other values, the same each time."""
    return str(uuid.uuid5(_NAMES, "/".join(parts)))


def advanced_topo_course(state: Topo, now: datetime) -> Topo:
    """Return the state after everything that was due by ``now``."""
    for entry in state.entries.values():
        if entry.contact_id is None and entry.created_at + RESOLUTION <= now:
            state = _resolved(state, entry)
    for sequence in state.sequences.values():
        state = _moved(state, sequence, now)
    return state


def _resolved(state: Topo, entry: Entry) -> Topo:
    at = entry.created_at + RESOLUTION
    contact = replace(_match(state, entry) or _contact_input(entry, at), last_seen_at=at)
    known = replace(entry, contact_id=contact.id, updated_at=at)
    state = replace(
        state,
        contacts={**state.contacts, contact.id: contact},
        entries={**state.entries, entry.id: known},
    )
    return _enrolled(state, known, contact, at=at)


def _match(state: Topo, entry: Entry) -> TopoContact | None:
    return next((c for c in state.contacts.values() if is_same_person(c, entry)), None)


def is_same_person(item: TopoContact | Entry, other: TopoContact | Entry) -> bool:
    """Say whether two rows name one person: by e-mail address, or by LinkedIn profile."""
    if item.email and other.email:
        return address_key(item.email) == address_key(other.email)
    return bool(item.linkedin_url) and canonical_profile(item.linkedin_url) == canonical_profile(
        other.linkedin_url
    )


def canonical_profile(url: str | None) -> str:
    """Return the normalised URL of a LinkedIn profile."""
    return (url or "").casefold().partition("?")[0].partition("//")[2].removeprefix("www.").rstrip("/")


def _contact_input(entry: Entry, at: datetime) -> TopoContact:
    return TopoContact(
        id=derived_id("contact", entry.id),
        email=entry.email,
        first_name=entry.first_name,
        last_name=entry.last_name,
        job_title=entry.job_title,
        linkedin_url=entry.linkedin_url,
        phone_number=entry.phone,
        company_name=entry.company_name,
        company_domain=entry.company_domain,
        first_seen_at=at,
        last_seen_at=at,
    )


def _enrolled(state: Topo, entry: Entry, contact: TopoContact, *, at: datetime) -> Topo:
    """Enrol where the list has a template that takes people and the person is not in a live run of it.

    A second run of the same template is not published; the app's default is to skip such a person.
    """
    template_id = _template_of(state, state.lists[entry.contact_list_id])
    if template_id is None or _has_live_run(state, contact.id, template_id):
        return state
    sequence = TopoRun(
        id=derived_id("sequence", entry.id),
        contact_id=contact.id,
        sequence_template_id=template_id,
        phase="found",
        run=None,
        variables={"first_name": contact.first_name} if contact.first_name else None,
        source_contact_list_id=entry.contact_list_id,
        created_at=at,
        updated_at=at,
    )
    return with_activities(
        with_sequence(state, sequence), _activity(sequence, "sequence.created", "SEQUENCE", at=at)
    )


def _template_of(state: Topo, contact_list: ContactList) -> str | None:
    template = state.templates.get(contact_list.default_sequence_template_id or "")
    return template.id if template and template.status == "ACTIVE" else None


def _has_live_run(state: Topo, contact_id: str, template_id: str) -> bool:
    return any(
        s.contact_id == contact_id and s.sequence_template_id == template_id and not s.is_over
        for s in state.sequences.values()
    )


def _moved(state: Topo, sequence: TopoRun, now: datetime) -> Topo:
    on_its_own = state.templates[sequence.sequence_template_id].approval == "AUTOPILOT"
    if sequence.phase == "found" and on_its_own and sequence.created_at + ACTIVATION <= now:
        sequence = activated(state, sequence, sequence.created_at + ACTIVATION)
        state = with_sequence(state, sequence)
    if sequence.run is None or sequence.is_over:
        return state
    return with_progress(state, sequence, advance_run(sequence.run, now), now=now)


def activated(state: Topo, sequence: TopoRun, now: datetime) -> TopoRun:
    """Return a FOUND lead with its run started."""
    run = started(state.templates[sequence.sequence_template_id].touches, now)
    return replace(sequence, phase="started", run=run, updated_at=now)


def with_progress(state: Topo, sequence: TopoRun, run: SandboxRun, *, now: datetime) -> Topo:
    """Return the state with the run moved on: what it executed as activities, what it waits for as a task."""
    before = sequence.run
    if before is None or run == before:
        return state
    fresh = run.executed[len(before.executed) :]
    sent = [
        _sent(sequence, executed) for executed in fresh if not executed.skipped and executed.touch.block is None
    ]
    state = with_activities(
        with_sequence(state, replace(sequence, run=run, updated_at=max(now, sequence.updated_at))), *sent
    )
    asks = run.state is RunState.BLOCKED and (before.state is not RunState.BLOCKED or fresh)
    return with_task(state, _manual_task(sequence, run, now)) if asks else state


def _sent(sequence: TopoRun, executed: Executed) -> Activity:
    number = int(executed.touch.id)
    if executed.touch.kind == "LINKEDIN_INVITATION":
        made = _activity(sequence, "invitation.sent", "INVITATION", at=executed.at, part=executed.touch.id)
        return replace(made, channel="LINKEDIN", step_number=number)
    channel = "EMAIL" if executed.touch.kind == "EMAIL" else "LINKEDIN"
    made = _activity(sequence, "message.sent", "MESSAGE", at=executed.at, part=executed.touch.id)
    return replace(made, channel=channel, message_id=derived_id("message", sequence.id, executed.touch.id))


def _activity(sequence: TopoRun, kind: str, resource: str, *, at: datetime, part: str = "") -> Activity:
    return Activity(
        id=derived_id("activity", sequence.id, kind, part),
        type=kind,
        sequence_id=sequence.id,
        resource_type=resource,
        channel=None,
        created_at=at,
    )


def _manual_task(sequence: TopoRun, run: SandboxRun, now: datetime) -> Task:
    at = max(run.anchor, sequence.created_at)
    return Task(
        id=_manual_task_id(sequence, run),
        type="CALL",
        priority="TODAY",
        status="PENDING",
        sequence_id=sequence.id,
        created_at=min(at, now),
        updated_at=min(at, now),
    )


def _manual_task_id(sequence: TopoRun, run: SandboxRun) -> str:
    return derived_id("task", sequence.id, str(len(run.executed)))


def _reply_task_id(sequence: TopoRun) -> str:
    return derived_id("task", sequence.id, "reply")


def replied(state: Topo, sequence: TopoRun, text: str, *, now: datetime) -> Topo:
    """Return the state after the person answered: the run waits for whoever answers them back."""
    if sequence.run is None:
        return state
    message = Message(
        id=derived_id("reply", sequence.id), channel="EMAIL", direction="INBOUND", subject="Re:", body=text,
        sent_at=now,
    )  # fmt: skip
    task = Task(
        id=_reply_task_id(sequence), type="EMAIL_REPLY", priority="HOT", status="PENDING",
        sequence_id=sequence.id, created_at=now, updated_at=now, messages=(message,),
    )  # fmt: skip
    answered = replace(sequence, run=ended(sequence.run, RunState.REPLIED), updated_at=now)
    activity = _activity(sequence, "message.replied", "MESSAGE", at=now)
    activity = replace(activity, channel="EMAIL", message_id=message.id, task_id=task.id)
    return with_activities(with_task(with_sequence(state, answered), task), activity)


def task_over(state: Topo, task: Task, *, skipped: bool, now: datetime) -> Topo:
    """Return the state after a task was done or skipped, and the run that waited for it gone on.

    A run whose person replied ends with that task: it would be wrong to go on writing to them.
    """
    done = replace(task, status="COMPLETED", completed_at=now, updated_at=now)
    over = replace(task, status="SKIPPED", skipped_at=now, updated_at=now) if skipped else done
    state = with_task(state, over)
    sequence = state.sequences[task.sequence_id]
    run = sequence.run
    if run is not None and run.state is RunState.REPLIED and task.id == _reply_task_id(sequence):
        return with_sequence(state, replace(sequence, run=ended(run, RunState.COMPLETED), updated_at=now))
    if run is not None and run.state is RunState.BLOCKED and task.id == _manual_task_id(sequence, run):
        return with_progress(state, sequence, released(run, now, skipped=skipped), now=now)
    return state
