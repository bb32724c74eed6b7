"""The tool ``create_blueprint``."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from sequences_mcp.context import AppContext
from sequences_mcp.domain.blueprint import OnReply, TextKind
from sequences_mcp.domain.ids import LOCAL
from sequences_mcp.planning.requirements import needs_of
from sequences_mcp.server.arguments import Configuration, Name, Sourced, StepFormat, Unpacked
from sequences_mcp.server.catalog import WRITE, Definition
from sequences_mcp.server.views.blueprints import BlueprintWritten, blueprint_written
from sequences_mcp.services import blueprints as verb


async def create_blueprint(
    app: AppContext,
    name: Name,
    steps: Annotated[list[Any], Unpacked, StepFormat],
    job_title: Annotated[Name | None, Field(description="Fills {{sourcingJobTitle}}")] = None,
    location: Annotated[Name | None, Field(description="Fills {{sourcingLocation}}")] = None,
    provider: Sourced = LOCAL,
    config: Configuration = None,
    on_reply: OnReply | None = None,
    stop_company_on_reply: bool | None = None,
    format: TextKind | None = None,
    private: Annotated[bool | None, Field(description="Seen by its maker alone")] = None,
) -> BlueprintWritten:
    """Check ordered steps and store them as a new blueprint; errors of the guards refuse it.

    Variables, exactly: {{firstname}} {{lastname}} {{candidateJobTitle}} {{candidateCompanyName}}
    {{candidateLocation}} {{sourcingJobTitle}} {{sourcingLocation}} {{recruiterFirstname}} {{recruiterLastname}}.
    """
    if format is not None:
        steps = await verb.steps_in_format(app, steps, format)
    report = await verb.create_blueprint(
        app,
        name=name,
        steps=steps,
        job_title=job_title,
        location=location,
        provider=provider,
        config=config,
        on_reply=on_reply,
        stop_company=stop_company_on_reply,
        private=bool(private),
    )
    return blueprint_written(report, needs_of(report.blueprint, app.sending(report.blueprint.steps).terms))


TOOL = Definition(create_blueprint, title="Create a blueprint", hints=WRITE, distinguished_by="name")
