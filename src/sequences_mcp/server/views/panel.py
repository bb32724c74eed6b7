"""Views of a plan for the panel: no text is cut, since all that is approved has to be on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sequences_mcp.domain.plain_words import STATUSES, as_shown, for_person
from sequences_mcp.domain.plan import Plan
from sequences_mcp.domain.told_times import ToldTime, parts_with_times
from sequences_mcp.server.view import PageView, ResultView, WrittenView, numbered
from sequences_mcp.server.views.reviews import PlanView, plan_view, sender_words, way_out
from sequences_mcp.server.views.sequences import channel_of
from sequences_mcp.server.views.starts import UNDER_WAY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sequences_mcp.domain.findings import Finding
    from sequences_mcp.domain.shown import (
        FieldSpan,
        PanelShown,
        PeopleBeside,
        PersonRow,
        PersonShown,
        PlanShown,
        TextShown,
    )


class FieldSpanView(ResultView):
    """A part of a text, and the label of the person's fact that was put in there, where it is one."""

    text: str
    field: str | None = None


class FieldView(ResultView):
    """A fact about a person that is put into their texts."""

    label: str
    value: str


class PanelTextView(ResultView):
    """One exact text for one person; the panel reports ``mark``, a digest prefix, once the text was on screen.

    ``draft``, where it can be edited, is the id of the text; ``source`` and ``source_subject`` are what is edited.
    """

    mark: str
    name: str
    channel: str
    when: str
    recipient: str | None = None
    subject: tuple[FieldSpanView, ...] | None = None
    content: tuple[FieldSpanView, ...] | None = None
    closing: str | None = None
    is_own: bool
    draft: str | None = None
    source: str | None = None
    source_subject: str | None = None
    findings: tuple[str, ...]


class PanelPersonView(ResultView):
    """The person chosen; ``mark``: the digest prefix of what a vendor is ``handed``.

    ``waits``: is still in the plan, and can be taken out; ``out``: was.
    """

    id: str
    mark: str | None = None
    name: str
    waits: bool
    out: bool
    has_own_text: bool
    about: tuple[FieldView, ...]
    handed: str | None = None
    not_given: str | None = None
    fields: tuple[FieldView, ...]
    findings: tuple[str, ...]
    texts: tuple[PanelTextView, ...]


class PanelRowView(ResultView):
    """One person in the list, under the heading ``group``."""

    id: str
    name: str
    facts: str | None = None
    address: str
    group: str
    state: str | None = None
    waits: bool
    unread: bool
    findings: tuple[str, ...]


class PersonPage(PageView):
    """Some people, those with warnings first."""

    items: tuple[PanelRowView, ...]


class PanelStepView(ResultView):
    """One step for everybody."""

    name: str
    channel: str
    wait: str
    when: str
    told: str


class DutyView(ResultView):
    """A condition of an approval: what the person has to do first."""

    words: str
    done: bool | None = None


class ToldTimeView(ResultView):
    """An instant as sentences tell it, in UTC for the reader's clock, and ``local`` on whose it was told."""

    words: str
    at: str
    local: str | None = None


class ChallengeView(ResultView):
    """The challenge that one proof of the passphrase answers."""

    nonce: str
    salt: str
    derivation: str


class PanelView(PlanView):
    """A plan, a page of its people with every text, and a challenge where it can be approved in the panel."""

    is_whole: ClassVar[bool] = True

    waiting: int
    many: bool
    decidable: bool
    consequence: str
    sender: str
    delivery: str
    accounts: str | None = None
    window: str | None = None
    pace: str | None = None
    steps: tuple[PanelStepView, ...]
    times: tuple[ToldTimeView, ...]
    findings: tuple[str, ...]
    duties: tuple[DutyView, ...]
    persons: PersonPage
    person: PanelPersonView | None = None
    before: str | None = None
    after: str | None = None
    turn: str | None = None
    unread: int
    challenge: ChallengeView | None = None
    elsewhere: str
    address: str | None = None


class DecidedView(WrittenView):
    """A plan after a person's decision."""

    plan_id: str
    status: str


def panel_view(panel: PanelShown, *, address: str | None) -> PanelView:
    """Return a plan for the panel; ``address`` is where the review page shows it."""
    shown, beside = panel.shown, panel.beside
    plan, terms = shown.plan, shown.plan.header.terms
    return PanelView(
        waiting=shown.tally.concerned,
        many=shown.many,
        decidable=shown.decidable,
        consequence=shown.consequence,
        accounts=shown.accounts,
        sender=sender_words(terms),
        delivery=way_out(terms),
        window=terms.window or None,
        pace=None if terms.are_a_vendors else f"at most {terms.limits.words}",
        steps=tuple(
            PanelStepView(
                name=_line(step.step.name),
                channel=channel_of(step.step),
                wait=step.wait,
                when=step.when,
                told=step.reach_words,
            )
            for step in shown.steps
        ),
        times=_times(shown, beside),
        findings=_findings(shown.findings),
        duties=tuple(DutyView(words=duty.words, done=duty.done) for duty in shown.duties),
        persons=PersonPage(items=tuple(map(_row, beside.people.items)), **numbered(beside.people)),
        person=_person(beside.person) if beside.person else None,
        before=beside.before,
        after=beside.after,
        turn=beside.turn,
        unread=beside.unread,
        challenge=ChallengeView.model_validate(panel.challenge) if panel.challenge else None,
        elsewhere=panel.elsewhere,
        address=address,
        reason=None if plan.reason is None else for_person(plan.reason),
        **plan_view(plan, warnings=shown.warnings).model_dump(exclude={"reason"}),
    )


def _times(shown: PlanShown, beside: PeopleBeside) -> tuple[ToldTimeView, ...]:
    """Return the instants told by the sentences about a plan and its people, each once, longest words first."""
    people = [row.person for row in beside.people.items]
    texts = beside.person.texts if beside.person else ()
    sentences = [shown.consequence, *(step.when for step in shown.steps), *(text.when for text in texts)]
    sentences += [person.pause_words or "" for person in (*people, *filter(None, [beside.person]))]
    instants = {part for words in sentences for part in parts_with_times(words) if isinstance(part, ToldTime)}
    return tuple(
        ToldTimeView(words=instant.words, at=instant.at.isoformat(), local=instant.local or None)
        for instant in sorted(instants, key=lambda instant: (-len(instant.words), instant.words))
    )


def _row(row: PersonRow) -> PanelRowView:
    person = row.person
    return PanelRowView(
        id=person.sequence.id,
        name=_line(person.contact.display_name),
        facts=_line(row.facts) or None,
        address=_line(row.address),
        group=row.group,
        state=_state(row),
        waits=person.sequence.waits_for_plan,
        unread=row.unread,
        findings=_with_pause(person, person.warnings),
    )


def _state(row: PersonRow) -> str | None:
    """Return how a person stands, in words: still to be read, read, or what became of their run; or None."""
    person = row.person
    if row.unread:
        return "to read"
    if person.sequence.waits_for_plan:
        return "read" if person.has_own_text else None
    return STATUSES[person.sequence.status.value]


def _person(person: PersonShown) -> PanelPersonView:
    contact = person.contact
    about = (
        ("Title", contact.job_title),
        ("Company", contact.company),
        ("E-mail", contact.email),
        ("Phone", contact.phone),
        ("LinkedIn", contact.linkedin_url),
        ("Time zone", person.sequence.time_zone),
    )
    return PanelPersonView(
        id=person.sequence.id,
        mark=person.digest_prefix,
        name=_line(contact.display_name),
        waits=person.sequence.waits_for_plan,
        out=person.is_out,
        has_own_text=person.has_own_text,
        about=tuple(FieldView(label=label, value=_line(value)) for label, value in about if value),
        handed=_line(person.handed) or None,
        not_given=person.not_given_words,
        fields=tuple(FieldView(label=label, value=_line(value)) for label, value in person.fields),
        findings=_with_pause(person, person.findings),
        texts=tuple(map(_text, person.texts)),
    )


def _with_pause(person: PersonShown, findings: Iterable[Finding]) -> tuple[str, ...]:
    paused = (person.pause_words,) if person.pause_words else ()
    return (*paused, *_findings(findings))


def _text(text: TextShown) -> PanelTextView:
    run = text.run
    return PanelTextView(
        mark=text.digest_prefix,
        name=_line(run.step.name),
        channel=channel_of(run.step),
        when=text.when,
        recipient=None if run.recipient is None else _line(run.recipient),
        subject=None if run.subject is None else _spans(text.subject, keep=""),
        content=None if run.content is None else _spans(text.content, keep="\n"),
        closing=as_shown(text.closing) or None,
        is_own=text.is_own,
        draft=f"local:draft_{run.key}" if text.editable else None,
        source=text.source if text.editable else None,
        source_subject=run.subject if text.editable else None,
        findings=_findings(text.findings),
    )


def _spans(spans: Iterable[FieldSpan], *, keep: str) -> tuple[FieldSpanView, ...]:
    return tuple(FieldSpanView(text=as_shown(span.text, keep=keep), field=span.field) for span in spans)


def _findings(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(
        _line(f"{finding.severity.value.capitalize()}: {for_person(finding.message)} {finding.excerpt}".rstrip())
        for finding in findings
    )


def _line(text: str) -> str:
    return as_shown(text, keep="")


def decided_view(plan: Plan, *, approved: bool) -> DecidedView:
    """Return what was decided."""
    return DecidedView(
        plan_id=plan.id,
        status=plan.status.value,
        outcome="done" if approved else "refused",
        next=UNDER_WAY if approved else "Nothing of it leaves.",
    )
