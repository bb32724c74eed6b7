"""Opting out with one click: the address in each e-mail, a button for people, one request for mail programs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from tests.world.data_folder import Clock
from tests.world.http_server import Reply, Served, serving
from tests.world.page import MAIL, PageWorld

from sequences_mcp.domain.actors import RECIPIENT, Actor, ActorKind
from sequences_mcp.domain.run import StopReason
from sequences_mcp.server.http.opt_out import build_opt_out
from sequences_mcp.server.http.sites import HostedPage
from sequences_mcp.services.erasure import ask_to_erase, erase_approved
from sequences_mcp.services.sequences import pause_sequence, stop_sequence

HOST = "mail.example.com"
BODY = b"List-Unsubscribe=One-Click"
LATER = {**MAIL, "id": "later", "temporalityType": "DELAYED", "delay": {"value": 3, "unit": "day"}}


@pytest.fixture
def world(tmp_path: Path) -> PageWorld:
    """A data folder whose e-mails say where one opts out with one click."""
    world = PageWorld(folder=tmp_path / "data", clock=Clock())
    world.more["SEQUENCES_OPT_OUT_URL"] = f"https://{HOST}"
    return world


@pytest.fixture
def served(world: PageWorld) -> Iterator[Served]:
    """Yield the server with that address."""
    opt_out = HostedPage(build_opt_out(partial(world.app, "recipient")), frozenset({HOST}))
    with serving(world, opt_out=opt_out) as served:
        yield served


def written_to(world: PageWorld, number: int = 1) -> list[str]:
    """Write to so many people; return the path that each one's e-mail names."""
    plan = world.plan(MAIL, LATER, people=number)
    world.at_desk(lambda app: app.plans.approve_plan(plan.id, digest=plan.digest, actor=Actor("terminal")))
    mails = sorted(world.mails_after_work(), key=lambda mail: re.findall(r"^To: .*$", mail, re.MULTILINE))
    return [re.search(rf"<https://{re.escape(HOST)}(/u/[\w-]+)>", mail)[1] for mail in mails]  # type: ignore[index]


def post(served: Served, path: str) -> Reply:
    """Send what a mail program sends."""
    return served.ask(
        "POST", path, token="", body=BODY, Host=HOST, Content_Type="application/x-www-form-urlencoded"
    )


def listed(world: PageWorld) -> list[tuple[str, str]]:
    """Return whose address is suppressed, and why."""
    return [
        (str(value), str(why))
        for value, why in world.rows("SELECT value, reason FROM suppression WHERE kind = 'address'")
    ]


def test_each_e_mail_names_the_address_in_one_line_beside_the_one_to_write_to(world: PageWorld) -> None:
    [path] = written_to(world)
    [mail] = world.mails
    lines = [line for line in mail.splitlines() if line.startswith("List-Unsubscribe")]
    assert re.fullmatch(rf"List-Unsubscribe: <mailto:[^>]+>, <https://{HOST}{path}>", lines[0])
    assert lines[1:] == ["List-Unsubscribe-Post: List-Unsubscribe=One-Click"]
    assert "person0" not in path and "hopper" not in path


def test_without_the_setting_an_e_mail_is_as_it_was(world: PageWorld) -> None:
    del world.more["SEQUENCES_OPT_OUT_URL"]
    plan = world.plan(people=1)
    world.at_desk(lambda app: app.plans.approve_plan(plan.id, digest=plan.digest, actor=Actor("terminal")))
    [mail] = world.mails_after_work()
    assert re.search(r"^List-Unsubscribe: <mailto:[^>]+>$", mail, re.MULTILINE)
    assert "List-Unsubscribe-Post" not in mail and "https://" not in mail


def test_opening_the_address_does_nothing_and_the_button_on_it_does(world: PageWorld, served: Served) -> None:
    path, other = written_to(world, 2)
    for method in ("GET", "HEAD", "GET"):
        shown = served.ask(method, path, token="", Host=HOST)
        assert shown.status == 200 and "set-cookie" not in shown.headers
    assert '<form method="post">' in shown.text and "person0" not in shown.text
    assert listed(world) == []
    assert post(served, path).status == 200
    assert listed(world) == [("person0@hopper.example", "they opted out with one click in an e-mail")]
    assert world.rows("SELECT DISTINCT actor FROM audit WHERE action LIKE 'suppression%'") == [("recipient",)]
    world.clock.forward(days=4)
    assert len(world.mails_after_work()) == 3, "the other person's second e-mail alone"
    assert all(other not in line["path"] and path not in line["path"] for line in served.log)


def test_saying_it_again_changes_nothing(world: PageWorld, served: Served) -> None:
    [path] = written_to(world)
    answers = {post(served, path).text for _ in range(3)}
    assert len(answers) == 1 and len(listed(world)) == 1
    assert world.rows("SELECT answer, actor FROM recorded_reply") == [("opt_out", "recipient")]


def test_a_token_that_is_none_is_answered_alike_and_does_nothing(world: PageWorld, served: Served) -> None:
    [path] = written_to(world)
    other = PageWorld(folder=world.folder.parent / "other", clock=world.clock)
    other.more |= world.more
    [foreign] = written_to(other)
    right = post(served, path)
    world.rows("SELECT 1")
    before = listed(world)
    for bad in (foreign, f"{path}x", path[:-4], "/u/x", "/u/" + "A" * 2_000, "/u/%00", "/u/%C3%A9"):
        answer = post(served, bad)
        assert (answer.status, answer.text) == (200, right.text), bad
        assert served.ask("GET", bad, token="", Host=HOST).status == 200
    assert listed(world) == before


@pytest.mark.parametrize("state", ["paused", "stopped", "erased", "long over"])
def test_it_holds_whatever_became_of_the_run(world: PageWorld, served: Served, state: str) -> None:
    [path] = written_to(world)
    [(run,)] = world.rows("SELECT id FROM sequence")
    if state == "paused":
        until = world.clock() + timedelta(days=3)
        world.at_desk(lambda app: pause_sequence(app, sequence_id=run, paused_until=until))
    elif state == "stopped":
        world.at_desk(lambda app: stop_sequence(app, sequence_id=run, reason=StopReason.LOSE))
    elif state == "erased":
        change = world.at_desk(lambda app: ask_to_erase(app, contact="person0@hopper.example"))
        world.at_desk(lambda app: erase_approved(app, change, digest=change.digest, actor=Actor("terminal")))
    else:
        world.clock.forward(days=400)
    assert post(served, path).status == 200
    again = world.at_desk(lambda app: app.suppressions.suppress("address", "person0@hopper.example", reason="x"))
    assert again.already


def test_it_is_answered_under_its_own_name_and_nothing_else_is(world: PageWorld, served: Served) -> None:
    [path] = written_to(world)
    assert served.ask("POST", path, token="", body=BODY).status in (404, 405)  # the server's own name
    assert served.ask("POST", path, token="", body=BODY, Host="evil.example").status == 421
    for other in ("/mcp", "/u/", "/u", "/"):
        assert served.ask("GET", other, token="", Host=HOST).status in (404, 421)
    assert served.ask("PUT", path, token="", Host=HOST).status == 405
    assert listed(world) == []


def test_a_recipient_is_nobody_who_could_approve() -> None:
    assert RECIPIENT.kind is ActorKind.SYSTEM and not RECIPIENT.may_approve
