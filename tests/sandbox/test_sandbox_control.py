"""The sandbox's own switches, and how it is served."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send
from tests.secrecy.hearing import heard
from tests.world.vendors import Sandbox, Server

from sequences_mcp.errors import InvalidArgumentsError
from sequences_sandbox.faults import EXTENSION
from sequences_sandbox.seeds import seed_id
from sequences_sandbox.serve import HOST, listening, settings, welcome


async def test_the_clock_is_told_and_moved_for_every_vendor(sandbox: Sandbox) -> None:
    assert (await sandbox.http.get("/_clock")).json() == {"now": "2026-11-21T09:00:00Z"}
    moved = await sandbox.http.post("/_clock", json={"advance_seconds": 86_400})
    assert moved.json() == {"now": "2026-11-22T09:00:00Z"}
    made = await sandbox.clarky("POST", "/contacts", json={"bot_id": "b_01SANDBOXADA"})
    assert made.json()["data"]["created_at"] == "2026-11-22T09:00:00Z"
    assert made.headers["date"] == "Sun, 22 Nov 2026 09:00:00 GMT"


@pytest.mark.parametrize(
    "body",
    [{}, {"advance_seconds": -1}, {"advance_seconds": "1"}, {"advance_seconds": True}, {"advance_seconds": 1e300}],
)
async def test_the_clock_goes_forward_only(sandbox: Sandbox, body: dict[str, Any]) -> None:
    assert (await sandbox.http.post("/_clock", json=body)).status_code == 400


async def test_faults_are_listed_and_forgotten(sandbox: Sandbox) -> None:
    await sandbox.fault("html", vendor="topo")
    (rule,) = (await sandbox.http.get("/_faults")).json()
    assert (rule["fault"], rule["vendor"], rule["times"]) == ("html", "topo", 1)
    assert (await sandbox.http.delete("/_faults")).json() == []
    assert (await sandbox.topo("GET", "/me")).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"fault": "earthquake"},
        {"fault": "html", "often": 2},
        {"fault": "html", "times": "x"},
        {"fault": "html", "times": 0},
        {"fault": "status", "status": 99},
        [],
        None,
    ],
    ids=["none", "unknown", "unknown field", "no number", "never", "no status", "list", "null"],
)
async def test_a_fault_that_does_not_exist_is_refused(sandbox: Sandbox, body: Any) -> None:
    answer = await sandbox.http.post("/_faults", content=json.dumps(body))
    assert answer.status_code == 400 and answer.json()["error"]
    assert (await sandbox.http.get("/_faults")).json() == []


async def test_every_vendor_request_is_written_down_and_no_other(sandbox: Sandbox) -> None:
    await sandbox.topo("GET", "/me")
    await sandbox.clarky("POST", "/contacts", json={})
    await sandbox.http.get("/_clock")
    assert await sandbox.received() == [
        {"vendor": "topo", "method": "GET", "path": "/me", "status": 200, "body": None},
        {"vendor": "clarky", "method": "POST", "path": "/contacts", "status": 422, "body": {}},
    ]
    await sandbox.http.delete("/_requests")
    assert await sandbox.received() == []


@pytest.mark.parametrize(
    ("vendor", "what", "to", "status"),
    [
        ("kalent", "exploded", "candidate_ines", 400),
        ("kalent", "replied", "candidate_ines", 404),
        ("clarky", "approved", "enr_x", 404),
        ("topo", "approved", "x", 404),
        ("topo", "task_completed", "x", 404),
        ("kalent", "", "x", 400),
    ],
)
async def test_what_cannot_happen_is_refused_in_a_sentence(
    sandbox: Sandbox, vendor: Any, what: str, to: str, status: int
) -> None:
    answer = await sandbox.happen(vendor, what, to)
    assert answer.status_code == status and answer.json()["error"]


async def test_a_switch_that_gets_no_json_says_so(sandbox: Sandbox) -> None:
    answer = await sandbox.http.post("/_clock", content="{")
    assert (answer.status_code, answer.json()) == (400, {"error": "The body is not valid JSON"})


@pytest.mark.parametrize(
    ("what", "to"), [("replied", "olumide"), ("failed", "olumide"), ("failed", "yuki"), ("approved", "ines")]
)
async def test_nothing_happens_to_a_run_that_has_not_begun_or_is_over(
    sandbox: Sandbox, what: str, to: str
) -> None:
    before = (await sandbox.topo("GET", f"/sequences/{seed_id('sequence', to)}")).json()
    assert (await sandbox.happen("topo", what, seed_id("sequence", to))).status_code == 400
    assert (await sandbox.topo("GET", f"/sequences/{seed_id('sequence', to)}")).json() == before


async def test_a_path_of_nobody_is_not_found(sandbox: Sandbox) -> None:
    assert (await sandbox.http.get("/")).status_code == 404
    assert (await sandbox.http.get("/kalentish/api/v1/sourcings")).status_code == 404


async def test_the_printed_block_is_a_clients_configuration(sandbox: Sandbox) -> None:
    text = welcome(8123)
    block = json.loads(text[text.index("{") : text.rindex("}") + 1])
    assert block["mcpServers"]["sequences"]["env"] == settings(8123)
    assert settings(8123)["KALENT_BASE_URL"] == "http://127.0.0.1:8123/kalent/api"
    assert settings(8123)["CLARKY_BASE_URL"] == "http://127.0.0.1:8123/clarky/api/v1"
    assert settings(8123)["TOPO_BASE_URL"] == "http://127.0.0.1:8123/topo/v1"


async def test_the_printed_keys_open_the_printed_addresses(sandbox: Sandbox) -> None:
    env = {name: value.replace("http://127.0.0.1:8123", "") for name, value in settings(8123).items()}
    paths = {"KALENT": "/v1/sourcings", "CLARKY": "/agents", "TOPO": "/me"}
    for name, path in paths.items():
        key = env[f"{name}_API_KEY"]
        headers = {"x-api-key": key} if name == "KALENT" else {"authorization": f"Bearer {key}"}
        assert (await sandbox.http.get(env[f"{name}_BASE_URL"] + path, headers=headers)).status_code == 200


async def test_an_answer_does_not_wait_for_a_delayed_acknowledgement(
    sandbox: Sandbox, sandbox_server: Server
) -> None:
    """The body leaves although the head was not acknowledged yet, which a client delays by 40 ms."""
    served, seen = sandbox_server.app, []
    assert served is not None

    async def looked_at(scope: Scope, receive: Receive, send: Send) -> None:
        peer = scope["extensions"][EXTENSION].transport.get_extra_info("socket")
        seen.append(peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        await served(scope, receive, send)

    sandbox_server.app = looked_at
    assert (await sandbox.topo("GET", "/me")).status_code == 200
    assert len(seen) == 1 and seen[0]


def test_a_clarky_key_has_the_published_form() -> None:
    key = settings(1)["CLARKY_API_KEY"]
    assert key.startswith("ck_live_") and len(key) in (38, 39)


def test_only_loopback_is_listened_on() -> None:
    with listening(0) as listener:
        assert listener.getsockname()[0] == HOST == "127.0.0.1"


def test_a_port_that_is_taken_is_told_with_a_way_out() -> None:
    with listening(0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(InvalidArgumentsError, match=f"Port {port} .* 0 for any"):
            listening(port)


SCRIPT = """
import asyncio
from datetime import UTC, datetime
from sequences_sandbox.seeds import seed_id
from sequences_sandbox.serve import serve

asyncio.run(serve(0, clock=lambda: datetime.now(UTC), say=lambda text: print(text, flush=True)))
"""


async def test_it_serves_until_interrupted() -> None:
    command = [sys.executable, "-c", SCRIPT]
    serving = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert serving.stdout is not None
    first = heard("what the sandbox said", (await asyncio.wait_for(serving.stdout.readline(), 60)).decode())
    origin = first.split(" on ")[1].split(". ")[0]
    async with httpx.AsyncClient(base_url=origin) as http:
        assert (await http.get("/topo/v1/me")).status_code == 401
    serving.send_signal(signal.SIGINT)
    await asyncio.wait_for(serving.communicate(), 60)
    assert serving.returncode is not None
