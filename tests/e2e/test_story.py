"""From a blueprint to e-mails that a real server has on its disk, the way a person would live it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from mcp.types import ElicitResult
from tests.world.installation import Installation, until
from tests.world.mail_servers import PostOffice
from tests.world.product import Desktop, yes

HELLO = {
    "id": "hello",
    "name": "Hello",
    "type": "EMAIL",
    "subject": "{{sourcingJobTitle}} in {{sourcingLocation}}",
    "content": "Hi {{firstname}},\n\nwould a short call about {{candidateCompanyName}} suit you?\n\n"
    "{{recruiterFirstname}} {{recruiterLastname}}",
    "temporalityType": "ASAP",
}
AGAIN = {
    **HELLO,
    "id": "again",
    "name": "Again",
    "subject": "One more thought, {{firstname}}",
    "temporalityType": "DELAYED",
    "delay": {"value": 2, "unit": "second"},
}
CALL = {
    "id": "call",
    "name": "LinkedIn",
    "type": "LINKEDIN",
    "linkedInType": "LINKEDIN_MESSAGE",
    "content": "Hi {{firstname}}, I wrote to you by e-mail.",
    "temporalityType": "DELAYED",
    "delay": {"value": 3, "unit": "day"},
}
LEFTOVERS = {**HELLO, "content": "Hi {{firstName}}, your work at [company] caught my eye."}
ROLE = {"name": "Backend", "job_title": "Engineer", "location": "Lisbon"}
PEOPLE = [
    {
        "email": f"{first.lower()}@{company.lower()}.example",
        "first_name": first,
        "last_name": "Silva",
        "company": company,
        "linkedin_url": f"https://www.linkedin.com/in/{first.lower()}",
    }
    for first, company in [("Maria", "Globex"), ("Jonas", "Acme"), ("Aiko", "Acme"), ("Lea", "Initech")]
]
MARIA, JONAS, AIKO, LEA = PEOPLE


async def test_a_blueprint_becomes_mail_and_every_word_of_a_person_counts(
    installation: Installation, office: PostOffice, era: str
) -> None:
    asked: list[str] = []

    def answer(message: str) -> ElicitResult:
        asked.append(message)
        assert office.messages == []
        return yes(message)

    async with installation.client(era, answer) as desktop:
        blueprint = await _drafted(desktop)
        await _previewed(desktop, blueprint)
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=PEOPLE)
        assert (started["outcome"], started["approval"], started["people"]) == ("done", "given", 4)
        [message] = asked
        assert all(one["email"] in message for one in PEOPLE)
        await asyncio.to_thread(office.wait_for, 4)
        runs = await _runs(desktop)
        await _paced(desktop, runs)
        await asyncio.to_thread(office.wait_for, 5)
        await _ended(desktop, runs)
    hello = [(one["email"], "Engineer in Lisbon") for one in PEOPLE]
    assert office.sent == sorted([*hello, (MARIA["email"], "One more thought, Maria")])
    [to_jonas] = [mail for mail in office.messages if mail["To"] == JONAS["email"]]
    text = "Hi Jonas,\n\nwould a short call about Acme suit you?\n\nAda Lovelace"
    assert to_jonas.get_content().splitlines() == text.splitlines()
    assert to_jonas["From"] == "Ada Lovelace <ada@lovelace.example>"
    assert to_jonas["Bcc"] is None


async def _drafted(desktop: Desktop) -> str:
    refused = await desktop.refused("create_blueprint", steps=[LEFTOVERS, AGAIN, CALL], **ROLE)
    assert refused["code"] == "refused_by_guards"
    errors = [one for one in refused["findings"] if one["severity"] == "error"]
    assert {one["step_id"] for one in errors} == {"hello"}
    assert [one["rule"] for one in refused["findings"] if one not in errors] == ["local.answers_unread"]
    saved = await desktop.call("create_blueprint", steps=[HELLO, AGAIN, CALL], **ROLE)
    assert saved["outcome"] == "done"
    return str(saved["blueprint_id"])


async def _previewed(desktop: Desktop, blueprint: str) -> None:
    shown = await desktop.call("preview_sequence", blueprint_id=blueprint, contacts=PEOPLE)
    assert [one["name"] for one in shown["people"]] == [f"{one['first_name']} Silva" for one in PEOPLE]
    assert shown["people"][0]["steps"][0]["content"].startswith("Hi Maria,")
    assert shown["left_out_count"] == 0
    assert (await desktop.call("find_contacts"))["total_count"] == 0


async def _runs(desktop: Desktop) -> dict[str, str]:
    async def listed() -> dict[str, Any]:
        return await desktop.call("list_sequences", size=100)

    found = await until(listed, lambda page: all(run["steps_done"] == "1 of 3" for run in page["items"]))
    return {run["name"].split()[0]: run["id"] for run in found["items"]}


async def _paced(desktop: Desktop, runs: dict[str, str]) -> None:
    """Pause two, stop a company, never write to the fourth again; then one of the paused goes on."""
    monday = (datetime.now(UTC) + timedelta(days=3)).isoformat(timespec="seconds")
    for name in ("Maria", "Lea"):
        paused = await desktop.call("pause_sequence", sequence_id=runs[name], paused_until=monday)
        assert paused["status"] == "WAITING_FOR_LEAD"
    stopped = await desktop.call("stop_sequence", sequence_id=runs["Jonas"], reason="WIN", scope="COMPANY")
    assert [one["name"] for one in stopped["stopped"]] == ["Jonas Silva", "Aiko Silva"]
    over = await desktop.refused("resume_sequence", sequence_id=runs["Aiko"])
    assert (over["code"], over["status"]) == ("conflict", "STOPPED_EARLY")
    resumed = await desktop.call("resume_sequence", sequence_id=runs["Maria"])
    assert resumed["status"] == "ACTIVE"


async def _ended(desktop: Desktop, runs: dict[str, str]) -> None:
    suppressed = await desktop.call("suppress_contact", contact=LEA["email"], reason="asked us to stop")
    assert suppressed["outcome"] == "done"
    lea = await desktop.call("get_sequence", sequence_id=runs["Lea"])
    assert lea["status"] == "STOPPED_EARLY"
    maria = await until(
        lambda: desktop.call("get_sequence", sequence_id=runs["Maria"]),
        lambda run: [step["state"] for step in run["steps"]] == ["sent", "sent", "planned"],
    )
    assert maria["status"] == "ACTIVE"
    again = await desktop.refused(
        "start_sequence", blueprint_id=maria["blueprint_id"], contacts=[{"email": LEA["email"]}]
    )
    assert again["code"] == "refused_by_guards"
