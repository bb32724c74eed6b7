"""What a template engine leaves when a value is missing: null, undefined, NaN, #REF!."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.greetings import greeted
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_NOTHING = r"(?:null|none|undefined|nan|nil|n/?a|unknown|inconnu|#(?:ref|n/a|name|value|null|div/0)[!?]?)"
_GREETED = greeted(rf"(?i:{_NOTHING})(?![\w-])")
_ANYWHERE = Lazy(
    r"\[object \w+\]|#(?:REF|NAME|VALUE|NULL|DIV/0|NUM)[!?]|#N/A|\bundefined undefined\b|\bnull null\b|\b[Ii]nvalid [Dd]ate\b|"
    r"(?<![\w.])(?:NaN|null|undefined)\s?[€$£%]|[€$£]\s?(?:NaN|null|undefined)\b|(?:\b(?:at|chez|bei|presso|bij)\s(?:null|undefined|None|NaN)\b)|"
    r"(?:null|undefined|None)(?:様|さん|님|您好)"
)


def check(text: Text) -> Iterator[Hit]:
    """Return every failed value where a name or a fact is due."""
    yield from text.hits(_GREETED, group="name")
    yield from text.hits(_ANYWHERE)


RULE = Rule(
    id="foreign.failed_render",
    severity=Severity.ERROR,
    message="A value was missing when this was filled in.",
    accept=("NaN handling and undefined values in pandas.",),
    reject=("Hi null,", "Dear None,", "Hi #REF!,", "your work at undefined,", "[object Object]"),
    source="ours",
    check=check,
)
