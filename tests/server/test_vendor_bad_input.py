"""Whatever a vendor answers, whatever is wrong with the account: a clear error, which says what was done."""

from __future__ import annotations

from typing import Any

import pytest
from tests.world.fake_vendor import Act, Line, reply, serving
from tests.world.vendors import Connected

from sequences_sandbox.seeds import UNPLACED_TALENT, seed_id

INES = seed_id("sequence", "ines")
PARKED = seed_id("list", "Parked")
NINA = {"email": "nina@left.example"}
CALLS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "list": ("save_contacts", "topo", {"contacts": [NINA], "provider": f"topo:{PARKED}"}),
    "lists": ("save_contacts", "topo", {"contacts": [NINA], "provider": "topo"}),
    "talent": (
        "save_contacts",
        "kalent",
        {"contacts": [{"id": f"kalent:{UNPLACED_TALENT}"}], "provider": "kalent:sourcing_1"},
    ),
    "tasks": ("list_tasks", "topo", {"provider": "topo"}),
    "run": ("get_sequence", "topo", {"sequence_id": f"topo:{INES}"}),
}


async def _endless(line: Line) -> None:
    await line.say(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
    for _ in range(800):  # 50 MB, if anybody took them
        await line.say(b" " * 65_536)


async def _cut(line: Line) -> None:
    await line.say(b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"items": [{"id"')
    line.reset()


AHEAD = {"Date": "Sat, 21 Nov 2026 10:00:00 GMT", "Retry-After": "Sat, 21 Nov 2026 11:00:00 GMT"}
BAD: dict[str, tuple[Act, set[str], str]] = {
    "wrong or revoked key": (reply(401, {}), {"provider_unauthorized"}, "_API_KEY"),
    "plan without the feature": (reply(402, {}), {"plan_upgrade_required"}, "billing"),
    "not allowed": (reply(403, {}), {"provider_forbidden"}, ""),
    "wrong base URL": (reply(404, raw=b"<html>no such page</html>"), {"not_found"}, "_BASE_URL"),
    "HTML error page": (reply(403, raw=b"<html>blocked</html>"), {"provider_forbidden"}, ""),
    "HTML page": (reply(200, raw=b"<html>Sign in</html>"), {"unexpected_answer"}, ""),
    "truncated": (Act(answer=_cut), {"provider_unavailable"}, ""),
    "50 MB": (Act(answer=_endless), {"unexpected_answer"}, ""),
    "a list": (reply(200, []), {"unexpected_answer"}, ""),
    "null": (reply(200, raw=b"null"), {"unexpected_answer"}, ""),
    "nothing in it": (reply(200, {}), {"unexpected_answer"}, ""),
    "wrong types": (
        reply(200, {"id": 7.5, "items": "none", "status": {}, "success": "yes", "data": [1]}),
        {"unexpected_answer"},
        "",
    ),
    "null fields": (
        reply(200, {"id": None, "items": None, "status": None, "success": True, "data": None}),
        {"unexpected_answer"},
        "",
    ),
    "a clock that runs ahead": (reply(429, {}, headers=AHEAD), {"rate_limited"}, "3600 seconds"),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("call", CALLS)
async def test_a_bad_answer_is_a_clear_error_and_nothing_is_written(
    vendors: Connected, call: str, bad: str
) -> None:
    tool, vendor, arguments = CALLS[call]
    act, codes, hint = BAD[bad]
    async with serving(act) as faulty:
        vendors.elsewhere = {vendor: faulty.url}  # type: ignore[dict-item]  # one of the three names
        async with vendors.client() as desktop:
            error = await desktop.refused(tool, **arguments)
        assert {one.method for one in faulty.seen} == {"GET"}
    assert error["code"] in codes and error["outcome"] in ("not_done", "refused")
    assert hint in error["next"] and "html" not in error["message"]


def run(**more: Any) -> dict[str, Any]:
    return {"id": INES, "status": "ACTIVE", **more}


async def test_words_and_fields_nobody_knows_pass_through(vendors: Connected) -> None:
    task = {"id": "t1", "type": "HOLOGRAM", "priority": None, "status": "DREAMING", "new": {"field": 1}}
    happened = {"id": "a1", "created_at": "not a time", "payload": {"type": "message.dreamt", "channel": None}}
    script = (
        reply(500),
        reply(200, {"items": [task, 7, {"no": "id"}]}),
        reply(200, {"items": [], "total_count": "many"}),
        reply(200, [{"id": "m1", "direction": None, "body": 7}]),
        reply(200, run(status="PONDERING", variables=None, contact_id=None)),
        reply(200, {"items": [happened, None]}),
    )
    async with serving(*script) as topo:
        vendors.elsewhere["topo"] = topo.url
        async with vendors.client() as desktop:
            tasks = await desktop.call("list_tasks", provider="topo")
            seen = await desktop.call("get_sequence", sequence_id=f"topo:{INES}")
    [row] = tasks["items"]
    assert (row["type"], row["state"], row["messages"]) == ("HOLOGRAM", "DREAMING", [{}])
    assert seen["provider_status"] == "PONDERING"
    assert seen["activities"] == [{"type": "message.dreamt"}]


async def test_an_outcome_word_nobody_knows_is_no_success(vendors: Connected) -> None:
    shown = {"id": PARKED, "default_sequence_template_id": None}
    items = {"items": [{"index": 0, "status": "PERHAPS", "resource": {"id": "e"}, "error": None}]}
    async with serving(reply(500), reply(200, shown), reply(200, items)) as topo:
        vendors.elsewhere["topo"] = topo.url
        async with vendors.client() as desktop:
            result = await desktop.raw("save_contacts", contacts=[NINA], provider=f"topo:{PARKED}")
    facts = next(iter((result.meta or {}).values()))
    assert (facts["outcome"], facts["people"][0]["outcome"]) == ("unknown", "unknown")


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("list_tasks", {"provider": "nobody"}),
        ("list_tasks", {"provider": "topo:1"}),
        ("save_contacts", {"contacts": [NINA], "provider": "nobody:1"}),
        ("save_contacts", {"contacts": [NINA], "provider": "topo:two words"}),
        ("complete_task", {"task_id": "topo:", "outcome": "skipped"}),
        ("complete_task", {"task_id": "kalent:t1", "outcome": "skipped"}),
    ],
)
async def test_what_is_nowhere_is_refused_before_anybody_is_asked_to_change_it(
    vendors: Connected, tool: str, arguments: dict[str, Any]
) -> None:
    async with vendors.client() as desktop:
        error = await desktop.refused(tool, **arguments)
    assert error["code"] in ("not_supported", "wrong_id", "invalid_arguments")
    assert [row for row in await vendors.sandbox.received() if row["path"] != "/me"] == []


async def test_a_candidate_of_another_sourcing_is_no_talent(vendors: Connected) -> None:
    async with vendors.client() as desktop:
        people = [{"id": "kalent:candidate_yuki"}]
        error = await desktop.refused("save_contacts", contacts=people, provider="kalent:sourcing_1")
    assert (error["code"], error["outcome"]) == ("not_found", "refused")
