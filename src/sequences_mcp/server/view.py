"""The base models of results (views), and their JSON text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticSerializationError

from sequences_mcp.domain.page import Page
from sequences_mcp.server.text import RESULT_TOKENS, fitted, is_light, may_hide_text, visible_throughout

Outcome = Literal["done", "not_done", "unknown", "refused", "waiting_for_approval"]

T = TypeVar("T")


class ResultView(BaseModel):
    """A result, or a part of one. Fields that are None are left out of its JSON.

    ``model_validate`` also takes any object with attributes of the same names. ``cut_note`` is what ``note`` says
    where texts are cut; ``is_whole`` is of a result in which none ever is.
    """

    cut_note: ClassVar[str] = ""
    is_whole: ClassVar[bool] = False
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, from_attributes=True)


class WrittenView(ResultView):
    """The result of a write: how it ended, what was sent to real people, and what to do or expect next."""

    outcome: Outcome = "done"
    sent: str = "nothing"
    next: str

    @model_validator(mode="before")
    @classmethod
    def _says_nothing_of_what_is_unknown(cls, facts: Any) -> Any:
        """Default ``sent`` to "unknown" where the outcome is unknown."""
        if isinstance(facts, dict) and facts.get("outcome") == "unknown" and "sent" not in facts:
            return {**facts, "sent": "unknown"}
        return facts


class PageView(ResultView):
    """One page of a list, in Topo's shape."""

    total_count: int
    page: int
    total_pages: int
    has_more: bool


def numbered(page: Page[Any]) -> dict[str, Any]:
    """Return the four facts about a page, for the constructor of a PageView."""
    return {
        "total_count": page.total_count,
        "page": page.page,
        "total_pages": page.total_pages,
        "has_more": page.has_more,
    }


def item_views(items: Iterable[T], to_view: Callable[[T], ResultView]) -> tuple[Any, ...]:
    """Return a view of each item."""
    return tuple(to_view(item) for item in items)


def view_facts(view: ResultView) -> dict[str, Any]:
    """Return a view as JSON values, every string visible."""
    facts = visible_throughout(view.model_dump(mode="json", by_alias=True, exclude_none=True))
    assert isinstance(facts, dict)
    return facts


def result_text(view: ResultView, *, most: int | None = RESULT_TOKENS) -> str:
    """Return a view as the compact JSON text of a result, every string visible.

    Where it has more than about ``most`` tokens, the longest texts in it are cut; None for no limit.
    """
    text = _visible_json(view)
    if most is None or view.is_whole or is_light(text, most):
        return text
    facts = json.loads(text)
    if view.cut_note and view.cut_note not in (note := facts.get("note", "")):
        facts["note"] = f"{note} {view.cut_note}".strip()
    return to_json(fitted(facts, most=most))


def _visible_json(view: ResultView) -> str:
    try:
        text = view.model_dump_json(by_alias=True, exclude_none=True)
    except PydanticSerializationError:  # a lone surrogate, which no JSON text can hold
        return to_json(view_facts(view))
    return to_json(view_facts(view)) if may_hide_text(text) else text


def to_json(facts: Mapping[str, Any]) -> str:
    """Return the compact JSON text of a result."""
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
