"""Which runs belong together: by time, by plan, by person."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from sequences_mcp.domain.addresses import address_key
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.plan import Terms
from sequences_mcp.domain.sequence import AND, MORE_EMAILS, TALENT, Sequence
from sequences_mcp.engine.store.contacts import escaped
from sequences_mcp.engine.store.database import Store
from sequences_mcp.engine.store.instants import from_micros, to_micros
from sequences_mcp.engine.store.sequences import address_of, by_ids


def next_due(store: Store, lane: str, *, terms: Terms, before: datetime) -> tuple[str, datetime] | None:
    """Return the run that is due first in a lane (``mailbox`` or ``free``), until an instant, and when; or None.

    Only runs of plans that were made for these terms are: any other settings' runs are left alone. A lease that
    ended is everybody's to note, since nothing more becomes of it.
    """
    row = store.row("sequences.next_due", lane=lane, terms=terms.text, before=to_micros(before))
    return (row["id"], from_micros(row["next_run_at"])) if row else None


def due_under(store: Store, terms: Terms, *, now: datetime, size: int) -> list[Sequence]:
    """Return some runs that are due, of plans made for these terms."""
    rows = store.rows("sequences.due_under", terms=terms.text, now=to_micros(now), size=size)
    return by_ids(store, [row["id"] for row in rows])


def held_because(store: Store, reason: str, *, terms: Terms, size: int) -> list[Sequence]:
    """Return some runs of approved plans made for these terms whose step is held for a reason that begins so."""
    rows = store.rows("sequences.held_because", terms=terms.text, reason=f"{reason}%", size=size)
    return by_ids(store, [row["id"] for row in rows])


def park(store: Store, sequence_id: str, reason: str) -> None:
    """Take a run that cannot even be read off the schedule."""
    store.write("sequences.park", id=sequence_id, reason=reason)


def live_of(store: Store, contact_ids: Iterable[str]) -> dict[str, str]:
    """Return contact id → run id for those who have a live run, or at whose address another row has one."""
    ids = json.dumps(list(contact_ids))
    live = {row["contact_id"]: row["sequence_id"] for row in store.rows("sequences.live_of_contacts", ids=ids)}
    if further := _live_at_further(store):
        for row in store.rows("sequences.addressed", ids=ids):
            if (run := further.get(row["email_key"])) is not None:
                live.setdefault(row["id"], run)
    return live


def live_at_address(store: Store, sequence: Sequence) -> str | None:
    """Return another live run that writes to one of the same addresses, or None.

    Rows of people may have been moved, and a vendor may be given several addresses of one person.
    """
    first = address_of(sequence)
    addresses = sequence.emails_given if sequence.is_at_vendor else filter(None, [first])
    return live_at(store, addresses, other_than=sequence.id)


def live_at(store: Store, addresses: Iterable[str], *, other_than: str = "") -> str | None:
    """Return a live run that writes to one of these addresses, or None."""
    further = _live_at_further(store)
    for key in map(address_key, addresses):
        row = store.row("sequences.live_at_address", address_key=key, id=other_than)
        if row is not None:
            return str(row["id"])
        if (run := further.get(key)) is not None and run != other_than:
            return run
    return None


def live_as(store: Store, vendor_ids: Iterable[str]) -> dict[str, str]:
    """Return vendor's id → live run, for those of these ids that a live run's person has."""
    rows = store.rows("sequences.live_as", ids=json.dumps(list(vendor_ids)), talent=f"$.{TALENT}")
    return {row["vendor_id"]: row["sequence_id"] for row in rows}


def _live_at_further(store: Store) -> dict[str, str]:
    """Return address → live run, for those addresses of a person that a vendor was given beside the first."""
    rows = store.rows("sequences.live_with_further_addresses", further=f'$."{MORE_EMAILS}"')
    return {address_key(one): row["id"] for row in rows for one in row["further"].split(AND)}


def going_of(store: Store, contact_ids: Iterable[str], *, blueprint_id: str | None = None) -> list[str]:
    """Return runs of these people that are live here or found, of one blueprint when given."""
    ids = json.dumps(list(contact_ids))
    rows = store.rows("sequences.going_of_contacts", ids=ids, blueprint_id=blueprint_id)
    return [row["sequence_id"] for row in rows]


def found_elsewhere(store: Store, contact_ids: Iterable[str], *, plan_id: str) -> list[Sequence]:
    """Return runs of these people in other plans that nothing has begun of."""
    rows = store.rows("sequences.found_elsewhere", ids=json.dumps(list(contact_ids)), plan_id=plan_id)
    return by_ids(store, [row["id"] for row in rows])


def found_in(store: Store, plan_id: str, *, after: int, size: int) -> list[Sequence]:
    """Return some of a plan's people in FOUND, from the ordinal after ``after``."""
    rows = store.rows("sequences.found_in_plan", plan_id=plan_id, after=after, size=size)
    return by_ids(store, [row["id"] for row in rows])


def live_in(store: Store, plan_id: str, *, after: int, size: int) -> list[Sequence]:
    """Return some of a plan's live runs, from the ordinal after ``after``."""
    rows = store.rows("sequences.live_in_plan", plan_id=plan_id, after=after, size=size)
    return by_ids(store, [row["id"] for row in rows])


def of_operation(store: Store, operation_id: str) -> list[Sequence]:
    """Return whom one write hands over to a vendor, in order."""
    return by_ids(store, [row["id"] for row in store.rows("sequences.of_operation", operation_id=operation_id)])


def of_remote(store: Store, remote_id: str) -> Sequence | None:
    """Return the newest run started here that has this id at its vendor, or None."""
    row = store.row("sequences.of_remote", remote_id=remote_id)
    return by_ids(store, [row["id"]])[0] if row else None


def given_as(store: Store, vendor_id: str) -> Sequence | None:
    """Return the newest run whose vendor was given this id for the person, or None."""
    row = store.row("sequences.given_as", vendor_id=vendor_id)
    return by_ids(store, [row["id"]])[0] if row else None


def live_at_vendors(store: Store, contact_ids: Iterable[str], *, words: Iterable[str]) -> list[Sequence]:
    """Return live runs that vendors have or may have: of these people, or with one of these words in them."""
    patterns = [f"%{escaped(word)}%" for word in words]
    rows = store.rows(
        "sequences.live_at_vendors", ids=json.dumps(list(contact_ids)), patterns=json.dumps(patterns)
    )
    return by_ids(store, [row["id"] for row in rows])


def people_of(store: Store, plan_id: str, *, page: int, size: int) -> Page[Sequence]:
    """Return a page of a plan's people in order."""
    with store.snapshot():
        rows = store.rows("sequences.in_plan", plan_id=plan_id, size=size, skip=(page - 1) * size)
        total = store.rows("sequences.count_in_plan", plan_id=plan_id)[0]["found"]
        return Page(tuple(by_ids(store, [row["id"] for row in rows])), total, page, size)
