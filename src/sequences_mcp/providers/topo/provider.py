"""Topo as the product's verbs see it."""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass

from sequences_mcp.domain.addresses import host_key
from sequences_mcp.domain.blueprint import Blueprint, Sourcing, Step
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.page import Page
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.providers.contact_traces import ContactTraces
from sequences_mcp.providers.port import (
    ContactEntry,
    Matched,
    SavedContact,
)
from sequences_mcp.providers.provider import Provider
from sequences_mcp.providers.remembered import Memory
from sequences_mcp.providers.topo.by_hand import TopoTasks
from sequences_mcp.providers.topo.client import Topo
from sequences_mcp.providers.topo.enrolment import TopoEnrolment
from sequences_mcp.providers.topo.places import TopoLists
from sequences_mcp.providers.topo.runs import LiveRuns, TopoReach, TopoSequences
from sequences_mcp.providers.topo.scopes import Scoped, Scopes
from sequences_mcp.providers.translation import blueprint_of, not_supported, people_of
from sequences_mcp.providers.transport import Transport

NAME = "topo"
REASON = "OTHER"  # one of Topo's own words; why is in the message


@dataclass(frozen=True, slots=True)
class TopoTemplates:
    """``providers.port.Blueprints`` over Topo's templates, which are made in its app."""

    topo: Topo

    async def list_blueprints(self, *, page: int, size: int) -> Page[Blueprint]:
        """Return one page of templates, without steps."""
        return (await self.topo.list_templates(page=page, size=size)).counted().map(blueprint_of)

    async def get_blueprint(self, blueprint_id: str, version: int | None = None) -> Blueprint:
        """Return one template, without steps."""
        return blueprint_of(await self.topo.get_template(blueprint_id))

    async def create_blueprint(self, *, name: str, steps: Items[Step], sourcing: Sourcing) -> Blueprint:
        """Raise NotSupportedError."""
        not_supported(NAME, "create a sequence template")

    async def update_blueprint(
        self, blueprint_id: str, *, expected_version: int, name: str, steps: Items[Step], sourcing: Sourcing
    ) -> Blueprint:
        """Raise NotSupportedError."""
        not_supported(NAME, "change a sequence template")


@dataclass(frozen=True, slots=True)
class TopoContacts:
    """``providers.port.Contacts`` over Topo: found by exact address or profile, or paged through."""

    topo: Topo

    async def find_contacts(self, query: str, *, page: int, size: int) -> Page[Contact]:
        """Return people; the query is empty, an e-mail address or a LinkedIn profile."""
        if query and "@" not in query and "linkedin.com/" not in query:
            raise InvalidArgumentsError(
                "Topo finds people by a whole e-mail address or LinkedIn profile only.",
                next_step="Give one of the two as the query, or an empty one for everybody.",
            )
        by_email = query if "@" in query else None
        profile = query if query and by_email is None else None
        return people_of(await self.topo.list_contacts(email=by_email, linkedin_url=profile, page=page, size=size))

    async def get_contacts(self, contact_ids: Items[str]) -> list[Contact]:
        """Raise NotSupportedError."""
        not_supported(NAME, "read several people at once")

    async def match_contacts(self, people: Items[ContactEntry]) -> Matched:
        """Raise NotSupportedError."""
        not_supported(NAME, "match people")

    async def save_contacts(self, entries: Items[ContactEntry]) -> list[SavedContact]:
        """Raise NotSupportedError."""
        not_supported(NAME, "save people outside a contact list")


@dataclass(frozen=True, slots=True)
class TopoExclusions:
    """``providers.port.Exclusions`` over Topo."""

    topo: Topo

    async def is_excluded(self, kind: str, value: str) -> bool:
        """Say whether an address, a profile, or a domain among the first hundred, is there."""
        if kind == "address":
            return bool((await self.topo.list_contact_exclusions(email=value)).items)
        if kind == "profile":
            return bool((await self.topo.list_contact_exclusions(linkedin_url=value)).items)
        accounts = await self.topo.list_account_exclusions(size=100)
        return any(host_key(one.domain or "") == host_key(value) for one in accounts.items)

    async def exclude(self, kind: str, value: str, *, message: str) -> None:
        """Put it there, for good."""
        if kind == "address":
            await self.topo.exclude_contact(reason=REASON, email=value, message=message)
        elif kind == "profile":
            await self.topo.exclude_contact(reason=REASON, linkedin_url=value, message=message)
        else:
            await self.topo.exclude_account(reason=REASON, domain=value, message=message)


@dataclass(frozen=True, slots=True)
class TopoKey:
    """``providers.vendor_port.Introduction`` over what the key has been found to carry."""

    scopes: Scopes

    async def about_key(self) -> str:
        """Return the scopes of the key."""
        return f"scopes of the key: {', '.join(sorted(await self.scopes.known())) or 'none'}"


def topo_provider(opened: Transport, *, memory: Memory) -> Provider:
    """Return Topo with what its API can do; what its key is known not to carry is not asked for."""
    scopes = Scopes(opened)
    topo = Topo(Scoped(opened, scopes))
    sequences = TopoSequences(topo, scopes)
    live = LiveRuns(topo)
    return Provider(
        name=NAME,
        blueprints=TopoTemplates(topo),
        contacts=TopoContacts(topo),
        sequences=sequences,
        overrides=sequences,
        exclusions=TopoExclusions(topo),
        enrolment=TopoEnrolment(topo, memory, live, scopes),
        introduction=TopoKey(scopes),
        places=TopoLists(topo),
        traces=ContactTraces(topo.get_contact),
        reach=TopoReach(live, sequences),
        vendor_tasks=TopoTasks(topo),
    )
