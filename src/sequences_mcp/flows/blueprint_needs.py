"""What a blueprint asks for, said before anybody is started: facts of people, steps by hand, days of sending."""

from __future__ import annotations

import math
from collections.abc import Iterator
from collections.abc import Sequence as Items
from dataclasses import dataclass

from sequences_mcp.domain.blueprint import Blueprint, Channel, Step
from sequences_mcp.domain.ids import LOCAL, provider_of
from sequences_mcp.domain.plan import OUTBOX, Plan, Terms
from sequences_mcp.domain.record import PlanTally
from sequences_mcp.domain.variables import used_in
from sequences_mcp.flows.person import ADDRESS_WORD

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


ACCOUNTS = {
    Channel.EMAIL: "a mailbox",
    Channel.LINKEDIN: "a LinkedIn account",
    Channel.WHATSAPP: "a WhatsApp account",
}
"""What has to be connected and synced in Kalent before a start (page "Start dynamic sequences")."""


def accounts_needed(blueprint_id: str, steps: Items[Step]) -> str | None:
    """Return what has to be connected at Kalent, of which its API does not tell whether it is; None elsewhere."""
    if provider_of(blueprint_id) != "kalent":
        return None
    channels = dict.fromkeys(step.type for step in steps)
    wanted = [word for channel, word in ACCOUNTS.items() if channel in channels]
    if not wanted:
        return None
    return f"{' and '.join(wanted)} connected and synced in Kalent, whose API does not tell whether that is so"


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
        users = [step.id for step in steps if variable in used_in([step.subject or "", step.content])]
        if users:
            yield f"{fact}: {_listed(users)} says {{{{{variable}}}}}, so whoever has none is left out"


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
    days = math.ceil(mails / terms.daily_cap)
    span = "within a day" if days <= 1 else f"over {days:,} days or more"
    where = "written to the outbox folder, which reaches nobody" if terms.delivery == OUTBOX else "sent"
    return f"{span}, at most {terms.daily_cap:,} in 24 hours ({where})"


def _listed(ids: Items[str]) -> str:
    return f"step {ids[0]}" if len(ids) == 1 else f"steps {', '.join(ids)}"
