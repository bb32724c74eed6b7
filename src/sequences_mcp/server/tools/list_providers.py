"""The tool ``list_providers``."""

from __future__ import annotations

from sequences_mcp.flows import list_providers as verb
from sequences_mcp.flows.desk import Desk
from sequences_mcp.server.definition import READ, Definition
from sequences_mcp.server.views.provider import ProvidersView, providers_view


async def list_providers(desk: Desk) -> ProvidersView:
    """What is connected and what it can do; who sends, how, when and how much; who may approve; what is
    missing or broken; what waits for a person."""
    return providers_view(await verb.list_providers(desk))


TOOL = Definition(list_providers, title="What is connected", hints=READ)
