"""Text for a model or a person: invisible characters are drawn, and long texts are cut."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sequences_mcp.domain import invisible
from sequences_mcp.server.weight import weight

_ESCAPED = re.compile(r"\\[^nt\"\\/]")


_LINE_BREAKS_AND_TABS = "\n\t"


def visible_text(text: str) -> str:
    """Return the text with invisible characters drawn: they could hide words from a person or steer a model."""
    # A CRLF is one line break; drawn as it is, each line would end in a visible carriage return.
    return invisible.draw(text.replace("\r\n", "\n"), keep=_LINE_BREAKS_AND_TABS, direction=True)


def may_hide_text(text: str) -> bool:
    """Say whether a JSON text may have invisible characters in it, plain or as escapes."""
    return invisible.may_hide(text) or _ESCAPED.search(text) is not None


def visible_throughout(value: Any) -> Any:
    """Return a JSON value with every string in it, keys included, made visible."""
    if isinstance(value, str):
        return visible_text(value)
    if isinstance(value, dict):
        return {visible_text(key): visible_throughout(child) for key, child in value.items()}
    return [visible_throughout(child) for child in value] if isinstance(value, list) else value


def size(text: str) -> int:
    """Return how long a text is where limits are in characters: these, or four fifths of its tokens if more."""
    return len(text) if text.isascii() else max(len(text), weight(text) * 4 // 5)


def cut(text: str, limit: int) -> str:
    """Return as much of the text as has the size ``limit``, and how many characters were left out."""
    if len(text) <= limit and size(text) <= limit:
        return text
    shown = _beginning(text[:limit], limit, size)
    return _shorter(f"{shown}… [{len(text) - len(shown):,} more characters]", text, size)


def _shorter(shown: str, text: str, measure: Callable[[str], int]) -> str:
    """Return what a text was cut to, with how much is left out; all of the text where that is no longer."""
    is_near = len(text) - len(shown) < _CUT_COSTS  # only then is the whole worth measuring
    return text if is_near and measure(text) <= measure(shown) else shown


def fair_limit(sizes: Iterable[int], *, budget: int) -> int:
    """Return the largest limit so that texts of these sizes, each cut to it, fit the budget together."""
    rest = sorted(sizes)
    for index, length in enumerate(rest):
        share = budget // (len(rest) - index)
        if length > share:
            return share
        budget -= length
    return rest[-1] if rest else budget


def is_light(text: str, most: int) -> bool:
    """Say whether a text has at most about ``most`` tokens, of which none is less than a byte."""
    return len(text.encode("utf-8", "replace")) <= most or weight(text) <= most


def fitted(facts: Mapping[str, Any], *, most: int) -> dict[str, Any]:
    """Return the facts of a result, the longest texts in them cut so that it has at most about ``most`` tokens.

    Ids, digests, times and words of this program's own stay as they are (``_STAYS``), its sentences mostly.
    """
    fixed = {**facts}
    for _ in range(_TRIES):
        heft = _heft(fixed)
        texts = [_heft(text) for text in _texts(fixed)] if heft > most else []
        if max(texts, default=0) <= _LEAST:
            break
        budget = sum(texts) - heft + most * 15 // 16  # the weights are estimates
        share = fair_limit(texts, budget=budget)
        longer = sum(text > share for text in texts)
        budget -= longer * (_CUT_COSTS if share > _FEW else 1)
        limit = max(fair_limit(texts, budget=budget), _LEAST)
        fixed = {key: _fit(value, limit, key) for key, value in fixed.items()}
    return fixed


RESULT_TOKENS = 2_000  # of a result of default arguments
_TRIES = 4
_LEAST = 6  # tokens of a text that are always shown
_FEW = 16  # tokens of a text that is cut without saying how much was left out
_CUT_COSTS = 8  # tokens that say it
_LEFT_OUT = re.compile(r"… \[([\d,]+) more characters\]\Z")
_OURS = frozenset({"next", "note", "message"})  # sentences of this program, which may quote a name
_OURS_AT_LEAST = 100  # tokens of one of them, more than any has of itself
_STAYS = re.compile(
    "code|outcome|sent|delivery|pace|window|limits|approval|rule|field|fix|fixed_steps|tool|resource|link|file|folder"
    "|(?:.+_)?(?:id|ids|at|until|of|digest|status|state|kind|type|channel|zone)"
)
_NAME_OF_OURS = re.compile("[a-z_]+")


def _heft(value: Any) -> int:
    """Return about how many tokens a value has as JSON."""
    return weight(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _beginning(shown: str, limit: int, measure: Callable[[str], int]) -> str:
    """Return about the longest beginning of a text that measures ``limit``."""
    while shown and (length := measure(shown)) > limit:
        shown = shown[: min(len(shown) - 1, len(shown) * limit // length)]
    return shown


def _texts(value: Any) -> Iterator[str]:
    """Yield every text that may be cut, keys of others' making too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, child in value.items():
            if not _NAME_OF_OURS.fullmatch(key):
                yield key
            is_short = key in _OURS and isinstance(child, str) and _heft(child) <= _OURS_AT_LEAST
            if not is_short and not _STAYS.fullmatch(key):
                yield from _texts(child)
    elif isinstance(value, list | tuple):
        for child in value:
            yield from _texts(child)


def _fit(value: Any, limit: int, key: str = "") -> Any:
    """Return a value with each text in it that may be cut cut to ``limit`` tokens."""
    if _STAYS.fullmatch(key):
        return value
    if isinstance(value, str):
        return _cut_again(value, max(limit, _OURS_AT_LEAST) if key in _OURS else limit)
    if isinstance(value, dict):
        names = {name: name if _NAME_OF_OURS.fullmatch(name) else _cut_again(name, limit) for name in value}
        is_clear = len(set(names.values())) == len(names)
        return {names[name] if is_clear else name: _fit(child, limit, name) for name, child in value.items()}
    return [_fit(child, limit) for child in value] if isinstance(value, list | tuple) else value


def _cut_again(text: str, limit: int) -> str:
    """Return a text cut to ``limit`` tokens; of one that was cut before, the number tells all that is left out."""
    if _heft(text) <= limit:
        return text
    earlier = _LEFT_OUT.search(text)
    whole, before = (text[: earlier.start()], int(earlier[1].replace(",", ""))) if earlier else (text, 0)
    shown = _beginning(whole, limit, _heft)
    if limit <= _FEW:
        return f"{shown.rstrip('…')}…"
    return _shorter(f"{shown}… [{len(whole) - len(shown) + before:,} more characters]", text, _heft)
