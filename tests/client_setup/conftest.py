"""What the tests of the clients' files stand on: a home folder with clients in it, and the command line on it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.cli.terminal import Said, run_command

from sequences_mcp.client_setup.clients import CLIENTS, Machine


@dataclass(frozen=True)
class Home:
    """Somebody's home folder on this system."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    @property
    def data(self) -> Path:
        """The data folder, where it is without a setting."""
        return self.folder / ".local" / "share" / "sequences-mcp"

    @property
    def environ(self) -> dict[str, str]:
        """The environment of a terminal there, which has no keychain."""
        names = ("PATH", "LANG", "COVERAGE_PROCESS_START", "PYTHONPATH", "TZ")
        kept = {name: os.environ[name] for name in names if name in os.environ}
        return {**kept, "HOME": str(self.folder), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}

    def file(self, client: str) -> Path:
        """Return the file of a client."""
        import platform

        machine = Machine(system=platform.system(), home=self.folder, environ={})
        return CLIENTS[client].places(machine)[0]

    def has(self, client: str, text: str) -> Path:
        """Write the file of a client."""
        file = self.file(client)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="")
        return file

    def run(self, *arguments: str, **environ: str) -> Said:
        """Run a command to its end; nobody is at its terminal."""
        return run_command(arguments, environ={**self.environ, **environ}, capture=self.capture)

    def all_files(self) -> dict[str, bytes]:
        """Return the bytes of every file below the home folder, by name."""
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in files}


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Home:
    """An empty home folder."""
    folder = tmp_path / "home"
    folder.mkdir()
    return Home(folder, capsys)
