"""What changes the texts of people under way at a vendor waits for a person, who sees the old and the new."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from mcp.types import ElicitResult
from tests.secrecy.client import Client
from tests.server.test_vendor_tools import run_at_topo
from tests.world.product import Desktop
from tests.world.stores import shell
from tests.world.vendors import Connected, start_at
from tests.world.vendors import approve as start_yes

from sequences_mcp.domain.actors import Actor
from sequences_mcp.errors import (
    ApprovalError,
    ConflictError,
    OutcomeUnknownError,
    ProviderError,
    RefusedByGuardsError,
)
from sequences_mcp.review.decide import approve_in_terminal, look_up, reject_in_terminal
from sequences_mcp.review.terminal import review_list
from sequences_mcp.services.reviews import list_reviews

HELLO = {"opener": "Hello"}
YES = ElicitResult(action="accept", content={"approve": True})
NO = ElicitResult(action="decline")
CLOSED = ElicitResult(action="cancel")


async def patches(vendors: Connected) -> int:
    """Return how many changes Topo has been sent."""
    return sum(one["method"] == "PATCH" for one in await vendors.sandbox.received())


async def test_variables_of_a_run_at_topo_wait_for_a_person_who_sees_old_and_new(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        run = await run_at_topo(desktop)
        asked = await desktop.refused("update_sequence", sequence_id=run, variables={"opener": "Hello"})
        again = await desktop.refused(
            "update_sequence", sequence_id=run, variables={"opener": "Hello"}, idempotency_key="other"
        )
        listed = await desktop.call("list_reviews")
    change = asked["change_id"]
    assert (again["change_id"], change in listed["next"]) == (change, True)
    assert await patches(vendors) == 0
    async with vendors.app() as app:
        seen = await look_up(app, change)
        assert [line.strip() for line in seen.lines[1:]] == ["opener", "before: (nothing)", "after:  Hello"]
        said = await approve_in_terminal(app, change, seen=seen, people=None, actor=Actor("test"))
        with pytest.raises(ConflictError):
            await approve_in_terminal(app, change, seen=seen, people=None, actor=Actor("test"))
    assert said == f"{change} is done at Topo."
    assert await patches(vendors) == 1


@pytest.mark.parametrize("value", ["{{company}}", "[First Name]", "[insert note]"])
async def test_a_placeholder_is_refused_before_any_request(vendors: Connected, value: str) -> None:
    async with vendors.client() as desktop:
        run = await run_at_topo(desktop)
        template = (await desktop.call("list_blueprints", provider="topo"))["items"][0]["id"]
        person = {"email": "zoe@globex.example", "first_name": value}
        noted = {"email": "zoe@globex.example", "first_name": "Zoe", "note": value}
        before = len(await vendors.sandbox.received())
        for tool, arguments in [
            ("update_sequence", {"sequence_id": run, "variables": {"opener": value}}),
            ("start_sequence", {"blueprint_id": template, "contacts": [person]}),
            ("start_sequence", {"blueprint_id": "clarky:t_1", "contacts": [person]}),
            ("start_sequence", {"blueprint_id": "clarky:t_1", "contacts": [noted]}),
            ("save_contacts", {"contacts": [person]}),
            ("save_contacts", {"contacts": [noted]}),
            ("save_contacts", {"contacts": [person], "provider": "topo:list_1"}),
        ]:
            error = await desktop.refused(tool, **arguments)
            assert error["code"] == RefusedByGuardsError.code, (tool, error)
            assert error["values"][0]["value"] == value
        assert len(await vendors.sandbox.received()) == before


async def asked_at_topo(vendors: Connected) -> tuple[str, dict[str, Any]]:
    """Ask for another opener of a run at Topo; return the run and what the tool says."""
    async with vendors.client() as desktop:
        run = await run_at_topo(desktop)
        return run, await desktop.refused("update_sequence", sequence_id=run, variables=HELLO)


@asynccontextmanager
async def person(vendors: Connected, answer: ElicitResult, era: str, said: list[str]) -> AsyncIterator[Desktop]:
    """Connect a client whose dialogs get this answer; ``said`` collects the questions."""

    async def dialog(context: object, params: Any) -> ElicitResult:
        said.append(params.message)
        return answer

    async with Client(vendors.server, mode=era, elicitation_callback=dialog) as client:
        yield Desktop(client)


async def test_reviews_show_the_old_and_the_new_value_of_a_change(vendors: Connected, era: str) -> None:
    run, asked = await asked_at_topo(vendors)
    async with vendors.client(era) as desktop:
        [seen] = (await desktop.call("list_reviews"))["changes"]["items"]
    assert (seen["change_id"], seen["id"]) == (asked["change_id"], run)
    assert seen["changes"] == [{"name": "opener", "before": "(nothing)", "after": "Hello"}]


async def test_a_refused_change_waits_no_longer_and_says_who_refused_it(vendors: Connected) -> None:
    change = (await asked_at_topo(vendors))[1]["change_id"]
    async with vendors.app() as app:
        said = await reject_in_terminal(app, change, reason="not now", actor=Actor("ada"))
        seen = await look_up(app, change)
        with pytest.raises(ConflictError, match="rejected by ada: not now"):
            await approve_in_terminal(app, change, seen=seen, people=None, actor=Actor("ada"))
        listed = list(review_list(await list_reviews(app)))
    assert said == f"{change} is rejected; nothing was changed at Topo."
    assert listed == ["Nothing waits for you."]
    assert await patches(vendors) == 0


async def test_a_change_can_be_approved_for_24_hours_and_then_asked_for_anew(vendors: Connected) -> None:
    run, asked = await asked_at_topo(vendors)
    vendors.clock.now += timedelta(hours=24)
    async with vendors.app() as app:
        seen = await look_up(app, asked["change_id"])
        with pytest.raises(ConflictError, match="expired"):
            await approve_in_terminal(app, asked["change_id"], seen=seen, people=None, actor=Actor("ada"))
    async with vendors.client() as desktop:
        assert "changes" not in await desktop.call("list_reviews")
        anew = await desktop.refused("update_sequence", sequence_id=run, variables=HELLO)
    assert anew["change_id"] != asked["change_id"]
    assert await patches(vendors) == 0


async def test_whoever_asked_for_a_change_takes_it_back(vendors: Connected, era: str) -> None:
    change = (await asked_at_topo(vendors))[1]["change_id"]
    async with vendors.client(era) as desktop:
        done = await desktop.call("withdraw_plan", plan_id=change, reason="a mistake")
        again = await desktop.refused("withdraw_plan", plan_id=change, reason="once more")
    assert (done["plan_id"], done["status"], done["sent"]) == (change, "refused", "nothing")
    assert "rejected by withdraw_plan: a mistake" in again["message"]


async def test_where_a_passkey_is_registered_an_unsigned_yes_to_a_change_is_none(vendors: Connected) -> None:
    change = (await asked_at_topo(vendors))[1]["change_id"]
    keys = '[{"id": "x", "public_key": "00", "registered_at": ""}]'
    vendors.workspace.passkeys.write_text(keys)
    async with vendors.app() as app:
        seen = await look_up(app, change)
        with pytest.raises(ApprovalError, match="not signed with a registered passkey"):
            await approve_in_terminal(app, change, seen=seen, people=None, actor=Actor("ada"))
        assert (await app.changes.get(change)).standing(vendors.clock()) == "waiting"
    assert await patches(vendors) == 0


async def test_a_yes_in_the_dialog_carries_the_change_out(vendors: Connected, era: str) -> None:
    said: list[str] = []
    async with person(vendors, YES, era, said) as desktop:
        run = await run_at_topo(desktop)
        done = await desktop.call("update_sequence", sequence_id=run, variables=HELLO)
        listed = await desktop.call("list_reviews")
    [question] = said
    assert "Now: (nothing)" in question and "If approved: Hello" in question
    assert (done["id"], done["outcome"], "changes" in listed) == (run, "done", False)
    assert await patches(vendors) == 1


@pytest.mark.parametrize(("answer", "waits"), [(NO, False), (CLOSED, True)])
async def test_anything_but_a_yes_in_the_dialog_changes_nothing(
    vendors: Connected, era: str, answer: ElicitResult, waits: bool
) -> None:
    async with person(vendors, answer, era, []) as desktop:
        run = await run_at_topo(desktop)
        await desktop.refused("update_sequence", sequence_id=run, variables=HELLO)
        listed = await desktop.call("list_reviews")
    assert ("changes" in listed) == waits
    assert await patches(vendors) == 0


async def asked_at_kalent(vendors: Connected, desktop: Desktop) -> tuple[str, str]:
    """Start a person in a blueprint at Kalent, then ask for another text of it; return blueprint and change."""
    start = await start_at("kalent", desktop)
    await start_yes(vendors, await start.ask(desktop))
    old = (await desktop.call("get_blueprint", blueprint_id=start.blueprint_id))["steps"]
    steps = [{**old[0], "content": "Hello {{firstname}}, may I tell you of a role that fits your work?"}]
    asked = await desktop.refused(
        "update_blueprint", blueprint_id=start.blueprint_id, expected_version=1, steps=steps
    )
    return start.blueprint_id, str(asked["change_id"])


async def at_kalent(vendors: Connected) -> int:
    """Return how many changes of a blueprint Kalent has been sent."""
    return sum(one["method"] == "PATCH" for one in await vendors.sandbox.received())


async def test_a_kalent_blueprint_with_people_under_way_changes_once_a_person_has_seen_the_texts(
    vendors: Connected, era: str
) -> None:
    async with vendors.client(era) as desktop:
        blueprint, change = await asked_at_kalent(vendors, desktop)
        [shown] = (await desktop.call("list_reviews"))["changes"]["items"]
        before = await at_kalent(vendors)
        async with vendors.app() as app:
            seen = await look_up(app, change)
            said = await approve_in_terminal(app, change, seen=seen, people=None, actor=Actor("ada"))
            again = await look_up(app, change)
        now = await desktop.call("get_blueprint", blueprint_id=blueprint)
    assert [one["name"] for one in shown["changes"]] == ["step hello: content"]
    assert any("a role that fits your work" in line for line in seen.lines)
    assert "approved by ada" in again.lines[0] and "It was done" in again.lines[0]
    assert (said, now["version"]) == (f"{change} is done at Kalent.", 2)
    assert (before, await at_kalent(vendors)) == (0, 1)


def kept_earlier(vendors: Connected) -> dict[str, Any]:
    """Return what the one change that waits was asked about, as it is stored."""
    [(earlier,)] = vendors.rows("SELECT earlier FROM asked_change")
    stored: dict[str, Any] = json.loads(earlier)
    return stored


def keep_earlier(vendors: Connected, earlier: dict[str, Any]) -> None:
    """Store something else in its place, as somebody with a shell would."""
    with shell(vendors.folder) as database:
        database.execute("UPDATE asked_change SET earlier = ?", (json.dumps(earlier),))


async def test_a_change_that_an_older_program_kept_without_a_later_field_is_approved(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        _, change = await asked_at_kalent(vendors, desktop)
        earlier = kept_earlier(vendors)
        del earlier["steps"][0]["policy"]["autoValidateAIDraft"], earlier["location"]
        keep_earlier(vendors, earlier)
        async with vendors.app() as app:
            seen = await look_up(app, change)
            said = await approve_in_terminal(app, change, seen=seen, people=None, actor=Actor("ada"))
    assert (said, await at_kalent(vendors)) == (f"{change} is done at Kalent.", 1)


async def test_a_blueprints_change_is_not_approved_over_another_text_than_was_shown(
    vendors: Connected,
) -> None:
    async with vendors.client() as desktop:
        _, change = await asked_at_kalent(vendors, desktop)
        earlier = kept_earlier(vendors)
        earlier["steps"][0]["content"] = "Hi"
        keep_earlier(vendors, earlier)
        async with vendors.app() as app:
            seen = await look_up(app, change)
            with pytest.raises(ConflictError, match="not what it was"):
                await approve_in_terminal(app, change, seen=seen, people=None, actor=Actor("ada"))
    assert await at_kalent(vendors) == 0


async def test_a_lost_answer_to_an_approved_change_is_unknown_until_the_same_yes_settles_it(
    vendors: Connected,
) -> None:
    async with vendors.client() as desktop:
        blueprint, change = await asked_at_kalent(vendors, desktop)
        await vendors.sandbox.fault("reset_during_body", vendor="kalent", method="PATCH")
        async with vendors.app() as app:
            seen = await look_up(app, change)
            with pytest.raises(OutcomeUnknownError, match="OUTCOME UNKNOWN") as lost:
                await approve_in_terminal(app, change, seen=seen, people=None, actor=Actor("ada"))
            doubted = await look_up(app, change)
            told = await desktop.call("check_operation", operation_id=lost.value.data["operation_id"])
            await approve_in_terminal(app, change, seen=seen, people=None, actor=Actor("ada"))
            with pytest.raises(ConflictError, match="It was done"):
                await approve_in_terminal(app, change, seen=seen, people=None, actor=Actor("ada"))
        now = await desktop.call("get_blueprint", blueprint_id=blueprint)
    assert "Approving it once more" in lost.value.next_step
    assert "Nobody knows whether it was done" in doubted.lines[0]
    assert (told["outcome"], now["version"]) == ("unknown", 2)
    assert f"review approve {change}" in told["next"] and "once more" in told["next"]
    assert "The very same call" not in told["next"]


async def test_a_lost_answer_to_approved_variables_is_read_back_from_topo(vendors: Connected) -> None:
    change = (await asked_at_topo(vendors))[1]["change_id"]
    await vendors.sandbox.fault("reset_during_body", vendor="topo", method="PATCH")
    async with vendors.app() as app:
        seen = await look_up(app, change)
        with pytest.raises(OutcomeUnknownError) as lost:
            await approve_in_terminal(app, change, seen=seen, people=None, actor=Actor("ada"))
    async with vendors.client() as desktop:
        told = await desktop.call("check_operation", operation_id=lost.value.data["operation_id"])
    async with vendors.app() as app:
        assert "It was done" in (await look_up(app, change)).lines[0]
    assert told["outcome"] == "done"


async def test_a_vendors_refusal_of_an_approved_change_is_told_and_it_may_be_asked_for_anew(
    vendors: Connected,
) -> None:
    async with vendors.client() as desktop:
        _, change = await asked_at_kalent(vendors, desktop)
        await vendors.sandbox.fault("status", status=422, vendor="kalent", method="PATCH")
        async with vendors.app() as app:
            seen = await look_up(app, change)
            with pytest.raises(ProviderError):
                await approve_in_terminal(app, change, seen=seen, people=None, actor=Actor("ada"))
            assert "It was not done" in (await look_up(app, change)).lines[0]
        assert "changes" not in await desktop.call("list_reviews")


async def test_a_change_is_not_approved_over_what_moved_since(vendors: Connected) -> None:
    run, asked = await asked_at_topo(vendors)
    async with vendors.app() as app:
        first = await look_up(app, asked["change_id"])
        async with vendors.client() as desktop:
            other = await desktop.refused("update_sequence", sequence_id=run, variables={"opener": "Good day"})
        second = await look_up(app, other["change_id"])
        await approve_in_terminal(app, other["change_id"], seen=second, people=None, actor=Actor("ada"))
        with pytest.raises(ConflictError, match="not what it was"):
            await approve_in_terminal(app, asked["change_id"], seen=first, people=None, actor=Actor("ada"))
    assert await patches(vendors) == 1


async def test_a_change_that_nobody_started_here_is_under_way_in_says_what_is_not_known(
    vendors: Connected,
) -> None:
    async with vendors.client() as desktop:
        start = await start_at("kalent", desktop)
        done = await desktop.call(
            "update_blueprint", blueprint_id=start.blueprint_id, expected_version=1, name="Others"
        )
    assert "does not tell whether people started in its own app are under way" in done["next"]


async def test_changes_that_wait_are_counted_wherever_what_waits_is_counted(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        run = await run_at_topo(desktop)
        assert (await desktop.call("list_providers"))["waiting_changes"] == 0
        asked = [
            (await desktop.refused("update_sequence", sequence_id=run, variables={"opener": f"Hello {number}"}))
            for number in range(3)
        ]
        state = await desktop.call("list_providers")
        pages = [(await desktop.call("list_reviews", page=page, size=2))["changes"] for page in (1, 2)]
        said = (await desktop.call("list_reviews", size=1))["next"]
    assert (state["waiting_changes"], state["waiting_since"]) == (3, f"{vendors.clock.now:%Y-%m-%dT%H:%M}+00:00")
    shown = [one["change_id"] for page in pages for one in page["items"]]
    assert sorted(shown) == sorted(one["change_id"] for one in asked)
    assert [(page["total_count"], page["has_more"]) for page in pages] == [(3, True), (3, False)]
    assert "Changes wait: 3." in said
    async with vendors.app() as app:
        first, second = [list(review_list(await list_reviews(app, page=page, size=2))) for page in (1, 2)]
    assert [len(first), first[-1], len(second)] == [3, "There is more: --page 2.", 1]
    vendors.clock.now += timedelta(hours=24)
    async with vendors.client() as desktop:
        assert (await desktop.call("list_providers"))["waiting_changes"] == 0


async def test_a_change_of_many_values_says_how_many_are_not_shown(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        run = await run_at_topo(desktop)
        await desktop.refused(
            "update_sequence", sequence_id=run, variables={f"own_{n}": "Hello" for n in range(9)}
        )
        [seen] = (await desktop.call("list_reviews"))["changes"]["items"]
    assert (len(seen["changes"]), seen["more_changes"]) == (5, 4)
