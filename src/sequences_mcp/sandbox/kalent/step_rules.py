"""The step rules of "Create sequence blueprint": the first one broken is a validation_error that names the field.

Where the page is silent, these were chosen: a ``delay`` beside another temporality is ignored, unknown keys are
refused, nothing waits longer than ten years, any ``[…]`` with a letter in it is an unresolved placeholder, and
the 300 characters of an invitation's note, which the vendor's own agents keep, are not enforced.
"""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic import ValidationError

from sequences_mcp.domain.blueprint import Channel, DelayUnit, LinkedInType, Step, Temporality
from sequences_mcp.domain.variables import VARIABLES
from sequences_mcp.sandbox.rest.reading import only
from sequences_mcp.sandbox.rest.refusal import BadInput

# fmt: off
KEYS = (
    "id", "name", "type", "linkedInType", "content", "subject", "temporalityType", "delay", "contentSource",
    "config", "policy",
)
# fmt: on
INMAIL_SUBJECT = 200
LONGEST = {DelayUnit.DAY: 3_650, DelayUnit.MINUTE: 3_650 * 1_440, DelayUnit.SECOND: 3_650 * 86_400}
BRACES = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
BRACKETS = re.compile(r"\[[^\[\]]*[^\W\d_][^\[\]]*\]")


def checked_steps(raw: object) -> tuple[Step, ...]:
    """Return the steps as they are stored."""
    if not isinstance(raw, list):
        raise BadInput("steps must be an array", field="steps")
    steps = tuple(_step(item, f"steps[{number}]") for number, item in enumerate(raw))
    for number, step in enumerate(steps):
        _check_alone(step, f"steps[{number}]")
        _check_among(step, steps[:number], f"steps[{number}]")
    return tuple(_stored(step) for step in steps)


def _step(raw: object, place: str) -> Step:
    if not isinstance(raw, dict):
        raise BadInput(f"{place} must be an object", field=place)
    only(raw, KEYS)
    _check_unit(raw.get("delay"), place)
    try:
        return Step.model_validate_json(json.dumps(_without_nulls(raw)), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join([place, *map(str, first["loc"])])
        raise BadInput(f"{field}: {first['msg']}", field=field) from error


def _check_unit(delay: object, place: str) -> None:
    """Refuse what the product's own model would convert on the way in."""
    unit = delay.get("unit") if isinstance(delay, dict) else None
    if isinstance(unit, str) and unit not in set(DelayUnit):
        raise BadInput(f"{place}.delay.unit must be one of {', '.join(DelayUnit)}", field=f"{place}.delay.unit")


def _without_nulls(raw: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in raw.items() if value is not None}


def _check_alone(step: Step, place: str) -> None:
    _require(bool(step.id.strip()), "must not be empty", f"{place}.id")
    _require(bool(step.name.strip()), "must not be empty", f"{place}.name")
    on_linkedin = step.type is Channel.LINKEDIN
    _require(
        on_linkedin is (step.linked_in_type is not None),
        "is required for LINKEDIN steps" if on_linkedin else "is only allowed for LINKEDIN steps",
        f"{place}.linkedInType",
    )
    _check_subject(step, place)
    _check_timing(step, place)
    if step.linked_in_type is not LinkedInType.INVITATION:
        _require(bool(step.content.strip()), "must not be empty", f"{place}.content")
    for field, text in (("content", step.content), ("subject", step.subject or "")):
        _check_text(text, f"{place}.{field}")


def _check_subject(step: Step, place: str) -> None:
    is_inmail = step.linked_in_type is LinkedInType.INMAIL
    takes_one = step.type is Channel.EMAIL or is_inmail
    wrong = "is required for EMAIL and InMail steps" if takes_one else "is only allowed for EMAIL and InMail steps"
    _require(bool(step.subject and step.subject.strip()) is takes_one, wrong, f"{place}.subject")
    too_long = is_inmail and len(step.subject or "") > INMAIL_SUBJECT
    _require(not too_long, f"must be at most {INMAIL_SUBJECT} characters", f"{place}.subject")


def _check_timing(step: Step, place: str) -> None:
    lacks = step.temporality_type is Temporality.DELAYED and step.delay is None
    _require(not lacks, "is required when temporalityType is DELAYED", f"{place}.delay")
    if step.delay is not None:
        most = LONGEST[step.delay.unit]
        _require(0 < step.delay.value <= most, "must be positive and at most ten years", f"{place}.delay.value")
    days = step.policy.invite_timeout_days
    _require(
        days is None or 0 < days <= LONGEST[DelayUnit.DAY],
        "must be positive and at most ten years",
        f"{place}.policy.inviteTimeoutDays",
    )


def _check_text(text: str, field: str) -> None:
    unknown = next((name for name in BRACES.findall(text) if name not in VARIABLES), None)
    _require(unknown is None, f"Unsupported template variable: {{{{{unknown}}}}}", field)
    bracket = BRACKETS.search(text)
    _require(bracket is None, f"Unresolved placeholder: {bracket[0] if bracket else ''}", field)


def _check_among(step: Step, before: tuple[Step, ...], place: str) -> None:
    _require(step.id not in {one.id for one in before}, "must be unique within the blueprint", f"{place}.id")
    invited = any(one.is_invitation for one in before)
    _require(not (step.is_invitation and invited), "Only one invite step is allowed", f"{place}.linkedInType")
    waits = step.temporality_type is Temporality.AFTER_INVITATION_SETTLED
    _require(not waits or invited, "requires an earlier invite step", f"{place}.temporalityType")


def _stored(step: Step) -> Step:
    """Return the step; a plain invitation keeps no text."""
    is_plain = step.linked_in_type is LinkedInType.INVITATION
    return step.model_copy(update={"content": ""}) if is_plain else step


def _require(holds: bool, message: str, field: str) -> None:
    if not holds:
        raise BadInput(f"{field}: {message}", field=field)
