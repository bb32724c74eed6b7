"""The one check of a text as it would leave: when it is planned, changed, shown, approved, and when it is sent.

Whoever says yes has therefore seen everything that the check at the send can find, as long as nothing changed in
between: a text that was approved with its warnings is not held for them a second time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Items
from functools import cache, lru_cache
from typing import NamedTuple

from sequences_mcp.domain.blueprint import Channel, Sourcing, Step, Temporality
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.finding import Finding, Severity
from sequences_mcp.domain.leaving import Leaving
from sequences_mcp.domain.sender import Sender
from sequences_mcp.domain.variables import is_blank, render, used_in
from sequences_mcp.guards.check import check_filled, check_rendered, check_value
from sequences_mcp.guards.policy import GuardPolicy
from sequences_mcp.guards.vocabulary import is_unheard_of

# Words of letters and digits joined by single blanks, hyphens and apostrophes, or by " & ".
_ORDINARY = re.compile(r"[^\W_]+(?:(?:[ '’-]| & )[^\W_]+)*")
_DIGIT = re.compile(r"\d")
_FILLER = "Quovadrin"
_ROUNDED = 8


def values_for(
    contact: Contact, *, sourcing: Sourcing, sender: Sender | None, variables: Mapping[str, str]
) -> dict[str, str | None]:
    """Return the value of each of the nine variables for this person; ``variables`` override."""
    values = {
        "firstname": contact.first_name,
        "lastname": contact.last_name,
        "candidateJobTitle": contact.job_title,
        "candidateCompanyName": contact.company,
        "candidateLocation": contact.location,
        "sourcingJobTitle": sourcing.job_title,
        "sourcingLocation": sourcing.location,
        "recruiterFirstname": sender.first_name if sender else None,
        "recruiterLastname": sender.last_name if sender else None,
    }
    return {**values, **variables}


def final_findings(
    step: Step,
    *,
    subject: str | None,
    content: str,
    values: Mapping[str, str | None],
    earlier: Items[Step],
    policy: GuardPolicy,
) -> tuple[Finding, ...]:
    """Return what the guards find in a text about to leave.

    Only values that stand in the text count: a text written for one person need not use them all. What lies in a
    person's own data is an error only where that value would be refused if it were given; else it is a warning.
    """
    text = f"{subject or ''}\n{content}"
    return check_rendered(
        step=step,
        subject=subject,
        content=content,
        values={name: value for name, value in used_by([step], values).items() if (value or "").strip() in text},
        is_follow_up=_follows_an_email(earlier),
        policy=policy,
    )


def quick_findings(
    step: Step, *, values: Mapping[str, str | None], earlier: Items[Step], policy: GuardPolicy
) -> tuple[Finding, ...] | None:
    """Return what ``final_findings`` of a checked template filled with these values adds to the template's own.

    None where only the whole check can tell. The text adds nothing where no rule knows a word of the values, or
    each is plain by itself, as a name in a greeting, alone on a line and in a sentence, and the template filled
    with plain words at least as long has no finding either; what is left is what is said of each value. Ten
    thousand people share a few templates and many values, so all these answers are remembered.
    """
    used = used_by([step], values)
    lengths = []
    doubtful = False
    for name, value in used.items():
        apart = _stands_apart(step.subject, step.content, name)
        seen = _seen(name, value or "", policy, stands_apart=apart)
        if seen is None:
            return None
        lengths.append((name, seen.size))
        doubtful = doubtful or seen.is_doubtful
    if not _fits(step, tuple(lengths), is_follow_up=_follows_an_email(earlier), policy=policy):
        return None
    return check_filled(step, used, policy=policy) if doubtful else ()


def last_check(text: Leaving, *, sender: Sender, policy: GuardPolicy) -> str | None:
    """Return why a text about to leave needs a person first, or None.

    An error holds every text, also one that was approved by itself. A warning about the contact's own data passes
    where whoever approved the plan, or this text, was shown it.
    """
    sequence, run = text.sequence, text.run
    values = values_for(text.contact, sourcing=text.sourcing, sender=sender, variables=sequence.variables)
    for found in final_findings(
        run.step,
        subject=run.subject,
        content=run.content or "",
        values=values,
        earlier=sequence.before(run.step.id),
        policy=policy,
    ):
        unseen = found.variable is not None and not sequence.warnings and not text.is_approved
        if found.severity is Severity.ERROR or (unseen and found.severity is Severity.WARNING):
            return f"{found.rule}: {found.message}"
    return None


def used_by(steps: Iterable[Step], values: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return the values, none of them blank, of the variables that these templates use."""
    texts = [part for step in steps for part in (step.subject, step.content) if part]
    return {name: values[name] for name in used_in(texts) if not is_blank(values[name])}


def _follows_an_email(earlier: Items[Step]) -> bool:
    return any(one.type is Channel.EMAIL for one in earlier)


class _Seen(NamedTuple):
    """A value that no text makes worse: its length in eights, and whether anything is said of it alone."""

    size: int
    is_doubtful: bool


@lru_cache(maxsize=65_536)
def _seen(name: str, given: str, policy: GuardPolicy, *, stands_apart: bool) -> _Seen | None:
    """Look at a value by itself; None where only the text that it stands in can tell."""
    value = given.strip()
    shown = _DIGIT.sub("7", value)
    if is_unheard_of(shown, policy):
        return _Seen(-(-len(value) // _ROUNDED), bool(check_value(name, given, policy=policy)))
    if _is_quiet(name, shown, policy, stands_apart=stands_apart):
        return _Seen(-(-len(value) // _ROUNDED), is_doubtful=False)
    return None


@lru_cache(maxsize=65_536)
def _is_quiet(name: str, value: str, policy: GuardPolicy, *, stands_apart: bool) -> bool:
    """Say whether no rule has anything against a value wherever it may stand; its digits do not matter.

    ``stands_apart``: it may be a whole text, or stand in a subject.
    """
    if _ORDINARY.fullmatch(value) is None or check_value(name, value, policy=policy):
        return False
    among = f"Hi {value},\n\n{value}\n\nWhat you do at {value} is close to it."
    if not stands_apart:
        return not check_rendered(step=_probe(Channel.SMS), subject=None, content=among, policy=policy)
    return not any(
        check_rendered(step=_probe(Channel.EMAIL), subject=subject, content=content, policy=policy)
        for subject, content in ((value, value), (f"About {value} and you", among))
    )


@lru_cache(maxsize=4_096)
def _stands_apart(subject: str | None, content: str, name: str) -> bool:
    """Say whether a variable of a template is in its subject, or is the whole of its text."""
    token = f"{{{{{name}}}}}"
    return token in (subject or "") or content.strip() == token


@lru_cache(maxsize=4_096)
def _fits(step: Step, lengths: tuple[tuple[str, int], ...], *, is_follow_up: bool, policy: GuardPolicy) -> bool:
    """Say whether a template filled with plain words, of these lengths in eights, is without a finding."""
    values: dict[str, str | None] = {name: (_FILLER * size)[: _ROUNDED * size] for name, size in lengths}
    subject, content = (None if part is None else render(part, values) for part in (step.subject, step.content))
    found = check_rendered(
        step=step, subject=subject, content=content, values=values, is_follow_up=is_follow_up, policy=policy
    )
    return not any(f.variable is not None or f.severity is Severity.ERROR for f in found)


@cache
def _probe(channel: Channel) -> Step:
    """Return a step to try a value in; only its channel matters: an SMS has no subject to look at."""
    subject = "" if channel is Channel.EMAIL else None
    return Step(
        id="probe", name="probe", type=channel, subject=subject, content="", temporality_type=Temporality.ASAP
    )
