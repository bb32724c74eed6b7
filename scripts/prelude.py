"""Write what the prelude answers with: the SDK's own answers, by version, method and vendors connected.

    python -m scripts.prelude

``src/sequences_mcp/server/prelude/snapshot/`` is made anew. Run it after a change of a tool, a prompt, a resource,
the instructions, the version of the product or of the SDK; a test says when it has to be run.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import nullcontext
from importlib.metadata import version
from itertools import combinations
from pathlib import Path
from typing import Any

import anyio
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, LATEST_HANDSHAKE_VERSION, MODERN_PROTOCOL_VERSIONS

from sequences_mcp import __version__
from sequences_mcp.domain.ids import VENDORS
from sequences_mcp.domain.workspace import SETTINGS_FILE
from sequences_mcp.server.app import build_server
from sequences_mcp.server.prelude.shapes import DISCOVERY, HANDSHAKE, LISTS, MODERN, PING
from sequences_mcp.server.prelude.snapshot import FOLDER, INDEX, PIECES, SDK
from sequences_mcp.vendors.registry import DESCRIPTIONS

CLIENT = {"name": "snapshot", "version": "1"}
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": CLIENT,
}
HEAD = '{"jsonrpc":"2.0","id":1,"result":'


def every_combination() -> list[tuple[str, ...]]:
    """Return each set of vendors that may be connected, sorted, the empty one first."""
    names = sorted(VENDORS)
    return [chosen for size in range(len(names) + 1) for chosen in combinations(names, size)]


async def exchanged(lines: Sequence[Mapping[str, Any]], *, vendors: Collection[str]) -> list[str]:
    """Return the SDK's answers to requests, as it writes them, one after the other."""
    server = build_server(lambda: nullcontext(), vendors=vendors)  # type: ignore[arg-type, return-value]
    low = server._lowlevel_server
    to_server, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](8)
    outgoing, from_server = anyio.create_memory_object_stream[SessionMessage](8)
    answers = []
    async with to_server, incoming, outgoing, from_server, anyio.create_task_group() as tasks:
        tasks.start_soon(low.run, incoming, outgoing, low.create_initialization_options())
        for line in lines:
            await to_server.send(
                SessionMessage(jsonrpc_message_adapter.validate_json(json.dumps(line), by_name=False))
            )
            if "id" in line:
                message = (await from_server.receive()).message
                answers.append(message.model_dump_json(by_alias=True, exclude_unset=True))
        await to_server.aclose()
    return answers


def request(method: str, number: int = 1, **params: Any) -> dict[str, Any]:
    """Return a request as a client sends it."""
    return {"jsonrpc": "2.0", "id": number, "method": method, **({"params": params} if params else {})}


def hello(protocol: str) -> dict[str, Any]:
    """Return the request that opens a conversation of the handshake era."""
    return request(HANDSHAKE, protocolVersion=protocol, capabilities={}, clientInfo=CLIENT)


async def answers_of(protocol: str, *, vendors: Collection[str]) -> dict[str, str]:
    """Return the JSON text of the result of each method that the prelude answers in a version."""
    if protocol in MODERN_PROTOCOL_VERSIONS:
        methods: tuple[str, ...] = (DISCOVERY, *LISTS)
        lines = [request(method, _meta=ENVELOPE) for method in methods]
    else:
        methods = (HANDSHAKE, PING, *LISTS)
        lines = [hello(protocol), *map(request, methods[1:])]
    given = await exchanged(lines, vendors=vendors)
    assert all(answer.startswith(HEAD) for answer in given), given
    return {method: answer[len(HEAD) : -1] for method, answer in zip(methods, given, strict=True)}


def pieces_of(result: str) -> Iterator[str]:
    """Yield a result in pieces: each item of its list is one."""
    decoder, written = json.JSONDecoder(), json.loads(result)
    name = next((key for key in written if isinstance(written[key], list)), None)
    if name is None or name == "supportedVersions":
        yield result
        return
    head = f'"{name}":['
    place = result.index(head) + len(head)
    yield result[:place]
    while result[place] != "]":
        _, end = decoder.raw_decode(result, place)
        yield result[place:end]
        place = end
        if result[place] == ",":
            yield ","
            place += 1
    yield result[place:]


def snapshot_files() -> dict[str, str]:
    """Return the files of the snapshot by their names."""
    pieces: dict[str, int] = {}
    texts: dict[str, tuple[int, ...]] = {}
    names: dict[tuple[int, ...], str] = {}
    answers: dict[str, dict[str, Any]] = {}

    def named(method: str, result: str) -> str:
        numbers = tuple(pieces.setdefault(piece, len(pieces)) for piece in pieces_of(result))
        if numbers not in names:
            names[numbers] = f"{method} {sum(name.startswith(f'{method} ') for name in texts) + 1}"
            texts[names[numbers]] = numbers
        return names[numbers]

    for protocol in (*HANDSHAKE_PROTOCOL_VERSIONS, *MODERN_PROTOCOL_VERSIONS):
        by_vendors = {
            ",".join(vendors): asyncio.run(answers_of(protocol, vendors=vendors))
            for vendors in every_combination()
        }
        for method in by_vendors[""]:
            by_name = {vendors: named(method, given[method]) for vendors, given in by_vendors.items()}
            alike = len(set(by_name.values())) == 1
            answers.setdefault(protocol, {})[method] = by_name[""] if alike else by_name
    index = {
        "product": __version__,
        "sdk": {package: version(package) for package in SDK},
        "newest_handshake": LATEST_HANDSHAKE_VERSION,
        "vendor_keys": [vendor.key_setting for vendor in DESCRIPTIONS.values()],
        "settings_file": SETTINGS_FILE,
        "answers": answers,
        "texts": texts,
    }
    assert not any("\n" in piece for piece in pieces)
    return {INDEX: f"{json.dumps(index, separators=(',', ':'))}\n", PIECES: "\n".join(pieces)}


def main() -> None:
    """Write the files."""
    folder = Path(FOLDER)
    folder.mkdir(exist_ok=True)
    for name, text in snapshot_files().items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
