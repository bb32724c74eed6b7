"""The command itself, as a process: where its token is, what it says, and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.client.streamable_http import streamable_http_client
from tests.secrecy.client import Client
from tests.secrecy.hearing import heard, learnt
from tests.world.installation import PATIENCE, Installation
from tests.world.loaded import product
from tests.world.product import GRACE, Desktop

LISTENS = re.compile(r"Serving MCP at (\S+)\n")


@dataclass
class Serving:
    """A process that serves, and what it said so far."""

    process: asyncio.subprocess.Process
    url: str
    token: str
    out: bytes = b""
    err: bytes = b""

    @asynccontextmanager
    async def client(self, mode: str) -> AsyncIterator[Desktop]:
        """Connect a client of one era."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=httpx2.Timeout(PATIENCE)) as http,
            Client(streamable_http_client(self.url, http_client=http), mode=mode) as client,
        ):
            yield Desktop(client)

    async def ended(self, number: int = signal.SIGTERM) -> int:
        """Tell it to end, and return its exit status."""
        with suppress(ProcessLookupError):
            self.process.send_signal(number)
        async with asyncio.timeout(PATIENCE):
            out, err = await self.process.communicate()
        self.out, self.err = heard("the access log", out), heard("what serve said", err)
        assert self.process.returncode is not None
        return self.process.returncode


@asynccontextmanager
async def begun(installation: Installation, *options: str) -> AsyncIterator[Serving]:
    """Start the command on any port."""
    process = await asyncio.create_subprocess_exec(
        *product(),
        "serve",
        "--port",
        "0",
        *options,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **installation.environ},
    )
    assert process.stderr is not None
    try:
        said = ""
        async with asyncio.timeout(PATIENCE):
            while not (found := LISTENS.search(said)):
                line = await process.stderr.readline()
                assert line, said
                said += heard("what serve said", line).decode()
        token = (installation.data / "serve-token.txt").read_text().strip()
        yield Serving(process, found[1], learnt("the token of serve", token))
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


def lines_of(out: bytes) -> list[dict[str, Any]]:
    """Return the access log."""
    return [json.loads(line) for line in out.decode().splitlines()]


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_a_call_under_way_comes_to_its_end_before_the_server_does(tmp_path: Path, era: str) -> None:
    installation = Installation(tmp_path)
    async with begun(installation) as serving, serving.client(era) as host:
        blueprint = await host.blueprint()
        waiting = asyncio.create_task(
            host.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE], wait_seconds=4)
        )
        plans = asyncio.create_task(_until_planned(host))
        await plans
        status = await serving.ended()
        started = await waiting
    assert status == 0
    assert started["outcome"] == "waiting_for_approval"
    lines = lines_of(serving.out)
    assert lines[-1]["status"] in (200, 0) or lines[-1]["method"] == "GET"
    assert ("start_sequence", 200) in [(line.get("tool"), line["status"]) for line in lines]
    assert (installation.data / "serve-token.txt").stat().st_mode & 0o777 == 0o600


async def _until_planned(host: Desktop) -> None:
    async with asyncio.timeout(PATIENCE):
        while not (await host.call("list_reviews"))["plans"]["items"]:
            await asyncio.sleep(0)


async def test_a_page_for_approving_is_served_beside_it(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    async with begun(installation) as serving:
        async with serving.client("auto") as host:
            blueprint = await host.blueprint()
            started = await host.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
        where = re.search(r"on the server's own machine, at (http://localhost:\d+/plans/\S+)", json.dumps(started))
        assert where is not None, started
        async with httpx2.AsyncClient(timeout=httpx2.Timeout(PATIENCE)) as browser:
            page = await browser.get(where[1])
        assert heard("the page", page.text) and page.status_code == 401
        assert await serving.ended(signal.SIGINT) == 0


async def test_the_page_under_its_own_name_and_the_opt_outs_are_served_on_the_same_port(tmp_path: Path) -> None:
    installation = Installation(tmp_path).having(
        REVIEW_URL="https://review.example.com",
        REVIEW_ISSUER="https://login.example.com",
        REVIEW_CLIENT_ID="review",
        REVIEW_ROLES="ada@example.com=approver",
        OPT_OUT_URL="https://mail.example.com",
        APPROVERS="2",
    )
    async with begun(installation) as serving:
        async with serving.client("auto") as host:
            blueprint = await host.blueprint()
            started = await host.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
            ways = (await host.call("list_providers"))["approval"]
        where = re.search(r"at (https://review\.example\.com/plans/\S+?)[\s.\"]", json.dumps(started))
        assert where is not None and "terminal" not in started["next"], started
        assert ways == ["review page, by an approver who signs in: https://review.example.com/"]
        local = serving.url.removesuffix("/mcp")
        async with httpx2.AsyncClient(timeout=httpx2.Timeout(PATIENCE)) as browser:
            path = where[1].removeprefix("https://review.example.com")
            page = await browser.get(f"{local}{path}", headers={"host": "review.example.com"})
            opted = await browser.post(f"{local}/u/x", headers={"host": "mail.example.com"})
            other = await browser.get(f"{local}{path}")
        assert heard("the page", page.text) and page.status_code == 401 and "login.example.com" in page.text
        assert (opted.status_code, other.status_code) == (200, 404)
        assert await serving.ended() == 0
    alone = await Installation(tmp_path).having(APPROVERS="2").run("serve", "--port", "0")
    assert alone.status == 2 and "SEQUENCES_APPROVERS" in alone.err
    same = installation.having(REVIEW_URL="https://mcp.example.com", OAUTH_ISSUER="https://login.example.com")
    refused = await same.run("serve", "--port", "0", "--public-url", "https://mcp.example.com")
    assert refused.status == 2 and "needs a host name that is not the server's own" in refused.err


async def test_a_port_that_is_taken_and_settings_that_are_wrong_are_told(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    async with begun(installation) as serving:
        port = serving.url.rpartition(":")[2].removesuffix("/mcp")
        taken = await installation.run("serve", "--port", port)
        assert await serving.ended() == 0
    assert (installation.data / "last-serve.json").is_file()
    assert taken.status == 2 and f"Nothing can listen on 127.0.0.1, port {port}" in taken.err
    wide = await installation.run("serve", "--host", "0.0.0.0")
    assert wide.status == 2 and "tokens would cross the network unencrypted" in wide.err
    files = ("--tls-cert", str(tmp_path / "none.pem"), "--tls-key", str(tmp_path / "none.pem"))
    bare = await installation.run("serve", "--port", "0", *files)
    assert bare.status == 2 and "cannot be used: [Errno 2]" in bare.err and "Serving" not in bare.err
    wrong = await installation.having(SPACING="soon").run("serve", "--port", "0")
    assert wrong.status == 2 and "SEQUENCES_SPACING" in wrong.err
