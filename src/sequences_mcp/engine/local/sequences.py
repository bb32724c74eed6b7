"""Runs: listed, looked at, paused, resumed, stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sequences_mcp.domain.companies import company_domain_of, company_key
from sequences_mcp.domain.ids import VENDORS, Kind, parse
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.sequence import Sequence, SequenceStatus, StopReason, StopScope
from sequences_mcp.engine.change import change
from sequences_mcp.engine.events import Event, Paused, Resumed, Stopped
from sequences_mcp.engine.local.details import details, people_of, require_ours, require_sequence
from sequences_mcp.engine.local.engine import Engine, require_aware, require_page
from sequences_mcp.engine.stopping import end_all
from sequences_mcp.engine.store import contacts, schedule, sequences
from sequences_mcp.engine.store.instants import to_micros
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.providers.port import SequenceDetail, SequenceFilter


@dataclass(frozen=True, slots=True)
class LocalSequences:
    """``providers.port.Sequences`` over the store and the machine."""

    engine: Engine

    async def list_sequences(self, wanted: SequenceFilter) -> Page[SequenceDetail]:
        """Return one page; the provider's own word for a status is here the status itself."""
        require_page(wanted.page, wanted.size)
        if wanted.provider_status is not None:
            named = _status_named(wanted.provider_status, also=wanted.status)
            wanted = replace(wanted, status=named, provider_status=None)
        with self.engine.store.snapshot():
            found = sequences.page_of(
                self.engine.store,
                {"own": True, **conditions_of(wanted)},
                sort_by=wanted.sort_by,
                sort_order=wanted.sort_order,
                page=wanted.page,
                size=wanted.size,
            )
            return found.of(details(self.engine, found.items))

    async def get_sequence(self, sequence_id: str) -> SequenceDetail:
        """Return one run; NotFoundError."""
        return details(self.engine, [require_sequence(self.engine, sequence_id)])[0]

    async def pause_sequence(self, sequence_id: str, *, until: datetime) -> SequenceDetail:
        """Wait until a future time; the clocks of delays stand still."""
        return await self.engine.insisting(lambda: self._change(sequence_id, Paused(until)))

    async def resume_sequence(self, sequence_id: str) -> SequenceDetail:
        """Go on now."""
        return self._change(sequence_id, Resumed())

    async def stop_sequence(
        self, sequence_id: str, *, reason: StopReason, scope: StopScope
    ) -> list[SequenceDetail]:
        """Stop for good; return every sequence that was stopped, this one first.

        COMPANY also stops what is live, or waits for an approval, of the same blueprint at the same company.
        """
        return await self.engine.insisting(lambda: self._stopped(sequence_id, reason=reason, scope=scope))

    def _stopped(self, sequence_id: str, *, reason: StopReason, scope: StopScope) -> list[SequenceDetail]:
        with self.engine.store.transaction():
            first = require_ours(self.engine, sequence_id)
            others = self._colleagues_of(first) if scope is StopScope.COMPANY else []
            stopped = end_all(
                self.engine.store,
                [first, *others],
                Stopped(reason),
                now=self.engine.clock(),
                actor=self.engine.actor,
            )
            return list(details(self.engine, stopped))

    async def not_stopped(self, sequence_id: str) -> Mapping[str, tuple[str, ...]]:
        """Return why → runs that go on, of people who are or look like this run's contact's colleagues."""
        first = require_sequence(self.engine, sequence_id)
        contact = people_of(self.engine, [first])[first.contact_id]
        store = self.engine.store
        found: dict[str, list[str]] = {}
        for own, run_id in schedule.live_of(store, contacts.colleagues(store, contact)).items():
            [run] = sequences.by_ids(store, [run_id])
            if own != contact.id and run.id != first.id:
                there = f"at this company, and {VENDORS.get(run.provider)} carries it out"
                why = there if run.is_at_vendor else "at this company, under another blueprint"
                found.setdefault(why, []).append(run.id)
        like = contacts.like_colleagues(store, contact)
        for own, run_id in schedule.live_of(store, like).items():
            found.setdefault(like[own], []).append(run_id)
        return {why: tuple(dict.fromkeys(ids)) for why, ids in found.items()}

    def _change(self, sequence_id: str, event: Event) -> SequenceDetail:
        with self.engine.store.transaction():
            before = require_ours(self.engine, sequence_id)
            after, _ = change(self.engine.store, before, event, now=self.engine.clock(), actor=self.engine.actor)
            return details(self.engine, [after])[0]

    def _colleagues_of(self, first: Sequence) -> list[Sequence]:
        contact = people_of(self.engine, [first])[first.contact_id]
        if company_domain_of(contact) is None and company_key(contact.company) is None:
            raise InvalidArgumentsError(
                "This contact's company is not known, so the other sequences there cannot be told.",
                next_step="Use scope CONTACT, or save the contact's company or company_domain first.",
                data={"contact_id": contact.id, "name": contact.display_name},
            )
        people = contacts.colleagues(self.engine.store, contact)
        going = schedule.going_of(self.engine.store, people, blueprint_id=first.blueprint_id)
        return sequences.by_ids(self.engine.store, [one for one in going if one != first.id])


def _status_named(word: str, *, also: SequenceStatus | None) -> SequenceStatus:
    try:
        named = SequenceStatus(word.strip().upper())
    except ValueError:
        named = None
    if named is None or also not in (None, named):
        raise InvalidArgumentsError(
            f"No run of the local engine can have provider_status {word[:40]!r} here.",
            next_step=f"Its own statuses are {', '.join(SequenceStatus)}; status filters by them.",
        )
    return named


def conditions_of(wanted: SequenceFilter) -> dict[str, Any]:
    """Return the filters as the store takes them; InvalidArgumentsError for a time without its offset."""
    require_aware(wanted.created_after, "created_after")
    require_aware(wanted.created_before, "created_before")
    if wanted.contact and ":" in wanted.contact:
        parse(wanted.contact, Kind.CONTACT)
    conditions: dict[str, Any] = {
        "status": wanted.status and wanted.status.value,
        "waiting_for": wanted.waiting_for,
        "provider_status": wanted.provider_status,
        "contact": wanted.contact and wanted.contact.strip().casefold(),
        "company": wanted.company and wanted.company.strip().casefold(),
        "blueprint_id": wanted.blueprint_id and str(parse(wanted.blueprint_id, Kind.BLUEPRINT)),
        "created_after": to_micros(wanted.created_after),
        "created_before": to_micros(wanted.created_before),
    }
    return {name: value for name, value in conditions.items() if value is not None}
