"""The guards' fourth moment: a text that is about to leave, looked at once more."""

from __future__ import annotations

from sequences_mcp.domain.blueprint import Sourcing
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.finding import Severity
from sequences_mcp.domain.sender import Sender
from sequences_mcp.domain.sequence import Sequence, StepRun
from sequences_mcp.flows.person import final_findings, values_for
from sequences_mcp.guards.policy import GuardPolicy


def blocked_because(
    sequence: Sequence, run: StepRun, contact: Contact, *, sender: Sender, policy: GuardPolicy
) -> str | None:
    """Return why a text needs a person first, or None.

    What lies in the contact's own data passes where whoever approved the plan was shown it.
    """
    values = values_for(contact, sourcing=Sourcing(), sender=sender, variables=sequence.variables)
    for found in final_findings(
        run.step,
        subject=run.subject,
        content=run.content or "",
        values=values,
        earlier=sequence.before(run.step.id),
        policy=policy,
    ):
        unseen = found.variable is not None and not sequence.warnings
        if found.severity is Severity.ERROR or unseen:
            return f"{found.rule}: {found.message}"
    return None
