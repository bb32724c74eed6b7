"""A person's yes to exactly one text of a live sequence."""

from __future__ import annotations

from sequences_mcp.domain.finding import errors_in
from sequences_mcp.domain.ids import Kind
from sequences_mcp.errors import RefusedByGuardsError
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.flows.plan_warnings import draft_findings
from sequences_mcp.providers.port import Draft


async def approve_draft(
    desk: Desk, *, draft_id: str, digest: str, actor: str, signature: str | None = None
) -> Draft:
    """Return the text as approved; ApprovalError when it is not, or no longer, what was shown.

    RefusedByGuardsError for an error of the guards: the check at the send would hold the text again.
    """
    provider = desk.provider_of(draft_id, Kind.DRAFT)
    drafts = offered(provider.drafts, provider, verb="approve drafts")
    found = await draft_findings(desk, await drafts.get_draft(draft_id))
    if errors := errors_in(found):
        raise RefusedByGuardsError(
            f"The guards refuse this text, so it cannot be approved: {errors[0].message}",
            next_step="Edit the text, then approve it.",
            data={"findings": found},
        )
    return await drafts.approve_draft(draft_id, digest=digest, actor=actor, signature=signature)
