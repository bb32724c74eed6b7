"""Everything that is wrong with a call, in one error: the first problem, and all others that can be found.

A verb stops at its first problem. Whoever calls then mends one thing, calls again and meets the next. Here the
parts of a refused call are looked at one by one, each whatever is wrong with the others: the people, the blueprint
or run they are for, the variables, the steps, what the operator has to allow.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from typing import Any

from sequences_mcp.context import AppContext
from sequences_mcp.domain.ids import LOCAL, IdKind, provider_of
from sequences_mcp.errors import RefusedByGuardsError, RequestError, SequencesError, SettingsError, joined_error
from sequences_mcp.planning import recipient_rows, requirements
from sequences_mcp.ports.provider import Provider
from sequences_mcp.services import blueprints, changed_texts, enrolment, starts

Part = Callable[[], Awaitable[object]]
Arguments = Mapping[str, Any]

OF_ROWS = frozenset({"problems", "values"})  # what an error about the rows of a call carries
REFUSED = ("refused", "not_done")


async def every_fault(
    app: AppContext, error: SequencesError, *, tool: str, arguments: Arguments
) -> SequencesError:
    """Return an error that tells what ``error`` does and whatever else is wrong with the call that it refused.

    ``arguments`` are as the caller gave them, of any form: a part that cannot be read is left to ``error``.
    Nothing is changed; a vendor is asked for the blueprint of a start, for the list of a save, and for whoever is
    named by an id of its own, but not about values that the guards refuse: those are told to nobody. The error
    itself is returned where it is not about the call: a busy database, a vendor that is away.
    """
    if not isinstance(error, RequestError | SettingsError) or error.outcome not in REFUSED:
        return error
    results = [error]
    asks = not isinstance(error, RefusedByGuardsError)
    for part in _parts(app, tool, arguments, asks=asks):
        try:
            await part()
        except (RequestError, SettingsError) as other:
            if other.outcome in REFUSED and _tells_more(results, other):
                results.append(other)
        except SequencesError:
            continue  # what cannot be looked at now is told once the rest is mended
    return joined_error(results)


def _tells_more(results: list[RequestError | SettingsError], other: SequencesError) -> bool:
    """Say whether an error adds to ``results``: it is not among them, and none of them is about rows already."""
    if any(other.message == result.message for result in results):
        return False
    return OF_ROWS.isdisjoint(other.data) or all(OF_ROWS.isdisjoint(result.data) for result in results)


def _parts(app: AppContext, tool: str, arguments: Arguments, *, asks: bool) -> Iterator[Part]:
    """Yield what to look at; without ``asks`` nothing for which a vendor would be asked."""
    match tool:
        case "start_sequence" | "preview_sequence":
            yield from _parts_of_start(app, tool, arguments, asks=asks)
        case "save_contacts":
            if isinstance(arguments.get("contacts"), list):
                yield partial(_saved_rows, app, arguments["contacts"], arguments.get("provider", LOCAL))
            if asks and isinstance(place := arguments.get("provider"), str) and _is_at_vendor(place):
                yield partial(_place, app, place)
        case "update_sequence":
            yield from _parts_of_variables(app, arguments, asks=asks)
        case "create_blueprint" | "update_blueprint":
            yield from _parts_of_blueprint(app, tool, arguments, asks=asks)


def _is_at_vendor(identifier: object) -> bool:
    return isinstance(identifier, str) and provider_of(identifier) not in ("", LOCAL)


def _parts_of_start(app: AppContext, tool: str, arguments: Arguments, *, asks: bool) -> Iterator[Part]:
    blueprint_id = arguments.get("blueprint_id")
    if _is_at_vendor(blueprint_id) and not asks:
        return
    if isinstance(blueprint_id, str):
        yield partial(_startable, app, blueprint_id, is_preview=tool == "preview_sequence")
        if arguments.get("auto_approve") is True:
            yield partial(starts.require_allowed, app, blueprint_id)
    if isinstance(contacts := arguments.get("contacts"), list):
        yield partial(_started_rows, app, blueprint_id if isinstance(blueprint_id, str) else "", contacts)


async def _startable(app: AppContext, blueprint_id: str, *, is_preview: bool) -> None:
    provider = app.provider_of(blueprint_id, IdKind.BLUEPRINT)
    if provider.name != LOCAL:
        await enrolment.offer_of(app, blueprint_id=blueprint_id, review_left_out=False)
    elif is_preview:
        await blueprints.get_blueprint(app, blueprint_id=blueprint_id)
    else:
        await starts.startable(app, blueprint_id)


async def _started_rows(app: AppContext, blueprint_id: str, contacts: list[Any]) -> None:
    """Raise what is wrong with the people of a start; of a blueprint that nobody knows, every fact counts."""
    rows = await recipient_rows.read_many_recipients(contacts, policy=app.policy)
    try:
        provider = app.provider_of(blueprint_id, IdKind.BLUEPRINT)
        if provider.name != LOCAL:
            await enrolment.require_sound_rows(app, rows, blueprint_id=blueprint_id)
            return
        steps = (await blueprints.get_blueprint(app, blueprint_id=blueprint_id)).blueprint.steps
        optional = recipient_rows.optional_facts(steps)
    except RequestError as error:
        if not OF_ROWS.isdisjoint(error.data):
            raise
        optional = frozenset()
    match = partial(app.local.match_contacts, optional=optional)
    matched = await recipient_rows.matched_people(match, [entry.contact for entry in rows.entries])
    rows.require_sound(matched.problems)


async def _saved_rows(app: AppContext, contacts: list[Any], place: object) -> None:
    where = app.providers.get(provider_of(place)) if isinstance(place, str) else None
    if where is not None and where.offers(Provider.place_contacts):
        recipient_rows.read_contact_inputs(
            contacts, most=where.contacts_a_call, misfit=where.contact_misfit, policy=app.policy
        )
        return
    rows = await recipient_rows.read_many_recipients(contacts, policy=app.policy, extras=False)
    entries = [entry.contact for entry in rows.entries]
    rows.require_sound((await recipient_rows.matched_people(app.local.match_contacts, entries)).problems)


async def _place(app: AppContext, place: str) -> None:
    """Raise what is wrong with a vendor's list that people were to be put on."""
    where = app.named(provider_of(place))
    if where.offers(Provider.placed_already):
        await where.placed_already(place, ())


def _parts_of_variables(app: AppContext, arguments: Arguments, *, asks: bool) -> Iterator[Part]:
    sequence_id, variables = arguments.get("sequence_id"), arguments.get("variables")
    is_vendors = _is_at_vendor(sequence_id)
    if isinstance(variables, Mapping) and not is_vendors:  # a vendor's variables have names of its own
        texts = {name: value for name, value in variables.items() if value is None or isinstance(value, str)}
        yield partial(_variables, app, texts)
    if isinstance(sequence_id, str) and (asks or not is_vendors):
        yield partial(_run, app, sequence_id)


async def _variables(app: AppContext, variables: Mapping[str, str | None]) -> None:
    changed_texts.read_variables(app, variables)


async def _run(app: AppContext, sequence_id: str) -> None:
    provider = app.provider_of(sequence_id, IdKind.SEQUENCE)
    await provider.get_sequence(sequence_id)


def _parts_of_blueprint(app: AppContext, tool: str, arguments: Arguments, *, asks: bool) -> Iterator[Part]:
    blueprint_id, place = arguments.get("blueprint_id"), arguments.get("provider")
    where = provider_of(next((text for text in (blueprint_id, place) if isinstance(text, str)), LOCAL))
    if isinstance(blueprint_id, str) and (asks or not _is_at_vendor(blueprint_id)):
        yield partial(blueprints.get_blueprint, app, blueprint_id=blueprint_id)
    if isinstance(arguments.get("name"), str):
        yield partial(_name, arguments["name"])
    if isinstance(arguments.get("steps"), list):
        yield partial(_steps, app, arguments["steps"], where)
    if tool == "create_blueprint" or where == LOCAL:
        yield partial(_sourcing, app, arguments)


async def _name(name: str) -> None:
    blueprints.valid_name(name)


async def _steps(app: AppContext, steps: list[Any], provider: str) -> None:
    requirements.approved_by_guards(app, steps, provider=provider)


async def _sourcing(app: AppContext, arguments: Arguments) -> None:
    given = {name: value for name in ("job_title", "location") if isinstance(value := arguments.get(name), str)}
    blueprints.sourcing_given(app, job_title=given.get("job_title"), location=given.get("location"))
