"""``sequences-mcp work`` kept running by the system itself: systemd, launchd or the Task Scheduler of Windows.

The three files are made by pure functions of a ``ServiceJob``; ``of_system`` says where the file goes and which
programs of the system begin and end it. A service has neither a terminal's environment nor its PATH: it is given
the full path of the command, and the data folder where that was moved.
"""

from __future__ import annotations

import os
import plistlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from xml.sax.saxutils import escape

from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.errors import SettingsError
from sequences_mcp.lazy_dataclasses import dataclass

NAME = "sequences-mcp"
LABEL = "io.github.sequences-mcp"
HOMEPAGE = "https://github.com/sequences-mcp/sequences-mcp"
DESCRIPTION = "Sends what is due and approved (sequences-mcp work)"
AGAIN_AFTER = 30  # seconds between two attempts to start it
STOPS_WITHIN = 150  # seconds for an e-mail that is on its way


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceJob:
    """What is kept running: the command with its full path, and what else it has to know of the environment."""

    command: tuple[str, ...]
    environment: Mapping[str, str]

    @property
    def words(self) -> tuple[str, ...]:
        """The whole command."""
        return (*self.command, "work")


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemService:
    """A service of one system: its file, and the commands that begin it, end it and say how it is.

    ``hint`` is what a person should know of it. ``refused`` is why it cannot be begun as things are: its text is
    empty then, and asking for it and ending it still work.
    """

    kind: str
    path: Path
    text: str
    begin: tuple[tuple[str, ...], ...]
    end: tuple[tuple[str, ...], ...]
    ask: tuple[str, ...]
    hint: str
    after_removal: tuple[tuple[str, ...], ...] = ()
    encoding: str = "utf-8"
    refused: SettingsError | None = None

    @property
    def program(self) -> str:
        """The system's own program that all of this needs."""
        return self.begin[0][0]

    @property
    def is_installed(self) -> bool:
        """Whether its file is there."""
        return self.path.is_file()

    @property
    def is_current(self) -> bool:
        """Whether its file is there and says what it would say if it were written now."""
        try:
            return self.path.read_text(encoding=self.encoding) == self.text
        except (OSError, UnicodeError):
            return False

    @property
    def copy_of_before(self) -> Path | None:
        """Where the file that is there is kept when another one replaces it: a name that nothing has yet.

        None where there is no file, or where it says the same already.
        """
        if not self.is_installed or self.is_current:
            return None
        names = (f"{self.path.name}{f'.{number}' if number > 1 else ''}.bak" for number in count(1))
        return next(path for name in names if not os.path.lexists(path := self.path.with_name(name)))


def systemd_unit(job: ServiceJob) -> str:
    """Return a unit of systemd's user manager (systemd.service(5), systemd.exec(5))."""
    environment = "".join(
        f"Environment={_systemd_word(f'{name}={value}')}\n" for name, value in job.environment.items()
    )
    # In a command line a dollar would begin a variable: systemd.service(5), COMMAND LINES.
    command = " ".join(_systemd_word(word).replace("$", "$$") for word in job.words)
    return f"""\
[Unit]
Description={DESCRIPTION}
Documentation={HOMEPAGE}

[Service]
Type=exec
ExecStart={command}
{environment}Restart=on-failure
RestartSec={AGAIN_AFTER}
TimeoutStopSec={STOPS_WITHIN}
UMask=0077
NoNewPrivileges=yes

[Install]
WantedBy=default.target
"""


def _systemd_word(word: str) -> str:
    """Return a word in quotes; a per cent sign would begin a specifier (systemd.syntax(7), systemd.unit(5))."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("\n", "\\n")
    return f'"{escaped}"'


def launchd_plist(job: ServiceJob, *, log: Path) -> str:
    """Return a property list of launchd (launchd.plist(5)); what it writes goes into ``log``."""
    facts = {
        "Label": LABEL,
        "ProgramArguments": list(job.words),
        "EnvironmentVariables": dict(job.environment),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": AGAIN_AFTER,
        "ExitTimeOut": STOPS_WITHIN,
        "ProcessType": "Background",
        "Umask": 0o077,
        "StandardOutPath": str(log),
        "StandardErrorPath": str(log),
    }
    return plistlib.dumps({name: value for name, value in facts.items() if value != {}}, sort_keys=False).decode()


def scheduled_task(job: ServiceJob) -> str:
    """Return a task of the Task Scheduler, which begins when its person logs on.

    https://learn.microsoft.com/windows/win32/taskschd/task-scheduler-schema. A task has no environment of its own:
    where one is needed, cmd.exe sets it first. Every word stands in quotes there, in which cmd.exe reads ``&``,
    ``^`` and the like as they are.

    Raises SettingsError for a path with a per cent sign or a quotation mark: the Task Scheduler and cmd.exe
    replace ``%NAME%`` in quotes too, and neither has a way to write it otherwise.
    """
    _require_plain(job)
    command, *arguments = job.words
    words = " ".join(_windows_word(word) for word in arguments)
    if job.environment:
        sets = "".join(f'set "{name}={value}"&& ' for name, value in job.environment.items())
        command, words = "cmd.exe", f'/d /v:off /s /c "{sets}{_windows_word(command)} {words}"'
    return f"""\
<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>{escape(DESCRIPTION)}</Description>
    <URI>\\{NAME}</URI>
  </RegistrationInfo>
  <Triggers>
    <LogonTrigger>
      <Enabled>true</Enabled>
    </LogonTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <Hidden>true</Hidden>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>999</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{escape(command)}</Command>
      <Arguments>{escape(words)}</Arguments>
    </Exec>
  </Actions>
</Task>
"""


def _windows_word(word: str) -> str:
    """Return a word as cmd.exe and CommandLineToArgvW read it: a backslash before a quote would escape that."""
    ending = word[len(word.rstrip("\\")) :]
    return f'"{word}{ending}"'


def _require_plain(job: ServiceJob) -> None:
    """Raise SettingsError where a task cannot say a path as it is."""
    kinds = (("%", "a per cent sign"), ('"', "a quotation mark"))
    for name, word in [*job.environment.items(), *(("", word) for word in job.words)]:
        marks = [words for mark, words in kinds if mark in word]
        if marks:
            raise SettingsError(
                f"{word} has {' and '.join(marks)} in it, which a task of Windows cannot be given.",
                next_step=f"{'Move the data folder' if name else 'Install this program anew'}, "
                "to a path without it, and run this again.",
            )


def _task_or_refusal(job: ServiceJob) -> tuple[str, SettingsError | None]:
    """Return the text of the task, or none and why."""
    try:
        return scheduled_task(job), None
    except SettingsError as error:
        return "", error


def of_system(
    job: ServiceJob, *, system: str, home: Path, config: Path, workspace: Workspace, user_id: int
) -> SystemService | None:
    """Return the service of a system, as ``platform.system()`` names it; None where it is none of the three."""
    if system == "Linux":
        unit = f"{NAME}.service"
        manager = ("systemctl", "--user")
        return SystemService(
            kind="systemd user unit",
            path=config / "systemd" / "user" / unit,
            text=systemd_unit(job),
            begin=((*manager, "daemon-reload"), (*manager, "enable", unit), (*manager, "restart", unit)),
            end=((*manager, "disable", "--now", unit),),
            after_removal=((*manager, "daemon-reload"),),
            ask=(*manager, "is-active", unit),
            hint=f"It runs while you are logged in; `loginctl enable-linger` keeps it running after that. "
            f"What it does: journalctl --user -u {unit}",
        )
    if system == "Darwin":
        domain, log = f"gui/{user_id}", home / "Library" / "Logs" / f"{NAME}.log"
        path = home / "Library" / "LaunchAgents" / f"{LABEL}.plist"
        return SystemService(
            kind="launchd agent",
            path=path,
            text=launchd_plist(job, log=log),
            begin=(("launchctl", "bootstrap", domain, str(path)),),
            end=(("launchctl", "bootout", f"{domain}/{LABEL}"),),
            ask=("launchctl", "print", f"{domain}/{LABEL}"),
            hint=f"It runs while you are logged in. What it does: {log}",
        )
    if system == "Windows":
        path = workspace.scheduled_task
        text, refused = _task_or_refusal(job)
        return SystemService(
            kind="scheduled task",
            path=path,
            text=text,
            refused=refused,
            begin=(
                ("schtasks", "/Create", "/F", "/TN", NAME, "/XML", str(path)),
                ("schtasks", "/Run", "/TN", NAME),
            ),
            end=(("schtasks", "/End", "/TN", NAME), ("schtasks", "/Delete", "/F", "/TN", NAME)),
            ask=("schtasks", "/Query", "/TN", NAME),
            hint="It begins when you log on.",
            encoding="utf-16",
        )
    return None


Run = Callable[[tuple[str, ...]], tuple[int, str]]


def begin_service(service: SystemService, *, run: Run) -> Iterator[str]:
    """Write the file and begin the service; yield what went wrong, a line each. OSError, and why it is refused.

    One that runs already is ended first where its file was another one, which is kept as ``copy_of_before``.
    """
    if service.refused is not None:
        raise service.refused
    if (copy := service.copy_of_before) is not None:
        shutil.copyfile(service.path, copy)
        copy.chmod(0o600)
    if service.is_installed and not service.is_current:
        for command in service.end:
            run(command)
    if not service.is_current:
        service.path.parent.mkdir(parents=True, exist_ok=True)
        service.path.write_text(service.text, encoding=service.encoding, newline="")
    elif service.kind == "launchd agent" and run(service.ask)[0] == 0:
        return  # a second bootstrap of what is loaded is an error
    yield from _failures(service.begin, run)


def end_service(service: SystemService, *, run: Run) -> Iterator[str]:
    """End the service and delete its file; yield what went wrong, a line each. OSError."""
    yield from _failures(service.end, run)
    service.path.unlink(missing_ok=True)
    yield from _failures(service.after_removal, run)


def _failures(commands: tuple[tuple[str, ...], ...], run: Run) -> Iterator[str]:
    for command in commands:
        status, output = run(command)
        if status != 0:
            yield f"{' '.join(command)} ended with {status}: {output or 'it said nothing'}"
