"""What the prelude answers is what the SDK answers, byte for byte, and nothing else is answered by it."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from benchmarks.openings import drawn
from benchmarks.played import Player, differences
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS
from scripts.prelude import CLIENT, ENVELOPE, every_combination, exchanged, hello, request, snapshot_files
from tests.world.product import World

from sequences_mcp.domain.ids import VENDORS
from sequences_mcp.server.app import SequencesServer, build_server
from sequences_mcp.server.prelude.opening import Opening
from sequences_mcp.server.prelude.shapes import DISCOVERY, LISTS, PING, read_known
from sequences_mcp.server.prelude.snapshot import FOLDER, FrozenAnswers
from sequences_mcp.server.prelude.start import plain_because, usual_folder
from sequences_mcp.settings import read_settings

READY = {"jsonrpc": "2.0", "method": "notifications/initialized"}
OPENINGS = 150
PARAMS: Sequence[dict[str, Any]] = (
    {},
    {"cursor": ""},
    {"cursor": "of nowhere"},
    {"_meta": {"progressToken": "p"}},
    {"cursor": "2", "_meta": {"progressToken": 0}},
)
IDS = (0, -7, 2**53 - 1, "a", "", "7", "a b'c/~")


def said(opening: Opening, line: dict[str, Any], vendors: Collection[str] = ()) -> str | None:
    """Return what the prelude answers to a message, without the end of the line."""
    answer = opening.reply(json.dumps(line, ensure_ascii=False).encode(), lambda: vendors)
    return None if answer is None else answer.decode().rstrip("\r\n")


def test_the_snapshot_is_what_the_sdk_answers_in_every_version_with_any_vendors() -> None:
    for name, text in snapshot_files().items():
        there = (Path(FOLDER) / name).read_bytes().decode()
        assert there == text, f"{name} is out of date: run `python -m scripts.prelude` and look at the change."


def test_every_version_and_every_set_of_vendors_has_all_its_answers() -> None:
    frozen = FrozenAnswers.load()
    assert len(every_combination()) == 2 ** len(VENDORS)
    for protocol in (*HANDSHAKE_PROTOCOL_VERSIONS, *MODERN_PROTOCOL_VERSIONS):
        first = (DISCOVERY,) if protocol in MODERN_PROTOCOL_VERSIONS else ("initialize", PING)
        for vendors in every_combination():
            assert all(frozen.result(protocol, method, vendors) for method in (*first, *LISTS))
    assert frozen.result("2025-11-25", "tools/list", ("hubspot",)) is None


@pytest.mark.parametrize("protocol", (*HANDSHAKE_PROTOCOL_VERSIONS, "2026-07-28", "of tomorrow", ""))
async def test_a_handshake_and_what_follows_it_is_answered_as_by_the_sdk(protocol: str) -> None:
    lines = [hello(protocol), READY, *(request(method, **params) for method in LISTS for params in PARAMS)]
    lines += [request(PING), request(PING, _meta={"progressToken": "p"}), request(PING, 2)]
    opening = Opening(FrozenAnswers.load())
    answers = [said(opening, line, ("topo",)) for line in lines]
    assert answers.pop(1) == ""
    assert answers == await exchanged(lines, vendors=("topo",))


async def test_requests_of_the_modern_era_are_answered_as_by_the_sdk() -> None:
    alone = {key: value for key, value in ENVELOPE.items() if not key.endswith("clientInfo")}
    metas = (ENVELOPE, alone, {**ENVELOPE, "progressToken": 3})
    lines = [request(method, _meta=meta) for method in (*LISTS, DISCOVERY) for meta in metas]
    lines += [request(method, cursor="of nowhere", _meta=ENVELOPE) for method in LISTS]
    opening = Opening(FrozenAnswers.load())
    assert [said(opening, line, ("kalent",)) for line in lines] == await exchanged(lines, vendors=("kalent",))


async def test_an_id_comes_back_as_it_was_sent() -> None:
    lines = [hello("2025-11-25"), *({**request(PING), "id": number} for number in IDS)]
    opening = Opening(FrozenAnswers.load())
    assert [said(opening, line) for line in lines] == await exchanged(lines, vendors=())


CAPABILITIES: Sequence[dict[str, Any]] = (
    {"roots": {"listChanged": True}, "sampling": {}, "elicitation": {}},
    {"elicitation": {"form": {"applyDefaults": True}, "url": {}}, "sampling": {"tools": {}, "context": {}}},
    {"experimental": {"a": {"b": [1, {"c": None}]}}, "extensions": {"x.example/ui": {"mimeTypes": ["text/html"]}}},
    {"tasks": {"list": {}, "cancel": {}, "requests": {"sampling": {"createMessage": {}}}}},
)


@pytest.mark.parametrize("capabilities", CAPABILITIES, ids=range(len(CAPABILITIES)))
async def test_what_clients_say_of_themselves_changes_no_answer(capabilities: dict[str, Any]) -> None:
    icons = [{"src": "https://chat.example/i.png", "mimeType": "image/png", "sizes": ["48x48"]}]
    client = {**CLIENT, "title": "Chät", "websiteUrl": "https://chat.example", "icons": icons}
    first = request("initialize", protocolVersion="2025-06-18", capabilities=capabilities, clientInfo=client)
    opening = Opening(FrozenAnswers.load())
    assert [said(opening, first)] == await exchanged([first], vendors=())


def bent(old: str = "", new: str = "", **changes: Any) -> bytes:
    """Return the line of a handshake with other fields, or with a part of its text replaced."""
    return json.dumps({**hello("2025-11-25"), **changes}).replace(old or "\0", new).encode()


def modern(old: str = "", new: str = "", **meta: Any) -> bytes:
    """Return the line of a modern list with more in its envelope, or with a part of its text replaced."""
    text = json.dumps(request("tools/list", _meta={**ENVELOPE, **meta}))
    return text.replace(old or "\0", new).encode()


WAITS = {
    "no JSON": b"hello",
    "a batch": b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]',
    "a list before a handshake": json.dumps(request("tools/list")).encode(),
    "a ping before a handshake": json.dumps(request("ping")).encode(),
    "a notification before it": json.dumps(READY).encode(),
    "an escape": bent(id="é"),
    "an id beyond ASCII": bent("snapshot", "snapshot", id=1).replace(b'"id": 1', '"id": "é"'.encode()),
    "an id that is true": bent(id=True),
    "an id with a fraction": bent(id=1.0),
    "a huge id": bent(id=2**53),
    "a name twice": bent('{"jsonrpc"', '{"id": 1, "jsonrpc"'),
    "a field more": bent(more=1),
    "no params": json.dumps(request("initialize")).encode(),
    "an unknown capability": bent("{}", '{"magic": {}}'),
    "a version that is a number": bent('"2025-11-25"', "3"),
    "a modern version that is not served": modern("2026-07-28", "2030-01-01"),
    "a level for logs": modern(**{"io.modelcontextprotocol/logLevel": "info"}),
    "a byte order mark": b"\xef\xbb\xbf" + bent(),
    "wrong UTF-8": bent().replace(b"snapshot", b"\xff"),
    "an endless line": bent("snapshot", "x" * 40_000),
    "endless depth": bent("{}", '{"experimental":{"a":{"b":' + "[" * 500 + "]" * 500 + "}}}"),
}


@pytest.mark.parametrize("line", WAITS.values(), ids=WAITS.keys())
def test_what_is_not_known_whole_waits_for_the_sdk(line: bytes) -> None:
    opening = Opening(FrozenAnswers.load())
    assert opening.reply(line, lambda: ()) is None
    assert not opening.recorded


def test_the_eras_are_not_mixed_and_nothing_is_greeted_twice() -> None:
    legacy, later = Opening(FrozenAnswers.load()), Opening(FrozenAnswers.load())
    enveloped = request("tools/list", _meta=ENVELOPE)
    assert said(legacy, hello("2025-11-25")) and said(later, enveloped)
    assert [said(legacy, line) for line in (enveloped, hello("2025-11-25"))] == [None, None]
    assert [said(later, line) for line in (hello("2025-11-25"), request("tools/list"), READY)] == [
        None,
        None,
        None,
    ]
    assert said(legacy, READY) == "" and said(legacy, READY) is None


def test_the_sdk_is_told_the_opening_and_nothing_that_leaves_no_trace() -> None:
    legacy, later = Opening(FrozenAnswers.load()), Opening(FrozenAnswers.load())
    for line in (hello("2025-11-25"), READY, request("tools/list", 2), request(PING, 3)):
        said(legacy, line)
    for number in (5, 6):
        said(later, request("tools/list", number, _meta=ENVELOPE))
    assert [(json.loads(line), line.answered) for line in legacy.recorded] == [
        (hello("2025-11-25"), "1"),
        (READY, ""),
    ]
    (opener,) = later.recorded
    assert opener.answered == "5"
    assert json.loads(opener) == request(DISCOVERY, 5, _meta=ENVELOPE)


def test_the_prelude_stands_back_where_it_is_told_to_or_does_not_know_what_is_installed() -> None:
    assert plain_because({}) == ""
    assert plain_because({"SEQUENCES_PRELUDE": " off "}) == "SEQUENCES_PRELUDE is off"
    assert "maybe" in plain_because({"SEQUENCES_PRELUDE": "maybe"})
    index = json.loads((Path(FOLDER) / "index.json").read_text(encoding="utf-8"))
    newer = {**index, "sdk": {**index["sdk"], "mcp": "2.9.0"}}
    assert "2.9.0" in FrozenAnswers(newer, ()).mismatch()
    assert "0.0.1" in FrozenAnswers({**index, "product": "0.0.1"}, ()).mismatch()
    assert "no one version" in FrozenAnswers({**index, "sdk": {"no_such_package": "1"}}, ()).mismatch()


def test_the_folder_that_is_looked_into_is_that_of_the_settings() -> None:
    assert usual_folder() == str(read_settings({}).data_dir)


def test_a_snapshot_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="index"):
        FrozenAnswers.load(str(tmp_path))


def test_depth_is_counted_before_anything_recurses() -> None:
    free = json.dumps({"a": {"b": [[[[1]]]]}})
    line = json.dumps(hello("2025-11-25")).replace("{}", f'{{"experimental": {free}}}')
    assert read_known(line.encode()) is not None


async def test_generated_openings_come_back_the_same_with_and_without_the_prelude(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    frozen = FrozenAnswers.load()
    early = 0
    async with world.app() as app:

        def server(vendors: Sequence[str]) -> SequencesServer:
            return build_server(lambda: nullcontext(app), vendors=vendors)

        for seed in range(OPENINGS):
            script = drawn(seed, tuple(VENDORS))
            plain = await Player(script, server(script.vendors), None).play()
            other = await Player(script, server(script.vendors), frozen).play()
            assert not list(differences(script, plain, other)), script
            early += other.early
    assert early > OPENINGS / 4
