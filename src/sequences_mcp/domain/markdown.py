"""E-mails that are written in Markdown: the text and the HTML that they leave as, both made of one parse.

CommonMark without raw HTML, entities, reference links, indented code and underlined headings, all of which make
something else of what people write in e-mails. A line break stays one. Nothing remote is in the HTML: an image
is its words and its address. A variable's value is put in with ``filled``: no parse then makes markup of it.

Parsing is markdown-it-py's, loaded where the first such text is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from sequences_mcp.domain.variables import TOKEN, fill_in
from sequences_mcp.lazy_dataclasses import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Sequence as Items

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

DEEPEST = 12
"""How deep lists and quotations may lie within one another, as the parser counts; it drops what is at 100."""

_ACTIVE = re.compile(r"[\\`*_\[\]<>()#~|&!{}]")
_BREAKS = re.compile(r"[ \t]*[\r\n\x0b\x0c\x85\u2028\u2029]+\s*")
_BEGINS_LIST = re.compile(r"[-+.=]|\d+(?=\.)")
_ENDS_NUMBER = re.compile(r"\d*(?=[.)])")
_SCHEMES = ("https://", "http://", "mailto:", "tel:")


def markdown_line(text: str) -> str:
    """Return the Markdown, of one line, that is read as exactly this text wherever it stands."""
    line = _ACTIVE.sub(r"\\\g<0>", _BREAKS.sub(" ", text))
    match = _BEGINS_LIST.match(line)
    if match is None:
        return line
    return f"\\{line}" if not match[0].isdigit() else f"{match[0]}\\{line[match.end() :]}"


def markdown_lines(text: str) -> str:
    """Return the Markdown that is read as these lines."""
    return "\n".join(markdown_line(line.strip()) for line in text.splitlines())


def filled(template: str, values: Mapping[str, str | None]) -> str:
    """Return a template with its variables filled in, so that no value becomes markup or a link.

    Raises KeyError for a value that is absent or blank. What no backslash mends is refused with the template: a
    variable in the address of a link, or in code (``faults``).
    """
    pieces = TOKEN.split(template)
    result = pieces[0]
    for name, after in zip(pieces[1::2], pieces[2::2], strict=True):
        value = markdown_line(fill_in(f"{{{{{name}}}}}", values))
        if (len(result) - len(result.rstrip("\\"))) % 2:
            result += "\\"  # the template's own backslash is shown, and takes away none of the value's
        number = _ENDS_NUMBER.match(after) if value.isdigit() else None
        result += value + (after if number is None else f"{number[0]}\\{after[number.end() :]}")
    return result


@dataclass(frozen=True, slots=True)
class Link:
    """A link or an image: its words, its address, its title."""

    words: str
    address: str
    title: str = ""
    is_image: bool = False

    @property
    def is_fit(self) -> bool:
        """Whether an e-mail may have it as a link."""
        return not self.is_image and self.address.lower().startswith(_SCHEMES)

    @property
    def is_told(self) -> bool:
        """Whether its words are its address already."""
        return self.address in (self.words, f"mailto:{self.words}", f"tel:{self.words}")


@dataclass(frozen=True, slots=True)
class Letter:
    """What a Markdown text leaves as: ``plain`` and ``html``, which say the same.

    ``bare`` is ``plain`` without the addresses of links, as some mail programs quote it. ``code`` is what stands
    in code, ``ticks`` says that a backtick opens none. ``depth`` is how deep it is nested.
    """

    plain: str
    html: str
    bare: str
    links: tuple[Link, ...]
    code: tuple[str, ...]
    ticks: bool
    depth: int


@lru_cache(maxsize=64)
def letter_of(source: str) -> Letter:
    """Return what a Markdown text leaves as."""
    tokens = _parser().parse(source)
    links: list[Link] = []
    for token in tokens:
        token.info = ""
        token.children = list(_without_images(token.children or (), links))
    inline = [child for token in tokens for child in token.children or ()]
    return Letter(
        plain=_plain(tokens, with_addresses=True),
        html=_parser().renderer.render(tokens, _parser().options, {}).strip(),
        bare=_plain(tokens, with_addresses=False),
        links=tuple(links),
        code=tuple(token.content for token in (*tokens, *inline) if token.type in ("code_inline", "fence")),
        ticks=any("`" in token.content for token in inline if token.type == "text"),
        depth=max((token.level for token in tokens), default=0),
    )


_MARK = "Zq7v{}v7Zq"  # stands for a variable while a template is parsed: a word, as a value is
_MARKED = re.compile(r"(?i)zq7v(\d)v7zq")


def template_letter(source: str) -> Letter:
    """Return what a template would leave as, its variables standing where their values will."""
    names = list(dict.fromkeys(TOKEN.findall(source)))
    if not names:
        return letter_of(source)
    marked = TOKEN.sub(lambda match: _MARK.format(names.index(match[1])), source)
    letter = letter_of(marked)

    def named(text: str) -> str:
        return _MARKED.sub(lambda match: f"{{{{{names[int(match[1]) % len(names)]}}}}}", text)

    return Letter(
        plain=named(letter.plain),
        html=named(letter.html),
        bare=named(letter.bare),
        links=tuple(
            replace(link, words=named(link.words), address=named(link.address), title=named(link.title))
            for link in letter.links
        ),
        code=tuple(map(named, letter.code)),
        ticks=letter.ticks,
        depth=letter.depth,
    )


_OPEN_ADDRESS = re.compile(r"\]\([^)]{0,2000}?\{\{")


def faults(source: str) -> Iterator[str]:
    """Yield why a Markdown text or template cannot leave, in words for whoever writes it."""
    letter = template_letter(source)
    if letter.depth >= DEEPEST:
        yield "Lists or quotations lie too deep within one another: at most six levels."
    if any(link.is_image for link in letter.links):
        yield "An image is fetched from elsewhere when it is read: leave it out, or write its address as a link."
    if any(not link.is_fit for link in letter.links if not link.is_image):
        yield "A link needs a whole address: https://, http://, mailto: or tel:."
    has_variable = TOKEN.search(source) is not None
    held = [part for link in letter.links for part in (link.address, link.title)]
    if any(TOKEN.search(part) for part in held) or (has_variable and _OPEN_ADDRESS.search(source)):
        yield "A variable stands in a link's address, where its value could lead elsewhere: write the address out."
    if has_variable and (letter.ticks or any(TOKEN.search(part) for part in letter.code)):
        yield "Code and variables do not go together: take the backticks away."


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt
    from markdown_it.renderer import RendererHTML

    parser = MarkdownIt("zero", {"html": False, "breaks": True, "maxNesting": 100})
    parser.enable(["heading", "blockquote", "list", "hr", "fence", "backticks"])
    parser.enable(["newline", "escape", "emphasis", "balance_pairs", "fragments_join", "link", "image"])
    parser.disable("text_join")  # which would not leave apart what was escaped
    parser.inline.ruler.before("escape", "web_address", _web_address)
    parser.validateLink = _any_link  # type: ignore[method-assign]
    parser.add_render_rule("text_special", RendererHTML.text)
    return parser


def _any_link(url: str) -> bool:
    """Take every link: one that an e-mail may not have is told of, and leaves as words."""
    return True


_REST = re.compile(r"://[\w./%?&=#:@,;~+$!'-]*")


def _web_address(state: Any, silent: bool) -> bool:
    """Take what follows ``http`` or ``https`` as it stands: underscores of an address are no emphasis."""
    match = _REST.match(state.src, state.pos) if state.src[state.pos] == ":" else None
    if match is None or not state.src.endswith(("http", "https"), 0, state.pos):
        return False
    if not silent:
        state.pending += match[0]
    state.pos = match.end()
    return True


def _without_images(tokens: Items[Token], links: list[Link]) -> Iterator[Token]:
    """Yield tokens with each image, and each link that an e-mail may not have, as words; add them to ``links``."""
    opened: list[tuple[Token, int]] = []
    result: list[Token] = []
    for token in tokens:
        result.append(token)
        if token.type == "image":
            link = Link(token.content, str(token.attrGet("src") or ""), str(token.attrGet("title") or ""), True)
            links.append(link)
            _as_words(token, f"{link.words} ({link.address})")
        elif token.type == "link_open":
            opened.append((token, len(result)))
        elif token.type == "link_close" and opened:
            head, start = opened.pop()
            words = "".join(_words(part) for part in result[start:-1])
            link = Link(words, str(head.attrGet("href") or ""), str(head.attrGet("title") or ""))
            links.append(link)
            head.meta["link"] = token.meta["link"] = link
            head.attrs = {"href": link.address}
            if not link.is_fit:
                _as_words(head, "")
                _as_words(token, f" ({link.address})")
    yield from result


def _as_words(token: Token, words: str) -> None:
    token.type, token.tag, token.content, token.children, token.nesting = "text_special", "", words, None, 0


def _words(token: Token) -> str:
    if token.type in ("softbreak", "hardbreak"):
        return "\n"
    return token.content if token.type in ("text", "text_special", "code_inline") else ""


@dataclass(slots=True)
class _Lines:
    """The plain text as it grows: containers are indentations, the innermost last, each with a mark to come."""

    with_addresses: bool
    lines: list[str] = field(default_factory=list)
    indents: list[str] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    numbers: list[int | None] = field(default_factory=list)
    until: int = 0  # the line of the source that the last block ends before

    def add(self, token: Token, text: str) -> None:
        """Add a block, after an empty line where the source has one."""
        start, end = token.map or (self.until, self.until)
        if self.lines and start > self.until and not any(self.marks[:-1]):
            self.lines.append("")
        for line in text.split("\n"):
            head = "".join(mark or indent for mark, indent in zip(self.marks, self.indents, strict=True))
            self.marks = [""] * len(self.marks)
            self.lines.append(f"{head}{line.strip() if not head else line}".rstrip())
        self.until = end

    def item(self) -> None:
        """Begin an item of the innermost list."""
        number = self.numbers[-1]
        mark = "- " if number is None else f"{number}. "
        if number is not None:
            self.numbers[-1] = number + 1
        self.marks.append(mark)
        self.indents.append(" " * len(mark))


def _plain(tokens: Items[Token], *, with_addresses: bool) -> str:
    """Return the text that is read: emphasis without marks, links as ``words (address)``, lists as they look."""
    text = _Lines(with_addresses)
    for token in tokens:
        match token.type:
            case "inline":
                text.add(token, "".join(_read(child, with_addresses) for child in token.children or ()))
            case "fence":
                text.add(token, token.content.removesuffix("\n"))
            case "hr":
                text.add(token, "---")
            case "bullet_list_open":
                text.numbers.append(None)
            case "ordered_list_open":
                text.numbers.append(int(token.attrGet("start") or 1))
            case "bullet_list_close" | "ordered_list_close":
                text.numbers.pop()
            case "list_item_open":
                text.item()
            case "blockquote_open":
                text.marks.append("")
                text.indents.append("  ")
            case "list_item_close" | "blockquote_close":
                if text.marks[-1]:
                    text.add(token, "")  # an item without words
                text.marks.pop()
                text.indents.pop()
    return "\n".join(text.lines).strip("\n")


def _read(token: Token, with_addresses: bool) -> str:
    link = token.meta.get("link") if token.type == "link_close" else None
    if link is not None and with_addresses and not link.is_told:
        return f" ({link.address})"
    return _words(token)
