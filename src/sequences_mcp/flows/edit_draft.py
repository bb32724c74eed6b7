"""Change one pending text; any approval of it is void."""

from __future__ import annotations

from sequences_mcp.domain.ids import Kind
from sequences_mcp.errors import ConflictError
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.flows.rewrite import PENDING, rendered, store
from sequences_mcp.providers.port import Draft, Text


async def edit_draft(desk: Desk, *, draft_id: str, content: str, subject: str | None = None) -> Draft:
    """Return the draft with its new text; variables in it are filled in from the contact.

    Raises RefusedByGuardsError when the guards refuse the text, ConflictError when it has already left.
    """
    provider = desk.provider_of(draft_id, Kind.DRAFT)
    drafts = offered(provider.drafts, provider, verb="edit drafts")
    draft = await drafts.get_draft(draft_id)
    if draft.run.state not in PENDING:
        raise ConflictError(
            f"This text is {draft.run.state.value} and cannot change any more.",
            next_step="list_reviews shows the texts that still can.",
        )
    text = Text(subject=subject, content=content)
    new = await rendered(desk, draft, draft.run, variables=draft.sequence.variables, text=text)
    await store(desk, draft, {draft.run.step.id: new})
    return await drafts.get_draft(draft_id)
