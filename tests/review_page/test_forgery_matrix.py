"""Nineteen attacks on each way to a yes (reliability: "human in the loop that is real"): no message leaves.

Where a combination cannot exist, the table says why. After each attack a worker does all that is due.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from itertools import product

import pytest
from mcp.types import ElicitResult
from tests.review_page.rungs import Page, Panel, Rung, SignedPage, rung
from tests.secrecy.client import Client
from tests.world.data_folder import NOON
from tests.world.page import LINKEDIN, PageWorld, Visitor, apart, crowd
from tests.world.stores import shell

from sequences_mcp.domain.plan import Plan
from sequences_mcp.errors import SequencesError
from sequences_mcp.review.lock import greeting
from sequences_mcp.server.app import build_server
from sequences_mcp.services.reviews import edit_draft

Attack = Callable[[PageWorld, Rung], None]
OWN_WORDS = "The agent's own words."


def edit(world: PageWorld, plan: Plan) -> None:
    """An agent changes a text of the plan."""
    detail = world.at_desk(lambda app: app.plans.list_people(plan.id, page=1, size=1)).items[0]
    draft = f"local:draft_{detail.sequence.steps[0].key}"
    with suppress(SequencesError):
        world.at_desk(lambda app: edit_draft(app, draft_id=draft, content=OWN_WORDS))


def sql(world: PageWorld, statement: str, *values: str) -> None:
    """Somebody rewrites the database, its own rules dropped first."""
    with shell(world.folder) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute(statement, values)


def replay(world: PageWorld, way: Rung) -> None:
    plan, counted = way.yes()
    assert counted
    edit(world, plan)
    assert not way.again(plan)


def another_plans_approval(world: PageWorld, way: Rung) -> None:
    plan, other = world.plan(people=1), world.plan(LINKEDIN, people=1)
    assert not way.with_that_of(other, plan)


def expired(world: PageWorld, way: Rung) -> None:
    def late(plan: Plan) -> None:
        world.clock.forward(hours=24)
        if isinstance(way, Page):
            way.person.cookie = ""
            way.person.unlock()
            way.person.get(way.person.get(f"/plans/{plan.id}/sample").headers["location"])

    assert not way.yes(late)[1]


def edited_text(world: PageWorld, way: Rung) -> None:
    assert not way.yes(lambda plan: edit(world, plan))[1]


def swapped_recipient(world: PageWorld, way: Rung) -> None:
    statement = "UPDATE contact SET email = 'evil@evil.example', email_key = 'evil@evil.example'"
    way.yes(lambda plan: sql(world, statement))


def added_bcc(world: PageWorld, way: Rung) -> None:
    assert way.yes()[1]
    sql(world, "UPDATE step_run SET subject = 'x' || char(10) || 'Bcc: e@evil.example'")


def changed_from(world: PageWorld, way: Rung) -> None:
    assert way.yes()[1]
    world.more["SEQUENCES_SENDER"] = "Eve <eve@evil.example>"


def clock_moved(world: PageWorld, way: Rung) -> None:
    def there_and_back(plan: Plan) -> None:
        world.clock.now = NOON + timedelta(hours=24)
        world.present(plan.id)  # somebody looks, and it is over
        world.clock.now = NOON

    assert not way.yes(there_and_back)[1]


def row_edited(world: PageWorld, way: Rung) -> None:
    assert way.yes()[1]
    sql(world, "UPDATE step_run SET content = ?", OWN_WORDS)


def key_replaced(world: PageWorld, way: Rung) -> None:
    assert way.yes()[1]
    [key] = json.loads(world.workspace.passkeys.read_text())
    forged = [{**key, "public_key": key["public_key"][:-64] + "00" * 32}]
    world.workspace.passkeys.write_text(json.dumps(forged))


def form_of_another_site(world: PageWorld, way: Rung) -> None:
    foreign = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert sent_with(world, way, foreign) == 403


def rebound_name(world: PageWorld, way: Rung) -> None:
    assert sent_with(world, way, {"Host": "evil.example"}) == 421


def framed(world: PageWorld, way: Rung) -> None:
    assert isinstance(way, Page)
    plan = world.plan(people=1)
    frame = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
    answer = way.person.send("GET", f"/plans/{plan.id}", headers=frame)
    assert answer.status == 403
    assert answer.headers["x-frame-options"] == "DENY"


def sent_with(world: PageWorld, way: Rung, headers: dict[str, str]) -> int:
    """Send the person's own form, with all its secrets, from somewhere else."""
    from urllib.parse import urlencode

    assert isinstance(way, Page)
    plan = world.plan(people=1)
    fields = {**way.look(plan), "csrf": way.person.get("/").field("csrf"), "key": way.person.key}
    return way.person.send("POST", f"/plans/{plan.id}/approve", body=urlencode(fields), headers=headers).status


def double_submit(world: PageWorld, way: Rung) -> None:
    assert sorted(way.twice()) == [False, True]


def race_with_an_edit(world: PageWorld, way: Rung) -> None:
    def both(plan: Plan) -> None:
        edits.append(pool.submit(edit, world, plan))

    edits: list[Future[None]] = []
    with ThreadPoolExecutor(1) as pool:
        way.yes(both)
    [done] = edits
    done.result()


def dialogs_answered_by_the_host(world: PageWorld, way: Rung) -> None:
    """The operator has turned dialogs off, or has a passkey: a host that says yes to everything is not asked."""
    if not isinstance(way, SignedPage):
        world.more["SEQUENCES_ELICITATION"] = "off"
    plan = world.plan(people=1)

    async def dialog(context: object, params: object) -> ElicitResult:
        return ElicitResult(action="accept", content={"approve": True})

    async def run() -> None:
        async with Client(build_server(world.app), elicitation_callback=dialog) as client:
            start = {"blueprint_id": plan.header.blueprint_id, "contacts": crowd(2)}
            await client.call_tool("start_sequence", start)

    apart(run)
    if isinstance(way, Panel):
        assert not way.send(plan, {"digest": plan.digest, "proof": ""})


def signed_on_another_port(world: PageWorld, way: Rung) -> None:
    """A page on another port of this machine has the person's gesture, and the session's cookie."""
    assert isinstance(way, SignedPage)
    plan = world.plan(people=1)
    form = way.look(plan)
    elsewhere = way.signed(form["digest"], origin="http://localhost:1")
    assert not way.send(plan, {**form, "signature": elsewhere})
    thief = Visitor(way.person.page_lock, way.person.cookie)
    for signature in (elsewhere, form["signature"]):
        assert thief.post(f"/plans/{plan.id}/approve", digest=form["digest"], signature=signature).status == 403


def passphrase_guessed(world: PageWorld, way: Rung) -> None:
    """A stranger types wrong passphrases, and the right person still gets in: to a plan they then refuse."""
    assert isinstance(way, Page)
    plan = world.plan(people=1)
    for number in range(9):
        stranger = Visitor(way.person.page_lock)
        assert stranger.unlock(f"guess {number}").status == 403
        assert stranger.get(f"/plans/{plan.id}").status == 401
    person = Visitor(way.person.page_lock)
    assert person.unlock().status == 200
    assert person.post(f"/plans/{plan.id}/refuse").status == 303


def page_imitated(world: PageWorld, way: Rung) -> None:
    """A look-alike serves the port of the page, and knows the token of the browser: it wants the word."""
    assert isinstance(way, Page)
    word = greeting.set_word(world.safe, "copper lantern")
    way.person.unlock(browser="mine")
    world.plan(people=1)
    look_alike = Visitor(way.person.page_lock)
    assert word not in look_alike.get("/unlock").text
    assert word not in look_alike.send("POST", "/unlock/word", body="browser=guess").text
    assert not greeting.is_known(world.safe, "mine", authority="localhost:1")
    assert greeting.is_known(world.safe, "mine", authority=way.person.page_lock.authority)


ATTACKS: dict[str, Attack] = {
    "replay": replay,
    "another plan's approval": another_plans_approval,
    "expired": expired,
    "edited text": edited_text,
    "swapped recipient": swapped_recipient,
    "added Bcc": added_bcc,
    "changed From": changed_from,
    "clock moved": clock_moved,
    "row edited in the database": row_edited,
    "key replaced": key_replaced,
    "cross-site form": form_of_another_site,
    "rebinding": rebound_name,
    "iframe": framed,
    "double submit": double_submit,
    "race with an edit": race_with_an_edit,
    "dialogs answered by the host": dialogs_answered_by_the_host,
    "signed on another port": signed_on_another_port,
    "passphrase guessed": passphrase_guessed,
    "page imitated": page_imitated,
}
DIALOGS = ("dialog", "dialog in the older era")
RUNGS = (*DIALOGS, "page", "terminal", "passkey", "panel")
NO_PORT = (*DIALOGS, "terminal", "panel")
NO_WEB = "It listens on no port: there is nothing that another site could send a form to, rebind or frame."
NO_NAME = "The answer of a dialog names no plan; it belongs to the call that asked."
NO_KEY = "A dialog has no key: the host is trusted to ask a person."
OWN_FOLDER = (
    "What a passphrase is compared with lies in the data folder: whoever can rewrite that can put their own "
    "there. It is the gap of this way, which doctor states."
)
TYPED = "It is a frame by design; a yes in it is a passphrase that is typed, not a click that could be stolen."
TRUSTED = (
    "The server cannot tell such a host from a person: the gap of this way, which the README and doctor state, "
    "and which SEQUENCES_ELICITATION=off and a passkey close."
)
UNSIGNED_WAY = "Nothing is signed on this way: what counts is the passphrase, which no other page can make."
NO_UNLOCKING = "Nobody is unlocked on this way; wrong passphrases slow it down and are tested with its own room."
CANNOT_BE: dict[tuple[str, str], str] = {
    **{("signed on another port", way): UNSIGNED_WAY for way in (*DIALOGS, "page", "terminal", "panel")},
    **{(attack, way): NO_UNLOCKING for attack in ("passphrase guessed", "page imitated") for way in NO_PORT},
    **{("another plan's approval", way): NO_NAME for way in DIALOGS},
    **{("key replaced", way): NO_KEY for way in DIALOGS},
    **{("key replaced", way): OWN_FOLDER for way in ("page", "terminal", "panel")},
    **{(attack, way): NO_WEB for attack in ("cross-site form", "rebinding") for way in NO_PORT},
    **{("iframe", way): NO_WEB for way in (*DIALOGS, "terminal")},
    ("iframe", "panel"): TYPED,
    **{("dialogs answered by the host", way): TRUSTED for way in DIALOGS},
}
MATRIX = [pair for pair in product(ATTACKS, RUNGS) if pair not in CANNOT_BE]


@pytest.mark.parametrize(("attack", "way"), MATRIX)
def test_no_message_leaves_that_nobody_approved(world: PageWorld, attack: str, way: str) -> None:
    with rung(way, world) as opened:
        ATTACKS[attack](world, opened)
    mails = world.mails_after_work()
    if attack == "double submit":
        assert len(mails) == 1
    elif attack == "race with an edit":
        assert "own words" not in "".join(mails)
    else:
        assert mails == []


@pytest.mark.parametrize("way", RUNGS)
def test_with_a_persons_own_yes_a_message_leaves(world: PageWorld, way: str) -> None:
    with rung(way, world) as opened:
        assert opened.yes()[1]
    assert len(world.mails_after_work()) == 1


def test_every_attack_meets_every_way_or_says_why_it_cannot() -> None:
    assert len(ATTACKS) == 19
    assert set(CANNOT_BE) <= set(product(ATTACKS, RUNGS))
    assert all(len(reason) > 40 for reason in CANNOT_BE.values())
