"""The mutable state of the sandbox: the three vendors' states, the keys, and the clock."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sequences_sandbox import clarky_world, kalent_world, topo_world
from sequences_sandbox.clarky_world import Clarky
from sequences_sandbox.kalent_world import Kalent
from sequences_sandbox.topo_world import Topo

VendorName = Literal["kalent", "clarky", "topo"]
_NAMES = uuid.UUID("0c5c9b0e-3b0f-4b43-8a3e-7d1f5f6f2a10")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key of one vendor. ``lacks`` names what the account behind it does not have."""

    token: str
    name: str
    scopes: frozenset[str] = frozenset()
    lacks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLimits:
    """Requests in any sixty seconds for one key, reads and writes apart (Clarky publishes 120 and 60)."""

    reads: int = 120
    writes: int = 60


@dataclass(frozen=True, slots=True)
class Received:
    """One request that came in, with its body as JSON.

    ``status`` is the vendor's own answer, None where a fault kept it from acting.
    """

    vendor: str
    method: str
    path: str
    status: int | None
    body: Any = None


@dataclass(slots=True, kw_only=True)
class World:
    """The present states. ``clock`` returns an aware time; ``ahead`` is how far the sandbox runs before it."""

    clock: Callable[[], datetime]
    kalent: Kalent
    clarky: Clarky
    topo: Topo
    keys: Mapping[VendorName, tuple[ApiKey, ...]]
    limits: RequestLimits = field(default_factory=RequestLimits)
    ahead: timedelta = timedelta()
    count: int = 0
    recent: dict[tuple[str, bool], deque[datetime]] = field(default_factory=dict)
    received: deque[Received] = field(default_factory=lambda: deque(maxlen=10_000))

    def now(self) -> datetime:
        """Return the sandbox's time."""
        return self.clock() + self.ahead

    def new_id(self, prefix: str) -> str:
        """Return an id nobody has had: ``candidate_1001``."""
        self.count += 1
        return f"{prefix}_{1000 + self.count}"

    def new_uuid(self) -> str:
        """Return a UUID nobody has had, the same ones in the same order in each new world."""
        self.count += 1
        return str(uuid.uuid5(_NAMES, str(self.count)))

    def advance(self) -> datetime:
        """Execute everything that is due, and return the time."""
        now = self.now()
        self.kalent = kalent_world.advanced_kalent(self.kalent, now)
        self.clarky = clarky_world.advanced_clarky(self.clarky, now)
        self.topo = topo_world.advanced_topo_course(self.topo, now)
        return now
