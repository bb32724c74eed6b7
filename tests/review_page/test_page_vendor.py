"""A start at a vendor on the page: what a yes causes, what the vendor is given, and that it is handed over."""

from __future__ import annotations

import contextlib

import httpx
import pytest
from tests.review_page.rungs import SignedPage
from tests.review_page.test_forgery_matrix import sql
from tests.review_page.test_page_plan import approve, open_sample
from tests.world.page import MAIL, PageWorld, Visitor
from tests.world.vendors import Sandbox

from sequences_mcp.context import AppContext
from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.plan import Plan, PlanStatus
from sequences_mcp.domain.run import SequenceStatus
from sequences_mcp.errors import ApprovalError
from sequences_mcp.ports.embedded import PendingChange, SequenceFilter
from sequences_mcp.review import decide
from sequences_mcp.services.blueprints import create_blueprint, update_blueprint
from sequences_mcp.services.changed_texts import update_sequence
from sequences_mcp.services.enrolment import enrol_soon
from sequences_mcp.services.sequences import list_sequences
from sequences_mcp.services.starts import start_sequence
from sequences_sandbox.seeds import CLARKY_TEMPLATES

HOSTILE = "<script>alert(1)</script>\u202enote"


def planned(world: PageWorld, **facts: str) -> Plan:
    """Plan a start of two people at Clarky."""
    people = [{"email": f"{name}@new.example", "first_name": name, **facts} for name in ("zoe", "ali")]

    async def silent(done: int, total: int) -> None:
        """Tell nobody how far it is."""

    async def start(app: AppContext) -> Plan:
        blueprint = f"clarky:{CLARKY_TEMPLATES[0]}"
        return (await start_sequence(app, blueprint_id=blueprint, contacts=people, progress=silent)).plan

    plan: Plan = world.at_desk(start)
    return plan


@pytest.mark.usefixtures("clarky")
def test_the_page_shows_what_a_vendor_is_given_and_hands_it_over(world: PageWorld, person: Visitor) -> None:
    plan = planned(world, note="Likes tea.")
    text = " ".join(person.get(f"/plans/{plan.id}").text.split())
    assert "Approving this enrols 2 people at Clarky, which then contacts them by itself." in text
    assert "Clarky, with its own senders, times and limits" in text
    assert "they wait for approval in its review queue" in text
    assert "Clarky is given first name: zoe; email: zoe@new.example; note: Likes tea." in text
    sample = open_sample(person, plan.id)
    assert "its API does not show them" in sample.text
    assert approve(person, plan.id).status == 303
    done = world.at_desk(lambda app: app.vendor_runs.outcome(plan.id))
    assert world.present(plan.id).status is PlanStatus.APPROVED
    assert (done.done, done.waiting, done.unknown, done.not_done) == (2, 0, 0, 0)


@pytest.mark.usefixtures("clarky")
def test_what_a_vendor_is_given_is_shown_as_text_with_what_hides_drawn(world: PageWorld, person: Visitor) -> None:
    plan = planned(world, note="met at a fair")
    sql(
        world, "UPDATE sequence SET handover = replace(handover, 'met at a fair', ?)", HOSTILE
    )  # refused at the door
    for page in (person.get(f"/plans/{plan.id}").text, open_sample(person, plan.id).text):
        assert "<script>alert" not in page
        assert "note: &lt;script&gt;alert(1)&lt;/script&gt;⟨U+202E⟩note" in page


@pytest.mark.usefixtures("clarky")
def test_the_page_says_what_the_vendor_is_not_given_and_how_a_person_stands_in_plain_words(
    world: PageWorld, person: Visitor
) -> None:
    plan = planned(world, location="Paris", job_title="Engineer")
    page = open_sample(person, plan.id).text
    assert "not given to the vendor with a start: location, job title." in page.replace("\n", " ")
    assert '<span class="badge">waits for approval</span>' in page
    assert ">FOUND<" not in page and ">FOUND<" not in person.get("/sequences").text
    assert '<option value="STOPPED_EARLY">stopped</option>' in person.get("/sequences").text


@pytest.mark.usefixtures("clarky")
def test_one_person_is_taken_out_and_the_rest_handed_over(world: PageWorld, person: Visitor) -> None:
    plan = planned(world)
    [first, _] = world.at_desk(lambda app: app.plans.list_people(plan.id, page=1, size=2)).items
    person.post(f"/plans/{plan.id}/people/{first.sequence.id}/refuse")
    open_sample(person, plan.id)
    assert approve(person, plan.id).status == 303
    done = world.at_desk(lambda app: app.vendor_runs.outcome(plan.id))
    assert (done.done, done.not_done) == (1, 1)


@pytest.mark.usefixtures("clarky")
def test_an_approved_plan_says_how_far_the_vendor_has_it_and_leads_to_its_runs(
    world: PageWorld, person: Visitor
) -> None:
    plan = planned(world)
    open_sample(person, plan.id)
    approve(person, plan.id)
    text = " ".join(person.get(f"/plans/{plan.id}").text.split())
    listed = person.get("/sequences?provider=clarky").text
    run = listed.split('href="/sequences/clarky:')[1].split('"')[0]
    shown = person.get(f"/sequences/clarky:{run}").text
    assert "Clarky has 2 of them." in text
    assert listed.count('href="/sequences/clarky:') == 2
    assert "generating" in shown and "/stop" not in shown and plan.id in shown


def test_a_run_at_topo_is_paused_and_stopped_in_one_click_and_each_is_recorded(
    world: PageWorld, clarky: Sandbox, person: Visitor
) -> None:
    listed = person.get("/sequences?provider=topo&status=ACTIVE").text
    run = "topo:" + listed.split('href="/sequences/topo:')[1].split('"')[0]
    assert person.post(f"/sequences/{run}/pause", days="3").status == 303
    assert "paused until" in person.get(f"/sequences/{run}").text
    assert person.post(f"/sequences/{run}/resume").status == 303
    assert person.post(f"/sequences/{run}/stop", reason="WIN", scope="CONTACT").status == 303
    assert "Topo: stopped" in person.get(f"/sequences/{run}").text
    page = world.at_desk(lambda app: app.records.list_audit(page=1, size=10))
    assert sorted(entry.action for entry in page.items) == ["operation.begun"] * 3 + ["operation.done"] * 3


@pytest.mark.usefixtures("clarky")
def test_whom_a_vendor_goes_on_contacting_is_named_when_they_are_put_on_the_list(
    world: PageWorld, person: Visitor
) -> None:
    plan = planned(world)
    open_sample(person, plan.id)
    approve(person, plan.id)
    shown = person.post("/suppressions", contact="zoe@new.example", reason="asked")
    nobody = person.post("/suppressions", contact="eve@new.example", reason="asked")
    assert shown.status == 200 and "zoe@new.example" in shown.text
    assert "Stop it in Clarky&#39;s own app, now." in shown.text
    assert nobody.status == 303


def asked_at_topo(world: PageWorld) -> PendingChange:
    """Let an agent ask for another opener of a run at Topo."""

    async def ask(app: AppContext) -> PendingChange:
        found = await list_sequences(
            app, provider="topo", wanted=SequenceFilter(status=SequenceStatus.ACTIVE, page=1, size=1)
        )
        run = found.items[0].sequence.id
        with contextlib.suppress(ApprovalError):
            await update_sequence(app, sequence_id=run, variables={"opener": "Good & new day"})
        [change] = (await app.changes.waiting(page=1, size=5)).items
        return change

    change: PendingChange = world.at_desk(ask)
    return change


@pytest.mark.usefixtures("clarky")
def test_a_change_at_a_vendor_is_read_and_approved_on_the_page(world: PageWorld, person: Visitor) -> None:
    change = asked_at_topo(world)
    path = f"/changes/{change.id}"
    front = person.get("/").text
    assert path in front and "1 change" in front
    early = person.post(f"{path}/approve", digest=change.digest)
    assert early.status == 409 and "not on your screen" in early.text
    page = person.get(path)
    assert "(nothing)" in page.text and "Good &amp; new day" in page.text
    moved = person.post(f"{path}/approve", digest="0" * 64)
    assert moved.status == 409
    assert person.post(f"{path}/approve", digest=change.digest, key="").status == 403
    assert person.post(f"{path}/approve", digest=change.digest).status == 303
    done = person.get(path)
    assert "approved by page" in done.text and "It was done" in done.text
    assert "Approve this change" not in done.text
    assert path not in person.get("/").text


@pytest.mark.usefixtures("clarky")
def test_a_change_at_a_vendor_is_refused_on_the_page(world: PageWorld, person: Visitor) -> None:
    change = asked_at_topo(world)
    assert person.post(f"/changes/{change.id}/refuse", reason="not now").status == 303
    assert "rejected by page: not now" in person.get(f"/changes/{change.id}").text
    assert f"/changes/{change.id}" not in person.get("/").text


async def asked_of_kalent(app: AppContext) -> PendingChange:
    """Start somebody in a blueprint of Kalent, then let an agent ask for another text of it."""

    async def silent(done: int, total: int) -> None:
        """Tell nobody how far it is."""

    made = await create_blueprint(app, name="Engineers", steps=[MAIL], provider="kalent:sourcing_1")
    own = made.blueprint.id
    started = await start_sequence(app, blueprint_id=own, contacts=["kalent:candidate_ines"], progress=silent)
    await app.plans.approve_plan(started.plan.id, digest=started.plan.digest, actor=Actor("page"))
    await enrol_soon(app, plan_id=started.plan.id, seconds=20.0)
    step = {**MAIL, "content": "Hello {{firstname}}, may I tell you of a role that fits your work?"}
    with contextlib.suppress(ApprovalError):
        await update_blueprint(app, blueprint_id=own, expected_version=made.blueprint.version, steps=[step])
    [change] = (await app.changes.waiting(page=1, size=5)).items
    return change


def patches(sandbox: Sandbox) -> list[object]:
    """Return the changes that the vendors were sent."""
    return [one for one in httpx.get(f"{sandbox.http.base_url}/_requests").json() if one["method"] == "PATCH"]


def losing_the_next_answer(sandbox: Sandbox) -> None:
    """Let Kalent carry out the next change without telling."""
    fault = {"fault": "reset_during_body", "vendor": "kalent", "method": "PATCH"}
    httpx.post(f"{sandbox.http.base_url}/_faults", json=fault).raise_for_status()


@pytest.mark.parametrize("vendor", ["topo", "kalent"])
def test_a_change_at_a_vendor_needs_a_passkeys_signature_over_exactly_it_where_one_is_registered(
    world: PageWorld, clarky: Sandbox, vendor: str
) -> None:
    change = asked_at_topo(world) if vendor == "topo" else world.at_desk(asked_of_kalent)
    before = len(patches(clarky))
    with world.page() as visitor:
        person = SignedPage(world, visitor)
        path = f"/changes/{change.id}"
        visitor.get(path)
        elsewhere = person.signed(change.digest, origin="http://localhost:1")
        for signature in ("", "{}", person.signed("0" * 64), elsewhere):
            answer = visitor.post(f"{path}/approve", digest=change.digest, signature=signature)
            assert (answer.status, "not signed with a registered passkey" in answer.text) == (409, True)
        with pytest.raises(ApprovalError, match="not signed with a registered passkey"):
            world.at_desk(lambda app: unsigned_yes(app, change))
        assert len(patches(clarky)) == before
        signed = person.signed(change.digest)
        assert visitor.post(f"{path}/approve", digest=change.digest, signature=signed).status == 303
        done = visitor.get(path)
    assert "approved by page:passkey" in done.text and "It was done" in done.text
    assert len(patches(clarky)) == before + 1


async def unsigned_yes(app: AppContext, change: PendingChange) -> str:
    """Say yes in the terminal, which has no passkey."""
    seen = await decide.look_up(app, change.id)
    return await decide.approve_in_terminal(app, change.id, seen=seen, people=None, actor=Actor("terminal"))


def test_sending_a_change_of_unknown_outcome_once_more_is_signed_too(world: PageWorld, clarky: Sandbox) -> None:
    change = world.at_desk(asked_of_kalent)
    with world.page() as visitor:
        person = SignedPage(world, visitor)
        path = f"/changes/{change.id}"
        visitor.get(path)
        losing_the_next_answer(clarky)
        signed = person.signed(change.digest)
        assert visitor.post(f"{path}/approve", digest=change.digest, signature=signed).status == 409
        assert "Send it once more" in visitor.get(path).text
        sent = len(patches(clarky))
        for signature in ("", person.signed("0" * 64)):
            assert visitor.post(f"{path}/approve", digest=change.digest, signature=signature).status == 409
        with pytest.raises(ApprovalError, match="not signed with a registered passkey"):
            world.at_desk(lambda app: unsigned_yes(app, change))
        assert len(patches(clarky)) == sent
        assert visitor.post(f"{path}/approve", digest=change.digest, signature=signed).status == 303


@pytest.mark.usefixtures("clarky")
def test_a_person_and_a_campaign_at_a_vendor_tell_what_it_was_given_and_nothing_that_it_does_not_tell(
    world: PageWorld, person: Visitor
) -> None:
    plan = planned(world, note="Likes tea.")
    people = world.at_desk(lambda app: app.plans.list_people(plan.id, page=1, size=2)).items
    contact = f"/contacts/{people[0].contact.id}"
    assert "What Clarky was to be told" in person.get(contact).text
    assert approve(person, plan.id).status == 303
    shown = person.get(contact).text
    assert "What Clarky was told" in shown
    assert "<dt>note</dt><dd>Likes tea.</dd>" in shown
    campaign = person.get(f"/campaigns/{plan.header.blueprint_id}").text
    assert "Runs that were started here alone" in campaign
    assert "<dt>bounced</dt><dd>not known</dd>" in campaign
    assert f'href="/campaigns/{plan.header.blueprint_id}"' in person.get("/campaigns?provider=clarky").text
    assert person.get(f"/blueprints/{plan.header.blueprint_id}").status == 200
