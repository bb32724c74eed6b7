"""A statement of another template language: Jinja, Liquid, ERB, PHP, AMPscript, Mailchimp, Velocity, Blade."""

from __future__ import annotations

from collections.abc import Iterable

from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.rule import Hit, Rule
from sequences_mcp.guards.text import Text

_STATEMENT = Lazy(
    r"\{[%#][-+]?|[-+]?[%#]\}|<%[-=#@!]?|-?%>|<\?(?:php|=)?|\?>|%%\[|\]%%|%%=|=%%|\*\|[\w:!. -]{1,60}\|\*|"
    r"</?#\w*|\[%|(?m:^|(?<=\s))[#@](?:if|else|elseif|endif|end|set|foreach|endforeach)\b(?:\s?\(|$)",
    needs=(
        "{%",
        "{#",
        "%}",
        "#}",
        "<%",
        "%>",
        "<?",
        "?>",
        "%%",
        "*|",
        "<#",
        "</#",
        "[%",
        "#if",
        "#e",
        "#set",
        "#for",
        "@if",
        "@e",
        "@set",
        "@for",
    ),
)


def check(text: Text) -> Iterable[Hit]:
    """Return every opening or closing mark of a statement."""
    return text.hits(_STATEMENT)


RULE = Rule(
    id="foreign.statement",
    severity=Severity.ERROR,
    message="This belongs to another template language and would be sent as it stands.",
    accept=("100 % remote, 50%-60%", "C# / F#", "Is x > y?", "#hiring"),
    reject=("{% if x %}", "<%= firstname %>", "*|FNAME|* – quick question", "%%=v(@name)=%%", "#if($x)"),
    source="ours",
    check=check,
    signs=frozenset("%<>|#@"),
)
