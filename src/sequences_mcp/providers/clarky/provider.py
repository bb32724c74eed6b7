"""Clarky as the product's verbs see it."""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass

from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.page import Page
from sequences_mcp.providers.clarky.client import Clarky, ContactFilter
from sequences_mcp.providers.clarky.enrolment import ClarkyEnrolment
from sequences_mcp.providers.contact_traces import ContactTraces
from sequences_mcp.providers.port import ContactEntry, Matched, SavedContact
from sequences_mcp.providers.provider import Provider
from sequences_mcp.providers.remembered import Memory, RememberedBlueprints
from sequences_mcp.providers.translation import not_supported, people_of
from sequences_mcp.providers.watched import WatchedSequences

NAME = "clarky"


@dataclass(frozen=True, slots=True)
class ClarkyContacts:
    """``providers.port.Contacts`` over Clarky."""

    clarky: Clarky

    async def find_contacts(self, query: str, *, page: int, size: int) -> Page[Contact]:
        """Return people whose facts contain the query; everybody for an empty one."""
        wanted = ContactFilter(search=query or None)
        return people_of(await self.clarky.list_contacts(wanted=wanted, page=page, size=size))

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
    """``providers.vendor_port.Introduction``: who can send. Their names are other people's words, so ids alone."""

    clarky: Clarky
    bot_id: str | None

    async def about_key(self) -> str:
        """Return the agents that are enabled, and who is set for templates that name none."""
        agents = [one.id for one in (await self.clarky.list_agents(size=20)).items if one.is_enabled is not False]
        own = self.bot_id.partition(":")[2] if self.bot_id else "not set"
        return f"agents: {', '.join(one.partition(':')[2] for one in agents) or 'none'}; CLARKY_BOT_ID: {own}"


def clarky_provider(clarky: Clarky, *, memory: Memory, bot_id: str | None = None) -> Provider:
    """Return Clarky with what its API can do; ``bot_id`` sends where a template names nobody."""
    return Provider(
        name=NAME,
        lists_runs=False,
        blueprints=RememberedBlueprints(name=NAME, memory=memory),
        contacts=ClarkyContacts(clarky),
        traces=ContactTraces(clarky.get_contact),
        introduction=ClarkyAgents(clarky, bot_id),
        sequences=WatchedSequences(name=NAME, by_id="an enrollment's id", read=clarky.get_enrollment),
        enrolment=ClarkyEnrolment(clarky, memory, bot_id),
    )
