"""What the database itself refuses, whoever asks; and that what must be quick goes by an index."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import get_args

import pytest
from tests.world.engine import EMAIL, LATER, MESSAGE, START, EngineWorld

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.run import SequenceStatus
from sequences_mcp.engine.context import action_of, apply_event
from sequences_mcp.engine.events import Event, Paused
from sequences_mcp.errors import ConflictError
from sequences_mcp.ports.embedded import StepText
from sequences_mcp.store import statements
from sequences_mcp.store.contacts import STAGED_TABLE

LAWS = {
    "the audit is never changed": "UPDATE audit SET actor = 'someone else'",
    "the audit is never deleted": "DELETE FROM audit",
    "a blueprint version never changes": "UPDATE blueprint_version SET name = 'other'",
    "a blueprint version is never deleted": "DELETE FROM blueprint_version",
    "an approval never changes": "UPDATE approval SET actor = 'someone else'",
    "an approval is never deleted": "DELETE FROM approval",
    "a sequence is never deleted": "DELETE FROM sequence",
    "a step is never deleted": "DELETE FROM step_run",
    "an attempt is never deleted": "DELETE FROM attempt",
    "a text never changes": "UPDATE step_run SET content = 'other' WHERE step = 1",
    "a step cannot come from that state": "UPDATE step_run SET state = 'sent' WHERE step = 1",
    "a sequence that is over stays over": "UPDATE sequence SET status = 'ACTIVE' WHERE status = 'STOPPED_EARLY'",
    "CHECK constraint failed: status": "UPDATE sequence SET status = 'HAPPY' WHERE ordinal = 0",
    "CHECK constraint failed: state IN": "UPDATE step_run SET state = 'lost' WHERE step = 1",
    "CHECK constraint failed: state NOT IN": "UPDATE step_run SET state = 'claimed' WHERE step = 1",
    "UNIQUE constraint failed: sequence.contact_no": "UPDATE sequence SET contact_no = 1 WHERE status <> 'FOUND'",
    "UNIQUE constraint failed: step_run.sequence_no": (
        "INSERT INTO step_run (sequence_no, step, generation, key, state, changed_at)"
        " SELECT sequence_no, step, generation, 'K', 'planned', 0 FROM step_run"
    ),
    "cannot store TEXT value in INTEGER column": "UPDATE sequence SET next_run_at = 'tomorrow'",
    "FOREIGN KEY constraint failed": "UPDATE sequence SET plan_no = 99 WHERE ordinal = 0",
}


async def populate(world: EngineWorld) -> None:
    blueprint = await world.blueprint(EMAIL, LATER)
    people = [await world.contact(f"person{number}@example.org") for number in range(3)]
    await world.approved(*people, blueprint=blueprint)
    world.worker().run_due(limit=1)
    last = (await world.runs())[-1]
    with world.store.transaction() as work:
        apply_event(work, last, Paused(START + timedelta(days=1)), now=START, actor=Actor("tester"))
    await world.local.suppressions.suppress("address", "person1@example.org", reason="asked")


@pytest.mark.parametrize("law", LAWS)
async def test_the_database_refuses(world: EngineWorld, law: str) -> None:
    await populate(world)
    with closing(sqlite3.connect(world.store.workspace.database)) as other:
        other.execute("PRAGMA foreign_keys = ON")
        with pytest.raises(sqlite3.IntegrityError, match=law):
            other.execute(LAWS[law])


async def test_a_refusal_reaches_the_caller_as_the_products_own_error(world: EngineWorld) -> None:
    await populate(world)
    blueprint = (await world.local.list_blueprints(page=1, size=1)).items[0]
    with pytest.raises(ConflictError, match="has just changed this blueprint"):
        world.store.blueprints.add_version(blueprint)


@pytest.mark.parametrize("file", sorted(path.stem for path in statements.FOLDER.glob("*.sql")))
async def test_every_named_statement_is_understood_by_the_database(world: EngineWorld, file: str) -> None:
    names = statements.parse_statements((statements.FOLDER / f"{file}.sql").read_text("utf-8"))
    assert names
    with closing(sqlite3.connect(world.store.workspace.database)) as other:
        other.execute(f"CREATE TEMP TABLE {STAGED_TABLE}")
        for name in names:
            sql = statements.statement(f"{file}.{name}")
            for piece, stands_for in PIECES.items():
                sql = sql.replace(f"/* {piece} */", stands_for)
            other.execute(f"EXPLAIN {sql}", Anything())


MANY_ROWS = ("contacts.insert", "contacts.left", "contacts.update", "sequences.insert", "sequences.insert_run")


@pytest.mark.parametrize("name", [*MANY_ROWS, "audit.insert"])
def test_a_statement_for_many_rows_has_each_value_at_the_place_of_its_name(name: str) -> None:
    by_place, names = statements.statement_by_place(name)
    assert len(names) == len(set(names)) > 1
    named = re.sub(r"\?(\d+)", lambda match: f":{names[int(match[1]) - 1]}", by_place)
    assert named == statements.statement(name)


# Parts of statements that the code puts in, each with something that may stand there.
PIECES = {
    "order": "no",
    "unread": "0",
    "table": "contact",
    "key": "no",
    "columns": "notes",
    "column": "notes",
    "condition": "1",
}


class Anything(dict[str, object]):
    """A value for every parameter."""

    def __missing__(self, name: str) -> object:
        return 1


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("sequences.next_due", "sequence_due"),
        ("sequences.open_tasks", "step_run_open"),
        ("sequences.waiting_texts", "step_run_waiting"),
        ("sequences.live_of_contacts", "sequence_"),
        ("sequences.found_elsewhere", "sequence_contact"),
        ("sequences.count_texts_in_plan", "autoindex_sequence_2"),
        ("plans.texts_of_people", "autoindex_sequence_2"),
        ("attempts.newest", "attempt_sender"),
        ("attempts.answered", "attempt_answered"),
        ("attempts.pull_back", "attempt_sender"),
        ("upkeep.of_the_future", "sequence_updated"),
        ("upkeep.has_old_answers", "operation_created"),
        ("upkeep.has_old_answers", "plan_learnt"),
        ("operations.by_key", "plan_call_key"),
        ("upkeep.has_old_answers", "vendor_operation_answered"),
        ("attempts.nth_newest", "attempt_counted"),
        ("attempts.count_since", "attempt_key"),
        ("plans.overdue", "plan_status"),
        ("plans.unsettled", "plan_unsettled"),
        ("contacts.at_company", "contact_company_root"),
        ("inbound.attempts_of", "attempt_message_id"),
        ("inbound.unknown_named", "step_run_waiting"),
        ("inbound.live_at_host", "sequence_address"),
        ("blueprints.count", "autoindex_blueprint_version"),
        ("blueprints.page", "autoindex_blueprint_version"),
    ],
    ids=lambda value: str(value),
)
async def test_what_must_not_grow_with_the_file_goes_by_an_index(
    world: EngineWorld, statement: str, index: str
) -> None:
    with closing(sqlite3.connect(world.store.workspace.database)) as other:
        plan = other.execute(f"EXPLAIN QUERY PLAN {statements.statement(statement)}", Anything()).fetchall()
    steps = [row[3] for row in plan]
    assert any(index in step for step in steps), steps
    assert not any("SCAN sequence" in step and "INDEX" not in step for step in steps), steps


async def test_the_audit_has_a_row_for_every_change_and_its_chain_holds(world: EngineWorld) -> None:
    await populate(world)
    told = [entry.action for entry in world.store.audit.entries()]
    assert told.count("sequence.found") == told.count("sequence.approved") == 3
    for action in ("blueprint.version_added", "plan.approved", "sequence.delivered", "suppression.added"):
        assert action in told
    assert world.store.audit.verify() is None


@pytest.mark.parametrize(
    "change_",
    [
        "UPDATE audit SET actor = 'nobody' WHERE no = 5",
        "UPDATE audit SET at = at + 1 WHERE no = 5",
        "UPDATE audit SET detail = '{}' WHERE no = 5",
        "UPDATE audit SET subject = 'local:seq_other' WHERE no = 5",
        "DELETE FROM audit WHERE no = 5",
        "UPDATE audit SET hash = zeroblob(32) WHERE no = 5",
    ],
    ids=["actor", "time", "detail", "subject", "removed", "hash"],
)
async def test_a_forged_audit_row_is_found(world: EngineWorld, change_: str) -> None:
    await populate(world)
    with closing(sqlite3.connect(world.store.workspace.database)) as other:
        other.execute("DROP TRIGGER audit_is_never_changed")
        other.execute("DROP TRIGGER audit_is_never_deleted")
        other.execute(change_)
        other.commit()
    assert world.store.audit.verify() == 5


async def test_a_rewritten_text_is_a_new_row_and_the_old_one_stays(world: EngineWorld) -> None:
    await world.plan(await world.contact("a@example.org"))
    run = (await world.runs())[0]
    await world.local.rewrite_texts(run.id, {"s1": StepText(subject="New", content="New text.")})
    with closing(sqlite3.connect(world.store.workspace.database)) as other:
        rows = other.execute("SELECT generation, content, replaced FROM step_run ORDER BY generation").fetchall()
    assert rows == [(0, "Hello there.", 1), (1, "New text.", 0)]
    assert (await world.runs())[0].steps[0].generation == 1


async def test_a_run_is_read_back_exactly_as_it_was_stored(world: EngineWorld) -> None:
    message = MESSAGE.model_copy(update={"id": "s2"})
    blueprint = await world.blueprint(EMAIL, message)
    await world.approved(
        await world.contact("a@example.org", linkedin_url="https://linkedin.com/in/a"), blueprint=blueprint
    )
    world.worker().run_due()
    before = (await world.runs())[0]
    with world.store.transaction() as work:
        after, _ = apply_event(
            work, before, Paused(START + timedelta(microseconds=1)), now=START, actor=Actor("tester")
        )
    assert world.store.runs.find(before.id) == after
    assert after.status is SequenceStatus.WAITING_FOR_LEAD


def test_the_audit_says_what_happened_in_the_words_of_every_version_before() -> None:
    words = {action_of(object.__new__(kind)).removeprefix("sequence.") for kind in get_args(Event)}
    assert words == {
        *("approved", "refused", "tick", "handed_over", "delivered", "deferred", "rejected", "lost", "settled"),
        *("task_completed", "paused", "resumed", "stopped", "replied", "opted_out", "rewritten", "draft_approved"),
        *("away", "returned", "held"),
    }
