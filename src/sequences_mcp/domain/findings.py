"""Findings of the guards in a text, problems of rows in a call, counted reasons, and troubles of this server."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from collections.abc import Sequence as Items
from datetime import UTC, datetime
from enum import StrEnum

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.ids import PROVIDERS, VENDORS
from sequences_mcp.errors import InvalidArgumentsError, SequencesError
from sequences_mcp.lazy_dataclasses import dataclass, replace

ANSWERED_BEFORE = "person.answered_before"
"""The rule whose warning says that somebody who is to be started has answered before."""
COMPLETED_BEFORE = "person.completed_before"
"""The rule whose warning says that somebody has had every step of the blueprint before."""


class Severity(StrEnum):
    """``error`` refuses; ``warning`` needs a person's approval, recorded; ``note`` is for the writer only."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One problem in one place.

    ``rule`` is the rule's path (``variables.unknown``); ``start`` and ``end`` are code points in the field
    named; ``excerpt`` shows the place between ⟦ and ⟧; ``fix`` is the exact replacement of that span, or None.
    ``variable`` names the variable in whose value the problem lies, for a text that is filled in.
    """

    rule: str
    severity: Severity
    message: str
    step_id: str | None = None
    field: str | None = None
    start: int = 0
    end: int = 0
    excerpt: str = ""
    fix: str | None = None
    variable: str | None = None


def errors_in(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that refuse."""
    return tuple(finding for finding in findings if finding.severity is Severity.ERROR)


def warnings_in(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that need a person's approval."""
    return tuple(finding for finding in findings if finding.severity is Severity.WARNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """``rule`` is a rule's id; the waiver covers every version of the blueprint until ``until``."""

    blueprint_id: str
    rule: str
    reason: str
    actor: Actor
    until: datetime


def waived(findings: Iterable[Finding], waivers: Iterable[Waiver]) -> tuple[Finding, ...]:
    """Return the findings with waived warnings turned into notes that say who waived them; errors stay."""
    by_rule = {waiver.rule: waiver for waiver in waivers}
    return tuple(
        _noted(finding, by_rule[finding.rule])
        if finding.severity is Severity.WARNING and finding.rule in by_rule
        else finding
        for finding in findings
    )


def _noted(finding: Finding, waiver: Waiver) -> Finding:
    until = f"{waiver.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    words = f"{finding.message} Waived by {waiver.actor} until {until}: {waiver.reason}"
    return replace(finding, severity=Severity.NOTE, message=words)


MOST_PROBLEMS = 10
LONGEST_PROBLEM = 80
NEXT = "Correct these, or leave out what is not known; then make the same call again."


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One thing wrong with one row: its position from 1, the field and its value where there is one, and a clause.

    ``remedy`` is what to do about it, where that is more than correcting it. ``error`` is what refused the row as
    a whole; it is raised itself where nothing else is wrong with the call.
    """

    position: int
    field: str | None
    value: str | None
    problem: str
    remedy: str = NEXT
    error: SequencesError | None = None

    def as_row(self) -> dict[str, object]:
        """Return what a caller is shown; other people's words stay in the value's own field, cut."""
        named = {"position": self.position, "field": self.field, "value": self.value, "problem": self.problem}
        shown: dict[str, object] = {name: value for name, value in named.items() if value is not None}
        if self.value is not None and len(self.value) > LONGEST_PROBLEM:
            shown["value"] = f"{self.value[:LONGEST_PROBLEM]}…"
        return shown


def refused_row(position: int, error: SequencesError) -> RowProblem:
    """Return the problem of a row that an error refused as a whole."""
    return RowProblem(position, None, None, error.message.rstrip("."), error.next_step, error)


def require_none(problems: Items[RowProblem], *, what: str) -> None:
    """Raise InvalidArgumentsError when there are problems; a single problem with an ``error`` raises that.

    ``what`` is the name of a row: ``contact``.
    """
    if not problems:
        return
    first = problems[0]
    rows = {problem.position for problem in problems}
    field = f"{first.field}: " if first.field else ""
    message = f"{what} {first.position}: {field}{first.problem}."
    if len(problems) == 1 and first.error is not None:
        raise type(first.error)(message, next_step=first.remedy, data=first.error.data)
    if len(problems) > 1:
        message = f"{len(problems):,} things are wrong with {len(rows):,} of the {what}s; `problems` names them."
    raise InvalidArgumentsError(
        message,
        next_step=first.remedy if len({problem.remedy for problem in problems}) == 1 else NEXT,
        data={
            "problems": [problem.as_row() for problem in problems[:MOST_PROBLEMS]],
            **({"more": len(problems) - MOST_PROBLEMS} if len(problems) > MOST_PROBLEMS else {}),
        },
    )


_OWN = re.compile(
    rf"(?:{'|'.join(PROVIDERS)}):[a-z]+_[0-9A-Za-z-]+"  # an id of ours or of a vendor
    r"|<?[^\s<>@]+@[^\s<>@,;:]+>?"  # an e-mail address
    rf"|(?:{'|'.join(VENDORS)}):[0-9A-Za-z_-]{{8,}}"
)


@dataclass(frozen=True, slots=True)
class Counted:
    """A reason, and how many people or runs have it."""

    reason: str
    count: int


def general(reason: str) -> str:
    """Return a reason with ids and addresses replaced by ``…``, so that equal reasons can be counted."""
    return " ".join(_OWN.sub("…", reason).split())


def grouped(reasons: Iterable[tuple[str, int]]) -> tuple[Counted, ...]:
    """Return each reason once with its number, the most frequent first; pairs are a reason and how often."""
    counts: Counter[str] = Counter()
    for reason, number in reasons:
        counts[general(reason)] += number
    return tuple(Counted(reason, number) for reason, number in counts.most_common())


def most_frequent(kinds: Items[Counted], *, size: int) -> tuple[Counted, ...]:
    """Return so many of the kinds, which come with the most frequent first, and the rest as one."""
    rest = kinds[size:]
    others = [Counted(f"{len(rest)} other reasons", sum(kind.count for kind in rest))] if rest else []
    return (*kinds[:size], *others)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something wrong with this server: what, since when if known, and what a person does about it.

    ``server_reply`` is what a mail server answered: a stranger's words, not part of the line. ``stops`` says that
    nothing, or nothing of what it names, is sent while it lasts; ``sender`` is the address of the one mailbox
    that it is about.
    """

    code: str
    what: str
    remedy: str
    since: datetime | None = None
    stops: bool = True
    server_reply: str = ""
    sender: str = ""

    @property
    def line(self) -> str:
        """All of it on one line."""
        since = f" Since {self.since:%Y-%m-%d %H:%M} UTC." if self.since else ""
        return f"{self.what}{since} {self.remedy}"
