"""The arguments that several tools share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator, Field, GetJsonSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema

from sequences_mcp.domain.blueprint import ContentSource
from sequences_mcp.domain.contact import FACTS
from sequences_mcp.domain.page import DEFAULT_SIZE, MAX_SIZE
from sequences_mcp.server.catalog import compact

_TEXT: dict[str, Any] = {"type": "string"}
# Limits that are not in a schema are enforced all the same, and the error names them: the longest key, the first
# and the last page, the smallest size and JSON Schema's format of a time would cost about 150 tokens of
# ``tools/list`` and hardly ever help a model.
IdempotencyKey = Annotated[str | None, Field(max_length=200), WithJsonSchema(_TEXT)]
Id = Annotated[str, Field(max_length=200), WithJsonSchema(_TEXT)]
PageNumber = Annotated[int, Field(ge=1, le=100_000), WithJsonSchema({"type": "integer"})]
PageSize = Annotated[int, Field(ge=1, le=MAX_SIZE), WithJsonSchema({"type": "integer", "maximum": MAX_SIZE})]
WaitSeconds = Annotated[int, Field(ge=0, le=600), WithJsonSchema({"type": "integer", "maximum": 600})]
VersionNumber = Annotated[int, Field(ge=1), WithJsonSchema({"type": "integer"})]
Name = Annotated[str, Field(max_length=200), WithJsonSchema(_TEXT)]
ShortText = Annotated[str, Field(max_length=500), WithJsonSchema(_TEXT)]
Instant = Annotated[AwareDatetime, WithJsonSchema({**_TEXT, "description": "ISO 8601 with offset"})]
Sourced = Annotated[str, Field(description="Name from list_providers, or a Kalent sourcing id")]
Holder = Annotated[str, Field(description="A Topo list id or Kalent sourcing id")]
Configuration = Annotated[dict[str, Any] | None, WithJsonSchema({"type": "object", "description": "Kalent's"})]
FIRST_PAGE = 1
PAGE_SIZE = DEFAULT_SIZE
_TALENT = {**_TEXT, "description": "A Kalent talent, alone"}
_STEPS = (
    "In order of outreach. linkedInType: with LINKEDIN only. format markdown: EMAIL only, sent as text and HTML. "
    "subject: with EMAIL and LINKEDIN_INMAIL only. delay: "
    "with DELAYED only, counted from the step before. AFTER_INVITATION_SETTLED: once the invitation is accepted, "
    "or after its inviteTimeoutDays. One invitation at most; a plain LINKEDIN_INVITATION has empty content. "
    f"{ContentSource.SUGGESTED}: the text is written per contact. "
    "variants: 2 to 4 texts, shared out equally; what one leaves out is the step's."
)
NESTED = frozenset({"variants", "delay", "policy", "config", "variables", "texts"})
_FORMS = {
    "phone": "E.164",
    "country": "ISO 3166 alpha-2",
    "time_zone": "IANA name",
    "language": "BCP 47",
    "found_at": "ISO date",
    "consent": "Record of it",
}


def unpacked(given: Any) -> Any:
    """Return a list with JSON text parsed: models often send a list, or its items, as strings of JSON.

    The same for what stands in an item as an object or a list (``NESTED``). A single object becomes a list of one.
    What is not JSON stays as it is; validation refuses it later.
    """
    whole = _from_json(given)
    if isinstance(whole, Mapping):
        whole = [whole]
    if not isinstance(whole, list) or not any(map(_may_have_text, whole)):
        return whole
    return [_with_parts(_from_json(item)) for item in whole]


def has_json_text(given: Any) -> bool:
    """Say whether a list argument, or a part of an item of it, came as text."""
    if not isinstance(given, list):
        return isinstance(given, str)
    return any(isinstance(item.get(name), str) for item in given if _has_parts(item) for name in NESTED)


def _has_parts(item: Any) -> bool:
    """Say whether an item has a field for an object or a list: most people of a long list have none."""
    return isinstance(item, dict) and not NESTED.isdisjoint(item)


def _may_have_text(item: Any) -> bool:
    return isinstance(item, str) or _has_parts(item)


def _with_parts(item: Any) -> Any:
    if not isinstance(item, Mapping):
        return item
    return {name: _from_json(value) if name in NESTED else value for name, value in item.items()}


def _from_json(given: Any) -> Any:
    if not isinstance(given, str) or not given.lstrip().startswith(("{", "[")):
        return given
    try:
        return json.loads(given)
    except (ValueError, RecursionError):
        return given


Unpacked = BeforeValidator(unpacked)


class StepFormat:
    """Annotation of a list of steps whose schema is the step format, derived from the domain's model."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the schema of a list of steps."""
        return {"type": "array", "description": _STEPS, "items": step_schema()}


def step_schema() -> dict[str, Any]:
    """Return the JSON schema of one step."""
    from sequences_mcp.domain.blueprint import Step

    schema = compact(Step.model_json_schema(by_alias=True))
    # A step whose text stands in its variants, or is written later, may leave its content out.
    return {**schema, "required": [name for name in schema["required"] if name != "content"]}


class ContactFormat:
    """Annotation of a list of people to save, whose schema is derived from the domain's fields."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the schema of a list of people."""
        return {
            "type": "array",
            "description": "Each with email or phone; for a Topo list email or linkedin_url",
            "items": _person(note=_TEXT, id=_TALENT),
        }


class EntryFormat:
    """Annotation of the people of a start: ids, or people with variables and texts of their own."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the schema of a list of ids and people; the fields themselves are those of save_contacts."""
        return {
            "type": "array",
            "items": {},
            "description": "Contact ids, or objects: id or the fields of save_contacts; variables {name: value}; "
            "texts {step_id: text or {subject, content}} for steps with contentSource "
            f"{ContentSource.SUGGESTED}",
        }


def _person(**extras: dict[str, Any]) -> dict[str, Any]:
    known = {name: {**_TEXT, **_described(name)} for name in FACTS}
    return {"type": "object", "properties": {**known, **extras}, "additionalProperties": False}


def _described(name: str) -> dict[str, str]:
    return {"description": _FORMS[name]} if name in _FORMS else {}
