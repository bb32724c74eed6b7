"""From nothing to a first approved e-mail in one's own inbox, on a bare machine, with the time of each step.

Three ways to install, each in a home and with a package cache of its own, both empty:

- ``wheel``: a virtual environment and ``pip install`` of this tree, as the README says;
- ``mcpb``: the bundle for Claude Desktop, unpacked and started as its manifest says, with uv;
- ``plugin``: the server of the Claude Code plugin, started as its ``.mcp.json`` says, with uvx. The released wheel
  is looked for in a folder where the wheel of this tree lies, because an index has it only after the release.

A real MCP client starts the server, has one e-mail drafted to oneself and approves it in its dialog; the inbox is
a mail server on loopback. The exit status is 1 when no e-mail arrives.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import mcp
from mcp import StdioServerParameters
from mcp.types import ElicitResult
from scripts import bundles
from tests.world.mail_servers import mail_server

ROOT = Path(__file__).resolve().parents[1]
ME = "Ada Lovelace <ada@lovelace.example>"
STEP = {
    "id": "hello",
    "name": "Hello",
    "type": "EMAIL",
    "subject": "A first message",
    "content": "Hi {{firstname}},\n\nwould a short call suit you?",
    "temporalityType": "ASAP",
}
PATIENCE = 300.0  # seconds for the first start, which fetches and builds what the server needs


@dataclass
class Stopwatch:
    """The steps of one way and how long each took, in seconds."""

    steps: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time the block."""
        began = time.monotonic()
        yield
        self.steps[name] = round(time.monotonic() - began, 1)


def bare_environment(home: Path) -> dict[str, str]:
    """Return the environment of a machine that has uv and Python and has never seen this server."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "SSL_CERT_FILE") if name in os.environ}
    index = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_INDEX"))}
    return {**kept, **index, "HOME": str(home), "UV_CACHE_DIR": str(home / "cache"), "PIP_NO_CACHE_DIR": "1"}


def fill(text: str, *, folder: Path, fields: dict[str, str]) -> str:
    """Return an entry of a bundle's manifest as a client fills it in."""
    text = text.replace("${__dirname}", str(folder))
    for name, value in fields.items():
        text = text.replace(f"${{user_config.{name}}}", value)
    return text


def by_wheel(home: Path, watch: Stopwatch, mailbox: dict[str, str]) -> StdioServerParameters:
    """Install with pip into a virtual environment."""
    environment = {**bare_environment(home), **mailbox}
    python = home / "venv" / "bin" / "python"
    with watch.step("install"):
        run([sys.executable, "-m", "venv", str(home / "venv")], environment)
        run([str(python), "-m", "pip", "install", "--quiet", str(ROOT)], environment)
    return StdioServerParameters(command=str(home / "venv" / "bin" / "sequences-mcp"), args=[], env=environment)


def by_bundle(home: Path, watch: Stopwatch, mailbox: dict[str, str]) -> StdioServerParameters:
    """Unpack the bundle and start what its manifest says; its fields are filled in as a person does."""
    folder = home / "extension"
    with watch.step("unpack"):
        packed = bundles.pack(home)
        with zipfile.ZipFile(packed) as archive:
            archive.extractall(folder)
    config = json.loads((folder / "manifest.json").read_text("utf-8"))["server"]["mcp_config"]
    fields = {
        "sender": mailbox["SEQUENCES_SENDER"],
        "smtp_url": mailbox["SEQUENCES_SMTP_URL"],
        "imap_url": "",
        "data_dir": mailbox["SEQUENCES_DATA_DIR"],
    }
    variables = {name: fill(value, folder=folder, fields=fields) for name, value in config["env"].items()}
    return StdioServerParameters(
        command=config["command"],
        args=[fill(argument, folder=folder, fields=fields) for argument in config["args"]],
        env={**bare_environment(home), **variables},
    )


def by_plugin(home: Path, watch: Stopwatch, mailbox: dict[str, str]) -> StdioServerParameters:
    """Start what the plugin says, with this tree's wheel in place of the index's."""
    environment = {**bare_environment(home), **mailbox}
    with watch.step("build the wheel"):
        run(["uv", "build", "--quiet", "--wheel", "--out-dir", str(home / "wheels"), str(ROOT)], environment)
    (entry,) = json.loads((ROOT / bundles.PLUGIN / ".mcp.json").read_text("utf-8"))["mcpServers"].values()
    return StdioServerParameters(
        command=entry["command"],
        args=entry["args"],
        env={**environment, **entry.get("env", {}), "UV_FIND_LINKS": str(home / "wheels")},
    )


WAYS = {"wheel": by_wheel, "mcpb": by_bundle, "plugin": by_plugin}


def run(command: list[str], environment: dict[str, str]) -> None:
    """Run a command; what it said is shown where it fails."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


async def first_email(server: StdioServerParameters, watch: Stopwatch, arrived: asyncio.Event) -> None:
    """Draft, start, approve and wait for the e-mail; raises TimeoutError when none arrives."""

    async def approve(context: object, params: Any) -> ElicitResult:
        return ElicitResult(action="accept", content={"approve": True})

    client = mcp.Client(server, elicitation_callback=approve, read_timeout_seconds=PATIENCE)
    with watch.step("first start, to the list of tools"):
        await client.__aenter__()
        await client.list_tools()
    try:
        with watch.step("draft, start and approve"):
            made = await call(client, "create_blueprint", steps=[STEP], name="First")
            person = {"email": "ada@lovelace.example", "first_name": "Ada"}
            await call(client, "start_sequence", blueprint_id=made["blueprint_id"], contacts=[person])
        with watch.step("in the inbox"):
            async with asyncio.timeout(PATIENCE):
                await arrived.wait()
    finally:
        await client.__aexit__(None, None, None)


async def call(client: mcp.Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """Return what a tool answers; its words are shown where it fails."""
    result = await client.call_tool(tool, arguments)
    if result.is_error or not isinstance(result.structured_content, dict):
        sys.exit(f"{tool}: {result.content}")
    return result.structured_content


def note(loop: asyncio.AbstractEventLoop, arrived: asyncio.Event, _: object) -> None:
    """Tell from the mail server's thread that an e-mail has come."""
    loop.call_soon_threadsafe(arrived.set)


async def try_way(name: str) -> Stopwatch:
    """Go one way from nothing to the inbox."""
    watch, arrived, loop = Stopwatch(), asyncio.Event(), asyncio.get_running_loop()
    with mail_server() as smtp, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        smtp.inbox.goes_on = partial(note, loop, arrived)
        home = Path(folder)
        data = home / "data"
        data.mkdir(mode=0o700)
        (data / "settings.toml").write_text('window = "Mon-Sun 00:00-24:00"\n', encoding="utf-8")
        mailbox = {
            "SEQUENCES_SENDER": ME,
            "SEQUENCES_SMTP_URL": f"smtp://127.0.0.1:{smtp.port}",
            "SEQUENCES_DATA_DIR": str(data),
        }
        await first_email(WAYS[name](home, watch, mailbox), watch, arrived)
        (taken,) = smtp.inbox.taken
    assert taken.rcpt_tos == ["ada@lovelace.example"]
    return watch


def main() -> None:
    """Go every way that was named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "ways", nargs="*", choices=[*WAYS, []], help="wheel, mcpb, plugin; all where none is named"
    )
    for name in parser.parse_args().ways or WAYS:
        if name != "wheel" and shutil.which("uv") is None:
            sys.exit("uv is not here.")
        watch = asyncio.run(try_way(name))
        total = round(sum(watch.steps.values()), 1)
        print(f"{name}: {total} s, " + ", ".join(f"{step} {seconds} s" for step, seconds in watch.steps.items()))


if __name__ == "__main__":
    main()
