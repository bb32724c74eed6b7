"""Every tool of the catalogue is called with much of everything, and no answer is more than a screen of tokens."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from benchmarks import tokens
from tests.server.test_result_sizes import BAD_STEPS, LIMIT, STEPS, WRITTEN_STEPS, crowd
from tests.world.product import Desktop, World, text_of, tomorrow
from tests.world.vendors import ZOE, Connected, Start, approve, start_at

from sequences_mcp.domain.actors import Actor
from sequences_mcp.server.catalog import TOOLS, VENDOR_TOOLS
from sequences_mcp.server.prompts import PROMPTS

MANY = 96
BAD_PEOPLE = [
    {
        "email": f"a{index}@b{index}.example",
        "first_name": "{{x}}",
        "company": "[company] " * 20,
        "note": "[y]" * 40,
    }
    for index in range(50)
]


@dataclass
class Scales:
    """Weighs each answer; ``called`` are the tools that were asked, ``heavy`` whatever is too much."""

    desktop: Desktop
    called: set[str] = field(default_factory=set)
    heavy: list[str] = field(default_factory=list)

    async def weigh(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool and return what it says."""
        text = text_of(await self.desktop.raw(tool, **arguments))
        if (size := tokens.counter().count(text)) > LIMIT:
            self.heavy.append(f"{tool} {sorted(arguments)}: {size}")
        self.called.add(tool)
        facts: dict[str, Any] = json.loads(text)
        return facts

    async def both(self, tool: str, good: dict[str, Any], *bad: dict[str, Any]) -> dict[str, Any]:
        """Call a tool rightly and in wrong ways; return what it says to the right call."""
        for arguments in ({"unknown": "x" * 5_000}, *bad):
            assert "next" in await self.weigh(tool, **arguments)
        return await self.weigh(tool, **good)


async def _reading(scales: Scales, *, blueprint: str, run: str, plan: str) -> None:
    for tool in (
        "list_providers",
        "list_blueprints",
        "find_contacts",
        "list_sequences",
        "list_reviews",
        "list_tasks",
        "list_replies",
        "report",
    ):
        await scales.both(tool, {})
    await scales.both("report", {"blueprint_id": blueprint}, {"blueprint_id": "local:bp_" + "x" * 5_000})
    await scales.both("list_reviews", {"plan_id": plan}, {"plan_id": "x" * 5_000})
    await scales.both("get_blueprint", {"blueprint_id": blueprint}, {"blueprint_id": "local:bp_" + "x" * 5_000})
    await scales.both("get_sequence", {"sequence_id": run}, {"sequence_id": "local:seq_" + "x" * 5_000})
    await scales.both("check_blueprint", {"steps": STEPS}, {"steps": "x" * 50_000})
    await scales.weigh("check_blueprint", steps=BAD_STEPS)
    await scales.both("preview_sequence", {"blueprint_id": blueprint, "contacts": crowd(MANY)})
    await scales.weigh("preview_sequence", blueprint_id=blueprint, contacts=BAD_PEOPLE)
    await scales.both("show_plan", {"plan_id": plan})


async def _writing(scales: Scales, *, blueprint: str, run: str, plan: dict[str, Any]) -> None:
    draft = (await scales.weigh("get_sequence", sequence_id=run))["steps"][-1]["draft_id"]
    bad_text = "Hi [name], <b>{{x}}</b> **and** {{firstName}} | {a|b} " * 300
    await scales.both("create_blueprint", {"name": "x" * 200, "steps": STEPS}, {"name": "A", "steps": BAD_STEPS})
    await scales.weigh("create_blueprint", name="A", steps=[{**STEPS[0], "content": bad_text}])
    await scales.both(
        "update_blueprint",
        {"blueprint_id": blueprint, "expected_version": 1, "steps": [{**one, "name": "New"} for one in STEPS]},
        {"blueprint_id": blueprint, "expected_version": 1, "steps": BAD_STEPS},
    )
    await scales.both("save_contacts", {"contacts": crowd(500)}, {"contacts": BAD_PEOPLE})
    wide = ",".join(f"{'column' * 30}{index}" for index in range(200))
    rows = "\n".join(f"a{index}@b.example,{'[company]' * 20},{'x' * 400}" for index in range(500))
    await scales.both("import_contacts", {"text": f"email,first name,{wide}\n{rows}"}, {"text": rows})
    await scales.both("export_data", {"what": "contacts"}, {"what": "x" * 5_000})
    await scales.both(
        "edit_draft", {"draft_id": draft, "content": STEPS[0]["content"][20:] * 2}, {"draft_id": draft}
    )
    await scales.weigh("edit_draft", draft_id=draft, content=bad_text)
    variables = {f"v{index}": "[company]" * 20 for index in range(30)}
    await scales.both("update_sequence", {"sequence_id": run, "variables": {"firstname": "Max"}})
    await scales.weigh("update_sequence", sequence_id=run, variables=variables)
    await scales.both("pause_sequence", {"sequence_id": run, "paused_until": tomorrow()})
    await scales.both("resume_sequence", {"sequence_id": run})
    for task in [row["id"] for row in (await scales.weigh("list_tasks"))["items"][:1]] or [
        "local:task_" + "x" * 26
    ]:
        await scales.both("complete_task", {"task_id": task, "outcome": "done"})
    decided = {"plan_id": plan["plan_id"], "digest": plan["digest"], "decision": "refuse"}
    await scales.both("decide_plan", decided)
    await scales.both("record_reply", {"who": run, "answer": "replied"})
    await scales.both("draft_reply", {"reply_id": "local:reply_h1", "content": bad_text})
    await scales.both("retry_failed", {"blueprint_id": blueprint})


async def test_no_answer_of_any_tool_is_too_long_here(world: World) -> None:
    world.changes |= {"elicitation": False}
    async with world.client("auto") as desktop:
        scales = Scales(desktop)
        blueprint, own = await desktop.blueprint(*STEPS), await desktop.blueprint(*WRITTEN_STEPS)
        start = {"blueprint_id": blueprint, "contacts": crowd(MANY)}
        plan = await scales.both("start_sequence", start, {"blueprint_id": blueprint, "contacts": BAD_PEOPLE})
        others = [{**one, "email": f"other.{one['email']}"} for one in crowd(MANY)]
        await scales.weigh("start_sequence", blueprint_id=own, contacts=others)
    async with world.app() as app:
        await app.plans.approve_plan(plan["plan_id"], digest=plan["digest"], actor=Actor("test"))
    async with world.client("auto") as desktop:
        scales.desktop = desktop
        await scales.weigh("start_sequence", **start)
        await scales.weigh("start_sequence", **start, idempotency_key="all of them are busy")
        run = (await scales.weigh("list_sequences", status="ACTIVE"))["items"][0]["id"]
        await _reading(scales, blueprint=blueprint, run=run, plan=plan["plan_id"])
        await _writing(scales, blueprint=blueprint, run=run, plan=plan)
        other = (await scales.weigh("list_sequences", status="ACTIVE"))["items"][0]["id"]
        await scales.both("stop_sequence", {"sequence_id": other, "reason": "WIN", "scope": "COMPANY"})
        await scales.both("withdraw_plan", {"plan_id": plan["plan_id"]})
        await scales.both("suppress_contact", {"contact": "someone@department.hopper.example", "reason": "asked"})
        for tool in ("export_contact", "erase_contact"):
            await scales.both(tool, {"contact": crowd(MANY)[0]["email"]}, {"contact": "x" * 400})
    assert scales.heavy == []
    assert set(TOOLS) - scales.called == set()


async def test_no_answer_is_too_long_where_a_whole_crowd_is_suppressed_one_by_one(world: World) -> None:
    world.changes |= {"elicitation": False}
    async with world.client("auto") as desktop:
        scales = Scales(desktop)
        blueprint = await desktop.blueprint(*STEPS)
        for person in crowd(30):
            await desktop.call("suppress_contact", contact=person["email"], reason="asked us not to write " * 10)
        await scales.weigh("start_sequence", blueprint_id=blueprint, contacts=crowd(MANY))
        await scales.weigh("preview_sequence", blueprint_id=blueprint, contacts=crowd(30))
        await scales.weigh("start_sequence", blueprint_id=blueprint, contacts=crowd(30))
    assert scales.heavy == []


async def test_no_answer_of_a_vendor_is_too_long(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        scales = Scales(desktop)
        await scales.both("list_providers", {})
        await scales.both("list_sourcings", {})
        await scales.both("check_operation", {"operation_id": "local:op_" + "x" * 26})
        for vendor in ("kalent", "clarky", "topo"):
            await _at_vendor(scales, vendors, vendor)
    assert scales.heavy == []
    assert set(VENDOR_TOOLS) - scales.called == set()


async def _at_vendor(scales: Scales, vendors: Connected, vendor: str) -> None:
    for tool in ("list_blueprints", "find_contacts", "list_sequences", "list_tasks"):
        listed = await scales.weigh(tool, provider=vendor)
        shown = {
            "list_blueprints": ("get_blueprint", "blueprint_id"),
            "list_sequences": ("get_sequence", "sequence_id"),
        }
        if tool in shown and listed.get("items"):
            reader, name = shown[tool]
            for row in listed["items"]:
                await scales.weigh(reader, **{name: row["id"]})
    crowded = [{**ZOE, **one} for one in crowd(20)] if vendor != "kalent" else None
    start: Start = await start_at(vendor, scales.desktop, contacts=crowded)
    arguments = {"blueprint_id": start.blueprint_id, "contacts": start.contacts}
    await scales.weigh("preview_sequence", **arguments)
    asked = await scales.weigh("start_sequence", **arguments)
    await scales.weigh("start_sequence", **{**arguments, "contacts": BAD_PEOPLE})
    if "digest" in asked:
        await approve(vendors, asked)
    await scales.weigh("start_sequence", **arguments)
    for row in (await scales.weigh("list_sequences", provider=vendor)).get("items", [])[:2]:
        await scales.weigh("pause_sequence", sequence_id=row["id"], paused_until=tomorrow())
        await scales.weigh("stop_sequence", sequence_id=row["id"], reason="WIN", scope="COMPANY")


async def test_no_prompt_is_too_long(world: World) -> None:
    async with world.client("auto") as desktop:
        blueprint = await desktop.blueprint(*STEPS)
        saved = await desktop.call("save_contacts", contacts=crowd(1))
        given = {
            "draft_sequence": {"goal": "Find a nurse " * 20},
            "draft_step": {"channel": "EMAIL", "purpose": "A first hello " * 20},
            "personalise_step": {
                "contact_id": saved["contacts"][0]["contact_id"],
                "blueprint_id": blueprint,
                "step_id": "hello",
            },
            "fix_findings": {"blueprint_id": blueprint},
            "weekly_review": {},
        }
        assert set(given) == {one.name for one in PROMPTS}
        sizes = {}
        for name, arguments in given.items():
            [message] = (await desktop.client.get_prompt(name, arguments)).messages
            assert message.content.type == "text"
            sizes[name] = tokens.counter().count(message.content.text)
    # Without the vocabulary the count is an estimate, some five in a hundred too high.
    limit = LIMIT if tokens.counter().exact else LIMIT * 1.1
    assert {name: size for name, size in sizes.items() if size > limit} == {}


async def test_no_description_of_the_formats_is_too_long(world: World) -> None:
    async with world.client("auto") as desktop:
        listed = [str(one.uri) for one in (await desktop.client.list_resources()).resources]
        formats = [uri for uri in listed if uri.startswith("format://")]
        rules: Any = (await desktop.client.read_resource("format://rules")).contents[0]
        formats += [f"format://rules/{layer}" for layer in json.loads(rules.text)]
        sizes = {}
        for uri in formats:
            body: Any = (await desktop.client.read_resource(uri)).contents[0]
            sizes[uri] = tokens.counter().count(body.text)
    assert len(sizes) >= 8
    assert {uri: size for uri, size in sizes.items() if size > LIMIT} == {}
