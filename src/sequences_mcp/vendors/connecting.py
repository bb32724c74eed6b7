"""Makes providers from API keys. No connection is opened before a tool uses the vendor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sequences_mcp.domain.plan import Terms
from sequences_mcp.domain.sender import Secret
from sequences_mcp.vendors.registry import DESCRIPTIONS

if TYPE_CHECKING:
    from sequences_mcp.ports.provider import Provider
    from sequences_mcp.vendors.outcome import VendorApi
    from sequences_mcp.vendors.pacing import Clockwork, Timing
    from sequences_mcp.vendors.transport import Transport
    from sequences_mcp.vendors.vendor import BlueprintCache

T = TypeVar("T")


class LazyMapping(Mapping[str, T]):
    """A mapping of these names to values, each made by ``make`` when it is looked up for the first time."""

    def __init__(self, names: Iterable[str], make: Callable[[str], T]) -> None:
        self._made: dict[str, T] = {}
        self._names = tuple(names)
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
    """Return a proxy for the value of ``make``, which is called once, at the first use of an attribute."""
    return cast("T", _Later(make))


class _Later:
    """A proxy: every attribute is that of the value of ``make``."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make: Callable[[], Any] | None = make
        self._made: Any = None

    def __getattr__(self, name: str) -> Any:
        if self._make is not None:
            self._made, self._make = self._make(), None
        return getattr(self._made, name)


def vendor_api(name: str) -> VendorApi:
    """Return a vendor's ``VendorApi``: the value in its ``wire`` module that has the vendor's name in capitals."""
    return cast("VendorApi", getattr(import_module(f"sequences_mcp.vendors.{name}.wire"), name.upper()))


def transport(name: str, key: Secret, *, base_url: str, clockwork: Clockwork, timing: Timing | None) -> Transport:
    """Return the way out to a vendor; an empty ``base_url`` is the vendor's own. Raises SettingsError."""
    from sequences_mcp.vendors.transport import Transport

    return Transport(vendor_api(name), key, clockwork=clockwork, base_url=base_url, timing=timing)


def provider(name: str, opened: Transport, *, memory: BlueprintCache, further: Mapping[str, str]) -> Provider:
    """Return a vendor with what its API can do: an instance of ``PROVIDER`` in its ``provider`` module.

    ``further`` has the account's further settings by key.
    """
    adapter = import_module(f"sequences_mcp.vendors.{name}.provider")
    return cast("Provider", adapter.PROVIDER(opened, memory=memory, further=further))


def terms(name: str, base_url: str, *, further: Mapping[str, str]) -> Terms:
    """Return what an approval of a start at a vendor covers: whose API it is, at which address, and the further
    settings that decide who sends.
    """
    vendor = DESCRIPTIONS[name]
    named = [
        setting.in_terms.format(further[setting.key])
        for setting in vendor.further_settings
        if further.get(setting.key)
    ]
    return Terms(
        sender_address="",
        sender_name=vendor.title,
        delivery=", ".join((base_url or vendor.base_url, *named)),
        window="",
        daily_cap=0,
        spacing=0,
    )
