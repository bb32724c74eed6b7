"""What came of blueprints, here and, as far as they tell, at vendors."""

from __future__ import annotations

from collections.abc import Iterable

from sequences_mcp.context import AppContext
from sequences_mcp.domain.ids import LOCAL, VENDORS, IdKind, parse_id
from sequences_mcp.domain.page import DEFAULT_SIZE, Page
from sequences_mcp.domain.reports import CampaignReport
from sequences_mcp.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReportAnswer:
    """What came of some blueprints; ``is_whole``: of the one that was asked for, with its versions and steps.

    ``note`` says what a vendor does not tell.
    """

    page: Page[CampaignReport]
    is_whole: bool
    note: str | None = None


async def report(
    app: AppContext,
    *,
    blueprint_id: str | None = None,
    provider: str = LOCAL,
    page: int = 1,
    size: int = DEFAULT_SIZE,
) -> ReportAnswer:
    """Return what came of one blueprint, or of a page of a provider's that people were started in from here.

    Raises WrongIdError, and NotFoundError for a blueprint that nobody was started in and that is not known here.
    """
    if blueprint_id is not None:
        parsed_id = parse_id(blueprint_id, IdKind.BLUEPRINT)
        campaign = await app.records.campaign(str(parsed_id))
        note = _unavailable_because(parsed_id.provider, [campaign])
        return ReportAnswer(Page((campaign,), 1, 1, 1), is_whole=True, note=note)
    where = app.named(provider).name
    results = await app.records.campaigns(where, page=page, size=size)
    return ReportAnswer(results, is_whole=False, note=_unavailable_because(where, results.items))


def _unavailable_because(provider: str, campaigns: Iterable[CampaignReport]) -> str | None:
    """Return what is not known of runs that a vendor carries out; None for the embedded engine's."""
    if provider == LOCAL:
        return None
    title = VENDORS[provider]
    read = min((known.read_at for known in campaigns if known.read_at is not None), default=None)
    since = f", as it told between {read:%Y-%m-%d %H:%M} UTC and now" if read else "; it has not been asked yet"
    return (
        f"Runs that were started here alone{since}. What {title}'s API does not tell is absent, not 0; interest, "
        "won and lost are what was recorded here. list_sequences asks it again."
    )
