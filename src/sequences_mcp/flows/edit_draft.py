"""Change one pending text; any approval of it is void."""

from __future__ import annotations

from dataclasses import replace

from sequences_mcp.domain.blueprint import ContentSource
from sequences_mcp.domain.ids import Kind
from sequences_mcp.errors import ConflictError
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.flows.rewrite import PENDING, rendered
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
    new = await _rendered(desk, draft, Text(subject=subject, content=content))
    await drafts.rewrite(draft.sequence.id, {draft.run.step.id: new})
    return await drafts.get_draft(draft_id)


async def _rendered(desk: Desk, draft: Draft, text: Text) -> Text:
    """Return the final text. A subject that stays is final already: it must not be filled in a second time."""
    stays = text.subject is None and draft.run.content is not None
    subject = {"subject": None} if stays else {}
    own = draft.run.step.model_copy(update={"content_source": ContentSource.SUGGESTED, **subject})
    new = await rendered(
        desk, draft, own, variables=draft.sequence.variables, text=replace(text, keeps_subject=stays)
    )
    return replace(new, subject=draft.run.subject) if stays else new
