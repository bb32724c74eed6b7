"""Texts written for one person, in the variant without a mail server: files in the outbox."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.test_saying_yes import blueprint_of
from tests.e2e.test_story import HELLO, JONAS, MARIA
from tests.world.installation import Installation, until

OWN = {**HELLO, "id": "own", "contentSource": "suggestedByKalent", "content": "About their latest work."}
TO_MARIA = "Hi Maria, your talk on queues was clear. Would a call about {{sourcingJobTitle}} suit you?"
TO_JONAS = "Hallo Jonas, dein Vortrag war sehr klar."


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """The product without a mail server."""
    return Installation(tmp_path)


def mails(installation: Installation) -> list[EmailMessage]:
    """Return what is in the outbox, by recipient."""
    files = (installation.data / "outbox").glob("*.eml")
    found = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
    return sorted(found, key=lambda mail: str(mail["To"]))


async def test_a_text_of_ones_own_is_given_or_written_read_and_goes_to_the_outbox(
    installation: Installation,
) -> None:
    secret = installation.passphrase_file()
    async with installation.client("legacy") as desktop:
        contacts = [{**MARIA, "texts": {"own": TO_MARIA}}, JONAS]
        blueprint = await blueprint_of(desktop, OWN)
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=contacts)
        assert (started["missing_texts"], started["to_read"]) == (1, 1)
        assert [(one["name"], one["step_ids"]) for one in started["to_write"]] == [("Jonas Silva", ["own"])]
        assert started["delivery"].startswith("outbox")
        plan = started["plan_id"]
        early = await installation.run("review", "approve", plan, "--passphrase-file", str(secret))
        assert (early.status, early.out.count("(no text yet)")) == (2, 1)
        assert early.err.startswith("1 texts of the plan are still to be written. Write them on the review page")
        waiting = (await desktop.call("list_reviews", plan_id=plan))["drafts"]["items"]
        [missing] = [draft for draft in waiting if draft["why"] == "missing"]
        written = await desktop.call("edit_draft", draft_id=missing["id"], content=TO_JONAS)
        assert (written["outcome"], written["content"]) == ("waiting_for_approval", TO_JONAS)
        said = await installation.run("review", "approve", plan, "--passphrase-file", str(secret))
        assert said.out.count("│ Hi Maria, your talk") == said.out.count("│ Hallo Jonas, dein") == 1
        assert "nothing is sent" in said.out
        await _completed(desktop, 2)
    to_jonas, to_maria = mails(installation)
    assert to_jonas.get_content().strip() == TO_JONAS
    assert to_maria.get_content().strip() == TO_MARIA.replace("{{sourcingJobTitle}}", "Engineer")
    assert to_jonas["Subject"] == to_maria["Subject"] == "Engineer in Lisbon"


async def _completed(desktop: Any, number: int) -> None:
    await until(
        lambda: desktop.call("list_sequences", status="COMPLETED"),
        lambda page: page["total_count"] == number,
    )


async def test_an_edit_under_way_waits_for_a_yes_of_its_own(installation: Installation) -> None:
    secret = installation.passphrase_file()
    later = {**HELLO, "id": "later", "temporalityType": "DELAYED", "delay": {"value": 1, "unit": "second"}}
    async with installation.having(WORKER="off").client() as desktop:
        blueprint = await blueprint_of(desktop, HELLO, later)
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[MARIA])
        plan, run = started["plan_id"], started["sample"]["sequence_id"]
        await installation.run("review", "approve", plan, "--passphrase-file", str(secret))
        draft = (await desktop.call("get_sequence", sequence_id=run))["steps"][1]["draft_id"]
        await desktop.call("edit_draft", draft_id=draft, content="Hi Maria, I changed my mind about the text.")
        async with installation.working():
            held = await until(
                lambda: desktop.call("get_sequence", sequence_id=run),
                lambda seen: seen["status"] == "WAITING_FOR_USER",
            )
            assert [step["state"] for step in held["steps"]] == ["in_outbox", "held"]
            shown = await installation.run("review", "show", draft)
            assert "│ Hi Maria, I changed my mind about the text." in shown.out
            said = await installation.run("review", "approve", draft, "--passphrase-file", str(secret))
            assert said.status == 0
            await _completed(desktop, 1)
    assert [mail.get_content().strip() for mail in mails(installation)].count(
        "Hi Maria, I changed my mind about the text."
    ) == 1
