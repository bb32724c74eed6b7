"""JSON schemas as small as they can be without saying less: no titles, no null alternatives, no references."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NAMED = ("properties", "$defs", "patternProperties")


def compact(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema that a host puts before a model.

    What goes: ``title`` (it repeats the name), the description of the whole (a model's docstring), ``null`` beside
    another type and as a default (an absent argument says the same), and ``$defs``, each of which is written where
    it is used. Schemas must not be recursive.
    """
    definitions = schema.get("$defs", {})
    kept = {key: value for key, value in schema.items() if key not in ("$defs", "title", "description")}
    return {key: _part(key, value, definitions) for key, value in kept.items()}


def _part(key: str, value: Any, definitions: Mapping[str, Any]) -> Any:
    if key in NAMED:
        return {name: _schema(child, definitions) for name, child in value.items()}
    if key == "additionalProperties":
        return value  # in a free map null is a value of its own, not an absent argument
    if isinstance(value, list):
        return [_schema(item, definitions) for item in value]
    return _schema(value, definitions)


def _schema(value: Any, definitions: Mapping[str, Any]) -> Any:
    if not isinstance(value, Mapping):
        return value
    plain = _inlined(_without_null(value), definitions)
    return {
        key: _part(key, child, definitions)
        for key, child in plain.items()
        if key != "title" and not (key == "default" and child is None)
    }


def _inlined(value: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    name = str(value.get("$ref", "")).removeprefix("#/$defs/")
    if name not in definitions:
        return value
    target = {key: child for key, child in definitions[name].items() if key != "description"}
    return {**target, **{key: child for key, child in value.items() if key != "$ref"}}


def _without_null(value: Mapping[str, Any]) -> Mapping[str, Any]:
    alternatives = value.get("anyOf")
    if not isinstance(alternatives, list):
        return value
    kept = [alternative for alternative in alternatives if alternative != {"type": "null"}]
    if len(kept) != 1 or len(kept) == len(alternatives):
        return value
    return {**{key: child for key, child in value.items() if key != "anyOf"}, **kept[0]}
