"""The variables of the prompts' templates: arguments, stored records, and the guards' rules and limits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta

from sequences_mcp import prompting
from sequences_mcp.context import AppContext
from sequences_mcp.domain.blueprint import Channel, DelayUnit, LinkedInType, Sourcing, Step
from sequences_mcp.domain.contact import Contact, facts_of
from sequences_mcp.domain.ids import IdKind, parse_id
from sequences_mcp.domain.variables import VARIABLES
from sequences_mcp.domain.workspace import PROFILE_FILE
from sequences_mcp.errors import InvalidArgumentsError, NotFoundError
from sequences_mcp.guards.policy import GuardPolicy
from sequences_mcp.planning.rendering import values_for
from sequences_mcp.prompting import fenced
from sequences_mcp.server.resources import PROFILE
from sequences_mcp.server.text import cut, fitted
from sequences_mcp.server.views.blueprints import cut_steps, step_view
from sequences_mcp.services.blueprints import get_blueprint
from sequences_mcp.services.connections import list_providers


def limits(policy: GuardPolicy) -> tuple[str, ...]:
    """Return the limits that the policy in force sets, one sentence each."""
    forbidden = [f"Never write: {phrase}" for phrase in policy.forbidden]
    return (
        f"A blueprint has at most {policy.max_steps} steps and one LinkedIn invitation.",
        f"The note of a LinkedIn invitation has at most {policy.invitation_note} characters.",
        f"An SMS of more than {policy.sms_segments} segments needs a person's approval.",
        f"The units of a delay are {', '.join(DelayUnit)}.",
        *forbidden,
    )


# What drafts of language models have most often, of the rules that refuse a text. The others are found by
# check_blueprint, which every drafting prompt ends with; all of them in a prompt cost more than they mend.
OFTEN_BROKEN = (
    "variables.unknown",
    "variables.expression",
    "placeholders.square",
    "placeholders.instruction",
    "foreign.single_brace",
    "foreign.spintax",
    "foreign.subject_line",
    "foreign.preamble",
    "foreign.variants",
    "channel.markup",
    "channel.note_length",
)


def often_broken() -> tuple[str, ...]:
    """Return what the rules say that drafts break most often, each sentence once."""
    from sequences_mcp.guards.catalogue import RULES

    messages = {rule.id: rule.message for rule in RULES}
    return tuple(dict.fromkeys(messages[rule] for rule in OFTEN_BROKEN))


FINDINGS_SHOWN = 10
CONTENT_SHOWN, NOTES_SHOWN = 1_200, 1_000  # characters: a text and notes of ordinary length stand whole
OTHERS_TOKENS = 1_000  # of all that others wrote; a prompt has as many of its own
SUBJECTED = (Channel.EMAIL, LinkedInType.INMAIL)


async def prompt_facts_for(name: str, given: Mapping[str, str], *, app: AppContext) -> dict[str, object]:
    """Return what the template ``name`` needs; InvalidArgumentsError and NotFoundError for bad arguments."""
    if name == "weekly_review":
        return await _week(app)
    shared = _shared(name, app.policy)
    builders = {
        "draft_sequence": _sequence,
        "draft_step": _step,
        "personalise_step": _person,
        "fix_findings": _findings,
    }
    return {**shared, **given, **await builders[name](given, app)}


def skill_facts(name: str, given: Mapping[str, object]) -> dict[str, object]:
    """Return what the template ``name`` needs for a skill, which has no data folder: the profile is a resource."""
    if name == "weekly_review":
        return dict(given)
    text = {key: str(value) for key, value in given.items()}
    asked_for = playbook_facts(text) if name == "draft_sequence" else step_facts(text)
    return {**_shared(name, GuardPolicy()), **text, **asked_for, **_profile(""), "profile_at": PROFILE}


def _shared(name: str, policy: GuardPolicy) -> dict[str, object]:
    return {
        "variables": VARIABLES,
        "limits": limits(policy),
        "rules": () if name == "fix_findings" else often_broken(),
    }


async def _sequence(given: Mapping[str, str], app: AppContext) -> dict[str, object]:
    steps = given["steps"]
    if not (steps.isascii() and steps.isdigit() and 1 <= int(steps[:9]) <= app.policy.max_steps):
        raise InvalidArgumentsError(
            f"steps must be a whole number from 1 to {app.policy.max_steps}.", next_step="For example 3."
        )
    return {**_profile(app.profile()), **playbook_facts(given)}


def playbook_facts(given: Mapping[str, str]) -> dict[str, object]:
    """Return what draft_sequence needs of a playbook, in the language of the texts or else in English.

    Where no playbook is named these are all of them, without examples. InvalidArgumentsError for an unknown name.
    """
    name = given["playbook"].casefold()
    manners = _manners(given["language"], given["channels"])
    playbooks = [prompting.playbook(known) for known in prompting.PLAYBOOKS]
    language = prompting.language_named(given["language"])
    quoted = language if language in playbooks[0].examples else "English"
    if not name:
        return {**manners, "book": None, "books": playbooks, "quoted": quoted}
    if name not in prompting.PLAYBOOKS:
        raise InvalidArgumentsError(
            f"There is no playbook {cut(name, 80)!r}.", next_step=f"There are {', '.join(prompting.PLAYBOOKS)}."
        )
    book = prompting.playbook(name)
    return {
        **manners,
        "book": book,
        "quoted": quoted,
        "example": book.examples[quoted],
        "follow_up": book.follow_ups[quoted],
    }


def _manners(language: str, channels: str) -> dict[str, object]:
    return {
        "channel_manners": prompting.manners_of_channels(channels),
        "language_manners": prompting.manners_of_language(language),
    }


def _profile(text: str) -> dict[str, object]:
    return {"profile": fenced("profile", text) if text else "", "profile_file": PROFILE_FILE}


def step_facts(given: Mapping[str, str]) -> dict[str, object]:
    """Return what draft_step needs of its channel and language."""
    channel = given["channel"].upper()
    return {"needs_subject": channel in SUBJECTED, **_manners(given["language"], channel)}


async def _step(given: Mapping[str, str], app: AppContext) -> dict[str, object]:
    return {**step_facts(given), **_profile(app.profile())}


async def _person(given: Mapping[str, str], app: AppContext) -> dict[str, object]:
    blueprint = (await get_blueprint(app, blueprint_id=given["blueprint_id"])).blueprint
    step = _step_of(blueprint.steps, given["step_id"])
    pattern = step.alternatives[0]
    contact_id = str(parse_id(given["contact_id"], IdKind.CONTACT))
    [contact] = await app.local.get_contacts([contact_id])
    theirs = fitted(
        {
            "blueprint_name": blueprint.name,
            "step_name": step.name,
            "subject": pattern.subject,
            "content": cut(pattern.content, CONTENT_SHOWN),
            "person": _known(contact),
            "notes": cut(contact.notes or "(none)", NOTES_SHOWN),
            "values": _values(app.sending(blueprint.steps), contact, blueprint.sourcing),
        },
        most=OTHERS_TOKENS,
    )
    known = "\n".join([*_lines(theirs["person"]), "notes:", theirs["notes"]])
    return {
        **theirs,
        "contact_id": contact.id,
        "channel": step.linked_in_type or step.type,
        "language": given["language"] or contact.language or "the person's language, as far as it is known",
        **_manners(given["language"] or contact.language or "", step.type),
        **_profile(app.profile()),
        "person": fenced("what is known about the person", known),
        "values": fenced("values of the variables", "\n".join(_lines(theirs["values"]))),
    }


async def _findings(given: Mapping[str, str], app: AppContext) -> dict[str, object]:
    report = await get_blueprint(app, blueprint_id=given["blueprint_id"])
    steps = list(cut_steps(step_view(step) for step in report.blueprint.steps))
    theirs = fitted({"blueprint_name": report.blueprint.name, "steps": steps}, most=OTHERS_TOKENS)
    return {
        "blueprint_name": theirs["blueprint_name"],
        "version": report.blueprint.version,
        "steps": json.dumps(theirs["steps"], ensure_ascii=False, indent=1),
        "findings": report.findings[:FINDINGS_SHOWN],
        "more_findings": max(0, len(report.findings) - FINDINGS_SHOWN),
    }


async def _week(app: AppContext) -> dict[str, object]:
    report, now = await list_providers(app), app.clock()
    return {
        "now": now.isoformat(timespec="minutes"),
        "week_ago": (now - timedelta(days=7)).isoformat(timespec="minutes"),
        "waiting_plans": report.waiting.plans.number,
        "waiting_drafts": report.waiting.texts.number,
        "waiting_changes": report.waiting.changes.number,
        "open_tasks": report.waiting.tasks.number,
        "broken": report.broken,
    }


def _step_of(steps: tuple[Step, ...], step_id: str) -> Step:
    for step in steps:
        if step.id == step_id:
            return step
    raise NotFoundError(
        f"This blueprint has no step {step_id[:80]!r}.",
        next_step=f"Its steps are {', '.join(s.id for s in steps)}.",
    )


def _values(app: AppContext, contact: Contact, sourcing: Sourcing) -> dict[str, str]:
    values = values_for(contact, sourcing=sourcing, sender=app.sender, variables={})
    return {name: value or "(not known: leave it out)" for name, value in values.items()}


def _known(contact: Contact) -> dict[str, str]:
    # Not needed for writing a text, and a model might repeat them in one.
    private = ("email", "phone", "found_at", "basis", "consent")
    return {name: value for name, value in facts_of(contact).items() if value and name not in private}


def _lines(facts: Mapping[str, str]) -> list[str]:
    return [f"{name}: {value}" for name, value in facts.items()]
