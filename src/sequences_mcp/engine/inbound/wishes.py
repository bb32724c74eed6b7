"""Whether a sentence asks for no more e-mail, by a small grammar instead of whole phrases.

``phrases/opt_out_grammar.toml`` gives the words of each language by what they do in a sentence: to remove, the
writer's data, a list, to cease, to write, a negation, and so on. A request is a combination of these, close to
each other, within one clause, such as a removal of the writer's data or a negation of writing with "again". Words
of two languages are never combined. A word for another subject (``bar``) excludes its clause; one that narrows the
request to a time or a channel (``narrow``) excludes its sentence.

The cost is linear in the text: each word is looked up in one tree of all languages.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from sequences_mcp.lazy_dataclasses import dataclass, field

LEXICON = Path(__file__).parent / "phrases" / "opt_out_grammar.toml"
# In a script without spaces, and in Korean, whose spaces vary, each letter counts as a word.
_LETTER = r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
_TOKEN = re.compile(rf"{_LETTER}|(?:(?!{_LETTER})[^\W_])+")
_ENTRY_TOKEN = re.compile(rf"{_LETTER}|\*?(?:(?!{_LETTER})[^\W_])+\*?|\*")
_BY_LETTER = frozenset({"ja", "zh", "ko"})
LETTERS_OF_A_WORD = 3
MOST_WORDS = 750  # or letters of a script without spaces: a longer text is a letter, which a person reads
_SENTENCE_ENDS = re.compile(r"(?<=[.!?;])\s+|(?<=[。！？])|\n")
_CLAUSE_ENDS = re.compile(r"[,:、()]|\s[-–—]+\s")
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w.-]{1,100}")
_ACCENTS = re.compile("[\u0300-\u036f]")
_PLAIN_LETTERS = str.maketrans({"ł": "l", "ø": "o", "ı": "i", "đ": "d"})

Span = tuple[int, int]


@dataclass(slots=True)
class _Node:
    """A place in the tree of entries: what follows by whole words, by beginnings and by endings, and what ends."""

    words: dict[str, _Node] = field(default_factory=dict)
    beginnings: dict[str, _Node] = field(default_factory=dict)
    endings: dict[str, _Node] = field(default_factory=dict)
    roles: list[tuple[str, str]] = field(default_factory=list)

    def child(self, token: str) -> _Node:
        """Return what follows by an entry's next token, new where nothing does yet."""
        if token.endswith("*"):
            return self.beginnings.setdefault(token[:-1], _Node())
        if token.startswith("*"):
            return self.endings.setdefault(token[1:], _Node())
        return self.words.setdefault(token, _Node())

    def after(self, word: str) -> Iterator[_Node]:
        """Yield what follows by a word of a text."""
        if word in self.words:
            yield self.words[word]
        if self.beginnings:
            for size in range(len(word) + 1):
                if word[:size] in self.beginnings:
                    yield self.beginnings[word[:size]]
        for ending, node in self.endings.items():
            if word.endswith(ending):
                yield node


def asks_for_no_more(text: str) -> bool:
    """Say whether a sentence of a text (NFKC, on one line or more) asks that its writer get no more e-mail."""
    if len(_TOKEN.findall(text)) > MOST_WORDS:
        return False
    before: dict[str, dict[str, list[Span]]] = {}
    for sentence in _SENTENCE_ENDS.split(text):
        clauses = [_roles(_words(clause)) for clause in _CLAUSE_ENDS.split(sentence)]
        is_limited, others = _limits(sentence)
        for preceding, following in itertools.pairwise([before, *clauses]):
            for language in () if is_limited else set(following) - others:
                clause = _Clause(following[language], language)
                if clause.is_request() or clause.is_continued(_Clause(preceding.get(language, {}), language)):
                    return True
        before = clauses[-1]
    return False


def unlimited_sentences(text: str) -> Iterator[str]:
    """Yield the sentences that nothing limits to a time, a channel or a case, and that are no plain question."""
    for sentence in _SENTENCE_ENDS.split(text):
        if not _limits(sentence)[0]:
            yield sentence


def _limits(sentence: str) -> tuple[bool, frozenset[str]]:
    """Return whether a sentence is limited in the language that it is in, and the languages that it is not in."""
    roles = _roles(_words(sentence))
    known = {language: _known(of_language) for language, of_language in roles.items()}
    most = max(known.values(), default=0)
    # A word that two languages have is of the language of the words around it.
    others = frozenset(language for language, count in known.items() if 3 * count <= 2 * most)
    is_question = sentence.rstrip().endswith("?")
    limited = {
        language: (_Clause(roles[language], language).has_alone("narrow") and "whole" not in roles[language])
        or (is_question and not _Clause(roles[language], language).is_request_in_a_question())
        for language in set(known) - others
    }
    best = [language for language in limited if known[language] == most]
    return any(limited[language] for language in best), others | {
        language for language in limited if limited[language]
    }


def _known(roles: Mapping[str, list[Span]]) -> int:
    """Return how many of the words have any role."""
    return len({place for role, spans in roles.items() if role for span in spans for place in range(*span)})


def _words(text: str) -> list[str]:
    return _TOKEN.findall(_folded(_ADDRESS.sub(" anemailaddress ", text)))


def _folded(text: str) -> str:
    """Return a text in small letters, without the accents that people leave out."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", _ACCENTS.sub("", plain)).translate(_PLAIN_LETTERS)


@cache
def _lexicon() -> _Node:
    """Return the tree of all entries."""
    import tomllib

    tables: dict[str, dict[str, str]] = tomllib.loads(LEXICON.read_text("utf-8"))
    shared = tables.pop("all")
    root = _Node()
    for language, table in tables.items():
        for role in {**shared, **table}:
            for entry in (*table.get(role, "").split("|"), *shared.get(role, "").split("|")):
                _add(root, entry, (language, role))
    return root


def _add(root: _Node, entry: str, role: tuple[str, str]) -> None:
    tokens = _ENTRY_TOKEN.findall(_folded(entry))
    if not tokens:
        return
    node = root
    for token in tokens:
        node = node.child(token)
    if role not in node.roles:
        node.roles.append(role)


def _roles(words: Sequence[str]) -> dict[str, dict[str, list[Span]]]:
    """Return for each language what its words do here: the spans of each role, and of the whole under ``""``."""
    root = _lexicon()
    result: dict[str, dict[str, list[Span]]] = defaultdict(lambda: defaultdict(list, {"": [(0, len(words))]}))
    for start in range(len(words)):
        nodes = [root]
        for end in range(start, len(words)):
            nodes = [following for node in nodes for following in node.after(words[end])]
            if not nodes:
                break
            for node in nodes:
                for language, role in node.roles:
                    result[language][role].append((start, end + 1))
    return result


@dataclass(frozen=True, slots=True)
class _Clause:
    """A clause by what the words of one language do in it."""

    roles: Mapping[str, list[Span]]
    language: str

    def is_request(self) -> bool:
        """Say whether it asks for no more e-mail."""
        if "whole" in self.roles:
            return True
        if self._is_barred():
            return False
        if self._has("resign") or self._near("object", "consent", 8) or self._is_forbidding():
            return True
        if self._is_told():
            return False
        return self._is_removal() or self._is_ending() or self._is_negation() or self._is_leaving()

    def is_request_in_a_question(self) -> bool:
        """Say whether a question asks for something of its writer: "could you remove me?"."""
        return self._has("whole") or (
            self._has("ask") and self._has("me", "mine", "please", "not", "never", "end")
        )

    def is_continued(self, earlier: _Clause) -> bool:
        """Say whether it ends what the clause before it names, or names what that one ends.

        "Hören Sie auf, mir zu schreiben", "You have my address. Delete it."
        """
        if self._is_barred() or earlier._is_barred() or self._is_told():
            return False
        is_ceasing = bool(earlier._affirmed("end")) and not earlier._is_told() and self._has("contact", "mail")
        if self._size() <= 2 and self._affirmed("end") and earlier._has("mail"):
            return True
        is_unused = self._close(self._of("not", "never"), self._of("use"), 2) and self._has("please", "more")
        if is_unused and earlier._has("mine") and self._size() <= 8:
            return True
        is_short = self._size() <= 4 and earlier._has("mine", "consent", "forbid")
        return is_ceasing or (is_short and bool(self._affirmed("remove")))

    def _is_barred(self) -> bool:
        """Say whether it is about something else; not by a part of a longer entry, such as "client list"."""
        return self.has_alone("bar")

    def has_alone(self, name: str) -> bool:
        """Say whether it has a role by an entry that is not a part of a longer one of another role."""
        longer = [span for role, spans in self.roles.items() if role not in ("", name) for span in spans]
        return any(
            not any(start <= first and last <= end and end - start > last - first for start, end in longer)
            for first, last in self.roles.get(name, [])
        )

    def _is_forbidding(self) -> bool:
        nots = self._of("not", "never")
        if self._close(self._of("forbid"), self._of("contact", "mail", "send", "use", "mine"), 8):
            return True
        return self._close(nots, self._of("use"), 5) and self._near("use", "mine", 5)

    def _is_removal(self) -> bool:
        removals = self._affirmed("remove")
        is_small = self._size() <= 8 and self.language not in _BY_LETTER
        if removals and (
            self._reaches(removals, self._of("mine"), 8)
            or (self._reaches(removals, self._of("me"), 3) and (self._has("list") or is_small))
            or ((self._has("out") or self.language in _BY_LETTER) and self._reaches(removals, self._of("list"), 3))
        ):
            return True
        takes = self._affirmed("take")
        is_listed = self._has("out") and self._close(takes, self._of("list"), 8)
        return is_listed and (
            self._close(takes, self._of("me", "mine"), 4) or self._close(takes, self._of("list"), 2)
        )

    def _is_ending(self) -> bool:
        ends = self._affirmed("end")
        if self._close(ends, self._of("contact", "mail", "send"), 6):
            return True
        return self._size() <= 4 and self._close(ends, self._of("thing"), 1)

    def _is_negation(self) -> bool:
        nots = self._of("not", "never")
        is_more = self._has("more", "never")
        if self._close(nots, self._of("contact"), 7) and (is_more or self._has("me")):
            return True
        if self._close(nots, self._of("passive"), 7) and (is_more or self._has("want")):
            return True
        if self._has("please") and self._size() <= 7 and self._is_refused(nots):
            return True
        if self._has("want") and is_more and self._close(nots, self._of("info"), 3):
            return True
        if self._has("want") and self._close(nots, self._of("stand"), 4) and self._near("stand", "list", 4):
            return True
        is_sent = self._has("send") and self._has("me")
        if self._close(nots, self._of("mail"), 7) and (is_more or self._has("want") or is_sent):
            return True
        sends = self._close(nots, self._of("send"), 5)
        if sends and self._close(nots, self._of("thing"), 7) and (is_more or self._has("me", "want")):
            return True
        if self.language in _BY_LETTER and self._close(self._of("never"), self._of("send"), 2):
            return True
        return sends and is_more and self._has("me") and self._size() <= 8

    def _is_refused(self, nots: Sequence[Span]) -> bool:
        """Say whether a negation is of e-mail itself: "no advertising please", "please do not send offers"."""
        if self._size() <= 4 and self._reaches(nots, self._of("mail"), 0):
            return True
        sends = self._of("send")
        return self._close(nots, sends, 0) and self._reaches(sends, self._of("mail"), 2)

    def _is_leaving(self) -> bool:
        leaves = self._affirmed("leave")
        return bool(leaves) and (
            self._close(leaves, self._of("want", "please", "me", "ask"), 5)
            or any(self._size() - (end - start) / self._letters() <= 2 for start, end in leaves)
        )

    def _is_told(self) -> bool:
        """Say whether it tells of oneself and asks nothing: "we stopped sending e-mails"."""
        return self._has("first") and not self._has("want", "please", "ask")

    def _has(self, *roles: str) -> bool:
        return any(role in self.roles for role in roles)

    def _of(self, *roles: str) -> list[Span]:
        return [span for role in roles if role in self.roles for span in self.roles[role]]

    def _size(self) -> float:
        """Return how many words it has."""
        return self.roles[""][0][1] / self._letters() if self.roles else 0

    def _letters(self) -> int:
        return LETTERS_OF_A_WORD if self.language in _BY_LETTER else 1

    def _affirmed(self, role: str) -> list[Span]:
        """Return the spans of a role without those that a negation stands beside: "do not remove"."""
        nots = self._of("not", "never")
        behind = 2 if self.language in _BY_LETTER else 0
        starts, ends = {start for start, _ in nots}, {end for _, end in nots}
        return [
            (start, end)
            for start, end in self._of(role)
            if not ends.intersection((start, start - 1))
            and not starts.intersection(range(start + 1, end + behind + 1))
        ]

    def _near(self, role: str, other: str, most: int) -> bool:
        return self._close(self._of(role), self._of(other), most)

    def _reaches(self, some: Sequence[Span], others: Sequence[Span], most: int) -> bool:
        """Say whether one of each stand so close with no unknown word between, which the verb would be about."""
        known = {place for role, spans in self.roles.items() if role for span in spans for place in range(*span)}
        unknown = [(place, place) for place in range(self.roles[""][0][1]) if place not in known]
        return self._close(some, others, most, between=unknown)

    def _close(
        self, some: Sequence[Span], others: Sequence[Span], most: int, *, between: Sequence[Span] = ()
    ) -> bool:
        """Say whether one of each stand with at most so many words between them, and none of ``between``."""
        most *= self._letters()
        ends = [-1, -1]  # of the last of each
        for start, end, kind in sorted(
            (*span, kind) for kind, spans in enumerate((some, others, between)) for span in spans
        ):
            if kind == 2:
                ends = [-1, -1]
            elif ends[1 - kind] >= 0 and start - ends[1 - kind] <= most:
                return True
            else:
                ends[kind] = max(ends[kind], end)
        return False
