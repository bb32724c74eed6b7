"""The service: its three files, and installing, asking and uninstalling it with a system's own program."""

from __future__ import annotations

import json
import os
import plistlib
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.client_setup.conftest import Home
from tests.client_setup.conftest import home as home
from tests.secrecy.hearing import heard

from sequences_mcp import service
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.errors import SettingsError
from sequences_mcp.service import ServiceJob, SystemService

ODD = '/Users/you/My 100% "own" $HOME/bin/sequences-mcp'
PLAIN = ServiceJob(command=("/usr/bin/sequences-mcp",), environment={})
AWKWARD = ServiceJob(command=(ODD,), environment={"SEQUENCES_DATA_DIR": "/Users/you/a & b %h"})
ON_WINDOWS = ServiceJob(
    command=("C:\\R&D\\venv\\pythonw.exe", "-m", "sequences_mcp"),
    environment={"SEQUENCES_DATA_DIR": "D:\\a & b (x)^\\"},
)
MAILBOX = 'daily_cap = 20\n\n[mailboxes.ada]\nname = "Ada Lovelace"\naddress = "ada@lovelace.example"\n'
SYSTEMS = ["Linux", "Darwin", "Windows"]


def made(system: str, job: ServiceJob, folder: Path) -> SystemService:
    """Return the service of a system."""
    service_made = service.of_system(
        job,
        system=system,
        home=folder,
        config=folder / ".config",
        workspace=Workspace(folder / "data"),
        user_id=501,
    )
    assert service_made is not None
    return service_made


@pytest.mark.parametrize("job", [PLAIN, AWKWARD], ids=["plain", "awkward"])
def test_the_unit_of_systemd_is_one_that_systemd_takes(job: ServiceJob, tmp_path: Path) -> None:
    text = service.systemd_unit(job)
    assert "Restart=on-failure" in text and "WantedBy=default.target" in text
    if (analyze := shutil.which("systemd-analyze")) is None:
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / "sequences-mcp.service"
    # The command has to exist where systemd looks.
    command = tmp_path / Path(job.command[0]).name
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    unit.write_text(service.systemd_unit(ServiceJob(command=(str(command),), environment=job.environment)))
    # Without a folder of the login session it gives up before it has read the unit.
    done = subprocess.run(
        [analyze, "--user", "verify", str(unit)],
        env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    said = heard("what systemd-analyze said", done.stdout + done.stderr)
    assert (done.returncode, "sequences-mcp.service" in said) == (0, False), said


def test_a_unit_quotes_what_systemd_would_read_otherwise() -> None:
    text = service.systemd_unit(AWKWARD)
    assert 'ExecStart="/Users/you/My 100%% \\"own\\" $$HOME/bin/sequences-mcp" "work"\n' in text
    assert 'Environment="SEQUENCES_DATA_DIR=/Users/you/a & b %%h"\n' in text


def test_the_property_list_of_launchd_says_what_is_started() -> None:
    facts = plistlib.loads(service.launchd_plist(AWKWARD, log=Path("/Users/you/log")).encode())
    assert facts["ProgramArguments"] == [ODD, "work"] and facts["RunAtLoad"] is True
    assert facts["EnvironmentVariables"] == dict(AWKWARD.environment)
    assert "EnvironmentVariables" not in plistlib.loads(service.launchd_plist(PLAIN, log=Path("/l")).encode())


def test_the_task_of_windows_says_what_is_started() -> None:
    space = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
    task = ElementTree.fromstring(service.scheduled_task(PLAIN).encode("utf-16"))
    (execution,) = task.iter(f"{space}Exec")
    assert [part.text for part in execution] == ["/usr/bin/sequences-mcp", '"work"']
    moved = ElementTree.fromstring(service.scheduled_task(ON_WINDOWS).encode("utf-16"))
    (execution,) = moved.iter(f"{space}Exec")
    command, arguments = [part.text or "" for part in execution]
    assert command == "cmd.exe" and arguments == (
        '/d /v:off /s /c "set "SEQUENCES_DATA_DIR=D:\\a & b (x)^\\"&& '
        '"C:\\R&D\\venv\\pythonw.exe" "-m" "sequences_mcp" "work""'
    )


@pytest.mark.parametrize("mark", ["%", '"'])
@pytest.mark.parametrize("is_folder", [True, False])
def test_a_path_that_a_task_of_windows_cannot_be_given_is_refused(
    mark: str, is_folder: bool, tmp_path: Path
) -> None:
    odd, plain = f"C:\\{mark}USERNAME{mark}\\x", "C:\\x"
    job = ServiceJob(
        command=(plain if is_folder else odd,),
        environment={"SEQUENCES_DATA_DIR": odd if is_folder else plain},
    )
    refused = made("Windows", job, tmp_path)
    with pytest.raises(SettingsError) as told:
        list(service.begin_service(refused, run=lambda command: (0, "")))
    assert odd in told.value.message and not refused.path.exists()
    assert ("Move the data folder" if is_folder else "Install this program anew") in told.value.next_step
    with pytest.raises(SettingsError):
        service.scheduled_task(job)
    assert not list(service.end_service(refused, run=lambda command: (0, "")))  # an earlier one can be ended


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_file_that_somebody_changed_is_kept_each_time_it_is_replaced(system: str, tmp_path: Path) -> None:
    def begin() -> Path | None:
        copy = ours.copy_of_before
        assert not list(service.begin_service(ours, run=lambda command: (0, "")))
        return copy

    ours = made(system, PLAIN, tmp_path)
    assert begin() is None and begin() is None
    for text in ("mine", "mine again"):
        ours.path.write_text(text, encoding=ours.encoding)
        copy = begin()
        assert copy is not None and copy.read_text(encoding=ours.encoding) == text and ours.is_current
    assert [path.name for path in sorted(ours.path.parent.iterdir())] == [
        ours.path.name,
        f"{ours.path.name}.2.bak",
        f"{ours.path.name}.bak",
    ]


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_service_is_begun_once_and_ended_without_a_trace(system: str, tmp_path: Path) -> None:
    ran: list[str] = []

    def run(command: tuple[str, ...]) -> tuple[int, str]:
        ran.append(" ".join(command))
        return 0, ""

    first = made(system, PLAIN, tmp_path)
    assert not first.is_installed and not list(service.begin_service(first, run=run))
    assert first.is_installed and first.is_current and ran
    assert not made(system, ON_WINDOWS, tmp_path).is_current
    written = first.path.read_bytes()
    assert not list(service.begin_service(first, run=run)) and first.path.read_bytes() == written
    assert not list(service.end_service(first, run=run))
    assert not first.path.exists()


def test_a_system_that_is_none_of_the_three_has_no_service(tmp_path: Path) -> None:
    folder = tmp_path
    assert (
        service.of_system(
            PLAIN, system="Plan9", home=folder, config=folder, workspace=Workspace(folder), user_id=0
        )
        is None
    )


def systemctl(home: Home, script: str) -> dict[str, str]:
    """Put a program of that name first in the PATH, which writes down how it was called."""
    program = home.folder / "bin" / "systemctl"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\necho "$@" >> "{home.folder}/calls"\n{script}\n')
    program.chmod(0o755)
    return {"PATH": f"{program.parent}:{home.environ['PATH']}"}


def test_it_is_installed_asked_and_taken_away_with_the_rest(home: Home) -> None:
    path = systemctl(home, "exit 0")
    unit = home.folder / ".config" / "systemd" / "user" / "sequences-mcp.service"
    said = home.run("service", "install", "--yes", **path)
    assert said.status == 2 and "setup" in said.err and not unit.exists()
    home.data.mkdir(parents=True)
    (home.data / "settings.toml").write_text(MAILBOX)
    assert json.loads(home.run("service", "status", "--json", **path).out)["installed"] is False
    said = home.run("service", "install", **path)
    assert said.status == 2 and "Give --yes." in said.err and not unit.exists()
    said = home.run("service", "install", "--yes", **path)
    assert said.status == 0 and "enable-linger" in said.out and " work" in unit.read_text().replace('"', "")
    calls = (home.folder / "calls").read_text().splitlines()[-3:]
    assert calls == [
        "--user daemon-reload",
        "--user enable sequences-mcp.service",
        "--user restart sequences-mcp.service",
    ]
    status = json.loads(home.run("service", "status", "--json", **path).out)
    assert status["installed"] and status["current"] and status["running"] and status["workers"] == []
    assert "running" in home.run("service", "status", **path).out
    unit.write_text(unit.read_text() + "# mine\n")
    said = home.run("service", "install", "--yes", **path)
    assert said.status == 0 and f"kept as {unit}.bak" in said.out
    assert "# mine" in unit.with_name(f"{unit.name}.bak").read_text() and "# mine" not in unit.read_text()
    assert ".bak" not in home.run("service", "install", "--yes", **path).out
    assert home.run("uninstall", "--yes", **path).status == 0
    assert not unit.exists() and not home.run("service", "uninstall", "--yes", **path).status


def test_what_the_system_says_against_it_is_told(home: Home) -> None:
    path = systemctl(home, 'echo "Failed to connect to bus: No medium found" >&2; exit 1')
    home.data.mkdir(parents=True)
    (home.data / "settings.toml").write_text(MAILBOX)
    said = home.run("service", "install", "--yes", **path)
    assert said.status == 1 and "Failed to connect to bus: No medium found" in said.out
    said = home.run("service", "status", **path)
    assert said.status == 1 and "not running" in said.out


def test_a_secret_that_only_this_terminal_has_is_told(home: Home) -> None:
    path = systemctl(home, "exit 0")
    home.data.mkdir(parents=True)
    mailbox = f'{MAILBOX}smtp = "smtps://mail.example.com:465"\npassword = {{ env = "OUR_PASSWORD" }}\n'
    (home.data / "settings.toml").write_text(mailbox)
    said = home.run("service", "install", "--yes", OUR_PASSWORD="x", **path)
    assert said.status == 0 and "lacks a secret" in said.out and "OUR_PASSWORD" in said.out
