"""Replies as a vendor might send them on a bad day: the documented ones, changed in a few places at random."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from tests.vendors.vendor_calls import FIXTURES, READS, RUN, TASK, TEMPLATE, WRITES, topo_id

from sequences_mcp.vendors.clarky import wire as clarky
from sequences_mcp.vendors.kalent import wire as kalent
from sequences_mcp.vendors.topo import wire as topo

JUNK: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1,
        3.5,
        1e308,
        float("inf"),
        10**30,
        "",
        " ",
        "x",
        "NEW_WORD",
        "null",
        "\x00\u202e",
    ),
    *("2026-13-45T99:99:99Z", "9999-12-31T23:59:59-23:59", "x" * 5_000, "\ud800", [], [None], [[]], [{}], {}),
    *({"id": 5}, {"": {"": {"": {"": {"": 1}}}}}, ["FAILED"], {"status": "CREATED"}),
)


def mutated(body: Any, random: Random) -> Any:
    """Return a copy of a reply with one to four changes: a value replaced, dropped, doubled, wrapped or added."""
    body = copy.deepcopy(body)
    for _ in range(random.randint(1, 4)):
        body = _changed(body, random)
    return body


def _changed(body: Any, random: Random) -> Any:
    places = list(_places(body))
    if not places or random.random() < 0.03:
        return copy.deepcopy(random.choice(JUNK))
    parent, key = random.choice(places)
    change = random.choice((_replace, _replace, _replace, _drop, _wrap, _add))
    change(parent, key, random)
    return body


def _places(value: Any) -> Any:
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def _replace(parent: Any, key: Any, random: Random) -> None:
    parent[key] = copy.deepcopy(random.choice(JUNK))


def _drop(parent: Any, key: Any, random: Random) -> None:
    del parent[key]


def _wrap(parent: Any, key: Any, random: Random) -> None:
    parent[key] = random.choice(([parent[key]], {"data": parent[key]}, [parent[key], parent[key]]))


def _add(parent: Any, key: Any, random: Random) -> None:
    if isinstance(parent, dict):
        parent[random.choice(("id", "error", "status", "new_field", "data"))] = copy.deepcopy(random.choice(JUNK))
    else:
        parent.append(copy.deepcopy(random.choice(JUNK)))


@dataclass(frozen=True, slots=True)
class Parser:
    """One reply and how it is read; for a write also whether a body says, to a plain reader, that it is done."""

    name: str
    body: Any
    read: Callable[[Any], Any]
    says_done: Callable[[Any], bool] | None = None


def _own(whole: str) -> str:
    return whole.partition(":")[2]


def _is(body: Any, *path: str) -> Any:
    for name in path:
        body = body.get(name) if isinstance(body, dict) else None
    return body


def _kalent(*path: str) -> Callable[[Any], bool]:
    def says(body: Any) -> bool:
        return _is(body, "success") is True and _an_id(_is(body, "data", *path))

    return says


def _an_id(value: Any) -> bool:
    return (isinstance(value, str) and value != "") or (isinstance(value, int) and not isinstance(value, bool))


def _started(body: Any) -> bool:
    return _is(body, "success") is True and _is(body, "data", "started") is True


def _accepted(body: Any) -> bool:
    data = _is(body, "data") if isinstance(body, dict) and "data" in body else body
    names = ("enrollment_id", "enrollmentId", "sequence_id", "sequenceId")
    return any(_an_id(_is(data, name)) for name in names) or any(
        _an_id(_is(data, name, "id")) for name in ("enrollment", "sequence")
    )


def _in(whole: str, *statuses: str) -> Callable[[Any], bool]:
    return lambda body: _is(body, "id") == _own(whole) and (not statuses or _is(body, "status") in statuses)


OVER = ("COMPLETED", "SUCCEEDED", "FAILED", "STOPPED_EARLY", "REFUSED")
_SAME = {"expected_id": _own(RUN)}
_TASK = {"expected_id": _own(TASK)}
_PAGED = {"page": 1, "size": 10}
_ANYTHING_WITH_AN_ID: Callable[[Any], bool] = lambda body: _an_id(_is(body, "id"))  # noqa: E731 - one of a table
READERS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], bool] | None]] = {
    "kalent list_sourcings": (
        partial(kalent.kalent_page, name="sourcings", read=kalent.kalent_sourcing, **_PAGED),
        None,
    ),
    "kalent list_candidates": (
        partial(kalent.kalent_page, name="candidates", read=kalent.kalent_candidate, **_PAGED),
        None,
    ),
    "kalent get_candidate": (lambda body: kalent.kalent_candidate(kalent.kalent_data(body)), None),
    "kalent dynamic_sequence": (partial(kalent.dynamic_sequence, expected_id="candidate_123"), None),
    "kalent add_talent": (partial(kalent.added_candidate, talent="talent_123"), _kalent("candidateId")),
    "kalent create_blueprint": (kalent.created_blueprint, _kalent("blueprintId")),
    "kalent update_blueprint": (
        partial(kalent.updated_blueprint, expected_id="blueprint_123"),
        lambda body: _is(body, "success") is True,
    ),
    "kalent start": (partial(kalent.kalent_started, expected_id="blueprint_123", count=2), _started),
    "clarky start": (clarky.clarky_started, _accepted),
    "clarky get_enrollment": (partial(clarky.clarky_enrollment, expected_id="e_01HEXAMPLE"), None),
    "clarky list_contacts": (partial(clarky.clarky_page, read=clarky.clarky_contact, **_PAGED), None),
    "clarky get_contact": (lambda body: clarky.clarky_contact(clarky.clarky_data(body)), None),
    "clarky get_contact_by_email": (lambda body: clarky.clarky_contact(clarky.clarky_data(body)), None),
    "clarky list_agents": (partial(clarky.clarky_page, read=clarky.clarky_agent, **_PAGED), None),
    "topo get_me": (partial(topo.topo_one, read=topo.topo_scopes), None),
    "topo get_sequence": (partial(topo.topo_same, read=topo.topo_sequence, **_SAME), None),
    "topo get_template": (partial(topo.topo_same, read=topo.topo_blueprint, expected_id=_own(TEMPLATE)), None),
    "topo get_contact": (partial(topo.topo_same, read=topo.topo_contact, expected_id=_own(topo_id("3"))), None),
    "topo get_contact_list": (partial(topo.topo_same, read=topo.topo_list, expected_id=_own(topo_id("5"))), None),
    "topo list_sequences": (partial(topo.topo_page, read=topo.topo_sequence, **_PAGED), None),
    "topo list_templates": (partial(topo.topo_page, read=topo.topo_blueprint, **_PAGED), None),
    "topo list_contacts": (partial(topo.topo_page, read=topo.topo_contact, **_PAGED), None),
    "topo list_contact_lists": (partial(topo.topo_page, read=topo.topo_list, **_PAGED), None),
    "topo list_contact_exclusions": (partial(topo.topo_page, read=topo.topo_exclusion, **_PAGED), None),
    "topo list_account_exclusions": (partial(topo.topo_page, read=topo.topo_exclusion, **_PAGED), None),
    "topo list_activities": (partial(topo.topo_page, read=topo.topo_activity, **_PAGED), None),
    "topo list_tasks": (partial(topo.topo_page, read=topo.topo_task, **_PAGED), None),
    "topo list_task_messages": (topo.topo_messages, None),
    "topo update_variables": (partial(topo.topo_same, read=topo.topo_sequence, **_SAME), _in(RUN)),
    "topo pause_sequence": (partial(topo.topo_same, read=topo.topo_paused, **_SAME), _in(RUN, "WAITING_FOR_LEAD")),
    "topo resume_sequence": (
        partial(topo.topo_same, read=topo.topo_resumed, **_SAME),
        _in(RUN, "ACTIVE", "WAITING_FOR_USER"),
    ),
    "topo stop_sequence": (partial(topo.topo_same, read=topo.topo_stopped, **_SAME), _in(RUN, *OVER)),
    "topo exclude_contact": (partial(topo.topo_one, read=topo.topo_exclusion), _ANYTHING_WITH_AN_ID),
    "topo exclude_account": (partial(topo.topo_one, read=topo.topo_exclusion), _ANYTHING_WITH_AN_ID),
    "topo skip_task": (partial(topo.topo_same, read=topo.topo_skipped, **_TASK), _in(TASK, "SKIPPED")),
    "topo create_contact_list": (
        lambda body: _done_items(topo.topo_outcomes(body, topo.topo_list, number=1)),
        lambda body: _item_says_done(body),
    ),
    "topo create_entries": (
        lambda body: _done_items(topo.topo_outcomes(body, topo.topo_entry, number=1)),
        lambda body: _item_says_done(body),
    ),
}


class NoneDoneError(Exception):
    """Not one item of a batch was reported as done."""


def _done_items(outcomes: Any) -> Any:
    assert len(outcomes) == 1
    if outcomes[0].outcome != "done":
        raise NoneDoneError
    return outcomes


def _item_says_done(body: Any) -> bool:
    items = _is(body, "items")
    mine = [item for item in items if _is(item, "index") == 0] if isinstance(items, list) else []
    return any(
        _is(item, "status") not in ("FAILED", "NEW_WORD")
        and not _is(item, "error")
        and _an_id(_is(item, "resource", "id"))
        for item in mine
    )


def parsers() -> list[Parser]:
    """Return a parser for the documented reply of every method."""
    found = []
    for call in (*READS, *WRITES):
        body = json.loads((FIXTURES / call.vendor / f"{call.reply}.json").read_text(encoding="utf-8"))["body"]
        found.append(Parser(call.name, body, *READERS[call.name]))
    return found
