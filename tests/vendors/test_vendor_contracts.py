"""The adapters against the sandbox over real HTTP: two readings of the same documents that must agree."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from tests.vendors.vendor_calls import CLIENTS, NOW, STEP, FakeClock, transport
from tests.world.vendors import keys, planted_world

from sequences_mcp.domain.blueprint import Delay, DelayUnit, Temporality
from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.domain.run import SequenceStatus, StopReason, StopScope
from sequences_mcp.errors import (
    NotFoundError,
    OutcomeUnknownError,
    ProviderConflictError,
    ProviderForbiddenError,
    ProviderRejectedError,
    ProviderUnauthorizedError,
    SequencesError,
)
from sequences_mcp.ports.embedded import SequenceFilter
from sequences_mcp.vendors.clarky.client import Lead
from sequences_mcp.vendors.transport import Transport
from sequences_sandbox.faults import Fault, FaultRule, Faults
from sequences_sandbox.seeds import UNPLACED_TALENT
from sequences_sandbox.serve import build, listening, loopback_server, settings


@dataclass(slots=True)
class Sandbox:
    """The sandbox as it is served, with a clock that a test moves and faults that it orders."""

    port: int
    faults: Faults
    opened: list[Transport]
    now: Any = NOW

    def client(self, vendor: str, key: str = "everything") -> Any:
        """Return a vendor's client with one of the sandbox's keys."""
        token = next((one.token for one in keys()[vendor] if one.name == key), key)  # type: ignore[index]  # a name
        who, make = CLIENTS[vendor]
        url = settings(self.port)[who.url_setting]
        self.opened.append(to := transport(who, url, key=token, clock=FakeClock()))
        return make(to)

    def order(self, vendor: str, fault: Fault, **rest: Any) -> None:
        """Let something go wrong with the next request."""
        self.faults.rules.append(FaultRule(fault=fault, vendor=vendor, **rest))


@asynccontextmanager
async def sandboxed() -> AsyncIterator[Sandbox]:
    listener = listening(0)
    one = Sandbox(listener.getsockname()[1], Faults(), [])
    web = loopback_server(build(planted_world(lambda: one.now), one.faults))
    running = asyncio.create_task(web.serve(sockets=[listener]))
    try:
        yield one
    finally:
        for to in one.opened:
            await to.aclose()
        web.should_exit = True
        await asyncio.wait_for(running, 60)


async def everything(pages: Any) -> list[Any]:
    """Return the items of all pages; ``pages`` takes a page's number."""
    items: list[Any] = []
    for number in range(1, 20):
        page = await pages(number)
        assert page.unreadable == 0
        items += page.items
        if not page.has_more:
            assert page.total_count in (None, len(items))
            return items
    raise AssertionError("the pages have no end")


async def test_kalent_from_a_sourcing_to_a_reply() -> None:
    async with sandboxed() as sandbox:
        kalent = sandbox.client("kalent")
        sourcings = await everything(lambda page: kalent.list_sourcings(page=page, size=1))
        home = next(one.id for one in sourcings if one.name == "Senior Backend Engineer")
        people = await everything(lambda page: kalent.list_candidates(home, page=page, size=1))
        assert {one.fields.first_name for one in people} == {"Ines", "Priya", "Olumide"}
        tomas = await kalent.add_talent(home, talent_id=f"kalent:{UNPLACED_TALENT}")
        assert (await kalent.get_candidate(tomas)).fields.email == "tomas@loom.example.com"
        assert await kalent.get_dynamic_sequence(tomas) is None
        blueprint = await kalent.create_blueprint(home, name="Hello", steps=[STEP])
        await kalent.update_blueprint(blueprint, name="Hello again", steps=[STEP, later_step()])
        await kalent.start(blueprint, candidate_ids=[tomas, people[0].id])
        run = await kalent.get_dynamic_sequence(tomas)
        assert run.contact_id == tomas
        assert run.status is SequenceStatus.ACTIVE


def later_step() -> Any:
    delayed = {"temporality_type": Temporality.DELAYED, "delay": Delay(value=3, unit=DelayUnit.DAY)}
    return STEP.model_copy(update={"id": "s2", "content": "Hello again {{firstname}}", **delayed})


async def test_kalents_rules_are_met_as_errors_before_anything_is_done() -> None:
    async with sandboxed() as sandbox:
        kalent = sandbox.client("kalent")
        bad = STEP.model_copy(update={"content": "Hello {{firstName}} at [company]"})
        with pytest.raises(ProviderRejectedError) as caught:
            await kalent.create_blueprint("kalent:sourcing_1", name="Bad", steps=[bad])
        assert caught.value.data["vendor_code"] == "validation_error"
        assert caught.value.data["request_id"]
        blueprint = await kalent.create_blueprint("kalent:sourcing_1", name="Good", steps=[STEP])
        for ids in (["kalent:candidate_yuki"], ["kalent:candidate_nobody"]):  # another sourcing's, and nobody's
            with pytest.raises(SequencesError) as refused:
                await kalent.start(blueprint, candidate_ids=ids)
            assert refused.value.outcome in ("not_done", "refused")


KALENT_KEYS = {
    "no plan for outreach": ("plan_upgrade_required", "https://app.kalent.ai/settings/billing"),
    "no mailbox is connected": ("channel_not_connected", "Connect it"),
}


@pytest.mark.parametrize("key", KALENT_KEYS)
async def test_what_kalent_is_missing_is_said_with_its_remedy(key: str) -> None:
    code, remedy = KALENT_KEYS[key]
    async with sandboxed() as sandbox:
        blueprint = await sandbox.client("kalent").create_blueprint("kalent:sourcing_1", name="B", steps=[STEP])
        with pytest.raises(SequencesError) as caught:
            await sandbox.client("kalent", key).start(blueprint, candidate_ids=["kalent:candidate_ines"])
    assert caught.value.code == code
    assert remedy in caught.value.next_step


LUCIA = Lead(first_name="Lucia", emails=("lucia@example.com",), notes="Speaks Spanish.")


async def test_clarky_from_a_start_to_its_review_queue() -> None:
    async with sandboxed() as sandbox:
        clarky = sandbox.client("clarky")
        start = {"contact": LUCIA, "idempotency_key": "lead-1"}
        began = await clarky.start("clarky:tpl_01SANDBOXMEETING", **start)
        again = await clarky.start("clarky:tpl_01SANDBOXMEETING", **start)
        assert again == began is not None
        sandbox.now += timedelta(minutes=5)
        run = await clarky.get_enrollment(began)
        assert run.status is SequenceStatus.FOUND
        assert run.steps[0].channel == "email"
        lucia = await clarky.get_contact_by_email("LUCIA@example.com")
        assert lucia.id == run.contact_id == (await clarky.get_contact(lucia.id)).id
        assert lucia.notes.count("Speaks Spanish.") == 1
        agents = await everything(lambda page: clarky.list_agents(page=page, size=1))
        people = await everything(lambda page: clarky.list_contacts(page=page, size=2))
        assert agents and lucia.id in {one.id for one in people}


async def test_a_clarky_start_whose_answer_was_lost_is_found_by_its_key() -> None:
    async with sandboxed() as sandbox:
        clarky = sandbox.client("clarky")
        sandbox.order("clarky", Fault.STATUS, status=504, act=True)
        began = await clarky.start("clarky:tpl_01SANDBOXMEETING", contact=LUCIA, idempotency_key="lead-1")
        assert began
        assert len((await clarky.list_contacts(size=100)).items) == 4


CLARKY_REFUSALS = {
    "a template without a bot": ("clarky:tpl_01SANDBOXREPLY", LUCIA, "bot_id"),
    "nobody the template can reach": ("clarky:tpl_01SANDBOXCALL", LUCIA, "contact"),
    "no such template": ("clarky:tpl_x", LUCIA, "vendor_message"),
}


@pytest.mark.parametrize("case", CLARKY_REFUSALS)
async def test_what_clarky_finds_wrong_is_said_and_nothing_is_done(case: str) -> None:
    template, lead, word = CLARKY_REFUSALS[case]
    async with sandboxed() as sandbox:
        with pytest.raises(ProviderRejectedError) as caught:
            await sandbox.client("clarky").start(template, contact=lead, idempotency_key="k")
    assert word in str(caught.value)


@pytest.mark.parametrize("key", ["read only", "a plan without sequences"])
async def test_a_clarky_key_that_may_not_start_says_why_that_may_be(key: str) -> None:
    async with sandboxed() as sandbox:
        with pytest.raises(ProviderForbiddenError, match="Standard"):
            await sandbox.client("clarky", key).start(
                "clarky:tpl_01SANDBOXMEETING", contact=LUCIA, idempotency_key="k"
            )


async def test_topo_from_a_list_to_a_stop_of_a_whole_company() -> None:
    async with sandboxed() as sandbox:
        topo = sandbox.client("topo")
        assert "sequences:write" in await topo.get_me()
        template = next(one for one in (await topo.list_templates()).items if one.name == "Three e-mails")
        assert (await topo.get_template(template.id)).step_count == 3
        made = await topo.create_contact_list(name="Spring", blueprint_id=template.id)
        people = [ContactFields(email="new@loom.example.com", first_name="New"), ContactFields(linkedin_url="x")]
        outcomes = await topo.create_entries(made.item.id, people=people)
        assert len(outcomes) == 2
        assert outcomes[0].outcome == "done"
        sandbox.now += timedelta(hours=1)
        runs = await everything(lambda page: topo.list_sequences(SequenceFilter(page=page, size=2)))
        ours = next(one for one in runs if one.list_id == made.item.id)
        paused = await topo.pause_sequence(ours.id, until=sandbox.now + timedelta(days=3))
        assert paused.status is SequenceStatus.WAITING_FOR_LEAD
        assert (await topo.resume_sequence(ours.id)).status is SequenceStatus.ACTIVE
        merged = await topo.update_variables(ours.id, variables={"first_name": "Nova", "gone": None})
        assert merged.variables["first_name"] == "Nova"
        stopped = await topo.stop_sequence(ours.id, reason=StopReason.LOSE, scope=StopScope.COMPANY)
        assert stopped.status is SequenceStatus.STOPPED_EARLY
        left = await topo.list_sequences(SequenceFilter(status=SequenceStatus.ACTIVE, blueprint_id=template.id))
        colleagues = [(await topo.get_contact(run.contact_id)).fields.company_domain for run in left.items]
        assert "loom.example.com" not in colleagues
        with pytest.raises(ProviderConflictError):
            await topo.resume_sequence(ours.id)


async def test_topo_people_lists_exclusions_and_what_happened() -> None:
    async with sandboxed() as sandbox:
        topo = sandbox.client("topo")
        ines = (await topo.list_contacts(email="INES@loom.example.com")).items[0]
        assert (await topo.get_contact(ines.id)).fields.company == "Loom and Sons"
        lists = await everything(lambda page: topo.list_contact_lists(page=page, size=2))
        founders = next(one for one in lists if one.name == "Founders")
        assert (await topo.get_contact_list(founders.id)).enrols is True
        await topo.exclude_contact(reason="CONTACT_REFUSED", email="ines@loom.example.com")
        found = await topo.list_contact_exclusions(email="ines@loom.example.com")
        assert len(found.items) == 1
        await topo.exclude_account(reason="COMPETITOR", domain="loom.example.com")
        assert len((await topo.list_account_exclusions()).items) == 1
        run = (await topo.list_sequences(SequenceFilter())).items[0]
        happened = await everything(lambda page: topo.list_activities(sequence_id=run.id, page=page, size=3))
        assert all(item.type and item.created_at for item in happened)


async def test_topo_tasks() -> None:
    async with sandboxed() as sandbox:
        topo = sandbox.client("topo")
        task = (await topo.list_tasks(status="PENDING")).items[0]
        assert isinstance(await topo.list_task_messages(task.id), tuple)
        assert (await topo.skip_task(task.id)).provider_status == "SKIPPED"
        run = await topo.get_sequence(task.sequence_id)
        assert run.status is not SequenceStatus.WAITING_FOR_USER
        with pytest.raises(ProviderConflictError):
            await topo.skip_task(task.id)


async def test_a_topo_key_without_a_scope_is_told_which_one_to_add() -> None:
    async with sandboxed() as sandbox:
        run = (await sandbox.client("topo").list_sequences(SequenceFilter())).items[0]
        with pytest.raises(ProviderForbiddenError) as caught:
            await sandbox.client("topo", "read only").resume_sequence(run.id)
    assert caught.value.data["missing_scope"] == "sequences:write"
    assert "`sequences:write`" in caught.value.next_step


FIRST = {
    "kalent": lambda c: c.list_sourcings(),
    "clarky": lambda c: c.list_contacts(),
    "topo": lambda c: c.list_contacts(),
}


@pytest.mark.parametrize("vendor", FIRST)
async def test_a_wrong_key_is_told_by_the_name_of_its_setting(vendor: str) -> None:
    async with sandboxed() as sandbox:
        with pytest.raises(ProviderUnauthorizedError) as caught:
            await FIRST[vendor](sandbox.client(vendor, "not_a_key_of_the_sandbox"))
    assert f"{vendor.upper()}_API_KEY" in caught.value.next_step


MISSING = {
    "kalent": lambda c: c.get_candidate("kalent:nobody"),
    "clarky": lambda c: c.get_contact("clarky:nobody"),
    "topo": lambda c: c.get_contact("topo:33333333-3333-4333-8333-333333333333"),
}


@pytest.mark.parametrize("vendor", MISSING)
async def test_what_is_not_there_is_not_found(vendor: str) -> None:
    async with sandboxed() as sandbox:
        with pytest.raises(NotFoundError):
            await MISSING[vendor](sandbox.client(vendor))


@pytest.mark.parametrize("fault", [Fault.RESET_BEFORE_BODY, Fault.RESET_DURING_BODY, Fault.HTML, Fault.TRUNCATED])
async def test_a_topo_enrolment_whose_answer_is_lost_is_unknown_and_made_once(fault: Fault) -> None:
    async with sandboxed() as sandbox:
        topo = sandbox.client("topo")
        home = (await topo.list_contact_lists(name="Founders")).items[0]
        sandbox.order("topo", fault, act=True)
        with pytest.raises(OutcomeUnknownError):
            await topo.create_entries(home.id, people=[ContactFields(email="one@example.com")])
        assert (await topo.get_contact_list(home.id)).entries_count == 1
