"""Conversations by e-mail: which e-mail a step answers, by its blueprint and by what has really left.

An e-mail step after an e-mail step answers it, unless its ``config.newThread`` begins another conversation.
Without a subject of its own it has the one that began the conversation, with ``Re:`` before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from sequences_mcp.domain.blueprint import Channel
from sequences_mcp.domain.run import StepState

if TYPE_CHECKING:
    from sequences_mcp.domain.blueprint import Step
    from sequences_mcp.domain.run import StepRun

_RE = re.compile(r"\s*re\s?:\s*", re.IGNORECASE)
_ANSWERS = "re|aw|sv|rif|antw|odp|res|ynt|vs"
_PASSED_ON = "fwd?|wg|tr|rv|i|enc|doorst"
ANSWER_PREFIX = rf"\s*(?:{_ANSWERS})\s*(?:\[\d+\])?\s*:"
"""What mail programs write before the subject of an answer, in whatever language; case does not matter."""
ANSWER_OR_COPY_PREFIX = rf"\s*(?:{_ANSWERS}|{_PASSED_ON})\s*(?:\[\d+\])?\s*:"
"""The same, of an e-mail that was passed on too."""


def is_answering(step: Step, earlier: Iterable[Step]) -> bool:
    """Say whether a step is an e-mail that answers one of the steps before it."""
    if step.type is not Channel.EMAIL or step.starts_thread:
        return False
    for other in earlier:  # noqa: SIM110 - a plan asks for each step of ten thousand people, any() takes twice as long
        if other.type is Channel.EMAIL:
            return True
    return False


def takes_thread_subject(step: Step, earlier: Iterable[Step]) -> bool:
    """Say whether a step has no subject of its own and takes that of the e-mail it answers."""
    return not (step.subject or "").strip() and is_answering(step, earlier)


def thread_subject(emails: Iterable[tuple[Step, str | None]]) -> str | None:
    """Return the subject of the e-mail that began the last conversation of these steps, in their order.

    Each comes with its final subject, None while that is still to be written.
    """
    return steps_so_far(emails).subject


class Earlier(NamedTuple):
    """The steps before one, and the subject of the conversation that they end in, as far as it is known."""

    steps: tuple[Step, ...] = ()
    subject: str | None = None

    def followed_by(self, step: Step, subject: str | None) -> Earlier:
        """Return these steps and one more, given with its final subject."""
        begins = step.type is Channel.EMAIL and not is_answering(step, self.steps)
        return Earlier((*self.steps, step), subject if begins else self.subject)


def steps_so_far(pairs: Iterable[tuple[Step, str | None]]) -> Earlier:
    """Return the steps before one, each given with its final subject."""
    earlier = Earlier()
    for step, subject in pairs:
        earlier = earlier.followed_by(step, subject)
    return earlier


def answer_subject(subject: str) -> str:
    """Return the subject of an answer to an e-mail with this one."""
    return subject if _RE.match(subject) else f"Re: {subject}"


def without_re(subject: str) -> str:
    """Return a subject without ``Re:`` before it."""
    return _RE.sub("", subject, count=1)


def thread_left(run: StepRun, steps: Iterable[StepRun]) -> tuple[StepRun, ...]:
    """Return the e-mails that one step answers and that have left, the oldest first.

    Of an e-mail that was skipped or refused there is nothing to answer.
    """
    left: list[StepRun] = []
    for other in steps:
        if other.step.type is Channel.EMAIL and other.step.starts_thread:
            left.clear()
        if other.key == run.key:
            break
        if other.step.type is Channel.EMAIL and other.state is StepState.SENT and other.message_id:
            left.append(other)
    return tuple(left)
