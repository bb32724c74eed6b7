"""The sender of this server, and values that are never shown."""

from __future__ import annotations

from collections.abc import Iterable

from sequences_mcp.domain.markdown import markdown_lines
from sequences_mcp.domain.salutations import SURNAMES_TOO, is_degree, is_surely_title, without_titles, word_key
from sequences_mcp.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A value that neither ``repr`` nor ``str`` shows."""

    value: str

    def __repr__(self) -> str:
        return "Secret(…)"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who the messages come from; the recruiter variables are this person's names.

    ``titled`` is the whole name as it was given, where it has a title or something after it. ``signature`` closes
    every e-mail, answers go to ``reply_to`` where it is not the sender's own address, ``time_zone`` is the zone
    that e-mails are dated in (the clock's where it is empty). ``plus_addresses``: what is written to
    ``ada+anything@…`` comes to this mailbox. ``opt_out_lines``, by language and English first, are the lines
    one of which every e-mail ends with; none where the mailbox asks for none. ``signature_picture`` is the address
    of a picture, which the HTML of an e-mail ends with.
    """

    address: str
    first_name: str
    last_name: str
    titled: str = ""
    signature: str = ""
    reply_to: str = ""
    time_zone: str = ""
    plus_addresses: bool = False
    opt_out_lines: tuple[tuple[str, str], ...] = ()
    signature_picture: str = ""

    @classmethod
    def of(cls, name: str, address: str) -> Sender:
        """Return the sender of a name as people write it; ValueError where no name is left of it.

        ``Dr. Ada Lovelace``, ``Lovelace, Ada`` and ``Ada Lovelace, PhD`` are all Ada.
        """
        text = " ".join(name.split())
        parts = [part.strip() for part in text.split(",")]
        while len(parts) > 1 and all(map(_is_behind, parts[-1].split())):
            parts.pop()
        last, first = (_plain(parts[0]), _plain(" ".join(parts[1:]))) if len(parts) > 1 else ([], _plain(parts[0]))
        if not first:
            raise ValueError("it has no first name, or only a title")
        is_plain = last or " ".join(first) == text
        return cls(address, first[0], " ".join([*first[1:], *last]), "" if is_plain else text)

    def signed(
        self, content: str, *, languages: Iterable[str] = (), says_no: bool = False, is_markdown: bool = False
    ) -> str:
        """Return a text closed by the signature, and by the line on how to say no in the first known language.

        Each stands there once; with ``says_no`` the text itself says how. Two line breaks stand before the
        signature, and not the ``-- `` of RFC 3676, section 4.3: that is a convention among mail programs, which
        grey out, fold or drop what follows it, and a person's letter ends in a name that is read.
        """
        if not (self.signature or self.opt_out_lines):
            return content
        lines = {} if says_no else dict(self.opt_out_lines)
        line = next((lines[tag] for tag in (*languages, *lines) if tag in lines), "")
        below = [markdown_lines(part) if is_markdown else part for part in (self.signature, line) if part]
        return "\n\n".join([self.unsigned(content).rstrip(), *below]) if below else content

    def unsigned(self, content: str) -> str:
        """Return a text without what ``signed`` puts below it."""
        result = content.rstrip()
        for line in (*(line for _, line in self.opt_out_lines), self.signature):
            for ending in (line, markdown_lines(line)):
                if ending and result.endswith(ending):
                    result = result.removesuffix(ending).rstrip()
        return result if result != content.rstrip() else content

    def has_signed(self, content: str) -> bool:
        """Say whether this signature, as it is now, stands below a text."""
        return any(ending and ending in content for ending in (self.signature, markdown_lines(self.signature)))

    @property
    def below(self) -> str:
        """What stands below every text of this sender, in the first language."""
        return self.signed("").strip()

    @property
    def name(self) -> str:
        """The name that recipients see."""
        return self.titled or f"{self.first_name} {self.last_name}".strip()


def _plain(name: str) -> list[str]:
    """Return the words of a name without titles before it and letters after it."""
    words = [*without_titles(name.split())]
    if len(words) == 1 and is_surely_title(words[0]):
        return []
    while len(words) > 1 and _is_behind(words[-1]) and word_key(words[-1]) not in SURNAMES_TOO:
        words.pop()
    return words


def _is_behind(word: str) -> bool:
    return is_degree(word) or word_key(word) in ("jr", "sr", "ii", "iii", "iv")


@dataclass(frozen=True, slots=True, kw_only=True)
class LawSetting:
    """What a workspace says of itself, once: ``[law]`` in settings.toml.

    ``sender`` is the company with its postal address behind the first comma, ``basis`` the legal ground on which
    people's data is kept, ``source`` where it is from unless a contact says otherwise, ``countries`` where people
    are whose own country is not known. ``opt_out_line`` adds the line on how to say no to each mailbox's texts.
    """

    sender: str | None = None
    basis: str | None = None
    source: str | None = None
    countries: tuple[str, ...] = ()
    opt_out_line: bool = False

    @property
    def name(self) -> str:
        """The company's name."""
        return (self.sender or "").partition(",")[0].strip()

    @property
    def address(self) -> str:
        """The postal address, or nothing."""
        return (self.sender or "").partition(",")[2].strip()
