"""A blueprint together with what the guards say about it."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Items
from dataclasses import dataclass
from functools import lru_cache

from sequences_mcp.domain.blueprint import Blueprint, LinkedInType, Step, Temporality
from sequences_mcp.domain.finding import Finding, Severity, errors_in
from sequences_mcp.domain.ids import LOCAL
from sequences_mcp.errors import RefusedByGuardsError
from sequences_mcp.flows.desk import Desk
from sequences_mcp.guards.check import check_steps
from sequences_mcp.guards.policy import GuardPolicy

UNREAD = "local.unread"
SPARED = "the texts written for one person may be approved without having been opened."
NOT_SPARED = "it has no effect while SEQUENCES_UNREAD_DRAFTS is off; a person reads each of these texts."


@dataclass(frozen=True, slots=True)
class BlueprintReport:
    """A stored blueprint and its findings, none of them an error.

    ``removed`` are the ids of the steps that a change dropped.
    """

    blueprint: Blueprint
    findings: tuple[Finding, ...]
    removed: tuple[str, ...] = ()


def approved_by_guards(
    desk: Desk, steps: object, *, provider: str
) -> tuple[tuple[Step, ...], tuple[Finding, ...]]:
    """Return the steps and the remaining findings; RefusedByGuardsError carries all of them if one refuses."""
    report = check_steps(steps, policy=desk.policy)
    findings = report.findings
    if provider == LOCAL:
        findings += (*without_effect(report.well_formed), *unread(desk, report.well_formed))
    require_no_errors(findings)
    assert report.steps is not None  # a form that is wrong is an error among the findings
    return tuple(map(_stored, report.steps)), findings


def _stored(step: Step) -> Step:
    """Return a step as it is stored: a plain invitation carries no text, at Kalent and here."""
    is_bare = step.linked_in_type is LinkedInType.INVITATION and step.content
    return step.model_copy(update={"content": ""}) if is_bare else step


def unread(desk: Desk, steps: Items[Step]) -> Iterator[Finding]:
    """Yield each step that asks to spare a person reading what is written for one person, and what comes of it."""
    for step in steps:
        if step.policy.auto_validate_ai_draft and step.is_written_per_contact:
            message = "policy.autoValidateAIDraft is set: " + (SPARED if desk.unread_drafts else NOT_SPARED)
            yield Finding(
                rule=UNREAD,
                severity=Severity.WARNING if desk.unread_drafts else Severity.NOTE,
                step_id=step.id,
                field="policy.autoValidateAIDraft",
                message=message,
            )


def without_effect(steps: Items[Step], *, severity: Severity = Severity.ERROR) -> Iterator[Finding]:
    """Yield each field that the embedded engine would take and never look at; a vendor may well use it."""
    for place, step in enumerate(steps):
        for rule, field, message in _unused(step, steps[:place]):
            yield Finding(rule=f"local.{rule}", severity=severity, step_id=step.id, field=field, message=message)


def _unused(step: Step, earlier: Items[Step]) -> Iterator[tuple[str, str, str]]:
    if step.config is not None and step.config.user_id is not None:
        yield (
            "sender",
            "config.userId",
            "The embedded engine sends everything as the one sender of this server, SEQUENCES_SENDER, which only "
            "the operator sets; list_providers shows who that is. Leave config out.",
        )
    if step.policy.auto_validate_ai_draft and not step.is_written_per_contact:
        yield (
            "auto_validate",
            "policy.autoValidateAIDraft",
            "It is about texts written for each contact (contentSource suggestedByKalent); this step has one text "
            "for all. Leave it out.",
        )
    days, invitation = step.policy.invite_timeout_days, next((one for one in earlier if one.is_invitation), None)
    waits = step.temporality_type is Temporality.AFTER_INVITATION_SETTLED
    if days is not None and not (step.is_invitation or waits):
        yield (
            "invitation_timeout",
            "policy.inviteTimeoutDays",
            "It belongs to the invitation, or to a step with temporalityType AFTER_INVITATION_SETTLED. Leave it "
            "out here.",
        )
    own = invitation.policy.invite_timeout_days if invitation else None
    if days is not None and waits and own is not None and own != days:
        yield (
            "invitation_timeout",
            "policy.inviteTimeoutDays",
            f"The invitation says {own} days, and that is what counts. Set it in one of the two only.",
        )


@lru_cache(maxsize=64)
def findings_of(steps: tuple[Step, ...], policy: GuardPolicy) -> tuple[Finding, ...]:
    """Return what the guards find in stored steps; both decide the result, so remembering it cannot go stale."""
    return check_steps([_as_given(step) for step in steps], policy=policy).findings


def require_no_errors(findings: tuple[Finding, ...]) -> None:
    """Raise RefusedByGuardsError, with all the findings, when one of them refuses."""
    if errors := errors_in(findings):
        raise RefusedByGuardsError(
            f"The guards refuse these steps: {len(errors)} {'error' if len(errors) == 1 else 'errors'}.",
            next_step="Mend each finding, then call again; check_blueprint shows the same without saving.",
            data={"findings": findings},
        )


def wire_steps(blueprint: Blueprint) -> list[dict[str, object]]:
    """Return a blueprint's steps as they came in."""
    return [_as_given(step) for step in blueprint.steps]


def _as_given(step: Step) -> dict[str, object]:
    return step.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
