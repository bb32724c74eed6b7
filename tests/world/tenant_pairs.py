"""Tenants that ask for ids of another, and for ids that nobody has: the answers are to be alike."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from typing import Any

from tests.world.http_server import JSON, MODERN, Served
from tests.world.issuer import Issuer
from tests.world.product import GRACE, LINKEDIN, MAIL, WRITTEN
from tests.world.tenants import TenantsWorld, resource

from sequences_mcp.context import AppContext
from sequences_mcp.domain.actors import Actor
from sequences_mcp.server.http.options import path_of_tenant

AT_ONCE = {key: value for key, value in LINKEDIN.items() if key != "delay"} | {"temporalityType": "ASAP"}
ID = re.compile(r"local:[a-z]+_[0-9A-Z]+")
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# Every argument of a tool that takes an id, by tool; the others are as they have to be.
BY_TOOL: Mapping[str, Mapping[str, Any]] = {
    "get_blueprint": {"blueprint_id": "ID", "full": True},
    "check_blueprint": {"blueprint_id": "ID"},
    "update_blueprint": {"blueprint_id": "ID", "expected_version": 1, "name": "Another"},
    "preview_sequence": {"blueprint_id": "ID", "contacts": [GRACE]},
    "start_sequence": {"blueprint_id": "ID", "contacts": [GRACE], "wait_seconds": 0},
    "retry_failed": {"blueprint_id": "ID"},
    "report": {"blueprint_id": "ID"},
    "list_sequences": {"blueprint_id": "ID"},
    "list_replies": {"sequence_id": "ID"},
    "get_sequence": {"sequence_id": "ID", "full": True},
    "update_sequence": {"sequence_id": "ID", "variables": {"firstname": "Eve"}},
    "pause_sequence": {"sequence_id": "ID"},
    "resume_sequence": {"sequence_id": "ID"},
    "stop_sequence": {"sequence_id": "ID"},
    "withdraw_plan": {"plan_id": "ID"},
    "list_reviews": {"plan_id": "ID"},
    "show_plan": {"plan_id": "ID"},
    "decide_plan": {"plan_id": "ID", "digest": "0" * 64, "decision": "refuse"},
    "edit_draft": {"draft_id": "ID", "content": "Hello"},
    "draft_reply": {"reply_id": "ID", "content": "Hello"},
    "complete_task": {"task_id": "ID", "outcome": "done"},
    "export_contact": {"contact": "ID"},
    "erase_contact": {"contact": "ID"},
    "suppress_contact": {"contact": "ID", "reason": "asked"},
    "record_reply": {"who": "ID", "answer": "declined"},
    "find_contacts": {"query": "ID"},
}
FURTHER: Mapping[str, Mapping[str, Any]] = {
    "list_sequences": {"contact": "ID"},
    "list_replies": {"contact": "ID"},
    "preview_sequence": {"blueprint_id": "local:bp_0", "contacts": ["ID"]},
    "start_sequence": {"blueprint_id": "local:bp_0", "contacts": ["ID"]},
    "save_contacts": {"contacts": [{"contact_id": "ID", "first_name": "Eve"}]},
}
RESOURCES = ("blueprint", "sequence", "blueprint-file", "blueprint-text", "export://csv", "export://json")
KIND_OF = {
    "blueprint_id": "bp",
    "sequence_id": "seq",
    "plan_id": "plan",
    "draft_id": "draft",
    "task_id": "task",
    "contact": "ct",
    "contacts": "ct",
    "contact_id": "ct",
    "who": "ct",
}
Ask = Callable[[str, str, dict[str, Any]], tuple[int, str]]
Question = tuple[str, dict[str, Any]]


def questions() -> list[Question]:
    """Return every request that takes an id, with ``ID`` in its place."""
    calls = [
        ("tools/call", {"name": tool, "arguments": dict(arguments)})
        for table in (BY_TOOL, FURTHER)
        for tool, arguments in table.items()
    ]
    reads = [("resources/read", {"uri": f"{name}/ID" if "://" in name else f"{name}://ID"}) for name in RESOURCES]
    prompts = [
        ("prompts/get", {"name": "fix_findings", "arguments": {"blueprint_id": "ID"}}),
        (
            "prompts/get",
            {
                "name": "personalise_step",
                "arguments": {"contact_id": "ID", "blueprint_id": "ID", "step_id": "hello", "language": "en"},
            },
        ),
    ]
    completions = [
        (
            "completion/complete",
            {
                "ref": {"type": "ref/resource", "uri": f"{name}://{{id}}"},
                "argument": {"name": "id", "value": "ID"},
            },
        )
        for name in ("blueprint", "sequence")
    ]
    return [*calls, *reads, *prompts, *completions]


async def _approve(plan_id: str, digest: str, app: AppContext) -> None:
    await app.plans.approve_plan(plan_id, digest=digest, actor=Actor("terminal"))


def populate(tenants: TenantsWorld, name: str) -> None:
    """Give a tenant plans that wait, one of them with a draft, one that is over, and a task."""
    world = tenants.tenant(name)
    facts = {"company": f"Company of {name}"}
    for first, step in enumerate((MAIL, AT_ONCE)):
        plan = world.plan(step, people=1, first=first, **facts)
        decided = partial(_approve, plan.id, plan.digest)
        world.at_desk(decided)
    world.mails_after_work()
    world.plan(WRITTEN, people=1, first=2, **facts)
    world.plan(MAIL, people=1, first=3, **facts)


@contextmanager
def asking(served: Served, tokens: Mapping[str, str]) -> Iterator[Ask]:
    """Yield what asks a tenant, as one of its users, on one connection, and returns status and text."""
    connection = HTTPConnection("127.0.0.1", served.port, timeout=60)
    envelope = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    }

    def ask(tenant: str, method: str, params: dict[str, Any]) -> tuple[int, str]:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": envelope}}
        headers = {
            **JSON,
            "Host": f"localhost:{served.port}",
            "Authorization": f"Bearer {tokens[tenant]}",
            "Mcp-Protocol-Version": MODERN,
            "Mcp-Method": method,
            **({"Mcp-Name": params.get("name") or params["uri"]} if {"name", "uri"} & params.keys() else {}),
        }
        connection.request("POST", path_of_tenant(tenant), json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    try:
        yield ask
    finally:
        connection.close()


LISTS: tuple[Question, ...] = tuple(
    ("tools/call", {"name": tool, "arguments": {}})
    for tool in (
        "list_blueprints",
        "find_contacts",
        "list_sequences",
        "list_reviews",
        "list_tasks",
        "list_replies",
    )
)


def ids_of(ask: Ask, tenant: str) -> list[str]:
    """Return every id that a tenant's own lists show."""
    texts = [ask(tenant, method, params)[1] for method, params in LISTS]
    for plan in sorted({found for text in texts for found in ID.findall(text) if ":plan_" in found}):
        arguments = {"plan_id": plan}
        texts.append(ask(tenant, "tools/call", {"name": "list_reviews", "arguments": arguments})[1])
    return sorted({found for text in texts for found in ID.findall(text)})


def _fitting(params: dict[str, Any], ids: list[str]) -> list[str]:
    """Return those ids that are of the kind that is asked for; all of them where none is known for it."""
    text = json.dumps(params)
    wanted = [
        kind
        for argument, kind in KIND_OF.items()
        if f'"{argument}": "ID"' in text or f'"{argument}": ["ID"' in text
    ]
    return [one for one in ids if any(f":{kind}_" in one for kind in wanted)] or ids


def _filled(value: Any, given: str) -> Any:
    return json.loads(json.dumps(value).replace("ID", given))


def revealing(ask: Ask, ids: Mapping[str, list[str]], *, pairs: int, seed: int) -> list[str]:
    """Ask for so many pairs of a tenant and an id of another's; return each answer that tells something, in words.

    Beside it an id of the same kind is asked for that nobody has: only the ids may differ.
    """
    chance, kinds = random.Random(seed), questions()
    told: list[str] = []
    for number in range(pairs):
        asker, owner = chance.sample(sorted(ids), 2)
        method, params = kinds[number % len(kinds)]
        given = chance.choice(_fitting(params, ids[owner]) if chance.random() < 0.8 else ids[owner])
        nobodys = given[:-6] + "".join(chance.choices(LETTERS, k=6))
        answers = [ask(asker, method, _filled(params, one)) for one in (given, nobodys)]
        first, second = (
            (status, text.replace(one, "ID").replace(one.partition(":")[2], "ID"))
            for (status, text), one in zip(answers, (given, nobodys), strict=True)
        )
        if first != second or owner in first[1]:
            told.append(f"{asker} asked {method} {params} for {given} of {owner}: {first} and not {second}")
    return told


def tokens_for(issuer: Issuer, names: list[str], *, seconds: int = 600) -> dict[str, str]:
    """Return a token for each of these tenants, of one and the same user, that holds for so many seconds."""
    return {name: issuer.token(aud=resource(name), exp=int(time.time()) + seconds) for name in names}
