"""The MCP resources: step format, variables, rules, law, who writes, one blueprint, one run, an export.

A body is made when it is read, from the code or from the database.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp.server.mcpserver.resources import FunctionResource, ResourceTemplate

from sequences_mcp.domain.workspace import PROFILE_FILE
from sequences_mcp.errors import NotFoundError, SequencesError, WrongIdError
from sequences_mcp.server.text import cut, visible_text, visible_throughout

if TYPE_CHECKING:
    from sequences_mcp.context import AppContext
    from sequences_mcp.server.view import ResultView

T = TypeVar("T")
JSON = "application/json"
PROFILE = "profile://sender"
EXAMPLE_LENGTH = 120
EXAMPLE: dict[str, Any] = {
    "name": "Staff Backend Engineer",
    "job_title": "Staff Backend Engineer",
    "location": "Lisbon",
    "steps": [
        {
            "id": "invite",
            "name": "Invitation",
            "type": "LINKEDIN",
            "linkedInType": "LINKEDIN_INVITATION_WITH_MESSAGE",
            "content": "Hi {{firstname}}, I am hiring a {{sourcingJobTitle}} in {{sourcingLocation}}. "
            "Open to a short call?",
            "temporalityType": "ASAP",
            "policy": {"skipStepIfNoContact": True, "inviteTimeoutDays": 7},
        },
        {
            "id": "thanks",
            "name": "After the invitation",
            "type": "LINKEDIN",
            "linkedInType": "LINKEDIN_MESSAGE",
            "content": "Thanks for connecting, {{firstname}}. Shall I send a few lines about the team?",
            "temporalityType": "AFTER_INVITATION_SETTLED",
            "policy": {"skipStepIfNoContact": True},
        },
        {
            "id": "mail",
            "name": "E-mail",
            "type": "EMAIL",
            "subject": "{{sourcingJobTitle}} in {{sourcingLocation}}",
            "content": "Hi {{firstname}},\n\nwhat you do at {{candidateCompanyName}} is close to a role I am "
            "filling. If it is not for you, tell me and I will not write again.\n\n"
            "{{recruiterFirstname}} {{recruiterLastname}}",
            "temporalityType": "DELAYED",
            "delay": {"value": 3, "unit": "day"},
        },
    ],
}


def register_resources(server: MCPServer[Any], *, open_context: Callable[[], Awaitable[AppContext]]) -> None:
    """Add the resources to a server; ``open_context`` gives what those need that are of this data folder."""
    for uri, title, description, read in (
        ("format://steps", "Step format", "The schema of a step, and a worked example.", step_format),
        ("format://variables", "Variables", "The nine variables of a text.", variables),
        ("format://rules", "Rules", "Every rule of the guards.", rules),
        ("format://law", "Law", "What a first message needs, by country, and the statute. Reminders.", law),
    ):
        server.add_resource(_static(uri, title=title, description=description, read=read))

    async def profile() -> str:
        app = await _explained(open_context())
        return visible_text(app.profile()) or f"There is no {PROFILE_FILE} in the data folder, or nothing in it.\n"

    server.add_resource(
        FunctionResource(
            uri=PROFILE,
            name="profile",
            title="Who writes",
            description=f"{PROFILE_FILE}: the sender's company, voice and proof, and what never to say.",
            mime_type="text/markdown",
            fn=profile,
        )
    )
    # The SDK offers no way to add a finished template, and making them takes longer than all else of a server.
    server._resource_manager._templates.update({made.uri_template: made for made in _templates()})


@cache
def _templates() -> tuple[ResourceTemplate, ...]:
    """Return the resources that take an id, a name or a layer; the same for every server."""
    server = MCPServer[Any]("templates")
    for name, reader in (("blueprint", _blueprint), ("sequence", _sequence)):
        add = server.resource(
            f"{name}://{{id}}",
            name=name,
            title=name.capitalize(),
            description=f"One {name}, whole, by its id.",
            mime_type=JSON,
        )
        add(reader)
    for kind, mime_type, reader in (("file", JSON, _blueprint_file), ("text", "text/markdown", _blueprint_text)):
        add = server.resource(
            f"blueprint-{kind}://{{id}}",
            name=f"blueprint {kind}",
            title=f"Blueprint as a {kind}",
            description="A blueprint as `sequences-mcp blueprints export` writes it; import reads it back.",
            mime_type=mime_type,
        )
        add(reader)
    for suffix, mime_type in (("csv", "text/csv"), ("json", JSON)):
        add_export = server.resource(
            f"export://{suffix}/{{name}}",
            name=f"export as {suffix}",
            title=f"Export as {suffix.upper()}",
            description="A file that export_data wrote, for a day.",
            mime_type=mime_type,
        )
        add_export(_export)
    add_layer = server.resource(
        "format://rules/{layer}",
        name="rules of a layer",
        title="Rules of a layer",
        description="The rules of one layer of the guards, with examples.",
        mime_type=JSON,
    )
    add_layer(rules_of_layer)
    return tuple(server._resource_manager.list_templates())


def step_format() -> str:
    """Return the JSON schema of a step and a blueprint that the guards accept."""
    from sequences_mcp.server.arguments import step_schema

    return _json({"schema": step_schema(), "example": EXAMPLE})


def variables() -> str:
    """Return the variables and what each stands for."""
    from sequences_mcp.domain.variables import VARIABLES

    return _json({f"{{{{{name}}}}}": meaning for name, meaning in VARIABLES.items()})


def rules() -> str:
    """Return every rule's message by its layer and severity; ``format://rules/{layer}`` has examples."""
    from sequences_mcp.guards.catalogue import RULES

    shown: dict[str, dict[str, dict[str, str]]] = {}
    for rule in RULES:
        layer, _, name = rule.id.partition(".")
        shown.setdefault(layer, {}).setdefault(rule.severity.value, {})[name] = rule.message
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))


def law() -> str:
    """Return what each country asks for by the keys of its laws, and these with their statutes and links."""
    from sequences_mcp.guards.law import built_in

    table = built_in()
    statutes: dict[str, dict[str, str]] = {}
    keys: dict[tuple[str, str], str] = {}
    countries: dict[str, dict[str, str]] = {}
    for code, country in table.countries.items():
        for kind, demand in country.demands.items():
            key = keys.setdefault(demand.statute[:2], str(len(keys) + 1))
            statutes[key] = {"statute": demand.statute.statute, "link": demand.statute.link}
            countries.setdefault(code, {})[kind] = key
    about = "Reminders, no legal advice. law.toml in the data folder may change them."
    shown = {"about": about, "laws": statutes, "countries": countries}
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))


def rules_of_layer(layer: str) -> str:
    """Return the rules of one layer with an example of what each accepts and refuses."""
    from sequences_mcp.guards.catalogue import RULES

    shown = [
        {
            "rule": rule.id,
            "severity": rule.severity.value,
            "message": rule.message,
            "accepts": _short(rule.accept),
            "refuses": _short(rule.reject),
        }
        for rule in RULES
        if rule.layer == layer
    ]
    if not shown:
        layers = ", ".join(dict.fromkeys(rule.layer for rule in RULES))
        raise ResourceNotFoundError(
            f"There is no layer of rules {cut(visible_text(layer), 80)!r}; they are {layers}."
        )
    return _json(shown)


def _short(examples: tuple[str, ...]) -> list[str]:
    """Return the first example of at most EXAMPLE_LENGTH; examples of length limits have 100,000 characters."""
    return [example for example in examples if len(example) <= EXAMPLE_LENGTH][:1]


async def _blueprint(id: str, ctx: Context[Any, Any]) -> str:
    from sequences_mcp.server.views.blueprints import blueprint_view
    from sequences_mcp.services.blueprints import get_blueprint

    return await _shown(lambda app: get_blueprint(app, blueprint_id=id), blueprint_view, ctx)


async def _sequence(id: str, ctx: Context[Any, Any]) -> str:
    from sequences_mcp.server.views.sequences import sequence_view
    from sequences_mcp.services.sequences import get_sequence

    return await _shown(lambda app: get_sequence(app, sequence_id=id), sequence_view, ctx)


async def _blueprint_file(id: str, ctx: Context[Any, Any]) -> str:
    from sequences_mcp.services.blueprint_files import export_blueprint

    return visible_text(await _read(ctx, lambda app: export_blueprint(app, blueprint_id=id, form="json")))


async def _blueprint_text(id: str, ctx: Context[Any, Any]) -> str:
    from sequences_mcp.services.blueprint_files import export_blueprint

    return visible_text(await _read(ctx, lambda app: export_blueprint(app, blueprint_id=id, form="markdown")))


async def _export(name: str, ctx: Context[Any, Any]) -> str:
    from sequences_mcp.services.exports import read_export

    return await _read(ctx, lambda app: asyncio.to_thread(read_export, app, name))


async def _read(ctx: Context[Any, Any], read: Callable[[Any], Awaitable[T]]) -> T:
    """Return what a verb reads, or raise the protocol's error for why it cannot."""

    async def reading() -> T:
        return await read(await ctx.request_context.lifespan_context.get())

    return await _explained(reading())


async def _explained(reading: Awaitable[T]) -> T:
    """Return what is read, or raise the protocol's error for why it cannot be."""
    try:
        return await reading
    # The protocol has an error of its own for a resource that does not exist.
    except (NotFoundError, WrongIdError) as error:
        raise ResourceNotFoundError(visible_text(str(error))) from error
    except SequencesError as error:
        raise ResourceError(visible_text(str(error))) from error


async def _shown(read: Callable[[Any], Any], to_view: Callable[..., ResultView], ctx: Context[Any, Any]) -> str:
    from sequences_mcp.server.view import view_facts

    return _json(view_facts(to_view(await _read(ctx, read), full=True)))


def _static(uri: str, *, title: str, description: str, read: Callable[[], str]) -> FunctionResource:
    name = uri.partition("://")[2]
    return FunctionResource(uri=uri, name=name, title=title, description=description, mime_type=JSON, fn=read)


def _json(value: Any) -> str:
    return json.dumps(visible_throughout(value), ensure_ascii=False, indent=1)
