"""Whether a plan was made for the settings of today, and whether a vendor's still says what is true.

An approval covers the settings it was given for. A process works on the plans of its own settings alone; whatever
was approved for others is left as it is, and goes on by itself wherever those are. Where nobody has them any more,
the settings have really changed: then the plan can be approved for those of this process, as a whole.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sequences_mcp.domain.ids import VENDORS
from sequences_mcp.domain.plan import Plan, PlanStatus, Terms
from sequences_mcp.engine.approvals import OTHER_SETTINGS, unsigned_because, void_because
from sequences_mcp.engine.local.engine import Engine
from sequences_mcp.engine.pulse import alive, served
from sequences_mcp.engine.store import blueprints, plans, schedule
from sequences_mcp.engine.texts import present_digests, resealed, sealed_digest

_TWO_DAYS = timedelta(days=2)


def terms_today(engine: Engine, plan: Plan) -> Terms:
    """Return today's terms of whoever carries a plan out; those of the plan where this process knows no others."""
    own = plan.header.terms
    if plan.header.is_at_vendor:
        return engine.vendor_terms.get(plan.header.provider, own)
    return own if _lacks(engine, own) else engine.terms


def _lacks(engine: Engine, terms: Terms) -> bool:
    return engine.terms.lacks(terms, knows_server=engine.knows_server)


def not_ours(engine: Engine, plan: Plan) -> str | None:
    """Return that a plan was made for other settings than those of this process, or None."""
    own = plan.header.terms
    if not plan.header.is_at_vendor:
        changed = own.difference(engine.terms)
        return f"{OTHER_SETTINGS}: {changed}" if changed else None
    title = VENDORS[plan.header.provider]
    if plan.header.provider not in engine.vendor_terms:
        return f"{title} is not connected to this process"
    if changed := own.difference(engine.vendor_terms[plan.header.provider]):
        return f"{OTHER_SETTINGS}: {changed}"
    if plan.account not in ("", engine.accounts.get(plan.header.provider, "")):
        return f"{OTHER_SETTINGS}: the key at {title} is another one"
    return None


def held_for(engine: Engine, found: list[Plan]) -> dict[str, str]:
    """Return, by id, why approved plans do not go on now: no worker has the settings they were approved for."""
    waiting = {one.id: why for one in found if (why := not_ours(engine, one))}
    if not waiting:
        return {}
    at_work = served(alive(engine.store, now=engine.clock()))
    idle = [one for one in found if one.id in waiting and at_work.isdisjoint(one.settings)]
    return {one.id: _told(engine, one, waiting[one.id]) for one in idle}


def _told(engine: Engine, plan: Plan, why: str) -> str:
    own = plan.header.terms
    if not plan.header.is_at_vendor and _lacks(engine, own):
        who = f"{own.sender_name} <{own.sender_address}> through {own.delivery}"
        return f"{OTHER_SETTINGS} ({who}), which this process does not have; no worker that has them runs"
    return f"{why}; it goes on by itself when they are back"


def as_today(engine: Engine, plan: Plan) -> Plan:
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
        key, lambda: resealed(engine.store, fresh, present_digests(engine.store, fresh))
    )


def _is_changed(engine: Engine, plan: Plan) -> bool:
    """Say whether this process has other settings to offer: one that lacks them has none."""
    if plan.header.is_at_vendor:
        return plan.header.provider in engine.vendor_terms
    return not _lacks(engine, plan.header.terms)


def _is_going_on(engine: Engine, plan: Plan) -> bool:
    if plan.header.is_at_vendor:
        return bool(schedule.found_in(engine.store, plan.id, after=-1, size=1))
    return bool(schedule.live_in(engine.store, plan.id, after=-1, size=1))


def held_plans(engine: Engine) -> tuple[str, ...]:
    """Return the ids of approved plans that wait for a person, because the settings are others now."""
    going = [one for one in plans.going_on(engine.store, terms=engine.terms) if _is_changed(engine, one)]
    return tuple(held_for(engine, going))


def newer_blueprint(engine: Engine, plan: Plan) -> str | None:
    """Return that the blueprint has changed, unless people are under way on the plan's version already."""
    newest = blueprints.find(engine.store, plan.header.blueprint_id)
    if newest is None or newest.version == plan.header.blueprint_version:
        return None
    if schedule.live_in(engine.store, plan.id, after=-1, size=1):
        return None
    return f"the blueprint is at version {newest.version} and the plan at {plan.header.blueprint_version}"


def fallen_because(engine: Engine, plan: Plan) -> str | None:
    """Return why the approval of a vendor's plan does not hold at the moment of its request, or None."""
    is_unasked = plan.header.is_allowed_by(engine.unasked)
    return (
        void_because(engine.store, plan)
        or newer_blueprint(engine, plan)
        or _rewritten(engine, plan)
        or (None if is_unasked else unsigned_because(engine.store, plan.id, plan.digest, unproven=engine.unproven))
    )


def _rewritten(engine: Engine, plan: Plan) -> str | None:
    digest = sealed_digest(plan, present_digests(engine.store, plan))
    return None if digest == plan.digest else "it is not what was approved"
