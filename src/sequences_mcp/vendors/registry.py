"""From keys to providers. Nothing is opened and nobody is called before a tool needs it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar, cast

from sequences_mcp.domain.plan import Terms
from sequences_mcp.domain.sender import Secret
from sequences_mcp.ports.provider import Provider
from sequences_mcp.vendors.adapters import BlueprintCache
from sequences_mcp.vendors.clarky.client import ClarkyClient
from sequences_mcp.vendors.clarky.provider import clarky_provider
from sequences_mcp.vendors.clarky.wire import CLARKY
from sequences_mcp.vendors.kalent.client import KalentClient
from sequences_mcp.vendors.kalent.provider import kalent_provider
from sequences_mcp.vendors.kalent.wire import KALENT
from sequences_mcp.vendors.pacing import Clockwork, Timing
from sequences_mcp.vendors.topo.provider import topo_provider
from sequences_mcp.vendors.topo.wire import TOPO
from sequences_mcp.vendors.transport import Transport

T = TypeVar("T")


class LazyMapping(Mapping[str, T]):
    """A mapping of what is there already and of what ``make`` makes, once, when a name is first asked for."""

    def __init__(self, ready: Mapping[str, T], names: Iterable[str], make: Callable[[str], T]) -> None:
        self._made = dict(ready)
        self._names = (*ready, *names)
        self._make = make

    def __getitem__(self, name: str) -> T:
        if name not in self._made and name in self._names:
            self._made[name] = self._make(name)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names


def when_used(make: Callable[[], T]) -> T:
    """Return what stands for the value of ``make``, which is called once, when a method is first asked of it."""
    return cast("T", _Later(make))


class _Later:
    """Hands every attribute on to what ``make`` makes."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make: Callable[[], Any] | None = make
        self._made: Any = None

    def __getattr__(self, name: str) -> Any:
        if self._make is not None:
            self._made, self._make = self._make(), None
        return getattr(self._made, name)


VENDORS = {vendor.name: vendor for vendor in (KALENT, CLARKY, TOPO)}


def transport(name: str, key: Secret, *, base_url: str, clockwork: Clockwork, timing: Timing | None) -> Transport:
    """Return the way out to a vendor; an empty ``base_url`` is the vendor's own. Raises SettingsError."""
    return Transport(VENDORS[name], key, clockwork=clockwork, base_url=base_url, timing=timing)


def provider(name: str, opened: Transport, *, memory: BlueprintCache, bot_id: str | None = None) -> Provider:
    """Return a vendor with what its API can do; ``bot_id`` is Clarky's agent for templates that name none."""
    if name == "kalent":
        return kalent_provider(KalentClient(opened), memory=memory)
    if name == "clarky":
        return clarky_provider(ClarkyClient(opened), memory=memory, bot_id=bot_id)
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
