"""Never contact again, beyond the own list: whoever it is, at every vendor, in what runs and in what may begin."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass

from sequences_mcp.domain.ids import LOCAL, PROVIDERS
from sequences_mcp.flows.desk import Desk
from sequences_mcp.flows.exclude_at_vendors import DONE, Mark, exclude_at_vendors
from sequences_mcp.flows.follow_person import Followed, follow_person
from sequences_mcp.flows.stop_at_vendors import STOPPED, stop_at_vendors, stop_elsewhere
from sequences_mcp.providers.port import Call, SequenceDetail


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptOut:
    """What else was put on the own list, what was stopped, and in words what came of it.

    ``told`` is by vendor, and by run for each that a vendor has. ``by_id_alone``: the list knows them by nothing
    but the id that was given. ``unseen`` are vendors whose API does not show what their own app runs.
    """

    also: tuple[str, ...]
    stopped: tuple[SequenceDetail, ...]
    told: Mapping[str, str]
    by_id_alone: bool = False
    unseen: tuple[str, ...] = ()

    @property
    def going_on(self) -> tuple[str, ...]:
        """Runs at vendors that have not been stopped, as far as anybody knows."""
        return tuple(own for own, told in self.told.items() if own not in PROVIDERS and told != STOPPED)

    @property
    def undone(self) -> Mapping[str, str]:
        """What has to be seen to by somebody."""
        return {name: told for name, told in self.told.items() if told not in (DONE, STOPPED)}


async def keep_out_at_vendors(desk: Desk, mark: Mark, *, call: Call, reason: str) -> KeptOut:
    """Follow what is on the own list by now to the person, stop what vendors run for them, exclude them there.

    Nothing is raised for a vendor that fails: ``told`` says so.
    """
    found = Followed(marks=(mark,))
    if mark.kind == "contact":
        found = await follow_person(desk, contact_id=mark.value, reason=reason)
    there = await stop_at_vendors(desk, (mark, *found.listed), call=call)
    told = await exclude_at_vendors(desk, found.marks, call=call, reason=reason)
    marks = dict.fromkeys((mark, *found.listed, *found.marks))
    others = await stop_elsewhere(desk, tuple(marks), known=there.told, call=call)
    if found.untold is not None:
        told[mark.value.partition(":")[0]] = found.untold
    return KeptOut(
        also=found.also,
        stopped=(*found.stopped, *there.stopped, *others.stopped),
        told={**told, **there.told, **others.told},
        unseen=_unseen(desk, tuple(marks)),
        by_id_alone=mark.kind == "contact" and not any("@" in one for one in found.also),
    )


def _unseen(desk: Desk, marks: Items[Mark]) -> tuple[str, ...]:
    """Return the vendors that cannot be asked what else they run for whoever these marks cover."""
    return tuple(
        one.title
        for name, one in desk.providers.items()
        if name != LOCAL and (one.reach is None or not one.reach.covers(marks))
    )
