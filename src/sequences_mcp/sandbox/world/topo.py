"""What Topo knows: templates, contacts, lists with their entries, runs, tasks, exclusions and activities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from sequences_mcp.sandbox.world.run import Run, RunState, Touch

Phase = Literal["found", "refused", "started"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A sequence template; its touches are not shown over REST. COPILOT leads wait in FOUND for a yes."""

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
class Contact:
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
class Sequence:
    """One contact's run of one template. ``run`` is None while it was not started."""

    id: str
    contact_id: str | None
    sequence_template_id: str
    phase: Phase
    run: Run | None
    variables: Mapping[str, str] | None
    source_contact_list_id: str | None
    created_at: datetime
    updated_at: datetime

    @property
    def status(self) -> str:
        """Topo's word for where it is.

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

    templates: Mapping[str, Template]
    contacts: Mapping[str, Contact]
    variables: Mapping[str, Mapping[str, Mapping[str, str | None]]] = field(default_factory=dict)
    lists: Mapping[str, ContactList] = field(default_factory=dict)
    entries: Mapping[str, Entry] = field(default_factory=dict)
    sequences: Mapping[str, Sequence] = field(default_factory=dict)
    tasks: Mapping[str, Task] = field(default_factory=dict)
    contact_exclusions: Mapping[str, Exclusion] = field(default_factory=dict)
    account_exclusions: Mapping[str, Exclusion] = field(default_factory=dict)
    activities: Mapping[str, Activity] = field(default_factory=dict)


def with_sequence(state: Topo, sequence: Sequence) -> Topo:
    """Return the state with this run in its place."""
    return replace(state, sequences={**state.sequences, sequence.id: sequence})


def with_task(state: Topo, task: Task) -> Topo:
    """Return the state with this task in its place."""
    return replace(state, tasks={**state.tasks, task.id: task})


def with_activities(state: Topo, *activities: Activity) -> Topo:
    """Return the state with more of what happened."""
    return replace(state, activities={**state.activities, **{one.id: one for one in activities}})
