"""The lock: a passphrase once per browser, patience with wrong ones, and nothing lost when it closes."""

from __future__ import annotations

from pathlib import Path

from page_world import PASSPHRASE, Clock, Visitor, World

from sequences_mcp.review.sessions import Patience


def test_the_right_passphrase_opens_one_browser(visitor: Visitor) -> None:
    assert visitor.get("/").status == 401
    answer = visitor.unlock(script=False, next="/plans/local:plan_1")
    assert (answer.status, answer.headers["location"]) == (303, "/plans/local:plan_1")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "max-age=43200" in cookie
    assert visitor.get("/").status == 200
    assert Visitor(visitor.seat).get("/").status == 401


def test_a_wrong_passphrase_opens_nothing(visitor: Visitor) -> None:
    answer = visitor.unlock("wrong horse battery")
    assert answer.status == 403
    assert not visitor.cookie


def test_after_five_wrong_passphrases_even_the_right_one_waits(world: World, visitor: Visitor) -> None:
    for _ in range(5):
        visitor.unlock("wrong horse battery")
    assert visitor.unlock().status == 429
    world.clock.forward(seconds=31)
    assert visitor.unlock().status == 200


def test_each_wait_is_twice_the_one_before_and_at_most_fifteen_minutes() -> None:
    clock = Clock()
    patience = Patience(clock)
    waits = []
    for _ in range(12):
        patience.was_wrong()
        waits.append(patience.remaining().total_seconds())
    assert waits == [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]
    patience.was_right()
    assert not patience.remaining()


def test_a_session_ends_after_twelve_hours(world: World, person: Visitor) -> None:
    world.clock.forward(hours=11, minutes=59)
    assert person.get("/").status == 200
    world.clock.forward(minutes=2)
    assert person.get("/").status == 401


def test_a_person_locks_their_browser(person: Visitor) -> None:
    before = person.cookie
    assert person.post("/lock").status == 303
    person.cookie = before
    assert person.get("/").status == 401


def test_a_restart_locks_the_page_and_keeps_its_address(world: World) -> None:
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
    with World(tmp_path / "data").page() as visitor:
        assert "sequences-mcp review set-passphrase" in visitor.get("/").text
        assert visitor.unlock(PASSPHRASE).status == 403
        assert visitor.get("/").status == 401
