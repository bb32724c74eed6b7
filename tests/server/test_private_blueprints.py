"""A private blueprint: its owner has it, and for everybody else at the same server there is none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from mcp.shared.subscriptions import ResourceUpdated
from tests.world.data_folder import Clock
from tests.world.http_server import Served, serving
from tests.world.page import PageWorld, crowd
from tests.world.product import GRACE, MAIL
from tests.world.tenant_pairs import questions

from sequences_mcp.context import AppContext
from sequences_mcp.domain.actors import Actor
from sequences_mcp.errors import InvalidArgumentsError, NotFoundError
from sequences_mcp.server.http.access import SCOPES
from sequences_mcp.server.http.callers import Caller
from sequences_mcp.services import blueprint_files, blueprints

ADA, BOB = "user-ada", "user-bob"
NAME, OURS = "Secret search", "Engineers"
# Requests without an id of a blueprint: lists, totals, what is offered for an argument.
LISTS: tuple[tuple[str, dict[str, Any]], ...] = (
    *(
        ("tools/call", {"name": name, "arguments": arguments})
        for name, arguments in (
            ("list_blueprints", {}),
            ("list_blueprints", {"size": 1, "page": 2}),
            ("list_blueprints", {"archived": True}),
            ("list_providers", {}),
            ("report", {}),
        )
    ),
    ("resources/list", {}),
    ("resources/templates/list", {}),
    ("prompts/list", {}),
    *(
        ("completion/complete", {"ref": reference, "argument": {"name": argument, "value": value}})
        for reference, argument in (
            ({"type": "ref/resource", "uri": "blueprint://{id}"}, "id"),
            ({"type": "ref/resource", "uri": "blueprint-text://{id}"}, "id"),
            ({"type": "ref/prompt", "name": "fix_findings"}, "blueprint_id"),
        )
        for value in ("", "local:bp", "Sec")
    ),
)


@dataclass
class Office:
    """A server that several people use, each with a token that is their name."""

    world: PageWorld
    served: Served
    number: int = field(default=0, init=False)

    def ask(self, who: str, method: str, params: Mapping[str, Any]) -> str:
        """Make a request as somebody; return the answer as it came."""
        return self.served.rpc(method, token=who, **params).text

    def call(self, who: str, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """Call a tool as somebody; return what it says, errors included."""
        result = json.loads(self.ask(who, "tools/call", {"name": tool, "arguments": arguments}))["result"]
        facts: dict[str, Any] = json.loads(result["content"][0]["text"])
        return facts

    def blueprint(self, who: str = ADA, **arguments: Any) -> str:
        """Have somebody make a blueprint; return its id."""
        given = {"name": NAME, "steps": [MAIL], "job_title": "Engineer", "private": True, **arguments}
        return str(self.call(who, "create_blueprint", **given)["blueprint_id"])

    def names(self, who: str) -> list[str]:
        """Return the names of the blueprints that somebody is shown."""
        return [item["name"] for item in self.call(who, "list_blueprints")["items"]]


async def whoever(token: str) -> Caller | None:
    """Let everybody in under the name that their token is."""
    return Caller(subject=token, scopes=frozenset(SCOPES))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An office with a blueprint that everybody sees."""
    world = PageWorld(folder=tmp_path / "data", clock=Clock())
    with serving(world, verify=whoever) as served:
        office = Office(world, served)
        office.blueprint(BOB, name=OURS, private=False)
        yield office


def test_whoever_made_it_lists_reads_changes_starts_and_shares_it(office: Office) -> None:
    made = office.call(ADA, "create_blueprint", name=NAME, steps=[MAIL], job_title="Engineer", private=True)
    assert made["private"] is True and "private: false shares it" in made["next"]
    secret = made["blueprint_id"]
    assert office.names(ADA) == [NAME, OURS]
    [row, _] = office.call(ADA, "list_blueprints")["items"]
    assert row["private"] is True and "private" not in office.call(ADA, "list_blueprints")["items"][1]
    assert office.call(ADA, "get_blueprint", blueprint_id=secret)["private"] is True
    changed = office.call(ADA, "update_blueprint", blueprint_id=secret, expected_version=1, location="Faro")
    assert (changed["version"], changed["private"]) == (2, True)
    started = office.call(ADA, "start_sequence", blueprint_id=secret, contacts=[GRACE])
    assert (started["blueprint_id"], started["blueprint_name"]) == (secret, NAME)
    assert office.call(ADA, "report")["items"][0]["blueprint_id"] == secret
    shared = office.call(ADA, "update_blueprint", blueprint_id=secret, expected_version=2, private=False)
    assert (shared["version"], shared.get("private")) == (2, None)
    assert office.names(BOB) == [NAME, OURS]
    again = office.call(ADA, "update_blueprint", blueprint_id=secret, expected_version=2, private=True)
    assert again["private"] is True and office.names(BOB) == [OURS]


def test_every_list_answers_others_as_if_there_were_none(office: Office) -> None:
    def lists() -> list[str]:
        return [office.ask(BOB, method, params) for method, params in LISTS]

    office.call(BOB, "save_contacts", contacts=[GRACE])
    before = lists()
    secret = office.blueprint()
    office.call(ADA, "update_blueprint", blueprint_id=secret, expected_version=1, location="Faro")
    assert lists() == before
    assert lists() != [office.ask(ADA, method, params) for method, params in LISTS]


def test_every_request_with_its_id_answers_others_as_with_an_id_that_nobody_has(office: Office) -> None:
    secret = office.blueprint()
    nobodys = f"{secret[:-6]}{'000000' if not secret.endswith('000000') else '000001'}"
    hers = 0
    for method, params in questions():
        text = json.dumps(params).replace("local:bp_0", "ID")
        answers = [
            office.ask(who, method, json.loads(text.replace("ID", one))).replace(one, "ID")
            for who, one in ((BOB, secret), (BOB, nobodys), (ADA, secret))
        ]
        answers = [re.sub(r"local:(?!bp)[a-z]+_[0-9A-Z]+", "NEW", answer) for answer in answers]
        assert answers[0] == answers[1], (method, params)
        hers += answers[2] != answers[0]
    assert hers > 10  # these requests do ask for something
    assert office.names(BOB) == [OURS]


@pytest.mark.parametrize("changes", [{"private": True}, {"private": False}, {"archived": True}, {"name": "Mine"}])
def test_nobody_else_can_change_it_or_take_it(office: Office, changes: dict[str, Any]) -> None:
    secret = office.blueprint()
    refused = office.call(BOB, "update_blueprint", blueprint_id=secret, expected_version=1, **changes)
    assert (refused["code"], refused["sent"]) == ("not_found", "nothing")
    assert office.call(ADA, "get_blueprint", blueprint_id=secret)["private"] is True


def test_what_somebody_else_made_can_be_changed_by_all_and_made_private_by_nobody_else(office: Office) -> None:
    shared = office.call(BOB, "list_blueprints")["items"][0]["id"]
    assert office.call(ADA, "update_blueprint", blueprint_id=shared, expected_version=1, location="Faro")
    refused = office.call(ADA, "update_blueprint", blueprint_id=shared, expected_version=2, private=True)
    assert refused["code"] == "invalid_arguments" and "Only whoever made" in refused["message"]
    assert office.call(BOB, "update_blueprint", blueprint_id=shared, expected_version=2, private=True)["private"]
    assert office.names(ADA) == []


def test_two_people_have_private_blueprints_of_one_name(office: Office) -> None:
    hers, his = office.blueprint(ADA), office.blueprint(BOB)
    assert hers != his
    assert [
        office.call(who, "get_blueprint", blueprint_id=one)["name"] for who, one in ((ADA, hers), (BOB, his))
    ] == [
        NAME,
        NAME,
    ]
    assert office.names(ADA) == office.names(BOB) == [NAME, OURS]


def test_its_plans_and_runs_are_everybodys_and_do_not_say_what_they_are_of(office: Office) -> None:
    secret = office.blueprint()
    office.call(ADA, "start_sequence", blueprint_id=secret, contacts=crowd(3))
    reviews = office.call(BOB, "list_reviews")
    [plan] = reviews["plans"]["items"]
    assert (plan["blueprint_name"], plan["people"]) == ("(private)", 3)
    runs = office.call(BOB, "list_sequences")["items"]
    whole = office.call(BOB, "get_sequence", sequence_id=runs[0]["id"])
    assert whole["steps"][0]["content"].startswith("Hi ")  # what somebody would get is no secret here
    assert not {"blueprint_id", "blueprint_name", "blueprint_version"} & {*plan, *whole, *runs[0]} - {
        "blueprint_name"
    }
    everything = json.dumps([reviews, runs, whole])
    assert secret not in everything and NAME not in everything
    stopped = office.call(BOB, "stop_sequence", sequence_id=runs[0]["id"], reason="LOSE")
    assert stopped["stopped_count"] == 1
    office.call(BOB, "record_reply", who=runs[1]["id"], answer="replied")
    back = office.call(BOB, "list_replies")
    assert back["items"] and NAME not in json.dumps(back)
    assert office.call(BOB, "withdraw_plan", plan_id=plan["plan_id"])["outcome"] == "done"
    assert office.call(BOB, "report")["items"] == []


@pytest.mark.parametrize("what", ["runs", "audit", "contacts", "replies", "suppressions"])
def test_what_others_export_has_neither_its_id_nor_its_name(office: Office, what: str) -> None:
    secret = office.blueprint()
    office.call(ADA, "start_sequence", blueprint_id=secret, contacts=[GRACE])
    for who, is_told in ((BOB, False), (ADA, what in ("runs", "audit"))):
        file = office.call(who, "export_data", what=what, format="json")
        read = office.ask(who, "resources/read", {"uri": file["resource"]})
        assert (secret in read and NAME in read) is is_told
        rows = json.loads(json.loads(read)["result"]["contents"][0]["text"])
        assert all(("version" in row["detail"]) is is_told for row in rows if row.get("action") == "plan.opened")
        assert (secret in read or NAME in read) is is_told


async def test_others_are_not_told_that_it_changed(office: Office) -> None:
    secret, shared = office.blueprint(), office.call(BOB, "list_blueprints")["items"][0]["id"]
    watched = [f"blueprint://{secret}", f"blueprint://{shared}"]
    told: dict[str, list[str]] = {}
    async with (
        office.served.client(token=BOB) as bob,
        office.served.client(token=ADA) as ada,
        bob.client.listen(resource_subscriptions=watched) as his,
        ada.client.listen(resource_subscriptions=watched) as hers,
    ):
        for one in (secret, shared):
            await ada.call("update_blueprint", blueprint_id=one, expected_version=1, location="Faro")
        for who, stream in ((ADA, aiter(hers)), (BOB, aiter(his))):
            told[who] = []
            while f"blueprint://{shared}" not in told[who]:
                event = await anext(stream)
                assert isinstance(event, ResourceUpdated)
                told[who].append(event.uri)
    assert told == {ADA: watched, BOB: watched[1:]}


@contextmanager
def at_desk(office: Office, actor: str, **given: Any) -> Iterator[Callable[[Callable[[AppContext], Any]], Any]]:
    """Act on the same folder as somebody at another door."""
    yield lambda act: office.world.at_desk(lambda app: act(app.acting_as(Actor(actor), **given)))


def test_whoever_runs_the_server_sees_all_and_shares_what_somebody_left_behind(office: Office) -> None:
    secret = office.blueprint()
    with at_desk(office, "terminal:root") as act:
        listed = act(lambda app: blueprints.list_blueprints(app))
        assert [(one.name, one.owner if one.private else "") for one in listed.items] == [(NAME, ADA), (OURS, "")]
        with pytest.raises(InvalidArgumentsError, match="Nobody signs in here"):
            act(lambda app: app.local.keep_private(secret, private=True))
        assert not act(lambda app: blueprint_files.share_blueprint(app, blueprint_id=secret)).private
    assert office.names(BOB) == [NAME, OURS]


def test_a_context_that_nobody_calls_sees_nobodys(office: Office) -> None:
    secret = office.blueprint()
    with at_desk(office, "agent", reader=" ") as act, pytest.raises(NotFoundError):
        act(lambda app: blueprints.get_blueprint(app, blueprint_id=secret))


def test_where_nobody_signs_in_there_is_nobody_to_keep_one_from(tmp_path: Path) -> None:
    world = PageWorld(folder=tmp_path / "data", clock=Clock())
    with pytest.raises(InvalidArgumentsError, match="Leave private out"):
        world.at_desk(lambda app: blueprints.create_blueprint(app, name=NAME, steps=[MAIL], private=True))
    assert world.rows("SELECT count(*) FROM blueprint_version") == [(0,)]


def test_whoever_shares_one_token_is_one_user_who_has_nothing_private(tmp_path: Path) -> None:
    world = PageWorld(folder=tmp_path / "data", clock=Clock())
    with serving(world) as served:
        call = {"name": NAME, "steps": [MAIL], "private": True}
        answer = served.rpc("tools/call", name="create_blueprint", arguments=call).text
    assert "Nobody signs in here" in answer
    assert world.rows("SELECT count(*) FROM blueprint_version") == [(0,)]


def test_a_stop_for_a_whole_company_reaches_the_runs_of_a_private_blueprint(office: Office) -> None:
    secret = office.blueprint()
    office.call(ADA, "start_sequence", blueprint_id=secret, contacts=crowd(3, company="Acme"))
    first = office.call(BOB, "list_sequences")["items"][0]["id"]
    stopped = office.call(BOB, "stop_sequence", sequence_id=first, reason="WIN", scope="COMPANY")
    assert stopped["stopped_count"] == 3
    assert secret not in json.dumps(stopped) and NAME not in json.dumps(stopped)
