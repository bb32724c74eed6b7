"""Runs and their steps: read whole, written by difference, found by time, plan and person."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from collections.abc import Sequence as Items
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, TypeAlias

from sequences_mcp.domain.addresses import address_key
from sequences_mcp.domain.blueprint import Step
from sequences_mcp.domain.findings import Finding, Severity
from sequences_mcp.domain.inbound import TOLD_AS
from sequences_mcp.domain.page import MAX_SIZE, Page
from sequences_mcp.domain.plan import Terms
from sequences_mcp.domain.records import VariantTally
from sequences_mcp.domain.run import (
    AND,
    IN_FLIGHT,
    MORE_EMAILS,
    TALENT,
    Run,
    SequenceStatus,
    StepRun,
    StepState,
    StopReason,
)
from sequences_mcp.errors import ConflictError
from sequences_mcp.ports.embedded import PeopleFilter, SequenceFilter
from sequences_mcp.store.blueprints import steps_from_json
from sequences_mcp.store.contacts import escaped
from sequences_mcp.store.database import Database
from sequences_mcp.store.statements import from_micros, to_micros

REMEMBERED = 512
FURTHER_EMAILS = f'$."{MORE_EMAILS}"'  # where a run's facts for its vendor have them
_Row: TypeAlias = tuple[Any, ...]
_INSTANTS = ("until", "executed_at", "accepted_at", "anchor", "lease_expires_at")
_PLAIN = ("subject", "content", "reason", "lease", "message_id", "server_reply", "same_as")


class RunRepository:
    """Runs with their steps."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_ids(self, sequence_ids: Iterable[str]) -> list[Run]:
        """Return the runs that exist among these, in this order."""
        ids = tuple(sequence_ids)
        if len(ids) > MAX_SIZE:
            return self._by_ids(ids)
        return list(self._database.remembered(("sequences", ids), lambda: tuple(self._by_ids(ids))))

    def after(self, number: int, *, size: int) -> tuple[list[Run], int]:
        """Return the runs planned after the row of this number, a part of them, and the last one's number."""
        rows = self._database.rows("sequences.after", no=number, size=size)
        return self._by_ids([row["id"] for row in rows]), rows[-1]["no"] if rows else number

    def _by_ids(self, ids: Items[str]) -> list[Run]:
        with self._database.snapshot():
            if len(ids) == 1:  # a server plans nothing for many where one is wanted
                rows = self._database.rows("sequences.by_id", id=ids[0])
                runs = self._database.rows("sequences.runs_of_one", id=ids[0]) if rows else []
            else:
                rows = self._database.rows("sequences.by_ids", ids=json.dumps(ids))
                runs = self._database.rows("sequences.runs_of", numbers=json.dumps([row[0] for row in rows]))
        of_row: dict[int, list[_Row]] = {row[0]: [] for row in rows}
        for run in runs:
            of_row[run[0]].append(tuple(run))
        return [_from_row(tuple(row), tuple(of_row[row[0]])) for row in rows]

    def find(self, sequence_id: str) -> Run | None:
        """Return one run, or None."""
        return next(iter(self.by_ids([sequence_id])), None)

    def insert(self, plan_id: str, runs: Iterable[Run]) -> None:
        """Store new runs of a plan in FOUND."""
        with self._database.joined():
            [plan] = self._database.rows("plans.find", id=plan_id)
            plan_no, version_no = plan["no"], plan["version_no"]
            numbered = list(enumerate(runs, start=self._database.rows("sequences.next_no")[0]["no"]))
            self._database.write_many(
                "sequences.insert",
                (_new_row(no, run, plan_no=plan_no, version_no=version_no) for no, run in numbered),
            )
            self._database.write_many(
                "sequences.insert_run", (row for no, run in numbered for row in _new_runs(no, run))
            )

    def save(self, before: Run, after: Run, *, next_run_at: datetime | None, now: datetime) -> None:
        """Store the difference between two states of one run.

        A step in flight changes only under the lease it was read with; ConflictError when that lease is over.
        """
        with self._database.joined():
            self._database.write_soon("sequences.update", **_changed_row(after, next_run_at))
            for old, new in zip(before.steps, after.steps, strict=True):
                if new != old:
                    self._save_run(old, new, now=now)

    def save_all(self, changed: Iterable[tuple[Run, Run, datetime | None]], *, now: datetime) -> None:
        """Store the differences between two states of many runs, each with its next due time, as ``save`` does."""
        runs = list(changed)
        with self._database.joined():
            self._database.write_many("sequences.update", (_changed_row(after, at) for _, after, at in runs))
            steps = [pair for old, new, _ in runs for pair in zip(old.steps, new.steps, strict=True)]
            differing = [(old, new) for old, new in steps if old != new]
            plain = [old.state not in IN_FLIGHT and old.generation == new.generation for old, new in differing]
            self._database.write_many(
                "sequences.update_run",
                (_run_row(new, now=now) for (_, new), is_plain in zip(differing, plain, strict=True) if is_plain),
            )
            for (old, new), is_plain in zip(differing, plain, strict=True):
                if not is_plain:
                    self._save_run(old, new, now=now)

    def page(self, wanted: SequenceFilter, *, provider: str | None) -> Page[Run]:
        """Return a page of the runs that a vendor carries out, or none does, and that meet every condition.

        ``contact`` and ``company`` are case-folded. The page has the number of each status among those that meet
        the other conditions.
        """
        order = _ORDERS[wanted.sort_by].format(order=_DIRECTIONS[wanted.sort_order])
        conditions = {**_conditions(wanted), **({"provider": provider} if provider else {"own": True})}
        key = ("page of sequences", *conditions.items(), order, wanted.page, wanted.size)
        return self._database.remembered(
            key, lambda: self._page_of(conditions, order, page=wanted.page, size=wanted.size)
        )

    def _page_of(self, conditions: Mapping[str, Any], order: str, *, page: int, size: int) -> Page[Run]:
        ids = self._database.pieced(
            "sequences.page",
            {"where": _where(conditions), "order": order},
            {**_patterns(conditions), "size": size, "skip": (page - 1) * size},
        )
        others = {name: value for name, value in conditions.items() if name != "status"}
        rows = self._database.pieced("sequences.count", {"where": _where(others)}, _patterns(others))
        counts = {row["status"]: row["found"] for row in rows}
        answers = self._database.pieced(
            "inbound.came_back", {"where": _where(others)}, {**_patterns(others), "told_as": json.dumps(TOLD_AS)}
        )
        came_back = {str(row["kind"]): int(row["found"]) for row in answers if row["kind"]}
        total = counts.get(conditions["status"], 0) if "status" in conditions else sum(counts.values())
        return Page(
            tuple(self._by_ids([row["id"] for row in ids])), total, page, size, counts, came_back=came_back
        )

    def longest_unread(self, provider: str, wanted: SequenceFilter, *, size: int) -> list[Run]:
        """Return live runs at a vendor that meet the conditions of a list, the longest unread first."""
        conditions = {"provider": provider, **_conditions(wanted)}
        values = {**_patterns(conditions), "size": size}
        rows = self._database.pieced("vendor_readings.stalest", {"where": _where(conditions)}, values)
        return self.by_ids([row["id"] for row in rows])

    def of_plan_warned_first(
        self, plan_id: str, wanted: PeopleFilter, *, read_steps: Collection[int], page: int, size: int
    ) -> Page[Run]:
        """Return a page of a plan's people: warnings first, those taken out of it last."""
        pieces, values = _people(plan_id, wanted, read_steps=read_steps)
        with self._database.snapshot():
            rows = self._database.pieced(
                "records.people", pieces, {**values, "size": size, "skip": (page - 1) * size}
            )
            total = self._database.pieced("records.count_people", pieces, values)[0]["found"]
            return Page(tuple(self.by_ids(row["id"] for row in rows)), total, page, size)

    def place_in_plan(
        self, plan_id: str, wanted: PeopleFilter, *, read_steps: Collection[int], sequence_id: str
    ) -> int | None:
        """Return the place of one person in that list, from 1; None where they are not in it."""
        pieces, values = _people(plan_id, wanted, read_steps=read_steps)
        rows = self._database.pieced("records.place", pieces, {**values, "sequence_id": sequence_id})
        return int(rows[0]["place"]) if rows else None

    def unread_of_plan(
        self, plan_id: str, *, read_steps: Collection[int], opened: Collection[str], after: str | None
    ) -> tuple[int, str | None]:
        """Return how many people have a text of their own whose key is not in ``opened``, and whose turn is next.

        That is the first of them after ``after`` in the order of that list, or from its beginning on.
        """
        rows = self._database.pieced(
            "records.unread",
            {"order": _PEOPLE_ORDER, "unread": f"{_WAITS} AND {_HAS_OWN.format(_UNOPENED)}"},
            {
                "plan_id": plan_id,
                "after": after,
                "read_steps": json.dumps(list(read_steps)),
                "opened": json.dumps(list(opened)),
            },
        )
        return (int(rows[0]["found"]), str(rows[0]["id"])) if rows else (0, None)

    def variants_of(
        self, contact_ids: Iterable[str], *, blueprint_id: str
    ) -> dict[str, dict[tuple[int, int], int]]:
        """Return, by contact, which variant of each step they were given last in runs of a blueprint.

        A step is told by the blueprint's version and its place in that.
        """
        rows = self._database.rows(
            "sequences.variants_of", ids=json.dumps(list(contact_ids)), blueprint_id=blueprint_id
        )
        variants: dict[str, dict[tuple[int, int], int]] = {}
        for row in rows:  # the newest run last
            variants.setdefault(row["contact_id"], {})[row["version"], row["step"]] = row["variant"]
        return variants

    def variants_in(self, plan_id: str, *, opened: Collection[str] = ()) -> list[VariantTally]:
        """Return how many people of a plan wait for each variant of each step, as it was planned.

        ``opened`` has the keys of texts that were opened.
        """
        rows = self._database.pieced(
            "records.variants",
            {"order": _PEOPLE_ORDER},
            {"plan_id": plan_id, "opened": json.dumps(list(opened))},
        )
        return [VariantTally(row["step"], row["variant"], row["people"], row["id"], row["opened"]) for row in rows]

    def generation_of(self, key: str, *, subject: str | None, content: str) -> int | None:
        """Return the first generation of a step that had this very text, or None."""
        position: int | None = self._database.rows(
            "sequences.generation_of", key=key, subject=subject, content=content
        )[0]["found"]
        return position

    def of_keys(self, keys: Iterable[str]) -> list[tuple[Run, StepRun]]:
        """Return steps by their keys, each with its run, in this order; keys of nothing are left out."""
        with self._database.snapshot():
            owners = {
                key: row["id"] for key in keys if (row := self._database.row("sequences.id_of_run", key=key))
            }
            results = {run.id: run for run in self.by_ids(dict.fromkeys(owners.values()))}
        pairs = ((results[owner], key) for key, owner in owners.items())
        return [(item, next(run for run in item.steps if run.key == key)) for item, key in pairs]

    def _save_run(self, old: StepRun, new: StepRun, *, now: datetime) -> None:
        row = _run_row(new, now=now)
        if new.generation != old.generation:
            self._database.write("sequences.replace_run", key=old.key, generation=old.generation)
            self._database.write("sequences.insert_generation", **row, replaced_generation=old.generation)
        elif old.state in IN_FLIGHT:
            lost = partial(_lost, old)
            self._database.write_soon("sequences.update_flight", unless=lost, **row, held_lease=old.lease)
        else:
            self._database.write_soon("sequences.update_run", **row)

    def unpaused_before(self, until: datetime, *, after: str, size: int) -> list[str]:
        """Return some live runs of the embedded engine that no pause keeps until then, by id after ``after``."""
        rows = self._database.rows("sequences.unpaused", until=to_micros(until), after=after, size=size)
        return [row["id"] for row in rows]

    def paused_together(self, since: datetime, until: datetime, *, size: int) -> list[str]:
        """Return some runs of the embedded engine that were paused at one instant until another."""
        rows = self._database.rows(
            "sequences.paused_together", since=to_micros(since), until=to_micros(until), size=size
        )
        return [row["id"] for row in rows]

    def next_due(
        self, queue: str, *, terms: Terms, before: datetime, wanted: str | None = None
    ) -> tuple[str, datetime] | None:
        """Return which run is due first in a queue (``mailbox``, ``free``) before an instant and when, or None.

        Only runs of plans that were made for these terms are: any other settings' runs are left alone. A lease
        that ended is everybody's to note, since nothing more becomes of it. ``wanted`` is the one run to look at.
        """
        values = {"lane": queue, "terms": terms.text, "before": to_micros(before)}
        if wanted is None:
            row = self._database.row("sequences.next_due", **values)
        else:
            row = self._database.row("sequences.due_of", **values, id=wanted)
        return (row["id"], from_micros(row["next_run_at"])) if row else None

    def due_under(self, terms: Terms, *, now: datetime, size: int) -> list[Run]:
        """Return some runs that are due, of plans made for these terms."""
        rows = self._database.rows("sequences.due_under", terms=terms.text, now=to_micros(now), size=size)
        return self.by_ids([row["id"] for row in rows])

    def held_because(self, reason: str, *, terms: Terms, size: int) -> list[Run]:
        """Return some runs of approved plans of these terms whose step is held for a reason that begins so."""
        rows = self._database.rows("sequences.held_because", terms=terms.text, reason=f"{reason}%", size=size)
        return self.by_ids([row["id"] for row in rows])

    def park(self, sequence_id: str, reason: str) -> None:
        """Remove a run that cannot be read from the schedule, so that it does not block the others."""
        self._database.write("sequences.park", id=sequence_id, reason=reason)

    def live_of(self, contact_ids: Iterable[str]) -> dict[str, str]:
        """Return, by contact id, the live run of each person, or of another contact with the same address."""
        ids = json.dumps(list(contact_ids))
        live = {
            row["contact_id"]: row["sequence_id"]
            for row in self._database.rows("sequences.live_of_contacts", ids=ids)
        }
        if further := self._live_at_further():
            for row in self._database.rows("sequences.addressed", ids=ids):
                if (run := further.get(row["email_key"])) is not None:
                    live.setdefault(row["id"], run)
        return live

    def earlier_of(
        self, contact_ids: Iterable[str], *, blueprint_id: str
    ) -> tuple[frozenset[str], frozenset[str]]:
        """Return who of these people has answered, or was won or lost, and who has been through this blueprint.

        What went to their present address counts, also where it is another contact's.
        """
        ids = json.dumps(list(contact_ids))
        rows = self._database.rows("sequences.earlier_of_contacts", ids=ids, blueprint_id=blueprint_id)
        return (
            frozenset(row["contact_id"] for row in rows if row["has_answered"]),
            frozenset(row["contact_id"] for row in rows if row["has_completed"]),
        )

    def live_at_address(self, sequence: Run) -> str | None:
        """Return another live run that writes to one of the same addresses, or None.

        Rows of people may have been moved, and a vendor may be given several addresses of one person.
        """
        first = sequence.address
        addresses = sequence.emails_given if sequence.is_at_vendor else filter(None, [first])
        return self.live_at(addresses, other_than=sequence.id)

    def live_at(self, addresses: Iterable[str], *, other_than: str = "") -> str | None:
        """Return a live run that writes to one of these addresses, or None."""
        further = self._live_at_further()
        for key in map(address_key, addresses):
            row = self._database.row("sequences.live_at_address", address_key=key, id=other_than)
            if row is not None:
                return str(row["id"])
            if (run := further.get(key)) is not None and run != other_than:
                return run
        return None

    def live_as(self, vendor_ids: Iterable[str]) -> dict[str, str]:
        """Return vendor's id → live run, for those of these ids that a live run's person has."""
        rows = self._database.rows("sequences.live_as", ids=json.dumps(list(vendor_ids)), talent=f"$.{TALENT}")
        return {row["vendor_id"]: row["sequence_id"] for row in rows}

    def _live_at_further(self) -> dict[str, str]:
        """Return address → live run, for those addresses of a person that a vendor was given beside the first."""
        rows = self._database.rows("sequences.live_with_further_addresses", further=FURTHER_EMAILS)
        return {address_key(item): row["id"] for row in rows for item in row["further"].split(AND)}

    def going_of(self, contact_ids: Iterable[str], *, blueprint_id: str | None = None) -> list[str]:
        """Return these people's runs that are live here or not begun, of one blueprint when given."""
        ids = json.dumps(list(contact_ids))
        rows = self._database.rows("sequences.going_of_contacts", ids=ids, blueprint_id=blueprint_id)
        return [row["sequence_id"] for row in rows]

    def of_contact(self, contact_id: str) -> list[Run]:
        """Return the newest runs of a person in any status, vendors' included, the newest first."""
        rows = self._database.rows("sequences.of_contact", contact_id=contact_id)
        return self.by_ids([row["id"] for row in rows])

    def all_of_contact(self, contact_id: str) -> list[Run]:
        """Return every run of a person, the oldest first."""
        rows = self._database.rows("sequences.all_of_contact", contact_id=contact_id)
        return self.by_ids([row["id"] for row in rows])

    def found_elsewhere(self, contact_ids: Iterable[str], *, plan_id: str) -> list[Run]:
        """Return runs of these people in other plans that nothing has begun of."""
        rows = self._database.rows("sequences.found_elsewhere", ids=json.dumps(list(contact_ids)), plan_id=plan_id)
        return self.by_ids([row["id"] for row in rows])

    def found_in(self, plan_id: str, *, after: int, size: int) -> list[Run]:
        """Return some of a plan's people in FOUND, from the ordinal after ``after``."""
        rows = self._database.rows("sequences.found_in_plan", plan_id=plan_id, after=after, size=size)
        return self.by_ids([row["id"] for row in rows])

    def live_in(self, plan_id: str, *, after: int, size: int) -> list[Run]:
        """Return some of a plan's live runs, from the ordinal after ``after``."""
        rows = self._database.rows("sequences.live_in_plan", plan_id=plan_id, after=after, size=size)
        return self.by_ids([row["id"] for row in rows])

    def of_operation(self, operation_id: str) -> list[Run]:
        """Return the runs of the people whom one request enrols, in order."""
        return self.by_ids(
            [row["id"] for row in self._database.rows("sequences.of_operation", operation_id=operation_id)]
        )

    def of_remote(self, remote_id: str) -> Run | None:
        """Return the newest run started here that has this id at its vendor, or None."""
        row = self._database.row("sequences.of_remote", remote_id=remote_id)
        return self.by_ids([row["id"]])[0] if row else None

    def given_as(self, vendor_id: str) -> Run | None:
        """Return the newest run whose vendor was given this id for the person, or None."""
        row = self._database.row("sequences.given_as", vendor_id=vendor_id)
        return self.by_ids([row["id"]])[0] if row else None

    def live_at_vendors(self, contact_ids: Iterable[str], *, words: Iterable[str]) -> list[Run]:
        """Return live runs that vendors have or may have: of these people, or with one of these words in them."""
        patterns = [f"%{escaped(word)}%" for word in words]
        rows = self._database.rows(
            "sequences.live_at_vendors", ids=json.dumps(list(contact_ids)), patterns=json.dumps(patterns)
        )
        return self.by_ids([row["id"] for row in rows])

    def of_plan(self, plan_id: str, *, page: int, size: int) -> Page[Run]:
        """Return a page of a plan's people in order."""
        with self._database.snapshot():
            rows = self._database.rows("sequences.in_plan", plan_id=plan_id, size=size, skip=(page - 1) * size)
            total = self._database.rows("sequences.count_in_plan", plan_id=plan_id)[0]["found"]
            return Page(tuple(self.by_ids([row["id"] for row in rows])), total, page, size)

    def without_texts(self, plan_id: str, *, size: int) -> list[Run]:
        """Return the first runs of a plan for which a text is still to be written."""
        rows = self._database.rows("sequences.without_texts", plan_id=plan_id, size=size)
        return self.by_ids([row["id"] for row in rows])

    def findings_in(self, plan_id: str) -> tuple[Finding, ...]:
        """Return the findings about a plan's people whose runs are not over, each once, in order."""
        rows = self._database.rows("sequences.findings_in_plan", plan_id=plan_id)
        return tuple(dict.fromkeys(finding for row in rows for finding in _findings(row["findings"])))

    def open_tasks(self, *, now: datetime, page: int, size: int) -> Page[tuple[Run, StepRun]]:
        """Return open tasks, the oldest first, without those of runs that are paused beyond ``now``'s minute."""
        minute = now.replace(second=0, microsecond=0)  # a page is remembered under its values
        return self._texts_page_of("open_tasks", {"now": to_micros(minute)}, page=page, size=size)

    def waiting_texts(self, *, not_because: str, page: int, size: int) -> Page[tuple[Run, StepRun]]:
        """Return held or unknown steps of started runs, but for holds whose reason begins with ``not_because``."""
        return self._texts_page_of("waiting_texts", {"plan_reason": f"{not_because}%"}, page=page, size=size)

    def texts_of_plan(
        self, plan_id: str, *, read_steps: Collection[int], page: int, size: int
    ) -> Page[tuple[Run, StepRun]]:
        """Return texts of a plan that are missing, or were written for one person, in order."""
        values = {"plan_id": plan_id, "read_steps": json.dumps(list(read_steps))}
        return self._texts_page_of("texts_in_plan", values, page=page, size=size)

    def _texts_page_of(
        self, what: str, values: Mapping[str, str | int | None], *, page: int, size: int
    ) -> Page[tuple[Run, StepRun]]:
        def read() -> Page[tuple[Run, StepRun]]:
            rows = self._database.rows(f"sequences.{what}", **values, size=size, skip=(page - 1) * size)
            total = self._database.rows(f"sequences.count_{what}", **values)[0]["found"]
            return Page(tuple(self.of_keys([row["key"] for row in rows])), total, page, size)

        return self._database.remembered((what, *values.values(), page, size), read)


def _conditions(wanted: SequenceFilter) -> dict[str, Any]:
    """Return the conditions of a list by name, without those that anything meets."""
    conditions: dict[str, Any] = {
        "status": wanted.status and wanted.status.value,
        "waiting_for": wanted.waiting_for,
        "provider_status": wanted.provider_status,
        "contact": wanted.contact,
        "company": wanted.company,
        "blueprint_id": wanted.blueprint_id,
        "created_after": to_micros(wanted.created_after),
        "created_before": to_micros(wanted.created_before),
    }
    return {name: value for name, value in conditions.items() if value is not None}


def _where(conditions: Mapping[str, Any]) -> str:
    """Return the conditions of a list as the WHERE clause of a statement on ``sequence``; empty for none."""
    parts = [_WAITING[value] if name == "waiting_for" else _CONDITIONS[name] for name, value in conditions.items()]
    return f"WHERE {' AND '.join(parts)}" if parts else ""


def _patterns(conditions: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of those conditions by name; a text to look for is given as a pattern too."""
    values = {name: value for name, value in conditions.items() if name != "waiting_for"}
    return values | {
        f"{name}_pattern": f"%{escaped(conditions[name])}%"
        for name in ("contact", "company")
        if name in conditions
    }


_CONDITIONS = {
    "provider_status": (
        "sequence.no IN (SELECT sequence_no FROM vendor_reading"
        " WHERE provider_status = :provider_status COLLATE NOCASE)"
    ),
    "contact": (
        "contact_no IN (SELECT no FROM contact"
        " WHERE lower(id) = :contact OR search LIKE :contact_pattern ESCAPE '\\')"
    ),
    "company": (
        "contact_no IN (SELECT no FROM contact WHERE company_host = :company OR email_host = :company"
        " OR lower(company) LIKE :company_pattern ESCAPE '\\')"
    ),
    "status": "status = :status",
    "blueprint_id": "version_no IN (SELECT no FROM blueprint_version WHERE blueprint_id = :blueprint_id)",
    "created_after": "created_at > :created_after",
    "created_before": "created_at < :created_before",
    "provider": "provider = :provider AND provider <> 'local'",
    # Not `provider = 'local'`: that would look into every row, this only into the index of the few others.
    "own": "sequence.no NOT IN (SELECT no FROM sequence WHERE provider <> 'local')",
}
_STEP_THAT = "EXISTS (SELECT 1 FROM step_run r WHERE r.sequence_no = sequence.no AND r.replaced = 0 AND {})"
_TO_DECIDE = _STEP_THAT.format("(r.state = 'unknown' OR (r.state = 'held' AND r.until IS NULL))")
_WAITING = {
    "approval": "status = 'FOUND' AND operation_id IS NULL",
    "task": "status = 'WAITING_FOR_USER' AND (provider <> 'local' OR "
    + _STEP_THAT.format("r.state = 'open'")
    + ")",
    "decision": "status IN ('ACTIVE', 'WAITING_FOR_USER') AND provider = 'local' AND " + _TO_DECIDE,
    "time": "status IN ('ACTIVE', 'WAITING_FOR_LEAD') AND NOT " + _TO_DECIDE,
}
_ORDERS = {
    "created_at": "created_at {order}, no {order}",
    "updated_at": "updated_at {order}, no {order}",
    "status": "status {order}, created_at {order}, no {order}",
}
_DIRECTIONS = {"asc": "ASC", "desc": "DESC"}
_PEOPLE_ORDER = (
    "s.status IN ('REFUSED', 'STOPPED_EARLY'), s.warnings = 0,"
    " NOT EXISTS (SELECT 1 FROM step_run r WHERE r.sequence_no = s.no AND r.replaced = 0"
    " AND coalesce(r.same_as, r.generation) > 0),"
    # The variant of the first step that has any; of plans without variants an index tells that there is none.
    " (SELECT r.variant FROM step_run r WHERE r.sequence_no = s.no AND r.replaced = 0 AND r.variant IS NOT NULL"
    " ORDER BY r.step LIMIT 1), s.ordinal"
)
_WAITS = "s.status = 'FOUND' AND s.operation_id IS NULL"
_HAS_OWN = (
    "EXISTS (SELECT 1 FROM step_run r WHERE r.sequence_no = s.no AND r.replaced = 0"
    " AND (r.content IS NULL OR r.step IN (SELECT value FROM json_each(:read_steps))"
    " OR coalesce(r.same_as, r.generation) > 0){})"
)
_UNOPENED = " AND r.key NOT IN (SELECT value FROM json_each(:opened))"
_KINDS = {
    "own": _HAS_OWN.format(""),
    "warned": "s.warnings > 0 AND s.status NOT IN ('REFUSED', 'STOPPED_EARLY')",
    "out": "s.status IN ('REFUSED', 'STOPPED_EARLY')",
}
_FOUND_BY = "s.contact_no IN (SELECT no FROM contact WHERE search LIKE :pattern ESCAPE '\\')"


def _people(
    plan_id: str, wanted: PeopleFilter, *, read_steps: Collection[int]
) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the conditions and the order of a list of a plan's people as pieces of SQL, and their values."""
    parts, values = [], {"plan_id": plan_id}
    if wanted.search:
        parts.append(_FOUND_BY)
        values["pattern"] = f"%{escaped(wanted.search.casefold())}%"
    if wanted.kind:
        parts.append(_KINDS[wanted.kind])
    if wanted.kind == "own":
        values["read_steps"] = json.dumps(list(read_steps))
    return {"among": "".join(f" AND {part}" for part in parts), "order": _PEOPLE_ORDER}, values


def findings_to_json(findings: tuple[Finding, ...]) -> str | None:
    """Return findings as they are kept; None for none."""
    return None if not findings else json.dumps([asdict(finding) for finding in findings], ensure_ascii=False)


def _findings(text: str | None) -> tuple[Finding, ...]:
    if text is None:
        return ()
    return tuple(Finding(**{**load, "severity": Severity(load["severity"])}) for load in json.loads(text))


def _new_row(no: int, run: Run, *, plan_no: int, version_no: int) -> dict[str, Any]:
    return {
        "no": no,
        "id": run.id,
        "plan_no": plan_no,
        "version_no": version_no,
        "contact_id": run.contact_id,
        "ordinal": run.ordinal,
        "variables": json.dumps(dict(run.variables), ensure_ascii=False) if run.variables else "{}",
        "time_zone": run.time_zone,
        "warnings": run.warnings,
        "findings": findings_to_json(run.findings),
        "created_at": to_micros(run.created_at),
        "provider": run.provider,
        "handover": json.dumps(dict(run.vendor_facts), ensure_ascii=False) if run.is_at_vendor else None,
        "address_key": (address := run.address) and address_key(address),
    }


def _lost(run: StepRun) -> ConflictError:
    return ConflictError(
        f"Lease {run.lease} no longer covers this e-mail.",
        next_step="get_sequence shows what became of it.",
    )


def _new_runs(no: int, item: Run) -> Iterable[dict[str, Any]]:
    changed_at = to_micros(item.created_at)
    for position, run in enumerate(item.steps):
        yield {
            "sequence_no": no,
            "step": position,
            "key": run.key,
            "recipient": run.recipient,
            "subject": run.subject,
            "content": run.content,
            "state": run.state.value,
            "reason": run.reason,
            "changed_at": changed_at,
            "variant": run.variant,
        }


def _changed_row(run: Run, next_run_at: datetime | None) -> dict[str, Any]:
    return {
        "id": run.id,
        "status": run.status.value,
        "anchor": to_micros(run.anchor),
        "variables": json.dumps(dict(run.variables), ensure_ascii=False),
        "warnings": run.warnings,
        "paused_since": to_micros(run.paused_since),
        "paused_until": to_micros(run.paused_until),
        "stop_reason": run.stop_reason and run.stop_reason.value,
        "reason": run.reason,
        "updated_at": to_micros(run.updated_at),
        "next_run_at": to_micros(next_run_at),
        "lane": run.queue,
        "remote_id": run.remote_id,
        "operation_id": run.operation_id,
        "findings": findings_to_json(run.findings),
    }


def _run_row(run: StepRun, *, now: datetime) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(run, name) for name in _PLAIN}
    row |= {name: to_micros(getattr(run, name)) for name in _INSTANTS}
    state = {"key": run.key, "generation": run.generation, "state": run.state.value, "changed_at": to_micros(now)}
    return row | state


@lru_cache(maxsize=REMEMBERED)
def _from_row(row: _Row, runs: tuple[_Row, ...]) -> Run:
    """Return a run from its rows. They are all that decides, so remembering the result cannot go stale."""
    # By place, not by name: a look-up by name in a row costs more than everything else in reading it.
    _, run_id, plan_id, blueprint_id, version, contact_id, status, *rest = row
    ordinal, steps_text, created_at, updated_at, *rest = rest
    anchor, variables, paused_since, paused_until, stop_reason, time_zone, warnings, reason, *rest = rest
    provider, vendor_facts, remote_id, operation_id, findings, digest_version = rest
    steps = steps_from_json(steps_text)
    return Run(
        id=run_id,
        plan_id=plan_id,
        blueprint_id=blueprint_id,
        blueprint_version=version,
        contact_id=contact_id,
        status=SequenceStatus(status),
        ordinal=ordinal,
        steps=tuple(_run_from_row(run, steps) for run in runs),
        created_at=from_micros(created_at),
        updated_at=from_micros(updated_at),
        anchor=from_micros(anchor),
        variables=json.loads(variables),
        paused_since=from_micros(paused_since),
        paused_until=from_micros(paused_until),
        stop_reason=StopReason(stop_reason) if stop_reason else None,
        time_zone=time_zone,
        warnings=warnings,
        reason=reason,
        provider=provider,
        vendor_facts=json.loads(vendor_facts) if vendor_facts else {},
        remote_id=remote_id,
        operation_id=operation_id,
        findings=_findings(findings),
        digest_version=digest_version,
    )


def _run_from_row(row: _Row, steps: tuple[Step, ...]) -> StepRun:
    _, place, key, recipient, subject, content, generation, state, reason, until, *rest = row
    executed_at, accepted_at, anchor, lease, lease_expires_at, message_id, server_reply, same_as, variant = rest
    return StepRun(
        key=key,
        step=steps[place] if variant is None else steps[place].given(variant),
        recipient=recipient,
        subject=subject,
        content=content,
        generation=generation,
        state=StepState(state),
        reason=reason,
        until=from_micros(until),
        executed_at=from_micros(executed_at),
        accepted_at=from_micros(accepted_at),
        anchor=from_micros(anchor),
        lease=lease,
        lease_expires_at=from_micros(lease_expires_at),
        message_id=message_id,
        server_reply=server_reply,
        same_as=same_as,
        variant=variant,
    )
