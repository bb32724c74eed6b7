"""What a template engine leaves when a value is missing: null, undefined, NaN, #REF!."""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_NOTHING = r"(?i:null|none|undefined|nan|nil|n/a|unknown|inconnu|unbekannt|desconocido|#(?:ref|name|value)!|#n/a)"
_GREETED = Lazy(rf"[(\"'“<]?{_NOTHING}(?=[)\"'”>]?\s?[,!.:;?\n]|[)\"'”>]?\s*$|\s+{_NOTHING})")
_ANYWHERE = Lazy(
    r"\[object \w{1,20}\]|#(?:REF|NAME|VALUE|NULL|DIV/0|NUM)[!?]|#N/A|\b(?:undefined undefined|null null)\b|"
    r"\b[Ii]nvalid [Dd]ate\b|(?<![\w.])(?:NaN|null|undefined)\s?(?:[€$£%]|(?:ans|years|Jahre|años)\b)|"
    r"[€$£]\s?(?:NaN|null|undefined)\b|"
    r"\b(?i:at|chez|bei|presso|bij)\s(?:null|undefined|None|NaN)\b|(?:null|undefined|None)(?:様|さん|님|您好)",
    needs=("[object", "#", "undefined", "null", "nan", "none", "invalid date"),
)
_DOUBT = Lazy(
    r"\b(?:as|for|in|de|en tant que|à|als|como|en)\s(?:null|undefined|NaN)(?=[,.!?;:]|\s(?:at|chez|in|à)\s|$)|"
    r"\b(?:at|chez|bei) (?:N/A|n/a)(?!\w)",
    needs=("undefined", "null", "nan", "n/a"),
)


def check(text: Text) -> Iterator[Hit]:
    """Return every failed value where a name or a fact is due; in a sentence about code it may be meant."""
    yield from text.greeted(_GREETED)
    yield from text.hits(_ANYWHERE)
    for hit in text.hits(_DOUBT):
        yield hit._replace(severity=Severity.WARNING)


RULE = Rule(
    id="foreign.failed_render",
    severity=Severity.ERROR,
    message="A value was missing when this was filled in.",
    accept=("NaN handling and undefined values in pandas.", "None of this is urgent."),
    reject=(
        "Hi null,",
        "Dear None,",
        "Hi #REF!,",
        "your work at undefined,",
        "NaN €",
        "treated as null.",
    ),
    source="ours",
    check=check,
)
