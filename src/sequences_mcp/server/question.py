"""What a person is shown before a small start: one person's exact texts, and how the others' differ."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Items
from dataclasses import dataclass

from sequences_mcp.domain.finding import Finding
from sequences_mcp.domain.plan import Plan
from sequences_mcp.domain.sequence import StepRun
from sequences_mcp.domain.wire_form import with_wire_forms
from sequences_mcp.domain.word_diff import stretches
from sequences_mcp.flows.at_vendor import handed, not_given, vendor_words
from sequences_mcp.flows.plan_warnings import PlanWarnings
from sequences_mcp.providers.port import SequenceDetail
from sequences_mcp.server.text import visible
from sequences_mcp.server.views.provider import delivery_words
from sequences_mcp.server.views.sequence import channel_of

ALIKE = 0.6
_WORDS = re.compile(r"\s+|\S+")


@dataclass(frozen=True, slots=True)
class Shown:
    """One person of the plan, and when each of their steps is expected to leave, in words."""

    detail: SequenceDetail
    times: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Everything the dialog says."""

    plan: Plan
    people: tuple[Shown, ...]
    warnings: PlanWarnings
    left_out: int

    def text(self) -> str:
        """Return the dialog's message. It depends on nothing but these values."""
        first, *others = self.people
        lines = [*self._heading(), "", *_whole(first), *self._warned(first)]
        for other in others:
            lines += ["", *_differing(first, other), *self._warned(other)]
        return with_wire_forms(visible("\n".join(lines)))

    def _heading(self) -> Iterator[str]:
        plan, header, terms = self.plan, self.plan.header, self.plan.header.terms
        people = "1 person" if plan.people == 1 else f"{plan.people} people"
        where = f" at {terms.sender_name}" if terms.are_a_vendors else ""
        version = header.version_told
        yield f"Start “{header.blueprint_name}”{f' (version {version})' if version else ''}{where} for {people}?"
        if terms.are_a_vendors:
            yield f"{vendor_words(terms)}."
        else:
            yield f"From {terms.sender_name} <{terms.sender_address}>; {delivery_words(terms.delivery)}."
            window = f"{terms.window} in each person's time zone"
            yield f"E-mails leave {window}, at most {terms.daily_cap} in 24 hours."
        yield f"Fingerprint of this plan: {plan.digest[:16]}…"
        if told := not_given(self.people[0].detail):
            yield f"Known here and not given to {terms.sender_name}: {', '.join(told)}."
        if self.left_out:
            yield f"Left out of this start: {self.left_out}."
        if number := self.warnings.number:
            yield f"A yes covers {number} {'warning' if number == 1 else 'warnings'}."
        yield from _warnings(self.warnings.of_all)

    def _warned(self, shown: Shown) -> Iterator[str]:
        return _warnings(self.warnings.of_people.get(shown.detail.sequence.id, ()))


def _warnings(found: Iterable[Finding]) -> Iterator[str]:
    for warning in found:
        where = f"step {warning.step_id}: " if warning.step_id else ""
        yield f"Warning: {where}{warning.message} {warning.excerpt}".rstrip()


def _name(shown: Shown) -> str:
    contact = shown.detail.contact
    return f"{contact.display_name} <{contact.email}>" if contact.email else contact.display_name


def _given(shown: Shown) -> Iterator[str]:
    if given := handed(shown.detail.sequence):
        yield f"{_name(shown)}: {given}"


def _whole(shown: Shown) -> Iterator[str]:
    yield from _given(shown)
    if not shown.detail.sequence.steps:
        return
    yield f"{_name(shown)} gets:"
    for number, (run, time) in enumerate(zip(shown.detail.sequence.steps, shown.times, strict=True), start=1):
        yield from _step(number, run, time)


def _step(number: int, run: StepRun, time: str) -> Iterator[str]:
    yield f"{number}. {channel_of(run.step)} to {run.recipient or 'nobody: skipped, no address'}, {time}"
    if run.subject:
        yield f"   Subject: {run.subject}"
    for line in (run.content or "(no text)").splitlines():
        yield f"   {line}"


def _differing(first: Shown, other: Shown) -> Iterator[str]:
    yield from _given(other)
    if not other.detail.sequence.steps:
        return
    yield f"{_name(other)} gets the same, except:"
    pairs = zip(first.detail.sequence.steps, other.detail.sequence.steps, other.times, strict=True)
    for number, (mine, theirs, time) in enumerate(pairs, start=1):
        changes = _changes(mine, theirs)
        if changes is None:
            yield from _step(number, theirs, time)
        else:
            said = "; ".join(changes) or "same text"
            yield f"{number}. to {theirs.recipient or 'nobody: skipped, no address'}, {time}: {said}"


def _changes(mine: StepRun, theirs: StepRun) -> list[str] | None:
    """Return what differs in words, or None where the whole text should be shown."""
    if theirs.step.is_written_per_contact:
        return None
    changes: list[str] = []
    for one, other in ((mine.subject, theirs.subject), (mine.content, theirs.content)):
        found = _replaced(_WORDS.findall(one or ""), _WORDS.findall(other or ""))
        if found is None:
            return None
        changes += [change for change in found if change not in changes]
    return changes


def _replaced(mine: Items[str], theirs: Items[str]) -> list[str] | None:
    found = stretches(mine, theirs)
    if found is None:
        return None
    alike = sum(one.b - one.a for one in found if one.same)
    if mine and theirs and 2 * alike < ALIKE * (len(mine) + len(theirs)):
        return None
    return [
        f"“{''.join(mine[one.a : one.b]).strip()}” becomes “{''.join(theirs[one.c : one.d]).strip()}”"
        for one in found
        if not one.same
    ]
