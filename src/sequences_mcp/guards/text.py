"""One text that the guards check: its channel and field, its length in that channel, and its views."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Literal, NamedTuple

from sequences_mcp.domain.blueprint import Channel, LinkedInType
from sequences_mcp.domain.findings import Severity
from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.domain.variables import is_blank
from sequences_mcp.guards.policy import DEFAULT, GuardPolicy
from sequences_mcp.guards.views import COVER, TextView, views_of
from sequences_mcp.lazy_dataclasses import dataclass

Field = Literal["content", "subject"]


class Hit(NamedTuple):
    """One hit of a rule: its span in code points of the text as given, and the exact replacement, if any."""

    start: int
    end: int
    fix: str | None = None
    message: str | None = None
    severity: Severity | None = None


def variant_field(number: int, field: str = "") -> str:
    """Return the name by which a finding tells a variant of a step, counted from 0, or a field of it."""
    return f"variants[{number}].{field}".rstrip(".")


_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWO = frozenset("\f^{}\\[~]|€")
_GSM_ALL = _GSM | _GSM_TWO


def too_long(text: GuardedText, most: int) -> Iterator[Hit]:
    """Yield the part beyond ``most`` characters; a variable that is not filled in counts as no characters."""
    written = text.raw.text.replace(COVER, "")
    if len(written) > most:
        sort = "" if written == text.raw.text else " without its variables"
        message = f"This has {len(written)} characters{sort}, {len(written) - most} more than the {most} allowed."
        yield Hit(most, len(text.original), message=message)


def sms_segments(text: str) -> tuple[int, str]:
    """Return how many SMS a text takes and in which alphabet (3GPP TS 23.038: 160 or 153, 70 or 67 units)."""
    letters = set(text)
    if letters <= _GSM_ALL:
        units = len(text) + sum(map(text.count, letters & _GSM_TWO))
        single, many, alphabet = 160, 153, "GSM-7"
    else:
        units, single, many, alphabet = len(text.encode("utf-16-le", "surrogatepass")) // 2, 70, 67, "UCS-2"
    return (1 if units <= single else -(-units // many)), alphabet


_NONE: Iterator[Hit] = iter(())


@dataclass(kw_only=True, eq=False)
class GuardedText:
    """A content or a subject.

    ``rendered`` means that the variables have been filled in and none may be left; ``is_follow_up`` that an
    earlier step is an e-mail too, which this one may answer; ``is_markdown`` that this content is Markdown.
    ``variant`` is the number of the variant of the step, from 0, that has this text as its own.
    """

    original: str
    field: Field = "content"
    channel: Channel | None = None
    linked_in_type: LinkedInType | None = None
    step_id: str | None = None
    is_follow_up: bool = False
    rendered: bool = False
    is_markdown: bool = False
    variant: int | None = None
    policy: GuardPolicy = DEFAULT

    @cached_property
    def views(self) -> tuple[TextView, ...]:
        """The views of the text, without those that equal the one before."""
        return views_of(self.original, covered=not self.rendered)

    @cached_property
    def letters(self) -> AbstractSet[str]:
        """Every character that occurs in any view; a variable in the place of its token."""
        first, *more = self.views
        return first.letters.union(*(view.letters for view in more)) if more else first.letters

    @property
    def raw(self) -> TextView:
        """The text as written, with the nine variables masked."""
        return self.views[0]

    @cached_property
    def visible(self) -> TextView:
        """The text as a reader sees it: the last view before lookalike letters are folded."""
        return [view for view in self.views if view.name != "folded"][-1]

    @property
    def is_blank(self) -> bool:
        """Whether a reader would see nothing, not even a variable."""
        return is_blank(self.original) or not (self.visible.text.strip() or "<img" in self.raw.lower)

    @property
    def place(self) -> str:
        """The name of its field in the step."""
        return self.field if self.variant is None else variant_field(self.variant, self.field)

    @property
    def is_subject(self) -> bool:
        """Whether this is a subject line."""
        return self.field == "subject"

    def hits(self, pattern: LazyPattern, *, group: int | str = 0) -> Iterator[Hit]:
        """Return a hit for each match of a pattern in each view."""
        for view in self.views:
            if view.may_have(pattern):
                return self._hits(pattern, group)
        return _NONE

    def _hits(self, pattern: LazyPattern, group: int | str) -> Iterator[Hit]:
        for view in self.views:
            for match in view.find(pattern):
                yield Hit(*view.span(*match.span(group)))

    def greeted(self, pattern: LazyPattern) -> Iterator[Hit]:
        """Yield a hit for each match of a pattern, in each view, directly after a greeting."""
        for view in self.views:
            for match in view.find_greeted(pattern):
                yield Hit(*view.span(*match.span()))
