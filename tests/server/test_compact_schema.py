"""A compact schema says what the whole one said."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field

from sequences_mcp.server.catalog import compact


class Colour(StrEnum):
    """One of two."""

    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    """A part."""

    title: str
    colour: Colour | None = None


class Outer(BaseModel):
    """A whole."""

    parts: list[Inner]
    limit: Annotated[int | None, Field(ge=1, description="At most")] = None
    free: dict[str, str | None] = {}


def test_titles_nulls_and_references_go_and_everything_else_stays() -> None:
    inner = {
        "type": "object",
        "properties": {"title": {"type": "string"}, "colour": {"type": "string", "enum": ["red", "blue"]}},
        "required": ["title"],
    }
    assert compact(Outer.model_json_schema()) == {
        "type": "object",
        "properties": {
            "parts": {"type": "array", "items": inner},
            "limit": {"type": "integer", "minimum": 1, "description": "At most"},
            "free": {
                "type": "object",
                "default": {},
                "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            },
        },
        "required": ["parts"],
    }
