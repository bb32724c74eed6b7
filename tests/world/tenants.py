"""A folder of tenants, each a data folder with a mailbox, and the server that serves all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from tests.world.data_folder import Clock, with_schema
from tests.world.http_server import Lines, Served, listened
from tests.world.issuer import PUBLIC
from tests.world.page import PageWorld

from sequences_mcp.domain.records import WorkMetrics
from sequences_mcp.serve_tenants import gate_of_tenants
from sequences_mcp.server.http.app import Surroundings
from sequences_mcp.server.http.callers import Caller
from sequences_mcp.server.http.issuer import IssuerKeys
from sequences_mcp.server.http.options import ServeOptions, path_of_tenant
from sequences_mcp.settings import Settings, read_settings
from sequences_mcp.tenants import TenantDirectory

ACME, HOPPER = "acme", "hopper-and-sons"


class SigningIssuer(Protocol):
    """Whoever signs the tokens of a test."""

    @property
    def url(self) -> str:
        """Its identifier."""
        ...

    def keys_for(self) -> IssuerKeys:
        """Return what remembers its keys."""
        ...


@dataclass
class TenantsWorld:
    """The tenants in a folder, and the server's own data folder beside them."""

    root: Path
    clock: Clock = field(default_factory=Clock)
    more: dict[str, str] = field(default_factory=dict)  # settings of the server, by the names of their variables
    environ: dict[str, str] = field(default_factory=dict)  # what else is in the environment of the server

    @property
    def folder(self) -> Path:
        """The folder of all tenants."""
        return self.root / "tenants"

    @property
    def folders(self) -> TenantDirectory:
        """The tenants, as a server sees them that begins now."""
        return TenantDirectory(self.folder, {**self.environ, **self.more})

    def tenant(self, name: str, *lines: str) -> PageWorld:
        """Make a tenant, whose settings have these lines above its mailbox; return its data folder."""
        folder = with_schema(self.folder / name)
        mailbox = f'[mailboxes.ada]\nname = "Ada Lovelace"\naddress = "ada@{name}.example"\n'
        (folder / "settings.toml").write_text("\n".join(["spacing = 0", *lines, mailbox]))
        return PageWorld(folder=folder, clock=self.clock)

    def settings(self, issuer: SigningIssuer) -> Settings:
        """Return the settings of the server."""
        environ = {
            "SEQUENCES_DATA_DIR": str(self.root / "server"),
            "SEQUENCES_OAUTH_ISSUER": issuer.url,
            **self.more,
        }
        return read_settings(environ)


def resource(tenant: str) -> str:
    """Return the address of a tenant, which tokens for it are for."""
    return PUBLIC + path_of_tenant(tenant)


async def _nobody(token: str) -> Caller | None:
    raise AssertionError(token)


async def _nothing() -> WorkMetrics:
    raise AssertionError


@contextmanager
def serving_tenants(
    world: TenantsWorld,
    issuer: SigningIssuer,
    options: ServeOptions | None = None,
    *,
    elapsed: Callable[[], float] = time.monotonic,
    port: int = 0,
    **given: Any,
) -> Iterator[Served]:
    """Serve the tenants over HTTP to whoever has tokens of an issuer for them, and stop gracefully."""
    options = replace(options or ServeOptions(public_url=PUBLIC), port=0, tenants=world.folder)
    lines = Lines()
    facts: Mapping[str, Any] = {
        "open_context": None,
        "verify": _nobody,
        "measure": _nothing,
        "clock": world.clock,
        "elapsed": elapsed,
        "write": lines.write,
        "keys": issuer.keys_for(),
        **given,
    }
    build = partial(
        gate_of_tenants, world.settings(issuer), options, given=Surroundings(**facts), folders=world.folders
    )
    with listened(build, options, lines=lines, port=port) as served:
        yield served


def at(served: Served, tenant: str) -> Served:
    """Return the same server, whose requests go to a tenant."""
    return replace(served, path=path_of_tenant(tenant))
