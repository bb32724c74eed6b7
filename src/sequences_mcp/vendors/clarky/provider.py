"""Clarky as a provider.

A start is one person a call, upserted and enrolled at once (page "Sequences"). It is the only start of the three
vendors with a deduplication key: the caller's, so that one lead is one sequence from whatever data folder it is
started; else the id of the run as it is kept here.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import replace
from hashlib import sha256
from typing import ClassVar

from sequences_mcp.domain.addresses import address_key, wire_address
from sequences_mcp.domain.blueprint import Blueprint
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.plan import Plan
from sequences_mcp.domain.run import AND, MORE_EMAILS, MORE_PHONES, Run
from sequences_mcp.errors import (
    NotFoundError,
    ProviderConflictError,
    ProviderForbiddenError,
    ProviderRejectedError,
    error_facts,
)
from sequences_mcp.ports import vendor
from sequences_mcp.ports.embedded import SequenceDetail
from sequences_mcp.vendors import translation
from sequences_mcp.vendors.clarky import DESCRIPTION
from sequences_mcp.vendors.clarky.client import ClarkyClient, Lead
from sequences_mcp.vendors.transport import Transport
from sequences_mcp.vendors.vendor import BlueprintCache, Vendor

AT_ONCE = "starts at once"
YES = "yes, without a review at Clarky"
UNREACHABLE = "neither an e-mail address nor a phone number (without an extension) is known"
FACTS = ("first_name", "email", "phone")
KEY = "idempotency key"


class Clarky(Vendor):
    """The provider for Clarky; the setting ``bot_id`` names the sending agent for templates that name none."""

    name, title = DESCRIPTION.name, DESCRIPTION.title
    lacks: ClassVar = {"create_blueprint": "create a template", "update_blueprint": "change a template"}
    takes_several = True  # ``emails`` and ``phone_numbers`` are lists
    has_review = True  # without ``auto_approve`` its texts wait in its review queue

    def __init__(self, transport: Transport, *, memory: BlueprintCache, further: Mapping[str, str]) -> None:
        super().__init__(memory)
        self.clarky = ClarkyClient(transport)
        self.bot_id = further.get("bot_id")
        self.names_sender = self.bot_id is not None

    async def about_key(self) -> str:
        """Return the ids of the enabled agents, and of the one that is set for templates that name none.

        Ids alone, because the agents' names are third-party text.
        """
        agents = [
            agent.id for agent in (await self.clarky.list_agents(size=20)).items if agent.is_enabled is not False
        ]
        default_agent = self.bot_id.partition(":")[2] if self.bot_id else "not set"
        listed = ", ".join(agent.partition(":")[2] for agent in agents) or "none"
        return f"agents: {listed}; CLARKY_BOT_ID: {default_agent}"

    async def get_sequence(self, sequence_id: str) -> SequenceDetail:
        """Return an enrollment; NotFoundError."""
        return translation.detail_of(await self.clarky.get_enrollment(sequence_id))

    async def identity_of(self, contact_id: str) -> vendor.Identity:
        """Return the contact's further ids and addresses; NotFoundError."""
        return translation.identity_of_remote(await self.clarky.get_contact(contact_id))

    async def find_contacts(self, query: str, *, page: int, size: int) -> Page[Contact]:
        """Return people whose facts contain the query; everybody for an empty one."""
        remote = await self.clarky.list_contacts(search=query or None, page=page, size=size)
        return translation.people_of_remote(remote)

    async def blueprint_to_start(self, blueprint_id: str) -> Blueprint:
        """Return a template, of which Clarky's API tells nothing at all."""
        return await self.memory.note(blueprint_id, name=blueprint_id.partition(":")[2])

    async def person_to_enrol(
        self, request: vendor.PersonRequest, *, blueprint: Blueprint, reviewed_there: bool
    ) -> vendor.VendorPerson:
        """Return a person from facts, or as Clarky knows them; NotFoundError."""
        known = await self._known(request)
        contact = (
            translation.with_facts(translation.contact_of_remote(known), request.fields)
            if known
            else translation.unknown_contact(request.fields)
        )
        given = translation.given_of(contact, FACTS)
        if request.emails:
            given[MORE_EMAILS] = AND.join(map(wire_address, request.emails))
        if request.phones:
            given[MORE_PHONES] = AND.join(request.phones)
        if request.note:
            given["note"] = request.note
        if not reviewed_there:
            given[AT_ONCE] = YES
        reachable = "email" in given or "phone" in given
        if request.key and reachable:
            given[KEY] = _key_for(request, contact)
        return vendor.VendorPerson(
            contact=contact,
            vendor_facts=given,
            obstacle=None if reachable else UNREACHABLE,
            left_out=translation.left_out_of(contact),
            addresses=(*(known.emails if known else ()), *request.emails),
        )

    async def preflight(self, plan: Plan, people: Items[Run]) -> vendor.PreflightSnapshot:
        """Return every address of each: those it is given, and those that Clarky's contact has beside them.

        The key tells a repeat from a first call, so nothing else has to be read.
        """
        return vendor.PreflightSnapshot(
            addresses={person.id: await self._every_address(person) for person in people}
        )

    async def _every_address(self, person: Run) -> tuple[str, ...]:
        given = _several(person.vendor_facts, "email", MORE_EMAILS)
        try:
            known = await self._by_email(given[0]) if given else None
        except (
            ProviderForbiddenError
        ):  # the key may not read people, so only the facts given by the caller are known
            known = None
        return (*given, *(known.emails if known else ()))

    async def enrol(self, order: vendor.EnrolmentBatch) -> tuple[vendor.EnrolmentOutcome, ...]:
        """Start each person; what Clarky refuses about one of them is that one's alone."""
        return tuple([await self._start(order.plan, person) for person in order.people])

    async def read_enrolment_back(self, order: vendor.EnrolmentBatch) -> tuple[vendor.EnrolmentOutcome, ...]:
        """Return, for each, whether Clarky knows the person at all: a start saves them before anything else.

        No call lists enrollments, so of somebody whom it knows nothing more can be told.
        """
        return tuple([await self._looked_up(person) for person in order.people])

    async def _looked_up(self, person: Run) -> vendor.EnrolmentOutcome:
        emails, phones = (
            _several(person.vendor_facts, "email", MORE_EMAILS),
            _several(person.vendor_facts, "phone", MORE_PHONES),
        )
        contacts = [known for email in emails if (known := await self._by_email(email))]
        for phone in phones:
            page = await self.clarky.list_contacts(search=phone)
            contacts += page.items
        if not contacts:
            return vendor.EnrolmentOutcome(
                sequence_id=person.id, outcome="not_done", why="Clarky has no such contact."
            )
        changed = max((known.updated_at for known in contacts if known.updated_at), default=None)
        when = f", last changed {changed:%Y-%m-%d %H:%M:%S} UTC" if changed else ""
        why = f"Clarky has the contact{when}; its API does not tell which sequences somebody is in."
        return vendor.EnrolmentOutcome(sequence_id=person.id, outcome="unknown", why=why)

    async def _by_email(self, email: str) -> translation.RemoteContact | None:
        try:
            return await self.clarky.get_contact_by_email(email)
        except NotFoundError:
            return None

    async def follow_run(self, run: Run, *, baseline: str | None) -> SequenceDetail | None:
        """Return the enrollment."""
        if run.remote_id is None:
            return None
        return translation.detail_of(await self.clarky.get_enrollment(run.remote_id))

    async def _known(self, request: vendor.PersonRequest) -> translation.RemoteContact | None:
        if request.vendor_id is None:
            return None
        return replace(await self.clarky.get_contact(request.vendor_id), id=request.vendor_id)

    async def _start(self, plan: Plan, person: Run) -> vendor.EnrolmentOutcome:
        given = person.vendor_facts
        lead = Lead(
            first_name=given.get("first_name"),
            emails=_several(given, "email", MORE_EMAILS),
            phones=_several(given, "phone", MORE_PHONES),
            notes=given.get("note"),
        )
        try:
            remote_id = await self.clarky.start(
                plan.header.blueprint_id,
                contact=lead,
                idempotency_key=given.get(KEY, person.id),
                bot_id=self.bot_id,
                auto_approve=AT_ONCE in given,
            )
        except (ProviderRejectedError, ProviderConflictError) as error:
            return vendor.EnrolmentOutcome(
                sequence_id=person.id, outcome="not_done", why=error.message, error=error_facts(error)
            )
        return vendor.EnrolmentOutcome(sequence_id=person.id, outcome="done", remote_id=remote_id)


def _several(given: Mapping[str, str], first: str, more: str) -> tuple[str, ...]:
    return tuple(filter(None, [given.get(first), *given.get(more, "").split(AND)]))


def _key_for(request: vendor.PersonRequest, contact: Contact) -> str:
    """Return the key of one lead: the caller's own, or, where it names several people, one for each of them."""
    if not request.shares_key:
        return str(request.key)
    who = address_key(contact.email) if contact.email else contact.phone or ""
    return f"{request.key}:{sha256(who.encode()).hexdigest()[:16]}"


PROVIDER = Clarky
