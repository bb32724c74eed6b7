"""The embedded provider put together."""

from __future__ import annotations

from dataclasses import dataclass

from sequences_mcp.engine.local.blueprints import LocalBlueprints
from sequences_mcp.engine.local.changes import LocalChanges
from sequences_mcp.engine.local.contacts import LocalContacts
from sequences_mcp.engine.local.drafts import LocalDrafts
from sequences_mcp.engine.local.engine import Engine
from sequences_mcp.engine.local.ledger import LocalLedger
from sequences_mcp.engine.local.operations import LocalOperations
from sequences_mcp.engine.local.plans import LocalPlans
from sequences_mcp.engine.local.records import LocalRecords
from sequences_mcp.engine.local.replies import LocalReplies
from sequences_mcp.engine.local.sequences import LocalSequences
from sequences_mcp.engine.local.suppressions import LocalSuppressions
from sequences_mcp.engine.local.tasks import LocalTasks
from sequences_mcp.engine.local.vendor_runs import LocalVendorRuns
from sequences_mcp.engine.local.waivers import LocalWaivers


@dataclass(frozen=True, slots=True)
class LocalProvider:
    """Every capability over one engine, for the thread that opened its store."""

    blueprints: LocalBlueprints
    contacts: LocalContacts
    sequences: LocalSequences
    plans: LocalPlans
    drafts: LocalDrafts
    tasks: LocalTasks
    suppressions: LocalSuppressions
    waivers: LocalWaivers
    changes: LocalChanges
    ledger: LocalLedger
    records: LocalRecords
    operations: LocalOperations
    vendor_runs: LocalVendorRuns
    replies: LocalReplies


def local_provider(engine: Engine) -> LocalProvider:
    """Return the provider that works on this engine."""
    return LocalProvider(
        blueprints=LocalBlueprints(engine),
        contacts=LocalContacts(engine),
        sequences=LocalSequences(engine),
        plans=LocalPlans(engine),
        drafts=LocalDrafts(engine),
        tasks=LocalTasks(engine),
        suppressions=LocalSuppressions(engine),
        waivers=LocalWaivers(engine),
        changes=LocalChanges(engine),
        ledger=LocalLedger(engine),
        records=LocalRecords(engine),
        operations=LocalOperations(engine),
        vendor_runs=LocalVendorRuns(engine),
        replies=LocalReplies(engine),
    )
