"""The page's first visit: everything is set up with the terminal's code, and nothing before it was shown."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from aiosmtpd.smtp import AuthResult
from playwright.sync_api import Browser, expect
from tests.review_page.page_browser import AXE, PHONE, WITHOUT_AXE, screen, violations
from tests.secrecy.planted import MISTYPED, SMTP_PASSWORD
from tests.world.mail_servers import Running, mail_server
from tests.world.page import PASSPHRASE, Answer, PageWorld, Visitor

from sequences_mcp.client_setup.clients import CLIENTS, Machine
from sequences_mcp.first_visit import PageInstaller
from sequences_mcp.ports.safekeeping import KeptRecord
from sequences_mcp.review.lock import passphrase
from sequences_mcp.settings import read_settings

FORMS = ("/first/sender", "/first/rest", "/first/write", "/first/try")
LIMITS = {"time_zone": "Europe/Paris", "window": "Mon-Fri 09:00-17:00", "daily_cap": "20"}
ADA = {"name": "Ada Lovelace", "address": "ada@lovelace.example"}
EVE = {"name": "Eve", "address": "eve@evil.example"}
CHOSEN = {"passphrase": PASSPHRASE, "again": PASSPHRASE}


def takes(server: object, session: object, envelope: object, mechanism: str, data: object) -> AuthResult:
    """Take the one account's password."""
    return AuthResult(success=getattr(data, "password", b"") == SMTP_PASSWORD.value.encode(), handled=False)


@pytest.fixture
def server() -> Iterator[Running]:
    """The server that a mailbox sends by."""
    with mail_server(auth_require_tls=False, authenticator=takes) as running:
        yield running


@pytest.fixture
def world(tmp_path: Path) -> PageWorld:
    """Return a world in which nothing is set up."""
    return PageWorld(tmp_path / "data")


@pytest.fixture
def cursor(tmp_path: Path) -> Path:
    """Put a chat client's file into a home folder, and return it."""
    file = CLIENTS["cursor"].places(machine(tmp_path))[0]
    file.parent.mkdir(parents=True)
    file.write_text('{"mcpServers": {"other": {"command": "b"}}}')
    return file


def machine(folder: Path) -> Machine:
    """Return a machine with a home folder of its own."""
    return Machine(system="Linux", home=folder / "home", environ={})


def setup_of(world: PageWorld) -> PageInstaller:
    """Return what sets this world up, in an environment that says nothing but where its data is."""
    environ = {"SEQUENCES_DATA_DIR": str(world.folder)}
    return PageInstaller(lambda: read_settings(environ), machine(world.folder.parent), world.clock)


@pytest.fixture
def visitor(world: PageWorld) -> Iterator[Visitor]:
    """Yield somebody who found the page."""
    with world.page(setup=setup_of(world)) as found:
        yield found


def code_of(world: PageWorld) -> str:
    """Print a code in the terminal."""
    return world.code(KeptRecord.SETUP_CODE)


def sends(visitor: Visitor, path: str, **fields: str) -> Answer:
    """Send a form of the first visit."""
    return visitor.send("POST", path, body=urlencode(fields))


def begun(world: PageWorld, visitor: Visitor) -> str:
    """Type the code, and return the token of the forms that follow."""
    return visitor.get(own_address(sends(visitor, "/first", code=code_of(world)))).field("csrf")


def own_address(answer: Answer) -> str:
    """Return the address to which a right code leads."""
    assert answer.status == 303
    return next(value for name, value in answer.headers.items() if name.lower() == "location")


def written_files(world: PageWorld) -> set[str]:
    """Return the names of the files that a setup writes, as far as they are there."""
    names = ("settings.toml", "passphrase.json", "proof.json", "page-word.json")
    return {name for name in names if (world.folder / name).exists()}


def test_a_first_visit_sets_everything_up_and_writes_nothing_before_it_was_shown(
    world: PageWorld, visitor: Visitor, server: Running, cursor: Path
) -> None:
    before = cursor.read_text()
    assert "Set everything up on this page" in visitor.get("/").text
    csrf = begun(world, visitor)
    shown = sends(
        visitor, FORMS[0], csrf=csrf, name="Ada Lovelace", address="ada@lovelace.example", connects="now"
    )
    assert "The provider is not known here" in shown.text and "Cursor uses it" in shown.text
    asked = {"csrf": csrf, "smtp": f"smtp://127.0.0.1:{server.port}", "imap": "", **LIMITS, **CHOSEN}
    wrong = sends(visitor, FORMS[1], **asked, password=MISTYPED.value)
    assert wrong.status == 422 and "Nothing was changed" in wrong.text and MISTYPED.value not in wrong.text
    planned = sends(visitor, FORMS[1], **asked, password=SMTP_PASSWORD.value, **{"client.cursor": "on"})
    assert "signed in as ada@lovelace.example" in planned.text and "[mailboxes.ada]" in planned.text
    assert "that only you can read" in planned.text
    assert SMTP_PASSWORD.value not in planned.text and PASSPHRASE not in planned.text
    assert not written_files(world) and cursor.read_text() == before
    done = sends(visitor, FORMS[2], csrf=csrf, shown=planned.field("shown"))
    assert "The passphrase is set." in done.text and "Cursor" in done.text
    tried = sends(visitor, FORMS[3], csrf=csrf)
    assert "verdict: it sends" in tried.text
    (message,) = server.inbox.taken
    assert message.rcpt_tos == ["ada@lovelace.example"]
    settings = tomllib.loads((world.folder / "settings.toml").read_text())
    assert settings["window"] == LIMITS["window"] and settings["daily_cap"] == 20
    assert settings["mailboxes"]["ada"]["name"] == "Ada Lovelace"
    assert "sequences" in cursor.read_text() and "other" in cursor.read_text()
    assert [copy.read_text() for copy in cursor.parent.glob("*.bak")] == [before]
    assert visitor.unlock().status == 200


def test_without_the_code_nobody_sets_anything_up(world: PageWorld, visitor: Visitor) -> None:
    for path in FORMS:
        assert (
            sends(visitor, path, csrf="", name="Eve", address="eve@evil.example", **LIMITS, **CHOSEN).status == 409
        )
    code = code_of(world)
    for _ in range(5):
        assert sends(visitor, "/first", code="00000-00000").status == 403
    assert sends(visitor, "/first", code=code).status == 403  # five tries are all there are
    late = code_of(world)
    world.clock.forward(minutes=11)
    assert sends(visitor, "/first", code=late).status == 403
    assert not written_files(world)


def test_a_code_is_good_once_and_a_form_of_another_visit_counts_for_nothing(
    world: PageWorld, visitor: Visitor
) -> None:
    code = code_of(world)
    address = own_address(sends(visitor, "/first", code=code))
    assert sends(visitor, "/first", code=code).status == 403
    assert sends(visitor, FORMS[0], csrf="x" * 43, **EVE).status == 409
    stranger = Visitor(visitor.page_lock)
    csrf = visitor.get(address).field("csrf")
    assert sends(stranger, FORMS[0], csrf=csrf, **EVE).status == 409
    world.clock.forward(minutes=31)
    assert sends(visitor, FORMS[0], csrf=csrf, **ADA).status == 409
    assert not written_files(world)


def test_once_a_passphrase_is_chosen_only_it_opens_the_page(world: PageWorld, visitor: Visitor) -> None:
    csrf = begun(world, visitor)
    world.lock_up()
    assert sends(visitor, "/first", code=code_of(world)).status == 409
    for path in FORMS:
        answer = sends(visitor, path, csrf=csrf, **EVE, **LIMITS, **CHOSEN)
        assert answer.status in (409, 422)
    assert visitor.get("/first").status == 303
    assert not (world.folder / "settings.toml").exists()
    passphrase.check_passphrase(world.safe, PASSPHRASE)


def test_the_cookie_alone_which_every_port_of_localhost_gets_shows_no_form(
    world: PageWorld, visitor: Visitor
) -> None:
    csrf = begun(world, visitor)
    for address in ("/first", "/first?visit=", f"/first?visit={'x' * len(csrf)}"):
        answer = visitor.get(address)
        assert "Type your name" not in answer.text and csrf not in answer.text, address
        assert 'name="code"' in answer.text


@pytest.mark.parametrize("after", ["sender", "refused rest", "another plan"])
def test_an_agreement_writes_only_what_was_shown_with_it(
    world: PageWorld, visitor: Visitor, cursor: Path, after: str
) -> None:
    before, csrf = cursor.read_text(), begun(world, visitor)
    later = {"csrf": csrf, "connects": "later"}
    sends(visitor, FORMS[0], **later, **ADA)
    shown = sends(visitor, FORMS[1], csrf=csrf, **LIMITS, **CHOSEN).field("shown")
    # A second window goes on with other answers; the first one still shows what it showed.
    sends(visitor, FORMS[0], **later, **EVE)
    if after != "sender":
        again = {"again": "another passphrase"} if after == "refused rest" else {}
        rest = {"csrf": csrf, **LIMITS, **CHOSEN, **again, "client.cursor": "on"}
        sends(visitor, FORMS[1], **rest)
    answer = sends(visitor, FORMS[2], csrf=csrf, shown=shown)
    assert (answer.status, "nothing was written" in answer.text) == (409, True), answer.text
    assert not written_files(world) and cursor.read_text() == before


def test_an_entry_that_starts_another_program_is_told_of_before_it_is_replaced(
    world: PageWorld, visitor: Visitor, cursor: Path
) -> None:
    told = "starts another program now, and is replaced"
    csrf = begun(world, visitor)
    later = {"csrf": csrf, "connects": "later", **ADA}
    assert told not in sends(visitor, FORMS[0], **later).text
    cursor.write_text('{"mcpServers": {"sequences": {"command": "/opt/another", "args": []}}}')
    assert told in sends(visitor, FORMS[0], **later).text
    assert told in sends(visitor, FORMS[1], csrf=csrf, **LIMITS, **CHOSEN, **{"client.cursor": "on"}).text


def test_a_file_that_changed_since_it_was_shown_is_shown_again_before_it_is_written(
    world: PageWorld, visitor: Visitor, cursor: Path
) -> None:
    csrf = begun(world, visitor)
    sends(visitor, FORMS[0], csrf=csrf, connects="later", **ADA)
    rest = {"csrf": csrf, **LIMITS, **CHOSEN, "client.cursor": "on"}
    shown = sends(visitor, FORMS[1], **rest).field("shown")
    cursor.write_text("{ this is no JSON")
    answer = sends(visitor, FORMS[2], csrf=csrf, shown=shown)
    assert (answer.status, "a file changed since" in answer.text) == (409, True), answer.text
    assert not written_files(world) and cursor.read_text() == "{ this is no JSON"
    shown = sends(visitor, FORMS[1], **rest).field("shown")
    assert "The passphrase is set." in sends(visitor, FORMS[2], csrf=csrf, shown=shown).text


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"again": PASSPHRASE + "x"}, "The two passphrases differ."),
        ({"passphrase": "short", "again": "short"}, "8 characters or more"),
        ({"name": "Your Name"}, "The guards refuse it: This is what templates"),
        ({"address": "ada@"}, "is not one plain e-mail address"),
        ({"time_zone": "Paris"}, "is not an IANA time zone"),
        ({"window": "always"}, "it is not days"),
        ({"daily_cap": "0"}, "not a whole number"),
        ({"daily_cap": "0000019999999"}, "not a whole number"),
    ],
)
def test_what_is_typed_wrong_is_told_and_asked_again(
    world: PageWorld, visitor: Visitor, wrong: dict[str, str], words: str
) -> None:
    csrf = begun(world, visitor)
    later = {**ADA, "connects": "later"}
    assert sends(visitor, FORMS[0], csrf=csrf, **later).status == 200
    if wrong.keys() <= later.keys():
        answer = sends(visitor, FORMS[0], csrf=csrf, **{**later, **wrong})
    else:
        answer = sends(visitor, FORMS[1], csrf=csrf, **{**LIMITS, **CHOSEN, **wrong})
    assert (answer.status, words in answer.text) == (422, True), answer.text
    assert not written_files(world)


@pytest.mark.skipif(not AXE, reason=WITHOUT_AXE)
def test_a_first_visit_has_no_accessibility_violation_on_a_dark_phone(
    world: PageWorld, browser: Browser, shots: Path, cursor: Path
) -> None:
    found: list[str] = []

    def looked_at(name: str) -> None:
        person.photographs(f"first-{name}")
        found.extend(f"{name}: {one}" for one in violations(person.tab))
        assert person.tab.evaluate("document.documentElement.scrollWidth <= innerWidth")

    options = {"viewport": PHONE, "color_scheme": "dark"}
    with screen(browser, world, shots, setup=setup_of(world), **options) as person:
        person.opens("/first")
        looked_at("code")
        person.tab.keyboard.type(code_of(world))
        person.tab.keyboard.press("Enter")
        person.tab.get_by_label("Your name").fill("Ada Lovelace")
        person.tab.get_by_label("Your e-mail address").fill("ada@gmail.com")
        looked_at("sender")
        person.tab.get_by_role("button", name="Go on").click()
        expect(person.tab.get_by_label("Server that sends")).to_have_value("smtps://smtp.gmail.com:465")
        looked_at("rest")
        person.tab.go_back()
        person.tab.get_by_label("Later").check()
        person.tab.get_by_role("button", name="Go on").click()
        person.tab.get_by_label("New passphrase").fill(PASSPHRASE)
        person.tab.get_by_label("The same again").fill(PASSPHRASE)
        person.tab.keyboard.press("Enter")
        person.tab.get_by_role("button", name="Write all of this").wait_for()
        looked_at("plan")
        person.tab.get_by_role("button", name="Write all of this").click()
        expect(person.tab.get_by_text("The passphrase is set.")).to_be_visible()
        looked_at("done")
    assert not found
    assert cursor.exists()
