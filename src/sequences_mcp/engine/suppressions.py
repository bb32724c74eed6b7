"""Replies and suppressions, which are checked before every plan, approval and send."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from datetime import datetime
from typing import Literal

from sequences_mcp.domain.actors import Actor, ActorKind
from sequences_mcp.domain.addresses import address_key, domain_of, read_address, read_host, visible_address
from sequences_mcp.domain.companies import is_free_mail, is_public_suffix
from sequences_mcp.domain.contact import Contact, ContactFields
from sequences_mcp.domain.erasure import ERASED
from sequences_mcp.domain.ids import IdKind, parse_id
from sequences_mcp.domain.inbound import TOLD_AS, Decision, ReceivedKind, ReplyEntry
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.run import ReplyKind, Run, StopReason
from sequences_mcp.domain.suppressions import SuppressionKey, old_spellings, suppression_keys_of
from sequences_mcp.engine import stopping
from sequences_mcp.engine.answered import AnswerEvent, follow_answer, last_left, live_runs_at
from sequences_mcp.engine.context import (
    EngineContext,
    EngineVerbs,
    LocalMethods,
    apply_event,
    require_aware,
    require_page,
)
from sequences_mcp.engine.events import LEGAL, Away, Paused, Returned, Stopped
from sequences_mcp.engine.one_click import opened_token
from sequences_mcp.engine.sequences import blueprint_filter, require_ours, run_details
from sequences_mcp.errors import ApprovalError, ConflictError, InvalidArgumentsError, NotFoundError
from sequences_mcp.lazy_dataclasses import dataclass, replace
from sequences_mcp.ports.embedded import Lifted, ReceivedReply, ReplyFilter, SequenceDetail, Suppressed
from sequences_mcp.store.unit_of_work import Repositories, UnitOfWork

REPLIED = "the contact replied"
NOT_INTERESTED = "the contact is not interested"
WON, LOST = "the contact was won", "the contact was lost"
_OF_ANY_TIME = frozenset({ReplyKind.WON, ReplyKind.LOST})
GONE = "the e-mail came back: a person says that its address does not exist"
_SUPPRESSED_FOR = {
    ReceivedKind.OPT_OUT: "they asked not to be contacted",
    ReceivedKind.COMPLAINT: "marked an e-mail as spam",
}
NOTHING_RAN = "noted: nothing ran for them here"


class LocalReplies(LocalMethods):
    """What people answered, over the store and the machine."""

    async def record_reply(
        self, contact_id: str, answer: ReplyKind, *, until: datetime | None = None, about: str | None = None
    ) -> list[SequenceDetail]:
        """Store a reply and apply it to every run of this person here, starts that wait for approval included.

        ``about`` is the run that was named, which what came of somebody is about although it is over.
        """
        return await self.engine.insisting(
            lambda work: self._recorded(work, contact_id, answer, until=until, about=about)
        )

    def _recorded(
        self, work: UnitOfWork, contact_id: str, answer: ReplyKind, *, until: datetime | None, about: str | None
    ) -> list[SequenceDetail]:
        going = work.runs.by_ids(work.runs.going_of([contact_id]))
        if until is not None:
            touched = self._paused(work, going, until)
            effect = f"waits until {until:%Y-%m-%d %H:%M} UTC"
        else:
            touched, effect = self._answered(work, going, answer)
        if answer is ReplyKind.OPT_OUT:
            effect = "never written to again"
        elif not going:
            effect = NOTHING_RAN
        entry = ReplyEntry(
            id="",
            stored_kind=answer.value,
            waits=False,
            contact_id=contact_id,
            sequence_id=next((run.id for run in (*touched, *going) if run.contact_id == contact_id), None),
            key=None,
            effect=effect,
            at=self.engine.clock(),
            until=until,
            recorded_by=self.engine.actor,
        )
        if about is not None and (answer in _OF_ANY_TIME or not going):
            entry = replace(entry, sequence_id=about)
        work.inbound.record(entry)
        reply = {"answer": answer.value} | ({"until": until.isoformat()} if until is not None else {})
        self.engine.audit(work, "contact.answered", contact_id, **reply)
        shown = dict.fromkeys((*(run.id for run in touched), *(run.id for run in going)))
        return list(run_details(self.engine, work.runs.by_ids(shown)))

    def _answered(self, work: UnitOfWork, going: list[Run], answer: ReplyKind) -> tuple[list[Run], str]:
        """Do what follows for each run of a person who answered; return the runs that changed, and that in words.

        What they say beyond having answered ends their runs, whatever the blueprint says of answers.
        """
        ends = {
            ReplyKind.REPLIED: None,
            ReplyKind.INTERESTED: None,
            ReplyKind.WON: Stopped(StopReason.WIN, WON),
            ReplyKind.LOST: Stopped(StopReason.LOSE, LOST),
            ReplyKind.NOT_INTERESTED: Stopped(StopReason.LOSE, NOT_INTERESTED),
            ReplyKind.OPT_OUT: Stopped(StopReason.LOSE),
        }[answer]
        ids = [run.id for run in going]
        event = AnswerEvent(
            reason=REPLIED,
            now=self.engine.clock(),
            actor=self.engine.actor,
            ends_as=ends,
            together=frozenset(ids),
        )
        changed: list[Run] = []
        words: list[str] = []
        for run_id in ids:
            outcome = follow_answer(work, work.runs.by_ids([run_id])[0], event)
            changed += outcome.changed
            words.append(outcome.words)
        return changed, "; ".join(dict.fromkeys(words))

    async def list_replies(self, wanted: ReplyFilter) -> Page[ReceivedReply]:
        """Return one page of what came back, read or recorded by hand, the newest first."""
        require_page(wanted.page, wanted.size)
        require_aware(wanted.since, "since")
        wanted = replace(
            wanted,
            contact=wanted.contact.strip().casefold() if wanted.contact else None,
            blueprint_id=wanted.blueprint_id and blueprint_filter(self.engine, wanted.blueprint_id),
            sequence_id=wanted.sequence_id and str(parse_id(wanted.sequence_id, IdKind.SEQUENCE)),
        )
        with self.engine.store.snapshot() as work:
            page = work.inbound.page(wanted)
            return page.of(_with_people(work, page.items, engine=self.engine))

    async def get_reply(self, reply_id: str) -> ReceivedReply:
        """Return one thing that came back; NotFoundError, WrongIdError."""
        parsed_id = str(parse_id(reply_id, IdKind.REPLY))
        with self.engine.store.snapshot() as work:
            entry = work.inbound.reply(parsed_id)
            if entry is None:
                raise NotFoundError(
                    f"Nothing came back under {parsed_id[:80]}.", next_step="list_replies shows what came back."
                )
            return _with_people(work, [entry], engine=self.engine)[0]

    async def may_be_about(self, reply_id: str) -> list[SequenceDetail]:
        """Return the runs that something which came in may be about: the one it is listed with first.

        Then those of whoever has the sender's address, and the live ones that write to the sender's host.
        """
        entry = (await self.get_reply(reply_id)).entry
        with self.engine.store.snapshot() as work:
            host, key = domain_of(entry.sender), address_key(entry.sender) if entry.sender else ""
            ids = [entry.sequence_id]
            if key:
                ids += [run.id for run in live_runs_at(work, [key])]
                ids += [run.id for who in work.contacts.at_address(key) for run in work.runs.of_contact(who)[:3]]
            ids += work.inbound.live_at_host(host) if host else []
            runs = work.runs.by_ids(dict.fromkeys(filter(None, ids)))
            return list(run_details(self.engine, [run for run in runs if not run.is_at_vendor]))

    async def resolve_reply(self, reply_id: str, *, sequence_id: str | None, actor: Actor) -> ReceivedReply:
        """Record what a person says about something that came in and do what follows.

        About a run: its person wrote it, and what a blueprint says of answers follows; an opt-out or a complaint
        suppresses them, a report of a mail system says that their address does not exist. Nothing: what it held
        stays held until that text is approved. Raises ConflictError for what waits for nobody, NotFoundError.
        """
        entry = (await self.get_reply(reply_id)).entry
        if entry.decision is not None:
            raise ConflictError("This was decided before.", next_step="The list of replies shows it.")
        if entry.recorded_by is not None or not (entry.waits or entry.is_unmatched):
            raise ConflictError(
                "Nothing is to be decided about this.", next_step="It is known which run it is about."
            )
        run = require_ours(self.engine, sequence_id) if sequence_id is not None else None
        new_id = await self.engine.insisting(lambda work: self._resolved(work, entry, run, actor=actor))
        return await self.get_reply(new_id)

    def _resolved(self, work: UnitOfWork, entry: ReplyEntry, run: Run | None, *, actor: Actor) -> str:
        now = self.engine.clock()
        decision: Decision = "nothing" if run is None else "about_run"
        run_id = run.id if run else None
        new_id = work.inbound.decide(entry.id, decision, sequence_id=run_id, actor=actor, now=now)
        if new_id is None:
            raise ConflictError("This was decided before.", next_step="The list of replies shows it.")
        effect = self._followed(work, entry, run, actor=actor) if run else "nothing"
        detail = {"decision": decision, "reply": new_id, "kind": entry.stored_kind, "effect": effect}
        subject = run_id or entry.sequence_id or new_id
        work.audit.record(at=now, actor=actor, action="inbound.decided", subject=subject, detail=detail)
        return new_id

    def _followed(self, work: UnitOfWork, entry: ReplyEntry, run: Run, *, actor: Actor) -> str:
        """Do what follows once a person has said that something is about a run; return that in words."""
        now = self.engine.clock()
        kind = TOLD_AS.get(entry.stored_kind)
        if kind in _SUPPRESSED_FOR:
            why = _SUPPRESSED_FOR[kind]
            stopping.end_suppressed(work, ("contact", run.contact_id), reason=why, now=now, actor=actor)
            if kind is ReceivedKind.OPT_OUT and entry.sender:
                key: SuppressionKey = ("address", address_key(entry.sender))
                stopping.end_suppressed(work, key, reason=why, now=now, actor=actor)
            return "never written to again"
        if kind is ReceivedKind.BOUNCE:
            return self._gone(work, run, actor=actor)
        if entry.until is not None:
            if run.status not in LEGAL[Away] or entry.until <= now:
                return "noted"
            apply_event(work, run, Away(entry.until), now=now, actor=actor)
            return f"waits until {entry.until:%Y-%m-%d %H:%M} UTC"
        event = AnswerEvent(reason=REPLIED, now=now, actor=actor, sender=entry.sender)
        return follow_answer(work, run, event).words

    def _gone(self, work: UnitOfWork, run: Run, *, actor: Actor) -> str:
        """Do what follows once a person has said that an address does not exist: fail the run, suppress it."""
        now, left = self.engine.clock(), last_left(run)
        if left is not None and run.status in LEGAL[Returned]:
            apply_event(work, run, Returned(left.key, hard=True, reason=GONE), now=now, actor=actor)
        address = (left.recipient if left else None) or run.address
        if address:
            key: SuppressionKey = ("address", address_key(address))
            stopping.end_suppressed(work, key, reason=f"bounced: {GONE}", now=now, actor=actor)
        return "never written to again"

    def _paused(self, work: UnitOfWork, going: list[Run], until: datetime) -> list[Run]:
        """Pause what is under way or waits for an approval; a pause that ends later stays."""
        return [
            run
            if run.paused_until is not None and run.paused_until >= until
            else apply_event(work, run, Paused(until), now=self.engine.clock(), actor=self.engine.actor)[0]
            for run in going
        ]


def _with_people(
    store: Repositories, entries: Items[ReplyEntry], *, engine: EngineContext
) -> tuple[ReceivedReply, ...]:
    """Return what came back, each with its person, its run and the step that it names."""
    runs = {
        run.id: run for run in store.runs.by_ids(dict.fromkeys(e.sequence_id for e in entries if e.sequence_id))
    }
    wanted = dict.fromkeys(entry.contact_id for entry in entries if entry.contact_id)
    people = {who.id: who for who in store.contacts.by_ids(wanted)}
    nameless = engine.nameless(run.blueprint_id for run in runs.values())
    named = [run for run in runs.values() if run.blueprint_id not in nameless]
    names = store.blueprints.names([(run.blueprint_id, run.blueprint_version) for run in named])

    def shown(entry: ReplyEntry) -> ReceivedReply:
        run = runs.get(entry.sequence_id or "")
        return ReceivedReply(
            entry=entry,
            contact=people[entry.contact_id] if entry.contact_id else None,
            sequence=run,
            step=next((step for step in run.steps if step.key == entry.key), None) if run else None,
            blueprint_name=names.get((run.blueprint_id, run.blueprint_version)) if run else None,
        )

    return tuple(map(shown, entries))


@dataclass(frozen=True, slots=True)
class LocalSuppressions(EngineVerbs):
    """The suppression list: it overrides every approval, for every provider."""

    engine: EngineContext

    async def recipient_of(self, token: str) -> tuple[str, str] | None:
        """Return the run and the address that a one-click opt-out is about; None for a token that is none here."""
        return opened_token(token, self.engine.store.secret("message_id"))

    async def suppress(
        self, kind: Literal["address", "domain", "contact"], value: str, *, reason: str
    ) -> Suppressed:
        """Add to the list and stop what runs. A domain covers those below it and the people of its company.

        Raises InvalidArgumentsError for a public suffix, ApprovalError for a mail provider unless a person asks.
        """
        normal = self._normalised(kind, value)
        if kind == "domain":
            _require_one_organisation(normal, by_person=self.engine.actor.kind is ActorKind.PERSON)
        return await self.engine.insisting(lambda work: self._suppressed(work, (kind, normal), reason))

    def _suppressed(
        self, work: UnitOfWork, key: tuple[Literal["address", "domain", "contact"], str], reason: str
    ) -> Suppressed:
        engine = self.engine
        stopped, new = stopping.end_suppressed(work, key, reason=reason, now=engine.clock(), actor=engine.actor)
        is_erased = key[0] != "domain" and bool(work.erasures.known([key]))
        value = ERASED if is_erased else key[1]  # answers to calls are kept: nothing of the person gets into one
        return Suppressed(kind=key[0], value=value, stopped=run_details(engine, stopped), already=not new)

    async def lift(
        self, kind: Literal["address", "domain", "contact"], value: str, *, reason: str, actor: Actor
    ) -> Lifted:
        """Take something off the list; NotFoundError when it is not on it under that name."""
        engine, key = self.engine, (kind, self._normalised(kind, value))
        with engine.store.transaction() as work:
            spelled = [key, *old_spellings(key)]
            listed = work.suppressions.matching([key], old=spelled[1:])
            still = self._also_covering(key)
            if not listed:
                raise _not_listed(key, still)
            now, was = engine.clock(), next(iter(listed.values()))
            for item in listed:
                work.suppressions.lift(item, reason=reason, actor=actor, now=now)
                subject, detail = ":".join(item), {"reason": reason, "was": was}
                audit = work.audit
                audit.record(at=now, actor=actor, action="suppression.lifted", subject=subject, detail=detail)
        return Lifted(kind, key[1], was, still)

    def _also_covering(self, key: SuppressionKey) -> tuple[str, ...]:
        """Return what else on the list covers an address, a domain or a person."""
        kind, value = key
        results: dict[SuppressionKey, None] = {}
        if kind == "domain":
            results |= dict.fromkeys(suppression_keys_of("", ContactFields(company_domain=value)))
        if kind == "address":
            results |= dict.fromkeys(suppression_keys_of("", ContactFields(email=value)))
        ids = [value] if kind == "contact" else self.engine.store.contacts.at_address(value)
        for contact in self.engine.store.contacts.by_ids(ids):
            results |= dict.fromkeys(suppression_keys_of(contact.id, contact))
            former = self.engine.store.contacts.former_addresses([contact.id]).get(contact.id, ())
            results |= dict.fromkeys(("address", key) for key in former)
        return tuple(
            ":".join(matching_suppression)
            for matching_suppression in self.engine.store.suppressions.matching(results)
            if matching_suppression != key
        )

    async def suppressed_among(self, contacts: Items[Contact]) -> Mapping[str, str]:
        """Return contact id → reason for those who must not be contacted."""
        return stopping.is_suppressed(self.engine.store, contacts)

    async def busy_among(self, contact_ids: Items[str]) -> Mapping[str, str]:
        """Return contact id → sequence id for those with a live sequence."""
        return self.engine.store.runs.live_of(contact_ids)

    async def earlier_among(
        self, contact_ids: Items[str], *, blueprint_id: str
    ) -> tuple[frozenset[str], frozenset[str]]:
        """Return who has answered, or was won or lost, and who has had all of this blueprint: their ids."""
        return self.engine.store.runs.earlier_of(contact_ids, blueprint_id=blueprint_id)

    def _normalised(self, kind: str, value: str) -> str:
        """Return a value in the spelling the list knows it by; InvalidArgumentsError, WrongIdError.

        What is stored with somebody can always be listed, even an address that would not be taken today.
        """
        text = visible_address(value).strip()
        if kind == "contact":
            return str(parse_id(text, IdKind.CONTACT))
        if kind == "domain":
            return read_host(text)
        if self.engine.store.contacts.by_email(text) is not None:
            return address_key(text)
        return read_address(text).key


def _require_one_organisation(host: str, *, by_person: bool) -> None:
    if is_public_suffix(host):
        raise InvalidArgumentsError(
            f"{host} is a public suffix: below it are the domains of strangers.",
            next_step="Give the domain that one organisation registered, such as example.com.",
        )
    if is_free_mail(host) and not by_person:
        raise ApprovalError(
            f"{host} gives addresses to anybody, so listing it keeps out everybody who has one.",
            next_step="Give the single address. Only a person can list the whole domain: on the review page, or "
            f"in a terminal: sequences-mcp review suppress {host} --reason …",
        )


def _not_listed(key: SuppressionKey, still: tuple[str, ...]) -> NotFoundError:
    kind, value = key
    covered = f" What covers it is {', '.join(still)}." if still else ""
    return NotFoundError(
        f"{value} is not on the list as {'an' if kind == 'address' else 'a'} {kind}.{covered}",
        next_step="Lift that instead; the review page shows the list." if still else "Nothing holds it back.",
        data={"covered_by": list(still)},
    )
