"""Several tenants on one server: nothing of one is seen, used or guessed from another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.hosting.test_sign_in import OPENING
from tests.world.http_server import Reply, Served
from tests.world.issuer import PUBLIC, Issuer, issuing
from tests.world.product import GRACE, MAIL
from tests.world.tenants import ACME, HOPPER, TenantsWorld, at, resource, serving_tenants

from sequences_mcp.errors import SettingsError
from sequences_mcp.serve_tenants import require_told_apart
from sequences_mcp.server.http.options import ServeOptions

NOBODY = "nobody-is-here"


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    """An issuer with one key."""
    with issuing() as made:
        yield made


@pytest.fixture
def tenants(tmp_path: Path) -> TenantsWorld:
    """Two tenants."""
    world = TenantsWorld(tmp_path)
    world.tenant(ACME)
    world.tenant(HOPPER)
    return world


def token(issuer: Issuer, tenant: str, **claims: Any) -> str:
    """Return a token for a tenant."""
    return issuer.token(aud=resource(tenant), **claims)


def _told(reply: Reply) -> tuple[int, str, str]:
    return reply.status, reply.text, reply.headers.get("www-authenticate", "")


async def test_two_tenants_work_side_by_side_and_see_nothing_of_one_another(
    tenants: TenantsWorld, issuer: Issuer, era: str
) -> None:
    seen: dict[str, Any] = {}
    with serving_tenants(tenants, issuer) as served:
        for name in (ACME, HOPPER):
            async with at(served, name).client(era, token=token(issuer, name)) as host:
                blueprint = await host.blueprint()
                started = await host.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
                seen[name] = blueprint, started["plan_id"]
        for name, other in ((ACME, HOPPER), (HOPPER, ACME)):
            async with at(served, name).client(era, token=token(issuer, name)) as host:
                listed = json.dumps([await host.call(tool) for tool in ("list_blueprints", "list_reviews")])
                assert seen[name][0] in listed and seen[other][0] not in listed and other not in listed
                assert (await host.refused("get_blueprint", blueprint_id=seen[other][0]))["code"] == "not_found"
    assert {line.get("tenant") for line in served.log if line.get("tool")} == {ACME, HOPPER}


def test_a_token_for_one_tenant_is_none_for_another(tenants: TenantsWorld, issuer: Issuer) -> None:
    with serving_tenants(tenants, issuer) as served:
        assert at(served, ACME).tool("list_blueprints", token=token(issuer, ACME)).status == 200
        assert at(served, HOPPER).tool("list_blueprints", token=token(issuer, ACME)).status == 401
        both = issuer.token(aud=[resource(ACME), resource(HOPPER)])
        assert at(served, HOPPER).tool("list_blueprints", token=both).status == 200
        whole_server = issuer.token(aud=[PUBLIC, f"{PUBLIC}/mcp", f"{PUBLIC}/t/", f"{resource(HOPPER)}/"])
        assert at(served, HOPPER).tool("list_blueprints", token=whole_server).status == 401
        assert served.ask("POST", "/mcp", token=whole_server, body={}).status == 404


def test_a_tenant_that_does_not_exist_answers_as_one_that_one_may_not_use(
    tenants: TenantsWorld, issuer: Issuer
) -> None:
    tenants.tenant("closed", 'members = ["somebody-else"]')
    (tenants.folder / "no-settings").mkdir()
    answers: dict[str, list[tuple[int, str, str]]] = {}
    tokens = {"none": "", "nonsense": "x.y.z", "anothers": token(issuer, ACME), "of it": ""}
    with serving_tenants(tenants, issuer) as served:
        for name in (HOPPER, NOBODY, "closed", "no-settings"):
            for kind, given in tokens.items():
                if kind == "of it" and name != HOPPER:
                    given = token(issuer, name)
                told = _told(at(served, name).tool("list_blueprints", token=given))
                answers.setdefault(f"{kind}", []).append((told[0], told[1], told[2].replace(name, "NAME")))
            there = served.ask("GET", f"/.well-known/oauth-protected-resource/t/{name}/mcp", token="")
            assert (there.status, there.facts["resource"]) == (200, resource(name))
    for kind in ("none", "nonsense", "anothers"):
        assert len(set(answers[kind])) == 1 and answers[kind][0][0] == 401, answers[kind]
    missing, closed, no_settings = answers["of it"][1:]
    assert missing == closed == no_settings == answers["nonsense"][0]
    assert not (tenants.folder / NOBODY).exists() and not [*(tenants.folder / "no-settings").iterdir()]


CROOKED = [
    "/t/acme/../hopper-and-sons/mcp",
    "/t/acme/%2e%2e/hopper-and-sons/mcp",
    "/t/%61cme/mcp",
    "/t/acme%2fmcp",
    "/t//acme/mcp",
    "//t/acme/mcp",
    "/t/acme//mcp",
    "/t/acme/mcp/",
    "/t/acme/mcp%00",
    "/t/ACME/mcp",
    "/T/acme/mcp",
    "/t/acme/MCP",
    "/t/%D0%B0cme/mcp",
    "/t/acme%EF%BC%8Fmcp",
    "/t/./acme/mcp",
    "/t/acme;x/mcp",
    "/t/acme\\mcp",
    "/t/-acme/mcp",
    "/t/acme-/mcp",
    "/t/acme./mcp",
    f"/t/{'a' * 64}/mcp",
    "/t/../mcp",
    "/t/mcp",
    "/mcp",
    "/t/acme%0a/mcp",
]


def test_a_path_that_is_not_exactly_a_tenants_leads_nowhere(tenants: TenantsWorld, issuer: Issuer) -> None:
    given = issuer.token(aud=[resource(ACME), resource(HOPPER), resource("ACME")])
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    with serving_tenants(tenants, issuer) as served:
        answers = {path: served.ask("POST", path, token=given, body=call) for path in CROOKED}
        metadata = "/.well-known/oauth-protected-resource"
        wrong = [
            f"{metadata}/t/ACME/mcp",
            f"{metadata}/t/a.b/mcp",
            f"{metadata}/t//mcp",
            metadata,
            f"{metadata}/mcp",
        ]
        assert [served.ask("GET", path, token="").status for path in wrong] == [404] * len(wrong)
    assert {path: answer.status for path, answer in answers.items()} == dict.fromkeys(CROOKED, 404)


async def test_a_member_who_is_taken_off_the_list_is_refused_while_the_chat_is_open(
    tenants: TenantsWorld, issuer: Issuer
) -> None:
    tenants.tenant(ACME, 'members = ["user-ada", "user-grace"]')
    with serving_tenants(tenants, issuer) as served:
        acme = at(served, ACME)
        ada, grace = token(issuer, ACME), token(issuer, ACME, sub="user-grace")
        sessions = {one: acme.ask(token=one, body=OPENING).headers["mcp-session-id"] for one in (ada, grace)}
        call = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
        assert [acme.ask(token=one, body=call, Mcp_Session_Id=sessions[one]).status for one in sessions] == [
            200,
            200,
        ]
        tenants.tenant(ACME, 'members = ["user-grace"]')
        refused = acme.ask(token=ada, body=call, Mcp_Session_Id=sessions[ada])
        assert (refused.status, refused.facts["error"]) == (401, "invalid_token")
        assert acme.tool("list_blueprints", token=ada).status == 401
        assert acme.tool("list_blueprints", token=grace).status == 200
        tenants.tenant(ACME, "members = []")
        assert acme.tool("list_blueprints", token=grace).status == 401


def test_a_session_of_one_tenant_is_none_at_another(tenants: TenantsWorld, issuer: Issuer) -> None:
    both = issuer.token(aud=[resource(ACME), resource(HOPPER)])
    call = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
    with serving_tenants(tenants, issuer) as served:
        session = at(served, ACME).ask(token=both, body=OPENING).headers["mcp-session-id"]
        assert at(served, ACME).ask(token=both, body=call, Mcp_Session_Id=session).status == 200
        assert at(served, HOPPER).ask(token=both, body=call, Mcp_Session_Id=session).status == 404
        stream = at(served, HOPPER).ask("GET", token=both, Mcp_Session_Id=session, Accept="text/event-stream")
        ended = at(served, HOPPER).ask("DELETE", token=both, Mcp_Session_Id=session)
        assert (stream.status, ended.status) == (404, 404)
        assert at(served, ACME).ask(token=both, body=call, Mcp_Session_Id=session).status == 200


def test_a_claim_tells_tenants_apart_where_the_issuer_has_one_audience_for_all(
    tenants: TenantsWorld, issuer: Issuer
) -> None:
    tenants.more = {"SEQUENCES_OAUTH_AUDIENCE": "api://sequences", "SEQUENCES_OAUTH_TENANT_CLAIM": "org"}
    claims = {
        "a text": ACME,
        "a list": ["other", ACME],
        "another": HOPPER,
        "a part": "acm",
        "a map": {ACME: 1},
        "none": None,
    }
    with serving_tenants(tenants, issuer) as served:
        answers = {
            kind: at(served, ACME)
            .tool("list_blueprints", token=issuer.token(aud="api://sequences", org=org))
            .status
            for kind, org in claims.items()
        }
    assert answers == {"a text": 200, "a list": 200, "another": 401, "a part": 401, "a map": 401, "none": 401}


def test_one_audience_for_all_tenants_is_refused_without_such_a_claim(
    tenants: TenantsWorld, issuer: Issuer
) -> None:
    tenants.more = {"SEQUENCES_OAUTH_AUDIENCE": "api://sequences"}
    with pytest.raises(SettingsError, match="would open every other"):
        require_told_apart(tenants.settings(issuer))


def test_the_environment_of_the_server_is_no_tenants(tenants: TenantsWorld, issuer: Issuer) -> None:
    tenants.environ = {"PASSWORD_OF_ACME": "x", "KALENT_API_KEY": "k"}
    tenants.more = {"SEQUENCES_SMTP_URL": "smtp://127.0.0.1:1", "SEQUENCES_SENDER": "Eve <eve@server.example>"}
    of_acme = tenants.folders.settings(ACME)
    assert of_acme.mailbox.address == "ada@acme.example" and of_acme.mailbox.smtp_url is None
    assert of_acme.accounts == {} and of_acme.data_dir == tenants.folder / ACME


@pytest.mark.parametrize(
    "line", ['oauth_issuer = "https://evil.example"', 'tenants = "."', "spacing = true", "members = 1"]
)
def test_settings_that_are_not_a_tenants_to_say_are_refused(tenants: TenantsWorld, line: str) -> None:
    (tenants.folder / ACME / "settings.toml").write_text(f"{line}\n")
    with pytest.raises(SettingsError):
        tenants.folders.settings(ACME)


def _ready(served: Served) -> tuple[int, bool]:
    answer = served.ask("GET", "/readyz", token="")
    return answer.status, answer.facts["all_tenants"]


MAILBOXES = """
[mailboxes.grace]
name = "Grace Hopper"
address = "grace@acme.example"
member = "user-grace"

[mailboxes.eve]
name = "Eve Adams"
address = "eve@acme.example"
member = "user-eve"
"""


def test_each_member_begins_with_their_own_mailbox_and_with_no_other_members(
    tenants: TenantsWorld, issuer: Issuer
) -> None:
    file = tenants.folder / ACME / "settings.toml"
    everybodys = file.read_text()
    file.write_text(f'default_mailbox = "ada"\n{everybodys}{MAILBOXES}')
    with serving_tenants(tenants, issuer) as served:

        def started(user: str, blueprint: str, **more: Any) -> dict[str, Any]:
            given = token(issuer, ACME, sub=user)
            arguments = {"blueprint_id": blueprint, "contacts": [{**GRACE, "email": f"{user}@hopper.example"}]}
            answer = at(served, ACME).tool("start_sequence", token=given, **arguments, **more)
            facts: dict[str, Any] = json.loads(answer.facts["result"]["content"][0]["text"])
            return facts

        written = {"name": "Engineers", "steps": [MAIL], "job_title": "Engineer"}
        made = at(served, ACME).rpc(
            "tools/call", token=token(issuer, ACME), name="create_blueprint", arguments=written
        )
        blueprint = json.loads(made.facts["result"]["content"][0]["text"])["blueprint_id"]
        senders = {user: json.dumps(started(user, blueprint)) for user in ("user-grace", "user-eve", "user-ada")}
        assert "grace@acme.example" in senders["user-grace"] and "eve@acme.example" in senders["user-eve"]
        assert "ada@acme.example" in senders["user-ada"]
        other = started("user-grace", blueprint, sender="eve")
        assert other["code"] == "invalid_arguments" and "there are grace, ada" in other["message"]
        assert started("user-grace", blueprint, sender="ada")["outcome"] == "waiting_for_approval"
        file.write_text(file.read_text().replace("[mailboxes.ada]", '[mailboxes.ada]\nmember = "user-linus"'))
        nobodys = started("user-barbara", blueprint)
        assert nobodys["code"] == "invalid_arguments" and "no mailbox of yours" in nobodys["message"]


def test_while_one_tenant_is_broken_the_others_go_on(tenants: TenantsWorld, issuer: Issuer) -> None:
    (tenants.folder / ACME / "settings.toml").write_text("spacing = 'soon'\n")
    with serving_tenants(tenants, issuer) as served:
        broken = at(served, ACME).tool("list_blueprints", token=token(issuer, ACME))
        assert at(served, HOPPER).tool("list_blueprints", token=token(issuer, HOPPER)).status == 200
        assert _ready(served) == (200, False)
        assert (broken.status, broken.facts["error"]) == (503, "provider_unavailable")
        assert str(tenants.root) not in broken.text and "soon" not in broken.text
        tenants.tenant(ACME)
        assert at(served, ACME).tool("list_blueprints", token=token(issuer, ACME)).status == 200
        assert _ready(served) == (200, True)


def test_a_tenant_whose_database_is_damaged_is_unavailable_and_nobody_is_told_why(
    tenants: TenantsWorld, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    (tenants.folder / ACME / "sequences.db").write_bytes(b"not a database" * 100)
    with serving_tenants(tenants, issuer) as served:
        answers = [at(served, ACME).tool("list_blueprints", token=token(issuer, ACME)) for _ in range(2)]
        assert at(served, HOPPER).tool("list_blueprints", token=token(issuer, HOPPER)).status == 200
        assert _ready(served) == (200, False)
    assert [answer.status for answer in answers] == [503, 503]
    assert all(answer.headers["retry-after"] and "sequences.db" not in answer.text for answer in answers)
    assert len([line for line in caplog.messages if line.startswith(f"Tenant {ACME} cannot be used")]) == 1


def test_all_users_of_a_tenant_together_are_kept_waiting_but_no_other_tenant(
    tenants: TenantsWorld, issuer: Issuer
) -> None:
    options = ServeOptions(public_url=PUBLIC, tenant_rate=3)
    with serving_tenants(tenants, issuer, options, elapsed=lambda: 0.0) as served:
        users = [token(issuer, ACME, sub=f"user-{number}") for number in range(4)]
        statuses = [at(served, ACME).tool("list_blueprints", token=one).status for one in users]
        stopped = at(served, ACME).tool("stop_sequence", token=users[0], sequence_id="local:seq_0")
        other = at(served, HOPPER).tool("list_blueprints", token=token(issuer, HOPPER))
    assert statuses == [200, 200, 200, 429]
    assert (stopped.status, other.status) == (200, 200)


def test_numbers_are_told_by_tenant(tenants: TenantsWorld, issuer: Issuer) -> None:
    tenants.tenant(ACME).plan(people=2)
    with serving_tenants(tenants, issuer, ServeOptions(public_url=PUBLIC, metrics=0)) as served:
        at(served, ACME).tool("list_blueprints", token=token(issuer, ACME))
        at(served, NOBODY).tool("list_blueprints", token=token(issuer, NOBODY))
        numbers = served.ask("GET", "/metrics", port=served.metrics_port, token="").text
    lines = numbers.splitlines()
    assert f'sequences_tool_calls_total{{tenant="{ACME}",tool="list_blueprints",outcome="ok"}} 1' in lines
    assert f'sequences_steps{{tenant="{ACME}",state="planned"}} 2' in lines
    assert f'sequences_database_up{{tenant="{HOPPER}"}} 1' in lines
    assert NOBODY not in numbers
