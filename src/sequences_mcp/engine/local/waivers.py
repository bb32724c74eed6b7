"""Waivers: given by a person, looked up whenever a blueprint's findings are."""

from __future__ import annotations

from dataclasses import dataclass

from sequences_mcp.domain.waiver import Waiver
from sequences_mcp.engine.local.engine import Engine
from sequences_mcp.engine.store import waivers


@dataclass(frozen=True, slots=True)
class LocalWaivers:
    """``providers.record_port.Waivers`` over the store."""

    engine: Engine

    async def waive(self, waiver: Waiver) -> None:
        """Keep a person's yes to a warning."""
        with self.engine.store.transaction():
            waivers.insert(self.engine.store, waiver, now=self.engine.clock())
            detail = {"rule": waiver.rule, "reason": waiver.reason, "until": waiver.until, "by": waiver.actor}
            self.engine.audit("blueprint.waived", waiver.blueprint_id, **detail)

    async def waivers_of(self, blueprint_id: str) -> tuple[Waiver, ...]:
        """Return those that hold now."""
        return waivers.in_force(self.engine.store, blueprint_id, now=self.engine.clock())
