"""What the guards would say to another text for one person, without storing it."""

from __future__ import annotations

from sequences_mcp.domain.finding import Finding
from sequences_mcp.domain.ids import Kind
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.flows.rewrite import checked
from sequences_mcp.providers.port import Text


async def check_draft(
    desk: Desk, *, draft_id: str, content: str, subject: str | None = None
) -> tuple[Text, list[Finding]]:
    """Return the text as it would leave, its variables filled in, and the findings; NotFoundError."""
    provider = desk.provider_of(draft_id, Kind.DRAFT)
    draft = await offered(provider.drafts, provider, verb="read drafts").get_draft(draft_id)
    text = Text(subject=subject, content=content)
    return await checked(desk, draft, draft.run, variables=draft.sequence.variables, text=text)
