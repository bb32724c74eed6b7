"""Erasing people here: what runs is ended, then everything of theirs goes in one transaction, files included.

The files beside the database are seen to inside the transaction: a program that ends in between leaves the person
in the database, and the same erasure, made again, finds the files done. After the commit the database's file is
written anew, because a database keeps what was deleted in pages that it no longer uses; where another program
stands in the way of that, the due work sees to it later.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Sequence as Items
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from sequences_mcp.domain import actors
from sequences_mcp.domain.addresses import address_key, visible_address
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.erasure import REDACTED, REPEATED, ErasureTally, HeldAtVendor, PersonMarks, Traces
from sequences_mcp.domain.ids import KEY_ENTROPY, LOCAL, PROVIDERS, IdKind, new_id, parse_id, provider_of
from sequences_mcp.domain.run import LIVE
from sequences_mcp.domain.workspace import DATABASE, Workspace
from sequences_mcp.engine.approvals import sealed_digest, stands_for
from sequences_mcp.engine.context import EngineContext, EngineVerbs
from sequences_mcp.engine.events import OptedOut
from sequences_mcp.engine.sequences import run_details
from sequences_mcp.engine.stopping import end_all
from sequences_mcp.errors import ConflictError, InvalidArgumentsError, NotFoundError, StoreUnwritableError
from sequences_mcp.lazy_dataclasses import asdict, dataclass, replace
from sequences_mcp.ports.embedded import SequenceDetail
from sequences_mcp.private_files import delete_exports, export_name, write_private
from sequences_mcp.store.unit_of_work import Repositories, Store, UnitOfWork

log = logging.getLogger(__name__)
T = TypeVar("T")
KNOWN_PREFIXES = tuple(f"{name}:" for name in PROVIDERS)
REASON = "erased"
AFTERWARDS = 10_000  # entries of the audit that are looked at after one person's data was written
AT_ONCE = 100  # people that time erases in one transaction


@dataclass(frozen=True, slots=True)
class LocalErasures(EngineVerbs):
    """Erases people, and says what is held of one."""

    engine: EngineContext

    async def erase(
        self, contact_id: str, *, actor: actors.Actor, approving: Callable[[], object] = lambda: None
    ) -> ErasureTally:
        """Erase a person here; NotFoundError, and ConflictError while something of theirs is on its way.

        Their runs at vendors have to be over before. It is one transaction, or nothing; ``approving`` records in
        it that somebody approved this, and raises where that does not count.
        """
        engine, now = self.engine, self.engine.clock()

        def act(work: UnitOfWork) -> ErasureTally:
            approving()
            new_ids = (engine.new_id(IdKind.CONTACT) for _ in iter(int, 1))
            return erased(
                work, [contact_id], engine.store.workspace.folder, by=Decided(actor, now, new_ids=new_ids)
            )

        tally = await engine.insisting(act)
        return replace(tally, is_swept=engine.store.erasures.sweep())

    async def person_of(self, text: str) -> Contact:
        """Return whoever has an id or an address here, now or, where nobody has it now, before.

        NotFoundError, which says so where they were erased; ConflictError where several people had the address.
        """
        text = visible_address(text).strip().removeprefix("mailto:")
        with self.engine.store.snapshot() as work:
            if "@" not in text and ":" not in text:
                raise InvalidArgumentsError(
                    f"{text[:80]!r} is no contact id or e-mail address.",
                    next_step="Give local:ct_… or name@example.com; find_contacts finds both by a name.",
                )
            if "@" not in text or text.startswith(KNOWN_PREFIXES):
                ids, key = [str(parse_id(text, IdKind.CONTACT))], ("contact", text)
            else:
                present, key = work.contacts.by_email(text), ("address", address_key(text))
                ids = [present.id] if present else work.contacts.at_address(text)
            people = [who for who in work.contacts.by_ids(ids) if not work.contacts.is_erased(who.id)]
            if not people and (work.erasures.known([key]) or any(map(work.contacts.is_erased, ids))):
                raise NotFoundError("They were erased here before.", next_step="Nothing of them is left here.")
        if len(people) > 1:
            raise ConflictError(
                f"{len(people)} people had this address: {', '.join(who.id for who in people[:5])}.",
                next_step="Give the id of the one you mean.",
            )
        if not people:
            raise NotFoundError(
                "Nobody here has this id or address.", next_step="find_contacts shows who there is."
            )
        return people[0]

    async def known_people(self, people: Iterable[Contact]) -> set[str]:
        """Return the ids of those of these people who were erased here, by their facts or by their ids."""
        return self.engine.store.erasures.known_people(people)

    async def runs_of(self, contact_id: str) -> list[SequenceDetail]:
        """Return every run of a person, the oldest first."""
        return list(run_details(self.engine, self.engine.store.runs.all_of_contact(contact_id)))

    async def held_at_vendors(self, contact_id: str) -> list[HeldAtVendor]:
        """Return what each vendor is known to hold of a person: what a run was handed over with, and its ids."""
        with self.engine.store.snapshot() as work:
            return held_at_vendors(work, contact_id)

    async def older_copies(self) -> tuple[str, ...]:
        """Return the names of older databases that a restore has kept in the data folder: they are not erased."""
        workspace = self.engine.store.workspace
        older = workspace.folder.glob(f"{DATABASE}.replaced-*")
        return tuple(sorted(path.name for path in older))

    async def export(self, contact_id: str) -> tuple[Path, Mapping[str, int]]:
        """Write all that is kept of a person into a private file of the data folder; return it, with counts.

        It is deleted after a day, as every export there is.
        """
        with self.engine.store.snapshot() as work:
            held = [asdict(vendor) for vendor in held_at_vendors(work, contact_id)]
            facts = {"contact_id": contact_id, "made_at": self.engine.clock().isoformat(), "at_vendors": held}
            sections, begun = work.erasures.everything(contact_id), work.audit.page(page=1, size=1).total_count
        folder = self.engine.store.workspace.exports
        path = folder / export_name("contact", "json", now=self.engine.clock())
        text = json.dumps({**facts, **sections}, ensure_ascii=False, indent=1)
        await asyncio.to_thread(write_private, path, f"{text}\n")
        with self.engine.store.snapshot() as work:
            since, _ = work.audit.after(begun, size=AFTERWARDS)
        if len(since) == AFTERWARDS or any(entry.action == "contact.erased" for entry in since):
            path.unlink(missing_ok=True)
            raise ConflictError(
                "Somebody may have been erased while this was written, so it was thrown away.",
                next_step="Export it again.",
            )
        return path, {name: len(rows) for name, rows in sections.items() if rows}


@dataclass(frozen=True, slots=True)
class Decided:
    """By whom an erasure was decided and when, and ids for what is left of people whom a vendor's id named.

    ``is_asked``: somebody asked for it, so they are never to be contacted again; else that is so only for those
    who were on the list. ``is_repeated``: they were erased before an older database was put back, so that nothing
    of theirs that it has as under way is.
    """

    actor: actors.Actor
    now: datetime
    new_ids: Iterable[str]
    is_asked: bool = True
    is_repeated: bool = False


def erased(work: UnitOfWork, contact_ids: Items[str], folder: Path, *, by: Decided) -> ErasureTally:
    """Erase people in the caller's transaction; return what that removed, in numbers."""
    everybody = work.erasures.traces(contact_ids)
    if not everybody:
        raise NotFoundError(
            f"There is no contact {', '.join(contact_ids)[:200]}.", next_step="find_contacts shows who there is."
        )
    return _removed(work, everybody, folder, by=by)


def _removed(work: UnitOfWork, everybody: Items[Traces], folder: Path, *, by: Decided) -> ErasureTally:
    if by.is_repeated:
        work.erasures.count_as_not_done(everybody, now=by.now)
    else:
        for traces in everybody:
            _require_at_rest(work, traces, now=by.now)
    going = work.runs.by_ids(work.runs.going_of([traces.contact.id for traces in everybody]))
    if by.is_repeated:  # what a vendor had of theirs was over when they were erased
        everything = (run for traces in everybody for run in work.runs.by_ids(traces.runs.values()))
        going = [run for run in everything if not run.is_over]
    stopped = end_all(work, going, OptedOut(REASON), now=by.now, actor=by.actor)
    with _writable(folder):
        files = _files_gone(Workspace(folder), everybody) + work.erasures.rewrite_journals(everybody)
    for traces in everybody:
        for plan_id in traces.plan_ids:
            _uncover(work, plan_id, traces.marks | traces.records)
    replies = sum(_emptied(work, traces, by) for traces in everybody)
    removed = work.erasures.take_out(everybody)
    with _writable(folder):
        for name in _mail_names(removed.message_ids):
            files += Workspace(folder).outbox.joinpath(name).is_file()
            Workspace(folder).outbox.joinpath(name).unlink(missing_ok=True)
    tally = ErasureTally(
        people=len(everybody),
        runs=sum(len(traces.runs) for traces in everybody),
        stopped=len(stopped),
        texts=sum(traces.texts for traces in everybody),
        replies=replies,
        calls=removed.calls,
        files=files,
        mentions=tuple(removed.stays),
    )
    # Whoever reads before the commit may write what was read since the exports were deleted above.
    work.after_commit(lambda: _delete_late_exports(Workspace(folder).exports))
    return _written_down(work, everybody, tally, by=by)


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    """Raise StoreUnwritableError where files of the data folder cannot be changed."""
    try:
        yield
    except OSError as error:
        raise StoreUnwritableError(
            f"A file in {folder} cannot be changed: {error.strerror or error}. Nobody was erased in the database.",
            next_step="Check the folder's permissions and the free space on its disk, then erase them again.",
        ) from error


def _mail_names(message_ids: Iterable[str]) -> set[str]:
    """Return the names that e-mails with these Message-IDs have in the outbox."""
    return {f"{re.sub(r'[^A-Za-z0-9.@-]', '_', item.strip('<>'))}.eml" for item in message_ids}


def _emptied(work: UnitOfWork, traces: Traces, by: Decided) -> int:
    if by.is_asked or traces.was_suppressed:
        work.erasures.keep_hashes(traces.hashed, reason=REASON, actor=by.actor, now=by.now)
    is_ours = provider_of(traces.contact.id) == LOCAL
    left_as = traces.contact.id if is_ours else next(iter(by.new_ids))
    return work.erasures.empty(traces, contact_id=left_as, actor=by.actor, now=by.now)


def _written_down(work: UnitOfWork, everybody: Items[Traces], tally: ErasureTally, *, by: Decided) -> ErasureTally:
    """Empty what the audit told of these people; write down that it was, and who is erased, by our ids alone."""
    rows = work.erasures.redact_audit(everybody)
    facts = {"runs": tally.runs, "texts": tally.texts, "replies": tally.replies, "people": tally.people}
    record = work.audit.record
    if rows:
        record(at=by.now, actor=by.actor, action=REDACTED, subject="audit", detail={"rows": rows})
    for traces in everybody:
        if not traces.number:  # known by an address alone
            continue
        is_ours = provider_of(traces.contact.id) == LOCAL
        subject = traces.contact.id if is_ours else "a vendor's contact"
        record(at=by.now, actor=by.actor, action="contact.erased", subject=subject, detail=facts)
    work.erasures.end(now=by.now)
    return replace(tally, audit_rows=len(rows))


def _require_at_rest(work: UnitOfWork, traces: Traces, *, now: datetime) -> None:
    """Raise ConflictError while what becomes of something of theirs is not written down yet."""
    until = work.erasures.being_sent(traces)
    if until is not None:
        when = (
            f"until {until:%H:%M:%S} UTC at the latest"
            if until > now
            else "and nobody has written down how it ended"
        )
        raise ConflictError(
            f"An e-mail to them is on its way, {when}; nobody was erased.",
            next_step="Erase them again in a minute; `sequences-mcp work --once` writes down what became of it.",
        )
    if operation_id := work.erasures.open_request(traces):
        raise ConflictError(
            "What became of a request to a vendor about them is not known yet; nobody was erased.",
            next_step=f"check_operation with {operation_id} finds out; then erase them again.",
            data={"operation_id": operation_id},
        )
    live = [run for run in work.runs.by_ids(traces.runs.values()) if run.is_at_vendor and run.status in LIVE]
    if live:
        raise ConflictError(
            f"{live[0].provider.capitalize()} still writes to them ({live[0].remote_id or live[0].id}); "
            "nobody was erased.",
            next_step="Stop it there first (stop_sequence, or in the vendor's own app). Once it is over there: "
            f"sequences-mcp review resolve {live[0].id}",
            data={"runs": [run.id for run in live]},
        )


def _uncover(work: UnitOfWork, plan_id: str, marks: PersonMarks) -> None:
    """Take somebody out of a plan's warnings about everybody; an approval of the plan goes on for the others."""
    plan = work.plans.find(plan_id)
    if plan is None:
        return
    warnings = tuple(map(marks.out_of, plan.header.warnings))
    if warnings == plan.header.warnings:
        return
    digests = work.plans.text_digests(plan_id)
    left = replace(plan, header=replace(plan.header, warnings=warnings))
    if plan.digest and stands_for(work, plan, sealed_digest(plan, digests)):
        work.plans.redact(plan_id, present=sealed_digest(left, digests), sealed=plan.digest)
    work.plans.cover(left)


def _files_gone(workspace: Workspace, everybody: Items[Traces]) -> int:
    """Remove a person's e-mails from the outbox, what was kept of their deliveries, and every export.

    Return how many files. An export that is being written throws itself away (services.exports).
    """
    gone = 0
    names = _mail_names(item for traces in everybody for item in traces.message_ids)
    marks = PersonMarks(addresses=frozenset(item for traces in everybody for item in traces.marks.addresses))
    for path in [*workspace.outbox.glob("*.eml"), *workspace.outbox.glob(".*.tmp")]:
        if path.name in names or marks.are_in(_headers(path)):
            path.unlink(missing_ok=True)
            gone += 1
    for lease in {lease for traces in everybody for lease in traces.leases}:
        for path in workspace.receipts.glob(f"{lease}.*"):
            path.unlink(missing_ok=True)
            gone += 1
    either = PersonMarks()
    for traces in everybody:
        either |= traces.marks
    for path in workspace.workers.glob("*.json"):  # what a process last said, which it says anew if it lives
        gone += _gone_if_named(path, either)
    return gone + delete_exports(workspace.exports)  # copies of what is kept here, which can be made again


def _delete_late_exports(folder: Path) -> None:
    try:
        delete_exports(folder)
    except OSError as error:  # they go after a day; the person is erased
        log.warning("An export cannot be deleted: %s", error)


def _gone_if_named(path: Path, marks: PersonMarks) -> int:
    """Remove a file that names somebody; return how many that is."""
    try:
        if path.is_file() and marks.are_in(path.read_text("utf-8", "replace")):
            path.unlink()
            return 1
    except FileNotFoundError:  # its own process was quicker
        pass
    return 0


def _headers(path: Path) -> str:
    try:
        head, _, _ = path.read_bytes().replace(b"\r\n", b"\n").partition(b"\n\n")
    except FileNotFoundError:
        return ""
    return head.decode("utf-8", "replace")


def held_at_vendors(work: Repositories, contact_id: str) -> list[HeldAtVendor]:
    """Return what each vendor is known to hold of a person, as far as it was handed over from here."""
    contact_ids: dict[str, dict[str, None]] = {}
    runs: dict[str, dict[str, None]] = {}
    given: dict[str, dict[str, None]] = {}
    if provider_of(contact_id) != LOCAL:
        contact_ids[provider_of(contact_id)] = {contact_id: None}
    for run in work.runs.all_of_contact(contact_id):
        if not run.is_at_vendor or not run.is_handed_over:
            continue
        contact_ids.setdefault(run.provider, {}).update(dict.fromkeys(run.ids_given))
        given.setdefault(run.provider, {}).update(dict.fromkeys(run.vendor_facts))
        runs.setdefault(run.provider, {}).update({run.remote_id or run.id: None})
    return [
        HeldAtVendor(
            vendor=name,
            contact_ids=tuple(contact_ids.get(name, ())),
            runs=tuple(runs.get(name, ())),
            given=tuple(given.get(name, ())),
        )
        for name in dict.fromkeys((*contact_ids, *runs))
    ]


def erase_again(store: Store, *, now: datetime) -> int:
    """Erase anew whoever an older database has brought back, by the journal beside it; return how many.

    They were erased on a person's word, or by time, after the state that was put back. Done before anything else
    is done with the database. StoreUnwritableError where a file of theirs cannot be removed.
    """
    if not store.lineage.brings_back_erased():
        return 0
    done = _in_one(store, lambda work: _erased_again(work, store.workspace.folder, now=now))
    who = "1 person is" if done == 1 else f"{done:,} people are"
    log.warning("The database is older than some erasures: %s erased again.", who)
    store.erasures.sweep()
    return done


def _in_one(store: Store, act: Callable[[UnitOfWork], T]) -> T:
    with store.transaction() as work:
        return act(work)


def _erased_again(work: UnitOfWork, folder: Path, *, now: datetime) -> int:
    ids, addresses = work.erasures.brought_back()
    new_ids = (new_id(IdKind.CONTACT, now, os.urandom(KEY_ENTROPY)) for _ in iter(int, 1))
    by = Decided(actors.ENGINE, now, new_ids=new_ids, is_asked=False, is_repeated=True)
    for begin in range(0, len(ids), AT_ONCE):
        erased(work, ids[begin : begin + AT_ONCE], folder, by=by)
    if nobodys := work.erasures.traces_of_addresses(addresses):
        _removed(work, nobodys, folder, by=by)
    work.erasures.end_regained()
    detail = {"people": len(ids), "addresses": len(addresses)}
    work.audit.record(at=now, actor=actors.ENGINE, action=REPEATED, subject="database", detail=detail)
    return len(ids)


def keep_no_longer(store: Store, *, days: int, now: datetime) -> int:
    """Erase some people whose last step lies so many days back, as the operator's setting says; return how many.

    Whoever is in a plan that waits, or under way, stays. After a leap of the clock, as after a time without any
    program, people are due as of the last look before it until three days have passed: a clock that is ahead
    erases nobody. Also finishes what an erasure could not finish.
    """
    done = 0
    if days and (due := _due(store, days=days, now=now)):
        try:
            done = _in_one(store, lambda work: _erased_by_time(work, due, store.workspace.folder, now=now))
        except StoreUnwritableError as error:
            log.error("%s %s", error, error.next_step)
    if store.erasures.unswept():
        store.erasures.sweep()
    return done


def _due(store: Store, *, days: int, now: datetime) -> list[str]:
    """Return some people who are to be erased now; a warning in the log tells of those who wait for the clock."""
    as_of = _in_one(store, lambda work: work.erasures.look(now=now))
    due = store.erasures.due(before=as_of - timedelta(days=days), size=AT_ONCE) if as_of else []
    if not due and as_of != now and store.erasures.due(before=now - timedelta(days=days), size=1):
        log.warning(
            "Nobody is erased by time yet: the clock says %s, which no earlier look bears out. If it is right, "
            "they are erased in three days; else set it.",
            f"{now:%Y-%m-%d %H:%M} UTC",
        )
    return due


def _erased_by_time(work: UnitOfWork, due: Items[str], folder: Path, *, now: datetime) -> int:
    new_ids = (new_id(IdKind.CONTACT, now, os.urandom(KEY_ENTROPY)) for _ in iter(int, 1))
    by = Decided(actors.RETENTION, now, new_ids=new_ids, is_asked=False)
    at_rest = [item for item in due if _is_at_rest(work, item, now=now)]
    return erased(work, at_rest, folder, by=by).people if at_rest else 0


def _is_at_rest(work: UnitOfWork, contact_id: str, *, now: datetime) -> bool:
    try:
        for traces in work.erasures.traces([contact_id]):
            _require_at_rest(work, traces, now=now)
    except ConflictError:
        return False
    return True
