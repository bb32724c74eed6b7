"""``work --once`` says what it did: what left, what waits for a person, what is next."""

from __future__ import annotations

from typing import Any

from tests.cli.terminal import Terminal, done
from tests.cli.test_cli_start import started
from tests.world.mail_servers import DROP
from tests.world.product import LINKEDIN, MAIL, Bureau, mailing, people, yes

ALWAYS = {"WINDOW": "Mon-Sun 00:00-24:00", "SPACING": "0", "DAILY_CAP": "10000"}
LATER = {
    **MAIL,
    "id": "again",
    "name": "Again",
    "temporalityType": "DELAYED",
    "delay": {"value": 3, "unit": "day"},
}
TASK = {**LINKEDIN, "temporalityType": "ASAP", "delay": None}
NOTHING_MORE = "Waiting for a person: nothing. Nothing more is due here."


async def under_way(bureau: Bureau, *steps: dict[str, Any], many: int) -> None:
    """Start as many people with a yes in the dialog."""
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint(*steps)
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(many))


def work(terminal: Terminal, **settings: str) -> list[str]:
    """Do once what is due, in a process of its own; return the lines it says."""
    said = started(terminal.data, "work", "--once", **ALWAYS, **settings)
    assert (said.returncode, said.stderr) == (0, "")
    return said.stdout.splitlines()


def test_it_says_that_nothing_was_to_do(terminal: Terminal) -> None:
    assert work(terminal) == [
        "E-mails written to the outbox folder, which reaches nobody: 0.",
        NOTHING_MORE,
    ]


def test_it_says_how_much_left_what_waits_and_what_is_next(terminal: Terminal) -> None:
    done(under_way(terminal.bureau, MAIL, LATER, many=2))
    first, second = work(terminal)
    assert first == "E-mails written to the outbox folder, which reaches nobody: 2."
    assert second.startswith("Waiting for a person: nothing. Next due here: 20") and second.endswith(" UTC.")


def test_it_says_that_tasks_wait(terminal: Terminal) -> None:
    done(under_way(terminal.bureau, TASK, many=2))
    assert work(terminal)[1] == "Waiting for a person: 2 tasks. Nothing more is due here."


def test_what_a_server_does_not_take_and_what_nobody_knows_are_no_e_mails_that_left(terminal: Terminal) -> None:
    for many, script, said in (
        (1, {"RCPT": "550 5.1.1 no such user"}, "E-mails sent: 0; not accepted: 1."),
        (2, {"dot": DROP}, "E-mails sent: 0; unknown whether they were sent: 1."),
    ):
        with mailing(terminal.bureau, script) as (bureau, _):
            done(under_way(bureau, MAIL, many=many))
            lines = work(terminal, SMTP_URL=bureau.environ["SEQUENCES_SMTP_URL"])
        assert lines[0] == said
    assert lines[1] == "Waiting for a person: 1 text. Nothing more is due here."
    assert not any("worker" in line for line in lines)
