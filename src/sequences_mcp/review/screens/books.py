"""What has been written down: sent e-mails, who must never be contacted, everything that happened."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.flows.exclude_at_vendors import Mark
from sequences_mcp.flows.keep_out_at_vendors import keep_out_at_vendors
from sequences_mcp.flows.suppress_contact import lift_suppression, suppress_contact
from sequences_mcp.providers.port import Call, Lifted
from sequences_mcp.review.presence import Fault, doubt, facts_for
from sequences_mcp.review.visit import Visit

SIZE = 50


async def mails(visit: Visit) -> Response:
    """Show the e-mails that were tried, each with what became of it."""
    return visit.shows("mails.html", found=await visit.desk.records.list_mails(page=visit.page, size=SIZE))


async def suppressions(visit: Visit) -> Response:
    """Show who must never be contacted."""
    return await _suppressions(visit, undone={})


async def suppress(visit: Visit) -> Response:
    """Never contact an address, a domain or a person again."""
    contact, reason = visit.form.get("contact", "").strip(), visit.form.get("reason", "").strip()
    if not contact:
        raise InvalidArgumentsError("Nobody was named.", next_step="Give an address, a domain or a contact id.")
    why = reason or "on the review page"
    done = await suppress_contact(visit.desk, contact=contact, reason=why, by_person=True)
    call = Call("suppress_contact", None, done.value)
    found = await keep_out_at_vendors(visit.desk, Mark(done.kind, done.value), call=call, reason=why)
    return await _suppressions(visit, undone=found.undone) if found.undone else visit.goes("/suppressions")


async def lift(visit: Visit) -> Response:
    """Take somebody off the list again, and show what still keeps them from being contacted."""
    contact, reason = visit.form.get("contact", ""), visit.form.get("reason", "")
    if fault := await doubt(visit):
        return await _suppressions(visit, undone={}, fault=fault)
    done = await lift_suppression(visit.desk, contact=contact, reason=reason, actor=visit.actor)
    return await _suppressions(visit, undone={}, lifted=done)


async def _suppressions(
    visit: Visit, *, undone: Mapping[str, str], lifted: Lifted | None = None, fault: Fault | None = None
) -> Response:
    found = await visit.desk.records.list_suppressed(page=visit.page, size=SIZE)
    facts = facts_for(visit, fault)
    return visit.shows("suppressions.html", **facts, found=found, undone=undone, lifted=lifted)


async def audit(visit: Visit) -> Response:
    """Show what happened, the newest first."""
    return visit.shows("audit.html", found=await visit.desk.records.list_audit(page=visit.page, size=SIZE))
