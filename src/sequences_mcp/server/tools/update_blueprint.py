"""The tool ``update_blueprint``."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from sequences_mcp.context import AppContext
from sequences_mcp.domain.blueprint import OnReply, TextKind
from sequences_mcp.domain.ids import provider_of
from sequences_mcp.planning.requirements import needs_of
from sequences_mcp.server.arguments import Configuration, Name, Unpacked, VersionNumber
from sequences_mcp.server.catalog import WRITE, Definition
from sequences_mcp.server.views.blueprints import BlueprintWritten, blueprint_written
from sequences_mcp.services import blueprints as verb
from sequences_mcp.vendors.registry import DESCRIPTIONS


async def update_blueprint(
    app: AppContext,
    blueprint_id: str,
    expected_version: Annotated[VersionNumber, Field(description="The version the change is based on")],
    name: Name | None = None,
    steps: Annotated[
        list[Any] | None, Unpacked, Field(description="The whole list, as in create_blueprint")
    ] = None,
    job_title: Name | None = None,
    location: Name | None = None,
    config: Configuration = None,
    on_reply: OnReply | None = None,
    stop_company_on_reply: bool | None = None,
    format: TextKind | None = None,
    archived: bool | None = None,
    private: bool | None = None,
) -> BlueprintWritten:
    """Store a blueprint's next version. What is left out stays as it was; running sequences stay on
    their version. A stale expected_version is refused and shows what changed."""
    if format is not None:
        steps = await verb.steps_in_format(app, steps, format, blueprint_id=blueprint_id)
    report = await verb.update_blueprint(
        app,
        blueprint_id=blueprint_id,
        expected_version=expected_version,
        name=name,
        steps=steps,
        job_title=job_title,
        location=location,
        config=config,
        on_reply=on_reply,
        stop_company=stop_company_on_reply,
        archived=archived,
        private=private,
    )
    view = blueprint_written(report, needs_of(report.blueprint, app.sending(report.blueprint.steps).terms))
    vendor = DESCRIPTIONS.get(provider_of(blueprint_id))
    if vendor is None:
        return view
    return view.model_copy(update={"next": f"{view.next} {vendor.unseen_runs}".rstrip()})


# The same whole body once more changes nothing.
TOOL = Definition(update_blueprint, title="Change a blueprint", hints=WRITE, repeatable=True)
