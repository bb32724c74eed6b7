"""From keys to providers. Nothing is opened and nobody is called before a tool needs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack

from sequences_mcp.domain.secret import Secret
from sequences_mcp.providers.kalent.provider import Memory
from sequences_mcp.providers.port import Provider
from sequences_mcp.providers.timing import Clockwork
from sequences_mcp.providers.transport import Transport
from sequences_mcp.providers.vendor import Vendor


async def connected(
    accounts: dict[str, tuple[Secret, str]], *, clockwork: Clockwork, memory: Memory, closing: AsyncExitStack
) -> dict[str, Provider]:
    """Return a provider for each account (key and base URL, by vendor); ``closing`` gets their connections."""
    providers = {}
    for name, (key, base_url) in accounts.items():
        transport = Transport(_vendor(name), key, clockwork=clockwork, base_url=base_url)
        closing.push_async_callback(transport.aclose)
        providers[name] = _provider(name, transport, memory)
    return providers


def _vendor(name: str) -> Vendor:
    return dict(_vendors())[name]


def _vendors() -> Iterator[tuple[str, Vendor]]:
    from sequences_mcp.providers.clarky.errors import CLARKY
    from sequences_mcp.providers.kalent.errors import KALENT
    from sequences_mcp.providers.topo.errors import TOPO

    yield from ((vendor.name, vendor) for vendor in (KALENT, CLARKY, TOPO))


def _provider(name: str, transport: Transport, memory: Memory) -> Provider:
    from sequences_mcp.providers.clarky.client import Clarky
    from sequences_mcp.providers.clarky.provider import clarky_provider
    from sequences_mcp.providers.kalent.client import Kalent
    from sequences_mcp.providers.kalent.provider import kalent_provider
    from sequences_mcp.providers.topo.client import Topo
    from sequences_mcp.providers.topo.provider import topo_provider

    if name == "kalent":
        return kalent_provider(Kalent(transport), memory=memory)
    return clarky_provider(Clarky(transport)) if name == "clarky" else topo_provider(Topo(transport))
