"""Blueprints: a row of a list, and a whole one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sequences_mcp.domain.blueprint import Blueprint, Step
from sequences_mcp.domain.ids import LOCAL, version_told
from sequences_mcp.flows.blueprint_needs import Needs
from sequences_mcp.flows.blueprint_report import BlueprintReport
from sequences_mcp.server.text import cut, fair_limit
from sequences_mcp.server.view import PageView, View, WrittenView
from sequences_mcp.server.views.finding import FoundView, found

TEXT_BUDGET = 2_400
CUT_NOTE = "Long texts are cut; full: true shows them whole."


class BlueprintRow(View):
    """One blueprint of a list; ``channels`` is absent where its vendor does not tell the steps."""

    id: str
    name: str
    version: int | None = None
    channels: tuple[str, ...] | None = None
    job_title: str | None = None
    location: str | None = None
    created_at: str


class BlueprintPage(PageView):
    """Some blueprints, newest first."""

    items: tuple[BlueprintRow, ...]


class BlueprintView(FoundView):
    """One version of a blueprint; ``steps`` have the format of create_blueprint, and are absent where unknown."""

    id: str
    name: str
    version: int | None = None
    job_title: str | None = None
    location: str | None = None
    created_at: str
    steps: tuple[dict[str, Any], ...] | None = None
    note: str | None = None


class BlueprintWritten(WrittenView, FoundView):
    """A version that was just stored, and what a start of it will need."""

    blueprint_id: str
    version: int
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
        channels=None if _are_untold(blueprint) else tuple(step.type.value for step in blueprint.steps),
        job_title=blueprint.sourcing.job_title,
        location=blueprint.sourcing.location,
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
        steps=None if _are_untold(blueprint) else shown,
        note=_note(blueprint, is_cut=shown != steps),
        **found(report.findings),
    )


def _note(blueprint: Blueprint, *, is_cut: bool) -> str | None:
    if _are_untold(blueprint):
        return "Its provider's API does not tell the steps; its own app shows them."
    return CUT_NOTE if is_cut else None


def _are_untold(blueprint: Blueprint) -> bool:
    """Say whether nothing is known of the steps: a vendor's API does not tell them."""
    return not blueprint.steps and not blueprint.id.startswith(f"{LOCAL}:")


def blueprint_written(report: BlueprintReport, needs: Needs) -> BlueprintWritten:
    """Return what a caller needs to go on with a version just stored."""
    blueprint = report.blueprint
    return BlueprintWritten(
        blueprint_id=blueprint.id,
        version=blueprint.version,
        removed_steps=report.removed or None,
        people_need=needs.people_need or None,
        by_hand=needs.by_hand or None,
        pace=needs.pace,
        accounts=needs.accounts,
        next="preview_sequence shows what each contact would get and when; start_sequence plans a start."
        if blueprint.steps
        else "update_blueprint adds the steps.",
        **found(report.findings),
    )


def step_view(step: Step) -> dict[str, Any]:
    """Return a step as create_blueprint takes it, without what is at its default."""
    return step.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)


def cut_steps(steps: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """Yield the steps with their texts cut so that all of them fit a result."""
    steps = list(steps)
    limit = fair_limit((len(step["content"]) for step in steps), budget=TEXT_BUDGET)
    for step in steps:
        yield {**step, "content": cut(step["content"], limit)}
