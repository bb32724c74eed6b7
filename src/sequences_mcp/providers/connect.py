"""From keys to providers. Nothing is opened and nobody is called before a tool needs it."""

from __future__ import annotations

from sequences_mcp.domain.plan import Terms
from sequences_mcp.domain.secret import Secret
from sequences_mcp.providers.clarky.client import Clarky
from sequences_mcp.providers.clarky.errors import CLARKY
from sequences_mcp.providers.clarky.provider import clarky_provider
from sequences_mcp.providers.kalent.client import Kalent
from sequences_mcp.providers.kalent.errors import KALENT
from sequences_mcp.providers.kalent.provider import kalent_provider
from sequences_mcp.providers.provider import Provider
from sequences_mcp.providers.remembered import Memory
from sequences_mcp.providers.timing import Clockwork, Timing
from sequences_mcp.providers.topo.errors import TOPO
from sequences_mcp.providers.topo.provider import topo_provider
from sequences_mcp.providers.transport import Transport

VENDORS = {vendor.name: vendor for vendor in (KALENT, CLARKY, TOPO)}


def transport(name: str, key: Secret, *, base_url: str, clockwork: Clockwork, timing: Timing | None) -> Transport:
    """Return the way out to a vendor; an empty ``base_url`` is the vendor's own. Raises SettingsError."""
    return Transport(VENDORS[name], key, clockwork=clockwork, base_url=base_url, timing=timing)


def provider(name: str, opened: Transport, *, memory: Memory, bot_id: str | None = None) -> Provider:
    """Return a vendor with what its API can do; ``bot_id`` is Clarky's agent for templates that name none."""
    if name == "kalent":
        return kalent_provider(Kalent(opened), memory=memory)
    if name == "clarky":
        return clarky_provider(Clarky(opened), memory=memory, bot_id=bot_id)
    return topo_provider(opened, memory=memory)


def terms(name: str, base_url: str, *, bot_id: str | None = None) -> Terms:
    """Return what an approval of a start at a vendor covers: whose API it is, at which address, and Clarky's agent
    for templates that name none.
    """
    agent = f", as {bot_id} where a template names nobody" if bot_id else ""
    return Terms(
        sender_address="",
        sender_name=VENDORS[name].title,
        delivery=(base_url or VENDORS[name].base_url) + agent,
        window="",
        daily_cap=0,
        spacing=0,
    )
