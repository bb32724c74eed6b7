"""How the unlock page proves that it is genuine before a passphrase is typed: it shows a word the person chose.

The threat is another local program that serves a look-alike of the page on the port where the page was. That
program must not be able to read the word, so the page does not show it to everybody who asks, but only to a known
browser: one that was unlocked before, or that the terminal opened with a one-time ticket. A known browser has a
token, which the page's script keeps in localStorage. The token is valid only for the authority under which it was
issued: a program that takes over the port while the page listens on another one reads a token that is worthless.

The word is one for all hosts that share a database; the browsers and tickets of each page are its host's.

Not covered: a program that can read where the word is kept (``ports.safekeeping``) reads it there. If another
program used the ticket first, the unlock page says that the ticket was used already (``is_used_ticket``).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sequences_mcp.domain import invisible
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.ports.safekeeping import KeptRecord, Safekeeping
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


def set_word(safe: Safekeeping, chosen: str) -> str:
    """Store the word, and return it; InvalidArgumentsError for one that cannot be shown or has another length."""
    word = " ".join(chosen.split())
    if not LEAST <= len(word) <= LONGEST or not word.isprintable() or any(invisible.hidden_spans(word)):
        raise InvalidArgumentsError(
            f"The word has from {LEAST} to {LONGEST} characters that can be seen.", next_step="Choose another one."
        )
    safe.write(KeptRecord.PAGE_WORD, json.dumps({"word": word}))
    return word


def greeting_word(safe: Safekeeping) -> str | None:
    """Return the word, or None where none was chosen."""
    word = _facts(safe, KeptRecord.PAGE_WORD).get("word")
    return str(word) if word else None


def new_token() -> str:
    """Return a random token for a browser; it counts once ``introduce`` stored its hash."""
    return secrets.token_urlsafe(24)


def name_of(token: str) -> str:
    """Return the SHA-256 of a token, under which it is stored."""
    return sha256(token.encode("utf-8", "replace")).hexdigest()


def is_known(safe: Safekeeping, token: str, *, authority: str) -> bool:
    """Say whether a token was introduced at this authority under the present passphrase."""
    known = _facts(safe, KeptRecord.PAGE_BROWSERS)
    mine = known.get("known")
    return (
        bool(token)
        and known.get("mark") == passphrase.passphrase_id(safe)
        and isinstance(mine, dict)
        and mine.get(name_of(token)) == authority
    )


def introduce(safe: Safekeeping, token: str, *, authority: str) -> None:
    """Store that the browser with this token is known at this authority; the newest ``MOST`` are kept."""
    if not token or is_known(safe, token, authority=authority):
        return
    passphrase_id = passphrase.passphrase_id(safe)

    def with_it(known: dict[str, Any]) -> dict[str, Any]:
        mine = known.get("known") if known.get("mark") == passphrase_id else None
        # The oldest browsers are dropped; a passphrase set anew drops all of them, since its id is another one.
        newest = list(mine.items())[-MOST + 1 :] if isinstance(mine, dict) else []
        return {"mark": passphrase_id, "known": {**dict(newest), name_of(token): authority}}

    _change(safe, KeptRecord.PAGE_BROWSERS, with_it)


def new_ticket(safe: Safekeeping, *, now: datetime) -> str:
    """Return a one-time ticket that introduces a browser within ten minutes; only its hash is stored."""
    ticket = secrets.token_urlsafe(24)
    facts = {"hash": name_of(ticket), "until": (now + TICKET_LASTS).isoformat(), "used": False}
    safe.write(KeptRecord.PAGE_TICKET, json.dumps(facts))
    return ticket


def greeting(safe: Safekeeping, token: str, *, authority: str, ticket: str, now: datetime) -> Greeting:
    """Return what the unlock page says to a browser; a valid ticket makes its token known and is used up."""
    word = greeting_word(safe)
    if word is None:
        return Greeting(is_chosen=False)
    if is_known(safe, token, authority=authority):
        return Greeting(is_chosen=True, word=word)
    if not ticket:
        return Greeting(is_chosen=True)
    outcome = Greeting(is_chosen=True)

    def used_up(facts: dict[str, Any]) -> dict[str, Any] | None:
        # Reading the ticket and marking it as used is one step: of two requests with one ticket, one is refused.
        nonlocal outcome
        outcome = Greeting(is_chosen=True)
        if not secrets.compare_digest(str(facts.get("hash")), name_of(ticket)):
            return None
        # Checked before the ticket's age: a used ticket is a warning to the person at any time.
        if facts.get("used"):
            outcome = Greeting(is_chosen=True, is_used_ticket=True)
            return None
        if not _is_good(facts, now):
            return None
        outcome = Greeting(is_chosen=True, word=word)
        return {**facts, "used": True}

    _change(safe, KeptRecord.PAGE_TICKET, used_up)
    if outcome.word is not None:
        introduce(safe, token, authority=authority)
    return outcome


def _is_good(facts: dict[str, Any], now: datetime) -> bool:
    try:
        return timedelta() < datetime.fromisoformat(str(facts["until"])) - now <= TICKET_LASTS
    except (KeyError, ValueError, TypeError):
        return False


def _facts(safe: Safekeeping, record: KeptRecord) -> dict[str, Any]:
    try:
        return _parsed(safe.read(record))
    except (OSError, ValueError):
        return {}


def _parsed(text: str | None) -> dict[str, Any]:
    try:
        facts = json.loads(text or "")
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}


def _change(
    safe: Safekeeping, record: KeptRecord, change: Callable[[dict[str, Any]], dict[str, Any] | None]
) -> None:
    def changed(text: str | None) -> str | None:
        after = change(_parsed(text))
        return None if after is None else json.dumps(after)

    safe.change(record, changed)
