"""Who is in a sequence now: here, or at a vendor as the vendor itself tells."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from functools import partial

from sequences_mcp.errors import SequencesError
from sequences_mcp.flows.desk import Desk
from sequences_mcp.flows.get_sequence import followed
from sequences_mcp.flows.in_turns import in_turns
from sequences_mcp.providers.port import SequenceDetail


async def busy_now(desk: Desk, contact_ids: Items[str]) -> Mapping[str, str]:
    """Return contact id → sequence id for those with a live sequence.

    A run at a vendor that counts as live here is read again first: it may be over by now.
    """
    busy = await desk.suppressions.busy_among(contact_ids)
    runs = await desk.vendor_runs.at_vendors(list(busy.values())) if busy else []
    if not runs:
        return busy
    await in_turns([partial(read_again, desk, run) for run in runs])
    return await desk.suppressions.busy_among(contact_ids)


async def read_again(desk: Desk, run: SequenceDetail) -> None:
    """Look at a run at its vendor, so that its status here is the present one, unless the vendor is away."""
    try:
        await followed(desk, run)
    except SequencesError:
        return  # a vendor that does not answer: the run goes on counting as live
