"""What this server answers under names of its own: a review page, and where recipients opt out with one click."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.types import ASGIApp

from sequences_mcp.errors import SequencesError
from sequences_mcp.lazy_dataclasses import dataclass, field

log = logging.getLogger(__name__)
OPT_OUT = "/u/"
LISTED = 30.0  # seconds after which the names of all tenants are looked through again
MISSED = 2.0  # seconds between two looks for a name that no tenant had

# Returns what answers a path under a ``Host`` that is not the server's own; None where nothing does.
FindSite = Callable[[str, str], Awaitable[ASGIApp | None]]


@dataclass(frozen=True, slots=True)
class HostedPage:
    """An app under a name of its own, such as the review page, and every ``Host`` under which it is asked for."""

    app: Starlette
    hosts: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedSites:
    """What a data folder has under names of its own. Below ``/u/`` recipients opt out, beside the page too."""

    page: HostedPage | None = None
    opt_out: HostedPage | None = None

    def at(self, host: str, path: str) -> ASGIApp | None:
        """Return what answers a path under a host."""
        if self.opt_out is not None and path.startswith(OPT_OUT) and host in self.opt_out.hosts:
            return self.opt_out.app
        return self.page.app if self.page is not None and host in self.page.hosts else None

    async def find(self, host: str, path: str) -> ASGIApp | None:
        """Return what answers a path under a host."""
        return self.at(host, path)

    @property
    def hosts(self) -> frozenset[str]:
        """Every ``Host`` of them."""
        return frozenset().union(*(site.hosts for site in (self.page, self.opt_out) if site is not None))


@dataclass(slots=True, kw_only=True)
class TenantSites:
    """Which tenant goes by a host name: each says so in its settings, which are read again once they change.

    ``names`` lists the tenants, ``version`` changes with a tenant's settings (None: there is none), ``sites``
    returns what one has under names of its own; all but ``version`` are called in a thread, and raise
    SequencesError. A name of the server itself (``taken``), or of two tenants, is no tenant's.
    """

    names: Callable[[], list[str]]
    version: Callable[[str], object | None]
    sites: Callable[[str], HostedSites]
    elapsed: Callable[[], float]
    taken: frozenset[str]
    _known: dict[str, tuple[object, HostedSites]] = field(default_factory=dict, init=False)
    _owner: dict[str, str] = field(default_factory=dict, init=False)  # by host, the tenant's name
    _looked: float | None = field(default=None, init=False)
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def find(self, host: str, path: str) -> ASGIApp | None:
        """Return what answers a path under a host, None where no tenant has that name."""
        if host in self.taken:
            return None
        if not self._is_current(host):
            async with self._looking:
                if not self._is_current(host):
                    await self._look()
        owner = self._owner.get(host)
        return None if owner is None else self._known[owner][1].at(host, path)

    def _is_current(self, host: str) -> bool:
        age = None if self._looked is None else self.elapsed() - self._looked
        if age is None or age >= LISTED:
            return False
        owner = self._owner.get(host)
        return age < MISSED if owner is None else self._known[owner][0] == self.version(owner)

    async def _look(self) -> None:
        try:
            self._known = await asyncio.to_thread(self._read)
        except SequencesError as error:
            log.warning("The names of the tenants' pages cannot be looked for: %s", error)
        claims = defaultdict(list)
        for name, (_, sites) in self._known.items():
            for host in sites.hosts:
                claims[host].append(name)
        for host, names in claims.items():
            if host in self.taken or len(names) > 1:
                log.error("Nothing is served at %s: the settings of %s name it", host, " and ".join(names))
        self._owner = {
            host: names[0] for host, names in claims.items() if host not in self.taken and len(names) == 1
        }
        self._looked = self.elapsed()

    def _read(self) -> dict[str, tuple[object, HostedSites]]:
        known: dict[str, tuple[object, HostedSites]] = {}
        for name in self.names():
            version, before = self.version(name), self._known.get(name)
            if version is None:
                continue
            if before is None or before[0] != version:
                try:
                    before = version, self.sites(name)
                except SequencesError as error:
                    # Requests that come are told that the tenant cannot be opened.
                    log.warning("The settings of %s do not say where its page is: %s", name, error)
                    before = version, before[1] if before else HostedSites()
            known[name] = before
        return known
