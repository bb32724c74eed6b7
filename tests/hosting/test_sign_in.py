"""Users with tokens of an issuer: its keys come and go, scopes are kept apart, and nobody is anybody else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from mcp import MCPError
from tests.secrecy.client import Client
from tests.world.http_server import Served
from tests.world.issuer import PUBLIC, RESOURCE, Issuer, issuing, jwk_of, rsa_key, signed_in
from tests.world.page import WITH_PANELS, PageWorld, lock_up
from tests.world.product import GRACE, Desktop, yes
from tests.world.trickle import TRICKLED, trickling

from sequences_mcp.domain.records import WorkMetrics
from sequences_mcp.server import catalog
from sequences_mcp.server.catalog import READ as READS
from sequences_mcp.server.catalog import VENDOR_TOOLS
from sequences_mcp.server.http.access import DRAFT, NEEDS, OPERATE, READ, SCOPES, TOOL_SCOPES, scopes_needed
from sequences_mcp.server.http.app import HttpServer, Surroundings
from sequences_mcp.server.http.callers import CURRENT, Caller, CallRecord
from sequences_mcp.server.http.issuer import BETWEEN, FRESH, STALE, IssuerKeys, documents_of, fetch_document

EVERY = (*catalog.TOOLS, *VENDOR_TOOLS)
OPENING = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}},
}


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """An issuer with one key."""
    with issuing() as made:
        yield made


@pytest.mark.parametrize("name", EVERY)
def test_a_tool_needs_one_scope_unless_it_only_holds_back(name: str) -> None:
    definition = catalog.definition_of(name)
    assert definition.safe is (name not in TOOL_SCOPES)
    if TOOL_SCOPES.get(name) == READ:
        assert definition.hints == READS
    assert TOOL_SCOPES.get(name, READ) in SCOPES and not any("approve" in scope for scope in SCOPES)


def test_a_start_that_would_go_at_once_is_more_than_a_draft() -> None:
    def needed(**arguments: Any) -> frozenset[str]:
        return scopes_needed("tools/call", {"name": "start_sequence", "arguments": arguments})

    assert needed() == needed(auto_approve=False) == {DRAFT}
    assert needed(auto_approve=True) == needed(auto_approve="true") == needed(auto_approve=1) == {DRAFT, OPERATE}


SETS = {"none": (), "read": (READ,), "draft": (DRAFT,), "operate": (OPERATE,), "all": SCOPES}


@pytest.mark.parametrize("scopes", SETS.values(), ids=SETS.keys())
def test_each_tool_is_refused_without_its_scope_and_never_what_holds_back(
    world: PageWorld, issuer: Issuer, scopes: tuple[str, ...]
) -> None:
    token = issuer.token(scope=" ".join(scopes))
    with signed_in(world, issuer) as served:
        answers = {name: served.tool(name, token=token) for name in catalog.TOOLS}
    for name, answer in answers.items():
        needed = TOOL_SCOPES.get(name)
        assert (answer.status == 403) is (needed is not None and needed not in scopes), (name, answer)
        if answer.status == 403:
            asked = " ".join(scope for scope in SCOPES if scope in (*scopes, needed))
            assert answer.headers["www-authenticate"].startswith(
                f'Bearer error="insufficient_scope", scope="{asked}", resource_metadata="{PUBLIC}/'
            )


READING = {
    "a resource": ("resources/read", {"uri": "format://steps"}),
    "a prompt": ("prompts/get", {"name": "write_sequence"}),
    "a completion": ("completion/complete", {"ref": {}, "argument": {}}),
}


@pytest.mark.parametrize(("method", "params"), READING.values(), ids=READING.keys())
def test_what_is_stored_is_read_only_with_the_scope_to_read(
    world: PageWorld, issuer: Issuer, method: str, params: dict[str, Any]
) -> None:
    with signed_in(world, issuer) as served:
        refused = served.rpc(method, token=issuer.token(scope=OPERATE), **params)
        listed = served.rpc("tools/list", token=issuer.token(scope=OPERATE))
    assert (refused.status, refused.facts["error"]) == (403, "insufficient_scope")
    assert listed.status == 200


def test_the_list_of_tools_is_the_callers_and_kept_by_nobody_in_between(world: PageWorld, issuer: Issuer) -> None:
    with signed_in(world, issuer) as served:
        little, all_of_it = (
            served.rpc("tools/list", token=issuer.token(scope=scope)).facts["result"]
            for scope in (READ, " ".join(SCOPES))
        )
    assert little["cacheScope"] == all_of_it["cacheScope"] == "private"
    needs = {tool["name"]: tool.get("_meta", {}).get(NEEDS) for tool in little["tools"]}
    assert needs == {name: scope if (scope := TOOL_SCOPES.get(name)) != READ else None for name in catalog.TOOLS}
    assert not any(NEEDS in tool.get("_meta", {}) for tool in all_of_it["tools"])


def test_a_call_whose_name_is_told_twice_is_judged_by_what_is_carried_out(
    world: PageWorld, issuer: Issuer
) -> None:
    """Two names, or two methods: whichever of them a reader takes, what is carried out is checked again."""
    call = (
        '{{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{{"name":{},"name":{},'
        '"arguments":{{"name":"X","steps":[]}}}}}}'
    )
    token = issuer.token(scope=READ)
    with signed_in(world, issuer) as served:
        session = served.ask(token=token, body=OPENING).headers["mcp-session-id"]
        for names in (('"list_blueprints"', '"create_blueprint"'), ('"create_blueprint"', '"list_blueprints"')):
            served.ask(token=token, body=call.format(*names).encode(), Mcp_Session_Id=session)
            lied: dict[str, Any] = {"Mcp_Session_Id": session, "Mcp_Name": "list_blueprints", "Mcp_Method": "ping"}
            served.ask(token=token, body=call.format(*names).encode(), **lied)
    assert world.rows("SELECT count(*) FROM blueprint_version") == [(0,)]


async def test_a_session_is_its_users_and_each_request_in_it_has_its_own_scopes(
    world: PageWorld, issuer: Issuer
) -> None:
    called = {
        "jsonrpc": "2.0",
        "id": 2,
        "method": "tools/call",
        "params": {"name": "save_contacts", "arguments": {"contacts": [GRACE]}},
    }
    with signed_in(world, issuer) as served:
        session = served.ask(token=issuer.token(), body=OPENING).headers["mcp-session-id"]

        def call(token: str) -> int:
            return served.ask(token=token, body=called, Mcp_Session_Id=session).status

        assert call(issuer.token(sub="user-grace")) == 404
        assert call(issuer.token(client_id="another program")) == 404
        assert call(issuer.token(scope=READ)) == 403
        assert call(issuer.token(jti="a later one")) == 200


async def test_a_call_that_came_past_the_gate_is_checked_again(world: PageWorld, era: str) -> None:
    async def nobody(token: str) -> Caller | None:
        raise AssertionError(token)

    async def nothing() -> WorkMetrics:
        raise AssertionError

    given = Surroundings(
        open_context=world.app,
        verify=nobody,
        measure=nothing,
        clock=world.clock,
        elapsed=lambda: 0.0,
        write=list[str]().append,
    )
    mark = CURRENT.set(CallRecord(Caller(subject="ada", scopes=frozenset({OPERATE}))))
    try:
        async with Client(HttpServer(given, resource=RESOURCE), mode=era) as client:
            host = Desktop(client)
            refused = await host.refused("create_blueprint", name="X", steps=[])
            await host.refused("list_blueprints")
            with pytest.raises(MCPError, match=READ):
                await client.read_resource("format://steps")
            assert (await host.refused("stop_sequence", sequence_id="local:seq_0"))["code"] != refused["code"]
    finally:
        CURRENT.reset(mark)
    assert (refused["code"], refused["scope"]) == ("insufficient_scope", DRAFT)


async def test_each_users_idempotency_keys_are_their_own(world: PageWorld, issuer: Issuer) -> None:
    ada, grace = issuer.token(), issuer.token(sub="user-grace")
    with signed_in(world, issuer) as served:

        def saved(token: str, email: str, key: str) -> dict[str, Any]:
            person = {**GRACE, "email": email}
            answer = served.tool("save_contacts", token=token, contacts=[person], idempotency_key=key)
            result: dict[str, Any] = answer.facts["result"]
            return result

        for key in ("import-1", "k" * 200):
            first, again = saved(ada, "a@hopper.example", key), saved(ada, "a@hopper.example", key)
            other, misused = saved(grace, "b@hopper.example", key), saved(ada, "c@hopper.example", key)
            assert first["content"] == again["content"] and not other["isError"]
            assert misused["isError"] and "other arguments" in misused["content"][0]["text"]
        assert saved(ada, "a@hopper.example", "k" * 201)["isError"]


async def test_what_is_taken_back_in_a_panel_is_no_persons_decision(world: PageWorld, issuer: Issuer) -> None:
    first, second = world.plan(people=1), world.plan(people=1, first=1)
    with signed_in(world, issuer) as served:
        async with served.client(token=issuer.token(), extensions=WITH_PANELS) as host:
            sent = {"digest": first.digest, "decision": "refuse"}
            await host.call("decide_plan", plan_id=first.id, **sent)
            await host.call("withdraw_plan", plan_id=second.id)
    decided = [world.present(plan.id) for plan in (first, second)]
    assert [plan.decided_by for plan in decided] == ["withdraw_plan:user-ada"] * 2
    assert not any(plan.decided_by and plan.decided_by.may_approve for plan in decided)


async def test_the_audit_names_each_user(world: PageWorld, issuer: Issuer, era: str) -> None:
    with signed_in(world, issuer) as served:
        for user in ("user-ada", "auth0|grace:hopper"):
            async with served.client(era, token=issuer.token(sub=user)) as host:
                await host.contact(email=f"{user[-5:]}@hopper.example")
    actors = [actor for (actor,) in world.rows("SELECT DISTINCT actor FROM audit WHERE subject LIKE '%:ct_%'")]
    assert sorted(actors) == ["agent:auth0|grace:hopper", "agent:user-ada"]
    assert served.log[-1]["program"] == "claude"


@pytest.mark.parametrize("scopes", SETS.values(), ids=SETS.keys())
async def test_no_token_of_any_scope_approves(
    world: PageWorld, issuer: Issuer, scopes: tuple[str, ...], era: str
) -> None:
    lock_up(world)
    plan = world.plan(people=1)
    token = issuer.token(scope=" ".join((*scopes, "sequences:approve", "admin", "*")))
    with signed_in(world, issuer) as served:
        async with served.client(era, token=issuer.token(), answer=yes, extensions=WITH_PANELS) as host:
            blueprint = await host.blueprint()
            started = await host.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
            await host.raw("erase_contact", contact=GRACE["email"])
            sent = {"plan_id": plan.id, "digest": plan.digest, "decision": "approve"}
            for proof in ("", "0" * 64, "x:y:z"):
                assert (await host.raw("decide_plan", **sent, proof=proof)).is_error
        for name in ("decide_plan", "start_sequence", "approve_plan"):
            arguments: dict[str, Any] = {"plan_id": started["plan_id"], "approve": True, "auto_approve": True}
            assert served.tool(name, token=token, **arguments).status in (200, 403)
    assert world.rows("SELECT count(*) FROM approval") == [(0,)]
    assert world.rows("SELECT DISTINCT status FROM plan") == [("waiting",)]


def test_clients_are_told_under_both_addresses_where_to_sign_in(world: PageWorld, issuer: Issuer) -> None:
    with signed_in(world, issuer) as served:
        first, second = (
            served.ask("GET", f"/.well-known/oauth-protected-resource{path}", token="") for path in ("/mcp", "")
        )
        bare = served.ask(token="", body={"jsonrpc": "2.0", "id": 1, "method": "ping"})
    assert first.facts == second.facts
    assert first.facts["resource"] == RESOURCE
    assert first.facts["authorization_servers"] == [issuer.url]
    assert first.facts["scopes_supported"] == list(SCOPES)
    assert bare.headers["www-authenticate"] == (
        f'Bearer scope="sequences:read", resource_metadata="{PUBLIC}/.well-known/oauth-protected-resource/mcp"'
    )


def _called(served: Served, token: str) -> int:
    return served.tool("list_blueprints", token=token).status


def test_an_issuer_that_is_down_at_the_start_and_in_between(world: PageWorld, issuer: Issuer) -> None:
    issuer.is_down = True
    with signed_in(world, issuer) as served:
        early = served.tool("list_blueprints", token=issuer.token())
        assert (early.status, early.facts["error"]) == (503, "provider_unavailable")
        assert early.headers["retry-after"] and not served.ask("GET", "/readyz", token="").facts["issuer"]
        issuer.is_down = False
        assert _called(served, issuer.token()) == 503  # it was asked a moment ago
        issuer.now += BETWEEN
        assert _called(served, issuer.token()) == 200
        issuer.is_down = True
        issuer.now += FRESH
        assert _called(served, issuer.token()) == 200
        issuer.now += STALE
        assert _called(served, issuer.token()) == 503


def test_a_new_key_holds_at_once_and_one_that_was_taken_away_within_minutes(
    world: PageWorld, issuer: Issuer
) -> None:
    with signed_in(world, issuer) as served:
        old = issuer.token()
        assert _called(served, old) == 200
        issuer.keys = [jwk_of(rsa_key("second"), "second")]
        new = issuer.token(key=rsa_key("second"), head={"kid": "second"})
        issuer.now += BETWEEN
        assert _called(served, new) == 200
        assert _called(served, old) == 401


def test_made_up_keys_do_not_make_the_issuer_busy(world: PageWorld, issuer: Issuer) -> None:
    with signed_in(world, issuer) as served:
        assert _called(served, issuer.token()) == 200
        for number in range(50):
            assert _called(served, issuer.token(key=rsa_key("second"), head={"kid": f"k{number}"})) == 401
    assert issuer.asked.count("/keys") == 1


LYING: dict[str, dict[str, Any]] = {
    "another issuer": {"issuer": "https://evil.example"},
    "keys over http": {"jwks_uri": "http://keys.example/keys"},
    "no keys": {"jwks_uri": None},
    "keys in a file": {"jwks_uri": "file:///etc/passwd"},
}


@pytest.mark.parametrize("metadata", LYING.values(), ids=LYING.keys())
def test_metadata_that_is_not_the_issuers_own_is_not_believed(
    world: PageWorld, issuer: Issuer, metadata: dict[str, Any]
) -> None:
    issuer.metadata = metadata
    with signed_in(world, issuer) as served:
        assert _called(served, issuer.token()) == 503
    assert "/keys" not in issuer.asked


def test_the_metadata_is_looked_for_where_both_standards_have_it() -> None:
    assert documents_of("https://a.example/realm/") == (
        "https://a.example/realm/.well-known/openid-configuration",
        "https://a.example/.well-known/oauth-authorization-server/realm",
    )
    assert json.dumps(documents_of("https://a.example")).count("//.well") == 0


async def test_why_an_issuers_keys_cannot_be_had_is_logged_once_until_that_changes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    elapsed, whys = 0.0, ["a wrong certificate", "a wrong certificate", "no route"]

    async def fetch(address: str) -> bytes:
        raise OSError(f"{address}: {whys[0]}")

    keys = IssuerKeys("https://login.example.com", fetch, lambda: elapsed)
    while whys:
        await keys.look()
        whys.pop(0)
        elapsed += 2 * BETWEEN
    told = [line.getMessage().rpartition(": ")[2] for line in caplog.records]
    assert told == ["a wrong certificate", "no route"]
    assert "https://login.example.com/.well-known/openid-configuration" in caplog.text


@pytest.mark.parametrize("begun", TRICKLED.values(), ids=TRICKLED.keys())
async def test_an_issuer_whose_answer_does_not_end_is_one_that_cannot_be_reached(begun: bytes) -> None:
    with trickling(begun) as url:
        async with asyncio.timeout(60):
            with pytest.raises(OSError, match=f"{url} cannot be reached: its answer did not end"):
                await fetch_document(url, whole=0.6)
