"""What each person would get."""

from __future__ import annotations

from sequences_mcp.domain.finding import Severity
from sequences_mcp.domain.ids import version_told
from sequences_mcp.flows.preview_sequence import PersonPreview, Preview
from sequences_mcp.server.text import cut, fair_limit
from sequences_mcp.server.view import View
from sequences_mcp.server.views.contact import WhoView, who
from sequences_mcp.server.views.finding import FindingView, finding_view
from sequences_mcp.server.views.provider import way_out
from sequences_mcp.server.views.sequence import channel_of
from sequences_mcp.server.views.start import CountedView, counted

TEXTS_SHOWN = 15  # so five people of three steps, or three of five
PEOPLE_SHOWN = 8
REASONS_SHOWN = 5
REASON_LIMIT = 200
TEXT_BUDGET = 1_700


class StepPreview(View):
    """One step as this person would get it; no ``content``: the text is still to be written for them."""

    step_id: str
    channel: str
    at: str
    waits_for_window: bool | None = None
    recipient: str | None = None
    subject: str | None = None
    content: str | None = None


class PersonView(WhoView):
    """One person; ``left_out`` says why a start would not write to them."""

    time_zone: str | None = None
    left_out: tuple[str, ...] | None = None
    warnings: tuple[FindingView, ...] | None = None
    missing_texts: tuple[str, ...] | None = None
    steps: tuple[StepPreview, ...] | None = None


class PreviewView(View):
    """What would go to whom and when, if approved now and nobody answers. Nothing was saved or planned."""

    blueprint_id: str
    blueprint_version: int | None = None
    delivery: str
    people: tuple[PersonView, ...]
    people_count: int
    left_out_count: int
    left_out_why: tuple[CountedView, ...] | None = None
    note: str | None = None


def preview_view(preview: Preview) -> PreviewView:
    """Return a preview; its texts share one budget."""
    number = max(1, TEXTS_SHOWN // max(1, len(preview.blueprint.steps)))
    shown = preview.people[: min(number, PEOPLE_SHOWN)]
    lengths = [len(planned.content or "") for one in shown for planned in one.person.steps]
    limit = fair_limit(lengths, budget=TEXT_BUDGET)
    return PreviewView(
        blueprint_id=preview.blueprint.id,
        blueprint_version=version_told(preview.blueprint.id, preview.blueprint.version),
        delivery=way_out(preview.terms),
        people=tuple(_person(one, limit) for one in shown),
        people_count=len(preview.people),
        left_out_count=sum(bool(one.blocked) for one in preview.people),
        left_out_why=counted(one.blocked[0] for one in preview.people if one.blocked),
        note=_note(len(shown), len(preview.people), is_cut=max(lengths, default=0) > limit),
    )


def _person(one: PersonPreview, limit: int) -> PersonView:
    person = one.person
    warnings = [finding_view(f) for f in person.findings if f.severity is Severity.WARNING]
    return PersonView(
        time_zone=f"{person.time_zone} ({person.zone_source})" if person.time_zone else None,
        left_out=tuple(cut(why, REASON_LIMIT) for why in one.blocked[:REASONS_SHOWN]) or None,
        warnings=tuple(warnings[:REASONS_SHOWN]) or None,
        missing_texts=person.missing_texts or None,
        steps=tuple(
            StepPreview(
                step_id=planned.step.id,
                channel=channel_of(planned.step),
                at=slot.local,
                waits_for_window=slot.held or None,
                recipient=planned.recipient,
                subject=planned.subject,
                content=None if planned.content is None else cut(planned.content, limit),
            )
            for planned, slot in zip(person.steps, one.slots, strict=True)
        )
        or None,
        **who(person.contact),
    )


def _note(shown: int, people: int, *, is_cut: bool) -> str | None:
    notes = []
    if people > shown:
        notes.append(f"The first {shown} of {people} people are shown.")
    if is_cut:
        notes.append("Long texts are cut; fewer contacts show more of them.")
    return " ".join(notes) or None
