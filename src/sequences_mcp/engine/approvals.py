"""Whether a person's yes still stands for one text, asked again just before it goes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import TypeAlias

from sequences_mcp.domain.addresses import address_key
from sequences_mcp.domain.blueprint import Channel
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.digests import plan_digest, text_digest
from sequences_mcp.domain.ids import LOCAL, Kind
from sequences_mcp.domain.plan import Plan, PlanHeader, PlanStatus
from sequences_mcp.domain.sequence import Sequence, StepRun
from sequences_mcp.engine.machine import APPROVAL
from sequences_mcp.engine.store import audit, plans
from sequences_mcp.engine.store.database import Store
from sequences_mcp.engine.texts import covers, split

Unproven: TypeAlias = Callable[[str, str | None], str | None]
"""Why a yes to a digest does not count, given what a passkey signed for it (None: nothing did), or None."""


def accept_unsigned(digest: str, signature: str | None) -> str | None:
    """Ask for no signature: where no passkey is registered, a recorded yes is enough."""
    return None


def draft_id(run: StepRun) -> str:
    """Return the id under which a text is reviewed."""
    return f"{LOCAL}:{Kind.DRAFT}_{run.key}"


def approved_at(store: Store, run: StepRun, *, digest: bytes) -> datetime | None:
    """Return when a person last said yes to exactly this text of this person, or None."""
    return max((yes.at for yes in plans.yeses(store, draft_id(run), text=digest)), default=None)


OTHER_SETTINGS = "approved for other settings"


def void_because(store: Store, plan: Plan) -> str | None:
    """Return why a plan's approval does not hold (any more), or None: a hold that a new approval ends."""
    if plan.status is not PlanStatus.APPROVED:
        return f"{APPROVAL}: the plan is {plan.status.value}{f' ({plan.reason})' if plan.reason else ''}"
    if plans.approved_at(store, plan.id, digest=plan.digest) is None:
        return f"{APPROVAL}: nobody approved the plan as it is now"
    return None


def unsigned_because(store: Store, subject: str, digest: str, *, unproven: Unproven) -> str | None:
    """Return why the yes to this plan or text is not a passkey's, where it has to be, or None."""
    return unproven(digest, plans.signature_of(store, subject, digest=digest))


def unsigned_text_because(store: Store, run: StepRun, *, digest: bytes, unproven: Unproven) -> str | None:
    """Return why the latest signed yes to this text is not a passkey's, where it has to be, or None.

    A yes to sending it again is signed for the attempt whose fate it was about.
    """
    given = plans.yeses(store, draft_id(run), text=digest)
    signed = next((yes for yes in reversed(given) if yes.signature is not None), None)
    return unproven(signed.digest, signed.signature) if signed else unproven(digest.hex(), None)


def uncovered_because(store: Store, plan: Plan, *, sequence: Sequence, run: StepRun) -> str | None:
    """Return why an approved plan's yes does not cover this text, or None."""
    digests = plans.texts(store, plan.id)
    present = _digest(plan.header, digests, version=plan.digest_version)
    if present == plan.digest and covers(digests, sequence, run):
        return None
    return "this text is not the one that was approved"


def is_approved(store: Store, plan: Plan, *, sequence: Sequence, run: StepRun) -> bool:
    """Say whether a person has said yes to exactly this text: to itself, or to its plan while that covered it."""
    if approved_at(store, run, digest=text_digest(sequence, run)) is not None:
        return True
    said = plans.approved_at(store, plan.id, digest=plan.digest) is not None
    return said and uncovered_because(store, plan, sequence=sequence, run=run) is None


def moved_because(run: StepRun, contact: Contact) -> str | None:
    """Return that the contact's address is no longer the one the text was approved for, or None."""
    now = address_of(run.step.type, contact)
    key = address_key if run.step.type is Channel.EMAIL else str.casefold
    if run.recipient is None or now is None or key(now) == key(run.recipient):
        return None
    return f"it was approved for {run.recipient}, and the contact's address is now {now}"


def address_of(channel: Channel, contact: Contact) -> str | None:
    """Return where a channel reaches a person, or None."""
    if channel is Channel.EMAIL:
        return contact.email
    return contact.linkedin_url if channel is Channel.LINKEDIN else contact.phone


def voided(plan: Plan, reason: str) -> Plan:
    """Return the plan without its approval."""
    return replace(plan, status=PlanStatus.VOID, reason=reason)


@lru_cache(maxsize=4)
def _digest(header: PlanHeader, digests: bytes, *, version: int) -> str:
    """Return the digest of a plan's texts; remembered, since it is asked for before each of its e-mails."""
    return plan_digest(header, split(digests), version=version)


def decide(store: Store, plan: Plan, *, action: str, now: datetime, actor: str) -> Plan:
    """Store and audit a plan's decision; return it. Its people follow in ``deciding.carry_out``."""
    is_final = plan.status not in {PlanStatus.DRAFTING, PlanStatus.WAITING, PlanStatus.VOID}
    if is_final:
        plan = replace(plan, decided_at=now, decided_by=actor)
    detail: dict[str, object] = {"digest": plan.digest}
    if plan.reason:
        detail["reason"] = plan.reason
    if plan.header.warnings or plan.warnings:
        detail["warnings"] = {"of_all": plan.header.warnings, "of_people": plan.warnings}
    with store.transaction():
        plans.update(store, plan, unsettled=is_final)
        audit.append(
            store, [audit.Entry(at=now, actor=actor, action=f"plan.{action}", subject=plan.id, detail=detail)]
        )
    return plan
