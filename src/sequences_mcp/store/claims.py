"""What a claim is about to ask, told to a database beforehand, so that a server answers it in one round trip.

Nothing depends on it: what is foreseen and not asked costs a little, what is asked and not foreseen is asked by
itself. The answers are those of the same statements, and are forgotten with the first change of what they tell.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from sequences_mcp.domain.addresses import address_key
from sequences_mcp.domain.digests import text_digest
from sequences_mcp.domain.plan import Terms
from sequences_mcp.domain.run import Run, StepRun
from sequences_mcp.store.database import Database, Question
from sequences_mcp.store.mailboxes import OF_THE_LAST
from sequences_mcp.store.runs import FURTHER_EMAILS
from sequences_mcp.store.statements import to_micros


class ClaimRepository:
    """What a claim, a hand-over and a record are about to ask."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._plan: tuple[str, str] = "", ""  # the last one, and the digest that it had

    def foresee_limits(self, terms: Terms, *, now: datetime, queues: Iterable[str] = ()) -> None:
        """Foresee whether anything may leave, what the mailbox of these terms may send, and what is due by now.

        ``queues`` are those of which the first run that is due is asked for; it is taken by that.
        """
        if not self._database.is_far:
            return
        sender = terms.sender_address
        questions: list[Question] = [
            ("lineage.present", {}),
            ("lineage.standstills", {}),
            ("attempts.newest", {"sender": sender}),
            ("mailboxes.complaints", {"sender": sender, "size": OF_THE_LAST}),
            ("mailboxes.find", {"sender": sender}),
        ]
        if not terms.ramp_up:
            skip = max(terms.limits.cap_at(now, first=None), 1) - 1
            questions.append(("attempts.nth_newest", {"sender": sender, "skip": skip}))
        due = {"terms": terms.text, "before": to_micros(now)}
        questions += [("sequences.next_due", {**due, "lane": queue}) for queue in sorted(queues)]
        self._database.foresee(questions)

    def foresee_hand_over(self, run_id: str, *, plan_id: str) -> None:
        """Foresee what the hand-over of a run is about to ask, which the open transaction took as it began."""
        self._foresee_run(run_id, ("plans.find", {"id": plan_id}))

    def foresee_record(self, run_id: str, *, lease: int) -> None:
        """Foresee what the record of an outcome is about to ask of a run, which is taken as well."""
        self._foresee_run(run_id, ("attempts.sender_of", {"lease": lease}))

    def _foresee_run(self, run_id: str, further: Question) -> None:
        if self._database.is_far:
            run = {"id": run_id}
            self._database.foresee([("sequences.by_id", run), ("sequences.runs_of_one", run), further])

    def foresee_claim(self, run_id: str) -> None:
        """Foresee the run that is claimed, which the open transaction has taken already, and the lease for it."""
        if self._database.is_far:
            run = {"id": run_id}
            self._database.foresee(
                [("sequences.by_id", run), ("sequences.runs_of_one", run), ("attempts.next_lease", {})]
            )

    def foresee_step(self, run: Run, step: StepRun, *, draft: str) -> None:
        """Foresee what decides about one step, whose text is reviewed under the id ``draft``."""
        if not self._database.is_far or step.content is None or step.recipient is None:
            return
        key = address_key(step.recipient)
        version = {"blueprint_id": run.blueprint_id, "version": run.blueprint_version}
        tried = {"key": step.key, "generation": step.generation, "since": 0}
        questions: list[Question] = [
            ("contacts.by_ids", {"ids": json.dumps((run.contact_id,))}),
            ("suppressions.any", {}),
            ("erasure.has_hashes", {}),
            ("plans.find", {"id": run.plan_id}),
            ("plans.yeses", {"subject": draft, "digest": text_digest(run, step).hex()}),
            ("sequences.live_with_further_addresses", {"further": FURTHER_EMAILS}),
            ("sequences.live_at_address", {"address_key": key, "id": run.id}),
            ("attempts.count_since", tried),
            ("lineage.unseen_to", {"recipient": key}),
            ("lineage.unseen_by_key", {"key": step.key}),
            ("blueprints.version", version),
            ("schema.secret", {"name": "message_id"}),
        ]
        plan_id, digest = self._plan
        if plan_id == run.plan_id:  # most e-mails in a row are of one plan, and it has seldom changed
            approved = {"subject": plan_id, "digest": digest}
            questions += [("plans.approval", approved), ("plans.signature", approved)]
        self._database.foresee(questions)
        if (row := self._database.row("plans.find", id=run.plan_id)) is not None:
            self._plan = run.plan_id, row["digest"] or ""
