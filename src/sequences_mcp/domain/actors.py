"""Who does something here: everybody whom the audit, a plan or an approval names, and of which kind they are.

An actor is made where a call comes in (a tool, the page, a terminal, a worker's loop) and passed on from there.
The spellings are frozen, because the audit's chain and stored plans have them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class ActorKind(StrEnum):
    """What an actor is; a setting stands for the operator, who decided beforehand."""

    MODEL = "model"
    PERSON = "person"
    SETTING = "setting"
    WORKER = "worker"
    SYSTEM = "system"


class Actor(str):
    """Who asked for something, decided it or did it, as the audit spells them: ``terminal:ada``, ``worker``.

    It is a string, so that it is stored, compared and hashed as one. Before the colon stands by what means they
    acted, behind it which of them it was, where that is known.
    """

    __slots__ = ()

    @property
    def means(self) -> str:
        """The program, surface or setting by which they acted: ``terminal``, ``page``, ``agent``."""
        return self.partition(":")[0]

    @property
    def detail(self) -> str:
        """Which of them it was: the user of a terminal, ``passkey`` on the page, a setting's name; or nothing."""
        return self.partition(":")[2]

    @property
    def kind(self) -> ActorKind:
        """The kind. A name that is none of this program's is a person's."""
        return _KINDS.get(self.means, ActorKind.PERSON)

    @property
    def may_approve(self) -> bool:
        """Whether an approval can be recorded in their name: a person's, or that of the setting made for it."""
        return self.kind is ActorKind.PERSON or self == AUTO_APPROVE

    @property
    def subject(self) -> str:
        """Who they are at the issuer that they signed in with, or the program signed in for; else nothing."""
        if self.means == REVIEWER.means:
            return self.detail.partition(" (")[0]  # their name stands behind it
        return self.detail if self.means == AGENT.means else ""

    def with_detail(self, detail: str) -> Actor:
        """Return the same means with what tells which of them it was."""
        return Actor(f"{self.means}:{detail}")


# A model, which asked by calling a tool.
AGENT = Actor("agent")
CHECK_OPERATION, WITHDRAW_PLAN = Actor("check_operation"), Actor("withdraw_plan")
REPEATED_CALL = Actor("repeated call")  # a start that the same call, sent twice at once, had planned already
# A person, in a chat's dialog (elicitation) or panel, on the review page, in a terminal.
DIALOG, PANEL, PAGE, TERMINAL = Actor("elicitation"), Actor("panel"), Actor("page"), Actor("terminal")
PAGE_WITH_PASSKEY = PAGE.with_detail("passkey")
# A person who signed in to the review page: which of them it was stands behind the colon.
REVIEWER = Actor("reviewer")
# The operator, by a setting.
AUTO_APPROVE, RETENTION = Actor("operator:SEQUENCES_AUTO_APPROVE"), Actor("retention")
# A loop that does what is due: e-mails and notices; the reading of mailboxes.
WORKER, READER = Actor("worker"), Actor("reader")
# This program, by itself: what follows from a restore, from the passing of time, from a change elsewhere.
ENGINE = Actor("engine")
# Whoever an e-mail was written to, by the address that it names for opting out.
RECIPIENT = Actor("recipient")

_KINDS: Mapping[str, ActorKind] = {
    **dict.fromkeys((AGENT, CHECK_OPERATION, WITHDRAW_PLAN, REPEATED_CALL), ActorKind.MODEL),
    **dict.fromkeys((DIALOG, PANEL, PAGE, TERMINAL, REVIEWER), ActorKind.PERSON),
    **dict.fromkeys((AUTO_APPROVE.means, RETENTION), ActorKind.SETTING),
    **dict.fromkeys((WORKER, READER), ActorKind.WORKER),
    **dict.fromkeys((ENGINE, RECIPIENT), ActorKind.SYSTEM),
}
