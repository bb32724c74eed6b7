"""The page shows the word that the person chose, and only to a browser that was introduced."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from tests.review_page.page_browser import Screen, screen
from tests.world.page import PASSPHRASE, PageWorld, Visitor

from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.review.lock import greeting
from sequences_mcp.store.safekeeping import FolderRecords

WORD = "copper lantern"


@pytest.fixture
def greeted(world: PageWorld) -> PageWorld:
    """Return a world in which the person chose a word."""
    greeting.set_word(world.safe, WORD)
    return world


def word_for(visitor: Visitor, token: str) -> str:
    return visitor.send("POST", "/unlock/word", body=f"browser={token}").text


def test_another_program_is_not_told_the_word_however_it_asks(greeted: PageWorld) -> None:
    with greeted.page() as visitor:
        visitor.unlock(browser="mine")
        stranger = Visitor(visitor.page_lock)
        for path in ("/", "/unlock", "/unlock?ticket=guess", "/plans/local:plan_1", "/nowhere"):
            assert WORD not in stranger.get(path).text
        for token in ("", "guess", greeting.name_of("mine"), "a" * 1_000):
            assert WORD not in word_for(stranger, token)
        assert stranger.unlock("wrong horse battery", script=False, browser="other").status == 403
        assert WORD not in word_for(stranger, "other")
        assert WORD in word_for(stranger, "mine")


def test_a_token_that_was_read_by_whoever_took_the_port_is_good_for_nothing(greeted: PageWorld) -> None:
    with greeted.page() as visitor:
        visitor.unlock(browser="mine")
        assert WORD in word_for(visitor, "mine")
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", visitor.page_lock.port))
        squatter.listen()
        with greeted.page() as moved:
            assert WORD not in word_for(moved, "mine")


def test_another_passphrase_makes_every_browser_a_stranger(greeted: PageWorld) -> None:
    with greeted.page() as visitor:
        visitor.unlock(browser="mine")
        path = greeted.folder / "passphrase.json"
        path.write_text(path.read_text() + " ")
        assert WORD not in word_for(visitor, "mine")


def test_a_ticket_of_the_terminal_introduces_one_browser_once_within_ten_minutes(greeted: PageWorld) -> None:
    with greeted.page() as visitor:
        ticket = greeting.new_ticket(greeted.safe, now=greeted.clock())
        page = visitor.get(f"/unlock?ticket={ticket}")
        assert WORD in page.text
        assert WORD in word_for(visitor, page.field("browser"))
        again = visitor.get(f"/unlock?ticket={ticket}")
        assert WORD not in again.text
        assert "was used before" in again.text
        late = greeting.new_ticket(greeted.safe, now=greeted.clock())
        greeted.clock.forward(minutes=11)
        assert WORD not in visitor.get(f"/unlock?ticket={late}").text


def test_the_word_can_be_seen_and_is_short() -> None:
    for bad in ("", "ab", " a ", "x" * 61, "cop\u200bper", "\u2800\u2800\u2800", "a\nb\u202ecd"):
        with pytest.raises(InvalidArgumentsError):
            greeting.set_word(FolderRecords(Workspace(Path("/nowhere"))), bad)


def test_a_browser_is_shown_the_word_before_the_passphrase_from_its_second_unlocking_on(
    greeted: PageWorld, browser: Browser, shots: Path
) -> None:
    with screen(browser, greeted, shots) as person:
        person.opens("/")
        expect(person.tab.get_by_text("was not unlocked here before")).to_be_visible()
        expect(person.tab.get_by_label("Passphrase")).not_to_be_visible()
        person.photographs("unlock-unknown")
        person.tab.get_by_text("Unlock without the word").click()
        person.unlocks()
        locks(person)
        expect(person.tab.get_by_text(WORD)).to_be_visible()
        expect(person.tab.get_by_text("was not unlocked here before")).not_to_be_visible()
        expect(person.tab.get_by_label("Passphrase")).to_be_focused()
        person.photographs("unlock-known")
        person.unlocks()
        assert person.tab.url == f"{person.visitor.origin}/unlock" or person.tab.url == f"{person.visitor.origin}/"


def test_a_browser_that_the_terminal_opens_is_shown_the_word_at_once_and_from_then_on(
    greeted: PageWorld, browser: Browser, shots: Path
) -> None:
    with screen(browser, greeted, shots) as person:
        person.opens(f"/unlock?ticket={greeting.new_ticket(greeted.safe, now=greeted.clock())}")
        expect(person.tab.get_by_text(WORD)).to_be_visible()
        person.opens("/")
        expect(person.tab.get_by_text(WORD)).to_be_visible()
        assert person.tab.get_by_text("was not unlocked here before").count() == 0
        person.unlocks()


def test_without_javascript_the_ticket_shows_the_word(greeted: PageWorld, browser: Browser, shots: Path) -> None:
    with screen(browser, greeted, shots, java_script_enabled=False) as person:
        person.opens(f"/unlock?ticket={greeting.new_ticket(greeted.safe, now=greeted.clock())}")
        assert WORD in person.tab.content()
        person.unlocks()


def test_unlocking_says_that_the_server_is_gone(world: PageWorld, browser: Browser, shots: Path) -> None:
    with screen(browser, world, shots) as person:
        person.opens("/")
        person.tab.route("**/unlock", lambda route: route.abort("connectionrefused"))
        person.tab.get_by_label("Passphrase").fill(PASSPHRASE)
        person.tab.get_by_role("button", name="Unlock").click()
        expect(person.tab.get_by_text("The server did not answer")).to_be_visible()
        assert person.tab.get_by_label("Passphrase").input_value() == PASSPHRASE
        person.tab.unroute("**/unlock")
        person.unlocks()


def test_unlocking_says_what_an_answer_that_is_no_json_means(
    world: PageWorld, browser: Browser, shots: Path
) -> None:
    with screen(browser, world, shots) as person:
        person.opens("/")
        person.tab.route("**/unlock", lambda route: route.fulfill(status=500, body="Internal Server Error"))
        person.tab.get_by_label("Passphrase").fill(PASSPHRASE)
        person.tab.get_by_role("button", name="Unlock").click()
        expect(person.tab.get_by_text("The server did not answer")).to_be_visible()
        assert person.tab.get_by_role("button", name="Unlock").is_enabled()


def locks(person: Screen) -> None:
    person.tab.get_by_role("button", name="Lock", exact=True).click()
    person.tab.get_by_role("heading", name="Unlock").wait_for()
