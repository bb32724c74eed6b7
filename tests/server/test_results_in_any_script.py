"""Whatever script the texts of others are written in, no result and no prompt is more than a screen of tokens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from benchmarks import tokens
from tests.server.test_result_sizes import LIMIT, crowd
from tests.server.writings import WORST
from tests.world.answers import ADA, LATER, comes_in
from tests.world.inbound_mail import Sent, reply
from tests.world.product import LINKEDIN, MAIL, WRITTEN, Bureau, Desktop, text_of, yes
from tests.world.stores import shell

FACTS = ("first_name", "last_name", "company", "job_title", "location", "notes")
MANY = 12
LISTS = (
    "find_contacts",
    "list_sequences",
    "list_tasks",
    "list_replies",
    "list_reviews",
    "list_blueprints",
    "report",
)
BY_HAND = {**LINKEDIN, "delay": {"value": 1, "unit": "minute"}}


async def crowded(bureau: Bureau) -> dict[str, str]:
    """Write to twelve people, let them answer, and let a plan for twelve more wait; return what to ask for."""
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint(MAIL, BY_HAND, LATER)
        for first in (0, 6):
            people = crowd(MANY)[first : first + 6]
            await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people)
        bureau.work()
    for mail in bureau.outbox[:6]:
        sent = Sent(message_id=str(mail["Message-ID"]), sender=ADA, recipient=str(mail["To"]))
        for words in ("Yes", "Yes again"):
            comes_in(bureau, reply(sent, f"{words}, {mail['To']}.", subject="Answer"))
    bureau.forward(minutes=2)
    bureau.work()
    bureau.changes["elicitation"] = False
    async with bureau.client("auto") as desktop:
        own = await desktop.blueprint(WRITTEN, LATER)
        others = [{**one, "email": f"x.{one['email']}"} for one in crowd(MANY)]
        plan = await desktop.call("start_sequence", blueprint_id=own, contacts=others)
        answer = (await desktop.call("list_replies"))["items"][0]
        contact = (await desktop.call("find_contacts"))["items"][0]
        written = await desktop.blueprint(*({**MAIL, "id": f"step{index}"} for index in range(8)))
    return {
        "blueprint": blueprint,
        "own": own,
        "written": written,
        "plan": plan["plan_id"],
        "run": answer["sequence_id"],
        "contact": contact["id"],
    }


def rewrite(bureau: Bureau, text: str, *, written: str) -> None:
    """Put a text in the place of whatever others wrote, and of one blueprint's texts."""
    steps = [
        {**MAIL, "id": f"step{index}", "name": text[:60], "subject": text[:300], "content": text[:3_000]}
        for index in range(8)
    ]
    with shell(bureau.folder) as database:
        for length, columns in ((90, FACTS[:2]), (190, FACTS[2:5]), (5_000, FACTS[5:])):
            for column in columns:
                database.execute(f"UPDATE contact SET {column} = ?", (text[:length],))
        answer = (text[:300], text[:5_000], text[:300])
        database.execute("UPDATE inbound SET subject = ?, text = ?, why = ?", answer)
        with database.without("step_run", "step_run_text_is_never_changed"):
            database.execute("UPDATE step_run SET subject = ?, content = ?", (text[:300], text[:3_000]))
        with database.without("blueprint_version", "blueprint_version_is_never_changed"):
            database.execute("UPDATE blueprint_version SET name = ?", (text[:200],))
            database.execute(
                "UPDATE blueprint_version SET steps = ? WHERE blueprint_id = ?",
                (json.dumps(steps), written.partition(":")[2]),
            )


def calls(text: str, told: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """Return what to ask of each tool: for what is stored, and with this text in the arguments."""
    rows = [
        {"email": f"{index}@hopper.example", "first_name": text[:100], "company": text[:200]}
        for index in range(10)
    ]
    bad = [{**MAIL, "id": f"step{index}", "subject": text[:300], "content": text[:3_000]} for index in range(3)]
    cells = ",".join([text[:80].replace(",", " ").replace('"', " ")] * 3)
    file = "\n".join([f"email,first name,{cells}", *(f"no address,{cells}" for _ in range(50))])
    return [
        *((tool, {}) for tool in LISTS),
        ("report", {"blueprint_id": told["blueprint"]}),
        ("list_reviews", {"plan_id": told["plan"]}),
        ("get_sequence", {"sequence_id": told["run"]}),
        ("get_blueprint", {"blueprint_id": told["written"]}),
        ("check_blueprint", {"blueprint_id": told["written"]}),
        ("check_blueprint", {"steps": bad}),
        ("create_blueprint", {"name": text[:200], "steps": bad}),
        ("preview_sequence", {"blueprint_id": told["blueprint"], "contacts": rows}),
        ("preview_sequence", {"blueprint_id": told["own"], "contacts": rows}),
        ("start_sequence", {"blueprint_id": told["own"], "contacts": rows[:10]}),
        ("save_contacts", {"contacts": rows}),
        ("import_contacts", {"text": file}),
        ("get_blueprint", {"blueprint_id": text[:400]}),
        ("find_contacts", {f"{text[:50]}{index}": text for index in range(20)}),
        (text[:150], {}),
        ("stop_sequence", {"sequence_id": told["run"], "reason": "LOSE", "scope": "COMPANY"}),
    ]


async def sizes(desktop: Desktop, text: str, told: Mapping[str, str]) -> dict[str, int]:
    """Return how many tokens each result and prompt has while this text is what others wrote."""
    found = {}
    for number, (tool, arguments) in enumerate(calls(text, told)):
        result = text_of(await desktop.raw(tool, **arguments))
        found[f"{number} {tool[:30]} {sorted(arguments)}"[:90]] = tokens.counter().count(result)
    person = {"contact_id": told["contact"], "blueprint_id": told["written"], "step_id": "step0"}
    for name, given in (("personalise_step", person), ("fix_findings", {"blueprint_id": told["written"]})):
        [message] = (await desktop.client.get_prompt(name, given)).messages
        assert message.content.type == "text"
        found[name] = tokens.counter().count(message.content.text)
    return found


async def test_no_result_and_no_prompt_is_too_long_in_any_script(bureau: Bureau) -> None:
    told = await crowded(bureau)
    heavy: dict[str, int] = {}
    for script, text in WORST.items():
        rewrite(bureau, text, written=told["written"])
        async with bureau.client("auto") as desktop:
            found = await sizes(desktop, text, told)
        heavy |= {f"{script}: {call}": size for call, size in found.items() if size > LIMIT}
    assert heavy == {}
