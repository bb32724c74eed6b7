"""Every method of every vendor's client, called as a test calls it, with the fixture that answers it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from tests.secrecy import planted
from tests.world.fake_vendor import Act, reply

from sequences_mcp.domain.blueprint import Channel, Step, Temporality
from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.domain.run import StopReason, StopScope
from sequences_mcp.domain.sender import Secret
from sequences_mcp.ports.embedded import SequenceFilter
from sequences_mcp.vendors.clarky.client import ClarkyClient, Lead
from sequences_mcp.vendors.clarky.wire import CLARKY
from sequences_mcp.vendors.kalent.client import KalentClient
from sequences_mcp.vendors.kalent.wire import KALENT
from sequences_mcp.vendors.outcome import VendorApi
from sequences_mcp.vendors.pacing import Clockwork, Timing
from sequences_mcp.vendors.topo.client import TopoClient
from sequences_mcp.vendors.topo.wire import TOPO
from sequences_mcp.vendors.transport import Transport

FIXTURES = Path(__file__).parent / "fixtures"
KEY = planted.CLARKY_KEY.value
NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
CLIENTS: dict[str, tuple[VendorApi, Callable[[Transport], Any]]] = {
    "kalent": (KALENT, KalentClient),
    "clarky": (CLARKY, ClarkyClient),
    "topo": (TOPO, TopoClient),
}


@dataclass(slots=True)
class FakeClock:
    """A clock that stands still but for the sleeps, which take no time."""

    seconds: float = field(default_factory=time.monotonic)
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)

    def work(self) -> Clockwork:
        """Return the clockwork of a transport; jitter is always half."""
        return Clockwork(now=lambda: NOW, monotonic=lambda: self.seconds, sleep=self.sleep, random=lambda: 0.5)


def transport(
    vendor: VendorApi, url: str, *, key: str = KEY, clock: FakeClock | None = None, timing: Timing | None = None
) -> Transport:
    """Return a transport to a fake vendor."""
    work = (clock or FakeClock()).work()
    return Transport(vendor, Secret(key), clockwork=work, base_url=url, timing=timing)


@cache
def fixture(vendor: str, name: str) -> dict[str, Any]:
    """Return one documented reply: its page, status, headers and body."""
    found: dict[str, Any] = json.loads((FIXTURES / vendor / f"{name}.json").read_text(encoding="utf-8"))
    return found


def answered(vendor: str, name: str) -> Act:
    """Return the act of a documented reply."""
    found = fixture(vendor, name)
    return reply(found["status"], found["body"], headers=found.get("headers"))


@dataclass(frozen=True, slots=True)
class VendorCall:
    """One method: its vendor, the fixture that answers it, and how it is called."""

    vendor: str
    reply: str
    call: Callable[[Any], Awaitable[Any]]
    is_keyed: bool = False

    @property
    def name(self) -> str:
        """The name of the test case."""
        return f"{self.vendor} {self.reply}"

    async def make(self, to: Transport) -> Any:
        """Make the call and close the connections."""
        client = CLIENTS[self.vendor][1](to)
        try:
            return await self.call(client)
        finally:
            await to.aclose()

    def transport(self, url: str, *, clock: FakeClock | None = None, timing: Timing | None = None) -> Transport:
        """Return a transport of this call's vendor to a fake one."""
        return transport(CLIENTS[self.vendor][0], url, clock=clock, timing=timing)


def topo_id(digit: str) -> str:
    """Return the whole id the fixtures use: one digit all over."""
    return f"topo:{digit * 8}-{digit * 4}-4{digit * 3}-8{digit * 3}-{digit * 12}"


STEP = Step(
    id="s1",
    name="Hello",
    type=Channel.EMAIL,
    subject="{{sourcingJobTitle}}",
    content="Hello {{firstname}}",
    temporality_type=Temporality.ASAP,
)
LEAD = Lead(first_name="Lucia", emails=("lucia@example.com",), phones=("+34900000000",), notes="Speaks Spanish.")
INES = ContactFields(email="ines@example.com", first_name="Ines")
RUN, TEMPLATE, LIST, TASK = topo_id("1"), topo_id("4"), topo_id("5"), topo_id("d")
SOURCING = "kalent:sourcing_123"
TWO = ["kalent:candidate_1", "kalent:candidate_2"]
LATER = datetime(2027, 1, 5, 9, 0, tzinfo=UTC)

WRITES = (
    VendorCall(
        "kalent", "add_talent", lambda c: c.add_talent("kalent:sourcing_123", talent_id="kalent:talent_123")
    ),
    VendorCall("kalent", "create_blueprint", lambda c: c.create_blueprint(SOURCING, name="O", steps=[STEP])),
    VendorCall("kalent", "update_blueprint", lambda c: c.update_blueprint("kalent:blueprint_123", steps=[STEP])),
    VendorCall("kalent", "start", lambda c: c.start("kalent:blueprint_123", candidate_ids=TWO)),
    VendorCall(
        "clarky", "start", lambda c: c.start("clarky:tpl_01HEXAMPLE", contact=LEAD, idempotency_key="k1"), True
    ),
    VendorCall("topo", "update_variables", lambda c: c.update_variables(RUN, variables={"a": "b", "c": None})),
    VendorCall("topo", "pause_sequence", lambda c: c.pause_sequence(RUN, until=LATER)),
    VendorCall("topo", "resume_sequence", lambda c: c.resume_sequence(RUN)),
    VendorCall(
        "topo",
        "stop_sequence",
        lambda c: c.stop_sequence(RUN, reason=StopReason.LOSE, scope=StopScope.CONTACT),
    ),
    VendorCall("topo", "create_contact_list", lambda c: c.create_contact_list(name="L", blueprint_id=TEMPLATE)),
    VendorCall("topo", "create_entries", lambda c: c.create_entries(LIST, people=[INES])),
    VendorCall("topo", "exclude_contact", lambda c: c.exclude_contact(reason="OTHER", email="ines@example.com")),
    VendorCall("topo", "exclude_account", lambda c: c.exclude_account(reason="OTHER", domain="acme.example")),
    VendorCall("topo", "skip_task", lambda c: c.skip_task(TASK)),
)
READS = (
    VendorCall("kalent", "list_sourcings", lambda c: c.list_sourcings()),
    VendorCall("kalent", "list_candidates", lambda c: c.list_candidates("kalent:sourcing_123")),
    VendorCall("kalent", "get_candidate", lambda c: c.get_candidate("kalent:candidate_123")),
    VendorCall("kalent", "dynamic_sequence", lambda c: c.get_dynamic_sequence("kalent:candidate_123")),
    VendorCall("clarky", "get_enrollment", lambda c: c.get_enrollment("clarky:e_01HEXAMPLE")),
    VendorCall("clarky", "list_contacts", lambda c: c.list_contacts()),
    VendorCall("clarky", "get_contact", lambda c: c.get_contact("clarky:c_01HEXAMPLE")),
    VendorCall("clarky", "get_contact_by_email", lambda c: c.get_contact_by_email("ada@example.com")),
    VendorCall("clarky", "list_agents", lambda c: c.list_agents()),
    VendorCall("topo", "get_me", lambda c: c.get_me()),
    VendorCall("topo", "list_sequences", lambda c: c.list_sequences(SequenceFilter())),
    VendorCall("topo", "get_sequence", lambda c: c.get_sequence(RUN)),
    VendorCall("topo", "list_templates", lambda c: c.list_templates()),
    VendorCall("topo", "get_template", lambda c: c.get_template(TEMPLATE)),
    VendorCall("topo", "list_contacts", lambda c: c.list_contacts(email="ines@example.com")),
    VendorCall("topo", "get_contact", lambda c: c.get_contact(topo_id("3"))),
    VendorCall("topo", "list_contact_lists", lambda c: c.list_contact_lists()),
    VendorCall("topo", "get_contact_list", lambda c: c.get_contact_list(LIST)),
    VendorCall("topo", "list_contact_exclusions", lambda c: c.list_contact_exclusions()),
    VendorCall("topo", "list_account_exclusions", lambda c: c.list_account_exclusions()),
    VendorCall("topo", "list_activities", lambda c: c.list_activities(sequence_id=RUN)),
    VendorCall("topo", "list_tasks", lambda c: c.list_tasks(status="PENDING")),
    VendorCall("topo", "list_task_messages", lambda c: c.list_task_messages(TASK)),
)
