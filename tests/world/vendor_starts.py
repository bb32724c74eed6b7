"""A start at each vendor, up to a person's yes and beyond, for tests of what comes of it."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from typing import Any

from tests.world.open_server import MAIL, Desktop, text_of
from tests.world.vendor_world import Connected

from sequences_mcp.context import AppContext
from sequences_mcp.domain.plan import Plan
from sequences_mcp.ports.vendor import ClaimedBatch, PreflightSnapshot
from sequences_mcp.services.enrolment import enrol_at_vendor
from sequences_mcp.services.reviews import approve_plan
from sequences_sandbox.seeds import CLARKY_TEMPLATES

TEXT = {**MAIL, "subject": "A role", "content": "Hi {{firstname}}, would a short call suit you?"}
SLOW = {**TEXT, "temporalityType": "DELAYED", "delay": {"value": 2, "unit": "day"}}
INES, PRIYA, OLUMIDE = (f"kalent:candidate_{name}" for name in ("ines", "priya", "olumide"))
ZOE = {"email": "zoe@new.example", "first_name": "Zoe", "company": "New"}
ALI = {"email": "ali@new.example", "first_name": "Ali", "company": "New"}
VENDORS = ("kalent", "clarky", "topo")
ENDS = {"kalent": "*/start", "clarky": "*/sequences/start", "topo": "*/contact-entries"}


@dataclass
class Start:
    """What is started for whom; the same call again tells what became of it."""

    blueprint_id: str
    contacts: list[Any]
    more: dict[str, Any] = field(default_factory=dict)

    async def ask(self, desktop: Desktop) -> dict[str, Any]:
        """Call start_sequence."""
        return await desktop.call(
            "start_sequence", blueprint_id=self.blueprint_id, contacts=self.contacts, **self.more
        )

    async def told(self, desktop: Desktop) -> dict[str, Any]:
        """Call it again after a decision, and return what it says, errors included."""
        result = await desktop.raw(
            "start_sequence", blueprint_id=self.blueprint_id, contacts=self.contacts, **self.more
        )
        facts: dict[str, Any] = json.loads(text_of(result))
        return facts


async def start_at(
    vendor: str, desktop: Desktop, *, contacts: list[Any] | None = None, step: dict[str, Any] = SLOW
) -> Start:
    """Return a start of two people at a vendor; at Kalent of a blueprint with this one step."""
    if vendor == "kalent":
        made = await desktop.call("create_blueprint", name="Role", steps=[step], provider="kalent:sourcing_1")
        return Start(made["blueprint_id"], contacts or [INES, PRIYA])
    if vendor == "clarky":
        return Start(f"clarky:{CLARKY_TEMPLATES[0]}", contacts or [ZOE, ALI])
    return Start(await active_template(desktop), contacts or [ZOE, ALI])


async def active_template(desktop: Desktop) -> str:
    """Return the id of a template of Topo's that takes people."""
    page = await desktop.call("list_blueprints", provider="topo")
    return str(next(one["id"] for one in page["items"] if one["name"] == "Three e-mails"))


async def approve(vendors: Connected, asked: dict[str, Any], *, go: bool = True) -> Plan:
    """Say yes to a plan as the person's own process does; ``go`` hands it over as well."""
    async with vendors.app() as app:
        plan = await approve_plan(app, plan_id=asked["plan_id"], digest=asked["digest"], actor="ada")
        if go:
            await enrol_at_vendor(app, plan_id=plan.id)
        return plan


async def said_yes(vendors: Connected, desktop: Desktop, vendor: str, **more: Any) -> tuple[Start, dict[str, Any]]:
    """Ask for a start and say yes to it, without handing it over; return it and its plan."""
    start = await start_at(vendor, desktop, **more)
    plan = await start.ask(desktop)
    await approve(vendors, plan, go=False)
    return start, plan


async def enrolled(vendors: Connected, vendor: str) -> list[dict[str, Any]]:
    """Return the requests that enrol people, as the vendor received them."""
    ends = {"kalent": "/start", "clarky": "/sequences/start", "topo": "/contact-entries"}[vendor]
    return [one for one in await vendors.writes() if one["path"].endswith(ends)]


def rows(vendors: Connected, sql: str) -> list[tuple[Any, ...]]:
    """Look into the database as somebody with a shell would."""
    with sqlite3.connect(vendors.folder / "sequences.db") as database:
        found = database.execute(sql).fetchall()
    database.close()
    return found


def tampered(vendors: Connected, *statements: str) -> None:
    """Change the database as somebody with a shell would."""
    database = sqlite3.connect(vendors.folder / "sequences.db")
    for sql in statements:
        database.execute(sql)
    database.commit()
    database.close()


async def taken_by(app: AppContext, plan_id: str) -> ClaimedBatch:
    """Take the people of a plan as a process does that is about to make its request."""
    people = await app.vendor_runs.next_people(plan_id, size=100)
    marks = PreflightSnapshot() if not people else await _before(app, plan_id)
    taken = await app.vendor_runs.take(plan_id, [one.id for one in people], before=marks)
    assert taken is not None
    return taken


async def _before(app: AppContext, plan_id: str) -> PreflightSnapshot:
    plan = await app.plans.get_plan(plan_id)
    people = await app.vendor_runs.next_people(plan_id, size=100)
    return await app.providers[plan.header.provider].preflight(plan, people)


def statuses(vendors: Connected) -> list[str]:
    """Return the runs' statuses in order."""
    return [status for (status,) in rows(vendors, "SELECT status FROM sequence ORDER BY no")]
