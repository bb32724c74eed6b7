"""Why a start would leave somebody out: suppressed, in a sequence already, or with texts that are refused."""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import replace

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
    """Return the reasons for each person of a start at a vendor, whom the list may know by the vendor's id too."""
    contacts = [one.person.contact for one in people]
    there = [replace(one.person.contact, id=one.vendor_id or one.person.contact.id) for one in people]
    listed = await desk.suppressions.suppressed_among([*contacts, *there])
    busy = await busy_now(desk, [contact.id for contact in contacts])
    return [
        left_out(
            one.person,
            suppressed=listed.get(contact.id) or listed.get(other.id),
            busy=busy.get(contact.id),
        )
        for one, contact, other in zip(people, contacts, there, strict=True)
    ]
