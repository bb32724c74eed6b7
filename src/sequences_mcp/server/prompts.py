"""The prompts, what fills them, and suggestions for their arguments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from mcp import MCPError, types
from mcp.types import Prompt as ListedPrompt

from sequences_mcp.context import AppContext
from sequences_mcp.domain.blueprint import Channel, LinkedInType
from sequences_mcp.errors import SequencesError
from sequences_mcp.server.text import cut, visible_text

CHANNELS = (*(channel.value for channel in Channel if channel is not Channel.LINKEDIN), *LinkedInType)
TONES = ("plain and friendly", "formal", "warm", "brief", "playful")
LANGUAGES = ("English", "French", "German", "Spanish", "Italian", "Portuguese", "Dutch", "Japanese")
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
        """Whether the prompt makes no sense without it."""
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
                types.PromptArgument(name=one.name, description=one.description, required=one.is_required)
                for one in prompt.arguments
            ],
        )
        for prompt in PROMPTS
    ]


async def rendered_prompt(
    name: str, arguments: Mapping[str, Any], *, open_context: Callable[[], Awaitable[AppContext]]
) -> types.GetPromptResult:
    """Return a prompt's text. Whatever is wrong is a protocol error, the same in both eras, that says what."""
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
    known = {one.name: one for one in prompt.arguments}
    given = {name: str(value).strip() for name, value in arguments.items() if str(value).strip()}
    problems = [f"{cut(name, 80)!r} is not an argument" for name in given if name not in known][:5]
    problems += [f"{one.name} is missing" for one in known.values() if one.is_required and one.name not in given]
    problems += [f"{name} is longer than {ARGUMENT_LIMIT}" for name in given if len(given[name]) > ARGUMENT_LIMIT]
    if problems:
        _invalid(f"{prompt.name}: {'; '.join(problems)}. Its arguments are {_named(known.values())}.")
    return {one.name: given.get(one.name, one.default or "") for one in known.values()}


def _named(arguments: Iterable[Argument]) -> str:
    return ", ".join(one.name if one.is_required else f"{one.name} (optional)" for one in arguments) or "none"


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
    """Return what the argument could be, given its first letters and the other arguments."""
    typed = argument.value[:LONGEST].strip()
    if isinstance(reference, types.ResourceTemplateReference):
        found = await _ids(reference.uri.partition("://")[0], typed, app)
    elif argument.name in ("blueprint_id", "contact_id"):
        found = await _ids(argument.name.removesuffix("_id"), typed, app)
    elif argument.name == "step_id":
        found = await _steps((context.arguments if context else None) or {}, app)
    else:
        found = _choices(reference.name, argument.name)
    fitting = [value for value, label in found if typed.casefold() in f"{value} {label}".casefold()]
    return types.Completion(values=fitting[:MOST], total=len(fitting), has_more=len(fitting) > MOST)


def _choices(prompt: str, argument: str) -> list[tuple[str, str]]:
    return [
        (choice, "")
        for known in PROMPTS
        if known.name == prompt
        for one in known.arguments
        if one.name == argument
        for choice in one.choices
    ]


async def _ids(kind: str, typed: str, app: AppContext) -> list[tuple[str, str]]:
    from sequences_mcp.ports.embedded import SequenceFilter
    from sequences_mcp.services.blueprints import list_blueprints
    from sequences_mcp.services.contacts import find_contacts
    from sequences_mcp.services.sequences import list_sequences

    if kind == "blueprint":
        return [(one.id, one.name) for one in (await list_blueprints(app, page=1, size=MOST)).items]
    if kind == "contact":
        query = "" if typed.startswith("local:") else typed
        people = (await find_contacts(app, query=query, page=1, size=MOST)).page.items
        return [(one.id, f"{typed} {one.display_name}") for one in people]
    wanted = SequenceFilter(sort_order="desc", size=MOST)
    runs = (await list_sequences(app, wanted=wanted)).items
    return [(one.sequence.id, one.contact.display_name) for one in runs]


async def _steps(others: dict[str, str], app: AppContext) -> list[tuple[str, str]]:
    from sequences_mcp.services.blueprints import get_blueprint

    try:
        report = await get_blueprint(app, blueprint_id=others.get("blueprint_id", ""))
    except SequencesError:
        return []
    return [(step.id, step.name) for step in report.blueprint.steps]
