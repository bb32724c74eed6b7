"""How the unlock page proves that it is genuine before a passphrase is typed: it shows a word the person chose.

The threat is another local program that serves a look-alike of the page on the port where the page was. That
program must not be able to read the word, so the page does not show it to everybody who asks, but only to a known
browser: one that was unlocked before, or that the terminal opened with a one-time ticket. A known browser has a
token, which the page's script keeps in localStorage. The token is valid only for the authority under which it was
issued: a program that takes over the port while the page listens on another one reads a token that is worthless.

Not covered: a program that can read the data folder reads the word there. If another program used the ticket
first, the unlock page says that the ticket was used already (``is_used_ticket``).
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from sequences_mcp.domain import invisible
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.private_files import exclusively, write_private
from sequences_mcp.review.lock import passphrase

TICKET_LASTS = timedelta(minutes=10)
LEAST, LONGEST = 3, 60
MOST = 32
_SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]


@dataclass(frozen=True, slots=True)
class Greeting:
    """What the unlock page says about itself: ``word`` only for a known browser or one with a valid ticket."""

    is_chosen: bool
    word: str | None = None
    is_used_ticket: bool = False


def made_up() -> str:
    """Return two random words of three syllables: easy to recognise, hard to guess."""
    return " ".join("".join(secrets.choice(_SYLLABLES) for _ in range(3)) for _ in range(2))


def set_word(workspace: Workspace, chosen: str) -> str:
    """Store the word, and return it; InvalidArgumentsError for one that cannot be shown or has another length."""
    word = " ".join(chosen.split())
    if not LEAST <= len(word) <= LONGEST or not word.isprintable() or any(invisible.hidden_spans(word)):
        raise InvalidArgumentsError(
            f"The word has from {LEAST} to {LONGEST} characters that can be seen.", next_step="Choose another one."
        )
    write_private(workspace.page_word, json.dumps({"word": word}))
    return word


def greeting_word(workspace: Workspace) -> str | None:
    """Return the word, or None where none was chosen."""
    word = _read(workspace.page_word).get("word")
    return str(word) if word else None


def new_token() -> str:
    """Return a random token for a browser; it counts once ``introduce`` stored its hash."""
    return secrets.token_urlsafe(24)


def name_of(token: str) -> str:
    """Return the SHA-256 of a token, under which it is stored."""
    return sha256(token.encode("utf-8", "replace")).hexdigest()


def is_known(workspace: Workspace, token: str, *, authority: str) -> bool:
    """Say whether a token was introduced at this authority under the present passphrase."""
    known = _read(workspace.page_browsers)
    mine = known.get("known")
    return (
        bool(token)
        and known.get("mark") == passphrase.passphrase_id(workspace)
        and isinstance(mine, dict)
        and mine.get(name_of(token)) == authority
    )


def introduce(workspace: Workspace, token: str, *, authority: str) -> None:
    """Store that the browser with this token is known at this authority; the newest ``MOST`` are kept."""
    if not token or is_known(workspace, token, authority=authority):
        return
    path, passphrase_id = workspace.page_browsers, passphrase.passphrase_id(workspace)
    with exclusively(path):
        known = _read(path)
        mine = known.get("known") if known.get("mark") == passphrase_id else None
        # The oldest browsers are dropped; a passphrase set anew drops all of them, since its id is another one.
        newest = list(mine.items())[-MOST + 1 :] if isinstance(mine, dict) else []
        write_private(
            path, json.dumps({"mark": passphrase_id, "known": {**dict(newest), name_of(token): authority}})
        )


def new_ticket(workspace: Workspace, *, now: datetime) -> str:
    """Return a one-time ticket that introduces a browser within ten minutes; only its hash is stored."""
    ticket = secrets.token_urlsafe(24)
    facts = {"hash": name_of(ticket), "until": (now + TICKET_LASTS).isoformat(), "used": False}
    write_private(workspace.page_ticket, json.dumps(facts))
    return ticket


def greeting(workspace: Workspace, token: str, *, authority: str, ticket: str, now: datetime) -> Greeting:
    """Return what the unlock page says to a browser; a valid ticket makes its token known and is used up."""
    word = greeting_word(workspace)
    if word is None:
        return Greeting(is_chosen=False)
    if is_known(workspace, token, authority=authority):
        return Greeting(is_chosen=True, word=word)
    if not ticket:
        return Greeting(is_chosen=True)
    path = workspace.page_ticket
    with exclusively(path):
        facts = _read(path)
        # The lock makes reading and marking it as used one step: of two requests with one ticket, one is refused.
        if not secrets.compare_digest(str(facts.get("hash")), name_of(ticket)):
            return Greeting(is_chosen=True)
        # Checked before the ticket's age: a used ticket is a warning to the person at any time.
        if facts.get("used"):
            return Greeting(is_chosen=True, is_used_ticket=True)
        if not _is_good(facts, now):
            return Greeting(is_chosen=True)
        write_private(path, json.dumps({**facts, "used": True}))
    introduce(workspace, token, authority=authority)
    return Greeting(is_chosen=True, word=word)


def _is_good(facts: dict[str, Any], now: datetime) -> bool:
    try:
        return timedelta() < datetime.fromisoformat(str(facts["until"])) - now <= TICKET_LASTS
    except (KeyError, ValueError, TypeError):
        return False


def _read(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}
