"""Kalent's state: sourcings, talents, candidates, blueprints and dynamic sequences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sequences_mcp.domain.blueprint import Channel, Step, Temporality
from sequences_sandbox.runs import SandboxRun, Touch, advance_run, started

DRAFT = "draft_to_approve"
MISSING_CONTACT = "missing_contact"
# The default of `inviteTimeoutDays` is not published; two weeks was chosen.
INVITE_TIMEOUT_DAYS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Talent:
    """A profile."""

    id: str
    firstname: str
    lastname: str
    job_title: str | None = None
    company: str | None = None
    city: str | None = None
    country: str | None = None
    linkedin_url: str | None = None
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    hidden_email: str | None = None
    hidden_phone: str | None = None
    loading: frozenset[str] = frozenset()
    loaded_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KalentSourcing:
    """A job being filled."""

    id: str
    name: str
    is_mine: bool = True
    is_closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A talent in a sourcing."""

    id: str
    talent_id: str
    sourcing_id: str
    created_at: datetime
    status_handle: str = "TO_BE_CONTACTED"
    user_rating: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KalentBlueprint:
    """Steps of one sourcing."""

    id: str
    name: str
    sourcing_id: str
    steps: tuple[Step, ...] = ()
    config: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicSequence:
    """One candidate's run; the steps are those the blueprint had at the start."""

    id: str
    name: str
    candidate_id: str
    run: SandboxRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Kalent:
    """The whole state. ``sequences`` are in the order of their start."""

    sourcings: Mapping[str, KalentSourcing]
    talents: Mapping[str, Talent]
    candidates: Mapping[str, Candidate]
    blueprints: Mapping[str, KalentBlueprint] = field(default_factory=dict)
    sequences: Mapping[str, DynamicSequence] = field(default_factory=dict)


def touches_for(steps: Iterable[Step], talent: Talent) -> tuple[Touch, ...]:
    """Return the touches of the steps for one talent."""
    return tuple(_touch(step, talent) for step in steps)


def _touch(step: Step, talent: Talent) -> Touch:
    lacking = not _reachable(step, talent)
    block = MISSING_CONTACT if lacking else DRAFT if _awaits_draft(step) else None
    days = step.policy.invite_timeout_days or INVITE_TIMEOUT_DAYS
    return Touch(
        id=step.id,
        kind=step.linked_in_type or step.type,
        wait=_wait(step),
        resolves_after=timedelta(days=days) if step.is_invitation else None,
        after_invitation=step.temporality_type is Temporality.AFTER_INVITATION_SETTLED,
        block=block,
        skip=lacking and step.policy.skip_step_if_no_contact,
    )


def _wait(step: Step) -> timedelta:
    is_delayed = step.temporality_type is Temporality.DELAYED
    return step.delay.duration() if is_delayed and step.delay else timedelta()


def _reachable(step: Step, talent: Talent) -> bool:
    if step.type is Channel.EMAIL:
        return bool(talent.emails)
    return bool(talent.linkedin_url) if step.type is Channel.LINKEDIN else bool(talent.phones)


def _awaits_draft(step: Step) -> bool:
    return step.is_written_per_contact and not step.policy.auto_validate_ai_draft


def add_candidate(state: Kalent, candidate: Candidate) -> tuple[Kalent, Candidate]:
    """Add a talent to a sourcing; one who is there keeps rating and date and is to be contacted again.

    What happens to a talent who is in another sourcing is not published: here both rows exist.
    """
    held = next((c for c in state.candidates.values() if _is_same_row(c, candidate)), None)
    row = replace(held, status_handle=candidate.status_handle) if held else candidate
    return replace(state, candidates={**state.candidates, row.id: row}), row


def _is_same_row(candidate: Candidate, other: Candidate) -> bool:
    return (candidate.talent_id, candidate.sourcing_id) == (other.talent_id, other.sourcing_id)


def start_kalent(
    state: Kalent, blueprint: KalentBlueprint, sequences: Mapping[str, str], *, now: datetime
) -> Kalent:
    """Begin a run for each (candidate id → sequence id).

    Nothing published says that a second start of the same candidate is ignored: it makes a second run.
    """
    runs = dict(state.sequences)
    for candidate_id, sequence_id in sequences.items():
        talent = state.talents[state.candidates[candidate_id].talent_id]
        run = started(touches_for(blueprint.steps, talent), now)
        runs[sequence_id] = DynamicSequence(
            id=sequence_id, name=blueprint.name, candidate_id=candidate_id, run=run
        )
    return replace(state, sequences=runs)


def latest_sequence(state: Kalent, candidate_id: str) -> DynamicSequence | None:
    """Return a candidate's latest run, or None."""
    return next((s for s in reversed(tuple(state.sequences.values())) if s.candidate_id == candidate_id), None)


def with_run_kalent(state: Kalent, sequence: DynamicSequence, run: SandboxRun) -> Kalent:
    """Return the state with this run in its place."""
    return replace(state, sequences={**state.sequences, sequence.id: replace(sequence, run=run)})


def enriched(talent: Talent, kinds: frozenset[str], *, ready_at: datetime) -> Talent:
    """Return the talent with a search for contacts under way."""
    return replace(talent, loading=talent.loading | kinds, loaded_at=ready_at)


def advanced_kalent(state: Kalent, now: datetime) -> Kalent:
    """Return the state after everything that was due by ``now``."""
    runs = {key: _moved(sequence, now) for key, sequence in state.sequences.items()}
    talents = {key: _with_contact_data(talent, now) for key, talent in state.talents.items()}
    return replace(state, sequences=runs, talents=talents)


def _moved(sequence: DynamicSequence, now: datetime) -> DynamicSequence:
    run = advance_run(sequence.run, now)
    return sequence if run is sequence.run else replace(sequence, run=run)


def _with_contact_data(talent: Talent, now: datetime) -> Talent:
    if talent.loaded_at is None or talent.loaded_at > now:
        return talent
    emails = (talent.hidden_email,) if "email" in talent.loading and talent.hidden_email else ()
    phones = (talent.hidden_phone,) if "phone" in talent.loading and talent.hidden_phone else ()
    return replace(
        talent,
        emails=tuple(dict.fromkeys((*talent.emails, *emails))),
        phones=tuple(dict.fromkeys((*talent.phones, *phones))),
        loading=frozenset(),
        loaded_at=None,
    )
