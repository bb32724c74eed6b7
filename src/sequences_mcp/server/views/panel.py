"""A plan as the panel draws it: nothing here is cut, since what is approved has to be on the screen."""

from __future__ import annotations

from sequences_mcp.domain.plain_words import for_person
from sequences_mcp.domain.plan import Plan
from sequences_mcp.flows.panel import PlanShown
from sequences_mcp.server.view import PageView, View, WrittenView, numbered
from sequences_mcp.server.views.provider import sender_words, way_out
from sequences_mcp.server.views.review import PlanView, plan_view
from sequences_mcp.server.views.standing import UNDER_WAY


class StretchView(View):
    """A stretch of a text, and whether the first person's text has something else there."""

    text: str
    differs: bool


class TextView(View):
    """One exact text for one person, whatever cannot be seen drawn; by its ``mark`` a panel reports it read."""

    mark: str
    name: str
    channel: str
    when: str
    recipient: str | None = None
    subject: tuple[StretchView, ...] | None = None
    content: tuple[StretchView, ...] | None = None
    findings: tuple[str, ...]


class PersonView(View):
    """One person; ``out`` when taken out; by its ``mark`` a panel reports read what a vendor is ``handed``."""

    mark: str | None = None
    name: str
    out: bool
    handed: str | None = None
    not_given: str | None = None
    findings: tuple[str, ...]
    texts: tuple[TextView, ...]


class PersonPage(PageView):
    """Some people, those with warnings first."""

    items: tuple[PersonView, ...]


class StepView(View):
    """One step for everybody."""

    name: str
    channel: str
    wait: str
    when: str
    told: str


class DutyView(View):
    """Something a person does before a yes counts."""

    words: str
    done: bool | None = None


class ChallengeView(View):
    """What one proof answers."""

    nonce: str
    salt: str
    derivation: str


class PanelView(PlanView):
    """A plan, some of its people with every text, and the challenge of a yes where it can be given here."""

    waiting: int
    many: bool
    decidable: bool
    consequence: str
    sender: str
    delivery: str
    accounts: str | None = None
    window: str | None = None
    pace: str | None = None
    steps: tuple[StepView, ...]
    findings: tuple[str, ...]
    duties: tuple[DutyView, ...]
    persons: PersonPage
    challenge: ChallengeView | None = None
    elsewhere: str
    address: str | None = None


class DecidedView(WrittenView):
    """A plan after a person's decision."""

    plan_id: str
    status: str


def panel_view(shown: PlanShown, *, address: str | None) -> PanelView:
    """Return a plan for the panel; ``address`` is where the review page shows it."""
    plan, terms = shown.plan, shown.plan.header.terms
    return PanelView(
        waiting=shown.waiting,
        many=shown.many,
        decidable=shown.decidable,
        consequence=shown.consequence,
        accounts=shown.accounts,
        sender=sender_words(terms),
        delivery=way_out(terms),
        window=terms.window or None,
        pace=None
        if terms.are_a_vendors
        else f"at most {terms.daily_cap:,} e-mails in 24 hours, {terms.spacing} s apart",
        steps=tuple(map(StepView.model_validate, shown.steps)),
        findings=shown.findings,
        duties=tuple(map(DutyView.model_validate, shown.duties)),
        persons=PersonPage(
            items=tuple(map(PersonView.model_validate, shown.people.items)), **numbered(shown.people)
        ),
        challenge=ChallengeView.model_validate(shown.challenge) if shown.challenge else None,
        elsewhere=shown.elsewhere,
        address=address,
        reason=None if plan.reason is None else for_person(plan.reason),
        **plan_view(plan, warnings=shown.warnings).model_dump(exclude={"reason"}),
    )


def decided_view(plan: Plan, *, approved: bool) -> DecidedView:
    """Return what was decided."""
    return DecidedView(
        plan_id=plan.id,
        status=plan.status.value,
        outcome="done" if approved else "refused",
        next=UNDER_WAY if approved else "Nothing of it leaves.",
    )
