"""A review page for each of several tenants, each under a name of its own, and those who sign in there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.world.http_server import Reply, Served
from tests.world.issuer import PUBLIC
from tests.world.mail_servers import free_port
from tests.world.page import PageWorld
from tests.world.product import GRACE, MAIL
from tests.world.signing_in import CLIENT_ID, NAME, SECRET, Certificate, OpenIdProvider, Tab
from tests.world.tenants import ACME, HOPPER, TenantsWorld, at, resource, serving_tenants

from sequences_mcp.private_files import write_private

NAMES = {ACME: f"acme.{NAME}", HOPPER: f"hopper.{NAME}"}
ROLES = {
    ACME: "can-look=member, can-approve=approver, runs-it=admin",
    HOPPER: "hopper-looks=member, hopper-approves=approver",
}


@dataclass
class PagesWorld(TenantsWorld):
    """Two tenants, whose people sign in at one provider, each tenant's at its own page."""

    port: int = 0
    provider: str = ""  # its identifier
    lines: list[str] = field(default_factory=list)  # further settings of a tenant that is made next

    def page_lines(self, name: str) -> list[str]:
        """Return what the settings of a tenant say of its page."""
        roles = ", ".join(f'"{role.strip()}"' for role in ROLES[name].split(","))
        return [
            f'review_url = "https://{NAMES[name]}:{self.port}"',
            f'review_issuer = "{self.provider}"',
            f'review_client_id = "{CLIENT_ID}"',
            'review_client_secret = { file = "page.secret" }',
            'review_role_claim = "groups"',
            f"review_roles = [{roles}]",
            *self.lines,
        ]

    def with_page(self, name: str) -> PageWorld:
        """Make a tenant that has a page; return its data folder."""
        world = self.tenant(name, *self.page_lines(name))
        write_private(world.folder / "page.secret", SECRET)
        return world

    def data_folder(self, name: str) -> PageWorld:
        """Return a tenant's data folder."""
        return PageWorld(folder=self.folder / name, clock=self.clock)


def two_tenants(folder: Path, provider: str, *lines: str, port: int = 0) -> PagesWorld:
    """Make two tenants, each with a page of its own and these settings; the pages' port is a free one or this."""
    world = PagesWorld(folder, port=port or free_port(), provider=provider, lines=list(lines))
    for name in NAMES:
        world.with_page(name)
    return world


@dataclass(repr=False)
class Pages:
    """The server of the tenants, and browsers at their pages."""

    world: PagesWorld
    served: Served
    provider: OpenIdProvider

    def tab(self, tenant: str, who: str = "") -> Tab:
        """Return a browser at a tenant's page; somebody signs in there where they are named."""
        assert self.served.tls is not None
        tab = Tab(self.served, self.provider, self.served.tls, name=NAMES[tenant], port=self.world.port)
        if who:
            tab.signs_in(who)
        return tab

    def token(self, tenant: str, **claims: Any) -> str:
        """Return a token with which somebody's program calls a tenant."""
        return self.provider.access_token(resource(tenant), **claims)

    def tool(self, tenant: str, tool: str, *, token: str = "", **arguments: Any) -> dict[str, Any]:
        """Call a tool of a tenant; return what it answers as an object."""
        token = token or self.token(tenant)
        reply: Reply = at(self.served, tenant).rpc("tools/call", token=token, name=tool, arguments=arguments)
        facts: dict[str, Any] = json.loads(reply.facts["result"]["content"][0]["text"])
        return facts

    def started(self, tenant: str) -> dict[str, Any]:
        """Have a program of a member of a tenant start a sequence for one person; return what it is told."""
        made = self.tool(tenant, "create_blueprint", name="Engineers", steps=[MAIL], job_title="Engineer")
        contacts = [{**GRACE, "job_title": "Engineer"}]
        return self.tool(tenant, "start_sequence", blueprint_id=made["blueprint_id"], contacts=contacts)


@contextmanager
def pages_of(
    world: PagesWorld, certificate: Certificate, provider: OpenIdProvider, *, port: int | None = None, **more: Any
) -> Iterator[Pages]:
    """Serve the tenants and their pages over TLS, on the port of the pages' addresses or another behind it."""
    options = replace(more.pop("options", certificate.options), public_url=PUBLIC)
    listening = world.port if port is None else port
    with serving_tenants(world, provider, options, port=listening, **more) as served:
        yield Pages(world, served, provider)
