"""Guard the change, then store it as the next version; what runs stays on its own version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Items
from typing import Any

from pydantic import ValidationError

from sequences_mcp.domain.blueprint import Sourcing, Step
from sequences_mcp.domain.ids import LOCAL, Kind, provider_of
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.flows.asked_change import ask_for
from sequences_mcp.flows.blueprint_report import BlueprintReport, approved_by_guards, wire_steps
from sequences_mcp.flows.create_blueprint import require_no_config, sourcing_given, valid_name
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.providers.port import SequenceFilter


async def update_blueprint(
    desk: Desk,
    *,
    blueprint_id: str,
    expected_version: int,
    name: str | None = None,
    steps: object | None = None,
    job_title: str | None = None,
    location: str | None = None,
    config: Mapping[str, Any] | None = None,
) -> BlueprintReport:
    """Return the new version; what is None stays as it was, ``steps`` replaces the whole list.

    A shorter list that also changes or adds steps is refused: it is mostly the one step that was to be changed,
    and would drop the others. Removing steps is a call of its own, with the remaining ones unchanged.

    A vendor's blueprint in which people were started waits for a person: ApprovalError. Raises StaleVersionError
    when ``expected_version`` is not the newest, RefusedByGuardsError on an error.
    """
    if all(one is None for one in (name, steps, job_title, location, config)):
        raise InvalidArgumentsError("Nothing to change.", next_step="Give name, steps, job_title or location.")
    provider = desk.provider_of(blueprint_id, Kind.BLUEPRINT)
    blueprints = offered(provider.blueprints, provider, verb="update blueprints")
    old = await blueprints.get_blueprint(blueprint_id)
    if isinstance(steps, list):
        _require_whole_list(old.steps, steps)
    checked, findings = approved_by_guards(
        desk, wire_steps(old) if steps is None else steps, provider=provider.name
    )
    given = sourcing_given(desk, job_title=job_title, location=location)
    sourcing = Sourcing(
        job_title=old.sourcing.job_title if job_title is None else given.job_title,
        location=old.sourcing.location if location is None else given.location,
    )
    new_name = old.name if name is None else valid_name(name)
    if provider.name != LOCAL and not desk.is_approved and await _has_runs(desk, blueprint_id):
        own = None if steps is None else [one.model_dump(mode="json", exclude_none=True) for one in checked]
        asked = {
            "expected_version": expected_version,
            "name": name,
            "steps": own,
            "job_title": job_title,
            "location": location,
            "config": config,
        }
        earlier = await present_blueprint(desk, blueprint_id)
        await ask_for(desk, "update_blueprint", blueprint_id, arguments=asked, earlier=earlier)
    if config is not None and provider.sourcings is not None:
        known = old.model_copy(update={"version": expected_version})
        configured = await provider.sourcings.configure_blueprint(
            known, name=new_name, steps=checked, config=config
        )
        return BlueprintReport(configured, findings)
    require_no_config(config)
    blueprint = await blueprints.update_blueprint(
        blueprint_id,
        expected_version=expected_version,
        name=new_name,
        steps=checked,
        sourcing=sourcing,
    )
    kept = {step.id for step in blueprint.steps}
    removed = tuple(step.id for step in old.steps if step.id not in kept)
    return BlueprintReport(blueprint, findings, removed)


async def present_blueprint(desk: Desk, blueprint_id: str) -> dict[str, object]:
    """Return a blueprint as it is known now: its version, name and steps."""
    provider = desk.provider_of(blueprint_id, Kind.BLUEPRINT)
    found = await offered(provider.blueprints, provider, verb="read blueprints").get_blueprint(blueprint_id)
    facts = {"name": found.name, "job_title": found.sourcing.job_title, "location": found.sourcing.location}
    return {"expected_version": found.version, **facts, "steps": _written(found.steps)}


def blueprint_as_kept(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of a blueprint that an older program may have kept, its steps as this one writes them."""
    steps = facts.get("steps")
    return {**facts} if steps is None else {**facts, "steps": _written(map(Step.model_validate, steps))}


def _written(steps: Iterable[Step]) -> list[dict[str, Any]]:
    return [step.model_dump(mode="json", exclude_none=True) for step in steps]


async def _has_runs(desk: Desk, blueprint_id: str) -> bool:
    """Say whether people were started in a vendor's blueprint from here: its change may reach who is under way."""
    provider, page = provider_of(blueprint_id), 1
    while True:
        wanted = SequenceFilter(blueprint_id=blueprint_id, page=page, size=100)
        found = await desk.vendor_runs.list_runs(provider, wanted)
        if any(one.sequence.is_handed_over for one in found.items):
            return True
        if not found.has_more:
            return False
        page += 1


def _require_whole_list(old: Items[Step], given: list[object]) -> None:
    """Raise InvalidArgumentsError when a list drops steps and is not just what remains of the old one."""
    kept = [_unchanged(step, old) for step in given]
    dropped = [step.id for step in old if step.id not in {_id(step) for step in given}]
    if len(given) < len(old) and dropped and not all(kept):
        raise InvalidArgumentsError(
            f"steps is the whole list. This call gives {len(given)} of {len(old)} steps and would drop "
            f"{', '.join(dropped)}.",
            next_step="Give every step, changed or not, as get_blueprint shows them. To remove steps, first give "
            "the remaining ones unchanged; a wholly new list is a new blueprint (create_blueprint).",
            data={"would_drop": dropped},
        )


def _unchanged(given: object, old: Items[Step]) -> bool:
    try:
        return Step.model_validate(given) in old
    except ValidationError:
        return False


def _id(given: object) -> object:
    return given.get("id") if isinstance(given, dict) else None
