"""The tool ``list_providers``."""

from __future__ import annotations

from sequences_mcp.context import AppContext
from sequences_mcp.server.catalog import READ, Definition
from sequences_mcp.server.views.reviews import ProvidersView, providers_view
from sequences_mcp.services import connections as verb


async def list_providers(app: AppContext) -> ProvidersView:
    """What is connected and what it can do; who sends, how, when and how much; who may approve; what is
    missing or broken; what waits for a person."""
    return providers_view(await verb.list_providers(app))


TOOL = Definition(list_providers, title="What is connected", hints=READ)
