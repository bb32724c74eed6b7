"""The command line; without a command it runs the MCP server over stdio.

click is imported inside the functions that build commands: the server does not need it, and starts faster without.
Of the commands only the one that is asked for is loaded.
"""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

from sequences_mcp import __version__
from sequences_mcp.errors import SequencesError

if TYPE_CHECKING:
    from collections.abc import Collection

    import click

    from sequences_mcp.settings import Settings

BY_HAND = """\
sequences-mcp is an MCP server. An MCP client starts it and exchanges JSON with it over standard input and output;
nothing can be typed here. `sequences-mcp setup` sets everything up, `sequences-mcp demo` runs a demo,
`sequences-mcp doctor` checks the set-up, and `sequences-mcp --help` lists the commands. Press Ctrl-C to end it.
"""
READ_FAILED = 2
INTERRUPTED = 130  # as a shell counts an end by SIGINT
COMPLETE = "_SEQUENCES_MCP_COMPLETE"  # how click is asked for completions


def main() -> None:
    """Run the server, or the command named; errors end in what to do next and exit with 2."""
    is_server = len(sys.argv) == 1 and COMPLETE not in os.environ
    try:
        if is_server:
            _serve()
        else:
            command_line().main(prog_name="sequences-mcp")
    except KeyboardInterrupt:
        if is_server:  # a thread may wait for a client that reads nothing, which the interpreter would wait for
            sys.stderr.flush()
            os._exit(INTERRUPTED)
        sys.exit(INTERRUPTED)
    except SequencesError as error:
        _give_up(error)
    except BaseExceptionGroup as group:  # the server's task group wraps the exceptions of its start
        if group.split(BrokenPipeError)[1] is None:
            return  # the client has left, as at the end of the input
        ours, others = group.split(SequencesError)
        if ours is None or others is not None:
            raise
        _give_up(_first(ours))


def _give_up(error: SequencesError) -> NoReturn:
    from sequences_mcp.domain.plain_words import as_shown, for_terminal

    sys.stderr.write(f"{as_shown(for_terminal(str(error)))}\n")
    sys.exit(READ_FAILED)


def _first(group: BaseExceptionGroup[SequencesError]) -> SequencesError:
    item = group.exceptions[0]
    return _first(item) if isinstance(item, BaseExceptionGroup) else item


def _serve() -> None:
    gc.disable()  # what is imported stays; serving turns it on again
    from sequences_mcp.server.prelude.start import begin, read_early

    source = begin(os.environ)
    from sequences_mcp.cli.keyboard import page_setup_here, settings_here

    if sys.stdin is not None and sys.stdin.isatty():
        sys.stderr.write(BY_HAND)
    read = settings_here if source is None else read_early(settings_here, _accounts, source)
    from sequences_mcp.serve import serve_stdio

    serve_stdio(read, setup=page_setup_here, source=source)


def _accounts(settings: Settings) -> Collection[str]:
    return settings.accounts.keys()


FILES = {  # of the commands, in the order in which they are listed
    "setup": "setup",
    "serve": "serve",
    "work": "upkeep",
    "clock": "upkeep",
    "service": "service",
    "mail": "mail",
    "review": "review",
    "report": "report",
    "import": "people",
    "export": "people",
    "blueprints": "blueprints",
    "export-contact": "people",
    "erase": "people",
    "check": "upkeep",
    "audit": "upkeep",
    "doctor": "upkeep",
    "database": "database",
    "backup": "upkeep",
    "restore": "upkeep",
    "demo": "upkeep",
    "sandbox": "upkeep",
    "uninstall": "setup",
    "completion": "upkeep",
}


def command_line() -> click.Group:
    """Return the group of all commands, which loads a command once it is asked for."""
    import click

    class CommandLine(click.Group):
        def list_commands(self, ctx: click.Context) -> list[str]:
            return list(FILES)

        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            if cmd_name not in FILES:
                return None
            file = import_module(f"sequences_mcp.cli.{FILES[cmd_name]}")
            made: click.Command = file.COMMANDS[cmd_name]()
            return made

    help_text = "Outreach sequences over MCP. Without a command: the server, over stdio."

    @click.group(cls=CommandLine, help=help_text)
    @click.version_option(__version__)
    def group() -> None:
        pass

    return group
