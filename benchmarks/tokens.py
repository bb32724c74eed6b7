"""How many o200k tokens a text costs a model.

Exact where tiktoken finds the vocabulary in ``TIKTOKEN_CACHE_DIR`` (nothing is downloaded here); elsewhere
estimated from the pieces that o200k first cuts a text into.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

# tiktoken keeps a vocabulary under the SHA-1 of its address, and checks its SHA-256 when it loads it.
VOCABULARY = "fb374d419588a4632f3f557e76b4b70aebbca790"
PIECES = (
    r"[^\r\n\p{L}\p{N}]?(?:\p{Lu}*\p{Ll}+|\p{L}+)(?:'\p{L}+)?"  # a word and the character before it
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s+(?!\S)|\s+"
)
PER_PIECE = 1.108  # measured on the product's own tools/list: 4,492 tokens in 4,055 pieces


class Counter(NamedTuple):
    """A way to count, and whether it is exact."""

    count: Callable[[str], int]
    exact: bool


def has_vocabulary() -> bool:
    """Say whether this machine counts exactly, without reading the vocabulary."""
    folder = os.environ.get("TIKTOKEN_CACHE_DIR", "")
    return bool(folder) and (Path(folder) / VOCABULARY).is_file()


@cache
def counter() -> Counter:
    """Return the best counter of this machine."""
    if not has_vocabulary():
        return Counter(estimate, exact=False)
    import tiktoken

    encoding = tiktoken.get_encoding("o200k_base")
    return Counter(lambda text: len(encoding.encode(text, disallowed_special=())), exact=True)


def estimate(text: str) -> int:
    """Return about how many tokens a text has."""
    import regex  # type: ignore[import-untyped]

    return round(len(regex.findall(PIECES, text)) * PER_PIECE)


def shown(tool: Mapping[str, Any]) -> str:
    """Return what hosts put before a model for one tool: compact JSON of its name, description and arguments."""
    facts = {"name": tool["name"], "description": tool.get("description", ""), "input_schema": tool["inputSchema"]}
    return json.dumps(facts, separators=(",", ":"), ensure_ascii=False)


def cost(tools: Sequence[Mapping[str, Any]]) -> int:
    """Return the tokens of a whole tools/list."""
    return sum(counter().count(shown(tool)) for tool in tools)
