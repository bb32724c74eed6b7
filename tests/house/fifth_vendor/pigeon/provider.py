"""The planted vendor as a provider: it takes people in and tells of their runs, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items

from sequences_mcp.vendors.pigeon import DESCRIPTION

from sequences_mcp.domain.blueprint import Blueprint
from sequences_mcp.domain.plan import Plan
from sequences_mcp.domain.run import Run, SequenceStatus
from sequences_mcp.ports import vendor
from sequences_mcp.ports.embedded import SequenceDetail
from sequences_mcp.vendors import translation
from sequences_mcp.vendors.transport import Transport
from sequences_mcp.vendors.vendor import BlueprintCache, Vendor


class Pigeon(Vendor):
    """A vendor without a network."""

    name, title = DESCRIPTION.name, DESCRIPTION.title

    def __init__(self, transport: Transport, *, memory: BlueprintCache, further: Mapping[str, str]) -> None:
        super().__init__(memory)
        self.loft = further["loft_id"]

    async def about_key(self) -> str:
        return f"flies from {self.loft}"

    async def blueprint_to_start(self, blueprint_id: str) -> Blueprint:
        return await self.memory.note(blueprint_id, name="By air")

    async def person_to_enrol(
        self, asked: vendor.PersonRequest, *, blueprint: Blueprint, reviewed_there: bool
    ) -> vendor.VendorPerson:
        contact = translation.unknown_contact(asked.fields)
        return vendor.VendorPerson(contact=contact, vendor_facts=translation.given_of(contact, ("email",)))

    async def preflight(self, plan: Plan, people: Items[Run]) -> vendor.PreflightSnapshot:
        return vendor.PreflightSnapshot()

    async def enrol(self, order: vendor.EnrolmentBatch) -> tuple[vendor.EnrolmentOutcome, ...]:
        return tuple(
            vendor.EnrolmentOutcome(sequence_id=run.id, outcome="done", remote_id=f"pigeon:run_{run.ordinal}")
            for run in order.people
        )

    async def read_enrolment_back(self, order: vendor.EnrolmentBatch) -> tuple[vendor.EnrolmentOutcome, ...]:
        return await self.enrol(order)

    async def follow_run(self, run: Run, *, baseline: str | None) -> SequenceDetail | None:
        return await self.get_sequence(run.remote_id or "")

    async def get_sequence(self, sequence_id: str) -> SequenceDetail:
        return translation.detail_of(
            translation.RemoteSequence(
                id=sequence_id,
                provider=self.name,
                status=SequenceStatus.ACTIVE,
                provider_status="FLYING",
                contact_id=None,
            )
        )


PROVIDER = Pigeon
