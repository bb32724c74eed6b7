"""Named SQL: ``queries/<file>.sql`` holds statements, each under a name line and one line in plain English.

-- find_one --
-- One contact by its id.
SELECT …
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_NAME = re.compile(r"^-- ([a-z_]+) --$", re.MULTILINE)
FOLDER = Path(__file__).parent / "queries"


def parse(text: str) -> Mapping[str, str]:
    """Return statements by name; ValueError for a name used twice or a statement without its plain line."""
    parts = _NAME.split(text)[1:]
    found: dict[str, str] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        if name in found:
            raise ValueError(f"two statements are named {name}")
        if not body.lstrip().startswith("-- "):
            raise ValueError(f"{name} has no line that says what it does")
        found[name] = body.strip()
    return found


@cache
def _file(name: str) -> Mapping[str, str]:
    return parse((FOLDER / f"{name}.sql").read_text("utf-8"))


@cache
def statement(name: str) -> str:
    """Return the statement called ``file.name``; KeyError."""
    file, _, own = name.partition(".")
    return _file(file)[own]
