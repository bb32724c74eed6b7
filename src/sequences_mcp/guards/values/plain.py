"""A contact's value that is not plain text of ordinary length: it is held and shown, never sent unseen."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Finding, Severity
from sequences_mcp.guards.lazy import Lazy

_NOTHING = frozenset(
    {
        "null",
        "none",
        "undefined",
        "nan",
        "nil",
        "n/a",
        "na",
        "n.a.",
        "-",
        "--",
        "?",
        "unknown",
        "#ref!",
        "#n/a",
        "tbd",
        "todo",
        "test",
    }
)
_ODD = Lazy(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\ufff9-\ufffd"
    "{}\\[\\]<>|%｛｝［］【】＜＞⟦⟧«»‹›\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]|://|www\\.|&#?\\w+;|_{2}"
)
_LONGEST = 120


def suspicions(name: str, value: str | None) -> Iterator[Finding]:
    """Return why a value is not plain; nothing for one that is."""
    stripped = (value or "").strip()
    if (
        stripped
        and len(stripped) <= _LONGEST
        and stripped.casefold() not in _NOTHING
        and not _ODD.search(stripped)
    ):
        return
    yield Finding(
        rule="values.missing", severity=Severity.ERROR, message=f"{{{{{name}}}}} is not plain.", field=name, variable=name
    )
