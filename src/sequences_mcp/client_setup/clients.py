"""The chat clients that can start this server: the file each of them reads, and what stands in it.

Where a file lies depends on the system and on a few environment variables of the client's own; both are passed in
as a ``Machine``, so that every system's places can be tested on any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from sequences_mcp.lazy_dataclasses import dataclass, field

ENTRY = "sequences"  # the name under which clients list this server
PROGRAM = "sequences-mcp"
MODULE = "sequences_mcp"
DATA_DIR = "SEQUENCES_DATA_DIR"
# The file that a client reads, and what says by being there that the client is on this machine.
Places = tuple[Path, tuple[Path, ...]]
Form = Literal["json", "json with comments", "toml"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Whose files are looked at: the system as ``platform.system()`` names it, home folder and environment."""

    system: str
    home: Path
    environ: Mapping[str, str]

    def folder(self, variable: str, *default: str) -> Path:
        """Return the folder that a variable names, or else one below the home folder."""
        named = self.environ.get(variable, "").strip()
        return Path(named) if named else self.home.joinpath(*default)

    @property
    def application_data(self) -> Path:
        """Where desktop programs keep their settings."""
        if self.system == "Darwin":
            return self.home / "Library" / "Application Support"
        if self.system == "Windows":
            return self.folder("APPDATA", "AppData", "Roaming")
        return self.folder("XDG_CONFIG_HOME", ".config")


@dataclass(frozen=True, slots=True)
class ChatProgram:
    """A program that starts MCP servers, each under its name in the object or table ``key`` of its file.

    ``is_typed``: it wants the kind of connection in each entry. ``then`` is what a person does for it to read the
    file again. ``key`` and ``form`` are those of most clients.
    """

    name: str
    title: str
    places: Callable[[Machine], Places]
    then: str = field(kw_only=True)
    key: str = field(default="mcpServers", kw_only=True)
    form: Form = field(default="json", kw_only=True)
    is_typed: bool = field(default=False, kw_only=True)

    def entry(self, command: tuple[str, ...], *, data_dir: str = "") -> dict[str, Any]:
        """Return what the file says of this server, started by ``command``."""
        kind = {"type": "stdio"} if self.is_typed else {}
        env = {"env": {DATA_DIR: data_dir}} if data_dir else {}
        return {**kind, "command": command[0], "args": list(command[1:]), **env}


# https://modelcontextprotocol.io/docs/develop/connect-local-servers names macOS and Windows. An installation as an
# MSIX package, which the Windows installer is, reads the file of its own container:
# https://github.com/anthropics/claude-code/issues/26073
def _claude_desktop(machine: Machine) -> Places:
    folder = machine.application_data / "Claude"
    signs = [folder]
    if machine.system == "Windows":
        packages = machine.folder("LOCALAPPDATA", "AppData", "Local") / "Packages"
        inside = [package / "LocalCache" / "Roaming" / "Claude" for package in sorted(packages.glob("Claude_*"))]
        signs += inside
        folder = next((path for path in inside if path.is_dir()), inside[0] if inside else folder)
    return (folder / "claude_desktop_config.json", tuple(signs))


# https://code.claude.com/docs/en/mcp#mcp-installation-scopes: servers of all projects are in ~/.claude.json;
# https://code.claude.com/docs/en/settings: CLAUDE_CONFIG_DIR moves it.
def _claude_code(machine: Machine) -> Places:
    folder = machine.folder("CLAUDE_CONFIG_DIR")
    file = folder / ".claude.json"
    is_moved = bool(machine.environ.get("CLAUDE_CONFIG_DIR", "").strip())
    return (file, (file, folder if is_moved else folder / ".claude"))


# https://cursor.com/docs/context/mcp#configuration-locations
def _cursor(machine: Machine) -> Places:
    folder = machine.home / ".cursor"
    return (folder / "mcp.json", (folder,))


# https://code.visualstudio.com/docs/copilot/reference/mcp-configuration: mcp.json in the user profile, which is
# https://code.visualstudio.com/docs/configure/settings#_settings-file-locations
def _visual_studio_code(machine: Machine) -> Places:
    folder = machine.application_data / "Code"
    return (folder / "User" / "mcp.json", (folder / "User",))


# https://docs.windsurf.com/windsurf/cascade/mcp
def _windsurf(machine: Machine) -> Places:
    folder = machine.home / ".codeium" / "windsurf"
    return (folder / "mcp_config.json", (folder,))


# https://geminicli.com/docs/tools/mcp-server/ and https://geminicli.com/docs/cli/configuration, whose reader takes
# comments out first.
def _gemini(machine: Machine) -> Places:
    folder = machine.home / ".gemini"
    return (folder / "settings.json", (folder,))


# https://github.com/openai/codex/blob/main/docs/config.md: mcp_servers in config.toml of CODEX_HOME, or ~/.codex
def _codex(machine: Machine) -> Places:
    folder = machine.folder("CODEX_HOME", ".codex")
    return (folder / "config.toml", (folder,))


_LENIENT: Form = "json with comments"
_CLIENTS = (
    ChatProgram(
        "claude-desktop", "Claude Desktop", _claude_desktop, then="Quit Claude Desktop and open it again."
    ),
    ChatProgram(
        "claude-code",
        "Claude Code",
        _claude_code,
        then="Begin a new session of Claude Code; /mcp lists it.",
        is_typed=True,
    ),
    ChatProgram(
        "cursor", "Cursor", _cursor, then="Switch it on in Cursor's settings, under Tools & MCP.", form=_LENIENT
    ),
    ChatProgram(
        "vscode",
        "VS Code",
        _visual_studio_code,
        then="In VS Code run `MCP: List Servers` and start it.",
        key="servers",
        form=_LENIENT,
        is_typed=True,
    ),
    ChatProgram("windsurf", "Windsurf", _windsurf, then="Press Refresh in Windsurf's list of MCP servers."),
    ChatProgram("gemini-cli", "Gemini CLI", _gemini, then="Start Gemini CLI again; /mcp lists it.", form=_LENIENT),
    ChatProgram(
        "codex", "Codex", _codex, then="Start Codex again; /mcp lists it.", key="mcp_servers", form="toml"
    ),
)
CLIENTS: Mapping[str, ChatProgram] = {client.name: client for client in _CLIENTS}


def named_folder(folder: Path, origins: Mapping[str, str]) -> str:
    """Return the data folder where this process's environment named it, so that other processes have to be told.

    ``origins`` says by environment variable where a setting came from; empty where the folder is the usual one.
    """
    return str(folder) if origins.get(DATA_DIR) == "environment" else ""


def clients_here(machine: Machine) -> Iterator[tuple[ChatProgram, Path]]:
    """Yield each client that is on this machine, with the file it reads."""
    for client in CLIENTS.values():
        file, signs = client.places(machine)
        if any(sign.exists() or sign.is_symlink() for sign in signs):
            yield client, file


def start_command(
    executable: Path, *, which: Callable[[str], str | None], is_windows: bool = False
) -> tuple[str, ...]:
    """Return how a client starts this server, with the full path of what it starts.

    A client has another PATH than a terminal. ``executable`` is the Python that runs now, ``which`` looks a
    program up in the PATH. What `uvx` or `pipx run` put into a cache for this run alone is gone after it: then
    they are what a client starts.
    """
    parts = executable.parts
    if any(part.startswith(("archive-v", "environments-v", "builds-v")) for part in parts):
        if uvx := which("uvx"):
            return (uvx, PROGRAM)
        if uv := which("uv"):
            return (uv, "tool", "run", PROGRAM)
    if "pipx" in parts and ".cache" in parts and (pipx := which("pipx")):
        return (pipx, "run", PROGRAM)
    script = executable.parent / (f"{PROGRAM}.exe" if is_windows else PROGRAM)
    if script.is_file():
        return (str(script),)
    return (str(executable), "-m", MODULE)


def starts_this_server(entry: object) -> bool:
    """Say whether an entry of a client's file starts this server, whatever else stands in it."""
    if not isinstance(entry, dict):
        return False
    arguments = entry.get("args")
    words = [entry.get("command"), *(arguments if isinstance(arguments, list) else ())]
    names = [word.replace("\\", "/").rpartition("/")[2] for word in words if isinstance(word, str)]
    return any(name.removesuffix(".exe").partition("@")[0] in (PROGRAM, MODULE) for name in names)
