"""Page "Start sequence blueprint"."""

from __future__ import annotations

from collections.abc import Iterable

from sequences_mcp.domain.blueprint import LinkedInType, Step
from sequences_mcp.sandbox.kalent.blueprints import blueprint_of
from sequences_mcp.sandbox.kalent.envelope import require_plan, success
from sequences_mcp.sandbox.rest.call import Call, Reply
from sequences_mcp.sandbox.rest.reading import only, texts
from sequences_mcp.sandbox.rest.refusal import BadInput, NoSuch, Refused
from sequences_mcp.sandbox.world import kalent

# Stated for the vendor's MCP tool, not on this page.
MOST = 100
ACCOUNTS = {"LINKEDIN": "LinkedIn", "WHATSAPP": "WhatsApp", "EMAIL": "Email"}


def start(call: Call) -> Reply:
    """Begin a run for each candidate: all of them or, where one is wrong, none.

    ``candidateCount`` is the number asked for. No repeat is recognised: nothing published says that one is.
    """
    blueprint = blueprint_of(call)
    candidate_ids = _candidate_ids(call)
    require_plan(call, "use_outreach_integrations")
    if not blueprint.steps:
        raise BadInput("The blueprint needs at least one valid step", field="steps")
    _require_accounts(call, blueprint.steps)
    _require_candidates(call, candidate_ids, sourcing_id=blueprint.sourcing_id)
    runs = {candidate_id: call.world.new_id("sequence") for candidate_id in candidate_ids}
    call.world.kalent = kalent.start(call.world.kalent, blueprint, runs, now=call.now)
    return success({"started": True, "blueprintId": blueprint.id, "candidateCount": len(candidate_ids)})


def _candidate_ids(call: Call) -> tuple[str, ...]:
    fields = call.fields()
    only(fields, ("candidateIds",))
    found = texts(fields, "candidateIds")
    if not 1 <= len(found) <= MOST:
        raise BadInput(f"candidateIds must contain 1 to {MOST} ids", field="candidateIds")
    return found


def _require_candidates(call: Call, candidate_ids: Iterable[str], *, sourcing_id: str) -> None:
    known = call.world.kalent.candidates
    for candidate_id in candidate_ids:
        if candidate_id not in known:
            raise NoSuch(f"Candidate {candidate_id}")
        if known[candidate_id].sourcing_id != sourcing_id:
            raise BadInput(
                f"Candidate {candidate_id} does not belong to the blueprint's sourcing", field="candidateIds"
            )


def _require_accounts(call: Call, steps: tuple[Step, ...]) -> None:
    for step in steps:
        account = step.type.lower()
        if account in call.key.lacks:
            raise _forbidden(
                f"{ACCOUNTS[step.type]} account is not connected or not synced",
                f"{account}_not_connected_or_syncing",
            )
        if step.linked_in_type is LinkedInType.INMAIL and "inmail" in call.key.lacks:
            raise _forbidden("LinkedIn InMail is not available", "linkedin_inmail_not_available")


def _forbidden(message: str, code: str) -> Refused:
    return Refused(403, "forbidden", message, details={"code": code})
