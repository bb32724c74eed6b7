"""The operator is told by e-mail that something waits: how much and where, once, and not too often."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from email import message_from_string
from email.message import Message
from email.policy import default
from typing import Any

import pytest
from tests.review_page.test_page_screens import TOOLS
from tests.review_page.test_page_vendor import asked_at_topo
from tests.world.page import LINKEDIN, MAIL, PageWorld

from sequences_mcp.context import AppContext
from sequences_mcp.domain.actors import Actor
from sequences_mcp.services.reviews import edit_draft

OPERATOR = "operator@lovelace.example"


@pytest.fixture
def world(world: PageWorld) -> PageWorld:
    """Return a world whose operator wants to be told."""
    world.more["SEQUENCES_NOTICE"] = OPERATOR
    return world


def works(world: PageWorld) -> list[Message]:
    """Let a worker do everything that is due; return the notices that there are by now."""
    found = [message_from_string(mail, policy=default) for mail in world.mails_after_work()]
    return [one for one in found if one["To"] == OPERATOR]


def approve(world: PageWorld, *steps: dict[str, Any], people: int = 1) -> str:
    plan = world.plan(*steps, people=people)
    world.at_desk(lambda app: app.plans.approve_plan(plan.id, digest=plan.digest, actor=Actor("test")))
    return plan.id


def test_nothing_is_told_while_nothing_waits(world: PageWorld) -> None:
    assert works(world) == []


def test_a_plan_that_waits_is_told_once(world: PageWorld) -> None:
    world.plan(people=3)
    [notice] = works(world)
    assert notice["Subject"] == "Waiting for you: 1 start"
    assert notice["From"] == "Ada Lovelace <ada@lovelace.example>"
    for _ in range(3):
        world.clock.forward(minutes=20)
        assert len(works(world)) == 1


def test_a_notice_says_how_much_and_where_and_never_who_or_what(world: PageWorld) -> None:
    world.plan({**MAIL, "content": "A secret offer for {{firstname}}."}, people=2)
    with world.page() as visitor:
        [notice] = works(world)
    text = str(notice)
    assert f"{visitor.origin}/" in text
    assert "1 to approve: starts, the oldest since 2026-11-23 12:00 UTC" in text
    assert not TOOLS.search(text)
    for private in ("Grace", "Hopper", "hopper.example", "secret offer", "Engineer", "digest"):
        assert private not in text


def test_a_notice_leads_to_the_page_under_its_own_name_from_wherever_it_is_read(world: PageWorld) -> None:
    world.more |= {
        "SEQUENCES_REVIEW_URL": "https://review.example.com",
        "SEQUENCES_REVIEW_ISSUER": "https://login.example.com",
        "SEQUENCES_REVIEW_CLIENT_ID": "review",
        "SEQUENCES_REVIEW_ROLES": "ada@example.com=approver",
    }
    plan = world.plan(people=1)
    [notice] = works(world)
    lines = str(notice).splitlines()
    assert f"https://review.example.com/plans/{plan.id}" in lines
    assert "On that machine" not in str(notice)


def test_a_notice_leads_to_the_start_it_is_about_and_goes_to_everybody_named(world: PageWorld) -> None:
    world.more["SEQUENCES_NOTICE"] = f"{OPERATOR}, second@lovelace.example"
    plan = world.plan(people=1)
    with world.page() as visitor:
        found = [message_from_string(mail, policy=default) for mail in world.mails_after_work()]
    assert {one["To"] for one in found} == {OPERATOR, "second@lovelace.example"}
    for one in found:
        assert f"{visitor.origin}/plans/{plan.id}" in str(one).replace("=\n", "")


def test_where_nobody_serves_the_page_the_notice_says_how_to_open_it(world: PageWorld) -> None:
    world.plan(people=1)
    assert "sequences-mcp review --open" in str(works(world)[0])


def test_at_most_one_in_fifteen_minutes_tells_of_everything_new(world: PageWorld) -> None:
    world.plan(people=1)
    assert len(works(world)) == 1
    world.plan(LINKEDIN, people=1)
    approve(world, {**LINKEDIN, "temporalityType": "ASAP", "delay": None, "content": "Another one."})
    world.clock.forward(minutes=14)
    assert len(works(world)) == 1
    world.clock.forward(minutes=1)
    assert sorted(one["Subject"] for one in works(world)) == [
        "Waiting for you: 1 start",
        "Waiting for you: 1 task",  # the starts of the same person closed when one of them was approved
    ]


def test_a_text_that_is_edited_under_way_and_a_plan_that_is_void_are_news(world: PageWorld) -> None:
    later = {**MAIL, "temporalityType": "DELAYED", "delay": {"value": 3, "unit": "day"}}
    plan_id = approve(world, later)
    assert works(world) == []

    async def edit(app: AppContext) -> None:
        detail = (await app.plans.list_people(plan_id, page=1, size=1)).items[0]
        await edit_draft(app, draft_id=f"local:draft_{detail.sequence.steps[0].key}", content="Other words.")

    world.at_desk(edit)
    assert [one["Subject"] for one in works(world)] == ["Waiting for you: 1 text"]


def test_a_mail_server_that_is_away_stops_nothing_and_is_asked_again(world: PageWorld) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"smtp://127.0.0.1:{closed.getsockname()[1]}"
    world.more["SEQUENCES_SMTP_URL"] = address
    world.plan(people=1)
    approve(world, {**LINKEDIN, "temporalityType": "ASAP", "delay": None})
    assert works(world) == []
    tasks = world.at_desk(lambda app: app.local.list_tasks(page=1, size=5))
    assert tasks.total_count == 1  # the due work was done all the same
    del world.more["SEQUENCES_SMTP_URL"]
    assert works(world) == []
    world.clock.forward(minutes=15)
    assert len(works(world)) == 1


def test_of_two_workers_one_tells(world: PageWorld) -> None:
    world.plan(people=1)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: works(world), range(2)))
    assert len(works(world)) == 1


def test_without_the_setting_nobody_is_told(world: PageWorld) -> None:
    del world.more["SEQUENCES_NOTICE"]
    world.plan(people=1)
    assert works(world) == []


def test_what_is_told_is_in_the_audit_without_an_address(world: PageWorld) -> None:
    world.plan(people=1)
    works(world)
    entries = world.at_desk(lambda app: app.records.list_audit(page=1, size=1)).items
    assert [(one.action, one.subject) for one in entries] == [("notice.sent", "notice")]
    assert OPERATOR not in str(entries[0].detail)


def test_how_much_waits_and_since_when_is_in_the_servers_state(world: PageWorld) -> None:
    world.plan(people=1)
    world.clock.forward(hours=2)
    world.plan(LINKEDIN, people=1)
    waiting = world.at_desk(lambda app: app.records.waiting())
    assert (waiting.plans.number, waiting.texts.number, waiting.tasks.number) == (2, 0, 0)
    assert f"{waiting.since:%H:%M}" == "12:00"


@pytest.mark.usefixtures("clarky")
def test_a_change_at_a_vendor_that_waits_is_told_once_and_counted(world: PageWorld) -> None:
    change = asked_at_topo(world)
    with world.page() as visitor:
        [notice] = works(world)
    assert notice["Subject"] == "Waiting for you: 1 change"
    text = str(notice).replace("=\n", "")
    assert f"{visitor.origin}/changes/{change.id}" in text
    assert "1 to decide about: changes, the oldest since 2026-11-23 12:00 UTC" in text
    assert "Good & new day" not in text
    world.clock.forward(minutes=20)
    assert len(works(world)) == 1
    world.plan(people=1)
    assert "Waiting for you: 1 start, 1 change" in [one["Subject"] for one in works(world)]
