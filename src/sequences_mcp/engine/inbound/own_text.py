"""What a reply newly says: its text without what we sent, which mail programs quote.

They quote in many ways and languages, so the ways of quoting are not recognised; our text is looked for instead.
Words are ours where four in a row stand in what we sent, and these stand in a row of eight or more such words or
fill their lines: a few words in common inside a sentence are chance ("no longer wish to hear from"). What a client
marks as quoted (``>``) is not new.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from sequences_mcp.engine.inbound.opt_out import LONGEST_LINE, phrases

SHINGLE = 4
SURELY = 8  # words in a row
LONGEST = 100_000  # letters of a message that are compared
_QUOTE = re.compile(r"\s*(?:[>|»]\s?)+")
# A letter of a script without spaces counts as a word.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]+")


def new_text(text: str, ours: Iterable[str]) -> str:
    """Return a message's text without what stands in ``ours``, our texts and subjects, and without quotations."""
    known = _shingles(ours)
    lines = text[:LONGEST].splitlines()
    bodies = [_QUOTE.sub("", line, count=1) if _QUOTE.match(line) else line for line in lines]
    quoted = [bool(_QUOTE.match(line)) for line in lines]
    stored = _without(bodies, known)
    if any(body.strip() for body, is_quoted in zip(stored, quoted, strict=True) if not is_quoted):
        stored = ["" if is_quoted else body for body, is_quoted in zip(stored, quoted, strict=True)]
    if stored != lines and any(body.strip() and not _introduces(body) for body in stored):
        stored = ["" if _introduces(body) else body for body in stored]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(body.rstrip() for body in stored)).strip()


def _introduces(line: str) -> bool:
    """Say whether a line introduces a quotation: "On … she wrote:", "-----Original Message-----"."""
    line = line.strip()
    ends = line.endswith((":", "：", "--", "__"))
    return ends and len(line) < LONGEST_LINE and bool(phrases("attributions").fullmatch(line))


def _folded(word: str) -> str:
    return unicodedata.normalize("NFKC", word).casefold()


def _shingles(texts: Iterable[str]) -> frozenset[tuple[str, ...]]:
    """Return every four words in a row; of a shorter text all its words."""
    result: set[tuple[str, ...]] = set()
    for text in texts:
        words = [_folded(match.group()) for match in _WORD.finditer(text[:LONGEST])]
        size = min(SHINGLE, len(words))
        if size > 1:
            result.update(tuple(words[start : start + size]) for start in range(len(words) - size + 1))
    return frozenset(result)


def _without(lines: list[str], known: frozenset[tuple[str, ...]]) -> list[str]:
    """Return lines without the words that are covered by known shingles, which may go over several lines."""
    places = [(row, match) for row, line in enumerate(lines) for match in _WORD.finditer(line)]
    words = [_folded(match.group()) for _, match in places]
    sizes = sorted({len(shingle) for shingle in known})
    covered = [False] * len(words)
    for start in range(len(words)):
        for size in sizes:
            if start + size <= len(words) and tuple(words[start : start + size]) in known:
                covered[start : start + size] = [True] * size
    rows = [row for row, _ in places]
    cut: dict[int, list[tuple[int, int]]] = {}
    for start, end in _runs(covered):
        fills_lines = (not start or rows[start - 1] != rows[start]) and (
            end == len(rows) or rows[end] != rows[end - 1]
        )
        if fills_lines or end - start >= SURELY:
            for row, match in places[start:end]:
                cut.setdefault(row, []).append(match.span())
    return [_cut(line, cut[row]) if row in cut else line for row, line in enumerate(lines)]


def _runs(covered: list[bool]) -> Iterator[tuple[int, int]]:
    """Yield start and end of each row of covered words."""
    start = None
    for place, is_covered in enumerate([*covered, False]):
        if is_covered and start is None:
            start = place
        elif not is_covered and start is not None:
            yield start, place
            start = None


def _cut(line: str, spans: list[tuple[int, int]]) -> str:
    """Return a line without these words; nothing where no word is left."""
    pieces, at = [], 0
    for start, end in spans:
        pieces.append(line[at:start])
        at = end
    rest = " ".join("".join([*pieces, line[at:]]).split())
    return rest if _WORD.search(rest) else ""
