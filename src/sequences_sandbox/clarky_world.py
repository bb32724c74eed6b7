"""Clarky's state: agents, templates, contacts and enrollments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sequences_mcp.domain.addresses import address_key
from sequences_sandbox.runs import SandboxRun, Touch, advance_run, started

# "About 30-90 s" for the generation of the texts.
GENERATION = timedelta(seconds=45)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """The identity messages come from; its id is the ``bot_id``."""

    id: str
    name: str
    email: str
    phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClarkyTemplate:
    """Goal, allowed channels and pacing: the day of each touch, counted from the start."""

    id: str
    goal: str
    channels: tuple[str, ...]
    pacing: tuple[tuple[int, str], ...]
    bot_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClarkyContact:
    """A person; the first address and number are the primary ones."""

    id: str
    bot_id: str
    created_at: datetime
    updated_at: datetime
    first_name: str | None = None
    last_name: str | None = None
    emails: tuple[str, ...] = ()
    phone_numbers: tuple[str, ...] = ()
    company: str | None = None
    job_title: str | None = None
    lead_source: str | None = None
    tags: tuple[str, ...] = ()
    notes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrollment:
    """One contact's run of one template. ``run`` is None until it was generated and approved."""

    id: str
    sequence_id: str
    template_id: str
    contact_id: str
    bot_id: str
    auto_approve: bool
    created_at: datetime
    rejected: bool = False
    run: SandboxRun | None = None

    @property
    def generated_at(self) -> datetime:
        """When the texts are generated."""
        return self.created_at + GENERATION


@dataclass(frozen=True, slots=True, kw_only=True)
class Clarky:
    """The whole state. ``keys`` maps an idempotency key to the enrollment it made."""

    agents: Mapping[str, Agent]
    templates: Mapping[str, ClarkyTemplate]
    contacts: Mapping[str, ClarkyContact]
    enrollments: Mapping[str, Enrollment] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)


def find_by_email(state: Clarky, email: str) -> ClarkyContact | None:
    """Return the contact with this primary address, whatever its case."""
    return next((c for c in state.contacts.values() if c.emails and _is_same(c.emails[0], email)), None)


def _is_same(item: str, other: str) -> bool:
    return address_key(item) == address_key(other)


def find_match(state: Clarky, emails: tuple[str, ...], phones: tuple[str, ...]) -> ClarkyContact | None:
    """Return the contact that an upsert matches: by primary e-mail address, then by phone number."""
    by_email = find_by_email(state, emails[0]) if emails else None
    return by_email or next((c for c in state.contacts.values() if set(c.phone_numbers) & set(phones)), None)


def with_contact(state: Clarky, contact: ClarkyContact) -> Clarky:
    """Return the state with this contact in its place."""
    return replace(state, contacts={**state.contacts, contact.id: contact})


def with_enrollment(state: Clarky, enrollment: Enrollment, *, key: str | None = None) -> Clarky:
    """Return the state with this enrollment in its place, remembered under its idempotency key."""
    keys = {**state.keys, key: enrollment.id} if key else state.keys
    return replace(state, enrollments={**state.enrollments, enrollment.id: enrollment}, keys=keys)


def channels_for(template: ClarkyTemplate, contact: ClarkyContact) -> tuple[str, ...]:
    """Return the channels the template allows and the contact has."""
    has = {"email": bool(contact.emails), "sms": bool(contact.phone_numbers), "voice": bool(contact.phone_numbers)}
    return tuple(channel for channel in template.channels if has.get(channel, False))


def pacing_for(template: ClarkyTemplate, contact: ClarkyContact) -> tuple[tuple[int, str], ...]:
    """Return the day and channel of each touch this contact can get."""
    usable = channels_for(template, contact)
    return tuple((day, channel) for day, channel in template.pacing if channel in usable)


def approved(state: Clarky, enrollment: Enrollment, now: datetime) -> Enrollment:
    """Return the enrollment launched: the first touch goes out at once."""
    pacing = pacing_for(state.templates[enrollment.template_id], state.contacts[enrollment.contact_id])
    days = [day for day, _ in pacing]
    waits = [day - before for day, before in zip(days, [*days[:1], *days], strict=False)]
    touches = tuple(
        Touch(id=f"{enrollment.id}_s{number}", kind=channel, wait=timedelta(days=wait))
        for number, (wait, (_, channel)) in enumerate(zip(waits, pacing, strict=True), start=1)
    )
    return replace(enrollment, run=advance_run(started(touches, now), now))


def advanced_clarky(state: Clarky, now: datetime) -> Clarky:
    """Return the state after everything that was due by ``now``."""
    moved = {key: _moved(state, enrollment, now) for key, enrollment in state.enrollments.items()}
    return replace(state, enrollments=moved)


def _moved(state: Clarky, enrollment: Enrollment, now: datetime) -> Enrollment:
    if enrollment.run is None and enrollment.auto_approve and enrollment.generated_at <= now:
        enrollment = approved(state, enrollment, enrollment.generated_at)
    if enrollment.run is None:
        return enrollment
    run = advance_run(enrollment.run, now)
    return enrollment if run is enrollment.run else replace(enrollment, run=run)
