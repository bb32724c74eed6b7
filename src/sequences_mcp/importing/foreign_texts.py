"""Texts of other outreach programs as texts of ours: variables, fallbacks, conditions, alternatives and HTML.

What has a counterpart is written with the nine variables. What has none stays as it stands, with a finding: the
guards refuse such a text until somebody has changed it, so nothing of it can leave by mistake. Where their text
differs from person to person and ours does not, one reading is taken; the finding says which and what was left
out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from typing import TypeAlias

from sequences_mcp.domain.findings import Finding, Severity
from sequences_mcp.domain.variables import TOKEN
from sequences_mcp.importing.blueprint_files import import_finding
from sequences_mcp.lazy_dataclasses import dataclass, field

# Names as they are compared: small letters without separators. Whose facts they are may stand before them.
_OF_CONTACT = {
    "firstname": "{{firstname}}",
    "lastname": "{{lastname}}",
    "fullname": "{{firstname}} {{lastname}}",
    "name": "{{firstname}} {{lastname}}",
    "jobtitle": "{{candidateJobTitle}}",
    "title": "{{candidateJobTitle}}",
    "position": "{{candidateJobTitle}}",
    "occupation": "{{candidateJobTitle}}",
    "companyname": "{{candidateCompanyName}}",
    "company": "{{candidateCompanyName}}",
    "organization": "{{candidateCompanyName}}",
    "organizationname": "{{candidateCompanyName}}",
    "location": "{{candidateLocation}}",
    "city": "{{candidateLocation}}",
}
_OF_SENDER = {
    "firstname": "{{recruiterFirstname}}",
    "lastname": "{{recruiterLastname}}",
    "name": "{{recruiterFirstname}} {{recruiterLastname}}",
    "fullname": "{{recruiterFirstname}} {{recruiterLastname}}",
}
_CONTACTS = ("contact", "lead", "prospect", "recipient", "person", "candidate", "")
_SENDERS = ("sendingaccount", "sender", "user", "owner", "from", "account")
_COMPANIES = ("accountname", "account")
_SIGNATURE = re.compile(r"signature$|^emailsignature")
_WAYS_OUT = re.compile(r"unsub|optout")
_SEPARATORS = re.compile(r"[\s_.\-]+")
_IDENTIFIER = re.compile(r"[A-Za-z_][\w.\-]*(?: [A-Z][\w]*)*")
_CUSTOM = re.compile(r"[_.]|[a-z][A-Z]")
Release: TypeAlias = Callable[[str], str]
_SHOWN = 120
_ROUNDS = 20
_MOST_FINDINGS = 40


@dataclass(slots=True)
class FindingsCollector:
    """The findings of reading the texts of one step."""

    step_id: str
    findings: list[Finding] = field(default_factory=list)

    def note(self, rule: str, message: str, *, severity: Severity = Severity.WARNING) -> None:
        """Add a finding, once, while there are not too many."""
        finding = import_finding(rule, message, step_id=self.step_id, severity=severity)
        if finding not in self.findings and len(self.findings) < _MOST_FINDINGS:
            self.findings.append(finding)


def counterpart(name: str) -> str | None:
    """Return what says the same with our variables, or None; an empty text for what we add by ourselves."""
    plain = _SEPARATORS.sub("", name.strip().lower())
    if TOKEN.fullmatch(f"{{{{{name.strip()}}}}}"):
        return f"{{{{{name.strip()}}}}}"
    if _SIGNATURE.search(plain) or _WAYS_OUT.search(plain):
        return ""
    if plain in _COMPANIES:
        return "{{candidateCompanyName}}"
    for owners, facts in ((_SENDERS, _OF_SENDER), (_CONTACTS, _OF_CONTACT)):
        for owner in owners:
            if plain.startswith(owner) and (ours := facts.get(plain.removeprefix(owner))):
                return ours
    return None


def beginning(text: str) -> str:
    """Return the beginning of a text on one line, for a finding."""
    line = " ".join(text.split())
    return f"{line[:_SHOWN]}…" if len(line) > _SHOWN else line


def our_text(source: str, reading: FindingsCollector) -> str:
    """Return a plain text of theirs as ours."""
    held: list[str] = []

    def hold(text: str) -> str:
        """Put a text that is finished aside, so that no brace of it is looked at again."""
        held.append(text)
        return f"{_FIRST}{len(held) - 1}{_LAST}" if text else ""

    def release(text: str) -> str:
        while _HELD.search(text):
            text = _HELD.sub(lambda match: held[int(match[1])], text)
        return text

    def variable(match: re.Match[str]) -> str:
        ours = counterpart(match[1]) if _IDENTIFIER.fullmatch(match[1].strip()) else None
        return hold(match[0] if ours is None else _taken(match[1], ours, reading))

    def alternatives(match: re.Match[str]) -> str:
        return hold(_alternative(match[1], match[0], release, reading=reading)) if "|" in match[1] else match[0]

    text = _without_conditions(without_private(source, reading).replace("\r\n", "\n"), reading)
    text = _PERCENT.sub(lambda match: hold(_percent(match, reading)), text)
    text = _VARIABLE.sub(variable, text)
    for _ in range(_ROUNDS):  # alternatives may lie within one another: the innermost first
        changed = _DOUBLE.sub(lambda match: hold(_double(match, release, reading)), text)
        if changed == text:
            changed = _SINGLE.sub(alternatives, text)
        if changed == text:
            break
        text = changed
    text = release(text)
    _tell_what_is_left(text, reading)
    return re.sub(r"(?<![ \t])[ \t]+$", "", text, flags=re.MULTILINE).strip("\n")


def without_private(text: str, reading: FindingsCollector) -> str:
    """Return a text without characters of private use, which show nothing and mark places while it is read."""
    if not _PRIVATE.search(text):
        return text
    reading.note("left_out", "Characters of private use, which show nothing, were left out.")
    return _PRIVATE.sub("", text)


def _tell_what_is_left(text: str, reading: FindingsCollector) -> None:
    """Note each template that has no counterpart and was left as it stood."""
    for left in dict.fromkeys(match[0] for match in _LEFT.finditer(TOKEN.sub("", text))):
        if _INNER_TAG.match(left):
            continue  # its opening tag is told of
        what = "is a condition or command without a counterpart" if left.startswith(("{%", "{{#")) else ""
        what = what or "is none of the nine variables"
        reading.note(
            "variable",
            f"{beginning(left)} {what}. It stands as it was: the guards refuse the text until it is replaced.",
        )


_FIRST, _LAST = "\ue010", "\ue011"
_HELD = re.compile(f"{_FIRST}(\\d+){_LAST}")
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_PERCENT = re.compile(r"<?%\s?([A-Za-z][\w.]{1,60}?)\s?%>?")
_VARIABLE = re.compile(r"\{\{([^{}|]{1,200})\}\}")
_DOUBLE = re.compile(r"\{\{([^{}]+)\}\}")
_SINGLE = re.compile(r"\{([^{}]+)\}")
_LEFT = re.compile(r"\{\{[^{}]{0,200}\}\}|\{%.{0,200}?%\}|%[A-Z_]{3,40}%", re.DOTALL)
_INNER_TAG = re.compile(r"\{%-?\s*(?:else|els|end|when)|\{\{[#/]?(?:else|end|/)")


def _percent(match: re.Match[str], reading: FindingsCollector) -> str:
    ours = counterpart(match[1])
    return match[0] if ours is None else _taken(match[1], ours, reading)


def _taken(name: str, ours: str, reading: FindingsCollector) -> str:
    plain = _SEPARATORS.sub("", name.lower())
    if not ours:
        what = "The signature of the mailbox" if _SIGNATURE.search(plain) else "A way to opt out"
        reading.note(
            "left_out", f"{name.strip()} was left out: {what} is added by itself.", severity=Severity.NOTE
        )
    if plain.endswith("city"):
        reading.note(
            "variable",
            f"{name.strip()} became {ours}, which is the contact's location and may say more than a city.",
        )
    return ours


def _double(match: re.Match[str], release: Release, reading: FindingsCollector) -> str:
    """Return what stands for ``{{a|b}}``: a variable with a fallback or a filter, or one of alternatives."""
    first, _, rest = match[1].partition("|")
    first, rest = first.strip(), rest.lstrip("|").strip()
    if first.lower() in ("random", "spin", "spintax"):
        return _alternative(rest, match[0], release, reading=reading)
    ours = counterpart(first) if _IDENTIFIER.fullmatch(first) else None
    if ours is not None:
        _fallback(first, release(rest), reading)
        return _taken(first, ours, reading)
    is_variable = _IDENTIFIER.fullmatch(first) and _CUSTOM.search(first)
    return release(match[0]) if is_variable else _alternative(match[1], match[0], release, reading=reading)


def _fallback(name: str, rest: str, reading: FindingsCollector) -> None:
    default = re.fullmatch(r"(?:default|fallback)\s*:?\s*(.*)", rest, re.DOTALL | re.IGNORECASE)
    words = (default[1] if default else rest).strip().strip("\"'“”‘’").strip()
    is_filter = default is None and re.fullmatch(r"[a-z_]+(?:\s*:.*)?", rest, re.DOTALL) and rest in _FILTERS
    if is_filter:
        reading.note("filter", f"{name} was changed there by {rest!r}; here the value leaves as it is stored.")
    elif words:
        reading.note(
            "fallback",
            f"{name} had the fallback {beginning(words)!r}. Here whoever has no value is left out of a start.",
        )


_FILTERS = frozenset({"capitalize", "upcase", "downcase", "strip", "titleize", "escape", "trim", "lowercase"})


def _alternative(inner: str, whole: str, release: Release, *, reading: FindingsCollector) -> str:
    """Return the first of several alternatives; the finding has the others."""
    parts = [release(part).strip() for part in inner.split("|")]
    if len(parts) < 2:
        return release(whole)
    _tell_others(parts, reading)
    return parts[0]


def _tell_others(parts: list[str], reading: FindingsCollector) -> None:
    others = ", ".join(repr(beginning(part)) for part in parts[1:6])
    more = f" and {len(parts) - 6:,} more" if len(parts) > 6 else ""
    reading.note(
        "alternatives", f"Of alternatives the first is taken, {beginning(parts[0])!r}; left out: {others}{more}."
    )


# Conditions: Liquid's {% if %}, Apollo's {{#if}}, and Liquid's alternatives as lemlist has them.

_OPEN = r"\{%-?\s*(?:if|unless)\b[^%]{0,300}%\}|\{\{#if\b[^{}]{0,300}\}\}"
_CONDITION = re.compile(
    r"(?:\{%-?\s*(?P<kind>if|unless)\s+(?P<liquid>[^%]{1,300}?)\s*-?%\}|\{\{#(?P<apollo>if)\s+(?P<name>[^{}]{1,300}?)\s*\}\})"
    rf"(?P<body>(?:(?!{_OPEN}).){{0,20000}}?)"
    r"(?:\{%-?\s*endif\s*-?%\}|\{%-?\s*endunless\s*-?%\}|\{\{[#/](?:endif|if)\}\})",
    re.DOTALL,
)
_ELSE = re.compile(r"\{%-?\s*else\s*-?%\}|\{\{#?else\}\}")
_ELSIF = re.compile(r"\{%-?\s*els(?:e\s*)?if\b|\{\{#?else ?if\b|\{%-?\s*when\b")
_PRESENT = re.compile(
    r"""(?P<name>[\w.]+)\s*(?:(?:!=|<>)\s*(?:blank|empty|nil|null|""|''|“”|false))?(?:\.size\s*>\s*0)?"""
)
_SPIN = re.compile(
    r"\{%-?\s*spin\s*-?%\}(?P<body>(?:(?!\{%-?\s*spin\b).){0,20000}?)\{%-?\s*endspin\s*-?%\}", re.DOTALL
)
_VARIATION = re.compile(r"\{%-?\s*variation\s*-?%\}")


def _without_conditions(text: str, reading: FindingsCollector) -> str:
    for _ in range(_ROUNDS):  # the innermost first
        changed = _SPIN.sub(lambda match: _variation(match, reading), text)
        changed = _CONDITION.sub(lambda match: _condition(match, reading), changed)
        if changed == text:
            break
        text = changed
    return text


def _variation(match: re.Match[str], reading: FindingsCollector) -> str:
    parts = [part.strip() for part in _VARIATION.split(match["body"]) if part.strip()]
    if not parts:
        return ""
    _tell_others(parts, reading)
    return parts[0]


def _condition(match: re.Match[str], reading: FindingsCollector) -> str:
    """Return the branch for whoever has the value that is asked for, or the whole where it asks something else."""
    asked_for = _PRESENT.fullmatch((match["liquid"] or match["name"]).strip())
    ours = counterpart(asked_for["name"]) if asked_for else None
    if not ours or _ELSIF.search(match["body"]):
        return match[0]
    branches = _ELSE.split(match["body"])
    if len(branches) > 2:
        return match[0]
    otherwise = branches[1] if len(branches) == 2 else ""
    with_value, without = branches[0], otherwise
    if match["kind"] == "unless":
        with_value, without = otherwise, branches[0]
    if match["apollo"] and not with_value:
        with_value = ours  # {{#if first_name}}{{#endif}} is the variable itself
    left = f"; left out for the others: {beginning(without)!r}" if without.strip() else ""
    reading.note(
        "condition",
        f"The text for whoever has {match['liquid'] or match['name']!s} is taken{left}. Here whoever has no value "
        "of a variable that the text uses is left out of a start.",
    )
    return with_value


# HTML.

_BLOCKS = frozenset({"p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "tr"})
_SILENT = frozenset({"script", "style", "head", "title", "template"})
_EMPHASIS = {"b": "**", "strong": "**", "i": "*", "em": "*"}
_TAG = re.compile(
    r"</?(?:p|div|br|span|b|strong|i|em|u|a|ul|ol|li|h[1-6]|table|td|font|img|html|body)\b[^<>]*>", re.I
)
# A tag that does not end is text. The parser would look for its end to the end of the text, for each of them.
_UNENDED = re.compile(r"""<(?!!--)(?!(?:[^<>"']|"[^"]{0,20000}"|'[^']{0,20000}'){0,2000}>)""")
_DEEPEST_LIST = 5
_LOOKED_BACK = 200  # characters of a piece that tell whether a line has ended
_SCHEME = re.compile(r"^(?:https?://|mailto:|tel:)")
_STYLED = re.compile(r"color|font|background|size", re.IGNORECASE)
_BEGINS, _ENDS = "\ue002", "\ue003"  # where emphasis begins and ends, until the space beside it is known


def is_html(text: str) -> bool:
    """Say whether a text is HTML and not text in which a sign happens to stand."""
    return _TAG.search(text) is not None


@dataclass(frozen=True, slots=True)
class ReadText:
    """A text as ours, and whether it is Markdown."""

    content: str
    is_markdown: bool = False


def from_html(source: str, reading: FindingsCollector, *, may_be_markdown: bool) -> ReadText:
    """Return an HTML text as ours: as Markdown where it has links, lists or emphasis, else as text.

    What HTML has and neither has, pictures and tables among it, is left out with a finding. A text that is no HTML
    is read as it stands.
    """
    if not is_html(source):
        return ReadText(our_text(unescape(source) if "&" in source else source, reading))
    flat = _without_html_in_templates(without_private(source, reading))
    reader = _HtmlReader(reading)
    reader.feed(_UNENDED.sub("&lt;", flat))
    reader.close()
    as_markdown = may_be_markdown and reader.is_formatted
    plain = our_text(reader.text(as_markdown=False), reading)
    if not as_markdown:
        if reader.is_formatted:
            reading.note("formatting", "Bold, lists and links of this text leave as plain text.")
        return ReadText(plain)
    return ReadText(our_text(reader.text(as_markdown=True), FindingsCollector(reading.step_id)), is_markdown=True)


def _without_html_in_templates(source: str) -> str:
    """Return HTML in which no tag stands within ``{{…}}`` or ``{%…%}``, as an editor may leave them."""

    def strip(match: re.Match[str]) -> str:
        return re.sub(r"<[^<>]{0,500}>", "", unescape(match[0]))

    return re.sub(r"\{\{.{0,500}?\}\}|\{%.{0,500}?%\}", strip, source, flags=re.DOTALL)


@dataclass(slots=True)
class _Piece:
    """A piece of text: as it is read, and as Markdown."""

    plain: str
    marked: str


class _HtmlReader(HTMLParser):
    """Reads HTML into pieces; ``is_formatted`` says whether it has what plain text has not."""

    def __init__(self, reading: FindingsCollector) -> None:
        super().__init__(convert_charrefs=True)
        self.reading = reading
        self.is_formatted = False
        self._pieces: list[_Piece] = []
        self._silent = 0
        self._lists: list[int | None] = []
        self._links: list[tuple[str, int]] = []
        self._open: list[tuple[str, int]] = []  # tags of emphasis, and the places of their pieces
        self._tail = "\n"  # the last characters so far

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element."""
        given = {name: value or "" for name, value in attrs}
        if tag in _SILENT:
            self._silent += 1
        if _STYLED.search(given.get("style", "")) or tag == "font":
            self._note("formatting", "Fonts, colours and sizes are left out.", severity=Severity.NOTE)
        if tag == "br":
            self._add("\n")
        elif tag == "img":
            address = beginning(given.get("src", ""))
            self._note("picture", f"A picture was left out ({address or 'without an address'}): none is sent.")
        elif tag in ("ul", "ol"):
            self._break(1 if self._lists else 2)
            self._lists.append(1 if tag == "ol" else None)
            self.is_formatted = True
        elif tag == "li":
            self._item()
        elif tag == "a":
            if self._links:  # a link within a link ends it, as in a browser
                self._link(*self._links.pop())
            self._links.append((given.get("href", ""), len(self._pieces)))
        elif tag in _EMPHASIS:
            self._open.append((tag, len(self._pieces)))
            self._pieces.append(_Piece("", ""))  # marked where it ends, if it does
        elif tag in ("td", "th"):
            self._note("formatting", "A table became lines of text.")
            self._add("" if self._ends_line() else " ")
        elif tag in _BLOCKS:
            self._break(1 if tag in ("div", "tr") else 2)

    def handle_endtag(self, tag: str) -> None:
        """End an element."""
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        if tag in ("ul", "ol") and self._lists:
            self._lists.pop()
            self._break(1 if self._lists else 2)
        elif tag == "a" and self._links:
            self._link(*self._links.pop())
        elif tag in _EMPHASIS and self._open and self._open[-1][0] == tag:
            self._pieces[self._open.pop()[1]].marked = f"{_BEGINS}{_EMPHASIS[tag]}"
            self.is_formatted = True
            self._pieces.append(_Piece("", f"{_ENDS}{_EMPHASIS[tag]}"))
        elif tag in _BLOCKS:
            self._break(1 if tag in ("div", "tr") else 2)

    def handle_data(self, data: str) -> None:
        """Take over text; white space is one space, as a browser shows it."""
        if self._silent:
            return
        words = re.sub(r"[ \t\n\r\f]+", " ", data).replace("\xa0", " ")
        if self._ends_line():
            words = words.lstrip(" ")
        self._add(words)

    def text(self, *, as_markdown: bool) -> str:
        """Return what was read."""
        if not as_markdown:
            text = "".join(piece.plain for piece in self._pieces)
        else:
            text = "".join(piece.marked for piece in self._pieces)
            text = re.sub(f"{_BEGINS}(\\*+)(\\s*){_ENDS}\\1", r"\2", text)  # emphasis of nothing
            text = re.sub(f"{_BEGINS}(\\*+)(\\s*)", r"\2\1", text)
            text = re.sub(f"(?<!\\s)(\\s*){_ENDS}(\\*+)", r"\2\1", text)
        return re.sub(r"\n{3,}", "\n\n", re.sub(r"(?<![ \t])[ \t]+\n", "\n", text)).strip("\n ")

    def _note(self, rule: str, message: str, *, severity: Severity = Severity.WARNING) -> None:
        self.reading.note(rule, message, severity=severity)

    def _add(self, words: str) -> None:
        if words:
            self._pieces.append(_Piece(words, _escaped(words, begins_line=self._ends_line())))
            self._tail = words[-2:]

    def _item(self) -> None:
        self._break(1)
        indent = "  " * min(len(self._lists) - 1, _DEEPEST_LIST)
        number = self._lists[-1] if self._lists else None
        mark = "- " if number is None else f"{number}. "
        if number is not None:
            self._lists[-1] = number + 1
        self.is_formatted = True
        self._pieces.append(_Piece(f"{indent}{mark}", f"{indent}{mark}"))
        self._tail = " "

    def _break(self, lines: int) -> None:
        """End the line, and leave empty ones, unless the text has just done so."""
        tail = "".join(piece.plain[-_LOOKED_BACK:] for piece in self._pieces[-8:])
        if not tail.strip():
            return
        have = len(tail) - len(tail.rstrip("\n"))
        if have < lines:
            self._add("\n" * (lines - have))

    def _ends_line(self) -> bool:
        return self._tail.endswith(("\n", " "))

    def _link(self, address: str, start: int) -> None:
        """Put a link where its words are: nothing more where they are the address, or say it in brackets."""
        words = "".join(piece.plain for piece in self._pieces[start:])
        marked = "".join(piece.marked for piece in self._pieces[start:])
        while self._open and self._open[-1][1] >= start:
            self._open.pop()
        del self._pieces[start:]
        address = address.strip()
        if _WAYS_OUT.search(address.lower()):
            self._note(
                "left_out",
                f"The link {beginning(words)!r} was left out: a way to opt out is added by itself.",
                severity=Severity.NOTE,
            )
            return
        if not address or _SCHEME.sub("", address).rstrip("/") == _SCHEME.sub("", words.strip()).rstrip("/"):
            self._pieces.append(_Piece(words, marked))
            return
        if "{{" in address:
            self._note(
                "link", f"The address of {beginning(words)!r} has a variable in it, which the guards refuse."
            )
        safe = address.replace("(", "%28").replace(")", "%29").replace(" ", "%20")
        self.is_formatted = True
        self._pieces.append(_Piece(f"{words} ({address})", f"[{marked}]({safe})"))


_ACTIVE = re.compile(r"[\\`*\[\]]|(?<![^\W_])_|_(?![^\W_])")
_STARTS = re.compile(r"^([ ]*)(?=[#>+\-=~])|^([ ]*\d+)(?=[.)])", re.MULTILINE)
_TEMPLATE = re.compile(r"\{\{.{0,500}?\}\}|\{%.{0,300}?%\}|\{[^{}\n]*\|[^{}\n]*\}", re.DOTALL)


def _escaped(words: str, *, begins_line: bool) -> str:
    """Return text as Markdown that is read as it stands; templates in it are left alone."""
    parts, at = [], 0
    for match in _TEMPLATE.finditer(words):
        parts += [_ACTIVE.sub(r"\\\g<0>", words[at : match.start()]), match[0]]
        at = match.end()
    escaped = "".join([*parts, _ACTIVE.sub(r"\\\g<0>", words[at:])])
    if begins_line:
        return _STARTS.sub(lambda match: f"{match[1] or match[2] or ''}\\", escaped)
    first, newline, rest = escaped.partition("\n")
    return first + newline + _STARTS.sub(lambda match: f"{match[1] or match[2] or ''}\\", rest)
