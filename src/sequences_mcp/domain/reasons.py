"""Reasons that many people have, put together: what differs from one person to the next is left out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

_OWN = re.compile(
    r"(?:local|kalent|clarky|topo):[a-z]+_[0-9A-Za-z-]+"  # an id of ours or of a vendor
    r"|<?[^\s<>@]+@[^\s<>@,;:]+>?"  # an e-mail address
    r"|(?:kalent|clarky|topo):[0-9A-Za-z_-]{8,}"
)


@dataclass(frozen=True, slots=True)
class Counted:
    """One reason that several have, and how many have it."""

    reason: str
    count: int


def general(reason: str) -> str:
    """Return a reason without the ids and addresses in it, so that equal ones can be told."""
    return " ".join(_OWN.sub("…", reason).split())


def grouped(reasons: Iterable[tuple[str, int]]) -> tuple[Counted, ...]:
    """Return each reason once with its number, the most frequent first; pairs are a reason and how often."""
    counts: Counter[str] = Counter()
    for reason, number in reasons:
        counts[general(reason)] += number
    return tuple(Counted(reason, number) for reason, number in counts.most_common())
