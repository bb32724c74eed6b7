"""Suggestions for the arguments of prompts and resource templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp.types import Completion, CompletionArgument, CompletionContext, PromptReference, ResourceTemplateReference

from sequences_mcp.errors import SequencesError
from sequences_mcp.server.prompts import PROMPTS

if TYPE_CHECKING:
    from sequences_mcp.flows.desk import Desk

MOST = 100  # the protocol's limit
LONGEST = 200
Reference = PromptReference | ResourceTemplateReference


async def complete(
    reference: Reference, argument: CompletionArgument, context: CompletionContext | None, *, desk: Desk
) -> Completion:
    """Return what the argument could be, given its first letters and the other arguments."""
    typed = argument.value[:LONGEST].strip()
    if isinstance(reference, ResourceTemplateReference):
        found = await _ids(reference.uri.partition("://")[0], typed, desk)
    elif argument.name in ("blueprint_id", "contact_id"):
        found = await _ids(argument.name.removesuffix("_id"), typed, desk)
    elif argument.name == "step_id":
        found = await _steps((context.arguments if context else None) or {}, desk)
    else:
        found = _choices(reference.name, argument.name)
    fitting = [value for value, label in found if typed.casefold() in f"{value} {label}".casefold()]
    return Completion(values=fitting[:MOST], total=len(fitting), has_more=len(fitting) > MOST)


def _choices(prompt: str, argument: str) -> list[tuple[str, str]]:
    return [
        (choice, "")
        for known in PROMPTS
        if known.name == prompt
        for one in known.arguments
        if one.name == argument
        for choice in one.choices
    ]


async def _ids(kind: str, typed: str, desk: Desk) -> list[tuple[str, str]]:
    from sequences_mcp.flows.find_contacts import find_contacts
    from sequences_mcp.flows.list_blueprints import list_blueprints
    from sequences_mcp.flows.list_sequences import list_sequences
    from sequences_mcp.providers.port import SequenceFilter

    if kind == "blueprint":
        return [(one.id, one.name) for one in (await list_blueprints(desk, page=1, size=MOST)).items]
    if kind == "contact":
        query = "" if typed.startswith("local:") else typed
        people = (await find_contacts(desk, query=query, page=1, size=MOST)).page.items
        return [(one.id, f"{typed} {one.display_name}") for one in people]
    wanted = SequenceFilter(sort_order="desc", size=MOST)
    runs = (await list_sequences(desk, wanted=wanted)).items
    return [(one.sequence.id, one.contact.display_name) for one in runs]


async def _steps(others: dict[str, str], desk: Desk) -> list[tuple[str, str]]:
    from sequences_mcp.flows.get_blueprint import get_blueprint

    try:
        report = await get_blueprint(desk, blueprint_id=others.get("blueprint_id", ""))
    except SequencesError:
        return []
    return [(step.id, step.name) for step in report.blueprint.steps]
