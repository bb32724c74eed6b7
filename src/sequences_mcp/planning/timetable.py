"""When each step would leave if the start were approved now and nobody answered."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sequences_mcp.context import AppContext
from sequences_mcp.domain.blueprint import INVITE_TIMEOUT_DAYS, TEXTED, Channel, Step, Temporality
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.lazy_dataclasses import dataclass

AT_VENDOR = "when the vendor sends it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One step's expected time: an instant, and the same as the contact's clock would show it.

    ``held`` says that the step would be due earlier and waits for the sending window, ``texted`` that it waits
    for the hours in which somebody may be texted.
    """

    step_id: str
    at: datetime
    local: str
    held: bool
    texted: bool = False

    @property
    def words(self) -> str:
        """When the step leaves, as a sentence says it."""
        if self.local == AT_VENDOR:
            return self.local
        window = "8:00 to 21:00 at the person's place" if self.texted else "the sending window"
        return f"about {self.local}{f', after waiting for {window}' if self.held else ''}"


def timetable(
    app: AppContext, steps: Iterable[Step], *, zone: str, start: datetime, free: datetime | None = None
) -> tuple[Slot, ...]:
    """Return the expected slots in order; an invitation counts as settled at its time limit.

    Without a ``zone`` a vendor decides when: then only the order and the delays are known. ``free`` is from when
    the mailbox may be used again, as its spacing, caps and ramp-up have it: no e-mail leaves before.
    """
    slots = []
    anchor = start
    invited: tuple[datetime, int | None] = (start, None)
    for step in steps:
        due = _due(step, anchor=anchor, invited=invited)
        if free is not None and step.type is Channel.EMAIL:
            due = max(due, free)
        opens = _opens(app, step, zone=zone, due=due) if zone else None
        anchor = opens or due
        if step.is_invitation:
            invited = (anchor, step.policy.invite_timeout_days)
        is_texted, local = step.type in TEXTED, _local(anchor, zone)
        slots.append(Slot(step_id=step.id, at=anchor, local=local, held=opens is not None, texted=is_texted))
    return tuple(slots)


def _opens(app: AppContext, step: Step, *, zone: str, due: datetime) -> datetime | None:
    try:
        if step.type in TEXTED:
            return app.next_text(zone, due)
        return app.next_open(zone, due) if step.type is Channel.EMAIL else None
    except InvalidArgumentsError:
        return None  # never open: a start leaves such a person out and says why


def _due(step: Step, *, anchor: datetime, invited: tuple[datetime, int | None]) -> datetime:
    if step.temporality_type is Temporality.AFTER_INVITATION_SETTLED:
        days = invited[1] or step.policy.invite_timeout_days or INVITE_TIMEOUT_DAYS
        return max(anchor, invited[0] + timedelta(days=days))
    if step.temporality_type is Temporality.DELAYED and step.delay:
        return anchor + step.delay.duration()
    return anchor


def _local(at: datetime, zone: str) -> str:
    if not zone:
        return AT_VENDOR
    name = zone.partition(",")[0]
    return f"{at.astimezone(ZoneInfo(name)):%a %Y-%m-%d %H:%M} {name}"
