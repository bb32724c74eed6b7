"""Write what other programs install this server from: a bundle (MCPB), a plugin of Claude Code, install links.

    python -m scripts.bundles            # bundles/, .claude-plugin/ and the links in docs/get-started.md
    python -m scripts.bundles --pack DIR # also DIR/sequences-mcp-VERSION.mcpb, a zip archive

Everything is made from pyproject.toml, server.json and prompts/; a test says so when a file is out of date.
"""

from __future__ import annotations

import base64
import json
import sys
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sequences_mcp.client_setup.clients import ENTRY, PROGRAM
from sequences_mcp.server.skills import SKILLS, files_of

ROOT = Path(__file__).resolve().parents[1]
MCPB = "bundles/mcpb/manifest.json"
PLUGIN = "bundles/claude-code"
MARKETPLACE = ".claude-plugin/marketplace.json"
LINKS = "docs/get-started.md"
# What a bundle of the type `uv` carries: the project itself, which uv installs on the machine of whoever opens it.
CARRIED = ("pyproject.toml", "README.md", "LICENSE", "src", "prompts")


@cache
def project() -> Mapping[str, Any]:
    """Return the table [project] of pyproject.toml."""
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return found


def _homepage() -> str:
    return str(project()["urls"]["Homepage"])


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def mcpb_manifest() -> dict[str, Any]:
    """Return the manifest of the bundle, in version 0.4 of its format.

    https://github.com/modelcontextprotocol/mcpb/blob/main/MANIFEST.md. Every field that a person leaves empty has
    an empty default, which the server reads as not set.
    """
    fields = {
        "sender": ("SEQUENCES_SENDER", "string", "Sender", False),
        "smtp_url": ("SEQUENCES_SMTP_URL", "string", "Mail server", True),
        "imap_url": ("SEQUENCES_IMAP_URL", "string", "Mailbox that is read", True),
        "data_dir": ("SEQUENCES_DATA_DIR", "directory", "Data folder", False),
    }
    described = {item["name"]: item["description"] for item in _variables()}
    return {
        "manifest_version": "0.4",
        "name": PROGRAM,
        "display_name": "Sequences",
        "version": project()["version"],
        "description": project()["description"],
        "long_description": "Outreach sequences drafted in the chat, checked by guards, approved by a person and "
        "sent once. Leave the fields empty to use what `sequences-mcp setup` wrote into the data folder. Without "
        "a mail server e-mails become files and reach nobody.",
        "author": {"name": project()["authors"][0]["name"], "url": _homepage()},
        "repository": {"type": "git", "url": f"{_homepage()}.git"},
        "homepage": _homepage(),
        "support": f"{_homepage()}/issues",
        "privacy_policies": [f"{_homepage()}/blob/main/PRIVACY.md"],
        "license": project()["license"],
        "keywords": project()["keywords"],
        "server": {
            "type": "uv",
            "entry_point": "src/sequences_mcp/__main__.py",
            "mcp_config": {
                "command": "uv",
                "args": ["run", "--directory", "${__dirname}", "--no-dev", PROGRAM],
                "env": {variable: f"${{user_config.{key}}}" for key, (variable, *_) in fields.items()},
            },
        },
        "tools_generated": True,
        "prompts_generated": True,
        "compatibility": {
            "platforms": ["darwin", "linux", "win32"],
            "runtimes": {"python": project()["requires-python"]},
        },
        "user_config": {
            key: {
                "type": kind,
                "title": title,
                "description": described[variable],
                "required": False,
                "default": "",
                **({"sensitive": True} if is_secret else {}),
            }
            for key, (variable, kind, title, is_secret) in fields.items()
        },
    }


def _variables() -> list[dict[str, Any]]:
    server = json.loads((ROOT / "server.json").read_text("utf-8"))
    found: list[dict[str, Any]] = server["packages"][0]["environmentVariables"]
    return found


def published_entry() -> dict[str, Any]:
    """Return how a client starts the released version, by uv."""
    return {"command": "uvx", "args": [f"{PROGRAM}@{project()['version']}"]}


def plugin_files() -> Iterator[tuple[str, str]]:
    """Yield the files of the plugin and of the marketplace that has it, with their texts.

    https://code.claude.com/docs/en/plugins-reference, https://code.claude.com/docs/en/plugin-marketplaces
    """
    author = {"name": project()["authors"][0]["name"]}
    plugin = {
        "name": ENTRY,
        "version": project()["version"],
        "description": project()["description"],
        "author": author,
        "homepage": _homepage(),
        "repository": _homepage(),
        "license": project()["license"],
        "keywords": project()["keywords"],
    }
    listed = {"name": ENTRY, "source": f"./{PLUGIN}", "description": project()["description"]}
    yield MARKETPLACE, _json({"name": PROGRAM, "owner": author, "plugins": [listed]})
    yield f"{PLUGIN}/.claude-plugin/plugin.json", _json(plugin)
    yield f"{PLUGIN}/.mcp.json", _json({"mcpServers": {ENTRY: published_entry()}})
    for skill in SKILLS:
        for path, text in files_of(skill).items():
            yield f"{PLUGIN}/skills/{skill.name}/{path}", text


def cursor_link() -> str:
    """Return the link that has Cursor install the server: https://cursor.com/docs/context/mcp/install-links."""
    config = base64.b64encode(json.dumps(published_entry()).encode()).decode()
    return f"https://cursor.com/en/install-mcp?name={ENTRY}&config={quote(config, safe='')}"


def vscode_link() -> str:
    """Return the link that has VS Code install it: https://code.visualstudio.com/api/extension-guides/ai/mcp.

    A page that takes no links of VS Code's own scheme is sent there by its redirect.
    """
    config = json.dumps({"name": ENTRY, **published_entry()})
    inside = f"vscode:mcp/install?{quote(config, safe='')}"
    return f"https://insiders.vscode.dev/redirect?url={quote(inside, safe='')}"


def install_links() -> str:
    """Return the two badges, as Markdown."""
    cursor = "https://cursor.com/deeplink/mcp-install-dark.svg"
    code = "https://img.shields.io/badge/VS_Code-Install_server-0098FF"
    return f"[![Install in Cursor]({cursor})]({cursor_link()})\n[![Install in VS Code]({code})]({vscode_link()})"


def generated() -> dict[str, str]:
    """Return every file that this script writes, by its path in the repository."""
    files = {MCPB: _json(mcpb_manifest()), **dict(plugin_files())}
    page = (ROOT / LINKS).read_text("utf-8")
    before, mark, rest = page.partition("<!-- links -->\n")
    _, end, after = rest.partition("<!-- /links -->")
    files[LINKS] = f"{before}{mark}{install_links()}\n{end}{after}"
    return files


def pack(folder: Path) -> Path:
    """Write the bundle into a folder and return its path; the same content gives the same bytes."""
    target = folder / f"{PROGRAM}-{project()['version']}.mcpb"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "manifest.json", (ROOT / MCPB).read_bytes())
        for name in CARRIED:
            path = ROOT / name
            files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
            for file in files:
                if "__pycache__" not in file.parts and file.suffix != ".pyc":
                    _add(archive, file.relative_to(ROOT).as_posix(), file.read_bytes())
    return target


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)


def main() -> None:
    """Write every file, and the bundle where a folder for it is named."""
    for name, text in generated().items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    if len(sys.argv) == 3 and sys.argv[1] == "--pack":
        sys.stdout.write(f"{pack(Path(sys.argv[2]))}\n")


if __name__ == "__main__":
    main()
