"""Two people for one approval: each signed in, neither the one it was planned for, the first yes kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.hosting.test_page_sign_in import another, approve
from tests.hosting.test_page_sign_in import certificate as certificate
from tests.hosting.test_page_sign_in import provider as provider
from tests.world.data_folder import Clock
from tests.world.page import PageWorld, crowd, unheard
from tests.world.product import MAIL
from tests.world.signing_in import Certificate, OpenIdProvider, Tab, page_under_its_name

from sequences_mcp.context import AppContext
from sequences_mcp.domain.actors import AGENT, AUTO_APPROVE, PAGE, PANEL, Actor
from sequences_mcp.domain.plan import Plan, PlanStatus
from sequences_mcp.errors import ApprovalError, ApprovalPendingError
from sequences_mcp.services.blueprints import create_blueprint
from sequences_mcp.services.erasure import ask_to_erase
from sequences_mcp.services.reviews import edit_draft
from sequences_mcp.services.starts import start_sequence

ADA, EVE, ROOT = (f"reviewer:user-{name} ({name.title()} Lovelace)" for name in ("ada", "eve", "root"))
SIGN_IN = {
    "SEQUENCES_REVIEW_URL": "https://review.example.com",
    "SEQUENCES_REVIEW_ISSUER": "https://login.example.com",
    "SEQUENCES_REVIEW_CLIENT_ID": "review",
    "SEQUENCES_REVIEW_ROLES": "leads=approver",
}


@pytest.fixture
def world(tmp_path: Path) -> PageWorld:
    """A data folder in which two people approve."""
    world = PageWorld(folder=tmp_path / "data", clock=Clock())
    world.more |= {**SIGN_IN, "SEQUENCES_APPROVERS": "2"}
    return world


@pytest.fixture
def tab(world: PageWorld, certificate: Certificate, provider: OpenIdProvider) -> Iterator[Tab]:
    """Yield a browser at the page."""
    with page_under_its_name(world, certificate, provider) as tab:
        yield tab


async def _started(subject: str, first: int, app: AppContext) -> Plan:
    app = app.acting_as(AGENT.with_detail(subject))
    made = await create_blueprint(app, name="Engineers", steps=[MAIL], job_title="Engineer")
    report = await start_sequence(
        app, blueprint_id=made.blueprint.id, contacts=crowd(1, first=first), progress=unheard
    )
    return report.plan


def planned_for(world: PageWorld, who: str, *, first: int = 0) -> Plan:
    """Have a plan made on behalf of somebody."""
    plan: Plan = world.at_desk(partial(_started, f"user-{who}", first))
    return plan


def signed_in(tab: Tab, who: str) -> Tab:
    """Return the browser of somebody who signed in."""
    browser = another(tab)
    browser.signs_in(who)
    return browser


def test_the_second_yes_of_somebody_else_counts_and_both_are_on_record(world: PageWorld, tab: Tab) -> None:
    plan = planned_for(world, "bob")
    ada, eve = signed_in(tab, "ada"), signed_in(tab, "eve")
    assert approve(ada, plan) == 303
    assert world.present(plan.id).status is PlanStatus.WAITING
    assert f"1 of 2 has approved: {ADA}" in eve.get(f"/plans/{plan.id}").text
    assert world.mails_after_work() == []
    assert approve(ada, plan) == 409  # the same person again
    assert "You have approved this already" in ada.post(f"/plans/{plan.id}/approve", digest=plan.digest).text
    assert approve(eve, plan) == 303
    assert world.present(plan.id).status is PlanStatus.APPROVED
    assert world.rows("SELECT subject, digest, actor FROM approval ORDER BY no") == [
        (f"first of {plan.id}", plan.digest, ADA),
        (plan.id, plan.digest, EVE),
    ]
    assert world.rows("SELECT actor FROM audit WHERE action = 'approval.first'") == [(ADA,)]
    assert len(world.mails_after_work()) == 1


def test_whoever_it_was_planned_for_is_neither_of_the_two(world: PageWorld, tab: Tab) -> None:
    plan = planned_for(world, "ada")
    ada, eve, root = (signed_in(tab, who) for who in ("ada", "eve", "root"))
    assert approve(ada, plan) == 409
    assert approve(eve, plan) == 303
    assert approve(ada, plan) == 409
    assert world.rows("SELECT actor FROM approval") == [(EVE,)]
    assert approve(root, plan) == 303
    assert world.rows("SELECT actor FROM approval ORDER BY no") == [(EVE,), (ROOT,)]


def test_a_change_takes_the_first_yes_away(world: PageWorld, tab: Tab) -> None:
    plan = planned_for(world, "bob")
    ada, eve = signed_in(tab, "ada"), signed_in(tab, "eve")
    assert approve(ada, plan) == 303
    detail = world.at_desk(lambda app: app.plans.list_people(plan.id, page=1, size=1)).items[0]
    draft = f"local:draft_{detail.sequence.steps[0].key}"
    world.at_desk(lambda app: edit_draft(app, draft_id=draft, content="Hi Grace, may I call you on Monday?"))
    changed = world.present(plan.id)
    assert changed.digest != plan.digest and changed.reason is None
    assert "1 of 2" not in eve.get(f"/plans/{plan.id}").text
    assert approve(eve, changed) == 303
    assert world.present(plan.id).status is PlanStatus.WAITING
    assert approve(ada, changed) == 303
    assert world.present(plan.id).status is PlanStatus.APPROVED


def test_anybody_rejects_what_one_has_approved(world: PageWorld, tab: Tab) -> None:
    plan = planned_for(world, "bob")
    ada, bob = signed_in(tab, "ada"), signed_in(tab, "bob")
    assert approve(ada, plan) == 303
    assert bob.post(f"/plans/{plan.id}/refuse").status == 303
    assert world.present(plan.id).status is PlanStatus.REFUSED
    assert approve(signed_in(tab, "eve"), plan) in (409, 422)
    assert world.mails_after_work() == []


@pytest.mark.parametrize("actor", [PAGE, PANEL, Actor("terminal:ada"), Actor("page:passkey"), AGENT])
def test_nobody_approves_who_has_not_signed_in(world: PageWorld, actor: Actor) -> None:
    plan = planned_for(world, "bob")
    with pytest.raises(ApprovalError, match=r"signed in|Nobody approves"):
        world.at_desk(lambda app: app.plans.approve_plan(plan.id, digest=plan.digest, actor=actor))
    assert world.rows("SELECT * FROM approval") == []


def test_the_setting_for_starts_without_a_person_stays_one_yes(world: PageWorld) -> None:
    plan = planned_for(world, "bob")
    world.at_desk(lambda app: app.plans.approve_plan(plan.id, digest=plan.digest, actor=AUTO_APPROVE))
    assert world.present(plan.id).status is PlanStatus.APPROVED


def test_one_yes_of_before_the_setting_is_looked_at_again_before_each_send(world: PageWorld) -> None:
    world.more["SEQUENCES_APPROVERS"] = "1"
    plan = planned_for(world, "bob")
    world.at_desk(lambda app: app.plans.approve_plan(plan.id, digest=plan.digest, actor=Actor("terminal:ada")))
    world.more["SEQUENCES_APPROVERS"] = "2"
    assert world.mails_after_work() == []
    held = world.present(plan.id)
    assert held.status is PlanStatus.VOID and "two people have to approve it" in str(held.reason)


def test_an_erasure_needs_two_as_well(world: PageWorld, tab: Tab) -> None:
    planned_for(world, "bob")
    change = world.at_desk(lambda app: ask_to_erase(app, contact="person0@hopper.example"))
    path = f"/changes/{change.id}"
    ada, eve = signed_in(tab, "ada"), signed_in(tab, "eve")
    ada.get(path)
    first = ada.post(f"{path}/approve", digest=change.digest)
    assert first.status == 409 and "1 of 2 has approved" in first.text
    assert world.at_desk(lambda app: app.local.find_contacts("person0", page=1, size=1)).total_count == 1
    eve.get(path)
    assert eve.post(f"{path}/approve", digest=change.digest).status == 303
    assert world.at_desk(lambda app: app.local.find_contacts("person0", page=1, size=1)).total_count == 0


def test_the_first_yes_is_told_to_an_agent_that_asks(world: PageWorld) -> None:
    plan = planned_for(world, "bob")
    with pytest.raises(ApprovalPendingError, match="1 of 2 has approved"):
        world.at_desk(lambda app: app.plans.approve_plan(plan.id, digest=plan.digest, actor=Actor(ADA)))
    assert json.dumps(world.present(plan.id).reason) == f'"1 of 2 has approved: {ADA}"'
