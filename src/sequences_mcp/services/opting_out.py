"""Opting out with one click: whoever an e-mail was written to is never written to again."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256

from sequences_mcp.context import AppContext
from sequences_mcp.domain.run import ReplyKind
from sequences_mcp.errors import SequencesError
from sequences_mcp.ports.embedded import ToolCall
from sequences_mcp.services.suppression import (
    ExclusionTarget,
    record_reply,
    suppress_at_vendors,
    suppress_contact,
)

REASON = "they opted out with one click in an e-mail"


async def opt_out(app: AppContext, *, token: str) -> bool:
    """Suppress the address that a token stands for, and stop what runs for it; False for a token that is none.

    Said again, it changes nothing. Whoever was erased, or whose run is over, is suppressed all the same.
    """
    named = await app.suppressions.recipient_of(token)
    if named is None:
        return False
    sequence_id, address = named
    suppressed = await suppress_contact(app, contact=address, reason=REASON)
    if suppressed.already:
        return True
    key = f"one-click-{sha256(token.encode()).hexdigest()}"
    call = ToolCall("suppress_contact", key, key.removeprefix("one-click-"))
    try:
        # The answer stands with the run's others; what a vendor runs for them is stopped by it.
        await record_reply(app, who=sequence_id, answer=ReplyKind.OPT_OUT, call=call)
    except SequencesError:  # the run is gone, with its person: the address is what there is
        with suppress(SequencesError):
            await suppress_at_vendors(app, ExclusionTarget("address", address), call=call, reason=REASON)
    return True
