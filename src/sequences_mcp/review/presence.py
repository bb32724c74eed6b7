"""Whether the person is at this browser: the passphrase, or what only the browser they unlocked has.

A cookie is not enough for a yes: browsers send the cookies of ``localhost`` to every port, so that any program
that serves a page on this machine can see the session's.
"""

from __future__ import annotations

import asyncio
import math
from http import HTTPStatus
from typing import Any, NamedTuple

from sequences_mcp.errors import ApprovalError
from sequences_mcp.review import passkeys, passphrase
from sequences_mcp.review.visit import Room, Visit

LONGEST = 1024
AGAIN = "Type your passphrase again: this browser did not show that it is the one you unlocked."


class Fault(NamedTuple):
    """Why something was not done; ``asks`` when the passphrase has to be typed for it."""

    status: HTTPStatus
    words: str
    asks: bool = False


def facts_for(visit: Visit, fault: Fault | None) -> dict[str, Any]:
    """Return what a page with a yes on it needs: why something was not done, and how to show who is there."""
    return {
        "status": fault.status if fault else HTTPStatus.OK,
        "told": fault.words if fault else "",
        "key_ids": visit.key_ids,
        "asks": visit.own.key is None or (fault is not None and fault.asks),
    }


async def passphrase_fault(room: Room, given: str) -> Fault | None:
    """Return why a passphrase does not count, or None; five wrong ones, and the next has to wait."""
    async with room.one_at_a_time:
        if wait := math.ceil(room.patience.remaining().total_seconds()):
            told = f"Too many wrong passphrases. The next one is looked at in {wait} seconds."
            return Fault(HTTPStatus.TOO_MANY_REQUESTS, told)
        try:
            await asyncio.to_thread(passphrase.check, room.data_dir, given[:LONGEST])
        except ApprovalError as error:
            room.patience.was_wrong()
            return Fault(HTTPStatus.FORBIDDEN, str(error))
        room.patience.was_right()
    return None


async def doubt(visit: Visit) -> Fault | None:
    """Return why a decision that lets something go is not the person's, or None.

    Where passkeys are registered the engine asks for a signature besides. Whoever has shown here that they are the
    one who unlocked this browser may sign at this page's address from now on.
    """
    if not visit.own.holds(visit.form.get("key", "")):
        given = visit.form.get("passphrase", "")
        found = await passphrase_fault(visit.room, given) if given else Fault(HTTPStatus.FORBIDDEN, AGAIN)
        if found:
            return found._replace(asks=True)
    passkeys.admit(visit.room.data_dir, authority=visit.room.authority)
    return None
