"""Openings of conversations, drawn by chance: order, timing, fragments of lines, both eras, mistakes.

What a client may send, might send and should never send in the first second. ``drawn`` makes one from a seed, and
``owed`` says which answers it has coming.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from mcp.types import JSONRPCNotification, JSONRPCRequest

from sequences_mcp.server.streams import id_of, read_message

Object: TypeAlias = dict[str, Any]
LEGACY = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "1999-01-01", "2026-07-28", "", "next")
MODERN = "2026-07-28"
LISTS = ("tools/list", "prompts/list", "resources/list", "resources/templates/list")
CLIENTS: tuple[Object, ...] = (
    {"name": "chat", "version": "1"},
    {
        "name": "chat",
        "title": "Chät",
        "version": "",
        "websiteUrl": "https://chat.example",
        "description": "a chat",
    },
    {"name": "chat", "version": "1", "icons": [{"src": "https://chat.example/i.png", "sizes": ["48x48"]}]},
    {"name": "chat", "version": "1", "mood": "good"},
    {"name": "chat", "version": 1},
    {"name": "chat"},
    {"name": "cha\ud83d\ude00t", "version": "1"},
)
CAPABILITIES: tuple[Object, ...] = (
    {},
    {"roots": {"listChanged": True}, "sampling": {}, "elicitation": {}},
    {"elicitation": {"form": {"applyDefaults": True}, "url": {}}, "experimental": {"a": {"b": [1, {"c": None}]}}},
    {"extensions": {"io.modelcontextprotocol/ui": {"mimeTypes": ["text/html"]}}, "tasks": {"list": {}}},
    {"sampling": {"tools": {}, "context": {}}},
    {"roots": None},
    {"roots": {"listChanged": "yes"}},
    {"elicitation": []},
    {"experimental": {"a": 1}},
    {"unheard": {"of": 1.5}},
)
TOKENS: tuple[Any, ...] = ("p", 7, 0, 1.5, True, None, {})
IDS: tuple[Any, ...] = (
    *("a", "id-1", "", "é", 'a"b', "a\\b", "\x7f", "x" * 200, "7"),
    *(0, -1, 7, 2**53, 2**70, 1.5, None, True, [1], {}),
)
CALLS: tuple[Object, ...] = (
    {"name": "list_tasks", "arguments": {}},
    {"name": "find_contacts", "arguments": {"query": "é"}},
    {"name": "list_blueprints", "arguments": {"pages": 1}},
    {"name": "no_such_tool", "arguments": {}},
    {"arguments": {}},
)
MISTAKES = {"mistake", "notice", "hello", "modern", "bare"}
NO_JSON = (
    b"",
    b"   ",
    b"\r",
    b"hello",
    b"{",
    b'{"jsonrpc":"2.0","id":9,"method":"ping",}',
    b'{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"\\ud83d"}}',
    b'{"jsonrpc":"2.0","id":9,"method":"ping","id":10}',
    b'{"jsonrpc":"2.0","id":9,"id":10,"method":"tools/list"}',
    b'{"jsonrpc":"2.0","id":9,"method":"ping","params":{"x":' + b"[" * 400 + b"]" * 400 + b"}}",
    b'{"jsonrpc":"2.0","id":9,"method":"ping","params":{"x":' + b"9" * 5_000 + b"}}",
    b'{"jsonrpc":"2.0","id":9,"method":"p\xffing"}',
    b'{"jsonrpc":"1.0","id":9,"method":"ping"}',
    b'{"id":9,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":9}',
    b'{"jsonrpc":"2.0","id":9,"result":{}}',
    b'{"jsonrpc":"2.0","id":9,"error":{"code":1,"message":"no"}}',
    b'{"jsonrpc":"2.0","id":9,"method":"ping","params":[]}',
    b'{"jsonrpc":"2.0","id":9,"method":"ping","params":null}',
    b'{"jsonrpc":"2.0","id":9,"method":"pi\\u006eg"}',
    b'{"jsonrpc":"2.0","id":9,"method":"ping","more":1}',
    b'{"jsonrpc":"2.0","id":9,"method":"ping","params":{"_meta":{"x":NaN}}}',
    b'[{"jsonrpc":"2.0","id":9,"method":"ping"},{"jsonrpc":"2.0","id":10,"method":"tools/list"}]',
    b"[]",
    b"7",
)


class Chance(random.Random):
    """Chance by a seed; half of the clients are careful and make no mistakes."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.is_careful = self.random() < 0.5

    def slips(self, share: float) -> bool:
        """Return whether a client makes a mistake that it makes in so many cases."""
        return not self.is_careful and self.random() < share


@dataclass(frozen=True, slots=True)
class OpeningScript:
    """What a client does: it writes ``fragments`` one after the other, and before those in ``patient`` it waits
    for all answers owed. ``leaves`` closes the input right after the last, without waiting. The SDK is there
    before the fragment ``ready``; the settings are read before the fragment ``settled``, which is no later.
    """

    fragments: tuple[bytes, ...]
    patient: frozenset[int]
    leaves: bool
    ready: int
    settled: int
    vendors: tuple[str, ...]


def drawn(seed: int, vendors: Sequence[str]) -> OpeningScript:
    """Return the opening of a seed, connected to some of the vendors."""
    chance = Chance(seed)
    lines = list(_modern(chance) if chance.random() < 0.45 else _legacy(chance))
    if chance.slips(0.1):
        chance.shuffle(lines)
    ending = b"\r\n" if chance.random() < 0.1 else b"\n"
    text = ending.join([*lines, b""])
    if chance.slips(0.03):
        text = b"\xef\xbb\xbf" + text
    fragments = tuple(_cut(chance, text))
    ready = len(fragments) if chance.random() < 0.6 else chance.randint(0, len(fragments))
    patience = chance.choice((0.0, 0.4, 1.0, 1.0))
    return OpeningScript(
        fragments,
        patient=frozenset(number for number in range(len(fragments)) if chance.random() < patience),
        leaves=chance.random() < 0.08,
        ready=ready,
        settled=chance.randint(0, ready),
        vendors=tuple(chance.sample(list(vendors), chance.randint(0, len(vendors)))),
    )


def owed(text: bytes) -> tuple[Counter[str], set[str]]:
    """Return the ids that whole lines have answers coming for, as JSON, and those that were cancelled."""
    ids, cancelled = Counter[str](), set[str]()
    for line in text.split(b"\n")[:-1]:
        readable = line.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").strip()
        if not readable:
            continue
        message = read_message(readable)
        if isinstance(message, str):
            number = id_of(readable)
            ids.update([] if number is None else [json.dumps(number)])
            continue
        match message.message:
            case JSONRPCRequest(id=number):
                ids.update([json.dumps(number)])
            case JSONRPCNotification(method="notifications/cancelled", params=params):
                named = str((params or {}).get("requestId"))  # a number in a text is that number, too
                cancelled.update((named, json.dumps(named)))
    return ids, cancelled


def _cut(chance: Chance, text: bytes) -> Iterator[bytes]:
    """Yield a text in fragments: whole lines mostly, several of them together, or torn anywhere."""
    style = chance.choice(("lines", "lines", "whole", "torn"))
    while text:
        if style == "lines":
            size = text.index(b"\n") + 1
        elif style == "whole":
            size = len(text)
        else:
            size = chance.randint(1, max(1, len(text) // 2))
        yield text[:size]
        text = text[size:]


def _legacy(chance: Chance) -> Iterator[bytes]:
    number = iter(range(1, 100))
    if not chance.slips(0.1):
        yield _line(chance, "initialize", _hello(chance), next(number))
    if not chance.slips(0.15):
        yield _line(chance, "notifications/initialized", *([{}] if chance.random() < 0.1 else []))
    for _ in range(chance.randint(0, 6)):
        kind = _kind(chance, list=45, ping=12, call=12, mistake=9, notice=6, hello=3, modern=4)
        yield from _step(chance, kind, next(number), envelope=dict)


def _modern(chance: Chance) -> Iterator[bytes]:
    for number in range(1, chance.randint(2, 8)):
        kind = _kind(chance, list=45, discover=18, call=12, mistake=8, notice=4, hello=3, bare=3)
        yield from _step(chance, kind, number, envelope=lambda: _envelope(chance))


def _step(chance: Chance, kind: str, number: int, *, envelope: Callable[[], Object]) -> Iterator[bytes]:
    """Yield the lines of one step; ``envelope`` makes the ``_meta`` that each request of this era has."""
    match kind:
        case "list":
            yield _line(chance, chance.choice(LISTS), *_params(chance, envelope()), number)
        case "call":
            yield from _call(chance, envelope(), number)
        case "mistake":
            yield _mistake(chance, number)
        case "notice":
            yield _notice(chance, number)
        case "hello":
            yield _line(chance, "initialize", _hello(chance), number)
        case "discover":
            yield _line(chance, "server/discover", {"_meta": _envelope(chance)}, number)
        case "modern":
            yield _line(chance, chance.choice(LISTS), {"_meta": _envelope(chance)}, number)
        case _:
            method = "ping" if kind == "ping" else chance.choice((*LISTS, "ping"))
            yield _line(chance, method, *_params(chance, {}), number)


def _kind(chance: Chance, **weights: int) -> str:
    if chance.is_careful:
        weights = {kind: weight for kind, weight in weights.items() if kind not in MISTAKES}
    return chance.choices(list(weights), list(weights.values()))[0]


def _hello(chance: Chance) -> Object:
    hello = {
        "protocolVersion": chance.choice(LEGACY) if chance.random() < 0.7 else "2025-11-25",
        "capabilities": _usual(chance, CAPABILITIES, 5),
        "clientInfo": _usual(chance, CLIENTS, 3),
        **({"_meta": {"progressToken": _usual(chance, TOKENS, 3)}} if chance.random() < 0.1 else {}),
    }
    if chance.slips(0.06):
        hello.pop(chance.choice(list(hello)))
    return hello


def _usual(chance: Chance, values: Sequence[Any], usual: int) -> Any:
    return chance.choice(values if chance.slips(0.15) else values[:usual])


def _envelope(chance: Chance) -> Object:
    prefix = "io.modelcontextprotocol/"
    envelope = {
        f"{prefix}protocolVersion": _usual(chance, (MODERN, "2025-11-25", "2030-01-01", 7), 1),
        f"{prefix}clientCapabilities": _usual(chance, CAPABILITIES, 5),
        f"{prefix}clientInfo": _usual(chance, CLIENTS, 3),
    }
    if chance.slips(0.1):
        envelope.pop(chance.choice(list(envelope)))
    if chance.slips(0.05):
        envelope[f"{prefix}logLevel"] = chance.choice(("info", "loud"))
    return envelope


def _params(chance: Chance, meta: Object) -> list[Object]:
    params: Object = {}
    if chance.random() < 0.2:
        params["cursor"] = _usual(chance, ("", "2", "é", "nonsense", None, 5), 4)
    if chance.random() < 0.15:
        meta = {**meta, "progressToken": _usual(chance, TOKENS, 3)}
    if chance.slips(0.05):
        meta = {**meta, "chat.example/trace": "1"}
    if chance.slips(0.04):
        params["limit"] = 3
    params.update({"_meta": meta} if meta else {})
    return [params] if params or chance.random() < 0.3 else []


def _call(chance: Chance, meta: Object, number: int) -> Iterator[bytes]:
    if chance.random() < 0.2:
        meta = {**meta, "progressToken": _usual(chance, TOKENS, 3)}
    method, params = chance.choice(
        (
            *(("tools/call", call) for call in CALLS),
            ("prompts/get", {"name": "draft_sequence", "arguments": {"goal": "a cook"}}),
            ("resources/read", {"uri": "format://variables"}),
            ("skills/list", {}),
            ("no/such", {}),
            ("logging/setLevel", {"level": "info"}),
        )
    )
    yield _line(chance, method, {**params, **({"_meta": meta} if meta else {})}, number)


def _notice(chance: Chance, number: int) -> bytes:
    method = chance.choice(("cancelled", "cancelled", "initialized", "roots/list_changed", "progress", "unheard"))
    params = {"requestId": chance.choice((number - 1, number - 1, str(number - 1), 99, None))}
    return _line(chance, f"notifications/{method}", *([params] if method == "cancelled" else []))


def _mistake(chance: Chance, number: int) -> bytes:
    if chance.random() < 0.6:
        return chance.choice(NO_JSON)
    message = {"jsonrpc": "2.0", "id": chance.choice(IDS), "method": chance.choice((*LISTS, "ping"))}
    return json.dumps(message, ensure_ascii=chance.random() < 0.5).encode("utf-8", "replace")


def _line(chance: Chance, method: str, *rest: Any) -> bytes:
    """Return the line of a message with these params and this id, its fields in any order."""
    message: Object = {"jsonrpc": "2.0", "method": method}
    for value in rest:
        message["params" if isinstance(value, dict) else "id"] = value
    items = list(message.items())
    chance.shuffle(items)
    style = chance.choice(((",", ":"), (", ", ": ")))
    text = json.dumps(dict(items), ensure_ascii=chance.random() < 0.2, separators=style)
    return text.encode("utf-8", "surrogatepass")
