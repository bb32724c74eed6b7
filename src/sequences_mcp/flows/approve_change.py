"""A person's yes to a change at a vendor, which is carried out then."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from sequences_mcp.domain.ids import VENDORS, provider_of
from sequences_mcp.domain.plan import canonical
from sequences_mcp.errors import ApprovalError, ConflictError
from sequences_mcp.flows.carry_out import carry_out
from sequences_mcp.flows.desk import Desk
from sequences_mcp.flows.update_blueprint import present_blueprint, update_blueprint
from sequences_mcp.flows.update_sequence import present_variables, update_sequence
from sequences_mcp.providers.port import Call
from sequences_mcp.providers.record_port import AskedChange
from sequences_mcp.providers.vendor_port import Write

VARIABLES = "update_sequence"


def digest_of(change: AskedChange) -> str:
    """Return what a person's yes is to: the change, and what it changes."""
    return sha256(canonical([change.id, change.subject, change.arguments, change.earlier])).hexdigest()


async def approve_change(desk: Desk, *, change: AskedChange, digest: str, actor: str) -> str:
    """Carry a change out at its vendor, and say so.

    Raises ApprovalError when it is not what was shown or has to be signed, ConflictError when what it changes is
    not what was shown any more, and whatever the vendor's refusal raises.
    """
    title = VENDORS[provider_of(change.subject)]
    if digest != digest_of(change):
        raise ApprovalError("This is not the change that was shown.", next_step="Look at it again.")
    if desk.must_sign():
        raise ApprovalError(
            "Approvals are signed with a passkey, which a change at a vendor cannot be.",
            next_step=f"Make the change in {title}'s own app.",
        )
    given = change.arguments
    is_variables = change.tool == VARIABLES
    now = (
        await present_variables(desk, change.subject, given["variables"])
        if is_variables
        else await present_blueprint(desk, change.subject)
    )
    if now != change.earlier:
        raise ConflictError(
            "What this changes is not what it was when it was asked for; nothing was done.",
            next_step="Have it asked for again.",
        )
    await desk.changes.approve(change.id, actor=actor)
    write = Write(
        call=Call(change.tool, change.id, digest),
        provider=provider_of(change.subject),
        subject=change.subject,
        arguments=given,
        repeatable=not is_variables,
    )

    approved = replace(desk, is_approved=True)

    async def effect() -> str:
        if is_variables:
            await update_sequence(approved, sequence_id=change.subject, variables=given["variables"])
        else:
            await update_blueprint(approved, blueprint_id=change.subject, **given)
        return '{"outcome":"done"}'

    await carry_out(desk, write, effect)
    return f"{change.id} is done at {title}."
