"""How the page shows that it is the person's own, before it asks for a passphrase: with a word they chose.

Another program can serve a page that looks like this one, on the port where this one was. It must not know the
word, and whatever this page showed to anybody who asks, that program could ask for. So the word is shown to a
browser that has been introduced: one that was unlocked here before, or that the terminal opened with a ticket that
is good once. Such a browser has a token, which the page's script keeps for this address alone and which counts at
the address under which it was given: a program that takes the port, while this page is on another, reads a token
that is no longer good for anything.

What this does not keep out: whoever can read the data folder reads the word there. A program that takes the ticket
from the command line of the browser that is being started sees the word, and the person is told that the ticket
was used.
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
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.review.lock import passphrase
from sequences_mcp.review.lock.passphrase import exclusively, write_private

WORD_NAME, BROWSERS_NAME, TICKET_NAME = "page-word.json", "browsers.json", "page-ticket.json"
TICKET_LASTS = timedelta(minutes=10)
LEAST, LONGEST = 3, 60
MOST = 32
_SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]


@dataclass(frozen=True, slots=True)
class Greeting:
    """What the unlock page says about itself: ``word`` only to a browser that is known, or has a good ticket."""

    is_chosen: bool
    word: str | None = None
    is_used_ticket: bool = False


def made_up() -> str:
    """Return a word that is easy to know again and that nobody guesses."""
    return " ".join("".join(secrets.choice(_SYLLABLES) for _ in range(3)) for _ in range(2))


def set_word(data_dir: Path, chosen: str) -> str:
    """Store the word, and return it; InvalidArgumentsError for one that cannot be shown or has another length."""
    word = " ".join(chosen.split())
    if not LEAST <= len(word) <= LONGEST or not word.isprintable() or any(invisible.hidden_spans(word)):
        raise InvalidArgumentsError(
            f"The word has from {LEAST} to {LONGEST} characters that can be seen.", next_step="Choose another one."
        )
    write_private(data_dir / WORD_NAME, json.dumps({"word": word}))
    return word


def greeting_word(data_dir: Path) -> str | None:
    """Return the word, or None where none was chosen."""
    found = _read(data_dir / WORD_NAME).get("word")
    return str(found) if found else None


def new_token() -> str:
    """Return what a browser is known by from now on, if it is introduced."""
    return secrets.token_urlsafe(24)


def name_of(token: str) -> str:
    """Return under what a token is written down."""
    return sha256(token.encode("utf-8", "replace")).hexdigest()


def is_known(data_dir: Path, token: str, *, authority: str) -> bool:
    """Say whether a browser was introduced at this address, since the passphrase was chosen."""
    known = _read(data_dir / BROWSERS_NAME)
    mine = known.get("known")
    return (
        bool(token)
        and known.get("mark") == passphrase.passphrase_mark(data_dir)
        and isinstance(mine, dict)
        and mine.get(name_of(token)) == authority
    )


def introduce(data_dir: Path, token: str, *, authority: str) -> None:
    """Know a browser again at this address."""
    if not token or is_known(data_dir, token, authority=authority):
        return
    path, mark = data_dir / BROWSERS_NAME, passphrase.passphrase_mark(data_dir)
    with exclusively(path):
        known = _read(path)
        mine = known.get("known") if known.get("mark") == mark else None
        kept = list(mine.items())[-MOST + 1 :] if isinstance(mine, dict) else []
        write_private(path, json.dumps({"mark": mark, "known": {**dict(kept), name_of(token): authority}}))


def new_ticket(data_dir: Path, *, now: datetime) -> str:
    """Return a ticket with which a browser is introduced once, within ten minutes; its hash is stored."""
    ticket = secrets.token_urlsafe(24)
    facts = {"hash": name_of(ticket), "until": (now + TICKET_LASTS).isoformat(), "used": False}
    write_private(data_dir / TICKET_NAME, json.dumps(facts))
    return ticket


def greeting(data_dir: Path, token: str, *, authority: str, ticket: str, now: datetime) -> Greeting:
    """Return what the unlock page says to a browser; a good ticket introduces its token and is used up."""
    own = greeting_word(data_dir)
    if own is None:
        return Greeting(is_chosen=False)
    if is_known(data_dir, token, authority=authority):
        return Greeting(is_chosen=True, word=own)
    if not ticket:
        return Greeting(is_chosen=True)
    path = data_dir / TICKET_NAME
    with exclusively(path):
        facts = _read(path)
        if not secrets.compare_digest(str(facts.get("hash")), name_of(ticket)):
            return Greeting(is_chosen=True)
        if facts.get("used"):
            return Greeting(is_chosen=True, is_used_ticket=True)
        if not _is_good(facts, now):
            return Greeting(is_chosen=True)
        write_private(path, json.dumps({**facts, "used": True}))
    introduce(data_dir, token, authority=authority)
    return Greeting(is_chosen=True, word=own)


def _is_good(facts: dict[str, Any], now: datetime) -> bool:
    try:
        return timedelta() < datetime.fromisoformat(str(facts["until"])) - now <= TICKET_LASTS
    except (KeyError, ValueError, TypeError):
        return False


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
