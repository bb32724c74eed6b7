"""Why a start would leave somebody out: suppressed, in a sequence already, or with texts that are refused."""

from __future__ import annotations

from collections.abc import Sequence as Items

from sequences_mcp.domain.contact import also_known
from sequences_mcp.flows.busy import busy_now
from sequences_mcp.flows.desk import Desk
from sequences_mcp.flows.person import Person
from sequences_mcp.flows.start_at_vendor import Enrollee


def left_out(one: Person, *, suppressed: str | None, busy: str | None) -> tuple[str, ...]:
    """Return the reasons, none for whoever is in: why they are suppressed, the sequence they are busy in."""
    reasons = [f"suppressed: {suppressed}"] if suppressed else []
    reasons += [f"already in {busy}"] if busy else []
    reasons += [f"{f.step_id}: {f.message}" if f.step_id else f.message for f in one.refusals]
    return tuple(reasons)


async def left_out_there(desk: Desk, people: Items[Enrollee]) -> list[tuple[str, ...]]:
    """Return the reasons for each person of a start at a vendor, by all that the vendor knows of them."""
    contacts = [one.person.contact for one in people]
    known = [
        (contact, *also_known(contact, ids=one.ids, addresses=one.addresses))
        for one, contact in zip(people, contacts, strict=True)
    ]
    listed = await desk.suppressions.suppressed_among([one for ways in known for one in ways])
    busy = await busy_now(desk, [contact.id for contact in contacts])
    elsewhere = await desk.vendor_runs.live_as([one.ways for one in people])
    return [
        left_out(
            one.person,
            suppressed=next((listed[way.id] for way in ways if way.id in listed), None),
            busy=busy.get(contact.id) or run,
        )
        for one, contact, ways, run in zip(people, contacts, known, elsewhere, strict=True)
    ]
