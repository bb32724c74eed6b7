"""Passkeys: registered with a code from the terminal, listed, never removed here."""

from __future__ import annotations

import asyncio
import secrets

from starlette.responses import JSONResponse, Response

from sequences_mcp.errors import ApprovalError
from sequences_mcp.review import passkeys
from sequences_mcp.review.visit import Visit


async def keys(visit: Visit) -> Response:
    """Show the registered passkeys and where another one is registered."""
    return visit.shows("keys.html", found=passkeys.registered(visit.room.data_dir))


async def begin(visit: Visit) -> Response:
    """Check the code of the terminal and tell the browser how to make a key."""
    async with visit.room.one_at_a_time:
        try:
            given = visit.form.get("code", "")[:40]
            await asyncio.to_thread(passkeys.check_code, visit.room.data_dir, given, now=visit.now)
        except ApprovalError as error:
            return JSONResponse({"told": str(error)}, status_code=403)
    visit.own.challenge = secrets.token_bytes(32)
    return JSONResponse(passkeys.options(challenge=visit.own.challenge))


async def finish(visit: Visit) -> Response:
    """Store the key that the browser made."""
    challenge, visit.own.challenge = visit.own.challenge, None
    if challenge is None:
        raise ApprovalError("No registration has begun here.", next_step="Begin with the terminal's code.")
    passkeys.register(
        visit.room.data_dir,
        visit.form.get("credential", ""),
        challenge=challenge,
        authority=visit.room.authority,
        now=visit.now,
    )
    return visit.goes("/passkeys")
