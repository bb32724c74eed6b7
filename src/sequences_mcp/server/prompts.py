"""The MCP prompts: their declarations, rendering, and completion of their arguments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, NoReturn

from mcp import MCPError, types
from mcp.types import Prompt as ListedPrompt

from sequences_mcp.context import AppContext
from sequences_mcp.domain.blueprint import Channel, LinkedInType
from sequences_mcp.errors import SequencesError
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.prompting import PLAYBOOKS
from sequences_mcp.server.text import cut, visible_text

CHANNELS = (*(channel.value for channel in Channel if channel is not Channel.LINKEDIN), *LinkedInType)
TONES = ("plain and friendly", "formal", "warm", "brief", "playful")
LANGUAGES = ("English", "French", "German", "Spanish", "Italian", "Portuguese", "Dutch", "Polish", "Japanese")
STEP_COUNTS = ("3", "2", "4", "5", "6")
ARGUMENT_LIMIT = 2_000


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a prompt: required unless it has a ``default``; ``choices`` are suggestions."""

    name: str
    description: str
    choices: tuple[str, ...] = ()
    default: str | None = None

    @property
    def is_required(self) -> bool:
        """Whether the argument must be given."""
        return self.default is None


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt; its template has its name."""

    name: str
    title: str
    description: str
    arguments: tuple[Argument, ...] = ()


_TONE = Argument("tone", "How it should sound", TONES, default=TONES[0])
_LANGUAGE = Argument("language", "Language of the texts", LANGUAGES, default=LANGUAGES[0])
_BLUEPRINT = Argument("blueprint_id", "Blueprint id, from list_blueprints")

PROMPTS = (
    Prompt(
        "draft_sequence",
        "Draft a sequence",
        "A whole sequence for a role or another goal, checked and ready to save.",
        (
            Argument("goal", "The role to fill, or what the outreach is for"),
            Argument("audience", "Who it goes to", default=""),
            Argument("channels", "Channels, in words", ("e-mail", "e-mail and LinkedIn", "LinkedIn"), "e-mail"),
            Argument("steps", "Number of steps", STEP_COUNTS, default=STEP_COUNTS[0]),
            Argument("playbook", "What kind of outreach it is; default: the nearest", PLAYBOOKS, default=""),
            _TONE,
            _LANGUAGE,
        ),
    ),
    Prompt(
        "draft_step",
        "Draft one step",
        "One text for one channel, within its limits.",
        (
            Argument("channel", "Channel of the step", CHANNELS),
            Argument("purpose", "What this step is for"),
            _TONE,
            _LANGUAGE,
        ),
    ),
    Prompt(
        "personalise_step",
        "Personalise a step",
        "One text for one contact, from what is known about them.",
        (
            Argument("contact_id", "Contact id, from find_contacts"),
            _BLUEPRINT,
            Argument("step_id", "Id of the step in that blueprint"),
            Argument("language", "Language of the text; default: the contact's own", LANGUAGES, default=""),
        ),
    ),
    Prompt(
        "fix_findings",
        "Mend a blueprint",
        "A blueprint, what the guards find in it, and how to mend it.",
        (_BLUEPRINT,),
    ),
    Prompt("weekly_review", "Weekly review", "How the past week went and what needs a person."),
)
_BY_NAME = {prompt.name: prompt for prompt in PROMPTS}


def listed_prompts() -> list[ListedPrompt]:
    """Return the prompts as a host sees them."""
    return [
        ListedPrompt(
            name=prompt.name,
            title=prompt.title,
            description=prompt.description,
            arguments=[
                types.PromptArgument(
                    name=argument.name, description=argument.description, required=argument.is_required
                )
                for argument in prompt.arguments
            ],
        )
        for prompt in PROMPTS
    ]


async def rendered_prompt(
    name: str, arguments: Mapping[str, Any], *, open_context: Callable[[], Awaitable[AppContext]]
) -> types.GetPromptResult:
    """Return a prompt's text; MCPError (invalid params) for an unknown prompt or bad arguments."""
    if name not in _BY_NAME:
        _invalid(f"There is no prompt {cut(visible_text(name), 80)!r}; the prompts are {', '.join(_BY_NAME)}.")
    prompt = _BY_NAME[name]
    given = _checked(prompt, arguments)
    from sequences_mcp.prompting import render_template
    from sequences_mcp.server.prompt_facts import prompt_facts_for

    try:
        text = render_template(name, **await prompt_facts_for(name, given, app=await open_context()))
    except SequencesError as error:
        _invalid(visible_text(str(error)))
    message = types.PromptMessage(role="user", content=types.TextContent(type="text", text=visible_text(text)))
    return types.GetPromptResult(description=prompt.description, messages=[message])


def _checked(prompt: Prompt, arguments: Mapping[str, Any]) -> dict[str, str]:
    known = {argument.name: argument for argument in prompt.arguments}
    given = {name: str(value).strip() for name, value in arguments.items() if str(value).strip()}
    problems = [f"{cut(name, 80)!r} is not an argument" for name in given if name not in known][:5]
    problems += [
        f"{argument.name} is missing"
        for argument in known.values()
        if argument.is_required and argument.name not in given
    ]
    problems += [f"{name} is longer than {ARGUMENT_LIMIT}" for name in given if len(given[name]) > ARGUMENT_LIMIT]
    if problems:
        _invalid(f"{prompt.name}: {'; '.join(problems)}. Its arguments are {_named(known.values())}.")
    return {argument.name: given.get(argument.name, argument.default or "") for argument in known.values()}


def _named(arguments: Iterable[Argument]) -> str:
    return (
        ", ".join(
            argument.name if argument.is_required else f"{argument.name} (optional)" for argument in arguments
        )
        or "none"
    )


def _invalid(message: str) -> NoReturn:
    raise MCPError(code=types.INVALID_PARAMS, message=message)


MOST = 100  # the protocol's limit
LONGEST = 200
Reference = types.PromptReference | types.ResourceTemplateReference


async def complete_argument(
    reference: Reference,
    argument: types.CompletionArgument,
    context: types.CompletionContext | None,
    *,
    app: AppContext,
) -> types.Completion:
    """Return completions of an argument, given what was typed of it and the other arguments."""
    typed = argument.value[:LONGEST].strip()
    if isinstance(reference, types.ResourceTemplateReference):
        candidates = await _ids(reference.uri.partition("://")[0], typed, app)
    elif argument.name in ("blueprint_id", "contact_id"):
        candidates = await _ids(argument.name.removesuffix("_id"), typed, app)
    elif argument.name == "step_id":
        candidates = await _steps((context.arguments if context else None) or {}, app)
    else:
        candidates = _choices(reference.name, argument.name)
    fitting = [value for value, label in candidates if typed.casefold() in f"{value} {label}".casefold()]
    return types.Completion(values=fitting[:MOST], total=len(fitting), has_more=len(fitting) > MOST)


def _choices(prompt: str, name: str) -> list[tuple[str, str]]:
    return [
        (choice, "")
        for known in PROMPTS
        if known.name == prompt
        for argument in known.arguments
        if argument.name == name
        for choice in argument.choices
    ]


async def _ids(kind: str, typed: str, app: AppContext) -> list[tuple[str, str]]:
    from sequences_mcp.ports.embedded import SequenceFilter
    from sequences_mcp.services.blueprints import list_blueprints
    from sequences_mcp.services.contacts import find_contacts
    from sequences_mcp.services.sequences import list_sequences

    if kind == "blueprint":
        return [
            (blueprint.id, blueprint.name) for blueprint in (await list_blueprints(app, page=1, size=MOST)).items
        ]
    if kind == "contact":
        query = "" if typed.startswith("local:") else typed
        people = (await find_contacts(app, query=query, page=1, size=MOST)).page.items
        return [(contact.id, f"{typed} {contact.display_name}") for contact in people]
    wanted = SequenceFilter(sort_order="desc", size=MOST)
    runs = (await list_sequences(app, wanted=wanted)).items
    return [(run.sequence.id, run.contact.display_name) for run in runs]


async def _steps(others: dict[str, str], app: AppContext) -> list[tuple[str, str]]:
    from sequences_mcp.services.blueprints import get_blueprint

    try:
        report = await get_blueprint(app, blueprint_id=others.get("blueprint_id", ""))
    except SequencesError:
        return []
    return [(step.id, step.name) for step in report.blueprint.steps]
