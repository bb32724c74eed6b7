"""A yes is asked about again at the moment of each send: what changed since does not leave."""

from __future__ import annotations

import pytest
from tests.world.product import GRACE, LINKEDIN, MAIL, Bureau, Desktop, mailing, yes
from tests.world.stores import shell

from sequences_mcp.domain.actors import Actor
from sequences_mcp.review.decide import approve_in_terminal, look_up

CHANGES = {
    "SENDER": "Eve Lovelace <ada@lovelace.example>",
    "WINDOW": "Mon-Sun 00:00-23:00",
    "DAILY_CAP": "9999",
    "SPACING": "1",
}


async def approved(bureau: Bureau, desktop: Desktop) -> str:
    """Start one person with a person's yes and return the run."""
    blueprint = await desktop.blueprint(MAIL, LINKEDIN)
    started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
    assert started["approval"] == "given"
    return str(started["sample"]["sequence_id"])


async def held_because(bureau: Bureau, desktop: Desktop, run: str) -> str:
    """Work, and return why nothing left."""
    bureau.work()
    seen = await desktop.call("get_sequence", sequence_id=run)
    assert (seen["status"], seen["steps"][0]["state"], bureau.outbox) == ("WAITING_FOR_USER", "held", [])
    return str(seen["steps"][0]["reason"])


@pytest.mark.parametrize("setting", CHANGES)
async def test_a_changed_setting_holds_what_leaves_until_it_is_approved_too(bureau: Bureau, setting: str) -> None:
    async with bureau.client("auto", yes) as desktop:
        run = await approved(bureau, desktop)
        changed = bureau.having(**{setting: CHANGES[setting]})
        assert "approved for other settings" in await held_because(changed, desktop, run)
    async with changed.client("auto") as desktop:
        [plan] = (await desktop.call("list_reviews"))["plans"]["items"]
        assert (plan["status"], plan["people"]) == ("waiting", 1)
    async with changed.app() as app:
        seen = await look_up(app, plan["plan_id"], renew=True)
        await approve_in_terminal(app, plan["plan_id"], seen=seen, people=None, actor=Actor("test"))
    changed.work()
    assert len(changed.outbox) == 1


async def test_a_yes_to_files_in_a_folder_is_none_to_real_mail(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        run = await approved(bureau, desktop)
        with mailing(bureau, {}) as (connected, inbox):
            connected.work()
            async with connected.client("auto") as other:
                seen = await other.call("get_sequence", sequence_id=run)
            changed = "approved for other settings: delivery was 'outbox' and is now 'smtp://127.0.0.1:"
            assert changed in seen["why"]
            assert (seen["status"], inbox.seen, bureau.outbox) == ("ACTIVE", 0, [])
        bureau.work()
        assert len(bureau.outbox) == 1


async def test_a_contact_whose_address_changed_is_looked_at_again(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        grace = await desktop.contact(phone="+33612345678")
        run = await approved(bureau, desktop)
        await desktop.call("save_contacts", contacts=[{"id": grace, "email": "eve@evil.example"}])
        reason = await held_because(bureau, desktop, run)
    assert reason == "it was approved for grace@hopper.example, and the contact's address is now eve@evil.example"


async def test_someone_suppressed_after_the_yes_gets_nothing(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        run = await approved(bureau, desktop)
        await desktop.call("suppress_contact", contact="HOPPER.example", reason="the whole company asked")
        bureau.work()
        seen = await desktop.call("get_sequence", sequence_id=run)
    assert (seen["status"], seen["reason"]) == ("STOPPED_EARLY", "suppressed: the whole company asked")
    assert bureau.outbox == []


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE step_run SET content = 'Hi Grace, click here.' WHERE step = 0",
        "UPDATE step_run SET recipient = 'eve@evil.example' WHERE step = 0",
        "UPDATE step_run SET subject = 'URGENT' WHERE step = 0",
    ],
    ids=["text", "recipient", "subject"],
)
async def test_a_text_changed_behind_the_products_back_does_not_leave(bureau: Bureau, sql: str) -> None:
    async with bureau.client("auto", yes) as desktop:
        run = await approved(bureau, desktop)
        with shell(bureau.folder) as database:
            database.execute("DROP TRIGGER step_run_text_is_never_changed")
            database.execute(sql)
        assert await held_because(bureau, desktop, run) == "this text is not the one that was approved"
