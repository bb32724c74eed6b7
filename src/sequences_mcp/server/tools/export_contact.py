"""The tool ``export_contact``: writes all that is kept of one person into a file, and tells how much that is."""

from __future__ import annotations

from typing import Annotated, Any

from mcp.server.mcpserver import Context
from pydantic import Field

from sequences_mcp.context import AppContext
from sequences_mcp.server.arguments import ShortText
from sequences_mcp.server.catalog import WRITE, Definition
from sequences_mcp.server.view import WrittenView
from sequences_mcp.services import erasure as verb


class ContactExported(WrittenView):
    """Where the data is, how many rows of what, and what vendors hold beside it."""

    file: str
    counts: dict[str, int]
    at_vendors: dict[str, str] | None = None


async def export_contact(
    app: AppContext,
    contact: Annotated[ShortText, Field(description="Contact id or email address")],
    ctx: Context[Any, Any],
) -> ContactExported:
    """Write all data of one person into a file."""
    exported = await verb.export_contact(app, contact=contact)
    return ContactExported(
        file=str(exported.file),
        counts=dict(exported.counts),
        at_vendors=dict(exported.at_vendors) or None,
        next="Tell the person where the file is; they open it themselves. It is deleted after a day.",
    )


TOOL = Definition(export_contact, title="Export a person's data", hints=WRITE, staged=True)
