"""Clarky as the product's verbs see it."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass

from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.page import Page
from sequences_mcp.ports.embedded import ContactEntry, Matched, SavedContact
from sequences_mcp.ports.provider import Provider
from sequences_mcp.vendors.adapters import BlueprintCache, CachedBlueprints, ReadOnlyRuns, VendorIdentityLookup
from sequences_mcp.vendors.clarky import DESCRIPTION
from sequences_mcp.vendors.clarky.client import ClarkyClient, ContactFilter
from sequences_mcp.vendors.clarky.enrolment import ClarkyEnrolment
from sequences_mcp.vendors.translation import not_supported, people_of_remote
from sequences_mcp.vendors.transport import Transport

NAME = DESCRIPTION.name


@dataclass(frozen=True, slots=True)
class ClarkyContacts:
    """``ports.embedded.Contacts`` over Clarky."""

    clarky: ClarkyClient

    async def find_contacts(self, query: str, *, page: int, size: int) -> Page[Contact]:
        """Return people whose facts contain the query; everybody for an empty one."""
        wanted = ContactFilter(search=query or None)
        return people_of_remote(await self.clarky.list_contacts(wanted=wanted, page=page, size=size))

    async def get_contacts(self, contact_ids: Items[str]) -> list[Contact]:
        """Raise NotSupportedError."""
        not_supported(NAME, "read several people at once")

    async def match_contacts(self, people: Items[ContactEntry]) -> Matched:
        """Raise NotSupportedError."""
        not_supported(NAME, "match people")

    async def save_contacts(self, entries: Items[ContactEntry]) -> list[SavedContact]:
        """Raise NotSupportedError."""
        not_supported(NAME, "save people without an agent")


@dataclass(frozen=True, slots=True)
class ClarkyAgents:
    """``ports.vendor.Introduction``: who can send. Their names are other people's words, so ids alone."""

    clarky: ClarkyClient
    bot_id: str | None

    async def about_key(self) -> str:
        """Return the agents that are enabled, and who is set for templates that name none."""
        agents = [one.id for one in (await self.clarky.list_agents(size=20)).items if one.is_enabled is not False]
        own = self.bot_id.partition(":")[2] if self.bot_id else "not set"
        return f"agents: {', '.join(one.partition(':')[2] for one in agents) or 'none'}; CLARKY_BOT_ID: {own}"


def clarky_provider(opened: Transport, *, memory: BlueprintCache, further: Mapping[str, str]) -> Provider:
    """Return Clarky with what its API can do; ``bot_id`` in ``further`` sends where a template names nobody."""
    clarky, bot_id = ClarkyClient(opened), further.get("bot_id")
    return Provider(
        name=NAME,
        lists_runs=False,
        blueprints=CachedBlueprints(name=NAME, memory=memory),
        contacts=ClarkyContacts(clarky),
        traces=VendorIdentityLookup(clarky.get_contact),
        introduction=ClarkyAgents(clarky, bot_id),
        sequences=ReadOnlyRuns(name=NAME, by_id="an enrollment's id", read=clarky.get_enrollment),
        enrolment=ClarkyEnrolment(clarky, memory, bot_id),
    )
