"""A warning that a person says is meant: who, why, until when, and nobody else."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from tests.world.data_folder import with_schema

from sequences_mcp.bootstrap import open_context
from sequences_mcp.context import AppContext
from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.findings import Severity
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.services.blueprints import create_blueprint, get_blueprint, waive
from sequences_mcp.services.reviews import approve_plan
from sequences_mcp.services.starts import start_sequence
from sequences_mcp.settings import read_settings

TAGGED = {
    "id": "hello",
    "name": "Hello",
    "type": "EMAIL",
    "subject": "[Remote] Senior Engineer",
    "content": "Hi {{firstname}}, would a short call about the role suit you?",
    "temporalityType": "ASAP",
}
GRACE = {"email": "grace@hopper.example", "first_name": "Grace"}
RULE = "placeholders.ambiguous"


async def _silent(done: int, total: int) -> None:
    return None


async def _blueprint(app: AppContext) -> str:
    return (await create_blueprint(app, name="Engineers", steps=[TAGGED])).blueprint.id


async def _severities(app: AppContext, blueprint_id: str) -> list[Severity]:
    found = (await get_blueprint(app, blueprint_id=blueprint_id)).findings
    return [finding.severity for finding in found if finding.rule == RULE]


def _settings(folder: Path) -> dict[str, str]:
    return {
        "SEQUENCES_DATA_DIR": str(with_schema(folder)),
        "SEQUENCES_SENDER": "Ada Lovelace <ada@lovelace.example>",
    }


async def test_a_waived_warning_is_a_note_that_says_who_and_why(tmp_path: Path) -> None:
    async with open_context(read_settings(_settings(tmp_path)), worker=False) as app:
        blueprint = await _blueprint(app)
        assert await _severities(app, blueprint) == [Severity.WARNING]
        until = app.clock() + timedelta(days=7)

        await waive(
            app, blueprint_id=blueprint, rule=RULE, reason="our tag", until=until, actor=Actor("terminal:ada")
        )

        [note] = [f for f in (await get_blueprint(app, blueprint_id=blueprint)).findings if f.rule == RULE]
        assert note.severity is Severity.NOTE
        assert "Waived by terminal:ada until" in note.message
        assert "our tag" in note.message


async def test_a_waiver_covers_its_own_blueprint_alone_and_a_start_no_longer_warns(tmp_path: Path) -> None:
    async with open_context(read_settings(_settings(tmp_path)), worker=False) as app:
        blueprint, other = await _blueprint(app), await _blueprint(app)
        until = app.clock() + timedelta(days=7)
        await waive(
            app, blueprint_id=blueprint, rule=RULE, reason="our tag", until=until, actor=Actor("terminal:ada")
        )

        waived = await start_sequence(app, blueprint_id=blueprint, contacts=[GRACE], progress=_silent)
        warned = await start_sequence(app, blueprint_id=other, contacts=[GRACE], progress=_silent)

        assert [finding.rule for finding in waived.warnings] == []
        assert waived.plan.header.warnings == ()
        assert [finding.rule for finding in warned.warnings] == [RULE]
        assert warned.plan.header.warnings == (f"hello: {RULE}",)


async def test_a_waiver_ends(tmp_path: Path) -> None:
    settings = read_settings(_settings(tmp_path))
    async with open_context(settings, worker=False) as app:
        blueprint, end = await _blueprint(app), app.clock() + timedelta(days=1)
        await waive(
            app, blueprint_id=blueprint, rule=RULE, reason="our tag", until=end, actor=Actor("terminal:ada")
        )
    async with open_context(settings, worker=False, clock=lambda: end) as later:
        assert await _severities(later, blueprint) == [Severity.WARNING]


@pytest.mark.parametrize(
    ("rule", "reason", "days"),
    [
        pytest.param("variables.unknown", "meant", 7, id="no such warning here"),
        pytest.param("no.such_rule", "meant", 7, id="no such rule"),
        pytest.param(RULE, "  ", 7, id="no reason"),
        pytest.param(RULE, "meant", 0, id="already over"),
    ],
)
async def test_a_waiver_that_cannot_be_given_is_refused(tmp_path: Path, rule: str, reason: str, days: int) -> None:
    async with open_context(read_settings(_settings(tmp_path)), worker=False) as app:
        blueprint, now = await _blueprint(app), app.clock()
        with pytest.raises(InvalidArgumentsError):
            await waive(
                app,
                blueprint_id=blueprint,
                rule=rule,
                reason=reason,
                until=now + timedelta(days=days),
                actor=Actor("terminal:ada"),
            )
        assert await _severities(app, blueprint) == [Severity.WARNING]


async def test_a_yes_to_a_plan_records_the_warnings_it_covers(tmp_path: Path) -> None:
    async with open_context(read_settings(_settings(tmp_path)), worker=False) as app:
        blueprint = await _blueprint(app)
        plan = (await start_sequence(app, blueprint_id=blueprint, contacts=[GRACE], progress=_silent)).plan

        await approve_plan(app, plan_id=plan.id, digest=plan.digest, actor=Actor("terminal:ada"))

    with closing(sqlite3.connect(tmp_path / "sequences.db")) as database:
        [(detail,)] = database.execute("SELECT detail FROM audit WHERE action = 'plan.approved'").fetchall()
    assert json.loads(detail)["warnings"] == {"of_all": [f"hello: {RULE}"], "of_people": 0}


async def test_a_follow_up_may_say_re_and_a_first_mail_may_not(tmp_path: Path) -> None:
    first = {**TAGGED, "subject": "Senior Engineer"}
    again = {**first, "id": "again", "subject": "Re: Senior Engineer", "contentSource": "suggestedByKalent"}
    texts = {"again": {"subject": "Re: Senior Engineer", "content": "Did you have time to look?"}}
    async with open_context(read_settings(_settings(tmp_path)), worker=False) as app:
        followed = (await create_blueprint(app, name="Two", steps=[first, again])).blueprint.id
        alone = (await create_blueprint(app, name="One", steps=[again])).blueprint.id

        after = await start_sequence(
            app, blueprint_id=followed, contacts=[{**GRACE, "texts": texts}], progress=_silent
        )
        before = await start_sequence(
            app, blueprint_id=alone, contacts=[{**GRACE, "texts": texts}], progress=_silent
        )

    assert after.warnings == ()
    assert {finding.rule for finding in before.warnings} == {"channel.reply_prefix"}
