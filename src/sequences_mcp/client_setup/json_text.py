"""A member of a JSON file put in, replaced or taken out, with every other byte of the file left as it is.

The files of chat clients are JSON, some of them with comments and trailing commas
(https://code.visualstudio.com/docs/languages/json#_json-with-comments). A parser that writes back what it read
would lose comments, order and spaces; here the places of the members are read, and the text is edited there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from sequences_mcp.lazy_dataclasses import dataclass

_SPACE = re.compile(r"[ \t\r\n]*")
_TRIVIA = re.compile(r"(?:[ \t\r\n]+|//[^\r\n]*|/\*.*?\*/)*", re.DOTALL)
_LITERAL = re.compile(r"true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
DEEPEST = 200
INDENT = "  "


@dataclass(frozen=True, slots=True)
class JsonMember:
    """A key with its value; ``start`` is where the key's quote stands."""

    key: str
    start: int
    value: JsonValue


@dataclass(frozen=True, slots=True)
class JsonValue:
    """A value, and where it stands in the text; ``members`` are those of an object, in order."""

    start: int
    end: int
    content: Any
    members: tuple[JsonMember, ...] | None = None

    def member(self, key: str) -> JsonMember | None:
        """Return the member of this key, or None; ValueError where the key is there twice."""
        named = [member for member in self.members or () if member.key == key]
        if len(named) > 1:
            raise ValueError(f'it has "{key}" twice, of which a program reads only one')
        return named[0] if named else None


def read_json(text: str, *, lenient: bool) -> JsonValue:
    """Return the value of a whole text; ValueError says on which line it is none.

    ``lenient`` takes comments and a comma after the last member too.
    """
    reader = _JsonReader(text, _TRIVIA if lenient else _SPACE, lenient)
    value = reader.value(reader.skip(1 if text.startswith("\ufeff") else 0), depth=0)
    if (end := reader.skip(value.end)) != len(text):
        raise reader.wrong(end)
    return value


@dataclass(frozen=True, slots=True)
class _JsonReader:
    text: str
    trivia: re.Pattern[str]
    lenient: bool

    def skip(self, at: int) -> int:
        space = self.trivia.match(self.text, at)
        return space.end() if space else at

    def wrong(self, at: int) -> ValueError:
        line = self.text.count("\n", 0, at) + 1
        return ValueError(f"it is not JSON, from line {line} on")

    def value(self, at: int, *, depth: int) -> JsonValue:
        if depth > DEEPEST:
            raise ValueError("its objects are nested too deep")
        first = self.text[at : at + 1]
        if first == "{":
            return self._object(at, depth)
        if first == "[":
            return self._array(at, depth)
        if first == '"':
            string, end = self._string(at)
            return JsonValue(at, end, string)
        if literal := _LITERAL.match(self.text, at):
            return JsonValue(at, literal.end(), json.loads(literal[0]))
        raise self.wrong(at)

    def _string(self, at: int) -> tuple[str, int]:
        if self.text[at : at + 1] != '"':
            raise self.wrong(at)
        try:
            string, end = scanstring(self.text, at + 1, True)
        except ValueError as error:
            raise self.wrong(at) from error
        return str(string), int(end)

    def _object(self, start: int, depth: int) -> JsonValue:
        members: list[JsonMember] = []
        at = self.skip(start + 1)
        while self.text[at : at + 1] != "}":
            key, end = self._string(at)
            colon = self.skip(end)
            if self.text[colon : colon + 1] != ":":
                raise self.wrong(colon)
            value = self.value(self.skip(colon + 1), depth=depth + 1)
            members.append(JsonMember(key, at, value))
            at = self._next(value.end, "}")
        return JsonValue(start, at + 1, {item.key: item.value.content for item in members}, tuple(members))

    def _array(self, start: int, depth: int) -> JsonValue:
        items: list[Any] = []
        at = self.skip(start + 1)
        while self.text[at : at + 1] != "]":
            value = self.value(at, depth=depth + 1)
            items.append(value.content)
            at = self._next(value.end, "]")
        return JsonValue(start, at + 1, items)

    def _next(self, at: int, close: str) -> int:
        """Return where the next member starts, or the closing bracket stands."""
        at = self.skip(at)
        if self.text[at : at + 1] == close:
            return at
        if self.text[at : at + 1] != ",":
            raise self.wrong(at)
        after = self.skip(at + 1)
        if self.text[after : after + 1] == close and not self.lenient:
            raise self.wrong(after)
        return after


def with_member(text: str, keys: tuple[str, str], value: Mapping[str, Any], *, lenient: bool) -> str:
    """Return the text with ``value`` under these two keys; ValueError where one of them is no object's.

    A value that is there already under both is replaced; what is missing is put in last.
    """
    outer, inner = keys
    root = _object_of(read_json(text, lenient=lenient), "it")
    container = root.member(outer)
    if container is None:
        return _put_in(text, root, root, members={outer: {inner: value}})
    holder = _object_of(container.value, f'"{outer}" in it')
    present = holder.member(inner)
    if present is None:
        return _put_in(text, root, holder, members={inner: value})
    if "\n" in text[present.value.start : present.value.end]:
        shown = _written(value, text, root, indent=_indent_at(text, present.start))
    else:
        shown = json.dumps(value, ensure_ascii=False)
    return text[: present.value.start] + shown + text[present.value.end :]


def without_member(text: str, keys: tuple[str, str], *, lenient: bool, drops_empty: bool = False) -> str:
    """Return the text without what stands under these two keys, unchanged where nothing does; ValueError.

    ``drops_empty`` also takes out the outer key when nothing else is left under it.
    """
    outer, inner = keys
    root = read_json(text, lenient=lenient)
    container = root.member(outer)
    if container is None or container.value.member(inner) is None:
        return text
    if drops_empty and len(container.value.members or ()) == 1:
        return _taken_out(text, root, container)
    member = container.value.member(inner)
    assert member is not None
    return _taken_out(text, container.value, member)


def _object_of(value: JsonValue, what: str) -> JsonValue:
    if value.members is None:
        raise ValueError(f"{what} is no JSON object")
    return value


def _put_in(text: str, root: JsonValue, holder: JsonValue, *, members: Mapping[str, Any]) -> str:
    """Return the text with one more member, last in ``holder``."""
    present = holder.members or ()
    inside = text[holder.start + 1 : holder.end - 1]
    newline = _newline(text)
    is_compact = "\n" not in inside if present else bool(root.members) and "\n" not in text.strip()
    base = _indent_at(text, holder.start)
    if is_compact:
        shown = json.dumps(members, ensure_ascii=False, separators=(",", ":"))[1:-1]
        before, indent = "", ""
    else:
        indent = (
            _indent_at(text, present[0].start) if present and _is_first_of_line(text, present[0].start) else ""
        )
        indent = indent or base + _unit(text, root)
        shown = _written(members, text, root, indent=base, outer=indent)
        before = newline
    at = holder.start + 1 + len(inside.rstrip(" \t\r\n"))
    rest = text[at:]
    if not present:
        if not is_compact and "\n" not in text[at : holder.end - 1]:
            rest = newline + base + text[holder.end - 1 :]
        return f"{text[:at]}{before}{shown}{rest}"
    last = present[-1].value.end
    if _comma_after(text, last) is None:
        return f"{text[:last]},{text[last:at]}{before}{shown}{rest}"
    return f"{text[:at]}{before}{shown},{rest}"


def _taken_out(text: str, holder: JsonValue, member: JsonMember) -> str:
    """Return the text without a member, its comma and the space before it; comments stay."""
    members = holder.members or ()
    begin = len(text[: member.start].rstrip(" \t\r\n"))
    comma = _comma_after(text, member.value.end)
    if comma is not None:
        left = text[:begin] + text[comma + 1 :]
    else:
        place = members.index(member)
        previous = _comma_after(text, members[place - 1].value.end) if place else None
        head = text[:begin] if previous is None else text[:previous] + text[previous + 1 : begin]
        left = head + text[member.value.end :]
    if len(members) == 1:
        close = left.find("}", holder.start)
        if not left[holder.start + 1 : close].strip():
            return f"{left[: holder.start]}{{}}{left[close + 1 :]}"
    return left


def _comma_after(text: str, at: int) -> int | None:
    space = _TRIVIA.match(text, at)
    place = space.end() if space else at
    return place if text[place : place + 1] == "," else None


def _written(value: object, text: str, root: JsonValue, *, indent: str, outer: str | None = None) -> str:
    """Return a value as JSON with the file's own indentation; ``outer``: its members alone, indented so."""
    if outer is None:
        lines = json.dumps(value, ensure_ascii=False, indent=_unit(text, root)).splitlines()
        return (_newline(text) + indent).join(lines)
    lines = json.dumps(value, ensure_ascii=False, indent=_unit(text, root)).splitlines()[1:-1]
    return _newline(text).join(outer + line.removeprefix(_unit(text, root)) for line in lines)


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _unit(text: str, root: JsonValue) -> str:
    """Return by how much a member of the whole file's object stands to the right."""
    first = next(iter(root.members or ()), None)
    if first is None or not _is_first_of_line(text, first.start):
        return INDENT
    return _indent_at(text, first.start)[len(_indent_at(text, root.start)) :] or INDENT


def _is_first_of_line(text: str, at: int) -> bool:
    return not text[text.rfind("\n", 0, at) + 1 : at].strip()


def _indent_at(text: str, at: int) -> str:
    """Return the spaces that the line begins with on which this place is."""
    line = text[text.rfind("\n", 0, at) + 1 : at].removeprefix("\ufeff")
    return line[: len(line) - len(line.lstrip(" \t"))]
