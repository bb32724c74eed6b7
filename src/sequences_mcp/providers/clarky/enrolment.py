"""Starts at Clarky: one person a call, upserted and enrolled at once (page "Sequences").

The only start of the three vendors with a deduplication key: the id of the run as it is kept here.
"""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass, replace

from sequences_mcp.domain.blueprint import Blueprint
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.plan import Plan
from sequences_mcp.domain.sequence import Sequence
from sequences_mcp.errors import ProviderConflictError, ProviderRejectedError, error_facts
from sequences_mcp.providers.clarky.client import Clarky, Lead
from sequences_mcp.providers.enrolment_port import Asked, Before, Candidate, Fate, Order, Standing
from sequences_mcp.providers.port import SequenceDetail
from sequences_mcp.providers.remembered import Memory
from sequences_mcp.providers.translation import contact_of, detail_of, unknown_contact

AT_ONCE = "starts at once"
YES = "yes, without a review at Clarky"
UNREACHABLE = "neither an e-mail address nor a phone number is known"
FACTS = ("first_name", "email", "phone")


@dataclass(frozen=True, slots=True)
class ClarkyEnrolment:
    """``providers.enrolment_port.Enrolment`` over Clarky; ``bot_id`` sends where a template names nobody."""

    clarky: Clarky
    memory: Memory
    bot_id: str | None = None

    @property
    def people_a_call(self) -> int:
        """Return how many people one start takes."""
        return 1

    @property
    def has_review(self) -> bool:
        """Return True: without ``auto_approve`` its texts wait in its review queue."""
        return True

    async def offer(self, blueprint_id: str) -> Blueprint:
        """Return a template, of which Clarky's API tells nothing at all."""
        return await self.memory.note(blueprint_id, name=blueprint_id.partition(":")[2])

    async def candidate(self, asked: Asked, *, blueprint: Blueprint, reviewed_there: bool) -> Candidate:
        """Return a person from facts, or as Clarky knows them; NotFoundError."""
        contact = await self._person(asked)
        given = {name: value for name in FACTS if (value := getattr(contact, name))}
        if asked.note:
            given["note"] = asked.note
        if not reviewed_there:
            given[AT_ONCE] = YES
        reachable = contact.email or contact.phone
        return Candidate(contact=contact, handover=given, obstacle=None if reachable else UNREACHABLE)

    async def standings(self, people: Items[Candidate]) -> list[Standing]:
        """Return nothing more: what keeps somebody out is read with each of them."""
        return [Standing()] * len(people)

    async def before(self, plan: Plan, people: Items[Sequence]) -> Before:
        """Return nothing: the key tells a repeat from a first call."""
        return Before()

    async def enrol(self, order: Order) -> tuple[Fate, ...]:
        """Start each person; what Clarky refuses about one of them is that one's alone."""
        return tuple([await self._start(order.plan, one) for one in order.people])

    async def read_back(self, order: Order) -> tuple[Fate, ...]:
        """Return that nobody can tell: no call lists enrollments, and asking again could start one."""
        why = "Clarky's API lists no enrollments: look the person up in its review queue."
        return tuple(Fate(sequence_id=one.id, outcome="unknown", why=why) for one in order.people)

    async def follow(self, run: Sequence, *, mark: str | None) -> SequenceDetail | None:
        """Return the enrollment."""
        if run.remote_id is None:
            return None
        return detail_of(await self.clarky.get_enrollment(run.remote_id))

    async def _person(self, asked: Asked) -> Contact:
        if asked.vendor_id is not None:
            return contact_of(replace(await self.clarky.get_contact(asked.vendor_id), id=asked.vendor_id))
        return unknown_contact(asked.fields)

    async def _start(self, plan: Plan, one: Sequence) -> Fate:
        given = one.handover
        lead = Lead(
            first_name=given.get("first_name"),
            emails=tuple(filter(None, [given.get("email")])),
            phones=tuple(filter(None, [given.get("phone")])),
            notes=given.get("note"),
        )
        try:
            made = await self.clarky.start(
                plan.header.blueprint_id,
                contact=lead,
                idempotency_key=one.id,
                bot_id=self.bot_id,
                auto_approve=AT_ONCE in given,
            )
        except (ProviderRejectedError, ProviderConflictError) as error:
            return Fate(sequence_id=one.id, outcome="not_done", why=error.message, error=error_facts(error))
        return Fate(sequence_id=one.id, outcome="done", remote_id=made.enrollment_id)
