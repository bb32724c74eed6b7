"""Translation between MCP and the services: arguments are checked, errors become results, lengths are bounded.

Errors are translated here only. A result's text is made visible (``server.text``): no invisible characters.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Collection, Iterator, Mapping
from collections.abc import Sequence as Items
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any

from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.types import CallToolResult, ContentBlock, InputRequiredResult, ResourceLink, TextContent
from pydantic import ValidationError
from pydantic_core import to_jsonable_python

from sequences_mcp.domain.digests import canonical
from sequences_mcp.domain.ids import LOCAL
from sequences_mcp.errors import InvalidArgumentsError, SequencesError
from sequences_mcp.server import catalog
from sequences_mcp.server.text import RESULT_TOKENS, cut, fair_limit, fitted, size, visible_throughout
from sequences_mcp.server.view import to_json

if TYPE_CHECKING:
    from sequences_mcp.context import AppContext


def fingerprint(arguments: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a call's arguments."""
    return sha256(_written(dict(arguments))).hexdigest()


async def fingerprint_in_parts(arguments: Mapping[str, Any]) -> str:
    """Return the same; where people are many, everything else on the event loop goes on meanwhile."""
    if not any(isinstance(value, list) and len(value) > ROWS for value in arguments.values()):
        return fingerprint(arguments)
    total = sha256()
    for part in _written_in_parts(arguments):
        total.update(part)
        await asyncio.sleep(0)
    return total.hexdigest()


def _written(value: Any) -> bytes:
    return canonical(to_jsonable_python(value, fallback=str))


def _written_in_parts(arguments: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield what ``_written`` gives for a mapping, its long lists in parts of ``ROWS``."""
    before = b"{"
    for name in sorted(arguments):
        value = arguments[name]
        yield before + _written(name) + b":"
        if isinstance(value, list) and len(value) > ROWS:
            for start in range(0, len(value), ROWS):
                yield (b"," if start else b"[") + _written(value[start : start + ROWS])[1:-1]
            yield b"]"
        else:
            yield _written(value)
        before = b","
    yield b"}"


ASK_AGAIN = "The plan still waits; the same call asks again, and list_reviews shows it."
META = "io.github.sequences-mcp/error"
OBJECTS_SHOWN = 12
LINES_SHOWN = 40
PROBLEMS_SHOWN = 10
ROWS = 1_000  # of a list, written in one piece: about 5 ms
WRITE_INSTANTS = "Write a time with its day and offset, like 2026-11-30T09:00:00+01:00."
LISTS = ("contacts", "steps")
OUR_WORDS = frozenset({"message", "next", "why", "reason", "broken"})  # fields with this program's own sentences
NAME_SHOWN = 80
TEXT_BUDGET = 3_500  # characters of an error's data
logger = logging.getLogger(__name__)


class InternalError(SequencesError):
    """An unexpected exception; its details are in the log only."""

    code = "internal_error"


class BadAnswerError(SequencesError):
    """A client's answer to a dialog is not of the requested form."""

    code = "bad_answer"


class UnknownToolError(InvalidArgumentsError):
    """There is no tool of this name."""

    code = "unknown_tool"


class PersonNeeded(Exception):  # noqa: N818 - not an error: it carries a request to the person out of a tool
    """Ends a call with a request to the client, which repeats the call with the person's answer."""

    def __init__(self, request: InputRequiredResult) -> None:
        super().__init__("the client is asked for a person")
        self.request = request


def answer(text: str) -> CallToolResult:
    """Return a result with the same JSON object as text content and as structured content.

    Where it names a ``resource`` of this server, a link to that follows.
    """
    facts = json.loads(text)
    content: list[ContentBlock] = [TextContent(type="text", text=text)]
    if resource := facts.get("resource"):
        name = resource.rpartition("/")[2]
        link = ResourceLink(uri=resource, name=name, mime_type=facts["media_type"], size=facts["bytes"])
        content.append(link)
    return CallToolResult(content=content, structured_content=facts)


def refused_result(error: SequencesError) -> CallToolResult:
    """Return an error as a tool result: JSON text for a model, the same facts in ``_meta`` for a program."""
    return refused(_facts(error))


def refused(facts: dict[str, Any]) -> CallToolResult:
    """Return an error result with these facts, the longest texts in them cut to fit."""
    facts = fitted(facts, most=RESULT_TOKENS)
    return CallToolResult(
        content=[TextContent(type="text", text=to_json(facts))], is_error=True, _meta={META: facts}
    )


def present_result(arguments: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments without declared ones that are null: some hosts send null for what is left out."""
    known = schema.get("properties", {})
    return {name: value for name, value in arguments.items() if value is not None or name not in known}


def read_from_text(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the list arguments of which a part came as JSON text, parsed: limits hold for its content too."""
    if not any(name in arguments for name in LISTS):
        return {}
    from sequences_mcp.server.arguments import has_json_text, unpacked

    return {name: unpacked(value) for name, value in arguments.items() if name in LISTS and has_json_text(value)}


async def with_every_fault(
    app: AppContext, error: SequencesError, *, tool: str, arguments: Mapping[str, Any]
) -> SequencesError:
    """Return the error of a call with whatever else is wrong with its arguments, as they came."""
    from sequences_mcp.server.arguments import unpacked
    from sequences_mcp.services.faults import every_fault

    lists = {name: unpacked(arguments[name]) for name in LISTS if arguments.get(name) is not None}
    try:
        return await every_fault(app, error, tool=tool, arguments={**arguments, **lists})
    except Exception:  # the arguments may be anything; what refused the call is told all the same
        logger.exception("What else is wrong with a call of %s could not be looked at", tool)
        return error


def explained_error(error: ToolError, *, tool: str, schema: Mapping[str, Any]) -> SequencesError:
    """Return the SequencesError for what a tool raised; an unexpected exception is logged and masked."""
    cause = error.__cause__
    if isinstance(cause, SequencesError):
        return cause
    if isinstance(cause, ValidationError) and not isinstance(error, UnexpectedToolError):
        return invalid_arguments(cause, schema)
    # A plain ToolError without one of our errors as its cause: the SDK cannot use the client's answer.
    if not isinstance(error, UnexpectedToolError):
        return BadAnswerError(
            "The client's answer to the dialog was not of the form asked for.", next_step=ASK_AGAIN
        )
    logger.error("%s failed unexpectedly", tool, exc_info=cause)
    return InternalError(
        f"{tool} failed inside the server; nothing was sent.",
        next_step="The server's log, on its standard error, has the details.",
    )


def naming_only_served(result: CallToolResult, served: Collection[str]) -> CallToolResult:
    """Return the result without advice to call a tool that this server does not list; INSTEAD replaces the advice.

    Operations and runs at a vendor stay in the database when its key is removed, and with it its tools. Only the
    fields in ``OUR_WORDS`` are changed.
    """
    missing = [name for name in catalog.VENDOR_TOOLS if name not in served]
    content = result.content[0]
    if not isinstance(content, TextContent) or not any(name in content.text for name in missing):
        return result
    facts = _advised(json.loads(content.text), missing)
    return refused(facts) if result.is_error else answer(to_json(facts))


def _advised(value: Any, missing: Items[str], *, ours: bool = False) -> Any:
    if isinstance(value, dict):
        return {key: _advised(child, missing, ours=key in OUR_WORDS) for key, child in value.items()}
    if isinstance(value, list):
        return [_advised(child, missing, ours=ours) for child in value]
    return without_tools(value, missing) if ours and isinstance(value, str) else value


def without_tools(text: str, missing: Items[str]) -> str:
    """Return a sentence with the names of these tools replaced by who does the same (``catalog.INSTEAD``)."""

    def replaced(match: re.Match[str]) -> str:
        words = catalog.INSTEAD[match[1]].format(f" {match[2]}" if match[2] else "")
        before = text[: match.start()].rstrip()
        return words if before and before[-1] not in ".!?" else words[:1].upper() + words[1:]

    return (
        re.sub(rf"`?\b({'|'.join(missing)})\b`?(?: (?:with )?({LOCAL}:\w+))?", replaced, text) if missing else text
    )


def unknown_tool(name: str, tools: Items[str]) -> UnknownToolError:
    """Return the error for a tool that does not exist, or that no vendor is connected for."""
    if name in catalog.VENDOR_TOOLS:
        instead = catalog.INSTEAD[name].format("")
        return UnknownToolError(
            f"The tool {name} is there only while {catalog.needed_by(name)} is connected.",
            next_step=f"{instead[:1].upper()}{instead[1:]} does the same.",
        )
    near = _near(name, tools)
    return UnknownToolError(
        f"There is no tool {cut(name, NAME_SHOWN)!r}.",
        next_step=f"Did you mean {near}?" if near else f"The tools are {', '.join(tools)}.",
    )


def invalid_arguments(error: ValidationError, schema: Mapping[str, Any]) -> InvalidArgumentsError:
    """Return one sentence for each argument that is missing, unknown or of the wrong form."""
    names = list(schema.get("properties", {}))
    problems = error.errors(include_url=False, include_context=False)
    sentences = [_sentence(problem, names) for problem in problems[:PROBLEMS_SHOWN]]
    more = [f"And {len(problems) - PROBLEMS_SHOWN} more."] if len(problems) > PROBLEMS_SHOWN else []
    is_instant = any(problem["type"].startswith(("timezone", "datetime", "date_")) for problem in problems)
    hint = f"{WRITE_INSTANTS} " if is_instant else ""
    return InvalidArgumentsError(
        " ".join([*sentences, *more]), next_step=f"{hint}Mend these arguments and call again."
    )


def _sentence(problem: Mapping[str, Any], names: list[str]) -> str:
    where = cut(".".join(cut(str(part), NAME_SHOWN) for part in problem["loc"]), 2 * NAME_SHOWN)
    if problem["type"] == "missing":
        return f"{where} is missing."
    if problem["type"] == "extra_forbidden":
        near = _near(where, names)
        hint = f" Did you mean {near}?" if near else ""
        return f"{where!r} is not an argument; the arguments are {', '.join(names)}.{hint}"
    got = cut(json.dumps(_brief(problem["input"]), default=_kind, ensure_ascii=False), NAME_SHOWN)
    message = cut(problem["msg"], 5 * NAME_SHOWN)
    return f"{where}: {message[:1].lower()}{message[1:]} (got {got})."


def _near(name: str, known: Items[str]) -> str | None:
    """Return the most similar known name, or None; a long name is not compared, since the cost grows with it."""
    from difflib import get_close_matches  # few calls need it

    matches = get_close_matches(name, known, n=1) if len(name) <= NAME_SHOWN else []
    return matches[0] if matches else None


def _brief(value: Any, depth: int = 3) -> Any:
    """Return a value cut to what an error shows of it, without walking all of a large one."""
    if isinstance(value, str):
        return value[: 2 * NAME_SHOWN]
    # Python refuses to write out numbers of more than 4,300 digits; an error shows none that is so long.
    if isinstance(value, int) and value.bit_length() > 2_000:
        return "a very long number"
    if isinstance(value, dict) and depth:
        return {cut(str(key), NAME_SHOWN): _brief(child, depth - 1) for key, child in islice(value.items(), 5)}
    if isinstance(value, list) and depth:
        return [_brief(child, depth - 1) for child in value[:5]]
    return "…" if isinstance(value, dict | list) else value


def _kind(value: object) -> str:
    return type(value).__name__


def _facts(error: SequencesError) -> dict[str, Any]:
    facts = {
        "outcome": error.outcome,
        "sent": "unknown" if error.outcome == "unknown" else "nothing",
        "code": error.code,
        "message": error.message,
        "next": error.next_step,
        "retryable": error.retryable,
    }
    more = _fitting(to_jsonable_python(dict(error.data), fallback=str))
    # ``facts`` comes first for the order of the keys, and last so that an error's data cannot replace them.
    shown = visible_throughout({**facts, **more, **facts})
    assert isinstance(shown, dict)
    return shown


def _fitting(data: dict[str, Any]) -> dict[str, Any]:
    """Return an error's data without nulls, its lists and texts cut to ``TEXT_BUDGET``."""
    short = _shortened(data)
    limit = fair_limit(map(size, _strings(short)), budget=TEXT_BUDGET)
    fitting = _cut_throughout(short, limit)
    assert isinstance(fitting, dict)
    return fitting


def _shortened(value: Any) -> Any:
    if isinstance(value, list):
        return [_shortened(child) for child in value]
    if not isinstance(value, dict):
        return value
    shortened = {key: _shortened(child) for key, child in value.items() if child is not None}
    for key, child in list(shortened.items()):
        if isinstance(child, list) and len(child) > (most := _most(child)):
            shortened |= {key: child[:most], f"{key}_left_out": len(child) - most}
    return shortened


def _most(items: list[Any]) -> int:
    return OBJECTS_SHOWN if any(isinstance(item, dict) for item in items) else LINES_SHOWN


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for child in value.values() if isinstance(value, dict) else value:
            yield from _strings(child)


def _cut_throughout(value: Any, limit: int) -> Any:
    if isinstance(value, str):
        return cut(value, limit)
    if isinstance(value, dict):
        return {key: _cut_throughout(child, limit) for key, child in value.items()}
    return [_cut_throughout(child, limit) for child in value] if isinstance(value, list) else value
