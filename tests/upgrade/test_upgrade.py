"""A database of an older version opens, migrates and goes on as approved; nothing leaves twice."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.upgrade.older_databases import LEFT, PAUSED_UNTIL, ZOE, Office, environ_of, mail_server
from tests.world.data_folder import NOON, Clock
from tests.world.mail_servers import bytes_of
from tests.world.page import PageWorld
from tests.world.product import GRACE
from tests.world.product import World as ServerWorld

from sequences_mcp.context import AppContext
from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.ids import LOCAL
from sequences_mcp.domain.plan import PlanStatus
from sequences_mcp.domain.run import SequenceStatus, StepState, TaskOutcome
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.ports.embedded import SequenceDetail, SequenceFilter
from sequences_mcp.ports.vendor import PreflightSnapshot
from sequences_mcp.review import decide
from sequences_mcp.review.lock import passkeys
from sequences_mcp.server.boundary import fingerprint
from sequences_mcp.services.sequences import complete_task, resume_sequence
from sequences_mcp.store.safekeeping import FolderRecords
from sequences_mcp.store.unit_of_work import Store

HERE = Path(__file__).parent
SECOND = NOON + timedelta(days=3, minutes=1)
MUCH_LATER = NOON + timedelta(days=30)


@dataclass
class Upgraded(Office):
    """A copy of an older database under the present program."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what the database itself says."""
        with closing(sqlite3.connect(self.folder / "sequences.db")) as database:
            return database.execute(sql).fetchall()

    def mails_at(self, now: datetime) -> list[tuple[str, str]]:
        """Do all that is due at a time, twice over; return whom an e-mail reached, and its subject, sorted."""
        self.clock.now = now
        with mail_server({}) as inbox:
            self.work()
            self.work()
        texts = [(mail.rcpt_tos[0], bytes_of(mail).decode()) for mail in inbox.taken]
        return sorted((to, text.partition("Subject: ")[2].splitlines()[0]) for to, text in texts)

    async def run_of(self, first_name: str) -> SequenceDetail:
        """Return the only run of a person."""
        async with self.app() as app:
            return await _run_of(app, first_name)


def _copied(name: str, folder: Path) -> Upgraded:
    shutil.copytree(HERE / name, folder)
    return Upgraded(folder, Clock(LEFT))


@pytest.fixture(params=["schema_6", "schema_20"])
def upgraded(request: pytest.FixtureRequest, tmp_path: Path) -> Upgraded:
    """An older database, as it was left, before the present program has opened it."""
    return _copied(str(request.param), tmp_path / "data")


@pytest.fixture(params=["schema_6_signed", "schema_20_signed"])
def signed(request: pytest.FixtureRequest, tmp_path: Path) -> Upgraded:
    """The same, where a passkey signed every approval."""
    return _copied(str(request.param), tmp_path / "data")


async def _run_of(app: AppContext, first_name: str) -> SequenceDetail:
    found = await app.local.list_sequences(SequenceFilter(size=100))
    [run] = [one for one in found.items if one.contact and one.contact.first_name == first_name]
    return run


STANDING = """
SELECT p.status, c.first_name, s.status, r.step, r.state, r.generation, r.reason FROM sequence s
JOIN plan p ON p.no = s.plan_no JOIN contact c ON c.no = s.contact_no
JOIN step_run r ON r.sequence_no = s.no AND r.replaced = 0 ORDER BY s.no, r.step
"""


async def test_everything_stands_where_it_stood_and_nothing_leaves_before_its_time(upgraded: Upgraded) -> None:
    before = upgraded.rows(STANDING)
    assert upgraded.mails_at(LEFT + timedelta(hours=1)) == []
    assert upgraded.rows(STANDING) == before
    async with upgraded.app() as app:
        # Ines waits to be handed over, which no process of this test does.
        assert [one.code for one in app.troubles() if one.stops] == ["no_handing_over"]
        listed = (await app.records.list_suppressed(page=1, size=10)).items
        assert {one.value for one in listed} == {"rival.example", "never@again.example"}
    with Store.open(Workspace(upgraded.folder), now=upgraded.clock()) as store:
        assert store.audit.verify() is None


def test_what_was_approved_leaves_when_it_is_due_once_and_needs_no_new_approval(upgraded: Upgraded) -> None:
    asked = upgraded.rows("SELECT count(*) FROM approval")
    assert upgraded.mails_at(SECOND) == [
        ("edith@clarke.example", "For you"),
        ("grace@hopper.example", "Once more about the Engineer role"),
        ("hedy@lamarr.example", "For you"),
    ]
    assert upgraded.mails_at(SECOND + timedelta(hours=1)) == []
    assert upgraded.rows("SELECT count(*) FROM approval") == asked
    assert {row[0] for row in upgraded.rows("SELECT status FROM plan")} == {"approved", "expired"}


async def test_a_paused_run_stays_paused_and_goes_on_where_it_was(upgraded: Upgraded) -> None:
    upgraded.mails_at(SECOND)
    linus = await upgraded.run_of("Linus")
    assert (linus.sequence.paused_until, linus.sequence.steps[1].state) == (PAUSED_UNTIL, StepState.PLANNED)
    paused = PAUSED_UNTIL - (NOON + timedelta(hours=1))
    assert upgraded.mails_at(NOON + timedelta(days=3) + paused - timedelta(minutes=1)) == []
    assert upgraded.mails_at(NOON + timedelta(days=3) + paused + timedelta(minutes=1)) == [
        ("linus@torvalds.example", "Once more about the Engineer role")
    ]


async def test_a_paused_run_is_resumed_by_hand(upgraded: Upgraded) -> None:
    upgraded.clock.now = NOON + timedelta(hours=25)
    async with upgraded.app() as app:
        await resume_sequence(app, sequence_id=(await _run_of(app, "Linus")).sequence.id)
    upgraded.mails_at(SECOND)
    due = NOON + timedelta(days=4)
    assert upgraded.mails_at(due + timedelta(minutes=1)) == [
        ("linus@torvalds.example", "Once more about the Engineer role")
    ]


async def test_an_open_task_is_completed_and_what_follows_it_goes_on(upgraded: Upgraded) -> None:
    async with upgraded.app() as app:
        for outcome in (TaskOutcome.ACCEPTED, TaskOutcome.DONE):
            run = (await _run_of(app, "Dennis")).sequence
            assert run.current is not None
            assert run.current.state is StepState.OPEN
            await complete_task(app, task_id=f"{LOCAL}:task_{run.current.key}", outcome=outcome)
            upgraded.mails_at(LEFT)
    assert upgraded.mails_at(LEFT + timedelta(days=2, minutes=1)) == [
        ("dennis@ritchie.example", "Once more about the Engineer role")
    ]
    assert (await upgraded.run_of("Dennis")).sequence.status is SequenceStatus.COMPLETED


async def test_an_unknown_outcome_stays_unknown_is_told_and_is_settled_by_a_person(upgraded: Upgraded) -> None:
    upgraded.mails_at(SECOND)
    async with upgraded.app() as app:
        barbara = await _run_of(app, "Barbara")
        assert barbara.sequence.steps[0].state is StepState.UNKNOWN
        assert "may have been delivered" in str(barbara.sequence.steps[0].reason)
        [waiting] = (await app.local.list_drafts(plan_id=None, page=1, size=10)).items
        assert (waiting.why, waiting.contact.first_name) == ("unknown", "Barbara")
        await decide.resolved_in_terminal(app, waiting.id, sent=True, actor=Actor("terminal"))
    assert upgraded.mails_at(SECOND + timedelta(days=3, minutes=1)) == [
        ("barbara@liskov.example", "Once more about the Engineer role")
    ]


async def test_an_unknown_e_mail_that_was_not_sent_leaves_once_more_as_it_was_shown(upgraded: Upgraded) -> None:
    async with upgraded.app() as app:
        draft_id = f"{LOCAL}:draft_{(await _run_of(app, 'Barbara')).sequence.steps[0].key}"
        seen = await decide.look_up(app, draft_id)
        await decide.resolved_in_terminal(app, draft_id, sent=False, actor=Actor("terminal"), seen=seen)
    assert upgraded.mails_at(LEFT + timedelta(minutes=1)) == [("barbara@liskov.example", "Engineer")]


async def test_a_waiting_plan_is_approved_in_the_terminal_and_leaves(upgraded: Upgraded) -> None:
    async with upgraded.app() as app:
        [plan] = (await app.plans.list_plans(page=1, size=10)).items
        seen = await decide.look_up(app, plan.id)
        assert "Zoë" in "\n".join(seen.lines)
        assert seen.digest == plan.digest
        await decide.approve_in_terminal(app, plan.id, seen=seen, people=None, actor=Actor("terminal"))
    assert upgraded.mails_at(LEFT) == [("zoe@angstrom.example", "Engineer")]


def test_a_waiting_plan_is_approved_on_the_page_and_leaves(upgraded: Upgraded) -> None:
    page = PageWorld(upgraded.folder, clock=upgraded.clock, more=environ_of(upgraded.folder))
    page.lock_up()
    [(plan_id,)] = upgraded.rows("SELECT id FROM plan WHERE status = 'waiting'")
    with page.page() as person:
        person.unlock()
        person.get(person.get(f"/plans/{plan_id}/sample").headers["location"])
        digest = person.get(f"/plans/{plan_id}").field("digest")
        assert person.post(f"/plans/{plan_id}/approve", digest=digest, warnings="1").status == 303
    assert upgraded.mails_at(LEFT) == [("zoe@angstrom.example", "Engineer")]


async def test_a_start_approved_for_a_vendor_is_handed_over_under_its_approval(upgraded: Upgraded) -> None:
    async with upgraded.app() as app:
        [plan] = await app.vendor_runs.waiting()
        people = await app.vendor_runs.next_people(plan.id, size=10)
        taken = await app.vendor_runs.take(plan.id, [one.id for one in people], before=PreflightSnapshot())
        assert taken is not None
        assert [dict(one.vendor_facts) for one in taken.order.people] == [{"candidate": "kalent:candidate_ines"}]
        assert (await app.plans.get_plan(plan.id)).status is PlanStatus.APPROVED


async def test_what_a_passkey_signed_under_an_older_version_leaves_and_is_handed_over(signed: Upgraded) -> None:
    async with signed.app() as app:
        [plan] = await app.vendor_runs.waiting()
        people = await app.vendor_runs.next_people(plan.id, size=10)
        assert (
            await app.vendor_runs.take(plan.id, [one.id for one in people], before=PreflightSnapshot()) is not None
        )
    assert signed.mails_at(SECOND) == [
        ("edith@clarke.example", "For you"),
        ("grace@hopper.example", "Once more about the Engineer role"),
        ("hedy@lamarr.example", "For you"),
    ]


@pytest.mark.parametrize("change", ["another key", "another digest", "another address", "no signature"])
def test_what_no_registered_passkey_signed_at_the_page_does_not_leave(signed: Upgraded, change: str) -> None:
    file = signed.workspace.passkeys
    [key] = json.loads(file.read_text())
    if change == "another key":
        key["public_key"] = _stranger(key["public_key"])
    elif change == "another address":
        key["origins"] = ["http://localhost:1"]
    file.write_text(json.dumps([key]))
    with closing(sqlite3.connect(signed.folder / "sequences.db")) as database:
        database.execute("DROP TRIGGER approval_signature_is_never_deleted")
        if change == "another digest":  # each approval has the signature of the next
            database.execute("DELETE FROM approval_signature WHERE approval_no = 1")
            database.execute("DROP TRIGGER approval_signature_is_never_changed")
            database.execute("UPDATE approval_signature SET approval_no = approval_no - 1")
            database.execute(
                "CREATE TRIGGER approval_signature_is_never_changed BEFORE UPDATE ON approval_signature"
                " BEGIN SELECT RAISE(ABORT, 'a signature never changes'); END"
            )
        elif change == "no signature":
            database.execute("DELETE FROM approval_signature")
        database.commit()
    assert signed.mails_at(SECOND) == []
    assert ("void",) in signed.rows("SELECT status FROM plan")


def _stranger(public_key: str) -> str:
    """Return the key of the other database."""
    found = (json.loads(path.read_text())[0]["public_key"] for path in HERE.glob("*_signed/passkeys.json"))
    return next(str(one) for one in found if one != public_key)


def test_a_bare_answer_of_a_browser_that_is_stored_after_the_upgrade_counts_for_nothing(tmp_path: Path) -> None:
    upgraded = _copied("schema_6_signed", tmp_path / "data")
    assert upgraded.mails_at(LEFT) == []
    stored = upgraded.rows("SELECT digest, assertion FROM approval JOIN approval_signature ON approval_no = no")
    for digest, assertion in stored:
        assert passkeys.signature_problem(FolderRecords(upgraded.workspace), digest, assertion) is None
        bare = json.loads(assertion)["credential"]
        assert passkeys.signature_problem(FolderRecords(upgraded.workspace), digest, bare) == passkeys.UNSIGNED


def test_a_text_that_somebody_changed_in_an_older_database_is_held(upgraded: Upgraded) -> None:
    with closing(sqlite3.connect(upgraded.folder / "sequences.db")) as database:
        database.execute("DROP TRIGGER step_run_text_is_never_changed")
        database.execute("UPDATE step_run SET content = content || ' P.S.' WHERE step = 1 AND replaced = 0")
        database.commit()
    assert upgraded.mails_at(SECOND) == []
    assert upgraded.mails_at(MUCH_LATER) == []


KEPT_BY_A_KEY = {
    "now": ("monday", {"plan_id": ..., "at": "2026-11-23T14:00:00+00:00", "left_out": 1, "told": {
        "left_out_why": [{"count": 1, "reason": "suppressed: asked"}],
        "left_out": [{"contact_id": "local:ct_X", "name": "Rival", "reasons": ["suppressed: asked"]}],
        "to_write": [], "time_zones_from": {"the sender": 1}}}),
    "before": ("monday", {"view": {"plan_id": ..., "left_out_count": 1, "time_zones_from": {"the sender": 1}}}),
}  # fmt: skip


@pytest.mark.parametrize("kept", KEPT_BY_A_KEY)
async def test_the_key_of_a_start_that_an_older_program_answered_still_has_its_plan_until_its_time_is_over(
    upgraded: Upgraded, kept: str
) -> None:
    key, answer = KEPT_BY_A_KEY[kept]
    [(plan_id, blueprint_id)] = upgraded.rows(
        "SELECT p.id, blueprint_id FROM plan p JOIN blueprint_version v ON v.no = version_no"
        " WHERE status = 'waiting'"
    )
    arguments = {"blueprint_id": blueprint_id, "contacts": [ZOE], "auto_approve": False}
    answer = json.loads(json.dumps(answer, default=lambda _: plan_id))
    told = {"start_sequence.plan": (f"{key}#plan", answer), "start_sequence": (key, {"plan_id": plan_id})}
    with closing(sqlite3.connect(upgraded.folder / "sequences.db")) as database:
        for tool, (stored_under, stored) in told.items():
            values = (tool, tool, stored_under, fingerprint(arguments), json.dumps(stored), _micros(LEFT))
            database.execute("INSERT INTO operation VALUES (NULL, ?, ?, ?, ?, ?, 'mcp', ?, ?)",
                             (*values, _micros(LEFT + timedelta(days=30))))  # fmt: skip
        database.commit()
    world = ServerWorld(upgraded.folder, upgraded.clock, {})
    async with world.client("auto") as desktop:
        again = await desktop.call("start_sequence", **arguments, idempotency_key=key)
        other = await desktop.refused("start_sequence", **{**arguments, "contacts": [GRACE]}, idempotency_key=key)
        upgraded.clock.now += timedelta(days=30)
        anew = await desktop.call("start_sequence", **arguments, idempotency_key=key)
    assert (again["plan_id"], again["left_out_count"]) == (plan_id, 1)
    assert again["repeat_of"] and again["time_zones_from"] == {"the sender": 1}
    assert other["code"] == "key_reused"
    assert anew["plan_id"] != plan_id
    assert upgraded.rows("SELECT count(*) FROM operation WHERE tool LIKE 'start_sequence%'") == [(0,)]


async def test_a_key_that_a_start_and_a_retry_left_behind_is_the_starts(upgraded: Upgraded) -> None:
    plans = [row[0] for row in upgraded.rows("SELECT id FROM plan ORDER BY no LIMIT 2")]
    kept = {
        "start_sequence.plan": ("k1#plan", {"plan_id": plans[0], "left_out": 0}),
        "retry_failed": ("k1", {"plan_id": plans[-1], "left_out": 0}),
    }
    with closing(sqlite3.connect(upgraded.folder / "sequences.db")) as database:
        for tool, (key, stored) in kept.items():
            values = (tool, tool, key, fingerprint({}), json.dumps(stored), _micros(LEFT))
            database.execute("INSERT INTO operation VALUES (NULL, ?, ?, ?, ?, ?, 'mcp', ?, ?)",
                             (*values, _micros(LEFT + timedelta(days=30))))  # fmt: skip
        database.commit()
    async with ServerWorld(upgraded.folder, upgraded.clock, {}).client("auto") as desktop:
        await desktop.call("list_sequences")
    found = upgraded.rows("SELECT id, call_tool FROM plan WHERE call_key = 'k1'")
    assert found == [(plans[0], "start_sequence")]


def _micros(at: datetime) -> int:
    return int(at.timestamp()) * 1_000_000
