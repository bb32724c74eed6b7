"""Views of findings and blueprints."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence as Items
from typing import Any, ClassVar, Literal

from sequences_mcp.domain.blueprint import Blueprint, OnReply, Step
from sequences_mcp.domain.findings import Finding, Severity
from sequences_mcp.domain.ids import LOCAL, version_told
from sequences_mcp.planning.requirements import BlueprintReport, Needs
from sequences_mcp.server.text import cut, fair_limit, size
from sequences_mcp.server.view import PageView, ResultView, WrittenView, item_views

FINDINGS_SHOWN = 12
_ORDER = list(Severity)


class FindingView(ResultView):
    """One problem; ``start`` and ``end`` are code points in the field, ``fix`` replaces that span.

    ``variable`` names the variable in whose value the problem lies.
    """

    rule: str
    severity: Literal["error", "warning", "note"]
    step_id: str | None = None
    field: str | None = None
    variable: str | None = None
    start: int | None = None
    end: int | None = None
    excerpt: str | None = None
    message: str
    fix: str | None = None


class FindingsView(ResultView):
    """Base of results with findings: the most severe first, at most FINDINGS_SHOWN."""

    findings: tuple[FindingView, ...] = ()
    findings_left_out: int | None = None


def finding_view(finding: Finding) -> FindingView:
    """Return one finding; ``start`` and ``end`` are None where it has no span."""
    has_span = finding.end > finding.start
    return FindingView(
        rule=finding.rule,
        severity=finding.severity.value,
        step_id=finding.step_id,
        field=finding.field,
        variable=finding.variable,
        start=finding.start if has_span else None,
        end=finding.end if has_span else None,
        excerpt=finding.excerpt or None,
        message=finding.message,
        fix=finding.fix,
    )


def findings_fields(findings: Items[Finding]) -> dict[str, Any]:
    """Return findings for the constructor of a FindingsView."""
    graded = sorted(findings, key=lambda finding: _ORDER.index(finding.severity))
    return {
        "findings": item_views(graded[:FINDINGS_SHOWN], finding_view),
        "findings_left_out": max(0, len(graded) - FINDINGS_SHOWN) or None,
    }


TEXT_BUDGET = 2_400
CUT_NOTE = "Long texts are cut; full: true shows them whole."
ARCHIVED = "It is archived: nobody can be started in it. Its runs go on."


class BlueprintRow(ResultView):
    """One blueprint of a list; ``channels`` is absent where its vendor does not tell the steps."""

    id: str
    name: str
    version: int | None = None
    channels: tuple[str, ...] | None = None
    job_title: str | None = None
    location: str | None = None
    private: bool | None = None
    created_at: str


class BlueprintPage(PageView):
    """Some blueprints, newest first."""

    items: tuple[BlueprintRow, ...]


class BlueprintView(FindingsView):
    """One version of a blueprint; ``steps`` have the format of create_blueprint, and are absent where unknown."""

    cut_note: ClassVar[str] = CUT_NOTE

    id: str
    name: str
    version: int | None = None
    job_title: str | None = None
    location: str | None = None
    created_at: str
    on_reply: str | None = None
    stop_company_on_reply: bool | None = None
    private: bool | None = None
    steps: tuple[dict[str, Any], ...] | None = None
    note: str | None = None


class BlueprintWritten(WrittenView, FindingsView):
    """A version that was just stored, and what a start of it will need."""

    blueprint_id: str
    version: int
    private: bool | None = None
    removed_steps: tuple[str, ...] | None = None
    people_need: tuple[str, ...] | None = None
    by_hand: tuple[str, ...] | None = None
    pace: str | None = None
    accounts: str | None = None


def blueprint_row(blueprint: Blueprint) -> BlueprintRow:
    """Return a blueprint without its texts."""
    return BlueprintRow(
        id=blueprint.id,
        name=blueprint.name,
        version=version_told(blueprint.id, blueprint.version),
        channels=None if _are_unavailable(blueprint) else tuple(step.type.value for step in blueprint.steps),
        job_title=blueprint.sourcing.job_title,
        location=blueprint.sourcing.location,
        private=blueprint.private or None,
        created_at=blueprint.created_at.isoformat(timespec="seconds"),
    )


def blueprint_view(report: BlueprintReport, *, full: bool) -> BlueprintView:
    """Return a whole blueprint, its texts cut to fit unless ``full``."""
    blueprint = report.blueprint
    steps = tuple(step_view(step) for step in blueprint.steps)
    shown = steps if full else tuple(cut_steps(steps))
    return BlueprintView(
        id=blueprint.id,
        name=blueprint.name,
        version=version_told(blueprint.id, blueprint.version),
        job_title=blueprint.sourcing.job_title,
        location=blueprint.sourcing.location,
        created_at=blueprint.created_at.isoformat(timespec="seconds"),
        on_reply=None if blueprint.replies.on_reply is OnReply.STOP else blueprint.replies.on_reply.value,
        stop_company_on_reply=blueprint.replies.stop_company or None,
        private=blueprint.private or None,
        steps=None if _are_unavailable(blueprint) else shown,
        note=_note(blueprint, is_cut=shown != steps),
        **findings_fields(report.findings),
    )


def _note(blueprint: Blueprint, *, is_cut: bool) -> str | None:
    if _are_unavailable(blueprint):
        return "Its provider's API does not tell the steps; its own app shows them."
    if blueprint.archived:
        return f"{ARCHIVED} {CUT_NOTE}" if is_cut else ARCHIVED
    return CUT_NOTE if is_cut else None


def _are_unavailable(blueprint: Blueprint) -> bool:
    """Say whether nothing is known of the steps: a vendor's API does not tell them."""
    return not blueprint.steps and not blueprint.id.startswith(f"{LOCAL}:")


def blueprint_written(report: BlueprintReport, needs: Needs) -> BlueprintWritten:
    """Return what a caller needs to go on with a version just stored."""
    blueprint = report.blueprint
    return BlueprintWritten(
        blueprint_id=blueprint.id,
        version=blueprint.version,
        private=blueprint.private or None,
        removed_steps=report.removed or None,
        people_need=needs.people_need or None,
        by_hand=needs.by_hand or None,
        pace=needs.pace,
        accounts=needs.accounts,
        next=_next_after_writing(blueprint),
        **findings_fields(report.findings),
    )


def _next_after_writing(blueprint: Blueprint) -> str:
    if blueprint.archived:
        return f"{ARCHIVED} update_blueprint with archived: false takes it back."
    if not blueprint.steps:
        return "update_blueprint adds the steps."
    keeps = " Others do not see it: private: false shares it." if blueprint.private else ""
    return f"preview_sequence shows what each contact would get and when; start_sequence plans a start.{keeps}"


def step_view(step: Step) -> dict[str, Any]:
    """Return a step as create_blueprint takes it, without what is at its default."""
    view = step.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    return {name: value for name, value in view.items() if value or name != "content" or not step.variants}


def cut_steps(steps: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """Yield the steps with their texts cut so that all of them fit a result."""
    steps = list(steps)
    texts = [text for step in steps for text in (step, *step.get("variants", ()))]
    limit = fair_limit((size(text.get("content", "")) for text in texts), budget=TEXT_BUDGET)
    for step in steps:
        shown = _cut_text(step, limit)
        if "variants" in step:
            shown["variants"] = [_cut_text(variant, limit) for variant in step["variants"]]
        yield shown


def _cut_text(text: dict[str, Any], limit: int) -> dict[str, Any]:
    return {**text, "content": cut(text["content"], limit)} if "content" in text else dict(text)
