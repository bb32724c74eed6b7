"""What the guards say about a blueprint, and what it asks for before anybody is started."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Items
from functools import lru_cache
from typing import Any

from sequences_mcp.context import AppContext
from sequences_mcp.domain.blueprint import (
    Blueprint,
    Channel,
    ContentSource,
    LinkedInType,
    OnReply,
    Step,
    Temporality,
    TextKind,
)
from sequences_mcp.domain.findings import Finding, Severity, errors_in
from sequences_mcp.domain.ids import LOCAL, provider_of
from sequences_mcp.domain.inbound import DEAF
from sequences_mcp.domain.plan import OUTBOX, Plan, Terms
from sequences_mcp.domain.records import PlanTally
from sequences_mcp.domain.sender import Sender
from sequences_mcp.domain.threads import takes_thread_subject
from sequences_mcp.domain.variables import used_in
from sequences_mcp.errors import InvalidArgumentsError, NotSupportedError, RefusedByGuardsError
from sequences_mcp.guards.check import check_steps, check_text
from sequences_mcp.guards.policy import GuardPolicy
from sequences_mcp.guards.senders import MENDED, check_sender
from sequences_mcp.lazy_dataclasses import dataclass, replace
from sequences_mcp.planning.reminders import reminders_of_steps
from sequences_mcp.planning.rendering import ADDRESS_WORD
from sequences_mcp.vendors.registry import DESCRIPTIONS

UNREAD = "local.unread"
NOBODY_LISTENS = (
    "no mailbox is read here (SEQUENCES_IMAP_URL is not set): whoever answers the step before, or asks not to be "
    "written to again, still gets this one unless somebody records it first."
)
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
    app: AppContext, steps: object, *, provider: str, config: Mapping[str, Any] | None = None
) -> tuple[tuple[Step, ...], tuple[Finding, ...]]:
    """Return the steps and the remaining findings; RefusedByGuardsError carries all of them if one refuses.

    ``config`` is a vendor's own configuration of the whole blueprint, whose texts are looked at as well.
    NotSupportedError for steps with variants at a vendor.
    """
    report = check_steps(steps, policy=app.policy)
    findings = report.findings
    if provider != LOCAL:
        _require_one_text(report.well_formed, provider=provider)
        findings += tuple(_of_this_engine(report.well_formed))
    else:
        findings += (*without_effect(app, report.well_formed), *unread(app, report.well_formed))
    findings += (*reminders_of_steps(app, report.well_formed), *_in_config(config or {}, app.policy))
    require_no_errors(findings)
    assert report.steps is not None  # a form that is wrong is an error among the findings
    return tuple(map(_stored, report.steps)), findings


_OF_TEXTS = ("variables", "placeholders", "foreign")
MOST_CONFIGURED = 2_000  # texts


def _in_config(config: Mapping[str, Any], policy: GuardPolicy) -> Iterator[Finding]:
    """Yield what a template left in the texts of a configuration, whose keys the vendor does not publish.

    Equal texts are looked at once. InvalidArgumentsError for so many that they would hold up others.
    """
    places: dict[str, list[str]] = {}
    values: list[tuple[str, object]] = [("config", config)]
    while values:
        place, value = values.pop()
        if isinstance(value, Mapping):
            values += [(f"{place}.{key}", inner) for key, inner in value.items()]
        elif isinstance(value, list):
            values += [(f"{place}[{number}]", inner) for number, inner in enumerate(value)]
        elif isinstance(value, str):
            places.setdefault(value, []).append(place)
    if len(places) > MOST_CONFIGURED:
        raise InvalidArgumentsError(
            f"config holds {len(places)} different texts, of which {MOST_CONFIGURED} are taken.",
            next_step="Leave out what the vendor's configuration does not need.",
        )
    for text, where in places.items():
        findings = errors_in(check_text(text, field="content", policy=policy))
        left = [finding for finding in findings if finding.rule.partition(".")[0] in _OF_TEXTS]
        yield from (replace(finding, field=place) for place in where for finding in left)


def _require_one_text(steps: Items[Step], *, provider: str) -> None:
    for step in steps:
        if step.variants:
            title = DESCRIPTIONS[provider].title
            raise NotSupportedError(
                f"{title} takes one text a step, and step {step.id} has variants; only the embedded engine shares "
                "people out among them.",
                next_step=f"Give the step one subject and content, or store the blueprint with provider {LOCAL}; "
                f"to compare texts at {title}, make a blueprint for each and start different people in them.",
            )


def _stored(step: Step) -> Step:
    """Return a step as it is stored: without a text that nobody gets.

    A plain invitation carries none, at Kalent and here; of a step whose variants all have another, none is sent.
    """
    variants = step.variants or ()
    unused: dict[str, str | None] = {}
    if step.linked_in_type is LinkedInType.INVITATION or (
        variants and all(variant.content is not None for variant in variants)
    ):
        unused["content"] = ""
    if variants and all(variant.subject is not None for variant in variants):
        unused["subject"] = None
    return step.model_copy(update=unused) if unused else step


def unread(app: AppContext, steps: Items[Step]) -> Iterator[Finding]:
    """Yield what nobody reads: texts of steps that ask to spare a person reading them, and people's answers."""
    for step in steps:
        if step.policy.auto_validate_ai_draft and step.is_written_per_contact:
            message = "policy.autoValidateAIDraft is set: " + (SPARED if app.unread_drafts else NOT_SPARED)
            yield Finding(
                rule=UNREAD,
                severity=Severity.WARNING if app.unread_drafts else Severity.NOTE,
                step_id=step.id,
                field="policy.autoValidateAIDraft",
                message=message,
            )
    yield from _deaf(app, steps)


def _deaf(app: AppContext, steps: Items[Step]) -> Iterator[Finding]:
    """Yield, for the first step after an e-mail, that it leaves although nobody knows who answered."""
    if app.sending(steps).mailbox.is_deaf:
        after = iter(steps)
        if any(step.type is Channel.EMAIL for step in after) and (follow_up := next(after, None)):
            yield Finding(rule=DEAF, severity=Severity.WARNING, step_id=follow_up.id, message=NOBODY_LISTENS)


GOES_ON = "local.on_reply"


def after_answers(blueprint: Blueprint) -> Iterator[Finding]:
    """Yield, for a blueprint of the embedded engine, that its steps go on although somebody answered."""
    if blueprint.replies.on_reply is OnReply.CONTINUE and len(blueprint.steps) > 1:
        message = (
            "on_reply is continue: whoever answers by e-mail still gets this step and those after it, "
            "unless they ask not to be written to again."
        )
        yield Finding(
            rule=GOES_ON,
            severity=Severity.WARNING,
            step_id=blueprint.steps[1].id,
            field="on_reply",
            message=message,
        )


def _of_this_engine(steps: Items[Step]) -> Iterator[Finding]:
    """Yield, of a vendor's blueprint, what the embedded engine alone does."""
    for place, step in enumerate(steps):
        if step.format is TextKind.MARKDOWN:
            why = "The API takes text alone; only the embedded engine sends Markdown. Leave format out."
            yield _refusal("vendor.format", step, field="format", why=why)
        if step.starts_thread:
            why = "Only the embedded engine knows newThread. Leave it out."
            yield _refusal("vendor.new_thread", step, field="config.newThread", why=why)
        if takes_thread_subject(step, steps[:place]) and not step.is_written_per_contact:
            why = "An e-mail needs a subject; only the embedded engine takes over that of the e-mail before."
            yield _refusal("vendor.subject", step, field="subject", why=why)


def _refusal(rule: str, step: Step, *, field: str, why: str) -> Finding:
    return Finding(rule=rule, severity=Severity.ERROR, step_id=step.id, field=field, message=why)


NO_SENDER = "local.sender"


def without_effect(
    app: AppContext, steps: Items[Step], *, severity: Severity = Severity.ERROR
) -> Iterator[Finding]:
    """Yield each field that the embedded engine would take and never look at; a vendor may well use it."""
    for place, step in enumerate(steps):
        if why := _no_sender(app, step, steps):
            yield Finding(rule=NO_SENDER, severity=severity, step_id=step.id, field="config.userId", message=why)
        for rule, field, message in _unused(step, steps[:place]):
            yield Finding(rule=f"local.{rule}", severity=severity, step_id=step.id, field=field, message=message)


def _no_sender(app: AppContext, step: Step, steps: Items[Step]) -> str | None:
    """Return why nobody can send as a step asks for with config.userId, or None."""
    named = _sender_named(step)
    if named is None:
        return None
    known = app.sender_names
    if len(app.mailboxes) == 1 and named not in known:
        return (
            "The embedded engine sends everything as the one sender of this server, SEQUENCES_SENDER, which only "
            "the operator sets; list_providers shows who that is. Leave config out."
        )
    if named not in known:
        return f"No mailbox is called that; there are {', '.join(known)}. Name one of them, or leave config out."
    if any(_sender_named(other) != named for other in steps):
        return "One mailbox sends all of a sequence: name the same in every step, or leave config out."
    return None


def _sender_named(step: Step) -> str | None:
    return step.config.user_id if step.config is not None else None


def _unused(step: Step, earlier: Items[Step]) -> Iterator[tuple[str, str, str]]:
    if step.policy.auto_validate_ai_draft and not step.is_written_per_contact:
        yield (
            "auto_validate",
            "policy.autoValidateAIDraft",
            f"It is about texts written for each contact (contentSource {ContentSource.SUGGESTED}); this step has "
            "one text for all. Leave it out.",
        )
    if step.starts_thread and not (
        step.type is Channel.EMAIL and any(other.type is Channel.EMAIL for other in earlier)
    ):
        yield (
            "new_thread",
            "config.newThread",
            "It is about an e-mail after an e-mail, which would answer that one; this step answers none. Leave it "
            "out.",
        )
    days, invitation = (
        step.policy.invite_timeout_days,
        next((step for step in earlier if step.is_invitation), None),
    )
    waits = step.temporality_type is Temporality.AFTER_INVITATION_SETTLED
    if days is not None and not (step.is_invitation or waits):
        yield (
            "invitation_timeout",
            "policy.inviteTimeoutDays",
            "It belongs to the invitation, or to a step with temporalityType AFTER_INVITATION_SETTLED. Leave it "
            "out here.",
        )
    at_invitation = invitation.policy.invite_timeout_days if invitation else None
    if days is not None and waits and at_invitation is not None and at_invitation != days:
        yield (
            "invitation_timeout",
            "policy.inviteTimeoutDays",
            f"The invitation says {at_invitation} days, and that is what counts. Set it in one of the two only.",
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


def require_sound_sender(sender: Sender | None, policy: GuardPolicy, *, signs: bool = True) -> None:
    """Raise RefusedByGuardsError where the guards refuse what messages say of their sender.

    It comes from the settings, so that nobody looks at it when a blueprint is saved.
    """
    if sender is not None and (errors := check_sender(sender, policy, signs=signs)):
        names = " and ".join(dict.fromkeys(error.field or "" for error in errors))
        raise RefusedByGuardsError(
            f"The guards refuse the {names} of {sender.address}, which everybody who is written to would read.",
            next_step=MENDED,
            data={"findings": errors},
        )


def signs_any(steps: Items[Step]) -> bool:
    """Say whether a signature stands below the messages of any of these steps."""
    return any(step.type is Channel.EMAIL for step in steps)


def wire_steps(blueprint: Blueprint) -> list[dict[str, object]]:
    """Return a blueprint's steps as they came in."""
    return [_as_given(step) for step in blueprint.steps]


def _as_given(step: Step) -> dict[str, object]:
    return step.model_dump(mode="json", exclude_none=True, exclude_defaults=True)


# The variables that a person's own facts fill, and what those are called in save_contacts.
FACTS = {
    "firstname": "first_name",
    "lastname": "last_name",
    "candidateJobTitle": "job_title",
    "candidateCompanyName": "company",
    "candidateLocation": "location",
}
EXAMPLE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """``people_need`` is what has to be known of everybody, ``by_hand`` which steps a person carries out.

    ``accounts`` is what has to be connected at a vendor.
    """

    people_need: tuple[str, ...]
    by_hand: tuple[str, ...]
    pace: str | None
    accounts: str | None


def accounts_needed(blueprint_id: str, steps: Items[Step]) -> str | None:
    """Return what has to be connected in a vendor's app, which its API does not tell; None where nothing has."""
    vendor = DESCRIPTIONS.get(provider_of(blueprint_id))
    if vendor is None:
        return None
    channels = {step.type.value for step in steps}
    wanted = [word for channel, word in vendor.needs_connected.items() if channel in channels]
    if not wanted:
        return None
    listed = " and ".join(wanted)
    return f"{listed} connected and synced in {vendor.title}, whose API does not tell whether that is so"


def needs_of(blueprint: Blueprint, terms: Terms) -> Needs:
    """Return what a start of this blueprint needs, under the terms of whoever carries it out."""
    steps = blueprint.steps
    is_here = blueprint.id.startswith(f"{LOCAL}:")
    return Needs(
        people_need=(*_addresses(steps), *_facts(steps)),
        by_hand=tuple(_by_hand(steps)) if is_here else (),
        pace=_example(steps, terms) if is_here else None,
        accounts=accounts_needed(blueprint.id, steps),
    )


def pace_of(plan: Plan, tally: PlanTally, steps: Items[Step]) -> str | None:
    """Return how long the e-mails of a plan take at the mailbox's daily cap; None for a vendor's plan, or none."""
    terms = plan.header.terms
    counts = zip(steps, tally.messages, strict=False)
    mails = sum(count for step, count in counts if step.type is Channel.EMAIL)
    if terms.are_a_vendors or not mails:
        return None
    return f"{mails:,} {'e-mail' if mails == 1 else 'e-mails'}, {_days(mails, terms)}"


def will_skip(tally: PlanTally, steps: Items[Step]) -> dict[str, int]:
    """Return, by step id, for how many people of a plan that waits it is skipped for want of an address."""
    counts = zip(steps, tally.messages, strict=False)
    return {step.id: tally.concerned - count for step, count in counts if count < tally.concerned}


def _addresses(steps: Items[Step]) -> Iterator[str]:
    for word in dict.fromkeys(ADDRESS_WORD.values()):
        mine = [step for step in steps if ADDRESS_WORD[step.type] == word]
        must = [step.id for step in mine if not step.policy.skip_step_if_no_contact]
        may = [step.id for step in mine if step.policy.skip_step_if_no_contact]
        if must:
            yield f"{word}: {_listed(must)} cannot be done without it, so whoever has none is left out"
        elif may:
            yield f"{word}, or {_listed(may)} is skipped"


def _facts(steps: Items[Step]) -> Iterator[str]:
    for variable, fact in FACTS.items():
        users = [step.id for step in steps if variable in _used_by(step)]
        if users:
            yield f"{fact}: {_listed(users)} says {{{{{variable}}}}}, so whoever has none is left out"


def _used_by(step: Step) -> tuple[str, ...]:
    return used_in(part for text in step.alternatives for part in (text.subject or "", text.content))


def _by_hand(steps: Items[Step]) -> Iterator[str]:
    for step in steps:
        if step.type is not Channel.EMAIL:
            kind = (step.linked_in_type or step.type).value
            yield f"{step.id}: {kind}, a task for a person with the text ready to copy"
        if step.is_written_per_contact:
            yield f"{step.id}: a text of its own for each contact, written before the start and read by a person"


def _example(steps: Items[Step], terms: Terms) -> str | None:
    mails = sum(step.type is Channel.EMAIL for step in steps)
    if not mails:
        return None
    each = "1 e-mail" if mails == 1 else f"{mails} e-mails"
    return f"{each} for each person; for {EXAMPLE} people {_days(EXAMPLE * mails, terms)}"


def _days(mails: int, terms: Terms) -> str:
    days = terms.limits.days_for(mails)
    span = "the limits allow that within a day" if days <= 1 else f"over {days:,} days or more"
    where = "written to the outbox folder, which reaches nobody" if terms.delivery == OUTBOX else "sent"
    return f"{span}, at most {terms.limits.words} ({where})"


def _listed(ids: Items[str]) -> str:
    return f"step {ids[0]}" if len(ids) == 1 else f"steps {', '.join(ids)}"
