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
from sequences_mcp.review import passkeys, passphrase, tries
from sequences_mcp.review.visit import ACTOR, Room, Visit

LONGEST = 1024
MOST_IN_LINE = 6
IN_LINE = (
    "Many passphrases are being tried here by browsers that were never unlocked. Try again in a minute, use a "
    "browser in which you unlocked this page before, or decide in a terminal: sequences-mcp review list."
)
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


async def passphrase_fault(room: Room, given: str, *, who: str, is_known: bool) -> Fault | None:
    """Return why a passphrase does not count, or None. ``who`` typed it: a browser or a session, by its name.

    Five wrong ones, and the next of the same one has to wait. Whoever is not known waits in one line with all the
    others who are not: each wrong answer is held back a little, the longer the more there were.
    """
    wait = 0 if who == tries.STRANGERS else math.ceil(room.tries.wait(who).total_seconds())
    if wait:
        told = f"Too many wrong passphrases from this browser. The next one is looked at in {wait} seconds."
        return Fault(HTTPStatus.TOO_MANY_REQUESTS, told)
    if is_known:
        return await _looked_at(room, given, who)
    if room.strangers.length >= MOST_IN_LINE:
        return Fault(HTTPStatus.TOO_MANY_REQUESTS, IN_LINE)
    room.strangers.length += 1
    try:
        async with room.strangers.lock:
            fault = await _looked_at(room, given, who, tries.STRANGERS)
            if fault:
                await room.pause(room.tries.pause(tries.STRANGERS))
            return fault
    finally:
        room.strangers.length -= 1


async def _looked_at(room: Room, given: str, *who: str) -> Fault | None:
    async with room.one_at_a_time:
        try:
            await asyncio.to_thread(passphrase.check, room.data_dir, given[:LONGEST])
        except ApprovalError as error:
            room.tries.was_wrong(*dict.fromkeys(who))
            number = room.tries.wrong(who[-1])
            await room.desk.records.note("passphrase.wrong", ACTOR, browser=who[0][:12], one_after_another=number)
            return Fault(HTTPStatus.FORBIDDEN, str(error))
        if who[0] != tries.STRANGERS:
            room.tries.was_right(who[0])
    return None


async def doubt(visit: Visit) -> Fault | None:
    """Return why a decision that lets something go is not the person's, or None.

    Where passkeys are registered the engine asks for a signature besides. Whoever has shown here that they are the
    one who unlocked this browser may sign at this page's address from now on.
    """
    if not visit.own.holds(visit.form.get("key", "")):
        given = visit.form.get("passphrase", "")
        found: Fault | None = Fault(HTTPStatus.FORBIDDEN, AGAIN)
        if given:
            found = await passphrase_fault(visit.room, given, who=visit.own.name, is_known=True)
        if found:
            return found._replace(asks=True)
    passkeys.admit(visit.room.data_dir, authority=visit.room.authority)
    return None
