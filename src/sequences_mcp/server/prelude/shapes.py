"""Which messages are answered before the SDK is there: those whose every field is known, in exactly these shapes.

The SDK takes more than that: other fields, types that it converts, escapes that it decodes in its own way. What is
not read here waits for it, so that the bytes of an answer never depend on who gives it. The shapes are those of
the protocol's schemas, https://modelcontextprotocol.io/specification/2025-11-25/schema and the same of 2026-07-28.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

LONGEST = 32_768  # bytes of a line
DEEPEST = 12  # levels of an object that the protocol leaves to clients
LARGEST = 2**53 - 1  # of a number, which every JSON parser reads as it is written
LONGEST_ID = 128
HANDSHAKE = "initialize"
READY = "notifications/initialized"
DISCOVERY = "server/discover"
PING = "ping"
LISTS = ("tools/list", "prompts/list", "resources/list", "resources/templates/list")
MODERN = "2026-07-28"
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
_CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"
_CLIENT_KEY = "io.modelcontextprotocol/clientInfo"

Check = Callable[[Any], bool]


class KnownMessage(NamedTuple):
    """A message that is known whole: its method, the JSON text of its id (empty for a notification), its params.

    ``is_enveloped`` says that it is a request of the modern era, with the envelope of each.
    """

    method: str
    id_text: str
    params: Mapping[str, Any]
    is_enveloped: bool = False


def read_known(line: bytes) -> KnownMessage | None:
    """Return the message of a line, None where anything about it is not known here."""
    if len(line) > LONGEST or b"\\u" in line:
        return None  # an escape may be half a character, on which parsers differ
    try:
        message = _DECODER.decode(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    if type(message) is not dict or message.get("jsonrpc") != "2.0" or message.keys() - _ENVELOPE:
        return None
    method, params = message.get("method"), message.get("params", {})
    if method == READY:
        return KnownMessage(READY, "", {}) if "id" not in message and params == {} else None
    id_text = _id_text(message.get("id"))
    if id_text is None or type(method) is not str:
        return None
    if method == HANDSHAKE:
        return KnownMessage(method, id_text, params) if _OF_HANDSHAKE(params) else None
    if method in _OF_LEGACY and _OF_LEGACY[method](params):
        return KnownMessage(method, id_text, params)
    if method in _OF_MODERN and _OF_MODERN[method](params) and params["_meta"][VERSION_KEY] == MODERN:
        return KnownMessage(method, id_text, params, is_enveloped=True)
    return None


def _id_text(value: object) -> str | None:
    """Return an id as it stands in an answer; None for one that may be written in several ways."""
    if type(value) is int:
        return str(value)
    if type(value) is str and len(value) <= LONGEST_ID and value.isascii() and value.isprintable():
        return None if '"' in value or "\\" in value else f'"{value}"'
    return None


def _refuse(_: str) -> Any:
    raise ValueError("a number that is not whole")


def _whole(text: str) -> int:
    if len(text) > len(str(-LARGEST)) or abs(number := int(text)) > LARGEST or text == "-0":
        raise ValueError("a number that is too large")
    return number


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a name that stands twice")
    return made


_DECODER = json.JSONDecoder(
    parse_float=_refuse, parse_constant=_refuse, parse_int=_whole, object_pairs_hook=_object
)
_ENVELOPE = {"jsonrpc", "id", "method", "params"}


def _of(*types: type) -> Check:
    return lambda value: type(value) in types


def _list(item: Check) -> Check:
    return lambda value: type(value) is list and all(map(item, value))


def _map(item: Check) -> Check:
    return lambda value: type(value) is dict and all(map(item, value.values()))


def _fields(required: Mapping[str, Check], optional: Mapping[str, Check]) -> Check:
    known = {**required, **optional}

    def check(value: Any) -> bool:
        if type(value) is not dict or value.keys() - known or required.keys() - value.keys():
            return False
        return all(known[name](field) for name, field in value.items())

    return check


def _free(value: Any, level: int = 0) -> bool:
    """Return whether a value is an object with anything in it, not too deep."""
    return type(value) is dict and _shallow(value, level)


def _shallow(value: Any, level: int) -> bool:
    if type(value) in (dict, list):
        inner = value.values() if type(value) is dict else value
        return level < DEEPEST and all(_shallow(item, level + 1) for item in inner)
    return True


_text = _of(str)
_icon = _fields({"src": _text}, {"mimeType": _text, "sizes": _list(_text)})
_client = _fields(
    {"name": _text, "version": _text},
    {"title": _text, "description": _text, "websiteUrl": _text, "icons": _list(_icon)},
)
_capabilities = _fields(
    {},
    {
        "roots": _fields({}, {"listChanged": _of(bool)}),
        "sampling": _fields({}, {"context": _free, "tools": _free}),
        "elicitation": _fields({}, {"form": _free, "url": _free}),
        "tasks": _fields(
            {},
            {
                "list": _free,
                "cancel": _free,
                "requests": _fields(
                    {},
                    {
                        "elicitation": _fields({}, {"create": _free}),
                        "sampling": _fields({}, {"createMessage": _free}),
                    },
                ),
            },
        ),
        "experimental": _map(_free),
        "extensions": _map(_free),
    },
)
_token = {"progressToken": _of(str, int)}
_OF_HANDSHAKE = _fields(
    {"protocolVersion": _text, "capabilities": _capabilities, "clientInfo": _client},
    {"_meta": _fields({}, _token)},
)
_with_token = {"_meta": _fields({}, _token)}
_OF_LEGACY: dict[str, Check] = {
    PING: _fields({}, _with_token),
    **dict.fromkeys(LISTS, _fields({}, {**_with_token, "cursor": _text})),
}
_envelope = {
    "_meta": _fields({VERSION_KEY: _text, _CAPABILITIES_KEY: _capabilities}, {_CLIENT_KEY: _client, **_token})
}
_OF_MODERN: dict[str, Check] = {
    DISCOVERY: _fields(_envelope, {}),
    **dict.fromkeys(LISTS, _fields(_envelope, {"cursor": _text})),
}
