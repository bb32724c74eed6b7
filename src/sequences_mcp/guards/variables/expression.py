"""A filter, a fallback, a path, a call or a block inside double braces: none of them is offered."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.double_braces import doubled, meant
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_BLOCK = Lazy(r"\s*(?:[#/^!>&@$~*=|-]|(?:else|end|if|each|unless|with|for)\b)")
_SIGNS = Lazy(r"[|.()\[\]\"'`?+*/=:,<>\\]")
_NAME = Lazy(r"[^\W\d]\w*")


def is_expression(inner: str) -> bool:
    """Say whether what stands between double braces is more than a name."""
    if _BLOCK.match(inner):
        return True
    if "<" in inner and ">" in inner:
        return False
    return bool(_SIGNS.search(inner)) and not inner.rstrip(".,;:!? ").replace("_", "").isalnum()


def _subject(inner: str) -> str | None:
    if _BLOCK.match(inner):
        return None
    names = [meant(match[0]) for match in _NAME.finditer(inner[:200])]
    known = {name for name in names if name}
    return known.pop() if len(known) == 1 else None


def check(text: Text) -> Iterator[Hit]:
    """Return every expression; the fix is the variable alone, where there is exactly one in it."""
    for found in doubled(text):
        if found.inner and is_expression(found.inner):
            name = _subject(found.inner)
            yield Hit(*found.view.span(found.start, found.end), fix=f"{{{{{name}}}}}" if name else None)


RULE = Rule(
    id="variables.expression",
    severity=Severity.ERROR,
    message="Only a bare variable is filled in: no filters, fallbacks, paths, calls or blocks.",
    accept=("Hi {{firstname}},", "{{firstname}} | {{sourcingJobTitle}}"),
    reject=("Hi {{firstname|there}},", "{{contact.firstname}}", "{{#if firstname}}Hi{{/if}}", "{{7*'7'}}"),
    source='Kalent, "Create sequence blueprint": any variable outside the nine is a validation_error',
    check=check,
)
