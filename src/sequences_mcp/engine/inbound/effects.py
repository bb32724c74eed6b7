"""What follows from a message that came in: events for the machine, suppressions, and a row that records it.

A message ends only runs of the person who wrote it. A report that only names an address suppresses nobody, and a
message that is not understood holds the next step for a person. All of it is one transaction with the record that
the message was processed, so that two processes, or one that ended in between, act on it once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache, cached_property, partial
from hashlib import sha256

from sequences_mcp.domain import actors
from sequences_mcp.domain.addresses import address_key
from sequences_mcp.domain.inbound import HELD_FOR_PERSON, InboundEntry
from sequences_mcp.domain.markdown import letter_of
from sequences_mcp.domain.run import LIVE, Run, StepState
from sequences_mcp.engine import events
from sequences_mcp.engine.answered import (
    RUN_OVER,
    AnswerEvent,
    follow_answer,
    going_on_from,
    had_begun,
    held_words,
    others_of_person,
)
from sequences_mcp.engine.context import apply_event
from sequences_mcp.engine.events import LEGAL
from sequences_mcp.engine.inbound.absence import away_until
from sequences_mcp.engine.inbound.kind import InboundKind, Judged, judge_inbound, says_that_they_left
from sequences_mcp.engine.inbound.match import (
    CLOCKS_DIFFER,
    Basis,
    RunMatch,
    bare_subject,
    is_of_list,
    is_theirs,
    match_run,
)
from sequences_mcp.engine.inbound.opt_out import is_opt_out, is_unsubscribing, offered_answers
from sequences_mcp.engine.inbound.own_text import new_text
from sequences_mcp.engine.inbound.parsing import ParsedMessage, parse_inbound
from sequences_mcp.engine.stopping import end_suppressed
from sequences_mcp.lazy_dataclasses import dataclass, replace
from sequences_mcp.store.unit_of_work import UnitOfWork

"""Who the audit names for what follows from a message that came in."""
REPLIED = "the contact replied by e-mail"
OPTED_OUT = "opted out by e-mail"
COMPLAINED = "marked an e-mail as spam"
NOBODYS = "shown: it is about no sequence, as far as is known"
WRITTEN_WITHIN = timedelta(days=90)  # before a message comes, for it to be kept as an answer that it may be
MOST_SOFT = 3
LONGEST_TEXT, LONGEST_UNMATCHED = 20_000, 2_000
_SOFT = (InboundKind.SOFT_BOUNCE, InboundKind.DELAYED)
_ONLY_OF_RUN = (InboundKind.REPLY, InboundKind.HARD_BOUNCE, InboundKind.COMPLAINT, InboundKind.RETURNED)
_WRITTEN = (InboundKind.REPLY, InboundKind.AUTOMATIC, InboundKind.AWAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A message that was fetched, read without the database.

    ``digest`` is the SHA-256 of its bytes; ``arrived_at`` when its server took it; ``judge`` says what it is.
    """

    digest: bytes
    message: ParsedMessage
    judge: Callable[[], Judged]
    arrived_at: datetime

    @property
    def judged(self) -> Judged:
        """What it is."""
        return self.judge()


def digest_of(data: bytes, *, size: int) -> bytes:
    """Return the digest that identifies a message; ``size`` is the whole one's where ``data`` is its beginning."""
    return sha256(data + (b"" if size <= len(data) else str(size).encode())).digest()


def incoming(data: bytes, *, arrived_at: datetime, size: int = 0) -> Incoming:
    """Return a fetched message, read; ``size`` as for ``digest_of``."""
    message = parse_inbound(data)
    judge = cache(partial(judge_inbound, message))
    return Incoming(digest=digest_of(data, size=size), message=message, judge=judge, arrived_at=arrived_at)


def take_in_message(work: UnitOfWork, item: Incoming, *, address: str, now: datetime) -> str | None:
    """Process a message once; return what followed in words, None where nothing did or it was processed before.

    ``address`` is whose mailbox it came to. What is about no run is kept for a person to look at.
    """
    if not work.inbound.see(item.digest, now=now) or _is_own(item, address):
        return None
    if _is_of_erased(work, item.message):
        return None
    matched = match_run(work, item.message, item.judge, own_address=address, arrived_at=item.arrived_at)
    if matched is None:
        return _kept_unmatched(work, item, address=address, now=now)
    if work.contacts.is_erased(matched.sequence.contact_id):
        return None
    if item.judged.kind in _WRITTEN and _is_copy(work, item.message):
        return None
    return _Consequence(work=work, item=item, matched=matched, address=address, now=now).follow()


def _is_of_erased(work: UnitOfWork, message: ParsedMessage) -> bool:
    """Say whether somebody who was erased wrote a message: nothing of it is kept, and nothing follows from it."""
    return bool(message.sender and work.erasures.known([("address", address_key(message.sender))]))


def _kept_unmatched(work: UnitOfWork, item: Incoming, *, address: str, now: datetime) -> str | None:
    """Keep what is about no run, where it may be an answer; return what follows in words, or None.

    Nothing is kept of lists and machines, nor what came when the mailbox had written to nobody for long. Whoever
    is stored here and asks not to be written to is not, although nobody knows which e-mail made them ask.
    """
    message, at = item.message, item.arrived_at
    if not work.inbound.has_written(address, since=at - WRITTEN_WITHIN, until=at + CLOCKS_DIFFER):
        return None
    kind = item.judged.kind
    if kind is InboundKind.AUTOMATIC or is_of_list(message) or _is_copy(work, message):
        return None
    text = new_text(message.text, ())
    effect = NOBODYS
    if kind is InboundKind.REPLY and is_opt_out(text, message.subject):
        kind = InboundKind.OPT_OUT
        if message.sender and work.contacts.at_address(address_key(message.sender)):
            mark = ("address", address_key(message.sender))
            end_suppressed(work, mark, reason=OPTED_OUT, now=now, actor=actors.READER)
            effect = "never written to again"
    entry = InboundEntry(
        hash=item.digest,
        mailbox=address,
        kind=kind.value,
        basis="",
        sender=message.sender,
        subject=message.subject[:1_000],
        text=text[:LONGEST_UNMATCHED],
        why=item.judged.why,
        sequence_id="",
        key=None,
        effect=effect,
        sent_at=message.sent_at,
        until=away_until(text, at) if kind is InboundKind.AWAY else None,
        found_at=now,
        message_id=message.message_id,
        refers_to=message.answered,
    )
    work.inbound.keep_unmatched(entry)
    return None if effect == NOBODYS else effect


def hold_after_fault(work: UnitOfWork, item: Incoming, *, address: str, now: datetime) -> str | None:
    """Hold the runs that a message is about on which ``take_in_message`` failed; return that in words, or None.

    Nothing of what it says is read or stored; a person looks into the mailbox.
    """
    message = item.message
    work.inbound.see(item.digest, now=now)
    if _is_copy(work, message):
        return None
    pairs = work.runs.of_keys(work.inbound.keys_of_message_ids(message.own_ids))
    named = {run.id: run for run in (going_on_from(work, run, step.step.id) or run for run, step in pairs)}
    if not named and (run_id := work.runs.live_at([address_key(message.sender)])):
        named = {run.id: run for run in work.runs.by_ids([run_id]) if not run.is_at_vendor}
    event = events.Held(f"an e-mail about it that came in could not be processed: look into {address}")
    held = [run for run in named.values() if run.status in LEGAL[type(event)]]
    for run in held:
        apply_event(work, run, event, now=now, actor=actors.READER)
    return HELD_FOR_PERSON if held else None


def resolve_named(work: UnitOfWork, *, now: datetime) -> int:
    """Resolve every step of unknown outcome that something which came in names: it was sent. Return how many."""
    done = 0
    for sequence, run in work.runs.of_keys(work.inbound.unknown_but_named()):
        event = events.OutcomeResolved(run.key, sent=True)
        if run.state is StepState.UNKNOWN and sequence.status in LEGAL[type(event)]:
            apply_event(work, sequence, event, now=now, actor=actors.READER)
            done += 1
    return done


def _is_own(item: Incoming, address: str) -> bool:
    """Say whether it is an e-mail of ours, which a list, a rule or a copy brought into the mailbox."""
    sender = item.message.sender
    return bool(sender) and address_key(sender) == address_key(address) and item.judged.kind in _WRITTEN


# Hosts under which a mailbox is known inside Microsoft 365 and Google Workspace.
_INSIDE = re.compile(r".*\.onmicrosoft\.com|.*\.test-google-[a-z]\.com")


def _is_about(recipient: str, failing: Iterable[str]) -> bool:
    """Say whether a report that names these addresses as failing is about a recipient's own mailbox.

    It is where it names the recipient, or the same mailbox as servers write it inside (another host of theirs, a
    tag after ``+``), or nobody. Another name at the same domain may be a colleague, or a list that the recipient's
    server forwards to: whether the recipient's own address exists, such a report does not say.
    """
    local, _, host = address_key(recipient).partition("@")
    parts = [address_key(address).partition("@")[::2] for address in failing]
    return not parts or any(
        name.partition("+")[0] == local.partition("+")[0] and _is_same_host(host, other) for name, other in parts
    )


def _is_same_host(host: str, other: str) -> bool:
    return f".{other}".endswith(f".{host}") or f".{host}".endswith(f".{other}") or bool(_INSIDE.fullmatch(other))


def _is_copy(work: UnitOfWork, message: ParsedMessage) -> bool:
    """Say whether it is an e-mail of ours by its own Message-ID, whoever its From names: servers rewrite that."""
    message_id = message.header("Message-ID").strip("<> ").lower()
    if not message_id:
        return False
    ids = (message_id, message_id.partition("@")[0])
    return bool(work.inbound.keys_of_message_ids(ids[:1]) or work.inbound.keys_of_provider_ids(ids))


@dataclass(frozen=True, kw_only=True)
class _Consequence:
    """One message about one run."""

    work: UnitOfWork
    item: Incoming
    matched: RunMatch
    address: str
    now: datetime

    def follow(self) -> str:
        """Do what follows, record it, and return it in words."""
        about = self.matched.about
        ours = self._ours
        text = new_text(self.item.message.text, ours)
        kind = self.item.judged.kind
        subject = self.item.message.subject
        if self.item.judged.by_subject and self._has_our_subject(ours):
            kind = InboundKind.REPLY  # "Re: Urlaub planen": the word is ours
        if kind in _WRITTEN and self._unsubscribes:
            kind = InboundKind.OPT_OUT
        unanswered = "" if self._answers_ours(ours) else subject
        if kind is InboundKind.REPLY and is_opt_out(text, unanswered, offered=offered_answers(ours)):
            kind = InboundKind.OPT_OUT
        until = away_until(text, self.item.arrived_at) if kind is InboundKind.AWAY else None
        row = InboundEntry(
            hash=self.item.digest,
            mailbox=self.address,
            kind=kind.value,
            basis=self._basis_of(kind),
            sender=self.item.message.sender,
            subject=subject[:1_000],
            text=text[:LONGEST_TEXT],
            why=self.item.judged.why,
            sequence_id=about.id,
            key=self.matched.run.key if self.matched.run else None,
            effect="",
            sent_at=self.item.message.sent_at,
            until=until,
            found_at=self.now,
            message_id=self.item.message.message_id,
            refers_to=self.item.message.answered,
        )
        self._resolve_named()
        effect = self._effect(kind, until)
        self.work.inbound.insert(replace(row, effect=effect))
        detail = {"kind": kind.value, "basis": self.matched.basis, "step": row.key, "effect": effect}
        self.work.audit.record(
            at=self.now, actor=actors.READER, action="inbound.taken_in", subject=about.id, detail=detail
        )
        return effect

    def _basis_of(self, kind: InboundKind) -> Basis:
        """How the run was found: of somebody else's words a person says whether they are about it."""
        is_written = kind in (InboundKind.REPLY, InboundKind.OPT_OUT)
        is_known = self._is_theirs or self._unsubscribes
        return "company" if is_written and not is_known else self.matched.basis

    @cached_property
    def _unsubscribes(self) -> bool:
        """Whether a mail program wrote it for somebody who pressed "unsubscribe" on an e-mail of ours.

        Whoever has its token was written to, or was given the e-mail by whoever was: as with one click (RFC 8058),
        the address that was written to is never written to again, whichever address this comes from.
        """
        return self.matched.basis == "message_id" and is_unsubscribing(self.item.message)

    @cached_property
    def _is_theirs(self) -> bool:
        """Whether the run's own person wrote it, as far as its From says."""
        return is_theirs(self.work, self.matched.sequence, self.item.message.sender)

    @property
    def _ours(self) -> list[str]:
        """Every text and subject that the runs have had, as they were written and as mail programs quote them."""
        runs = {run.id: run for run in (self.matched.sequence, self.matched.about)}
        ours = [text for run_id in runs for text in self.work.inbound.texts_of(run_id)]
        if not any(step.step.is_markdown for run in runs.values() for step in run.steps):
            return ours
        letters = [letter_of(text) for text in ours]
        return [*ours, *(letter.plain for letter in letters), *(letter.bare for letter in letters)]

    def _answers_ours(self, ours: list[str]) -> bool:
        """Whether the subject is one of ours, answered: its words are not the writer's."""
        subject = self.item.message.subject.casefold()
        return any(self_written.casefold() in subject for self_written in ours if len(self_written) < 1_000)

    def _has_our_subject(self, ours: list[str]) -> bool:
        """Whether the subject is one of ours and nothing more than that."""
        subject = bare_subject(self.item.message.subject)
        return any(subject == bare_subject(text) for text in ours if len(text) < 1_000)

    @property
    def _present(self) -> Run:
        """The run that what follows happens to, as it is now."""
        return self.work.runs.by_ids([self.matched.about.id])[0]

    @property
    def _named(self) -> Run:
        """The run whose e-mail it is, as it is now: another one where that goes on in its place."""
        return self.work.runs.by_ids([self.matched.sequence.id])[0]

    def _resolve_named(self) -> None:
        """Resolve the step that is named where nobody knew whether its e-mail left: it did."""
        run = self.matched.run
        event = events.OutcomeResolved(run.key if run else "", sent=True)
        if run and self.matched.is_sure and run.state is StepState.UNKNOWN:
            self._apply(self._named, event)

    def _apply(self, sequence: Run, event: events.Event) -> bool:
        """Apply an event where the status of the run allows it; say whether it does. See to what it asks for."""
        if sequence.status not in LEGAL[type(event)]:
            return False
        _, effects = apply_event(self.work, sequence, event, now=self.now, actor=actors.READER)
        for effect in effects:
            if isinstance(effect, events.SuppressAddress):
                self._suppress(effect.address, f"bounced: {effect.reason}")
        return True

    def _suppress(self, address: str, reason: str) -> None:
        end_suppressed(
            self.work, ("address", address_key(address)), reason=reason, now=self.now, actor=actors.READER
        )

    def _effect(self, kind: InboundKind, until: datetime | None) -> str:
        if self.matched.basis == "company":
            return "shown: from somebody else at the company"
        by_kind: Mapping[InboundKind, Callable[[], str]] = {
            InboundKind.REPLY: self._replied,
            InboundKind.OPT_OUT: self._opted_out,
            InboundKind.HARD_BOUNCE: self._bounced,
            InboundKind.SOFT_BOUNCE: self._came_back,
            InboundKind.DELAYED: self._came_back,
            InboundKind.RETURNED: self._not_understood,
            InboundKind.COMPLAINT: self._complained,
            InboundKind.AUTOMATIC: self._noted,
        }
        if until is not None:
            return self._away(until)
        if kind in _ONLY_OF_RUN and self.matched.further:
            return self._held_all("something came in about the contact, who is in several sequences")
        return by_kind[kind]()

    def _noted(self) -> str:
        """Note an automatic message; what it may mean for the run, and does not say surely, a person looks at."""
        if says_that_they_left(self.item.message):
            return self._held_all("an automatic reply says that the contact no longer works there")
        if self.item.judged.is_uncertain:
            return self._held_all("what came in reads like an automatic message and bears no mark of one")
        return "noted: an automatic message"

    def _replied(self) -> str:
        sequence = self._present
        if not self._is_theirs:
            return self._held("somebody else, at another address than the contact's, answered an e-mail of it")
        written = [at for at in (self.item.arrived_at, self.item.message.sent_at) if at is not None]
        if not self.matched.is_sure and not all(had_begun(self.work, sequence, at) for at in written):
            return self._held("the contact wrote it before the first e-mail left, as its dates say")
        if not self.matched.is_sure and self.matched.run is None:
            reason = "the contact answered an e-mail of another sequence"
            return self._held("the contact wrote before anything was sent") + self._others_held(reason)
        sender = self.item.message.sender
        answer = AnswerEvent(reason=REPLIED, now=self.now, actor=actors.READER, sender=sender)
        return follow_answer(self.work, sequence, answer).words

    def _opted_out(self) -> str:
        if not (self._is_theirs or self._unsubscribes):
            self._suppress(self.item.message.sender, OPTED_OUT)
            return self._held("somebody else, at another address than the contact's, asks not to be written to")
        for address in self._addresses():
            self._suppress(address, OPTED_OUT)
        if (sequence := self._present).status in LIVE:
            self._apply(sequence, events.OptedOut(f"suppressed: {OPTED_OUT}"))
        self._others_held("the contact opted out in another sequence")
        return "never written to again"

    def _addresses(self) -> list[str]:
        """Return the address that was written to, and that of whoever answers."""
        run = self.matched.run
        steps = [run] if run else list(self.matched.sequence.steps)
        to = [step.recipient for step in steps if step.recipient and "@" in step.recipient][:1]
        return list(dict.fromkeys(filter(None, [*to, self.item.message.sender])))

    def _complained(self) -> str:
        if not self.matched.is_sure:
            return self._held("a report of spam names the contact's address, but no e-mail of ours")
        for address in self._addresses()[:1]:
            self._suppress(address, COMPLAINED)
        return "never written to again"

    def _away(self, until: datetime) -> str:
        if until <= self.now:
            return "noted: they are back"
        away = [self._apply(run, events.Away(until)) for run in self._all_present]
        if not any(away):
            return RUN_OVER
        return f"waits until {until:%Y-%m-%d %H:%M} UTC"

    def _bounced(self) -> str:
        run = self.matched.run
        if run is None or not self.matched.is_sure:
            return self._held(
                "a report says that the contact's address does not exist, but names no e-mail of ours"
            )
        if not _is_about(run.recipient or "", self.item.judged.failing):
            return self._held("a report says of another address than the one written to that it does not exist")
        event = events.Returned(run.key, hard=True, reason=self._why("its address does not exist"))
        if not self._apply(self._named, event) and run.recipient:
            self._suppress(run.recipient, f"bounced: {event.reason}")
        return "never written to again"

    def _came_back(self) -> str:
        before = self.work.inbound.count(self.matched.about.id, kinds=[kind.value for kind in _SOFT])
        run = self.matched.run
        if run is not None:
            self._apply(self._named, events.Returned(run.key, hard=False, reason=self._why("")))
        if before + 1 < MOST_SOFT:
            return f"noted: number {before + 1}, the third holds the run"
        return self._held(self._why(f"its e-mails were delayed or came back {before + 1} times"))

    def _not_understood(self) -> str:
        return self._held("a mail system returned an e-mail of it, and does not say clearly why")

    def _why(self, words: str) -> str:
        """Return why an e-mail came back, in our words and with the status: the rest is a stranger's."""
        status = re.search(r"\b[45]\.\d{1,3}\.\d{1,3}\b", self.item.judged.why)
        return f"the e-mail came back: {words}{f' ({status.group()})' if status else ''}".replace(
            "the e-mail came back: its e-mails", "its e-mails"
        )

    @property
    def _all_present(self) -> list[Run]:
        """The run, and the others that may be meant, as they are now."""
        return self.work.runs.by_ids([self.matched.about.id, *(run.id for run in self.matched.further)])

    def _held_all(self, reason: str) -> str:
        held = [run.id for run in self._all_present if self._apply(run, events.Held(reason))]
        if not held:
            return RUN_OVER
        return f"{HELD_FOR_PERSON}: {', '.join(held)}" if self.matched.further else HELD_FOR_PERSON

    def _held(self, reason: str) -> str:
        return HELD_FOR_PERSON if self._apply(self._present, events.Held(reason)) else RUN_OVER

    def _others_held(self, reason: str) -> str:
        """Hold the other live runs of the same person; return that in words, or nothing."""
        others = others_of_person(self.work, self.matched.about, self.item.message.sender)
        held = [run.id for run in others if self._apply(run, events.Held(reason))]
        return held_words(held)
