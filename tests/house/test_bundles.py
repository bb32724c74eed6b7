"""What other programs install this server from is made from one place, up to date, and what they take."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import jsonschema
import pytest
from scripts import bundles

from sequences_mcp import __version__
from sequences_mcp.client_setup.clients import starts_this_server
from sequences_mcp.server.skills import SKILLS

ROOT = Path(__file__).resolve().parents[2]
# https://github.com/modelcontextprotocol/mcpb publishes it with its program.
SCHEMA = ROOT / "tests" / "packaging" / "mcpb-manifest-v0.4.schema.json"
GENERATED = bundles.generated()


@pytest.mark.parametrize("name", GENERATED)
def test_what_is_generated_is_up_to_date(name: str) -> None:
    path = ROOT / name
    assert path.is_file() and path.read_text("utf-8") == GENERATED[name], "renew it: python -m scripts.bundles"


def test_no_skill_is_left_of_a_prompt_that_is_gone() -> None:
    there = {str(path.relative_to(ROOT)) for path in (ROOT / bundles.PLUGIN).rglob("*") if path.is_file()}
    assert there == {name for name in GENERATED if name.startswith(bundles.PLUGIN)}


def test_the_manifest_is_what_the_published_schema_takes() -> None:
    manifest = json.loads((ROOT / bundles.MCPB).read_text("utf-8"))
    jsonschema.validate(manifest, json.loads(SCHEMA.read_text("utf-8")))
    assert manifest["manifest_version"] == "0.4" and manifest["server"]["type"] == "uv"
    fields = manifest["user_config"]
    assert {name for name, field in fields.items() if field.get("sensitive")} == {"smtp_url", "imap_url"}
    variables = manifest["server"]["mcp_config"]["env"]
    assert set(variables.values()) == {f"${{user_config.{name}}}" for name in fields}


@pytest.mark.skipif("MCPB" not in os.environ, reason="@anthropic-ai/mcpb is not here")
def test_the_manifest_is_what_the_program_of_the_format_takes() -> None:
    done = subprocess.run([os.environ["MCPB"], "validate", ROOT / bundles.MCPB], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_bundle_has_all_that_uv_needs_and_nothing_else(tmp_path: Path) -> None:
    first, again = bundles.pack(tmp_path / "a"), bundles.pack(tmp_path / "b")
    assert first.read_bytes() == again.read_bytes() and __version__ in first.name
    with zipfile.ZipFile(first) as archive:
        names = set(archive.namelist())
    assert {"manifest.json", "pyproject.toml", "src/sequences_mcp/__main__.py", "prompts/draft_step.j2"} <= names
    assert not [name for name in names if name.startswith(("tests/", ".")) or name.endswith(".pyc")]


def test_the_plugin_starts_the_released_version_and_its_skills_have_a_head() -> None:
    servers = json.loads(GENERATED[f"{bundles.PLUGIN}/.mcp.json"])["mcpServers"]
    assert starts_this_server(servers["sequences"])
    plugin = json.loads(GENERATED[f"{bundles.PLUGIN}/.claude-plugin/plugin.json"])
    (listed,) = json.loads(GENERATED[bundles.MARKETPLACE])["plugins"]
    assert plugin["version"] == __version__ and listed["name"] == plugin["name"]
    assert (ROOT / listed["source"] / ".claude-plugin" / "plugin.json").is_file()
    for skill in SKILLS:
        text = GENERATED[f"{bundles.PLUGIN}/skills/{skill.name}/SKILL.md"]
        head, _, body = text.removeprefix("---\n").partition("\n---\n")
        lines = dict(line.split(": ", 1) for line in head.splitlines())
        assert lines["name"] == skill.name and len(json.loads(lines["description"])) < 1024
        assert "{%" not in body and len(body) > 300


def test_the_install_links_say_how_the_server_is_started() -> None:
    cursor = parse_qs(urlsplit(bundles.cursor_link()).query)
    assert cursor["name"] == ["sequences"]
    assert json.loads(base64.b64decode(cursor["config"][0])) == bundles.published_entry()
    (inside,) = parse_qs(urlsplit(bundles.vscode_link()).query)["url"]
    scheme, _, config = inside.partition("?")
    assert scheme == "vscode:mcp/install"
    assert json.loads(unquote(config)) == {"name": "sequences", **bundles.published_entry()}
    page = (ROOT / bundles.LINKS).read_text("utf-8")
    assert bundles.cursor_link() in page and bundles.vscode_link() in page


@pytest.mark.skipif(shutil.which("claude") is None, reason="Claude Code is not here")
def test_the_plugin_is_what_claude_code_takes() -> None:
    done = subprocess.run(["claude", "plugin", "validate", ROOT], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
