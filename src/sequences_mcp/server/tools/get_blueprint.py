"""The tool ``get_blueprint``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sequences_mcp.flows import get_blueprint as verb
from sequences_mcp.flows.desk import Desk
from sequences_mcp.server.definition import READ, Definition
from sequences_mcp.server.views.blueprint import BlueprintView, blueprint_view


async def get_blueprint(
    desk: Desk,
    blueprint_id: str,
    version: Annotated[int | None, Field(ge=1, description="Default: newest")] = None,
    full: Annotated[bool, Field(description="Long texts uncut")] = False,
) -> BlueprintView:
    """One blueprint: its steps, its version, and what the guards find in it."""
    report = await verb.get_blueprint(desk, blueprint_id=blueprint_id, version=version)
    return blueprint_view(report, full=full)


TOOL = Definition(get_blueprint, title="Read a blueprint", hints=READ)
