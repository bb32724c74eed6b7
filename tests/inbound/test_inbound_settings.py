"""How a mailbox is connected for reading, and what a plan says where none is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.secrecy.hearing import heard
from tests.secrecy.planted import SMTP_PASSWORD
from tests.world.dovecot import Dovecot
from tests.world.product import GRACE, LINKEDIN, MAIL, Bureau

from sequences_mcp.doctor import examine
from sequences_mcp.domain.inbound import DEAF
from sequences_mcp.errors import SettingsError
from sequences_mcp.planning.requirements import NOBODY_LISTENS
from sequences_mcp.planning.warnings import blueprint_warnings
from sequences_mcp.settings import Settings, read_settings

FILE = """
freshness = 300

[mailboxes.ada]
name = "Ada Lovelace"
address = "ada@example.com"
imap = "{imap}"
{more}
"""
FOLLOW_UP = {**MAIL, "id": "again", "temporalityType": "DELAYED", "delay": {"value": 3, "unit": "day"}}


def settings(folder: Path, imap: str, more: str = "", **environ: str) -> Settings:
    """Return the settings of a folder whose mailbox has this address to read from."""
    (folder / "settings.toml").write_text(FILE.format(imap=imap, more=more))
    return read_settings({"SEQUENCES_DATA_DIR": str(folder), **environ})


def test_the_mailbox_of_the_file_is_read_with_its_password(tmp_path: Path) -> None:
    found = settings(tmp_path, "imaps://imap.example.com", 'password = { env = "ADA" }', ADA=SMTP_PASSWORD.value)
    assert found.mailbox.imap_url is not None
    user, quoted = "ada%40example.com", "correct%20Plnt7Secret07z%20horse"
    assert found.mailbox.imap_url.value == f"imaps://{user}:{quoted}@imap.example.com"
    assert (found.freshness, found.mailbox.reads_inbox, found.lacking) == (300, True, {})
    assert SMTP_PASSWORD.value not in heard("the settings", repr(found))


def test_an_account_of_the_environment_fills_the_address_of_the_file(tmp_path: Path) -> None:
    whole = "imaps://ada:x@imap.example.com"
    found = settings(tmp_path, "imaps://imap.example.com", SEQUENCES_IMAP_URL=whole)
    assert found.mailbox.imap_url is not None
    assert found.mailbox.imap_url.value == whole


def test_without_the_password_a_process_still_knows_that_answers_are_read(tmp_path: Path) -> None:
    found = settings(tmp_path, "imaps://imap.example.com", 'password = { env = "ADA" }')
    assert (found.mailbox.imap_url, found.mailbox.reads_inbox) == (None, True)
    assert "SEQUENCES_IMAP_URL" in found.lacking


@pytest.mark.parametrize(
    ("imap", "why"),
    [
        ("imaps://ada:x@imap.example.com", "no password stands in this file"),
        ("imap.example.com", "it does not start with imaps://"),
        ("imaps://imap.example.com", "it needs a password"),
    ],
)
def test_what_is_wrong_with_the_address_is_said_without_a_secret(tmp_path: Path, imap: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why) as caught:
        settings(tmp_path, imap)
    assert "line 7" in heard("the error", str(caught.value))


async def planned(bureau: Bureau, *steps: dict[str, Any]) -> tuple[int, str]:
    """Plan a start; return the number of its warnings, and the plan as it is shown."""
    async with bureau.client("auto") as desktop:
        started = await desktop.call(
            "start_sequence", blueprint_id=await desktop.blueprint(*steps), contacts=[GRACE]
        )
    async with bureau.app() as app:
        plan = await app.plans.get_plan(started["plan_id"])
        shown = "; ".join(finding.message for finding in await blueprint_warnings(app, plan))
    # The digest that a person approves is over the header, so over this.
    assert (f"again: {DEAF}" in plan.header.warnings) == (NOBODY_LISTENS in shown)
    return int(started["warnings"]), shown


SMTP = "smtp://127.0.0.1:9"


async def test_a_plan_with_a_follow_up_says_where_nobody_reads_the_answers(bureau: Bureau) -> None:
    number, shown = await planned(bureau.having(SMTP_URL=SMTP), MAIL, FOLLOW_UP)
    assert number == 1
    assert NOBODY_LISTENS in shown


async def test_where_the_answers_are_read_or_nothing_follows_or_nothing_leaves_it_does_not(bureau: Bureau) -> None:
    read = bureau.having(SMTP_URL=SMTP, IMAP_URL="imap://ada:x@127.0.0.1:9")
    for one, steps in (
        (read, (MAIL, FOLLOW_UP)),
        (bureau.having(SMTP_URL=SMTP), (MAIL,)),
        (bureau, (MAIL, LINKEDIN)),
    ):
        number, shown = await planned(one, *steps)
        assert (number, NOBODY_LISTENS in shown) == (0, False)


def test_doctor_tries_the_mailbox(tmp_path: Path, dovecot: Dovecot) -> None:
    environ = {"SEQUENCES_DATA_DIR": str(tmp_path), "SEQUENCES_SENDER": "Ada Lovelace <ada@example.com>"}

    def said(**more: str) -> list[str]:
        lines, _ = examine({**environ, **more})
        return [heard("doctor", str(line)) for line in lines if line.words.startswith("inbox")]

    assert said() == [
        "note inbox: no SEQUENCES_IMAP_URL; nobody knows who answered, and follow-ups leave all the same"
    ]
    where = f"imap://127.0.0.1:{dovecot.port}"
    assert said(SEQUENCES_IMAP_URL=dovecot.url) == [
        f"ok   inbox: {where} answers (signed in as ada@example.com); 4 folders are read"
    ]
    wrong = dovecot.url.replace("horse", "mule")
    assert said(SEQUENCES_IMAP_URL=wrong) == [
        f"BAD  inbox: {where}: the server refuses to sign in ada@example.com"
    ]
