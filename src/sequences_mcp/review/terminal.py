"""Plans and drafts as lines for a terminal; every stored text is drawn by ``invisible.draw`` first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from sequences_mcp.domain.findings import Finding, warnings_in
from sequences_mcp.domain.plain_words import STATUSES, as_shown, for_terminal
from sequences_mcp.domain.plan import Plan, Terms
from sequences_mcp.domain.records import WorkDone
from sequences_mcp.domain.run import StepRun
from sequences_mcp.domain.shown import PersonShown, PlanShown
from sequences_mcp.planning.requirements import UNREAD
from sequences_mcp.planning.vendor_texts import vendor_words
from sequences_mcp.ports.embedded import Draft, PendingChange
from sequences_mcp.services.blueprints import Located
from sequences_mcp.services.reviews import Reviews
from sequences_mcp.services.vendor_writes import differences, what_it_is

NOBODY = "nobody: this step will be skipped"


RESOLVES = (
    "unknown: it may have been sent. Find out, then: sequences-mcp review resolve ID --sent, or --not-sent, which "
    "sends it again."
)


def review_list(reviews: Reviews) -> Iterator[str]:
    """Yield one line for each change, plan and draft that waits for a person."""
    if not (reviews.plans.total_count or reviews.drafts.total_count or reviews.changes.total_count):
        yield "Nothing waits for you."
    for change in reviews.changes.items:
        yield f"{change.id}  change   {what_it_is(change)}: {_line(change.subject)}"
    for plan in reviews.plans.items:
        numbers = waiting_line(plan, warnings=reviews.warnings[plan.id])
        yield f"{plan.id}  {plan.status.words:<8} {_line(plan.header.blueprint_name)}: {numbers}"
    for draft in reviews.drafts.items:
        yield f"{draft.id}  {draft.why:<8} {_line(draft.contact.display_name)}: step {_line(draft.run.step.id)}"
    if any(draft.why == "unknown" for draft in reviews.drafts.items):
        yield RESOLVES
    if reviews.has_more:
        yield f"There is more: --page {reviews.plans.page + 1}."


def review_rows(reviews: Reviews) -> dict[str, object]:
    """Return the same for a program; ``has_more``: another page follows."""
    return {
        "changes": [
            {"id": change.id, "what": what_it_is(change), "subject": change.subject, "asked_at": change.asked_at}
            for change in reviews.changes.items
        ],
        "plans": [
            {
                "id": plan.id,
                "status": plan.status.words,
                "blueprint": plan.header.blueprint_name,
                "people": plan.people,
                "missing_texts": plan.missing_texts,
                "warnings": reviews.warnings[plan.id],
            }
            for plan in reviews.plans.items
        ],
        "texts": [
            {"id": draft.id, "why": draft.why, "contact": draft.contact.display_name, "step": draft.run.step.id}
            for draft in reviews.drafts.items
        ],
        "has_more": reviews.has_more,
    }


def work_done(done: WorkDone) -> Iterator[str]:
    """Yield the result of ``work --once``: what was sent, what waits for a person, when the next step is due."""
    parts = []
    if done.accepted is not None:
        outbox = "written to the outbox folder, which reaches nobody"
        parts.append(f"E-mails {outbox if done.to_outbox else 'sent'}: {done.accepted:,}")
        parts += [f"{outbox}: {done.in_outbox:,}"] if done.in_outbox else []
        parts += [f"not accepted: {done.refused:,}"] if done.refused else []
        parts += [f"unknown whether they were sent: {done.unknown:,}"] if done.unknown else []
    if done.handed_over is not None:
        parts.append(f"people enrolled at vendors: {done.handed_over:,}")
        parts += [f"not accepted there: {done.not_taken:,}"] if done.not_taken else []
        parts += [f"unknown whether enrolled: {done.unknown_at_vendor:,}"] if done.unknown_at_vendor else []
    sentence = "; ".join(parts)
    yield f"{sentence[:1].upper()}{sentence[1:]}."
    coming = f"Next due here: {_utc(done.next_at)}." if done.next_at else "Nothing more is due here."
    yield f"Waiting for a person: {done.waiting.words or 'nothing'}. {coming}"
    yield from (f"{_line(for_terminal(reason))}" for reason in done.stops)


def waiting_line(plan: Plan, *, warnings: int) -> str:
    """Return a plan's numbers in words; ``warnings`` is how many an approval covers."""
    parts = [f"{plan.people:,} {'person' if plan.people == 1 else 'people'}"]
    if plan.missing_texts:
        parts.append(f"{plan.missing_texts:,} texts still to be written")
    if plan.to_read:
        parts.append(f"{plan.to_read:,} {'text' if plan.to_read == 1 else 'texts'} to read one by one")
    if warnings:
        parts.append("1 warning" if warnings == 1 else f"{warnings:,} warnings")
    return ", ".join(parts)


def plan_head(shown: PlanShown) -> Iterator[str]:
    """Yield the lines about the whole plan; when steps leave is shown only while the plan waits for a decision."""
    plan, header = shown.plan, shown.plan.header
    yield f"Plan {plan.id} ({plan.status.words}): {waiting_line(plan, warnings=shown.warnings)}"
    version = header.version_told
    yield f"Blueprint: {_line(header.blueprint_name)}{f', version {version}' if version else ''}"
    yield from _terms(header.terms)
    if shown.steps and shown.first and shown.decidable and not header.is_at_vendor:
        yield "If approved now, the first person's steps leave:"
        yield from (
            f"  {_line(step.step.id)}: {step.when}{f'; {step.shares}' if step.shares else ''}"
            for step in shown.steps
        )
    if shown.accounts:
        yield f"Needs: {shown.accounts}"
    if lacking := ", ".join(shown.not_given).replace("_", " "):
        yield f"Known here and not given to {header.terms.sender_name}: {lacking}"
    yield f"Expires: {_utc(header.expires_at)}   Digest: {plan.digest[:16]}…"
    if plan.reason:
        yield f"Note: {_line(for_terminal(plan.reason))}"
    # UNREAD is said whether or not it has an effect: who reads the texts is part of what a person decides.
    warnings = warnings_in(shown.findings)
    unread = (finding for finding in shown.findings if finding.rule == UNREAD and finding not in warnings)
    yield from warned([*warnings, *unread])


def warned(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield findings, which an approval covers as well, each with its excerpt."""
    findings = tuple(findings)
    for finding in findings:
        place = f"[{_line(finding.step_id)}] " if finding.step_id else ""
        yield f"  {finding.severity.value.capitalize()}: {place}{_line(for_terminal(finding.message))}"
        if finding.excerpt:
            yield f"    {_line(finding.excerpt)}"
    if any(finding.rule.startswith("law.") for finding in findings):
        yield "  What the law may ask for is a reminder, no legal advice."


def _terms(terms: Terms) -> Iterator[str]:
    if terms.are_a_vendors:
        yield vendor_words(terms)
        return
    yield f"From: {_line(terms.sender_name)} <{terms.sender_address}>"
    if terms.delivery == "outbox":
        yield "Delivery: files in the outbox folder; no mail server is set, nothing is sent"
    else:
        yield f"Delivery: {terms.delivery}"
    yield f"Window: {terms.window}; at most {terms.limits.words}"


def person_decided(person: PersonShown) -> str:
    """Return one line about a person whom the approval does not concern (any more): how their run stands."""
    sequence, why = person.sequence, _line(for_terminal(person.why))
    return f"── {_line(person.contact.display_name)} ({sequence.id}): {STATUSES[sequence.status.value]}, {why}"


def person_in_full(person: PersonShown) -> Iterator[str]:
    """Yield one person's exact texts."""
    yield f"── {_line(person.contact.display_name)} ({person.sequence.id})"
    yield from _facts(person)
    for run in person.sequence.steps:
        yield from step_in_full(run)


def _facts(person: PersonShown) -> Iterator[str]:
    """Yield why a person stays paused after an approval, and which facts a vendor is given."""
    if person.paused:
        yield f"  {_line(person.why)}"
    if person.handed:
        yield f"  {_line(person.handed)}"


def step_in_full(run: StepRun) -> Iterator[str]:
    """Yield one step's exact text."""
    kind = run.step.linked_in_type or run.step.type
    how = f", variant {run.letter}" if run.has_variant_text else ""
    how += f", {run.step.sent_as}" if run.step.sent_as else ""
    yield f"  [{_line(run.step.id)}] {kind.value} to {_line(run.recipient or NOBODY)}{how}"
    if run.subject is not None:
        yield f"  Subject: {_line(run.subject)}"
    yield from (f"  │ {line}" for line in as_shown(run.readable or "(no text yet)").split("\n"))


def person_by_difference(person: PersonShown, shown: Mapping[tuple[str, int | None], StepRun]) -> Iterator[str]:
    """Yield only the lines in which this person's texts differ from those of the first person with the same ones.

    ``shown`` has these by step id and variant. A text with more or fewer lines is shown whole, since missing lines
    would not show in a list of differing ones, and so is a variant that nobody had yet.
    """
    yield f"── {_line(person.contact.display_name)} ({person.sequence.id}), where it differs:"
    yield from _facts(person)
    for run in person.sequence.steps:
        other = shown.get((run.step.id, run.variant))
        mine, theirs = _lines(run), _lines(other) if other else []
        if len(mine) != len(theirs):
            yield from step_in_full(run)
            continue
        yield f"  [{_line(run.step.id)}] to {_line(run.recipient or NOBODY)}"
        yield from (f"  │ {line}" for line, its in zip(mine, theirs, strict=True) if line != its)


def change_in_full(change: PendingChange, *, now: datetime) -> Iterator[str]:
    """Yield a change at a vendor: what was there before and what an agent asked for, name by name."""
    yield f"Change {change.id}: {what_it_is(change)}, {_line(change.subject)}; {change.state_words(now)}"
    for name, before, after in differences(change):
        yield f"  {_line(name)}"
        for label, text in (("before:", before), ("after: ", after)):
            first, *rest = as_shown(text).split("\n")
            yield f"    {label} {first}"
            yield from (f"            {line}" for line in rest)


def draft_in_full(draft: Draft) -> Iterator[str]:
    """Yield one draft with why it waits."""
    yield f"Draft {draft.id} for {_line(draft.contact.display_name)}: {draft.why}"
    if draft.run.reason:
        yield f"  {_line(for_terminal(draft.run.reason))}"
    if draft.run.answer:
        yield f"  The server said: “{_line(draft.run.answer)}”"
    yield from step_in_full(draft.run)


def _lines(run: StepRun) -> list[str]:
    subject = [] if run.subject is None else [f"Subject: {_line(run.subject)}"]
    return [*subject, *as_shown(run.readable or "").split("\n")]


def _line(text: str) -> str:
    return as_shown(text, keep="")


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def findings(located: Iterable[Located], *, name: str) -> Iterator[str]:
    """Yield findings in the form ``file:line:column: severity rule: message``."""
    total = 0
    for place in located:
        total += 1
        finding = place.finding
        where, message = f"{name}:{place.start.line}:{place.start.column}", for_terminal(finding.message)
        yield f"{where}: {finding.severity} {finding.rule}: {message}"
        if finding.excerpt:
            yield f"    {_line(finding.excerpt)}"
        if finding.fix is not None:
            yield f"    fix: {_line(finding.fix) or '(remove it)'}"
    yield f"{total} {'finding' if total == 1 else 'findings'}." if total else f"{name}: nothing found."
