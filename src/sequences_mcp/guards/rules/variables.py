"""Variables that are not the nine, or not written as they must be: rules of the layer ``variables``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sequences_mcp.domain.findings import Severity
from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.domain.variables import TOKEN, VARIABLES
from sequences_mcp.guards.double_braces import BraceKind, Doubled, doubled, either, meant, only_name
from sequences_mcp.guards.rule import Rule
from sequences_mcp.guards.text import GuardedText, Hit
from sequences_mcp.guards.views import COVER


def _unfilled(text: GuardedText) -> Iterator[Hit]:
    """Return every variable of a final text."""
    for match in TOKEN.finditer(text.original) if text.rendered else ():
        yield Hit(*match.span())


UNFILLED = Rule(
    id="variables.unfilled",
    severity=Severity.ERROR,
    message="This variable was not filled in.",
    accept=("Hi Jane,",),
    reject=("Hi {{firstname}},",),
    source="ours",
    example="rendered",
    check=_unfilled,
    signs=frozenset("{"),
)


def _spelling(text: GuardedText) -> Iterator[Hit]:
    """Return every near miss with the exact token as the fix."""
    for braces in doubled(text, BraceKind.NEAR):
        token = f"{{{{{meant(braces.inner)}}}}}"
        yield Hit(*braces.span, fix=token, message=f"Write {token}, exactly so.")


SPELLING = Rule(
    id="variables.spelling",
    severity=Severity.ERROR,
    message="A variable is written exactly as it is listed.",
    accept=("Hi {{firstname}},", "{{candidateJobTitle}} at {{candidateCompanyName}}"),
    reject=(
        "Hi {{firstName}},",
        "Hi {{ firstname }},",
        "Hi {{first_name}},",
        "at {{company}}",
        "{{f\u0456rstname}}",
    ),
    source="Kalent: names are case-sensitive, and only the nine exact tokens are listed",
    check=_spelling,
    signs=frozenset("{}"),
)


def _expression(text: GuardedText) -> Iterator[Hit]:
    """Return every expression; the fix is the variable alone, where exactly one occurs in it."""
    for braces in doubled(text, BraceKind.EXPRESSION):
        name = only_name(braces.inner)
        yield Hit(*braces.span, fix=f"{{{{{name}}}}}" if name else None)


EXPRESSION = Rule(
    id="variables.expression",
    severity=Severity.ERROR,
    message="Only a bare variable is filled in: no filter, fallback, path, call or block.",
    accept=("Hi {{firstname}},", "{{firstname}} | {{sourcingJobTitle}}"),
    reject=("Hi {{firstname|there}},", "{{contact.firstname}}", "{{#if firstname}}Hi{{/if}}", "{{7*'7'}}"),
    source="Kalent: only the nine exact tokens are listed",
    check=_expression,
    signs=frozenset("{}"),
)


def _empty(text: GuardedText) -> Iterator[Hit]:
    """Return every empty pair."""
    for braces in doubled(text, BraceKind.EMPTY):
        yield Hit(*braces.span)


EMPTY = Rule(
    id="variables.empty",
    severity=Severity.ERROR,
    message="There is no variable between these braces.",
    accept=("Hi {{firstname}},",),
    reject=("Hi {{}},", "Hi {{ }},", "Hi {{\u200b}},"),
    source="Kalent: only the nine exact tokens are listed",
    check=_empty,
    signs=frozenset("{}"),
)


_TOUCHING = LazyPattern(rf"\{{[ \t]?(?={COVER})|(?<={COVER})[ \t]?\}}", needs=("{", "}"))
_CUT_SHORT = LazyPattern(r"\{\{[ \t]{0,3}(\w{1,40})[ \t]{0,3}[})\]]{0,2}")


def _unbalanced(text: GuardedText) -> Iterator[Hit]:
    """Return every run of braces without its counterpart, and every brace that touches a variable."""
    for braces in doubled(text, BraceKind.UNBALANCED):
        yield _hit(braces)
    for hit in text.hits(_TOUCHING):
        yield hit._replace(fix="")


def _hit(braces: Doubled) -> Hit:
    cut = _CUT_SHORT.match(braces.view.text, braces.start)
    name = meant(cut[1]) if cut else None
    if cut and name:
        return Hit(*braces.view.span(*cut.span()), fix=f"{{{{{name}}}}}")
    return Hit(*braces.span)


UNBALANCED = Rule(
    id="variables.unbalanced",
    severity=Severity.ERROR,
    message="These braces do not pair up.",
    accept=("Hi {{firstname}},", "map[string]struct{}"),
    reject=("Hi {{firstname},", "Hi {{{firstname}}},", "Hi {{firstname", "{{first{{name}}}}"),
    source="Kalent: only the nine exact tokens are listed",
    check=_unbalanced,
    signs=frozenset("{}"),
)


_ESCAPED = LazyPattern(
    r"(?i)(?:\\u007[bd]|\\u\{7[bd]\}|\\x7[bd]|%7[bd]|%257[bd]|=7[bd]){2}",
    needs=("\\u007", "\\u{7", "\\x7", "%7", "%257", "=7"),
)


def _escaped(text: GuardedText) -> Iterable[Hit]:
    """Return every pair of escaped braces."""
    return text.hits(_ESCAPED)


ESCAPED = Rule(
    id="variables.escaped",
    severity=Severity.ERROR,
    message="Nobody fills in escaped braces: write the variable itself.",
    accept=("https://acme.com/%C3%A9quipe?a=%7B1%7D",),
    reject=("Hi \\u007b\\u007bfirstname\\u007d\\u007d,", "Hi %7B%7Bfirstname%7D%7D,", "=7B=7Bfirstname=7D=7D"),
    source="ours",
    check=_escaped,
    signs=frozenset("\\%="),
)


# firstname and lastname are words a sentence may contain; the other seven are not.
_NAMES = LazyPattern(
    r"(?<![\w{@./-])(?:candidate(?:JobTitle|CompanyName|Location)|sourcing(?:JobTitle|Location)|"
    r"recruiter(?:First|Last)name)(?![\w}(=/-])",
    needs=("candidate", "sourcing", "recruiter"),
)


def _bare(text: GuardedText) -> Iterator[Hit]:
    """Return every bare name, with the token as the fix."""
    for view in text.views:
        for match in view.find(_NAMES):
            yield Hit(*view.span(*match.span()), fix=f"{{{{{match[0]}}}}}")


BARE = Rule(
    id="variables.bare",
    severity=Severity.ERROR,
    message="This is the name of a variable without its braces.",
    accept=("as {{candidateJobTitle}}", "a candidate's job title"),
    reject=("as candidateJobTitle at candidateCompanyName",),
    source="ours",
    check=_bare,
)


def _unknown(text: GuardedText) -> Iterator[Hit]:
    """Return every unknown name; where two variables could be meant, the message says which."""
    for braces in doubled(text, BraceKind.UNKNOWN):
        names = " or ".join(f"{{{{{name}}}}}" for name in either(braces.inner))
        yield Hit(*braces.span, message=f"There is no such variable; you may mean {names}." if names else None)


UNKNOWN = Rule(
    id="variables.unknown",
    severity=Severity.ERROR,
    message=f"There is no such variable; there are {', '.join(VARIABLES)}.",
    accept=("Hi {{firstname}}, a word about {{sourcingJobTitle}}.", "{{firstname}}{{lastname}}"),
    reject=("Hi {{calendarLink}},", "{{icebreaker}}", "Hi {{location}},", '<img alt="{{salary}}">'),
    source="Kalent: any variable outside the nine is a validation_error",
    check=_unknown,
    signs=frozenset("{}"),
)
