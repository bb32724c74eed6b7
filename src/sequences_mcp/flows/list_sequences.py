"""Page through the runs."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from sequences_mcp.domain.ids import LOCAL, provider_of
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.sequence import LIVE
from sequences_mcp.errors import SequencesError
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.flows.get_sequence import followed
from sequences_mcp.flows.in_turns import in_turns
from sequences_mcp.providers.port import SequenceDetail, SequenceFilter

MOST_READ = 20  # reads that one page of a list may cost


async def list_sequences(desk: Desk, *, wanted: SequenceFilter, provider: str = LOCAL) -> Page[SequenceDetail]:
    """Return one page of runs that match the filters; a vendor's blueprint says whose runs are meant.

    Of a vendor whose API lists none, those started here: the first ones of a page read again, the others as they
    were last read.
    """
    of_blueprint = provider_of(wanted.blueprint_id or "")
    where = desk.named(of_blueprint if provider == LOCAL and of_blueprint in desk.providers else provider)
    if not where.lists_runs:
        found = await desk.vendor_runs.list_runs(where.name, wanted)
        again = await in_turns([partial(_seen, desk, one) for one in found.items[:MOST_READ]])
        return replace(found, items=(*again, *found.items[MOST_READ:]))
    return await offered(where.sequences, where, verb="list sequences").list_sequences(wanted)


async def _seen(desk: Desk, kept: SequenceDetail) -> SequenceDetail:
    """Return a live run as its vendor tells of it; as it was last read where the vendor cannot be asked."""
    if kept.sequence.status not in LIVE:
        return kept
    try:
        return await followed(desk, kept)
    except SequencesError:
        return kept
