"""One text under inspection: what it is, where it will appear, and its views."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property

from sequences_mcp.domain.blueprint import Channel, LinkedInType
from sequences_mcp.domain.variables import is_blank
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.policy import DEFAULT, GuardPolicy
from sequences_mcp.guards.rule import Field, Hit
from sequences_mcp.guards.views import View, views

_NONE: Iterator[Hit] = iter(())


@dataclass(kw_only=True, eq=False)
class Text:
    """A content or a subject.

    ``rendered`` means that the variables have been filled in and none may be left; ``is_follow_up`` that an
    earlier step is an e-mail too, which this one may answer.
    """

    original: str
    field: Field = "content"
    channel: Channel | None = None
    linked_in_type: LinkedInType | None = None
    step_id: str | None = None
    is_follow_up: bool = False
    rendered: bool = False
    policy: GuardPolicy = DEFAULT

    @cached_property
    def views(self) -> tuple[View, ...]:
        """The five views of the text, without those that show nothing new."""
        return views(self.original, covered=not self.rendered)

    @cached_property
    def letters(self) -> AbstractSet[str]:
        """Every character that occurs in any view; a variable in the place of its token."""
        first, *more = self.views
        return first.letters.union(*(view.letters for view in more)) if more else first.letters

    @property
    def raw(self) -> View:
        """The text as written, with the exact variables covered."""
        return self.views[0]

    @cached_property
    def visible(self) -> View:
        """What a reader sees: the last view before look-alikes are folded."""
        return [view for view in self.views if view.name != "folded"][-1]

    @property
    def is_blank(self) -> bool:
        """Whether a reader would see nothing, not even a variable."""
        return is_blank(self.original) or not (self.visible.text.strip() or "<img" in self.raw.lower)

    @property
    def is_subject(self) -> bool:
        """Whether this is a subject line."""
        return self.field == "subject"

    def hits(self, pattern: Lazy, *, group: int | str = 0) -> Iterator[Hit]:
        """Return a hit for each match of a pattern in each view."""
        for view in self.views:
            if view.may_have(pattern):
                return self._hits(pattern, group)
        return _NONE

    def _hits(self, pattern: Lazy, group: int | str) -> Iterator[Hit]:
        for view in self.views:
            for match in view.find(pattern):
                yield Hit(*view.span(*match.span(group)))

    def greeted(self, pattern: Lazy) -> Iterator[Hit]:
        """Return a hit for each match of a pattern, in each view, where a name is due."""
        for view in self.views:
            for match in view.find_greeted(pattern):
                yield Hit(*view.span(*match.span()))
