"""A passkey in a real browser with a virtual authenticator: the yes is a signature, checked at every send."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from tests.review_page.page_browser import Screen, screen
from tests.review_page.rungs import SignedPage
from tests.review_page.test_forgery_matrix import sql
from tests.review_page.test_page_vendor import asked_at_topo, asked_of_kalent, patches
from tests.world.page import LINKEDIN, MAIL, PASSPHRASE, PageWorld
from tests.world.vendors import Sandbox

from sequences_mcp.context import AppContext
from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.plan import Plan, PlanStatus
from sequences_mcp.errors import ApprovalError
from sequences_mcp.ports.safekeeping import KeptRecord
from sequences_mcp.review.lock import passkeys
from sequences_mcp.services.erasure import ask_to_erase

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def newcomer(world: PageWorld, browser: Browser, shots: Path) -> Iterator[Screen]:
    """Yield a person whose browser can make a passkey and has none yet."""
    with screen(browser, world, shots) as person:
        session = person.tab.context.new_cdp_session(person.tab)
        session.send("WebAuthn.enable")
        session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        person.opens("/passkeys")
        person.unlocks()
        yield person


@pytest.fixture
def person(world: PageWorld, newcomer: Screen) -> Screen:
    """Return a person whose browser has a passkey for the page."""
    register(newcomer, world)
    return newcomer


def register(person: Screen, world: PageWorld) -> None:
    person.tab.get_by_label("Code").fill(world.code(KeptRecord.PASSKEY_CODE))
    person.tab.get_by_role("button", name="Register a passkey").click()
    expect(person.tab.get_by_text("Every approval has to be signed")).to_be_visible()
    [since] = person.tab.locator("main li time").all_inner_texts()
    assert not re.search(r"\dT\d", since), "an instant as everywhere on the page"


def approve(person: Screen, plan: Plan) -> None:
    person.opens(f"/plans/{plan.id}/sample")
    person.tab.get_by_role("button", name="Approve 2 people").click()
    expect(person.tab.get_by_text("Approved by page:passkey")).to_be_visible()


def test_a_signed_yes_lets_the_mails_go(world: PageWorld, person: Screen) -> None:
    plan = world.plan(people=2)
    approve(person, plan)
    person.photographs("06-signed")
    world.work_until(lambda: len(world.mails) == 2)
    assert "person0@hopper.example" in "".join(world.mails)


async def _approve_with(plan: Plan, signature: str | None, app: AppContext) -> None:
    await app.plans.approve_plan(plan.id, digest=plan.digest, actor=Actor("ada"), signature=signature)


def test_where_a_passkey_is_registered_no_unsigned_yes_counts(world: PageWorld, person: Screen) -> None:
    plan = world.plan(people=2)
    for signature in (None, "", "{}", "not json", json.dumps({"id": "x", "response": {}})):
        with pytest.raises(ApprovalError, match="not signed with a registered passkey"):
            world.at_desk(partial(_approve_with, plan, signature))
    assert world.present(plan.id).status is PlanStatus.WAITING


def test_a_signature_for_one_plan_is_none_for_another(world: PageWorld, person: Screen) -> None:
    plan, other = world.plan(people=2), world.plan(LINKEDIN, people=2, first=2)
    approve(person, plan)
    signature = stored_signature(world)
    assert passkeys.signature_problem(world.safe, plan.digest, signature) is None
    assert passkeys.signature_problem(world.safe, other.digest, signature) == passkeys.UNSIGNED
    with pytest.raises(ApprovalError):
        world.at_desk(
            lambda app: app.plans.approve_plan(
                other.id, digest=other.digest, actor=Actor("x"), signature=signature
            )
        )


@pytest.mark.parametrize("vendor", ["topo", "kalent"])
def test_a_change_at_a_vendor_goes_when_the_browser_signed_exactly_it(
    world: PageWorld, clarky: Sandbox, newcomer: Screen, vendor: str
) -> None:
    change, person = asked_at_topo(world) if vendor == "topo" else world.at_desk(asked_of_kalent), newcomer
    register(person, world)
    before, path = len(patches(clarky)), f"/changes/{change.id}"
    form, button = f'form[action="{path}/approve"]', person.tab.get_by_role("button", name="Approve this change")

    person.opens(path)
    person.tab.eval_on_selector(form, "form => form.submit()")  # what a script of the page never gets to sign
    expect(person.tab.get_by_text("not signed with a registered passkey")).to_be_visible()
    person.opens(path)
    person.tab.eval_on_selector(form, "(form, other) => { form.dataset.challenge = other }", "0" * 64)
    button.click()
    expect(person.tab.get_by_text("not signed with a registered passkey")).to_be_visible()
    assert len(patches(clarky)) == before

    person.opens(path)
    button.click()
    expect(person.tab.get_by_text("approved by page:passkey")).to_be_visible()
    assert len(patches(clarky)) == before + 1


def test_somebody_is_erased_when_the_browser_signed_exactly_that(world: PageWorld, newcomer: Screen) -> None:
    world.plan(people=2)
    change = world.at_desk(lambda app: ask_to_erase(app, contact="person0@hopper.example"))
    person = newcomer
    register(person, world)
    path = f"/changes/{change.id}"
    form, button = f'form[action="{path}/approve"]', person.tab.get_by_role("button", name="Erase them for good")

    def present() -> int:
        return int(world.at_desk(lambda app: app.local.find_contacts("person0", page=1, size=1)).total_count)

    person.opens(path)
    person.tab.eval_on_selector(form, "form => form.submit()")  # what a script of the page never gets to sign
    expect(person.tab.get_by_text("not signed with a registered passkey")).to_be_visible()
    person.opens(path)
    person.tab.eval_on_selector(form, "(form, other) => { form.dataset.challenge = other }", "0" * 64)
    button.click()
    expect(person.tab.get_by_text("not signed with a registered passkey")).to_be_visible()
    assert present() == 1

    person.opens(path)
    button.click()
    expect(person.tab.get_by_text("approved by page:passkey")).to_be_visible()
    assert present() == 0


@pytest.mark.parametrize("change", ["the key is replaced", "the keys are deleted", "the keys are unreadable"])
def test_a_replaced_key_stops_what_was_approved_with_the_old_one(
    world: PageWorld, person: Screen, change: str
) -> None:
    plan = world.plan(MAIL, people=2)
    approve(person, plan)
    file = world.workspace.passkeys
    if change == "the key is replaced":
        [key] = json.loads(file.read_text())
        file.write_text(json.dumps([{**key, "public_key": key["public_key"][:-4] + "0000"}]))
    elif change == "the keys are deleted":
        file.unlink()
    else:
        file.write_text("[")
    world.work_until(lambda: world.present(plan.id).status is PlanStatus.VOID)
    assert world.mails == []


def test_a_yes_from_before_the_first_passkey_has_to_be_given_again(
    world: PageWorld, browser: Browser, shots: Path
) -> None:
    plan = world.plan(people=2)
    world.at_desk(lambda app: app.plans.approve_plan(plan.id, digest=plan.digest, actor=Actor("terminal")))
    world.workspace.passkeys.write_text(json.dumps([{"id": "x", "public_key": "00", "registered_at": ""}]))
    world.work_until(lambda: world.present(plan.id).status is PlanStatus.VOID)
    assert world.mails == []


def test_a_code_is_the_terminals_good_once_and_for_ten_minutes(world: PageWorld) -> None:
    now = world.clock()
    code = passkeys.new_code(world.safe, KeptRecord.PASSKEY_CODE, now=now)
    passkeys.check_code(world.safe, KeptRecord.PASSKEY_CODE, code.lower(), now=now)
    with pytest.raises(ApprovalError, match="wrong"):
        passkeys.check_code(world.safe, KeptRecord.PASSKEY_CODE, PASSPHRASE, now=now)
    world.clock.forward(minutes=10)
    with pytest.raises(ApprovalError, match="no code that is still good"):
        passkeys.check_code(world.safe, KeptRecord.PASSKEY_CODE, code, now=world.clock())


def test_a_code_printed_while_the_clock_was_ahead_is_not_good_for_longer_than_any_other(world: PageWorld) -> None:
    code = passkeys.new_code(world.safe, KeptRecord.PASSKEY_CODE, now=world.clock() + timedelta(days=400))
    with pytest.raises(ApprovalError, match="no code that is still good"):
        passkeys.check_code(world.safe, KeptRecord.PASSKEY_CODE, code, now=world.clock())


def test_five_wrong_codes_use_it_up(world: PageWorld) -> None:
    code = world.code(KeptRecord.PASSKEY_CODE)
    for _ in range(5):
        with pytest.raises(ApprovalError, match="wrong"):
            passkeys.check_code(world.safe, KeptRecord.PASSKEY_CODE, "00000-00000", now=world.clock())
    with pytest.raises(ApprovalError, match="no code"):
        passkeys.check_code(world.safe, KeptRecord.PASSKEY_CODE, code, now=world.clock())


@pytest.mark.parametrize(
    "made",
    [
        {"origin": "http://localhost:1"},
        {"origin": "http://127.0.0.1:{port}"},
        {"origin": "https://localhost:{port}"},
        {"origin": "http://localhost"},
        {"origin": "http://localhost:{port}0"},
        {"crossOrigin": True},
        {"topOrigin": "http://localhost:1"},
    ],
)
def test_a_signature_made_anywhere_but_on_this_page_approves_nothing(
    world: PageWorld, made: dict[str, Any]
) -> None:
    with world.page() as visitor:
        person = SignedPage(world, visitor)
        plan = world.plan(people=1)
        form = person.look(plan)
        port = visitor.page_lock.port
        facts = {name: one.format(port=port) if isinstance(one, str) else one for name, one in made.items()}
        assert not person.send(plan, {**form, "signature": person.signed(form["digest"], **facts)})
        assert world.present(plan.id).status is PlanStatus.WAITING
        assert person.send(plan, form)


def test_a_signature_without_the_pages_second_secret_approves_nothing(world: PageWorld) -> None:
    with world.page() as visitor:
        person = SignedPage(world, visitor)
        plan = world.plan(people=1)
        form = person.look(plan)
        for key in ("", "guess", visitor.cookie.partition("=")[2]):
            answer = visitor.post(f"/plans/{plan.id}/approve", **form, key=key)
            assert answer.status == 403
            assert 'name="passphrase"' in answer.text
        assert world.present(plan.id).status is PlanStatus.WAITING
        assert visitor.post(f"/plans/{plan.id}/approve", **form, key="", passphrase=PASSPHRASE).status == 303


def test_the_origin_is_kept_with_a_signature_and_looked_at_again_at_the_send(world: PageWorld) -> None:
    with world.page() as visitor:
        person = SignedPage(world, visitor)
        plan = world.plan(people=2)
        form = person.look(plan)
        assert person.send(plan, form)
        assert json.loads(stored_signature(world))["origin"] == visitor.origin
        elsewhere = person.signed(form["digest"], origin="http://localhost:1")
    forged = [
        {"origin": "http://localhost:1", "credential": elsewhere},
        {"origin": visitor.origin, "credential": elsewhere},
        {"credential": form["signature"]},
        json.loads(form["signature"]),
    ]
    for one in forged:
        assert passkeys.signature_problem(world.safe, plan.digest, json.dumps(one)) == passkeys.UNSIGNED
    sql(world, "UPDATE approval_signature SET assertion = ?", json.dumps(forged[0]))
    assert world.mails_after_work() == []
    assert world.present(plan.id).status is PlanStatus.VOID


def test_a_page_that_moved_to_another_port_signs_there_and_what_was_signed_before_holds(world: PageWorld) -> None:
    with world.page() as visitor:
        person = SignedPage(world, visitor)
        plan = world.plan(people=1)
        assert person.send(plan, person.look(plan))
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", visitor.page_lock.port))
        squatter.listen()
        with world.page() as moved:
            assert moved.origin != visitor.origin
            person.person = moved
            moved.unlock()
            other = world.plan(people=1, first=1)
            assert person.send(other, person.look(other))
    assert len(world.mails_after_work()) == 2


def stored_signature(world: PageWorld) -> str:
    import sqlite3

    with sqlite3.connect(world.folder / "sequences.db") as database:
        (assertion,) = database.execute("SELECT assertion FROM approval_signature").fetchone()
    database.close()
    return str(assertion)
