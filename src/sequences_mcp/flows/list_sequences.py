"""Page through the runs."""

from __future__ import annotations

from sequences_mcp.domain.ids import LOCAL
from sequences_mcp.domain.page import Page
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.providers.port import SequenceDetail, SequenceFilter


async def list_sequences(desk: Desk, *, wanted: SequenceFilter, provider: str = LOCAL) -> Page[SequenceDetail]:
    """Return one page of runs that match the filters; a vendor's blueprint says whose runs are meant."""
    of_blueprint = (wanted.blueprint_id or "").partition(":")[0]
    where = desk.named(of_blueprint if provider == LOCAL and of_blueprint in desk.providers else provider)
    return await offered(where.sequences, where, verb="list sequences").list_sequences(wanted)
