"""Page "Enrich candidate contacts": asynchronous, and paid in contact credits."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sequences_mcp.sandbox.kalent.candidates import candidate_of
from sequences_mcp.sandbox.kalent.envelope import require_credits, success
from sequences_mcp.sandbox.rest.call import Call, Reply
from sequences_mcp.sandbox.rest.reading import one_of
from sequences_mcp.sandbox.rest.refusal import Refused
from sequences_mcp.sandbox.world.kalent import enriched

SEARCHED = {"phone": {"phone"}, "personalEmail": {"email"}, "all": {"email", "phone"}}
# The vendor's guidance is to ask every 10 to 20 seconds.
DURATION = timedelta(seconds=15)


def begin(call: Call) -> Reply:
    """Begin the search; ``contactsLoading`` of the candidate says when it is over."""
    candidate = candidate_of(call)
    kind = one_of(call.fields().get("enrichmentType"), SEARCHED, field="enrichmentType")
    if "enrich_providers" in call.key.lacks:
        raise Refused(400, "missing_enrich_providers", "No enrichment provider is configured in this workspace")
    require_credits(call)
    state = call.world.kalent
    found = enriched(state.talents[candidate.talent_id], frozenset(SEARCHED[kind]), ready_at=call.now + DURATION)
    call.world.kalent = replace(state, talents={**state.talents, found.id: found})
    return success({"candidateId": candidate.id, "talentId": found.id, "enrichmentType": kind})
