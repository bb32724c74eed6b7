"""A person's yes and no, by every way there is; without one nothing leaves."""

from __future__ import annotations

import asyncio
from typing import Any

from mcp.types import ElicitResult
from tests.e2e.test_story import HELLO, JONAS, LEA, MARIA, ROLE
from tests.world.installation import PASSPHRASE, Installation, until
from tests.world.mail_servers import PostOffice
from tests.world.product import Desktop

NO = ElicitResult(action="decline")
CLOSED = ElicitResult(action="cancel")
ANSWERS = {MARIA["email"]: NO, JONAS["email"]: CLOSED}


def by_address(message: str) -> ElicitResult:
    """Answer as the person of this test does: no to one, not at all to the other."""
    return next(answer for email, answer in ANSWERS.items() if email in message)


def never(message: str) -> ElicitResult:
    """Stand for a person who must not be asked."""
    raise NotImplementedError(message)


async def blueprint_of(desktop: Desktop, *steps: dict[str, Any]) -> str:
    """Save a blueprint and return its id."""
    saved = await desktop.call("create_blueprint", steps=list(steps or [HELLO]), **ROLE)
    return str(saved["blueprint_id"])


async def test_no_a_closed_dialog_no_dialog_and_a_forbidden_dialog_are_four_results(
    installation: Installation, office: PostOffice, era: str
) -> None:
    async with installation.client(era, by_address) as desktop:
        blueprint = await blueprint_of(desktop)
        declined = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[MARIA])
        closed = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[JONAS])
    async with installation.client(era) as desktop:
        without = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[LEA])
    async with installation.having(ELICITATION="off").client(era, never) as desktop:
        start = {"blueprint_id": blueprint, "contacts": [LEA], "idempotency_key": "off"}
        forbidden = await desktop.call("start_sequence", **start)
        told = await desktop.call("list_providers")
        waiting = await desktop.call("list_reviews")
    results = [(one["outcome"], one["approval"], one["status"]) for one in (declined, closed, without, forbidden)]
    assert results == [
        ("refused", "declined", "refused"),
        ("waiting_for_approval", "dismissed", "waiting"),
        ("waiting_for_approval", "not_asked", "waiting"),
        ("waiting_for_approval", "not_asked", "waiting"),
    ]
    assert [way.partition(":")[0] for way in told["approval"]] == ["review page", "terminal"]
    assert waiting["plans"]["total_count"] == 3
    assert {one["sent"] for one in (declined, closed, without, forbidden)} == {"nothing"}
    assert len({one["next"] for one in (declined, closed, without)}) == 3
    assert office.messages == []


async def test_a_yes_in_a_terminal_of_its_own_sets_the_plan_going(
    installation: Installation, office: PostOffice
) -> None:
    secret = await installation.with_passphrase()
    async with installation.client("legacy") as desktop:
        start = {"blueprint_id": await blueprint_of(desktop), "contacts": [MARIA, JONAS]}
        started = await desktop.call("start_sequence", **start)
        assert (started["outcome"], office.messages) == ("waiting_for_approval", [])
        said = await installation.run("review", "approve", started["plan_id"], "--passphrase-file", str(secret))
        assert (said.status, said.err) == (0, "")
        assert "Subject: Engineer in Lisbon" in said.out
        assert f"\n{started['plan_id']} is approved: 2 people." in said.out
        await asyncio.to_thread(office.wait_for, 2)
    assert office.sent == [(one["email"], "Engineer in Lisbon") for one in (JONAS, MARIA)]
    assert PASSPHRASE not in (installation.data / "passphrase.json").read_text()


async def test_what_a_person_did_not_see_is_not_approved(installation: Installation, office: PostOffice) -> None:
    secret = installation.passphrase_file()
    async with installation.client() as desktop:
        blueprint = await blueprint_of(desktop)
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[MARIA])
        run = started["sample"]["sequence_id"]
        approve = ("review", "approve", started["plan_id"], "--passphrase-file", str(secret))
        draft = (await desktop.call("get_sequence", sequence_id=run))["steps"][0]["draft_id"]
        await desktop.call("edit_draft", draft_id=draft, content="Hi {{firstname}}, another text.")
        renewed = await installation.run(*approve)
        assert (renewed.status, renewed.err) == (0, "")
        assert "│ Hi Maria, another text." in renewed.out
        await asyncio.to_thread(office.wait_for, 1)
        await until(
            lambda: desktop.call("get_sequence", sequence_id=run), lambda seen: seen["status"] == "COMPLETED"
        )
    [mail] = office.messages
    assert mail.get_content().strip() == "Hi Maria, another text."
