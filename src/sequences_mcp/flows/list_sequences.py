"""Page through the runs."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from sequences_mcp.domain.ids import LOCAL, provider_of
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.sequence import TERMINAL
from sequences_mcp.errors import SequencesError
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.flows.get_sequence import followed, with_pace
from sequences_mcp.flows.in_turns import in_turns
from sequences_mcp.providers.port import SequenceDetail, SequenceFilter

MOST_READ = 20  # reads of each of the two kinds that one page of a list may cost


async def list_sequences(desk: Desk, *, wanted: SequenceFilter, provider: str = LOCAL) -> Page[SequenceDetail]:
    """Return one page of runs that match the filters; a vendor's blueprint says whose runs are meant.

    Of a vendor whose API lists none, those started here. They are read again before the filters apply: first those
    that were not read for longest, then what else the page shows; the note says of how many that failed.
    """
    of_blueprint = provider_of(wanted.blueprint_id or "")
    where = desk.named(of_blueprint if provider == LOCAL and of_blueprint in desk.providers else provider)
    if where.lists_runs:
        page = await offered(where.sequences, where, verb="list sequences").list_sequences(wanted)
        return page if where.name == LOCAL else page.of(await with_pace(desk, page.items))
    stale = await desk.vendor_runs.to_read_again(where.name, wanted, size=MOST_READ)
    fresh = {one.sequence.id for one in await in_turns([partial(_seen, desk, one) for one in stale]) if one}
    found = await desk.vendor_runs.list_runs(where.name, wanted)
    left = [one for one in found.items if one.sequence.id not in fresh and _may_change(one)][:MOST_READ]
    if left:
        fresh |= {one.sequence.id for one in await in_turns([partial(_seen, desk, one) for one in left]) if one}
        found = await desk.vendor_runs.list_runs(where.name, wanted)
    unread = sum(_may_change(one) and one.sequence.id not in fresh for one in found.items)
    note = f"{unread} of these could not be read at {where.title} now and are shown as they were last read."
    return replace(found, note=note) if unread else found


def _may_change(kept: SequenceDetail) -> bool:
    run = kept.sequence
    return run.is_handed_over and not run.is_in_doubt and run.status not in TERMINAL


async def _seen(desk: Desk, kept: SequenceDetail) -> SequenceDetail | None:
    """Return a run as its vendor tells of it now, which is kept; None where the vendor cannot be asked."""
    try:
        return await followed(desk, kept)
    except SequencesError:
        return None
