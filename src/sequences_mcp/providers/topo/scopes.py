"""What Topo's key may do, learned once, so that what it may not do is said before anything is asked.

Pausing, stopping and excluding are asked for in any case: a key may have been given more since, and nobody may be
kept from holding back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from sequences_mcp.errors import ProviderForbiddenError, SequencesError
from sequences_mcp.providers.refusal import lacks_scope
from sequences_mcp.providers.topo.client import Topo
from sequences_mcp.providers.transport import Transport
from sequences_mcp.providers.vendor import Request

T = TypeVar("T")
SECONDS = 5.0  # nobody waits longer for what the call itself will find out


@dataclass(slots=True)
class Scopes:
    """The scopes of the key, asked for once; None while they are not known."""

    transport: Transport
    found: frozenset[str] | None = None
    is_asked: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def known(self) -> frozenset[str]:
        """Return the scopes ("Get me"); ProviderError when Topo does not tell."""
        if self.found is None:
            self.found = (await Topo(self.transport).get_me()).scopes
        return self.found

    async def lacks(self, scope: str) -> bool:
        """Say whether the key is known not to carry a scope: of an answer without scopes, nothing is known.

        Asked at most once, in one attempt: a Topo that is down is found out by the call itself.
        """
        async with self.lock:
            if self.found is None and not self.is_asked:
                self.is_asked = True
                await self._try()
        return bool(self.found) and scope not in (self.found or ())

    async def _try(self) -> None:
        try:
            async with asyncio.timeout(SECONDS):
                self.found = (await Topo(self.transport).get_me(patient=False)).scopes
        except (SequencesError, TimeoutError):
            return  # the scopes stay unknown, and Topo itself says what is missing


@dataclass(frozen=True, slots=True)
class Scoped:
    """A transport that does not ask for what the key is known not to carry."""

    transport: Transport
    scopes: Scopes

    async def send(self, request: Request, read: Callable[[object], T]) -> T:
        """Make one call; ProviderForbiddenError, with the scope to add, before a request that would be refused."""
        if request.scope and not request.safe and await self.scopes.lacks(request.scope):
            raise _forbidden(self.transport, request)
        return await self.transport.send(request, read)


def _forbidden(transport: Transport, request: Request) -> ProviderForbiddenError:
    message, next_step = lacks_scope(transport.vendor, request)
    data = {"provider": transport.vendor.name, "missing_scope": request.scope}
    return ProviderForbiddenError(message, next_step=f"Nothing was asked. {next_step}", data=data)


def lacking(scope: str, *, what: str) -> ProviderForbiddenError:
    """Return the error of something that a whole verb needs, before its first request."""
    return ProviderForbiddenError(
        f"The Topo key may not {what}: it lacks the scope `{scope}`.",
        next_step=f"Nothing was asked. Make a Topo key with the scope `{scope}` and put it into TOPO_API_KEY.",
        data={"provider": "topo", "missing_scope": scope},
    )
