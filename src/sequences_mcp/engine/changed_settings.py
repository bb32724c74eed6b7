"""Whether what was approved still matches the settings of today."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sequences_mcp.domain import actors
from sequences_mcp.domain.entries import OtherSettings
from sequences_mcp.domain.ids import VENDORS
from sequences_mcp.domain.plan import OUTDATED, Plan, PlanStatus, Terms
from sequences_mcp.domain.run import IN_FLIGHT, SequenceStatus, StepState
from sequences_mcp.engine import approvals, four_eyes
from sequences_mcp.engine.context import EngineContext, keep_changes
from sequences_mcp.engine.machine import APPROVAL, grounded, step_resolved, with_run
from sequences_mcp.engine.supervisor import alive, served
from sequences_mcp.store.unit_of_work import Store

_TWO_DAYS = timedelta(days=2)


def terms_today(engine: EngineContext, plan: Plan) -> Terms:
    """Return today's terms of whoever carries a plan out; those of the plan where this process knows no others."""
    terms = plan.header.terms
    if plan.header.is_at_vendor:
        return engine.vendor_terms.get(plan.header.provider, terms)
    return terms if _lacks(engine, terms) else engine.own_terms(terms)


def _lacks(engine: EngineContext, terms: Terms) -> bool:
    return engine.own_terms(terms).lacks(terms, knows_server=engine.knows_server)


def not_ours(engine: EngineContext, plan: Plan) -> str | None:
    """Return that a plan was made for other settings than those of this process, or None."""
    terms = plan.header.terms
    if not plan.header.is_at_vendor:
        changed = terms.difference(engine.own_terms(terms))
        return f"{approvals.OTHER_SETTINGS}: {changed}" if changed else None
    title = VENDORS[plan.header.provider]
    if plan.header.provider not in engine.vendor_terms:
        return f"{title} is not connected to this process"
    if changed := terms.difference(engine.vendor_terms[plan.header.provider]):
        return f"{approvals.OTHER_SETTINGS}: {changed}"
    if plan.account not in ("", engine.accounts.get(plan.header.provider, "")):
        return f"{approvals.OTHER_SETTINGS}: the key at {title} is another one"
    return None


def held_for(engine: EngineContext, results: list[Plan]) -> dict[str, str]:
    """Return, by id, why approved plans do not go on now: no worker has the settings they were approved for."""
    waiting = {result.id: why for result in results if (why := not_ours(engine, result))}
    if not waiting:
        return {}
    at_work = served(alive(engine.store, now=engine.clock()))
    idle = [result for result in results if result.id in waiting and at_work.isdisjoint(result.settings)]
    return {plan.id: _difference_words(engine, plan, waiting[plan.id]) for plan in idle}


def _difference_words(engine: EngineContext, plan: Plan, why: str) -> str:
    terms = plan.header.terms
    if not plan.header.is_at_vendor and _lacks(engine, terms):
        who = f"{terms.sender_name} <{terms.sender_address}> through {terms.delivery}"
        return (
            f"{approvals.OTHER_SETTINGS} ({who}), which this process does not have; no worker that has them runs"
        )
    return f"{why}; it goes on by itself when they are back"


def as_today(engine: EngineContext, plan: Plan) -> Plan:
    """Return a plan as a person can decide about it now.

    One that is approved for settings which nobody has any more waits, with those of this process: its digest is
    another one, and approving that goes on with it. Nothing of this is stored before somebody approves.
    """
    if plan.status is not PlanStatus.APPROVED or not (why := held_for(engine, [plan]).get(plan.id)):
        return plan
    if not _is_changed(engine, plan) or not _is_going_on(engine, plan):
        return plan
    terms, day = terms_today(engine, plan), engine.clock().replace(hour=0, minute=0, second=0, microsecond=0)
    fresh = replace(
        plan,
        status=PlanStatus.WAITING,
        header=replace(plan.header, terms=terms, expires_at=day + _TWO_DAYS),
        reason=why,
        account=engine.accounts.get(plan.header.provider, ""),
    )
    key = ("a plan as it is today", plan, fresh.header)
    return engine.store.remembered(
        key, lambda: approvals.resealed(engine.store, fresh, approvals.present_digests(engine.store, fresh))
    )


def _is_changed(engine: EngineContext, plan: Plan) -> bool:
    """Say whether this process has other settings to offer: one that lacks them has none."""
    if plan.header.is_at_vendor:
        return plan.header.provider in engine.vendor_terms
    return not _lacks(engine, plan.header.terms)


def _is_going_on(engine: EngineContext, plan: Plan) -> bool:
    if plan.header.is_at_vendor:
        return bool(engine.store.runs.found_in(plan.id, after=-1, size=1))
    return bool(engine.store.runs.live_in(plan.id, after=-1, size=1))


def held_plans(engine: EngineContext) -> tuple[str, ...]:
    """Return the ids of approved plans that wait for a person, because the settings are others now."""
    going = [plan for plan in engine.store.plans.going_on(terms=engine.terms) if _is_changed(engine, plan)]
    return tuple(held_for(engine, going))


def newer_blueprint(engine: EngineContext, plan: Plan) -> str | None:
    """Return that the blueprint has changed, unless people are under way on the plan's version already.

    It is told to everybody who sees the plan, so it has nothing of a blueprint that may be somebody's alone.
    """
    newest = engine.store.blueprints.find(plan.header.blueprint_id)
    if newest is None or newest.version == plan.header.blueprint_version:
        return None
    if engine.store.runs.live_in(plan.id, after=-1, size=1):
        return None
    return OUTDATED


def fallen_because(engine: EngineContext, plan: Plan) -> str | None:
    """Return why the approval of a vendor's plan does not hold at the moment of its request, or None."""
    is_preapproved = plan.header.is_allowed_by(engine.preapproved)
    return (
        approvals.void_because(engine.store, plan)
        or newer_blueprint(engine, plan)
        or _rewritten(engine, plan)
        or (
            None
            if is_preapproved
            else approvals.unsigned_because(
                engine.store, plan.id, plan.digest, signature_check=engine.signature_check
            )
            or four_eyes.lacking_because(engine.store, plan.id, digest=plan.digest, approvers=engine.approvers)
        )
    )


def _rewritten(engine: EngineContext, plan: Plan) -> str | None:
    digest = approvals.sealed_digest(plan, approvals.present_digests(engine.store, plan))
    return None if approvals.stands_for(engine.store, plan, digest) else "it is not what was approved"


BATCH = 100
HELD = f"{APPROVAL}: {approvals.OTHER_SETTINGS}"


def hold_changed(store: Store, *, terms: Terms, now: datetime) -> list[OtherSettings]:
    """Hold what is due under settings that have really changed; return whose runs are left alone."""
    plans_elsewhere = store.plans.other_settings(terms=terms, now=now)
    if not plans_elsewhere:
        return []
    at_work = served(alive(store, now=now))
    changed = [
        item for item in plans_elsewhere if _is_ours(item.terms, terms) and item.terms.fingerprint not in at_work
    ]
    for item in changed:
        why = f"{HELD}: {item.terms.difference(terms)}"
        while _hold_some(store, item.terms, why=why, now=now):
            pass
    return [item for item in plans_elsewhere if item not in changed]


def let_go(store: Store, *, terms: Terms, now: datetime) -> None:
    """Let go on what was held for other settings and was approved for these."""
    while True:
        with store.transaction() as work:
            people = work.runs.held_because(HELD, terms=terms, size=BATCH)
            for person in people:
                run = person.current
                if run is not None:
                    freed = with_run(person, replace(run, until=now))
                    keep_changes(
                        work,
                        person,
                        step_resolved(freed, now),
                        action="sequence.let_go",
                        now=now,
                        actor=actors.WORKER,
                    )
        if len(people) < BATCH:
            return


def _is_ours(theirs: Terms, ours: Terms) -> bool:
    return (theirs.sender_address, theirs.delivery) == (ours.sender_address, ours.delivery)


def _hold_some(store: Store, terms: Terms, *, why: str, now: datetime) -> bool:
    """Hold a batch of what is due; return whether any of it was."""
    with store.transaction() as work:
        held = 0
        for item in work.runs.due_under(terms, now=now, size=BATCH):
            run = item.current
            if run is None or item.status is not SequenceStatus.ACTIVE or run.state in IN_FLIGHT:
                continue  # a pause or a lease that ends
            after = step_resolved(with_run(item, grounded(run, StepState.HELD, reason=why)), now)
            keep_changes(work, item, after, action="sequence.held", now=now, actor=actors.WORKER)
            held += 1
    return held > 0
