"""Whether a plan that waits, or a vendor's that is approved, still says what is true today."""

from __future__ import annotations

from sequences_mcp.domain.plan import Plan, Terms
from sequences_mcp.engine.approvals import unsigned_because, void_because
from sequences_mcp.engine.local.engine import Engine
from sequences_mcp.engine.store import blueprints, schedule
from sequences_mcp.engine.texts import present_digests, sealed_digest


def terms_today(engine: Engine, plan: Plan) -> Terms:
    """Return today's terms of whoever carries a plan out; those of the plan for a vendor not connected here."""
    if not plan.header.is_at_vendor:
        return engine.terms
    return engine.vendor_terms.get(plan.header.provider, plan.header.terms)


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
    if plan.header.provider not in engine.vendor_terms:
        return f"{plan.header.provider} is not connected"
    is_unasked = plan.header.is_allowed_by(engine.unasked)
    return (
        void_because(engine.store, plan, terms=terms_today(engine, plan))
        or newer_blueprint(engine, plan)
        or _rewritten(engine, plan)
        or (None if is_unasked else unsigned_because(engine.store, plan.id, plan.digest, unproven=engine.unproven))
    )


def _rewritten(engine: Engine, plan: Plan) -> str | None:
    digests = present_digests(engine.store, plan)
    return None if sealed_digest(plan, digests) == plan.digest else "it is not what was approved"
