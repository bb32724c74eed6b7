"""What the engine's parts work with, and the one function by which a run is changed and audited."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import wraps
from typing import Any, TypeAlias, TypeVar

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.entries import AuditRow
from sequences_mcp.domain.ids import KEY_ENTROPY, LOCAL, IdKind, new_id, new_keys
from sequences_mcp.domain.plan import Terms
from sequences_mcp.domain.run import Run, StepRun
from sequences_mcp.engine import events
from sequences_mcp.engine.approvals import SignatureCheck, accept_unsigned
from sequences_mcp.engine.machine import advance, next_run_at
from sequences_mcp.errors import ApprovalError, InvalidArgumentsError, StoreBusyError, StoreInterruptedError
from sequences_mcp.lazy_dataclasses import dataclass, field
from sequences_mcp.ports.provider import Provider
from sequences_mcp.store.unit_of_work import Store, UnitOfWork

T = TypeVar("T")
Verb: TypeAlias = Callable[..., Awaitable[Any]]
ANEW = 3
INSIST = 120.0  # seconds for a stop, a pause or a suppression, when another program reads without an end
A_TRY, BETWEEN = 0.3, 0.05
MOST_TURNS = 10  # how often a long transaction steps aside before it goes on to its end
PAUSE, MOST_PAUSES = 0.02, 6_000  # seconds between two looks, and looks: as long as INSIST


class StepsAsideError(Exception):
    """Rolls a long transaction back, because a stop, a pause or a suppression waits for the database."""


def stepping_aside(store: Store, act: Callable[[bool], T]) -> T:
    """Return the result of one long transaction, begun again each time that it was rolled back to give way.

    ``act`` is given whether it steps aside: it then raises StepsAsideError where an operation waits that only ever
    holds back, and what it had done is undone. Between, those have their turn for as long as they insist.
    After ``MOST_TURNS`` times it no longer steps aside, so that it comes to its end at all: they then wait for as
    long as that takes. Blocks its thread.
    """
    for _ in range(MOST_TURNS):
        with suppress(StepsAsideError):
            return act(True)
        for _ in range(MOST_PAUSES):
            if not store.is_turn_wanted():
                break
            time.sleep(PAUSE)
    return act(False)


@dataclass(frozen=True, slots=True)
class EngineContext:
    """An open store, today's settings, a clock, a source of randomness, and who is acting.

    ``signature_check`` looks at the signature of every approval, but for those of the blueprints in
    ``preapproved``.
    ``terms`` are those of the mailbox that sends by default, ``further_terms`` those of the others here;
    ``vendor_terms`` are the terms of the connected vendors, ``accounts`` the fingerprints of the accounts there.
    ``steps_aside``: a transaction may be undone by ``step_aside``, and is begun again (``stepping_aside``).
    ``knows_server``: somebody told this process through which mail server e-mails leave, or that they do not.
    ``approvers`` is how many people have to approve, 1 or 2.
    ``reader`` is whose private blueprints are seen beside everybody's; empty: all are, as on this machine.
    ``names_told``: the name of any other is told all the same where a plan or a run is of it, as to who approves.
    """

    store: Store
    clock: Callable[[], datetime]
    entropy: Callable[[int], bytes]
    terms: Terms
    actor: Actor
    signature_check: SignatureCheck = accept_unsigned
    preapproved: frozenset[str] = frozenset()
    vendor_terms: Mapping[str, Terms] = field(default_factory=dict)
    accounts: Mapping[str, str] = field(default_factory=dict)
    knows_server: bool = True
    further_terms: tuple[Terms, ...] = ()
    steps_aside: bool = False
    approvers: int = 1
    reader: str = ""
    names_told: bool = False

    @property
    def owner(self) -> str:
        """Whose a blueprint is that is made here: of whoever signed in, else nobody's."""
        return self.actor.subject if self.reader else ""

    def unseen(self, blueprint_ids: Iterable[str]) -> frozenset[str]:
        """Return those of these blueprints that are somebody else's alone."""
        if not self.reader:
            return frozenset()
        owners = self.store.blueprints.private()
        return frozenset(item for item in blueprint_ids if owners.get(item, self.reader) != self.reader)

    def nameless(self, blueprint_ids: Iterable[str]) -> frozenset[str]:
        """Return those of these blueprints that a plan or a run of them does not name."""
        return frozenset() if self.names_told else self.unseen(blueprint_ids)

    def step_aside(self) -> None:
        """Raise StepsAsideError in a long transaction that may do so, where an operation waits that holds back."""
        if self.steps_aside and self.store.is_turn_wanted():
            raise StepsAsideError

    def own_terms(self, wanted: Terms) -> Terms:
        """Return today's terms of the mailbox with this address, else of the default one."""
        mailboxes = (self.terms, *self.further_terms)
        return next((terms for terms in mailboxes if terms.sender_address == wanted.sender_address), self.terms)

    def require_signature(self, digest: str, signature: str | None) -> None:
        """Raise ApprovalError where a passkey has to sign this digest and has not."""
        if why := self.signature_check(digest, signature):
            raise ApprovalError(
                f"This approval does not count: {why}.",
                next_step="Approve it on the review page, in a browser that has the passkey.",
            )

    async def insisting(self, act: Callable[[UnitOfWork], T]) -> T:
        """Return the result of a stop, a pause or a suppression, which waits for other programs the longest.

        Each try is one transaction, done whole or not at all; between two, everything else goes on. After the
        first, an import that is being saved steps aside. Inside a transaction of the caller's it is tried once.
        """
        give_up = time.monotonic() + (0.0 if self.store.in_transaction else INSIST)
        end_turn: Callable[[], None] | None = None
        try:
            while True:
                try:
                    with self.store.hasty(A_TRY), self.store.transaction() as work:
                        return act(work)
                except StoreBusyError:
                    if time.monotonic() > give_up:
                        raise
                end_turn = end_turn or self.store.want_turn()
                await asyncio.sleep(BETWEEN)
        finally:
            if end_turn is not None:
                end_turn()

    def new_id(self, kind: IdKind) -> str:
        """Return a fresh id."""
        return new_id(kind, self.clock(), self.entropy(KEY_ENTROPY))

    def new_keys(self, number: int) -> list[str]:
        """Return fresh keys of so many steps."""
        return new_keys(self.clock(), self.entropy(KEY_ENTROPY * number))

    def audit(self, work: UnitOfWork, action: str, subject: str, **detail: object) -> None:
        """Write down what was done, in the transaction that does it."""
        work.audit.record(at=self.clock(), actor=self.actor, action=action, subject=subject, detail=detail)


def _begun_anew(verb: Verb) -> Verb:
    """Return a verb that is called again, a few times, when the database rolled its transaction back.

    A database does so after a deadlock or a serialisation failure, and when it ends a connection. A verb sends
    nothing to anybody outside; one that has committed something is left alone, as is one inside a transaction of
    its caller's: that is begun anew by whoever began it.
    """

    @wraps(verb)
    async def calling(self: EngineVerbs, *given: Any, **named: Any) -> Any:
        store = self.engine.store
        for _ in range(ANEW):
            commits = store.commits
            try:
                return await verb(self, *given, **named)
            except StoreInterruptedError:
                if not store.may_begin_anew(commits):
                    raise
        return await verb(self, *given, **named)

    return calling


class EngineVerbs:
    """What the verbs on one engine have in common: those that can be begun anew are, see ``_begun_anew``."""

    __slots__ = ()
    engine: EngineContext

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        for name, verb in tuple(vars(cls).items()):
            if asyncio.iscoroutinefunction(verb) and not name.startswith("_") and not hasattr(verb, "__wrapped__"):
                setattr(cls, name, _begun_anew(verb))


@dataclass(frozen=True)
class LocalMethods(Provider, EngineVerbs):
    """Some of the embedded provider's methods; ``engine.provider`` puts all of them together."""

    name = title = LOCAL
    engine: EngineContext


def require_page(page: int, size: int) -> None:
    """Raise InvalidArgumentsError for a page or size that does not exist."""
    if page < 1 or size < 1:
        raise InvalidArgumentsError(
            f"There is no page {page} of {size} items.", next_step="Pages are numbered from 1; size is at least 1."
        )


def require_aware(at: datetime | None, name: str) -> None:
    """Raise InvalidArgumentsError for an instant without its offset from UTC."""
    if at is not None and at.utcoffset() is None:
        raise InvalidArgumentsError(
            f"{name} has no offset from UTC.", next_step="Write it like 2026-11-21T09:30:00+01:00."
        )


def apply_event(
    work: UnitOfWork, sequence: Run, event: events.Event, *, now: datetime, actor: Actor
) -> tuple[Run, tuple[events.Effect, ...]]:
    """Return the run after an event, stored and audited in the caller's transaction, and the effects to see to.

    Raises what the machine raises, and then nothing is stored.
    """
    after, effects = advance(sequence, event, now)
    if after != sequence:
        keep_changes(work, sequence, after, action=action_of(event), now=now, actor=actor)
    return after, effects


def keep_changes(work: UnitOfWork, before: Run, after: Run, *, action: str, now: datetime, actor: Actor) -> None:
    """Store and audit what became of a run, in the caller's transaction."""
    work.runs.save(before, after, next_run_at=next_run_at(after), now=now)
    detail = run_difference(before, after)
    work.audit.record(at=now, actor=actor, action=action, subject=after.id, detail=detail)


def apply_to_all(
    work: UnitOfWork, runs: Iterable[Run], event: events.Event, *, now: datetime, actor: Actor
) -> list[Run]:
    """Return many runs after an event, stored and audited together; what the machine raises stores nothing."""
    before = list(runs)
    after = [advance(run, event, now)[0] for run in before]
    changed = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
    work.runs.save_all(((old, new, next_run_at(new)) for old, new in changed), now=now)
    action = action_of(event)
    work.audit.append(
        AuditRow(at=now, actor=actor, action=action, subject=new.id, detail=run_difference(old, new))
        for old, new in changed
    )
    return after


# What is written in the audit stays readable beside what older programs wrote, whatever the classes are called.
_AUDIT_NAMES: Mapping[type[events.Event], str] = {
    events.PlanApproved: "approved",
    events.PlanRejected: "refused",
    events.HandedToServer: "handed_over",
    events.OutcomeResolved: "settled",
}


def action_of(event: events.Event) -> str:
    """Return an event's name as the audit writes it: ``sequence.handed_over``."""
    return action_of_kind(type(event))


def action_of_kind(kind: type[events.Event]) -> str:
    """Return the name, as the audit writes it, of every event of a kind."""
    words = _AUDIT_NAMES.get(kind) or re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
    return f"sequence.{words}"


def run_difference(before: Run, after: Run) -> dict[str, Any]:
    """Return what changed, without anybody's texts: they are in the database, by step and generation."""
    changes: dict[str, Any] = {}
    if after.status is not before.status:
        changes["status"] = [before.status.value, after.status.value]
    changes |= {
        name: getattr(after, name)
        for name in ("reason", "stop_reason", "paused_until", "variables")
        if getattr(after, name) != getattr(before, name)
    }
    steps = [_step(old, new) for old, new in zip(before.steps, after.steps, strict=True) if old != new]
    return changes | ({"steps": steps} if steps else {})


def _step(old: StepRun, new: StepRun) -> dict[str, Any]:
    changes: dict[str, Any] = {"id": new.step.id, "state": [old.state.value, new.state.value]}
    return changes | {
        name: getattr(new, name)
        for name in ("generation", "reason", "until", "lease", "message_id", "server_reply", "accepted_at")
        if getattr(new, name) != getattr(old, name)
    }
