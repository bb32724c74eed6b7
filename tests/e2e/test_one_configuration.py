"""One configuration for a data folder: processes with other settings, with none, and with broken ones."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from mcp import MCPError
from tests.e2e.test_saying_yes import blueprint_of
from tests.e2e.test_story import JONAS, MARIA
from tests.secrecy import planted
from tests.secrecy.hearing import heard
from tests.world.installation import Installation, Said, until
from tests.world.mail_servers import PostOffice
from tests.world.product import Desktop, yes

FILE = """\
window = "Mon-Sun 00:00-24:00"
spacing = 0
daily_cap = {cap}
[mailboxes.ada]
name = "Ada Lovelace"
address = "ada@lovelace.example"
smtp = "smtp://127.0.0.1:{port}"
"""


async def seen(desktop: Desktop, run: str) -> dict[str, Any]:
    """Return a run as a client sees it."""
    return await desktop.call("get_sequence", sequence_id=run)


def worker_sends(said: Said) -> bool:
    """Tell whether doctor saw the thread that sends; a worker shows its threads one by one."""
    return "worker: process" in said.out and "; sends as Ada Lovelace" in said.out


async def test_a_plain_terminal_without_any_setting_approves_and_voids_nothing(
    installation: Installation, office: PostOffice
) -> None:
    secret = await installation.with_passphrase()
    async with installation.client() as desktop:
        start = {"blueprint_id": await blueprint_of(desktop), "contacts": [MARIA, JONAS]}
        started = await desktop.call("start_sequence", **start)
        await installation.until_it_sends()
        await until(lambda: installation.plain.run("doctor"), worker_sends)
        approve = ("review", "approve", started["plan_id"], "--passphrase-file", str(secret))
        said = await installation.plain.run(*approve)
        assert (said.status, said.err) == (0, "")
        assert said.out.endswith(f"{started['plan_id']} is approved: 2 people.\n")
        await asyncio.to_thread(office.wait_for, 2)
        assert (await desktop.call("list_reviews"))["plans"]["total_count"] == 0


async def test_a_plain_terminal_refuses_too_and_approving_with_no_worker_says_that_nothing_leaves(
    installation: Installation, office: PostOffice
) -> None:
    secret = await installation.with_passphrase()
    async with installation.having(WORKER="off").client() as desktop:
        blueprint = await blueprint_of(desktop)
        plans = [
            (await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[one]))["plan_id"]
            for one in (MARIA, JONAS)
        ]
        refused = await installation.plain.run("review", "reject", plans[0], "--reason", "wrong list")
        assert (refused.status, refused.err) == (0, "")
        said = await installation.plain.run("review", "approve", plans[1], "--passphrase-file", str(secret))
        assert said.status == 0
        assert "Nothing of it leaves before a worker with its settings runs (Ada Lovelace <" in said.out
        told = await desktop.call("list_providers")
        assert told["workers"][0].startswith("none runs: nothing leaves before one does")
    assert (await installation.run("work", "--once")).status == 0
    assert [to for to, _ in office.sent] == [JONAS["email"]]


async def test_doctor_beside_a_client_that_is_set_up_right_is_good(installation: Installation) -> None:
    async with installation.client() as desktop:
        assert "sends as Ada" in (await desktop.call("list_providers"))["workers"][0]
        await installation.until_it_sends()
        said = await until(lambda: installation.plain.run("doctor"), worker_sends)
        assert (said.status, said.err, "BAD" in said.out) == (0, "", False)
        assert "sends as Ada Lovelace <ada@lovelace.example> through smtp://127.0.0.1:" in said.out
    alone = await installation.plain.run("doctor")
    assert alone.status == 1
    assert "BAD  sender: SEQUENCES_SENDER is not set" in alone.out


async def test_a_terminal_without_the_password_approves_and_is_good_beside_a_worker_that_has_it(
    installation: Installation, office: PostOffice
) -> None:
    installation.write_settings(FILE.format(cap=50, port=office.port) + 'password = { env = "ADA_PASSWORD" }\n')
    said = await installation.plain.run("doctor")
    assert said.status == 1
    assert "the environment variable ADA_PASSWORD is not set in this process" in said.out
    stopped = await installation.plain.run("work", "--once")
    assert (stopped.status, "cannot sign in at the mail server" in stopped.err) == (2, True)
    whole = Installation(
        installation.folder, settings={"ADA_PASSWORD": planted.SMTP_PASSWORD.value}, is_plain=True
    )
    async with whole.client():
        await installation.until_it_sends()
        good = await until(lambda: installation.plain.run("doctor"), worker_sends)
        assert (good.status, "BAD" in good.out) == (0, False)


async def test_with_settings_in_the_data_folder_doctor_is_good_anywhere(
    installation: Installation, office: PostOffice
) -> None:
    installation.write_settings(FILE.format(cap=50, port=office.port))
    said = await installation.plain.run("doctor")
    assert (said.status, said.err, "BAD" in said.out) == (0, "", False)
    assert "sender: Ada Lovelace <ada@lovelace.example>" in said.out


async def test_a_second_worker_without_the_mail_server_touches_nothing_and_voids_nothing(
    installation: Installation, office: PostOffice
) -> None:
    async with installation.having(WORKER="off").client("auto", yes) as desktop:
        blueprint = await blueprint_of(desktop)
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[MARIA])
        run = started["sample"]["sequence_id"]
        before = (await seen(desktop, run))["steps"]
        async with installation.having(SMTP_URL="").working() as other:
            assert other.stderr is not None
            log = b""
            async with asyncio.timeout(60):
                while b"left alone" not in log:
                    log += await other.stderr.readline()
            heard("what a worker said", log)
        assert started["plan_id"].encode() in log
        assert b"approved for other settings (delivery was" in log
        found = await seen(desktop, run)
        assert (found["status"], found["steps"]) == ("ACTIVE", before)
        assert (await desktop.call("list_reviews"))["plans"]["total_count"] == 0
        assert not (installation.data / "outbox").exists()
        said = await installation.run("work", "--once")
        assert said.status == 0
    assert [to for to, _ in office.sent] == [MARIA["email"]]


async def test_settings_that_really_changed_hold_runs_until_they_are_back(
    installation: Installation, office: PostOffice
) -> None:
    installation.write_settings(FILE.format(cap=50, port=office.port))
    plain = installation.plain.having(WORKER="off")
    async with plain.client("auto", yes) as desktop:
        blueprint = await blueprint_of(desktop)
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[MARIA])
    installation.write_settings(FILE.format(cap=7, port=office.port))
    assert (await plain.run("work", "--once")).status == 0
    async with plain.client() as desktop:
        found = await seen(desktop, started["sample"]["sequence_id"])
        assert found["status"] == "WAITING_FOR_USER"
        assert "approved for other settings: daily cap was 50 and is now 7" in found["why"]
        [plan] = (await desktop.call("list_reviews"))["plans"]["items"]
        assert plan["plan_id"] == started["plan_id"]
    assert office.messages == []
    installation.write_settings(FILE.format(cap=50, port=office.port))
    assert (await plain.run("work", "--once")).status == 0
    assert [to for to, _ in office.sent] == [MARIA["email"]]


@pytest.mark.parametrize("was_held", [True, False], ids=["held", "left alone"])
async def test_a_person_approves_the_new_settings_for_the_whole_plan_at_once(
    installation: Installation, office: PostOffice, was_held: bool
) -> None:
    secret = await installation.with_passphrase()
    port = office.port if was_held else 1
    installation.write_settings(FILE.format(cap=50, port=port))
    plain = installation.plain.having(WORKER="off")
    async with plain.client("auto", yes) as desktop:
        blueprint = await blueprint_of(desktop)
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[MARIA, JONAS])
    installation.write_settings(FILE.format(cap=7, port=office.port))
    assert (await plain.run("work", "--once")).status == 0
    async with plain.client() as desktop:
        found = await seen(desktop, started["sample"]["sequence_id"])
        assert "approved for other settings: " in found["why"]
    assert office.messages == []
    said = await plain.run("review", "approve", started["plan_id"], "--passphrase-file", str(secret))
    assert (said.status, said.err) == (0, "")
    assert "approved for other settings: " in said.out
    assert "at most 7 in 24 hours" in said.out
    assert (await plain.run("work", "--once")).status == 0
    assert [to for to, _ in office.sent] == [JONAS["email"], MARIA["email"]]


async def told_by_each_tool(desktop: Desktop) -> set[str]:
    """Return the different things that all tools answer."""
    tools = (await desktop.client.list_tools()).tools
    answers = [await desktop.client.call_tool(tool.name, {}) for tool in tools]
    assert len(answers) > 20
    assert all(one.is_error for one in answers)
    return {one.content[0].text for one in answers}


async def test_with_broken_settings_the_server_starts_every_tool_says_it_and_goes_on_once_they_are_mended(
    installation: Installation, era: str
) -> None:
    installation.write_settings("daily_cap = 20\nwindw = 'x'\n")
    async with installation.plain.client(era) as desktop:
        [said] = await told_by_each_tool(desktop)
        assert "settings.toml, line 2, windw: there is no such key; did you mean window?" in said
        assert '"code":"bad_settings"' in said
        with pytest.raises(MCPError, match="did you mean window"):
            await desktop.client.get_prompt("weekly_review")
        installation.write_settings("daily_cap = 20\n")
        assert (await desktop.call("list_providers"))["daily_cap"] == 20


async def test_with_a_data_folder_that_cannot_be_used_the_server_starts_and_every_tool_says_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "data").write_text("in the way", encoding="utf-8")
    async with Installation(tmp_path).client() as desktop:
        [said] = await told_by_each_tool(desktop)
        assert "Set SEQUENCES_DATA_DIR to a folder" in said
        (tmp_path / "data").unlink()
        assert (await desktop.call("list_providers"))["daily_cap"] == 50
