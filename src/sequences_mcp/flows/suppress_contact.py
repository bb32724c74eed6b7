"""Never contact an address, a domain or a person again; wins over everything."""

from __future__ import annotations

from sequences_mcp.domain.ids import LOCAL, Kind, parse
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.providers.port import Suppressed


async def suppress_contact(desk: Desk, *, contact: str, reason: str) -> Suppressed:
    """Return what is now suppressed and what it stopped; ``contact`` is an id, an address or a domain."""
    text = contact.strip()
    if ":" in text:
        await _require_known(desk, text)
        return await desk.suppressions.suppress("contact", text, reason=reason)
    if "@" in text.strip("@"):
        return await desk.suppressions.suppress("address", text, reason=reason)
    try:
        return await desk.suppressions.suppress("domain", text, reason=reason)
    except InvalidArgumentsError as error:
        raise InvalidArgumentsError(
            f"{text[:80]!r} is no contact id, address or domain.",
            next_step="Give local:ct_…, name@example.com or example.com.",
        ) from error


async def _require_known(desk: Desk, text: str) -> None:
    """Raise NotFoundError for an id of nobody: whoever gave it must not believe that somebody is safe now."""
    if parse(text, Kind.CONTACT).provider == LOCAL:
        await offered(desk.local.contacts, desk.local, verb="read contacts").get_contacts([text])
