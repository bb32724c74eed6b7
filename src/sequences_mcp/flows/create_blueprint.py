"""Guard a list of steps, then store it as a new blueprint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sequences_mcp.domain import invisible
from sequences_mcp.domain.blueprint import Blueprint, Sourcing, Step
from sequences_mcp.domain.ids import LOCAL, provider_of
from sequences_mcp.domain.variables import is_blank
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.flows.blueprint_report import BlueprintReport, approved_by_guards
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.flows.given import Given, require_sound


async def create_blueprint(
    desk: Desk,
    *,
    name: str,
    steps: object,
    job_title: str | None = None,
    location: str | None = None,
    provider: str = LOCAL,
    config: Mapping[str, Any] | None = None,
) -> BlueprintReport:
    """Return the blueprint, version 1, with its warnings; RefusedByGuardsError when a finding refuses.

    ``provider`` is a name, or the id of a Kalent sourcing, whose own title and place fill the variables. There
    the steps may be given later, and ``config`` is Kalent's sequence-level configuration.
    """
    checked, findings = approved_by_guards(desk, steps, provider=provider_of(provider))
    sourcing = sourcing_given(desk, job_title=job_title, location=location)
    made = await _created(desk, provider, name=valid_name(name), steps=checked, sourcing=sourcing, config=config)
    return BlueprintReport(made, findings)


async def _created(
    desk: Desk,
    provider: str,
    *,
    name: str,
    steps: tuple[Step, ...],
    sourcing: Sourcing,
    config: Mapping[str, Any] | None,
) -> Blueprint:
    where = desk.named(provider_of(provider))
    if where.sourcings is None:
        require_no_config(config)
        blueprints = offered(where.blueprints, where, verb="create blueprints")
        return await blueprints.create_blueprint(name=name, steps=steps, sourcing=sourcing)
    if sourcing != Sourcing():
        raise InvalidArgumentsError(
            "A blueprint in a sourcing has its sourcing's own title and place.",
            next_step="Leave out job_title and location.",
        )
    return await where.sourcings.create_blueprint(provider, name=name, steps=steps, config=config)


def require_no_config(config: Mapping[str, Any] | None) -> None:
    """Raise InvalidArgumentsError for a configuration where nothing would heed it."""
    if config is not None:
        raise InvalidArgumentsError(
            "config is the configuration of a Kalent blueprint; no other provider has one.",
            next_step="Leave it out. What can be set is in the steps' delay, policy and temporalityType.",
        )


def valid_name(name: str) -> str:
    """Return a blueprint's name, trimmed.

    Raises InvalidArgumentsError when it is blank, over 200 characters, or has characters that cannot be seen.
    """
    if is_blank(name) or len(name) > 200:
        raise InvalidArgumentsError("name is blank or longer than 200 characters.", next_step="Give a short name.")
    if run := next(invisible.find(name.strip()), None):
        raise InvalidArgumentsError(
            f"name has characters that cannot be seen ({invisible.names_of(name.strip(), run)}).",
            next_step="Give the name without them.",
        )
    return name.strip()


def sourcing_given(desk: Desk, *, job_title: str | None, location: str | None) -> Sourcing:
    """Return what a caller says a blueprint is about; RefusedByGuardsError for a placeholder."""
    given = Sourcing(job_title=clean(job_title), location=clean(location))
    values = [Given("", "job_title", given.job_title), Given("", "location", given.location)]
    require_sound(values, policy=desk.policy)
    return given


def clean(text: str | None) -> str | None:
    """Return the text trimmed, or None where nothing is left."""
    return (text or "").strip() or None
