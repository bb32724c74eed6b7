"""The guards on a blueprint file, with findings that point at its lines."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sequences_mcp.domain.finding import Finding
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.flows.json_map import JsonMap, Path, Place
from sequences_mcp.guards.check import check_steps

if TYPE_CHECKING:
    from sequences_mcp.guards.policy import GuardPolicy


_NUMBERED = re.compile(r"steps\[(\d+)\](?:\.(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Located:
    """A finding and where it stands in the file."""

    finding: Finding
    start: Place
    end: Place


def check_file(text: str, *, policy: GuardPolicy) -> tuple[Located, ...]:
    """Return the findings in a JSON text that is a list of steps or an object with ``steps``.

    Raises InvalidArgumentsError, with the line, for a text that is not JSON or has no steps.
    """
    try:
        source = JsonMap(text)
    except json.JSONDecodeError as error:
        raise InvalidArgumentsError(
            f"Line {error.lineno}, column {error.colno}: this is not JSON ({error.msg}).",
            next_step="Mend it there.",
        ) from error
    except RecursionError as error:
        raise InvalidArgumentsError("The file is nested too deeply.", next_step="Give a list of steps.") from error
    root, steps = _steps(source)
    return tuple(
        _located(source, found, root=root, steps=steps) for found in check_steps(steps, policy=policy).findings
    )


def _steps(source: JsonMap) -> tuple[Path, object]:
    if isinstance(source.value, list):
        return (), source.value
    if isinstance(source.value, dict) and "steps" in source.value:
        return ("steps",), source.value["steps"]
    raise InvalidArgumentsError(
        "The file holds no steps.", next_step="It is a JSON list of steps, or an object with the key `steps`."
    )


def _located(source: JsonMap, finding: Finding, *, root: Path, steps: object) -> Located:
    path, field = root, finding.field or ""
    if numbered := _NUMBERED.fullmatch(field):  # a step without an id
        path, field = (*root, int(numbered[1])), numbered[2] or ""
    if finding.step_id is not None and isinstance(steps, list):
        ids = [step.get("id") if isinstance(step, dict) else None for step in steps]
        if finding.step_id in ids:
            path = (*root, ids.index(finding.step_id))
    if field:
        path = (*path, *field.split("."))
    return Located(finding, source.place(path, finding.start), source.place(path, finding.end))
