"""What is known here of a blueprint that a vendor carries out: its warnings, and the texts as far as they go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sequences_mcp.context import AppContext
from sequences_mcp.domain.blueprint import Blueprint, ContentSource, Sourcing, Step
from sequences_mcp.domain.contact import FACTS, Contact
from sequences_mcp.domain.findings import Finding, Severity
from sequences_mcp.domain.ids import UNVERSIONED, VENDORS, provider_of
from sequences_mcp.domain.plan import Plan, Terms
from sequences_mcp.domain.run import Run
from sequences_mcp.domain.threads import Earlier
from sequences_mcp.domain.variables import VARIABLES, fill_in, is_blank, missing, used_in
from sequences_mcp.guards.check import check_value, check_values
from sequences_mcp.planning import rendering
from sequences_mcp.ports.embedded import PlannedPerson, SequenceDetail
from sequences_mcp.vendors.description import VendorDescription
from sequences_mcp.vendors.registry import DESCRIPTIONS

WORDS = frozenset({*FACTS, "note"})  # what a vendor may be given to write with
NO_AGENT = "vendor.no_agent"
UNREVIEWED = "vendor.unreviewed"
FILLED = "vendor.filled_there"
UNSEEN = "vendor.unseen_texts"
STANDING = frozenset({NO_AGENT, UNREVIEWED, UNSEEN})
WRITTEN_THERE = "vendor.written_there"
WRITTEN_LATER = "vendor.written_later"


def title_of(plan: Plan) -> str:
    """Return how people write the name of whoever carries a plan out, or nothing for the embedded engine."""
    return VENDORS.get(plan.header.provider, "")


def course_there(plan: Plan) -> str:
    """Return what a vendor does with people that were handed over to it, as far as its documents say."""
    vendor = DESCRIPTIONS[plan.header.provider]
    rules = {warning.rpartition(" ")[2] for warning in plan.header.warnings}
    return next((words for rule, words in vendor.course_if.items() if rule in rules), vendor.course)


def vendor_words(terms: Terms) -> str:
    """Return how a vendor's messages leave."""
    return f"{terms.sender_name} sends, with its own senders, times and limits ({terms.delivery})"


def handed_facts(sequence: Run) -> str:
    """Return in words what a vendor is given about one person; nothing for a run of the embedded engine."""
    if not sequence.is_at_vendor:
        return ""
    text = "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in sequence.vendor_facts.items())
    return f"{VENDORS[sequence.provider]} is given {text}"


def not_given(detail: SequenceDetail) -> tuple[str, ...]:
    """Return which facts are known here about a person that the vendor is not given with their start."""
    sequence, contact = detail.sequence, detail.contact
    if not sequence.is_at_vendor:
        return ()
    vendor = DESCRIPTIONS[sequence.provider]
    facts = ["language", "location", "country", "time_zone", "notes"]
    facts += [name for name in ("job_title", "company") if name not in vendor.knows_of_people]
    given = {*sequence.vendor_facts, *(["notes"] if "note" in sequence.vendor_facts else [])}
    return tuple(name for name in facts if getattr(contact, name) and name not in given)


def is_accepted_by_listing(blueprint_id: str, warning: Finding) -> bool:
    """Say whether an operator who lists a vendor's template for auto_approve has accepted a warning with it.

    It is one that every start of the template has, whoever is started: its texts are never seen here, or nobody
    reads them. Nothing here can write into a template, which is made in the vendor's app. What looks wrong about a
    person's values still takes the plan to a person.
    """
    return provider_of(blueprint_id) in UNVERSIONED and warning.rule in STANDING


def vendor_warnings(
    blueprint: Blueprint, *, reviewed_there: bool, sender_named: bool = True
) -> tuple[Finding, ...]:
    """Return what an approval of a start at a vendor covers besides the guards' warnings.

    ``reviewed_there`` False: nobody at the vendor reads its texts before they leave. ``sender_named`` False:
    unless the vendor's blueprint names who sends, the vendor refuses the start.
    """
    vendor = DESCRIPTIONS[provider_of(blueprint.id)]
    if vendor.writes_later is not None:
        unreviewed = _warning(UNREVIEWED, vendor.writes_unreviewed or vendor.writes_later)
        first = _warning(WRITTEN_LATER, vendor.writes_later) if reviewed_there else unreviewed
        if sender_named or vendor.no_sender is None:
            return (first,)
        return (first, _warning(NO_AGENT, vendor.no_sender))
    if blueprint.steps:
        return tuple(_about_steps(blueprint.steps, vendor))
    message = f"{vendor.title}'s API does not show these texts: read them in its app before you approve."
    return (_warning(UNSEEN, message),)


def vendor_recipient(
    app: AppContext, blueprint: Blueprint, contact: Contact, *, vendor_facts: Mapping[str, str]
) -> PlannedPerson:
    """Return what is known here of the texts a person gets from a vendor's blueprint.

    ``vendor_facts`` is what the vendor is given about them: from a value that is a placeholder nobody is enrolled.

    What the vendor fills in itself stays in its braces, and is checked as if it were a plain word.
    """
    values, filled_there = _values(contact), DESCRIPTIONS[provider_of(blueprint.id)].fills_in
    blank = {name for name, value in values.items() if is_blank(value)} - filled_there
    unavailable = filled_there | blank
    plain = values | dict.fromkeys(unavailable, "Quovadrin")
    shown = values | {name: f"{{{{{name}}}}}" for name in unavailable}
    about_values = values_found(
        app, contact, blueprint.steps, vendor_facts=vendor_facts, filled_there=filled_there
    )
    results = [*rendering.warnings_about(contact), *about_values]
    steps = []
    keys = app.plans.new_keys(len(blueprint.steps))
    for place, (step, key) in enumerate(zip(blueprint.steps, keys, strict=True)):
        earlier = Earlier(blueprint.steps[:place])
        manual = step.model_copy(update={"content_source": ContentSource.MANUAL})
        planned = rendering.planned_text(app, manual, contact, values=plain, text=None, earlier=earlier)
        subject, content = (_as_shown(part, shown) for part in (step.subject, step.content))
        steps.append(planned._replace(subject=subject, content=content or "").of(step, key=key))
        written_there = step.is_written_per_contact  # what is here is what its writer is told, no message
        remaining = [f for f in planned.findings if not written_there or f.rule.startswith("person.")]
        results.extend(_not_told(step, blank, remaining))
    return PlannedPerson(
        vendor_facts=vendor_facts,
        contact=contact,
        variables={},
        time_zone="",
        zone_source="the vendor",
        steps=tuple(steps),
        findings=tuple(dict.fromkeys(results)),
    )


def _as_shown(part: str | None, values: Mapping[str, str | None]) -> str | None:
    """Return a template filled in as far as that goes, else as it is."""
    return part if part is None or missing(part, values) else fill_in(part, values)


def _not_told(step: Step, blank: Iterable[str], findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield a step's findings; of what is missing a warning: the vendor may know what it does not tell."""
    used = used_in([step.subject or "", step.content])
    if names := [f"{{{{{name}}}}}" for name in VARIABLES if name in set(used) & set(blank)]:
        message = (
            f"Not known here for this person: {', '.join(names)}. The vendor fills it in, or leaves it blank."
        )
        yield _warning(FILLED, message, step=step)
    for finding in findings:
        if finding.rule != "person.no_address":
            yield finding
            continue
        word = rendering.ADDRESS_WORD[step.type]
        message = (
            f"No {word} of this person is known here; where the vendor has none either, this step may stop the "
            "sequence (policy.skipStepIfNoContact skips it)."
        )
        yield _warning(FILLED, message, step=step)


def values_found(
    app: AppContext,
    contact: Contact,
    steps: Iterable[Step],
    *,
    vendor_facts: Mapping[str, str],
    filled_there: frozenset[str],
) -> tuple[Finding, ...]:
    """Return what is wrong or suspicious about the facts that fill in a person's texts, here or at the vendor.

    ``filled_there`` are the variables that the vendor fills in from its own records.
    """
    texts = [part for step in steps for part in (step.subject, step.content) if part]
    values, used = _values(contact), set(used_in(texts)) - filled_there
    filled = {name: values[name] for name in VARIABLES if name in used and not is_blank(values[name])}
    given = {name: value for name, value in vendor_facts.items() if name in WORDS}
    findings = [*check_values(filled, policy=app.policy)]
    for name, value in given.items():
        findings.extend(check_value(name, value, policy=app.policy))
    return tuple(findings)


def _values(contact: Contact) -> dict[str, str | None]:
    return rendering.values_for(contact, sourcing=Sourcing(), sender=None, variables={})


def _about_steps(steps: Iterable[Step], vendor: VendorDescription) -> Iterator[Finding]:
    title = vendor.title
    for step in steps:
        if names := sorted(vendor.fills_in & set(used_in([step.subject or "", step.content]))):
            listed = ", ".join(f"{{{{{name}}}}}" for name in names)
            message = f"{title} fills in {listed}; its API does not tell with what."
            yield _warning(FILLED, message, step=step)
        if step.content_source is ContentSource.SUGGESTED:
            gate = "with nobody reading it" if step.policy.auto_validate_ai_draft else "after approval in its app"
            message = f"{title} writes this text for each person; it leaves {gate}."
            yield _warning(WRITTEN_THERE, message, step=step)


def _warning(rule: str, message: str, *, step: Step | None = None) -> Finding:
    return Finding(rule=rule, severity=Severity.WARNING, step_id=step.id if step else None, message=message)
