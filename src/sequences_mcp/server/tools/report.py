"""The tool ``report``."""

from __future__ import annotations

from sequences_mcp.context import AppContext
from sequences_mcp.domain.ids import LOCAL
from sequences_mcp.server.arguments import FIRST_PAGE, PageNumber
from sequences_mcp.server.catalog import READ, Definition
from sequences_mcp.server.views.reports import ReportPage, report_page
from sequences_mcp.services import reports as verb

SIZE = 8  # of a page, whose rows are long


async def report(
    app: AppContext, provider: str = LOCAL, blueprint_id: str | None = None, page: PageNumber = FIRST_PAGE
) -> ReportPage:
    """What came of blueprints: counts of people, reply rates with 95 % intervals. With blueprint_id also by
    version, step and week, and, where it can be told, which variant or subject works better."""
    answer = await verb.report(app, blueprint_id=blueprint_id, provider=provider, page=page, size=SIZE)
    return report_page(answer)


TOOL = Definition(report, title="Report", hints=READ)
