"""How a message begins, in the languages recruiters write in: the place where a name is due."""

from __future__ import annotations

from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.words import lines

_TITLE = r"(?:(?:mr|mrs|ms|dr|m|mme|monsieur|madame|herr|frau|herrn|señor|señora|sr|sra|sig|pan|pani)\.?[ \t]+)?"


def _greeting() -> str:
    words = "|".join(rest for _, rest in lines("greeting")).replace(" ", r"[ \t]")
    return rf"(?<!\w)(?i:(?:{words})[ \t\u00a0]+{_TITLE})"


def greeted(name: str, *, start: str = "") -> Lazy:
    """Return the pattern of a greeting and of what stands where the name is due, as the group ``name``."""
    return Lazy(lambda: rf"{start}{_greeting()}(?P<name>{name})")
