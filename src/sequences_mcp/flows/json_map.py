"""Where each value of a JSON text stands, so that a finding can point at a line of the writer's own file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]  # public name, missing from typeshed

_SPACE = re.compile(r"[ \t\n\r]*")
_ESCAPE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.")

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A line and a column, both from 1, in code points."""

    line: int
    column: int


class JsonMap:
    """The offset of every value in a valid JSON text, by path."""

    def __init__(self, text: str) -> None:
        """Raises json.JSONDecodeError for a text that is not JSON."""
        self.value = json.loads(text)
        self._text = text
        self._offsets: dict[Path, int] = {}
        self._walk((), _skip(text, 0))

    def place(self, path: Path, point: int = 0) -> Place:
        """Return where code point ``point`` of the string at ``path`` stands, or the nearest value above it."""
        while path not in self._offsets:
            path, point = path[:-1], 0
        offset = self._offsets[path]
        if self._text[offset] == '"':
            offset = self._inside(offset + 1, point)
        line = self._text.count("\n", 0, offset) + 1
        return Place(line, offset - self._text.rfind("\n", 0, offset))

    def _inside(self, offset: int, point: int) -> int:
        for _ in range(point):
            escape = _ESCAPE.match(self._text, offset)
            offset = escape.end() if escape else offset + 1
        return offset

    def _walk(self, path: Path, offset: int) -> int:
        self._offsets[path] = offset
        opening = self._text[offset]
        if opening == '"':
            return int(scanstring(self._text, offset + 1)[1])
        if opening not in "{[":
            return json.JSONDecoder().raw_decode(self._text, offset)[1]
        for key, child in self._children(offset, is_object=opening == "{"):
            self._end = self._walk((*path, key), child)
        return self._end

    def _children(self, offset: int, *, is_object: bool) -> Iterator[tuple[str | int, int]]:
        index = 0
        self._end = _skip(self._text, offset + 1)
        while self._text[self._end] not in "}]":
            key: str | int = index
            start = self._end
            if is_object:
                key, start = scanstring(self._text, start + 1)
                start = _skip(self._text, _skip(self._text, start) + 1)
            yield key, start
            self._end = _skip(self._text, self._end)
            if self._text[self._end] == ",":
                self._end = _skip(self._text, self._end + 1)
            index += 1
        self._end += 1


def _skip(text: str, offset: int) -> int:
    match = _SPACE.match(text, offset)
    return match.end() if match else offset
