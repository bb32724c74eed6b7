"""Between MCP and the product: calls come in strict, results go out the same in both channels, errors explained.

Text and structured content of a result are the same JSON, because some hosts show a model only the one and some
only the other. An error has text and ``_meta`` but no structured content: clients hold that against the tool's
output schema even when the call failed.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from collections.abc import Sequence as Items
from difflib import get_close_matches
from typing import Any

from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.types import CallToolResult, TextContent
from pydantic import ValidationError
from pydantic_core import to_jsonable_python

from sequences_mcp.errors import InvalidArgumentsError, SequencesError
from sequences_mcp.server.text import cut, visible_throughout
from sequences_mcp.server.view import to_json

ASK_AGAIN = "The plan still waits; the same call asks again, and list_reviews shows it."
META = "io.github.sequences-mcp/error"
FINDINGS_IN_ERROR = 12
logger = logging.getLogger(__name__)


class InternalError(SequencesError):
    """The program itself failed; the details are in its log and nowhere else."""

    code = "internal_error"


class BadAnswerError(SequencesError):
    """A client answered a dialog with something else than was asked."""

    code = "bad_answer"


class UnknownToolError(InvalidArgumentsError):
    """There is no tool of this name."""

    code = "unknown_tool"


def answer(text: str) -> CallToolResult:
    """Return a result whose two channels carry the same JSON object."""
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=json.loads(text))


def refusal(error: SequencesError) -> CallToolResult:
    """Return an error as a tool result, as a model reads it and as a program does."""
    facts = _facts(error)
    return CallToolResult(
        content=[TextContent(type="text", text=to_json(facts))], is_error=True, _meta={META: facts}
    )


def present(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments without those that are null: some hosts say so what others leave out."""
    return {name: value for name, value in arguments.items() if value is not None}


def explained(error: ToolError, *, tool: str, schema: Mapping[str, Any]) -> SequencesError:
    """Return the product's error for whatever a call raised; what nobody expected is logged and masked."""
    cause = error.__cause__
    if isinstance(cause, SequencesError):
        return cause
    if isinstance(cause, ValidationError) and not isinstance(error, UnexpectedToolError):
        return invalid_arguments(cause, schema)
    if not isinstance(error, UnexpectedToolError):
        return BadAnswerError(
            "The client's answer to the dialog was not of the form asked for.", next_step=ASK_AGAIN
        )
    logger.error("%s failed unexpectedly", tool, exc_info=cause)
    return InternalError(
        f"{tool} failed inside the server; nothing was sent.",
        next_step="The server's log, on its standard error, has the details.",
    )


def unknown_tool(name: str, tools: Items[str]) -> UnknownToolError:
    """Return the error for a tool that does not exist."""
    near = get_close_matches(name, tools, n=1)
    return UnknownToolError(
        f"There is no tool {cut(name, 80)!r}.",
        next_step=f"Did you mean {near[0]}?" if near else f"The tools are {', '.join(tools)}.",
    )


def invalid_arguments(error: ValidationError, schema: Mapping[str, Any]) -> InvalidArgumentsError:
    """Return one sentence for each argument that is missing, unknown or of the wrong form."""
    names = list(schema.get("properties", {}))
    problems = [_sentence(problem, names) for problem in error.errors(include_url=False, include_context=False)]
    return InvalidArgumentsError(" ".join(problems), next_step="Mend these arguments and call again.")


def _sentence(problem: Mapping[str, Any], names: list[str]) -> str:
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "missing":
        return f"{where} is missing."
    if problem["type"] == "extra_forbidden":
        near = get_close_matches(where, names, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        return f"{cut(where, 80)!r} is not an argument; the arguments are {', '.join(names)}.{hint}"
    got = cut(json.dumps(problem["input"], default=str, ensure_ascii=False), 80)
    return f"{where}: {problem['msg'][:1].lower()}{problem['msg'][1:]} (got {got})."


def _facts(error: SequencesError) -> dict[str, Any]:
    facts = {
        "outcome": error.outcome,
        "sent": "unknown" if error.outcome == "unknown" else "nothing",
        "code": error.code,
        "message": error.message,
        "next": error.next_step,
        "retryable": error.retryable,
        **_data(error.data),
    }
    shown = visible_throughout(facts)
    assert isinstance(shown, dict)
    return shown


def _data(data: Mapping[str, Any]) -> dict[str, Any]:
    facts: dict[str, Any] = _without_none(to_jsonable_python(dict(data), fallback=str))
    findings = facts.get("findings", [])
    if len(findings) > FINDINGS_IN_ERROR:
        facts["findings"] = findings[:FINDINGS_IN_ERROR]
        facts["findings_left_out"] = len(findings) - FINDINGS_IN_ERROR
    return facts


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(child) for key, child in value.items() if child is not None}
    return [_without_none(child) for child in value] if isinstance(value, list) else value
