"""Erasing people: their rows are emptied, their names and addresses taken out of all other rows and journals.

Which column can tell of a person, and what becomes of it, is listed in tests/store/test_erasure_columns.py; a new
column fails there until it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Sequence as Items
from datetime import datetime
from functools import cached_property
from typing import Any

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.addresses import address_key, spellings
from sequences_mcp.domain.contact import Contact, ContactFields
from sequences_mcp.domain.erasure import (
    ADDRESS,
    CONTACT,
    ERASED,
    REDACTED,
    ErasedKey,
    PersonMarks,
    Traces,
    erased_hash,
    erased_keys,
    is_steady,
    marks_of,
    proven_by,
    records_of,
)
from sequences_mcp.domain.ids import LOCAL, VENDORS, IdKind
from sequences_mcp.lazy_dataclasses import dataclass, field
from sequences_mcp.store import journals
from sequences_mcp.store.audit import AuditRepository
from sequences_mcp.store.contacts import ContactRepository
from sequences_mcp.store.database import Database, Row
from sequences_mcp.store.statements import from_micros, to_micros
from sequences_mcp.store.suppressions import is_anybody_erased

OF_DATABASE = "message_id"  # the key made with the database, so that a backup of it has the same
JOURNAL_KIND = "erased"
NO_ROW = f"{LOCAL}:{IdKind.CONTACT}_none"
ENOUGH = 3  # letters of ASCII, by which rows are looked for that are then looked at


@dataclass(slots=True, kw_only=True)
class Removed:
    """What an erasure removed, as counts, and the ids of what still names the person and stays.

    ``message_ids`` are those of e-mails to others that named them: their files go as well.
    """

    replies: int = 0
    audit_rows: int = 0
    calls: int = 0
    stays: dict[str, None] = field(default_factory=dict)
    message_ids: set[str] = field(default_factory=set)


class ErasureRepository:
    """People who were erased, and what it takes to erase one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # By what somebody is known again.

    def known(self, keys: Iterable[ErasedKey]) -> set[ErasedKey]:
        """Return those of these keys (address, number, profile, id) that belong to somebody who was erased."""
        if not self.is_anybody():
            return set()
        secret = self._database.secret(OF_DATABASE)
        hashes = {erased_hash(secret, key): key for key in keys}
        rows = self._database.rows("erasure.hashes", hashes=json.dumps(list(hashes)))
        return {hashes[row["hash"]] for row in rows}

    def is_anybody(self) -> bool:
        """Say whether the hash of anybody who was erased is kept."""
        return is_anybody_erased(self._database)

    def known_people(self, people: Iterable[Contact]) -> set[str]:
        """Return the ids of those of these people who were erased before, by their facts or by their ids."""
        if not self.is_anybody():
            return set()
        keys = {person.id: erased_keys(person, ids=[person.id]) for person in people}
        erased = self.known(key for each in keys.values() for key in each)
        return {contact_id for contact_id, each in keys.items() if not erased.isdisjoint(each)}

    def keep_hashes(self, keys: Iterable[ErasedKey], *, reason: str, actor: Actor, now: datetime) -> None:
        """Keep the hashes of one person's marks, and write them to the journal once that is committed.

        They have an instant of their own, by which one is lifted with the others.
        """
        secret = self._database.secret(OF_DATABASE)
        latest = self._database.rows("erasure.latest_hash")[0]["at"] or 0
        facts: dict[str, Any] = {"reason": reason, "actor": actor, "at": max(to_micros(now), latest + 1)}
        for key in keys:
            value = erased_hash(secret, key)
            if self._database.write("erasure.keep_hash", hash=value, **facts):
                self.end_lifted(JOURNAL_KIND, value)
                self._note({"do": "suppress", "kind": JOURNAL_KIND, "value": value, **facts})

    def lift(self, key: ErasedKey, *, reason: str, actor: Actor, now: datetime) -> bool:
        """Forget every hash of whoever has this mark, on a person's word; False where none is kept."""
        value = erased_hash(self._database.secret(OF_DATABASE), key)
        hashes = self._database.rows("erasure.hashes_beside", hash=value)
        for row in hashes:
            facts = {"reason": reason, "actor": actor, "at": max(to_micros(now), row["at"])}
            self._database.write("erasure.lift_hash", hash=row["hash"], at=facts["at"])
            self.keep_lifted(JOURNAL_KIND, row["hash"], at=max(to_micros(now), row["at"] + 1))
            self._note({"do": "lift", "kind": JOURNAL_KIND, "value": row["hash"], **facts})
        return bool(hashes)

    def keep_lifted(self, kind: str, value: str, *, at: int) -> None:
        """Keep that a suppression or a hash was taken off its list, for the journals of all hosts."""
        self._database.write("suppressions.keep_lifted", hash=self.lifted_hash(kind, value), at=at)

    def end_lifted(self, kind: str, value: str) -> None:
        """Forget that, because it is on its list again."""
        self._database.write("suppressions.end_lifted", hash=self.lifted_hash(kind, value))

    def lifted_hash(self, kind: str, value: str) -> str:
        """Return the hash by which that is kept; a hash is its own."""
        return value if kind == JOURNAL_KIND else erased_hash(self._key, (f"lifted {kind}", value))

    @cached_property
    def _key(self) -> bytes:
        return self._database.secret(OF_DATABASE)

    def replay(self, records: Iterable[Mapping[str, Any]]) -> int:
        """Apply what the journal says of hashes, in the caller's transaction; return how many were regained."""
        regained = 0
        records = [record for record in records if record.get("kind") == JOURNAL_KIND and record.get("value")]
        hashes = {row["hash"] for row in self._database.rows("erasure.all_hashes")} if records else set()
        for record in records:
            value = record["value"]
            if record.get("do") == "lift":
                if self._database.write("erasure.lift_hash", hash=value, at=record["at"]):
                    hashes.discard(value)
                self.keep_lifted(JOURNAL_KIND, value, at=record["at"])
            elif value not in hashes:
                facts = {name: record[name] for name in ("reason", "actor", "at")}
                regained += self._database.write("erasure.regain_hash", hash=value, **facts)
                hashes.add(value)
        return regained

    def brought_back(self) -> tuple[list[str], list[str]]:
        """Return the ids of people whom an older database has brought back, and addresses that it has of them.

        A person is known by their id alone, which is the same in every state of one database: whoever else has a
        number or an address of theirs was not erased with them.
        """
        hashes = {row["hash"] for row in self._database.rows("erasure.regained")}
        secret = self._database.secret(OF_DATABASE)

        def is_back(key: ErasedKey) -> bool:
            return erased_hash(secret, key) in hashes

        ids = [row["id"] for row in self._database.rows("erasure.present_ids") if is_back((CONTACT, row["id"]))]
        addresses = [row["sender"] for row in self._database.rows("erasure.senders")]
        addresses += [row["value"] for row in self._database.rows("suppressions.all") if row["kind"] == ADDRESS]
        return ids, [item for item in addresses if item and is_back((ADDRESS, address_key(item)))]

    def traces_of_addresses(self, addresses: Iterable[str]) -> list[Traces]:
        """Return where people who have no row are known by their addresses, which nobody else has now."""
        marks = PersonMarks(addresses=frozenset(addresses))
        marks = marks.without((), address_keys=self._addresses_of_others(_keys_of(marks), numbers=()))
        marks = marks.without((), address_keys=self._senders()[1])
        if not marks.addresses:
            return []
        return [
            Traces(
                number=0,
                contact=Contact(id=NO_ROW, created_at=from_micros(0), updated_at=from_micros(0)),
                runs={},
                plan_ids=(),
                keys=(),
                leases=(),
                texts=0,
                addresses=tuple(sorted(marks.addresses)),
                marks=marks,
                records=PersonMarks(),
                subjects=tuple(f"address:{key}" for key in _keys_of(marks)),
                message_ids=(),
                vendor_ids=(),
                was_suppressed=False,
            )
        ]

    def count_as_not_done(self, everybody: Collection[Traces], *, now: datetime) -> None:
        """Count requests about people as not done whose outcome an older database does not know.

        A request that was about others as well, who are still under way, stays as it is for them.
        """
        subjects = json.dumps([subject for traces in everybody for subject in traces.subjects])
        numbers = json.dumps([traces.number for traces in everybody])
        self._database.write("erasure.count_as_not_done", subjects=subjects, numbers=numbers, now=to_micros(now))

    def end_regained(self) -> None:
        """Note that whoever was brought back is erased anew."""
        self._database.write("erasure.end_regained")

    def lines(self) -> list[dict[str, Any]]:
        """Return the hashes that are kept as lines of the journal."""
        rows = self._database.rows("erasure.all_hashes")
        facts = ("reason", "actor", "at")
        return [
            {"do": "suppress", "kind": JOURNAL_KIND, "value": row["hash"], **{name: row[name] for name in facts}}
            for row in rows
        ]

    def _note(self, record: Mapping[str, Any]) -> None:
        path = self._database.workspace.suppression_journal
        self._database.write("lineage.suppressions_read", suppressions_read=-1)
        self._database.after_commit(lambda: journals.append_if_possible(path, record))

    # One erasure, inside the caller's transaction.

    def traces(self, contact_ids: Iterable[str]) -> list[Traces]:
        """Return where these people are, those of them who are not erased yet."""
        rows = self._database.rows("erasure.numbers", ids=json.dumps(list(contact_ids)))
        people = {who.id: who for who in ContactRepository(self._database).by_ids([row["id"] for row in rows])}
        numbers = [row["no"] for row in rows]
        return [self._traces(row["no"], people[row["id"]], numbers=numbers) for row in rows]

    def _traces(self, number: int, contact: Contact, *, numbers: list[int]) -> Traces:
        runs = self._database.rows("erasure.runs", no=number)
        steps = self._database.rows("erasure.steps", no=number)
        keys = tuple(dict.fromkeys(row["key"] for row in steps))
        given = [json.loads(row["handover"]) for row in runs if row["handover"]]
        addresses = {row["address"] for row in self._database.rows("erasure.addresses", no=number)}
        addresses |= {item for facts in given for item in _addresses_given(facts)}
        vendor_ids = {value for facts in given for value in facts.values() if _is_vendors(value)}
        vendor_ids |= {contact.id} if _is_vendors(contact.id) else set()
        ids = vendor_ids | {row["remote_id"] for row in runs if row["remote_id"]}
        marks = marks_of(contact, addresses=addresses, ids=ids)
        records = records_of(contact)
        words = json.dumps([*marks.words, *records.words])
        shared = [
            row["word"] for row in self._database.rows("erasure.shared", words=words, numbers=json.dumps(numbers))
        ]
        attempts = self._database.rows("erasure.message_ids", keys=json.dumps(keys))
        others_now = self._addresses_of_others(_keys_of(marks), numbers=numbers)
        marks = marks.without((), address_keys=others_now)
        own_words, own_addresses = self._senders()
        subjects = [contact.id, *ids, *(row["id"] for row in runs)]
        subjects += [f"{LOCAL}:{kind}_{key}" for key in keys for kind in (IdKind.DRAFT, IdKind.TASK)]
        subjects += [f"address:{key}" for key in _keys_of(marks)] + [
            f"contact:{item}" for item in (contact.id, *ids)
        ]
        return Traces(
            number=number,
            contact=contact,
            runs={row["no"]: row["id"] for row in runs},
            plan_ids=tuple(dict.fromkeys(row["plan_id"] for row in runs)),
            keys=keys,
            leases=tuple(row["lease"] for row in attempts),
            texts=sum(row["is_written"] for row in steps),
            addresses=tuple(sorted(marks.addresses)),
            marks=marks.without([*shared, *own_words], address_keys=own_addresses),
            records=records.without(shared),
            subjects=tuple(subjects),
            message_ids=tuple(row["message_id"] for row in attempts),
            vendor_ids=tuple(sorted(vendor_ids)),
            was_suppressed=self._was_suppressed(marks, [contact.id, *ids]),
        )

    def _was_suppressed(self, marks: PersonMarks, ids: Items[str]) -> bool:
        names = {"addresses": json.dumps(_keys_of(marks)), "ids": json.dumps(ids)}
        return self._database.row("erasure.was_suppressed", **names) is not None

    def _addresses_of_others(self, keys: Items[str], *, numbers: Items[int]) -> list[str]:
        """Return those addresses that somebody else has now, such as a role's that changed hands."""
        values = {"keys": json.dumps(keys), "numbers": json.dumps(numbers)}
        return [row["address"] for row in self._database.rows("erasure.addresses_of_others", **values)]

    def _senders_of(self, marks: PersonMarks) -> list[str]:
        """Return every spelling, as the database writes it in small letters, under which mail of theirs came."""
        spelled = {
            spelling for item in marks.addresses for spelling in (item, *spellings(item), address_key(item))
        }
        keys = {key for key in _keys_of(marks) if not key.isascii() or "xn--" in key}
        if keys:  # SQLite knows the small letters of ASCII alone, so these are compared here
            senders = (row["sender"] for row in self._database.rows("erasure.senders"))
            spelled |= {sender for sender in senders if address_key(sender) in keys}
        return sorted({form for text in spelled for form in (text.lower(), text.casefold(), _small(text))})

    def _senders(self) -> tuple[set[str], set[str]]:
        """Return the names and the addresses, by key, of those who send here: every e-mail has them.

        Somebody who tried it with their own address is a contact as well.
        """
        terms = [json.loads(row["terms"]) for row in self._database.rows("erasure.terms")]
        names = {form for facts in terms for form in _orders_of(facts.get("sender_name") or "")}
        addresses = {facts.get(name) or "" for facts in terms for name in ("sender_address", "reply_to")}
        return names, {address_key(address) for address in addresses if address}

    def being_sent(self, traces: Traces) -> datetime | None:
        """Return until when an e-mail of theirs is on its way, or None."""
        rows = self._database.rows("erasure.in_flight", no=traces.number)
        return max((from_micros(row["lease_expires_at"]) for row in rows), default=None)

    def open_request(self, traces: Traces) -> str | None:
        """Return a request to a vendor about them of which nobody knows yet what came of it, or None."""
        subjects = json.dumps(traces.subjects)
        row = self._database.row("erasure.open_requests", no=traces.number, subjects=subjects)
        return str(row["id"]) if row else None

    def empty(self, traces: Traces, *, contact_id: str, actor: Actor, now: datetime) -> int:
        """Empty a person's own rows, under the id that their row has from now on; return how many replies."""
        from sequences_mcp.domain.run import TO_OUTBOX

        write, no = self._database.write, traces.number
        senders = json.dumps(self._senders_of(traces.marks))
        keys, subjects = json.dumps(traces.keys), json.dumps(traces.subjects)
        names = {
            "addresses": json.dumps([value for kind, value in traces.hashed if kind == ADDRESS]),
            "ids": json.dumps([traces.contact.id, *traces.marks.ids]),
        }
        for run in traces.runs:
            write("erasure.begin", kind="sequence", no=run)
        write("erasure.forget_texts", no=no, outbox=TO_OUTBOX, in_outbox=f"{TO_OUTBOX}%")
        write("erasure.forget_readings", no=no)
        write("erasure.forget_vendor_errors", no=no)
        replies = write("erasure.forget_replies", no=no, senders=senders)
        replies += write("erasure.forget_unmatched", senders=senders)
        write("erasure.forget_former", no=no, addresses=names["addresses"])
        write("erasure.forget_unseen", keys=keys, senders=senders)
        write("erasure.forget_suppressions", **names)
        write("erasure.forget_requests", subjects=subjects, erased=ERASED)
        write(
            "erasure.forget_changes",
            subjects=subjects,
            ids=names["ids"],
            erased=contact_id,
            actor=actor,
            now=to_micros(now),
        )
        write("erasure.forget_runs", no=no)
        write("erasure.forget_contact", no=no, id=contact_id, now=to_micros(now))
        for plan_id in traces.plan_ids:
            write("erasure.forget_call_of_plan", id=plan_id)
        return replies

    def take_out(self, everybody: Items[Traces]) -> Removed:
        """Take the marks of these people out of all that is about somebody or something else."""
        removed = Removed()
        marks = _joined(traces.marks for traces in everybody)
        self._forget_left_out({traces.contact.id for traces in everybody})
        for mention in MENTIONS:
            self._rewrite(mention, marks)
        removed.calls = self._forget_calls(everybody, marks)
        patterns = _patterns(marks)
        self._texts_of_others(marks, patterns, removed)
        self._addresses_in_other_runs(marks, removed)
        for row in self._database.rows("erasure.versions_naming", patterns=patterns) if marks.forms else ():
            if marks.are_in(row["name"]) or marks.are_in_json(row["told"]):
                removed.stays[row["id"]] = None
        return removed

    def _forget_left_out(self, contact_ids: set[str]) -> None:
        pieces = {"table": "plan", "key": "no", "columns": "learnt", "column": "learnt"}
        for row in self._database.pieced("erasure.mentions", pieces, {}):
            if row["learnt"] and (left := _without_people(row["learnt"], contact_ids)) != row["learnt"]:
                self._database.pieced("erasure.rewrite", pieces, {"value": left, "row_key": row["row_key"]})

    def _rewrite(self, mention: Mention, marks: PersonMarks) -> None:
        pieces = {
            "table": mention.table,
            "key": mention.key,
            "columns": ", ".join((*mention.texts, *mention.json)),
        }
        for row in self._database.pieced("erasure.mentions", pieces, {}):
            for name in (*mention.texts, *mention.json):
                before = row[name]
                if before is None or not (
                    marks.are_in_json(before) if name in mention.json else marks.are_in(before)
                ):
                    continue
                after = marks.out_of_json(before) if name in mention.json else marks.out_of(before)
                self._database.pieced(
                    "erasure.rewrite", {**pieces, "column": name}, {"value": after, "row_key": row["row_key"]}
                )

    def _forget_calls(self, everybody: Items[Traces], marks: PersonMarks) -> int:
        names = frozenset(item for traces in everybody for item in (*traces.subjects, *traces.keys))
        either = marks | PersonMarks(ids=names)
        ids = [
            row["id"]
            for row in self._database.rows("erasure.calls")
            if either.are_in(row["key"]) or either.are_in_json(row["answer"])
        ]
        return self._database.write("erasure.forget_calls", ids=json.dumps(ids))

    def _texts_of_others(self, marks: PersonMarks, patterns: str, removed: Removed) -> None:
        """Take marks out of the texts of runs that are over; what is still to be sent stays, and is told."""
        if not marks.forms:
            return
        keys = set()
        for row in self._database.rows("erasure.texts_naming", patterns=patterns):
            if not (marks.are_in(row["content"]) or marks.are_in(row["subject"])):
                continue
            if not row["is_over"]:
                removed.stays[row["id"]] = None
                continue
            self._database.write("erasure.begin", kind="sequence", no=row["run_no"])
            texts = {name: row[name] and marks.out_of(row[name]) for name in ("subject", "content")}
            self._database.write("erasure.rewrite_text", no=row["no"], **texts)
            keys.add(row["key"])
        rows = self._database.rows("erasure.message_ids", keys=json.dumps(sorted(keys)))
        removed.message_ids |= {row["message_id"] for row in rows}
        for row in self._database.rows("erasure.runs_naming", patterns=patterns):
            if not (marks.are_in_json(row["variables"]) or marks.are_in_json(row["handover"])):
                continue
            if not row["is_over"]:
                removed.stays[row["id"]] = None
                continue
            self._database.write("erasure.begin", kind="sequence", no=row["no"])
            values = {name: row[name] and marks.out_of_json(row[name]) for name in ("variables", "handover")}
            self._database.write("erasure.rewrite_values", no=row["no"], **values)

    def _addresses_in_other_runs(self, marks: PersonMarks, removed: Removed) -> None:
        """Take their addresses out of runs, over by now, of whoever had one of them before."""
        senders = json.dumps(self._senders_of(marks))
        for row in self._database.rows("erasure.others_at", keys=json.dumps(_keys_of(marks))):
            if not row["is_over"]:
                removed.stays[row["id"]] = None
                continue
            self._database.write("erasure.begin", kind="sequence", no=row["no"])
            self._database.write("erasure.forget_address", no=row["no"])
            self._database.write("erasure.forget_recipients", no=row["no"], senders=senders)

    def redact_audit(self, everybody: Items[Traces]) -> dict[int, str]:
        """Empty the rows of the audit that tell of these people; return by number the hash of what is left."""
        marks = _joined(traces.marks for traces in everybody)
        records = _joined(traces.records for traces in everybody)  # which the rows about their plans repeat
        subjects = {item for traces in everybody for item in traces.subjects}
        plans = {plan_id for traces in everybody for plan_id in traces.plan_ids}
        rows = self._database.rows(
            "erasure.audit_of",
            kept=REDACTED,
            subjects=json.dumps(list(subjects)),
            patterns=_patterns(marks | records),
        )
        results: dict[int, str] = {}
        emptied = AuditRepository(self._database).redactions()
        for row in rows:
            tells = _tells_of(row, marks, subjects) or (
                row["subject"] in plans and records.are_in_json(row["detail"])
            )
            if row["no"] in emptied or not tells:
                continue
            is_opaque = row["subject"].startswith(f"{LOCAL}:") or not (
                row["subject"] in subjects or marks.are_in(row["subject"])
            )
            left = AuditRepository.emptied(
                row, subject=row["subject"] if is_opaque else ERASED, actor=Actor(marks.out_of(row["actor"]))
            )
            self._database.write("erasure.begin", kind="audit", no=row["no"])
            self._database.write(
                "erasure.redact_audit",
                no=row["no"],
                **{name: left[name] for name in ("actor", "subject", "detail")},
            )
            results[row["no"]] = AuditRepository.hash_of_emptied(left)
        return results

    def rewrite_journals(self, everybody: Items[Traces]) -> int:
        """Blank the marks of these people in the journals, each line at its length; return how many lines.

        The files keep their sizes and identities, so that nothing else notices, and lines that others add
        meanwhile are not touched. Done again it changes nothing. Raises OSError.
        """
        marks = _joined(traces.marks for traces in everybody)
        subjects = {item for traces in everybody for item in traces.subjects}
        keys = {key for traces in everybody for key in traces.keys}
        addresses = {key for traces in everybody for key in _keys_of(traces.marks)}

        def blanked(record: dict[str, Any]) -> dict[str, Any]:
            if record.get("key") in keys and record.get("recipient"):
                record = {**record, "recipient": ""}
            if record.get("value") in subjects or record.get("value") in addresses:
                record = {**record, "value": "", "reason": ""}
            if record.get("subject") in subjects and record.get("arguments"):
                record = {**record, "arguments": {}}
            result: dict[str, Any] = marks.out_of_value(record, blank="")
            return result

        folder = self._database.workspace.folder
        return sum(
            journals.rewrite_in_place(folder / name, blanked) for name in (journals.SENT, journals.SUPPRESSIONS)
        )

    def end(self, *, now: datetime) -> None:
        """Forbid changes of fixed rows again; record that the file still has bytes of erased rows."""
        self._database.write("erasure.end")
        self._database.write("erasure.unsweep", since=to_micros(now))

    # What is kept of somebody.

    def everything(self, contact_id: str) -> dict[str, list[dict[str, Any]]]:
        """Return every row that is a person's own or names them, by what it is; nothing for nobody."""
        results: dict[str, list[dict[str, Any]]] = {}
        for traces in self.traces([contact_id]):
            values = {
                "no": traces.number,
                "subjects": json.dumps(traces.subjects),
                "keys": json.dumps(traces.keys),
                "senders": json.dumps(self._senders_of(traces.marks)),
                "addresses": json.dumps(_keys_of(traces.marks)),
            }
            for name, table, condition in OWN_ROWS:
                rows = self._database.pieced("erasure.own_rows", {"table": table, "condition": condition}, values)
                results[name] = [_readable(row) for row in rows]
            rows = self._database.rows(
                "erasure.audit_of", kept=REDACTED, subjects=values["subjects"], patterns=_patterns(traces.marks)
            )
            subjects = set(traces.subjects)
            results["audit"] = [_readable(row) for row in rows if _tells_of(row, traces.marks, subjects)]
        return results

    # Afterwards, and by time alone.

    def unswept(self) -> bool:
        """Say whether bytes of what was erased may still be in pages that the file no longer uses."""
        return self._database.row("erasure.unswept") is not None

    def sweep(self) -> bool:
        """Remove such bytes; False where other programs keep the file from being rewritten now."""
        if not self._database.sweep():
            return False
        self._database.write("erasure.swept")
        return True

    def due(self, *, before: datetime, size: int) -> list[str]:
        """Return some people of whom nothing happened since an instant, nothing goes on, and whose run is over."""
        return [row["id"] for row in self._database.rows("erasure.due", before=to_micros(before), size=size)]

    def look(self, *, now: datetime) -> datetime | None:
        """Write down that it is looked for such people; return the instant by which they may be judged, if any."""
        looks = [from_micros(row["at"]) for row in self._database.rows("erasure.looks")]
        proven = proven_by(looks, now)
        self._database.write("erasure.forget_looks", now=to_micros(now), proven=to_micros(proven) if proven else 0)
        self._database.write("erasure.note_look", now=to_micros(now))
        return proven and (now if is_steady(looks, since=proven, now=now) else proven)


@dataclass(frozen=True, slots=True)
class Mention:
    """A table of which texts, or JSON, that are about somebody or something else may name a person."""

    table: str
    key: str
    texts: tuple[str, ...] = ()
    json: tuple[str, ...] = ()


MENTIONS = (
    Mention("contact", "no", texts=("notes",)),
    Mention("plan", "no", texts=("reason", "call_key"), json=("learnt",)),
    Mention("sequence", "no", texts=("reason",), json=("findings",)),
    Mention("inbound", "no", texts=("sender", "subject", "text", "why")),
    Mention("unmatched_mail", "no", texts=("sender", "subject", "text", "why")),
    Mention("suppression", "kind || ':' || value", texts=("reason",)),
    Mention("vendor_operation", "no", texts=("subject", "key"), json=("request", "answer")),
    Mention("vendor_error", "sequence_no", json=("told",)),
    Mention("vendor_reading", "sequence_no", json=("facts",)),
    Mention("asked_change", "id", texts=("reason",), json=("arguments", "earlier")),
    Mention("left_unseen", "no", texts=("why", "recipient"), json=("facts",)),
    Mention("mailbox_rest", "sender", texts=("why", "reply")),
    Mention("mailbox_reading", "mailbox", texts=("error", "reply")),
    Mention("worker", "host || ':' || process || ':' || lane", texts=("error",)),
    Mention("attempt", "lease", texts=("code",)),
)


_THEIR_RUNS = "sequence_no IN (SELECT no FROM sequence WHERE contact_no = :no)"
OWN_ROWS = (
    ("contact", "contact", "no = :no"),
    ("former_addresses", "former_address", "contact_no = :no"),
    ("runs", "sequence", "contact_no = :no"),
    ("texts", "step_run", _THEIR_RUNS),
    ("attempts", "attempt", "key IN (SELECT value FROM json_each(:keys))"),
    ("replies", "inbound", "sequence_no IN (SELECT no FROM sequence WHERE contact_no = :no) "
     "OR lower(sender) IN (SELECT value FROM json_each(:senders))"),
    ("unmatched_mail", "unmatched_mail", "lower(sender) IN (SELECT value FROM json_each(:senders))"),
    ("recorded_replies", "recorded_reply", "contact_no = :no"),
    ("suppressions", "suppression", "value IN (SELECT value FROM json_each(:addresses) UNION "
     "SELECT value FROM json_each(:subjects))"),
    ("requests_to_vendors", "vendor_operation", "subject IN (SELECT value FROM json_each(:subjects))"),
    ("told_by_vendors", "vendor_reading", _THEIR_RUNS),
    ("errors_of_vendors", "vendor_error", _THEIR_RUNS),
    ("changes", "asked_change", "subject IN (SELECT value FROM json_each(:subjects))"),
    ("left_unseen", "left_unseen", "key IN (SELECT value FROM json_each(:keys))"),
)  # fmt: skip
"""What is a person's own, for an export: what it is called there, its table, and which rows."""
_NOT_SHOWN = frozenset({"email_key", "search", "previous", "hash", "message_digest", "lease", "no"})


def _readable(row: Row) -> dict[str, Any]:
    """Return a row as people read it: without its keys, instants in ISO 8601, JSON as it is."""
    facts = {name: value for name, value in dict(row).items() if value is not None and not name.endswith("_no")}
    return {name: _shown(value) for name, value in facts.items() if name not in _NOT_SHOWN}


def _shown(value: Any) -> Any:
    if isinstance(value, int) and value > _INSTANTS_FROM:
        return from_micros(value).isoformat()
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value.hex() if isinstance(value, bytes) else value


_INSTANTS_FROM = 10**14  # microseconds: the first days of 1973; no count here is so large


def _patterns(marks: PersonMarks) -> str:
    """Return patterns for LIKE that let through all that ``marks`` can be in, and some more: look again in it."""
    return json.dumps(sorted({pattern for form in marks.forms for pattern in _likes(form)}))


def _likes(form: str) -> Iterator[str]:
    # LIKE knows the case of ASCII alone. In JSON a quotation mark has two characters, and up to six stand between
    # two lines: backslash r, backslash n, ">", a space.
    is_loose = sum(letter.isascii() and letter.isalnum() for letter in form) >= ENOUGH
    for spelled in {form} if is_loose else {form, form.lower(), form.upper(), form.title()}:
        for wide in range(1, 7) if re.search(r"\s", spelled) else (1,):
            for quoted in ("_", "__") if re.search(r'["\\]', spelled) else ("_",):
                yield f"%{''.join(_like(letter, is_loose, wide, quoted=quoted) for letter in spelled)}%"


def _like(letter: str, is_loose: bool, wide: int, *, quoted: str) -> str:
    if letter.isspace():
        return "_" * wide
    if letter in '"\\':
        return quoted
    return "_" if letter in "%_" or (is_loose and not letter.isascii()) else letter


def _small(text: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


def _tells_of(row: Row, marks: PersonMarks, subjects: set[str]) -> bool:
    """Say whether a row of the audit is about somebody or names them."""
    names_them = marks.are_in_json(row["detail"]) or any(map(marks.are_in, (row["subject"], row["actor"])))
    return row["subject"] in subjects or names_them


def _orders_of(name: str) -> Iterator[str]:
    first, _, last = name.strip().rpartition(" ")
    yield from (name.strip(), f"{last}, {first}")


def _joined(marks: Iterable[PersonMarks]) -> PersonMarks:
    result = PersonMarks()
    for of_person in marks:
        result |= of_person
    return result


def _keys_of(marks: PersonMarks) -> list[str]:
    return sorted({key for _, key in erased_keys(ContactFields(), addresses=marks.addresses)})


def _addresses_given(facts: Mapping[str, str]) -> Iterator[str]:
    from sequences_mcp.domain.run import AND, MORE_EMAILS

    yield from (facts.get("email") or "").split(AND)
    yield from facts.get(MORE_EMAILS, "").split(AND)


def _is_vendors(text: str) -> bool:
    provider, _, id_there = text.partition(":")
    return bool(id_there) and provider in VENDORS and " " not in text


def _without_people(text: str, contact_ids: set[str]) -> str:
    """Return JSON of what was learnt while a plan was made, without these people among the first left out."""
    learnt = json.loads(text)
    first = [person for person in learnt.get("first", ()) if person.get("contact_id") not in contact_ids]
    return (
        json.dumps({**learnt, "first": first}, ensure_ascii=False)
        if len(first) < len(learnt.get("first", ()))
        else text
    )
