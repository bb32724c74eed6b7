"""What is wrong now is said wherever one looks: list_providers, doctor, the front page, a start and the log."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from tests.world.product import MAIL, Bureau, mailing, people, yes
from tests.world.stores import of_a_file

from sequences_mcp.domain.findings import Trouble
from sequences_mcp.engine.supervisor import VENDORS, Heartbeat


async def started(bureau: Bureau, number: int = 2) -> dict[str, object]:
    """Have some people under way and return what the start answered."""
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint(MAIL)
        return await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(number))


async def broken(bureau: Bureau) -> list[str]:
    """Return what list_providers says is broken, but for the missing mail server."""
    async with bureau.client("auto") as desktop:
        found: list[str] = (await desktop.call("list_providers"))["broken"]
    return [line for line in found if "SEQUENCES_SMTP_URL" not in line]


async def troubles(bureau: Bureau) -> dict[str, Trouble]:
    """Return what is wrong, by its code."""
    async with bureau.app() as app:
        return {one.code: one for one in app.troubles()}


async def test_nothing_is_wrong_while_all_is_well(tmp_path: Path) -> None:
    bureau = Bureau.at(tmp_path)
    await started(bureau)
    bureau.work()
    assert await broken(bureau) == []


async def test_a_mailbox_that_is_refused_is_told_since_when_and_what_to_do_until_it_works_again(
    tmp_path: Path,
) -> None:
    script = {"MAIL": "550 5.7.1 the account is blocked"}
    with mailing(Bureau.at(tmp_path), script) as (bureau, _):
        await started(bureau)
        begun = bureau.clock.now
        bureau.work()
        found = (await troubles(bureau))["mailbox_rests"]
        assert (found.since, found.stops) == (begun, True)
        assert "the account is blocked" not in found.line
        assert found.server_reply == "550 5.7.1 the account is blocked"
        [line] = await broken(bureau)
        assert "Since 2026-11-23 12:00 UTC." in line
        bureau.forward(hours=2)
        script.clear()
        bureau.work()
        assert "mailbox_rests" not in await troubles(bureau)


async def test_work_that_is_due_with_no_worker_is_told_in_results_too(tmp_path: Path) -> None:
    bureau = Bureau.at(tmp_path)
    await started(bureau)
    assert "no_worker" not in await troubles(bureau)
    due = bureau.clock.now
    bureau.forward(minutes=10)
    found = (await troubles(bureau))["no_worker"]
    assert found.what.startswith("2 things are due and no worker runs")
    assert found.since == due
    async with bureau.client("auto") as desktop:
        assert "no worker runs" in (await desktop.call("list_reviews"))["next"]
    Heartbeat(bureau.workspace, "mailbox", bureau.clock).beat()
    assert "no_worker" not in await troubles(bureau)
    bureau.forward(minutes=10)
    assert "The last one was seen on 2026-11-23 12:10 UTC" in (await troubles(bureau))["no_worker"].what


async def test_what_stands_in_a_workers_way_is_told(tmp_path: Path) -> None:
    bureau = Bureau.at(tmp_path)
    await started(bureau)
    Heartbeat(bureau.workspace, "mailbox", bureau.clock).trouble("The database has vanished.")
    Heartbeat(bureau.workspace, "mailbox-sales", bureau.clock).trouble("The database has vanished.")
    async with bureau.client("auto") as desktop:
        assert str((await desktop.call("list_providers"))["broken"]).count("has vanished") == 1
    found = (await troubles(bureau))["worker_in_trouble"]
    assert found.what == "The worker cannot do its work: The database has vanished."
    assert found.since == bureau.clock.now


async def test_what_stands_in_the_way_of_handing_over_is_told_as_that_and_is_no_worker_for_the_rest(
    tmp_path: Path,
) -> None:
    bureau = Bureau.at(tmp_path)
    await started(bureau)
    bureau.forward(minutes=10)
    Heartbeat(bureau.workspace, VENDORS, bureau.clock).trouble("Kalent does not answer.")
    found = await troubles(bureau)
    assert (
        found["handing_over_in_trouble"].what == "Approved starts wait for their vendors: Kalent does not answer."
    )
    assert found["handing_over_in_trouble"].since == bureau.clock.now
    assert "no_worker" in found  # whoever hands over to vendors sends no e-mail
    assert "Kalent does not answer" in " ".join(await broken(bureau))


async def test_failed_runs_are_told_for_a_week(tmp_path: Path) -> None:
    with mailing(Bureau.at(tmp_path), {"RCPT": "550 5.1.1 no such user"}) as (bureau, _):
        await started(bureau, 1)
        bureau.work()
        found = (await troubles(bureau))["failed_runs"]
        assert (found.what, found.stops) == ("1 sequence failed in the last 7 days.", False)
        bureau.clock.now += timedelta(days=8)
        assert "failed_runs" not in await troubles(bureau)


@of_a_file
async def test_a_copied_folder_is_told_in_a_start_and_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bureau = Bureau.at(tmp_path / "original")
    await started(bureau)
    shutil.copytree(tmp_path / "original", tmp_path / "copy")
    copy = Bureau.at(tmp_path / "copy")
    answer = await started(copy, 3)
    assert "take-over" in str(answer["next"])
    [line] = await broken(copy)
    assert line.startswith("Nothing is sent: the database file is a copy")
    assert any("take-over" in record.getMessage() for record in caplog.records)
