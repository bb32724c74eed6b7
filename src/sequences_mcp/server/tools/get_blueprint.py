"""The tool ``get_blueprint``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sequences_mcp.context import AppContext
from sequences_mcp.server.arguments import VersionNumber
from sequences_mcp.server.catalog import READ, Definition
from sequences_mcp.server.views.blueprints import BlueprintView, blueprint_view
from sequences_mcp.services import blueprints as verb


async def get_blueprint(
    app: AppContext,
    blueprint_id: str,
    version: Annotated[VersionNumber | None, Field(description="Default: newest")] = None,
    full: Annotated[bool, Field(description="Long texts uncut")] = False,
) -> BlueprintView:
    """One blueprint: steps, version, what the guards find."""
    report = await verb.get_blueprint(app, blueprint_id=blueprint_id, version=version)
    return blueprint_view(report, full=full)


TOOL = Definition(get_blueprint, title="Read a blueprint", hints=READ)
