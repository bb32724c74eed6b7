"""A private blueprint on the review page: its owner's, an admin's, and in a plan an approver's."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.hosting.test_four_eyes import signed_in
from tests.hosting.test_page_sign_in import approve
from tests.hosting.test_page_sign_in import certificate as certificate
from tests.hosting.test_page_sign_in import provider as provider
from tests.world.data_folder import Clock
from tests.world.page import PageWorld, crowd, unheard
from tests.world.product import MAIL
from tests.world.signing_in import Certificate, OpenIdProvider, Tab, page_under_its_name

from sequences_mcp.context import AppContext
from sequences_mcp.domain.actors import AGENT
from sequences_mcp.domain.plan import Plan, PlanStatus
from sequences_mcp.services.blueprints import create_blueprint
from sequences_mcp.services.starts import start_sequence

NAME = "Secret search"
# What of the page could tell of it.
SCREENS = (
    "/",
    "/blueprints",
    "/campaigns",
    "/campaigns?q=Secret",
    "/search?q=Secret",
    "/sequences",
    "/plans/{plan}",
    "/plans/{plan}/texts",
    "/sequences/{run}",
    "/replies",
    "/tasks",
    "/mails",
    "/contacts/{contact}",
    "/audit",
    "/settings",
    "/people/export/runs/json",
    "/people/export/audit/json",
)
ADDRESSES = (
    "/blueprints/{id}",
    "/blueprints/{id}/file?format=json",
    "/campaigns/{id}",
    "/sequences?blueprint={id}",
)


class Started(NamedTuple):
    """A blueprint that Bob keeps to himself, the plan of a start of it, and somebody in that with their run."""

    blueprint: str
    plan: Plan
    contact: str
    run: str


async def _started(subject: str, app: AppContext) -> Started:
    app = app.acting_as(AGENT.with_detail(subject))
    made = await create_blueprint(app, name=NAME, steps=[MAIL], job_title="Engineer", private=True)
    report = await start_sequence(app, blueprint_id=made.blueprint.id, contacts=crowd(1), progress=unheard)
    [detail] = (await app.plans.list_people(report.plan.id, page=1, size=1)).items
    return Started(made.blueprint.id, report.plan, detail.contact.id, detail.sequence.id)


@pytest.fixture
def world(tmp_path: Path) -> PageWorld:
    """An empty data folder."""
    return PageWorld(folder=tmp_path / "data", clock=Clock())


@pytest.fixture
def tab(world: PageWorld, certificate: Certificate, provider: OpenIdProvider) -> Iterator[Tab]:
    """Yield a browser at the page, where Dan looks as Bob does."""
    provider.groups["dan"] = provider.groups["bob"]
    with page_under_its_name(world, certificate, provider) as tab:
        yield tab


def started(world: PageWorld) -> Started:
    """Have Bob's agent make a private blueprint and plan a start of it."""
    made: Started = world.at_desk(partial(_started, "user-bob"))
    return made


def shown(browser: Tab, started: Started, paths: tuple[str, ...]) -> dict[str, str]:
    """Open screens; return what they say by path."""
    given = {"id": started.blueprint, "plan": started.plan.id, "contact": started.contact, "run": started.run}
    return {path: browser.get(path.format(**given)).text for path in paths}


def test_another_member_sees_its_plan_and_people_and_nowhere_what_it_is(world: PageWorld, tab: Tab) -> None:
    made, dan = started(world), signed_in(tab, "dan")
    screens = shown(dan, made, SCREENS)
    assert not [path for path, text in screens.items() if NAME in text or made.blueprint in text]
    assert "(private)" in screens["/plans/{plan}"] and "A private blueprint" in screens["/contacts/{contact}"]
    nobodys = made._replace(blueprint=f"{made.blueprint[:-4]}0000")
    for path, text in shown(dan, made, ADDRESSES).items():
        assert text.replace(made.blueprint, "ID") == shown(dan, nobodys, (path,))[path].replace(
            nobodys.blueprint, "ID"
        )
    refused = [dan.post(f"/blueprints/{one.blueprint}/archive", archived="yes") for one in (made, nobodys)]
    assert [answer.status for answer in refused] == [404, 404]


@pytest.mark.parametrize("who", ["bob", "root"])
def test_its_owner_and_an_admin_see_it_everywhere(world: PageWorld, tab: Tab, who: str) -> None:
    made = started(world)
    screens = shown(signed_in(tab, who), made, (*SCREENS, *ADDRESSES))
    silent = [path for path, text in screens.items() if NAME not in text and made.blueprint not in text]
    assert silent == ["/sequences/{run}", "/replies", "/tasks", "/mails", "/settings"]
    assert "It is private" in screens["/blueprints/{id}"]


def test_an_approver_reads_in_the_plan_what_it_is_and_does_not_find_it_elsewhere(
    world: PageWorld, tab: Tab
) -> None:
    made, ada = started(world), signed_in(tab, "ada")
    screens = shown(ada, made, SCREENS)
    assert NAME in screens["/plans/{plan}"] and NAME in screens["/"]
    assert NAME not in screens["/blueprints"] and NAME not in screens["/campaigns"]
    assert ada.get(f"/blueprints/{made.blueprint}").status == 404
    assert approve(ada, made.plan) == 303
    assert world.present(made.plan.id).status is PlanStatus.APPROVED
    assert len(world.mails_after_work()) == 1
