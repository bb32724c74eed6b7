"""What the vendors' APIs tell, as values: ids whole, times aware, texts made fit to be quoted.

``provider_status`` is the vendor's own word; ``status`` ours, or None where the vendor does not document what its
word means. ``rest`` holds the fields nobody here knows, cut to a size that can be shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Literal, TypeVar

from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.sequence import TERMINAL, SequenceStatus, StepThere

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RemotePage(Generic[T]):
    """One page of a vendor's list, numbered from 1; ``unreadable`` items were left out."""

    items: tuple[T, ...]
    page: int
    size: int
    total_count: int | None
    has_more: bool
    unreadable: int = 0

    def counted(self) -> Page[T]:
        """Return the page with a total: the vendor's, or what is certain where it tells none."""
        seen = (self.page - 1) * self.size + len(self.items) + self.has_more
        return Page(self.items, self.total_count if self.total_count is not None else seen, self.page, self.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """What every remote thing has."""

    id: str
    provider: str
    created_at: datetime | None = None
    updated_at: datetime | None = None
    rest: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteAccount(Remote):
    """Whose key it is, and what the key may do."""

    organization_id: str | None
    name: str | None
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSourcing(Remote):
    """What is being filled at Kalent."""

    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteBlueprint(Remote):
    """A Kalent blueprint or a Topo template; its steps are not told by any of the APIs."""

    name: str | None
    provider_status: str | None = None
    sourcing_id: str | None = None
    step_count: int | None = None
    summary: str | None = None
    language: str | None = None
    time_zone: str | None = None
    activated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteContact(Remote):
    """A person at a vendor; ``fields`` has the first address and number, the lists have all.

    ``provider_status`` is Kalent's status handle; ``talent_id`` and ``sourcing_id`` are Kalent's too.
    """

    fields: ContactFields
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    notes: str | None = None
    provider_status: str | None = None
    sourcing_id: str | None = None
    talent_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSequence(Remote):
    """One contact's run at a vendor. ``needs_action`` is Kalent's "a person must do something".

    ``sequence_id`` is Clarky's id of the texts it wrote; ``progress`` and ``action_required`` are a vendor's own
    fields, as JSON, where their form is not documented.
    """

    status: SequenceStatus | None
    provider_status: str | None
    contact_id: str | None
    blueprint_id: str | None = None
    list_id: str | None = None
    name: str | None = None
    last_step_executed_at: datetime | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[StepThere, ...] = ()
    needs_action: bool = False
    sequence_id: str | None = None
    replied_at: datetime | None = None
    paused_until: datetime | None = None
    stop_reason: str | None = None
    progress: str | None = None
    action_required: str | None = None

    @property
    def may_be_live(self) -> bool:
        """Whether it may still reach somebody: true for a status whose meaning is not known."""
        return self.status not in TERMINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedBlueprint:
    """Kalent dispatched a start; ``candidate_count`` is how many were asked for, not how many run."""

    blueprint_id: str
    candidate_ids: tuple[str, ...]
    candidate_count: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedEnrollment:
    """Clarky accepted a start; it writes the texts in the background."""

    enrollment_id: str | None
    sequence_id: str | None
    contact_id: str | None
    status: SequenceStatus | None
    provider_status: str | None
    rest: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteAgent(Remote):
    """A Clarky agent: its id is the ``bot_id`` of a start."""

    name: str | None
    is_enabled: bool | None
    email: str | None
    phone: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteList(Remote):
    """A Topo contact list; with a blueprint, every new entry is enrolled in it.

    ``enrols`` is None where the answer does not say whether it has one.
    """

    name: str | None
    enrols: bool | None
    blueprint_id: str | None
    entries_count: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteEntry(Remote):
    """One person on a Topo list; ``contact_id`` is None until Topo has found out who it is."""

    list_id: str | None
    contact_id: str | None
    fields: ContactFields


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemOutcome(Generic[T]):
    """What became of one item of a batch. ``unknown``: the answer does not say."""

    outcome: Literal["done", "not_done", "unknown"]
    item: T | None
    provider_status: str | None
    vendor_code: str | None = None
    vendor_message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteExclusion(Remote):
    """Somebody, or a company by its domain, that Topo must not import again."""

    email: str | None
    linkedin_url: str | None
    domain: str | None
    reason: str | None
    message: str | None
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteActivity(Remote):
    """Something that happened in a Topo run."""

    type: str | None
    channel: str | None
    resource_type: str | None
    sequence_id: str | None
    person_id: str | None
    blueprint_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteTask(Remote):
    """A step somebody must do by hand at Topo."""

    type: str | None
    provider_status: str | None
    priority: str | None
    sequence_id: str | None
    assignee_user_id: str | None
    disposition: str | None
    skipped_at: datetime | None
    completed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteMessage(Remote):
    """A message of a task's thread; its text is somebody else's."""

    channel: str | None
    direction: str | None
    subject: str | None
    body: str | None
    sent_at: datetime | None
    sender_id: str | None
