"""Ids of one tenant, asked for at another: with a token that is good there, by every request that takes an id."""

from __future__ import annotations

import inspect
from pathlib import Path

from tests.world import tenant_pairs
from tests.world.issuer import PUBLIC, issuing
from tests.world.tenant_pairs import BY_TOOL, FURTHER, asking, ids_of, populate, questions, revealing, tokens_for
from tests.world.tenants import ACME, HOPPER, TenantsWorld, serving_tenants

from sequences_mcp.server import catalog
from sequences_mcp.server.http.options import ServeOptions

TAKES_IDS = {"contact", "contacts", "who"}
UNHURRIED = ServeOptions(public_url=PUBLIC, per_minute=10**6, tenant_rate=10**6)


def test_every_tool_that_takes_an_id_is_asked() -> None:
    for name in catalog.TOOLS:
        arguments = catalog.built(name).parameters.get("properties", {}).keys()
        takes = {argument for argument in arguments if argument.endswith("_id") or argument in TAKES_IDS}
        asked = {
            argument
            for table in (BY_TOOL, FURTHER)
            for argument, value in table.get(name, {}).items()
            if "ID" in str(value)
        }
        assert asked or not takes, f"{name} takes {takes}: add it to {inspect.getfile(tenant_pairs)}"


def test_what_another_tenant_has_is_answered_as_what_nobody_has(tmp_path: Path) -> None:
    tenants = TenantsWorld(tmp_path)
    for name in (ACME, HOPPER):
        populate(tenants, name)
    with (
        issuing() as issuer,
        serving_tenants(tenants, issuer, UNHURRIED) as served,
        asking(served, tokens_for(issuer, [ACME, HOPPER])) as ask,
    ):
        ids = {name: ids_of(ask, name) for name in (ACME, HOPPER)}
        assert all(
            any(f"local:{kind}_" in one for one in ids[name])
            for name in ids
            for kind in ("bp", "ct", "seq", "plan", "draft", "task")
        ), sorted({one[:12] for one in ids[ACME]})
        before = {name: ids_of(ask, name) for name in ids}
        assert revealing(ask, ids, pairs=120, seed=1) == []
        assert {name: ids_of(ask, name) for name in ids} == before
        own = {ACME: ids[HOPPER], HOPPER: ids[ACME]}  # so that each asks for what it has itself
        assert len(revealing(ask, own, pairs=len(questions()), seed=2)) > len(questions()) / 4
