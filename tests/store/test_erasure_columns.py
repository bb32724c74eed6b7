"""Every column of the schema is classified: whether it can tell of a person, and what an erasure does to it.

A new column fails here until somebody has thought about it. ``NEVER`` holds nothing of anybody; ``EMPTIED`` is
a person's own and goes with them; ``MENTIONS`` is about somebody or something else and may name them, and loses
their marks; ``FIXED`` is approved or immutable, may name them, and is told of instead.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.world.engine import START

from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.store.erasure import MENTIONS as TAKEN_OUT_OF
from sequences_mcp.store.statements import FOLDER
from sequences_mcp.store.unit_of_work import Store

NEVER, EMPTIED, MENTIONS, FIXED = "never", "emptied", "mentions", "fixed"

# Where a row is not the person's own and says nothing of anybody: numbers, instants, states, our own random ids,
# keyed or plain hashes of whole messages, the operator's own names and settings.
COLUMNS: dict[str, dict[str, str]] = {
    "allowed_start": {NEVER: "blueprint_id version read_at"},
    "approval": {NEVER: "no subject digest actor at"},  # subjects are plans, texts and changes, by our ids
    "approval_signature": {NEVER: "approval_no assertion"},  # what the approver's passkey signed: a digest
    "archived_blueprint": {NEVER: "blueprint_id archived_at"},
    "asked_change": {
        NEVER: "id no tool asked_at approved_by refused_by decided_at digest_version",
        EMPTIED: "subject",
        MENTIONS: "arguments earlier reason",
    },
    # A Message-ID has a keyed hash of our own id: by it an answer that comes later is known, and not kept.
    "attempt": {
        NEVER: "lease key generation sender message_id message_digest claimed_at counted answer",
        MENTIONS: "code",
    },
    "audit": {NEVER: "no at action previous hash", EMPTIED: "actor subject detail"},
    "blueprint_owner": {NEVER: "blueprint_id owner private_since"},  # the owner is who signed in here
    "blueprint_version": {NEVER: "no blueprint_id version created_at sourcing replies", FIXED: "name steps"},
    "clock_feed": {NEVER: "no audit_no holder until"},  # the holder is a random mark of a process
    "contact": {
        NEVER: "no created_at updated_at erased_at",
        EMPTIED: "id email email_key email_host phone first_name last_name company company_domain company_host "
        "company_root company_key job_title location country time_zone language linkedin_url source found_at "
        "basis consent search",
        MENTIONS: "notes",
    },
    "erased_key": {NEVER: "hash reason actor at regained"},
    "erasing": {NEVER: "kind no"},
    "erasure_look": {NEVER: "at"},
    "former_address": {EMPTIED: "contact_no key until"},
    "inbound": {
        NEVER: "no hash mailbox kind basis sequence_no key effect sent_at until found_at",
        EMPTIED: "message_id refers_to",
        MENTIONS: "sender subject text why",
    },
    "inbound_decision": {NEVER: "inbound_no decision sequence_no actor decided_at"},
    "inbound_seen": {NEVER: "hash at"},
    "left_unseen": {NEVER: "no kind at key found_at told", MENTIONS: "recipient facts why"},
    "lifted_suppression": {NEVER: "hash at"},
    "lineage": {NEVER: "only mark machine file sent_read suppressions_read"},
    "mailbox_complaints": {NEVER: "sender cleared_at cleared_by"},
    "mailbox_folder": {NEVER: "mailbox folder uidvalidity last_uid modseq"},
    "mailbox_reading": {NEVER: "mailbox read_up_to tried_at error_since left_out", MENTIONS: "error reply"},
    "mailbox_rest": {NEVER: "sender since until refusals account", MENTIONS: "why reply"},
    "migration": {NEVER: "version name digest applied_at"},
    "moved_database": {NEVER: "only place at"},
    "operation": {EMPTIED: "no id tool key fingerprint answer actor created_at expires_at"},
    "plan": {
        NEVER: "no id version_no status terms expires_at digest people missing_texts to_read warnings created_at "
        "decided_at decided_by unsettled ending digest_version account call_tool key_expires_at left_out",
        # A hash of everybody's facts together goes with the only person of a plan.
        EMPTIED: "fingerprint",
        MENTIONS: "reason learnt call_key covered",
    },
    "plan_redaction": {NEVER: "plan_no present sealed"},
    "plan_texts": {NEVER: "plan_no digests"},  # of texts together with our random ids, which nobody can guess
    "provider_message": {NEVER: "id key"},  # our mail server's number of an e-mail of ours
    "recorded_reply": {NEVER: "no answer contact_no sequence_no until effect actor recorded_at"},
    "resend": {NEVER: "approval_no text_digest lease"},
    "secret": {NEVER: "name value"},
    "sequence": {
        NEVER: "no id plan_no version_no contact_no ordinal status anchor paused_since paused_until stop_reason "
        "warnings created_at updated_at next_run_at lane provider operation_id",
        EMPTIED: "time_zone remote_id address_key handover variables",
        MENTIONS: "reason findings",
    },
    "standstill": {NEVER: "kind since"},
    "step_run": {
        NEVER: "no sequence_no step generation key state until executed_at accepted_at anchor lease "
        "lease_expires_at changed_at replaced same_as variant",
        EMPTIED: "recipient subject content reason message_id server_reply",
    },
    "suppression": {NEVER: "kind actor created_at", EMPTIED: "value", MENTIONS: "reason"},
    "unmatched_mail": {
        NEVER: "no hash mailbox kind effect sent_at until found_at message_id refers_to decision actor decided_at",
        MENTIONS: "sender subject text why",
    },
    "unswept": {NEVER: "only since"},
    "vendor_error": {NEVER: "sequence_no at", MENTIONS: "told"},
    "vendor_operation": {
        NEVER: "no id provider tool state actor created_at lease_expires_at settled_at",
        EMPTIED: "fingerprint",
        MENTIONS: "subject key request answer",
    },
    "vendor_reading": {NEVER: "sequence_no read_at provider_status", MENTIONS: "facts"},
    "waiver": {NEVER: "no blueprint_id rule actor created_at until", FIXED: "reason"},
    "worker": {NEVER: "host process lane since beat last_act error_since serves sends", MENTIONS: "error"},
}


def schema(folder: Path) -> set[tuple[str, str]]:
    """Return every column that a new database has."""
    Store.open(Workspace(folder), now=START).close()
    with closing(sqlite3.connect(folder / "sequences.db")) as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {
            (table, row[1])
            for table in tables
            if not table.startswith("sqlite_")
            for row in database.execute(f"PRAGMA table_info({table})")
        }


def classified(kind: str | None = None) -> set[tuple[str, str]]:
    """Return the columns of a kind, or all of them."""
    return {
        (table, column)
        for table, kinds in COLUMNS.items()
        for of, columns in kinds.items()
        if kind in (None, of)
        for column in columns.split()
    }


def test_every_column_is_classified_and_none_that_is_not_there(tmp_path: Path) -> None:
    assert schema(tmp_path) - classified() == set(), "say in COLUMNS whether these can tell of a person"
    assert classified() - schema(tmp_path / "again") == set()


def test_no_column_is_classified_twice() -> None:
    columns = [
        (table, column) for table, kinds in COLUMNS.items() for text in kinds.values() for column in text.split()
    ]
    assert len(columns) == len(set(columns))


def test_marks_are_taken_out_of_exactly_the_columns_that_say_so() -> None:
    taken = {(one.table, column) for one in TAKEN_OUT_OF for column in (*one.texts, *one.json)}
    # A plan's warnings about everybody are approved, so the engine takes care of their digest as well.
    assert taken | {("plan", "covered")} == classified(MENTIONS)


@pytest.mark.parametrize(("table", "column"), sorted(classified(EMPTIED)))
def test_a_statement_of_the_erasure_empties_each_column_of_a_person(table: str, column: str) -> None:
    text = (FOLDER / "erasure.sql").read_text("utf-8")
    updates = re.findall(rf"UPDATE {table} SET(.*?)WHERE", text, re.DOTALL)
    is_deleted = f"DELETE FROM {table} " in text
    assert is_deleted or any(re.search(rf"\b{column} = ", update) for update in updates)
