"""A provider as the product's verbs see it: what it can do, each capability by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sequences_mcp.domain.ids import VENDORS

if TYPE_CHECKING:
    from sequences_mcp.ports import vendor
    from sequences_mcp.ports.embedded import Blueprints, Companies, Contacts, Drafts, Replies, Sequences, Tasks


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One connected provider and what it can do; None is "its API has no such thing".

    ``lists_runs`` says whether its API shows which runs there are.
    """

    name: str
    lists_runs: bool = True
    sourcings: vendor.Sourcings | None = None
    overrides: vendor.Overrides | None = None
    exclusions: vendor.Exclusions | None = None
    enrolment: vendor.Enroller | None = None
    introduction: vendor.Introduction | None = None
    places: vendor.ContactLists | None = None
    traces: vendor.IdentityLookup | None = None
    reach: vendor.Reach | None = None
    vendor_tasks: vendor.VendorTasks | None = None
    blueprints: Blueprints | None = None
    contacts: Contacts | None = None
    sequences: Sequences | None = None
    drafts: Drafts | None = None
    tasks: Tasks | None = None
    replies: Replies | None = None
    companies: Companies | None = None

    @property
    def title(self) -> str:
        """How people write its name."""
        return VENDORS.get(self.name, self.name)
