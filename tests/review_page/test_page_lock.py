"""The lock: a passphrase once per browser, patience with wrong ones, and nothing lost when it closes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.world.data_folder import Clock
from tests.world.page import PASSPHRASE, PageWorld, Visitor
from tests.world.stores import ON_POSTGRES

from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.review.lock import sessions
from sequences_mcp.store.safekeeping import FolderRecords


def test_the_right_passphrase_opens_one_browser(visitor: Visitor) -> None:
    assert visitor.get("/").status == 401
    answer = visitor.unlock(script=False, next="/plans/local:plan_1")
    assert (answer.status, answer.headers["location"]) == (303, "/plans/local:plan_1")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "max-age=43200" in cookie
    assert visitor.get("/").status == 200
    assert Visitor(visitor.page_lock).get("/").status == 401


def test_a_wrong_passphrase_opens_nothing(visitor: Visitor) -> None:
    answer = visitor.unlock("wrong horse battery")
    assert answer.status == 403
    assert not visitor.cookie


def test_after_five_wrong_passphrases_a_browser_waits_and_no_other_does(
    world: PageWorld, visitor: Visitor
) -> None:
    for _ in range(5):
        assert visitor.unlock("wrong horse battery", browser="mine").status == 403
    answer = visitor.unlock(browser="mine")
    assert answer.status == 429
    assert "in 30 seconds" in answer.text
    assert visitor.unlock(browser="another").status == 200
    world.clock.forward(seconds=31)
    assert visitor.unlock(browser="mine").status == 200


def test_wrong_passphrases_counted_while_the_clock_was_ahead_keep_nobody_out_until_that_day(
    world: PageWorld, visitor: Visitor
) -> None:
    world.clock.forward(days=400)
    for _ in range(5):
        visitor.unlock("wrong horse battery", browser="mine")
    world.clock.forward(days=-400)
    assert visitor.unlock(browser="mine").status == 429
    world.clock.forward(seconds=31)
    assert visitor.unlock(browser="mine").status == 200


def test_what_was_unlocked_while_the_clock_was_ahead_is_locked_again_as_soon_as_any_other(
    world: PageWorld, visitor: Visitor
) -> None:
    world.clock.forward(days=400)
    visitor.unlock()
    world.clock.forward(days=-400)
    assert visitor.get("/").status == 200
    world.clock.forward(hours=13)
    assert visitor.get("/").status == 401


@pytest.mark.parametrize("number", [5, 30])
def test_no_number_of_wrong_passphrases_by_others_keeps_the_right_person_out(
    world: PageWorld, number: int
) -> None:
    pauses: list[float] = []
    with world.page(pauses=pauses) as visitor:
        for one in range(number):
            stranger: dict[str, Any] = {"browser": f"stranger {one}"} if one % 2 else {}
            assert Visitor(visitor.page_lock).unlock("wrong horse battery", **stranger).status == 403
        assert visitor.unlock().status == 200
    assert pauses == [0.5, 1, 2, 4, *[5] * 22][: max(number - 4, 0)]


def test_a_browser_that_was_unlocked_before_does_not_stand_in_line_with_strangers(world: PageWorld) -> None:
    pauses: list[float] = []
    with world.page(pauses=pauses) as visitor:
        visitor.unlock(browser="mine")
        for one in range(8):
            Visitor(visitor.page_lock).unlock("wrong horse battery", browser=f"stranger {one}")
        before = len(pauses)
        assert visitor.unlock("wrong horse battery", browser="mine").status == 403
        assert len(pauses) == before
        assert visitor.unlock(browser="mine").status == 200


def test_wrong_passphrases_are_counted_on_disk_and_each_is_audited(world: PageWorld) -> None:
    pauses: list[float] = []
    for _ in range(3):
        with world.page(pauses=pauses) as visitor:
            for _ in range(2):
                visitor.unlock("wrong horse battery", browser="mine")
    assert pauses == [0.5]
    with world.page() as visitor:
        assert visitor.unlock(browser="mine").status == 429
    entries = world.at_desk(lambda app: app.records.list_audit(page=1, size=20)).items
    noted = [one for one in entries if one.action == "passphrase.wrong"]
    assert [one.detail["one_after_another"] for one in noted] == [5, 4, 3, 2, 1]
    assert ON_POSTGRES or world.workspace.wrong_passphrases.stat().st_mode & 0o077 == 0


def test_each_wait_is_twice_the_one_before_and_at_most_fifteen_minutes(tmp_path: Path) -> None:
    clock = Clock()
    counts = sessions.Tries(FolderRecords(Workspace(tmp_path)), clock)
    waits = []
    for _ in range(12):
        counts.was_wrong("mine")
        waits.append(counts.wait("mine").total_seconds())
    assert waits == [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]
    clock.forward(days=-400)
    assert counts.wait("mine").total_seconds() == 900
    counts.was_right("mine")
    assert not counts.wait("mine")


@pytest.mark.parametrize("damaged", ["", "{", "[]", '{"mine": 3}', '{"mine": {"wrong": "x", "last": 1}}', "\x00"])
def test_a_damaged_count_of_wrong_passphrases_is_no_obstacle(world: PageWorld, damaged: str) -> None:
    world.workspace.wrong_passphrases.write_text(damaged)
    with world.page() as visitor:
        assert visitor.unlock("wrong horse battery", browser="mine").status == 403
        assert visitor.unlock(browser="mine").status == 200


def test_a_session_ends_after_twelve_hours(world: PageWorld, person: Visitor) -> None:
    world.clock.forward(hours=11, minutes=59)
    assert person.get("/").status == 200
    world.clock.forward(minutes=2)
    assert person.get("/").status == 401


def test_a_person_locks_their_browser(person: Visitor) -> None:
    before = person.cookie
    assert person.post("/lock").status == 303
    person.cookie = before
    assert person.get("/").status == 401


def test_a_restart_locks_the_page_and_keeps_its_address(world: PageWorld) -> None:
    with world.page() as visitor:
        visitor.unlock()
        first = visitor.origin
    with world.page() as again:
        assert again.origin == first
        again.cookie = visitor.cookie
        assert again.get("/").status == 401


def test_a_text_sent_to_a_locked_page_is_given_back(visitor: Visitor) -> None:
    answer = visitor.post("/texts/local:draft_1", content="Hi <Grace>,\r\na long text")
    assert answer.status == 401
    assert "Hi &lt;Grace&gt;,\na long text</textarea>" in answer.text


def test_without_a_passphrase_the_page_says_where_to_choose_one(tmp_path: Path) -> None:
    with PageWorld(tmp_path / "data").page() as visitor:
        assert "sequences-mcp review set-passphrase" in visitor.get("/").text
        assert visitor.unlock(PASSPHRASE).status == 403
        assert visitor.get("/").status == 401
