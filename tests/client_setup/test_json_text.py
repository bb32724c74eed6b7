"""Members are put into any JSON, with comments or without, and taken out again: nothing else of it changes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.world.texts import CHARACTERS

from sequences_mcp.client_setup.json_text import read_json, with_member, without_member

KEYS = ("servers", "sequences")
VALUE = {"command": "/bin/x", "args": ["a", "ä"], "env": {}}
SPACES = st.sampled_from(["", " ", "\n", "\r\n  ", "\t", "// c }, {\n", '/* " , */', "\n  // x\n  "])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(CHARACTERS, max_size=5),
    st.sampled_from(["//", "/*", '"', "\\", "}"]),
)
NAMES = st.one_of(st.sampled_from(["a", "b", "servers", "x//y"]), st.text(CHARACTERS, max_size=4))


@st.composite
def written(draw: st.DrawFn, value: Any, *, lenient: bool = True) -> str:
    """Return a value as somebody may have written it."""
    spaces = SPACES if lenient else st.sampled_from(["", " ", "\n  ", "\r\n"])

    def space() -> str:
        return draw(spaces)

    if not isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=draw(st.booleans()))
    items = value.items() if isinstance(value, dict) else [(None, item) for item in value]
    parts = []
    for key, item in items:
        head = "" if key is None else f"{json.dumps(key)}{space()}:{space()}"
        parts.append(f"{space()}{head}{draw(written(item, lenient=lenient))}{space()}")
    comma = f",{space()}" if parts and lenient and draw(st.booleans()) else ""
    inside = ",".join(parts) + comma if parts else space()
    return f"{{{inside}}}" if isinstance(value, dict) else f"[{inside}]"


OBJECTS = st.dictionaries(
    NAMES.filter(lambda name: name != "servers"), SCALARS | st.lists(SCALARS, max_size=2), max_size=3
)
FILES = st.builds(
    lambda rest, servers: {**rest, **({} if servers is None else {"servers": servers})},
    OBJECTS,
    st.none() | OBJECTS.map(lambda entries: {name: {"of": value} for name, value in entries.items()}),
)


@given(st.data(), FILES, st.booleans())
def test_what_is_put_in_and_taken_out_leaves_all_else(
    data: st.DataObject, content: dict[str, Any], lenient: bool
) -> None:
    text = data.draw(written(content, lenient=lenient))
    if lenient and data.draw(st.booleans()):
        text = f"\ufeff// head\n{text}\n// foot\n"
    assert read_json(text, lenient=lenient).content == content
    put = with_member(text, KEYS, VALUE, lenient=lenient)
    expected = {**content, "servers": {**content.get("servers", {}), "sequences": VALUE}}
    assert read_json(put, lenient=lenient).content == expected
    again = with_member(put, KEYS, {"command": "y"}, lenient=lenient)
    expected["servers"]["sequences"] = {"command": "y"}
    assert read_json(again, lenient=lenient).content == expected
    left = without_member(put, KEYS, lenient=lenient, drops_empty="servers" not in content)
    assert read_json(left, lenient=lenient).content == content
    for comment in ("// c }, {", '/* " , */', "// head", "// foot"):
        assert left.count(comment) == text.count(comment)


@given(st.text(alphabet='{}[]",:/* \n\\atruefalsn0123', max_size=30))
def test_what_json_takes_is_taken_and_nothing_else(text: str) -> None:
    try:
        content = json.loads(text)
    except ValueError:
        with pytest.raises(ValueError, match="JSON"):
            read_json(text, lenient=False)
    else:
        assert read_json(text, lenient=False).content == content
