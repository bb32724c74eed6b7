"""Plans, the digests of their texts, and the approvals of people."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.digests import resend_digest
from sequences_mcp.domain.entries import Approval, OtherSettings
from sequences_mcp.domain.findings import Counted, grouped
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.plan import Plan, PlanHeader, PlanStatus, Terms
from sequences_mcp.errors import ApprovalError
from sequences_mcp.store.database import Database, Row
from sequences_mcp.store.statements import from_micros, to_micros
from sequences_mcp.store.upkeep import first_due

if TYPE_CHECKING:
    from sequences_mcp.domain.records import LeftOutShown, PlanningTally, PlanTally
    from sequences_mcp.ports.embedded import ToolCall

# Stored in a column beside the state 'refused', so that older versions can still read the plan.
_ENDINGS = (PlanStatus.WITHDRAWN, PlanStatus.CLOSED)


class PlanRepository:
    """Plans and the digests of their texts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, plan: Plan) -> bool:
        """Store a plan that is still being written; False when its blueprint version does not exist."""
        header = plan.header
        with self._database.joined():
            added = self._database.write(
                "plans.insert",
                id=plan.id,
                digest_version=plan.digest_version,
                terms=header.terms.text,
                expires_at=to_micros(header.expires_at),
                covered=json.dumps(header.warnings, ensure_ascii=False),
                created_at=to_micros(plan.created_at),
                account=plan.account or None,
                blueprint_id=header.blueprint_id,
                version=header.blueprint_version,
            )
            if added:
                self._database.write("plans.insert_texts", id=plan.id)
        return added == 1

    def find(self, plan_id: str) -> Plan | None:
        """Return one plan, or None."""
        row = self._database.row("plans.find", id=plan_id)
        return _from_row(row) if row else None

    def update(self, plan: Plan, *, unsettled: bool = False) -> None:
        """Store a plan's present state; ``unsettled``: its decision is still to be applied to its people."""
        ending = plan.status.value if plan.status in _ENDINGS else None
        self._database.write(
            "plans.update",
            id=plan.id,
            status=PlanStatus.REFUSED.value if ending else plan.status.value,
            ending=ending,
            terms=plan.header.terms.text,
            expires_at=to_micros(plan.header.expires_at),
            digest=plan.digest,
            people=plan.people,
            missing_texts=plan.missing_texts,
            to_read=plan.to_read,
            warnings=plan.warnings,
            decided_at=to_micros(plan.decided_at),
            decided_by=plan.decided_by,
            reason=plan.reason,
            unsettled=unsettled,
            account=plan.account or None,
        )

    def cover(self, plan: Plan) -> None:
        """Store the warnings about everybody, of a plan that is still being written."""
        self._database.write(
            "plans.cover", id=plan.id, covered=json.dumps(plan.header.warnings, ensure_ascii=False)
        )

    def redact(self, plan_id: str, *, present: str, sealed: str) -> None:
        """Store the digest of a plan without the people who were erased, and the approved one that it replaces."""
        self._database.write("plans.redact", id=plan_id, present=present, sealed=sealed)

    def redaction(self, plan_id: str) -> tuple[str, str] | None:
        """Return a plan's digest without the people who were erased, and the approved one; None if nobody was."""
        row = self._database.row("plans.redaction", id=plan_id)
        return (row["present"], row["sealed"]) if row else None

    def erased_places(self, plan_id: str) -> frozenset[int]:
        """Return the places in a plan of people who were erased since."""
        return frozenset(row["ordinal"] for row in self._database.rows("plans.erased_places", id=plan_id))

    def set_call(self, plan: Plan, call: ToolCall | None, *, tally: PlanningTally, now: datetime) -> None:
        """Store which call made a plan, for as long as its key lives, and what was counted meanwhile."""
        from sequences_mcp.store.operations import ToolCallRepository

        key = call.key if call else None
        learnt = {
            "why": [asdict(kind) for kind in tally.why],
            "first": [_facts_left_out(person) for person in tally.first],
            "zones": dict(tally.zones),
            "saved": tally.saved,
        }
        with self._database.joined():
            ToolCallRepository(self._database).free_key(key, now=now)
            self._database.write(
                "plans.set_call",
                id=plan.id,
                tool=call.tool if call else None,
                key=key,
                fingerprint=call.fingerprint if call else None,
                expires_at=to_micros(plan.created_at + call.lifetime) if call and key else None,
                left_out=tally.left_out,
                learnt=json.dumps(learnt),
            )

    def planning_tally(self, plan_id: str) -> PlanningTally:
        """Return what was counted while a plan was made; of one made long ago only how many were left out."""
        from sequences_mcp.domain import records

        row = self._database.rows("plans.learnt", id=plan_id)[0]
        learnt = json.loads(row["learnt"] or "{}")
        return records.PlanningTally(
            left_out=row["left_out"],
            why=tuple(Counted(kind["reason"], kind["count"]) for kind in learnt.get("why", ())),
            first=tuple(
                records.LeftOutShown(
                    contact_id=person.get("contact_id"),
                    name=person.get("name") or "",
                    email=person.get("email"),
                    reasons=tuple(person["reasons"]),
                )
                for person in learnt.get("first", ())
            ),
            zones=learnt.get("zones", {}),
            saved=learnt.get("saved", 0),
        )

    def mark_decision_applied(self, plan_id: str) -> None:
        """Note that everybody in the plan has been told of the decision."""
        self._database.write("plans.mark_decision_applied", id=plan_id)

    def set_text_digests(self, plan_id: str, digests: bytes) -> None:
        """Store the digests of a plan's texts, 32 bytes each, in order of person and step."""
        self._database.write("plans.set_texts", id=plan_id, digests=digests)

    def text_digests(self, plan_id: str) -> bytes:
        """Return the digests of a plan's texts."""
        row = self._database.row("plans.texts", id=plan_id)
        return bytes(row["digests"]) if row else b""

    def count_texts(self, plan_id: str, *, read_steps: Collection[int]) -> tuple[int, int]:
        """Return how many texts are missing and how many of the steps numbered a person has to read."""
        row = self._database.rows("plans.texts_of_people", id=plan_id, read_steps=json.dumps(list(read_steps)))[0]
        return row["missing_texts"], row["to_read"]

    def people_left(self, plan_id: str) -> tuple[int, int]:
        """Return how many people of a plan an approval still concerns, and how many warnings are about them."""
        row = self._database.rows("plans.people_left", id=plan_id)[0]
        return row["people"], row["warnings"]

    def tally(self, plan_id: str) -> PlanTally:
        """Count a plan's people, and how many of those who wait would get each of its steps."""
        from sequences_mcp.domain import records
        from sequences_mcp.domain.run import SequenceStatus, StepState

        with self._database.snapshot():
            counts = self._database.rows("records.tally", plan_id=plan_id)[0]
            messages = self._database.rows("records.messages", plan_id=plan_id)
            steps = self._database.rows("records.steps", plan_id=plan_id)
            statuses = self._database.rows("records.statuses", plan_id=plan_id)
            reasons = self._database.rows("records.reasons", plan_id=plan_id)
            pauses = self.pauses_fingerprint(plan_id)
        states: list[dict[StepState, int]] = [{} for _ in messages]
        for row in steps:
            states[row["step"]][StepState(row["state"])] = row["found"]
        return records.PlanTally(
            **dict(counts),
            messages=tuple(row["found"] for row in messages),
            steps=tuple(states),
            statuses={SequenceStatus(row["status"]): row["found"] for row in statuses},
            reasons=grouped((row["reason"], row["found"]) for row in reasons),
            pauses=pauses,
        )

    def pauses_fingerprint(self, plan_id: str) -> str:
        """Return a fingerprint of who of a plan is paused and until when; empty where nobody is."""
        rows = self._database.rows("plans.pauses", id=plan_id)
        lines = "\n".join(f"{row['id']} {row['paused_until']}" for row in rows)
        return sha256(lines.encode()).hexdigest()[:16] if rows else ""

    def emptied(self) -> list[str]:
        """Return plans that wait for a person although nobody is left in them."""
        return list(self._remembered_ids("plans.emptied"))

    def waiting(self, *, page: int, size: int, others: tuple[str, ...] = ()) -> Page[Plan]:
        """Return the plans that wait for a person, and ``others`` by their ids, the oldest first."""

        def read() -> Page[Plan]:
            rows = self._database.rows(
                "plans.waiting", others=json.dumps(others), size=size, skip=(page - 1) * size
            )
            total = self._database.rows("plans.count_waiting", others=json.dumps(others))[0]["found"]
            return Page(tuple(map(_from_row, rows)), total, page, size)

        return self._database.remembered(("plans that wait", page, size, others), read)

    def going_on(self, *, terms: Terms) -> list[Plan]:
        """Return approved plans that are not over and were made for other terms than these."""
        known = terms.text

        def read() -> list[Plan]:
            return list(map(_from_row, self._database.rows("plans.going_on", terms=known)))

        return self._database.remembered(("plans that go on", known), read)

    def of_other_terms(self, ids: Collection[str], *, terms: Terms) -> list[Plan]:
        """Return those of these plans, approved or void, that were made for other terms than these."""
        rows = self._database.rows("plans.of_other_terms", ids=json.dumps(list(ids)), terms=terms.text)
        return list(map(_from_row, rows))

    def other_settings(self, *, terms: Terms, now: datetime) -> list[OtherSettings]:
        """Return the runs that are due and were approved for other terms than these, by their terms."""
        first = first_due(self._database)
        if first is None or first > to_micros(now):
            return []
        rows = self._database.rows("workers.other_settings", terms=terms.text, now=to_micros(now))
        return [
            OtherSettings(
                Terms(**json.loads(row["terms"])), row["number"], from_micros(row["since"]), row["plan_id"]
            )
            for row in rows
        ]

    def overdue(self, *, now: datetime, abandoned: datetime) -> list[str]:
        """Return plans that waited past their time, or that were begun before ``abandoned`` and never sealed."""
        first = self._database.remembered(
            "first plan to end", lambda: tuple(self._database.rows("plans.first_to_end")[0])
        )
        limits = (to_micros(now), to_micros(abandoned))
        if all(at is None or at > limit for at, limit in zip(first, limits, strict=True)):
            return []
        rows = self._database.rows("plans.overdue", now=to_micros(now), abandoned=to_micros(abandoned))
        return [row["id"] for row in rows]

    def unfinished(self) -> list[str]:
        """Return plans that are decided while some of their people have not been told."""
        return list(self._remembered_ids("plans.unsettled"))

    def _remembered_ids(self, name: str) -> tuple[str, ...]:
        return self._database.remembered(name, lambda: tuple(row["id"] for row in self._database.rows(name)))


class ApprovalRepository:
    """Approvals of plans, texts and changes by people, and their signatures."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(
        self, subject: str, *, digest: str, actor: Actor, now: datetime, signature: str | None = None
    ) -> None:
        """Record an approval of exactly this digest of a plan or a draft, with the passkey's signature, if any.

        Raises ApprovalError for an actor who may not approve, such as a model.
        """
        if not actor.may_approve:
            raise ApprovalError(
                f"Nobody approves as {actor}.", next_step="A person approves: sequences-mcp review."
            )
        with self._database.joined():
            self._database.write("plans.approve", subject=subject, digest=digest, actor=actor, at=to_micros(now))
            if signature is not None:
                self._database.write("plans.sign", subject=subject, digest=digest, assertion=signature)

    def record_resend(
        self, subject: str, *, text: bytes, lease: int, actor: Actor, now: datetime, signature: str | None = None
    ) -> None:
        """Record the approval, with its signature, to send a text again after one attempt of unknown outcome."""
        digest = resend_digest(text, attempt=lease).hex()
        with self._database.joined():
            self.record(subject, digest=digest, actor=actor, now=now, signature=signature)
            self._database.write(
                "plans.resend", subject=subject, digest=digest, text_digest=text.hex(), lease=lease
            )

    def of_text(self, subject: str, *, text: bytes) -> list[Approval]:
        """Return every approval of exactly this text, first or repeated sending, the oldest first."""
        rows = self._database.rows("plans.yeses", subject=subject, digest=text.hex())
        return [
            Approval(from_micros(row["at"]), row["digest"], row["assertion"])
            for row in rows
            if row["lease"] is None or row["digest"] == resend_digest(text, attempt=row["lease"]).hex()
        ]

    def signature(self, subject: str, *, digest: str) -> str | None:
        """Return the signature of the latest signed approval of exactly this digest, or None."""
        row = self._database.row("plans.signature", subject=subject, digest=digest)
        return str(row["assertion"]) if row else None

    def actors(self, subject: str, *, digest: str) -> list[Actor]:
        """Return who approved exactly this, in order."""
        rows = self._database.rows("plans.approvers", subject=subject, digest=digest)
        return [Actor(row["actor"]) for row in rows]

    def is_first(self, subject: str) -> bool:
        """Say whether nothing of this subject was ever approved, under any digest."""
        return not self._database.rows("plans.any_approval", subject=subject)

    def latest_at(self, subject: str, *, digest: str) -> datetime | None:
        """Return when exactly this was last approved, or None."""
        at: int | None = self._database.rows("plans.approval", subject=subject, digest=digest)[0]["at"]
        return from_micros(at)


def _from_row(row: Row) -> Plan:
    header = PlanHeader(
        blueprint_id=row["blueprint_id"],
        blueprint_version=row["version"],
        blueprint_name=row["name"],
        terms=Terms(**json.loads(row["terms"])),
        expires_at=from_micros(row["expires_at"]),
        warnings=tuple(json.loads(row["covered"])),
    )
    return Plan(
        id=row["id"],
        status=PlanStatus(row["ending"] or row["status"]),
        header=header,
        people=row["people"],
        digest=row["digest"],
        digest_version=row["digest_version"],
        missing_texts=row["missing_texts"],
        to_read=row["to_read"],
        warnings=row["warnings"],
        created_at=from_micros(row["created_at"]),
        decided_at=from_micros(row["decided_at"]),
        decided_by=row["decided_by"] and Actor(row["decided_by"]),
        reason=row["reason"],
        account=row["account"] or "",
    )


def _facts_left_out(person: LeftOutShown) -> dict[str, Any]:
    """Return what is stored of somebody who was left out; of whoever was erased only why."""
    from sequences_mcp.domain.erasure import ERASED, WHY

    facts = asdict(person)
    if any(WHY in reason for reason in person.reasons):
        facts |= {"contact_id": None, "name": ERASED, "email": None}
    return facts
