"""A person's yes to a change at a vendor, which is carried out then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from sequences_mcp.domain.ids import provider_of
from sequences_mcp.errors import ApprovalError, ConflictError, OutcomeUnknownError
from sequences_mcp.flows.asked_change import VARIABLES
from sequences_mcp.flows.carry_out import carry_out
from sequences_mcp.flows.desk import Desk
from sequences_mcp.flows.update_blueprint import blueprint_as_kept, present_blueprint, update_blueprint
from sequences_mcp.flows.update_sequence import present_variables, update_sequence
from sequences_mcp.providers.port import Call
from sequences_mcp.providers.record_port import AskedChange
from sequences_mcp.providers.vendor_port import Write

DONE = '{"outcome":"done"}'


async def approve_change(
    desk: Desk,
    *,
    change_id: str,
    digest: str,
    actor: str,
    signature: str | None = None,
    effect: Callable[[Desk], Awaitable[str]] | None = None,
) -> str:
    """Record the yes, carry the change out at its vendor and return the result; ``effect`` makes another one.

    A yes to a blueprint's change whose outcome nobody knows may be given again, which sends the same once more.
    Raises ApprovalError when it is not what was shown or has to be signed, ConflictError when it is decided, too
    old, or what it changes is not what was shown any more, and whatever the vendor's refusal raises.
    """
    change = await desk.changes.get(change_id)
    is_variables = change.tool == VARIABLES
    again = change.came_to == "unknown" and not is_variables
    if digest != change.digest:
        raise ApprovalError("This is not the change that was shown.", next_step="Look at it again.")
    if change.standing(desk.clock()) != "waiting" and not again:
        raise ConflictError(
            f"This change is {change.told(desk.clock())}.",
            next_step="A change that is still wanted is asked for again.",
        )
    if await _has_moved(desk, change):
        raise ConflictError(
            "What this changes is not what it was when it was asked for; nothing was done.",
            next_step="Have it asked for again.",
        )
    approved, act = replace(desk, is_approved=True), effect or _effect(change)
    write = Write(
        call=Call(change.tool, None, digest),
        provider=provider_of(change.subject),
        subject=change.subject,
        arguments=change.arguments,
        repeatable=not is_variables,
    )

    async def approve_and_act() -> str:
        # Inside, so that a change which another open write keeps off is not approved without being carried out.
        if not again:
            await desk.changes.approve(change.id, digest=digest, actor=actor, signature=signature)
        return await act(approved)

    if again:
        await desk.changes.approve_again(change.id, digest=digest, actor=actor, signature=signature)
    try:
        return await carry_out(desk, write, approve_and_act)
    except OutcomeUnknownError as error:
        if is_variables:
            raise
        raise OutcomeUnknownError(
            error.message,
            next_step="Approving it once more sends the very same change again: it does no harm and settles this.",
            data=error.data,
        ) from error


def _effect(change: AskedChange) -> Callable[[Desk], Awaitable[str]]:
    async def act(desk: Desk) -> str:
        given = change.arguments
        if change.tool == VARIABLES:
            await update_sequence(desk, sequence_id=change.subject, variables=given["variables"])
        else:
            await update_blueprint(desk, blueprint_id=change.subject, **given)
        return DONE

    return act


async def _has_moved(desk: Desk, change: AskedChange) -> bool:
    """Say whether what a change would change is no longer what it was when it was asked for.

    An older program kept fewer facts of a blueprint: those are compared.
    """
    if change.tool == VARIABLES:
        return {**await present_variables(desk, change.subject, change.arguments["variables"])} != change.earlier
    present, earlier = await present_blueprint(desk, change.subject), blueprint_as_kept(change.earlier)
    return {name: present.get(name) for name in earlier} != earlier
