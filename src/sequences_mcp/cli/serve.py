"""The command that serves MCP over HTTP."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import click

from sequences_mcp.cli.keyboard import page_setup_here, say, settings_here, tenants_here

FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, exists=True, resolve_path=True, path_type=Path)


def _serve() -> click.Command:
    @click.command(help="Serve MCP over HTTP, and do the due work, until stopped. docs/hosting.md says how.")
    @click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
    @click.option("--port", default=8765, show_default=True, type=click.IntRange(0, 65_535), help="0: any.")
    @click.option(
        "--public-url", default="", help="The address that clients use, such as https://mcp.example.com."
    )
    @click.option("--token-file", type=FILE, help="The file with the token; it is made where there is none.")
    @click.option("--tls-cert", type=FILE, help="A certificate with its chain, as PEM.")
    @click.option("--tls-key", type=FILE, help="Its private key, as PEM.")
    @click.option(
        "--proxy", multiple=True, help="Address or network of a reverse proxy in front; may be repeated."
    )
    @click.option("--allow-host", multiple=True, help="A further name of this server; may be repeated.")
    @click.option("--allow-origin", multiple=True, help="A web site that may use it; may be repeated.")
    @click.option(
        "--metrics-port", type=click.IntRange(0, 65_535), help="A port for Prometheus, on the same host."
    )
    @click.option(
        "--rate", default=600, show_default=True, type=click.IntRange(1), help="Requests of a user a minute."
    )
    @click.option("--connections", default=1_024, show_default=True, type=click.IntRange(1), help="Open at once.")
    @click.option("--tenants", type=FOLDER, help="A folder with the data folder of each tenant, by its name.")
    @click.option(
        "--tenants-open", default=64, show_default=True, type=click.IntRange(1), help="Of them, open at once."
    )
    @click.option(
        "--tenant-idle", default=300.0, show_default=True, type=click.FloatRange(1), help="Seconds to close one."
    )
    @click.option(
        "--tenant-rate", default=6_000, show_default=True, type=click.IntRange(1), help="Their requests a minute."
    )
    @click.option("--drain", default=25.0, show_default=True, type=click.FloatRange(0), help="Seconds to end in.")
    @click.option(
        "--traces", default="", help="Where spans of OpenTelemetry go: OTLP over HTTP, its whole address."
    )
    def serve(*, traces: str, **given: object) -> None:
        from sequences_mcp.serve import serve_http
        from sequences_mcp.server.http.options import ServeOptions

        options = ServeOptions(**{_NAMES.get(name, name): value for name, value in given.items()})  # type: ignore[arg-type]
        settings = settings_here()
        options = replace(options, tenants=options.tenants or settings.tenants)
        with _traced(traces) as write:
            serve_http(
                settings,
                options,
                tell=lambda lines: say(lines, aside=True),
                write=write,
                setup=page_setup_here,
                folders=tenants_here(options.tenants) if options.tenants else None,
            )

    return serve


def _traced(address: str) -> AbstractContextManager[Callable[[str], None]]:
    """Return what writes lines of the access log; with an address, spans are sent there meanwhile."""
    if not address:
        return nullcontext(_write_line)
    from sequences_mcp.server.http.traces import tracing

    return tracing(address, _write_line)


_NAMES = {
    "tls_cert": "certificate",
    "tls_key": "private_key",
    "proxy": "proxies",
    "allow_host": "names",
    "allow_origin": "origins",
    "metrics_port": "metrics",
    "rate": "per_minute",
    "connections": "most",
}


def _write_line(line: str) -> None:
    """Write a line of the access log to standard output, which nothing else is written to here."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


COMMANDS = {"serve": _serve}
