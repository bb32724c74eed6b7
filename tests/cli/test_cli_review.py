"""``review``: exit statuses, the passphrase, and what only a person at a terminal can do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from tests.cli.terminal import PASSPHRASE, Said, Terminal, done
from tests.secrecy import planted
from tests.world.data_folder import choose_passphrase
from tests.world.mail_servers import DROP
from tests.world.product import GRACE, MAIL, mailing, people, yes

from sequences_mcp.domain.workspace import Workspace


async def planned(terminal: Terminal, *contacts: dict[str, Any]) -> str:
    """Plan a start and return the plan."""
    async with terminal.bureau.client("auto") as desktop:
        blueprint = await desktop.blueprint(MAIL)
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=list(contacts or [GRACE]))
    return str(started["plan_id"])


def statuses(terminal: Terminal) -> list[str]:
    """Return the status of each run."""
    return [status for (status,) in terminal.bureau.rows("SELECT status FROM sequence")]


def test_nothing_waits_in_an_empty_folder(terminal: Terminal) -> None:
    assert terminal.run("review", "list") == (0, "Nothing waits for you.\n", "")


def test_without_a_passphrase_or_with_a_wrong_one_nothing_is_approved(terminal: Terminal) -> None:
    plan = done(planned(terminal))
    file = terminal.write("p.txt", PASSPHRASE)
    unset = terminal.run("review", "approve", plan, "--passphrase-file", file)
    assert (unset.status, unset.err) == (
        2,
        "No passphrase has been set. Set one first: sequences-mcp review set-passphrase.\n",
    )
    terminal.with_passphrase()
    wrong = terminal.run(
        "review", "approve", plan, "--passphrase-file", terminal.write("w.txt", planted.MISTYPED.value)
    )
    nobody = terminal.run("review", "approve", plan)
    missing = terminal.run("review", "approve", plan, "--passphrase-file", str(terminal.folder / "none"))
    assert [said.status for said in (wrong, nobody, missing)] == [2, 2, 2]
    assert nobody.err == "There is no terminal to ask for the passphrase. Use --passphrase-file.\n"
    assert statuses(terminal) == ["FOUND"]


def test_the_right_passphrase_approves_what_was_just_shown(terminal: Terminal) -> None:
    plan, secret = done(planned(terminal)), terminal.with_passphrase()
    said = terminal.run("review", "approve", plan, "--passphrase-file", secret)
    assert (said.status, said.err) == (0, "")
    assert "  │ Hi Grace, would a short call about the role suit you?" in said.out.splitlines()
    nobody_works = "Nothing of it leaves before a worker runs: keep a chat with this server open, or run"
    assert said.out.splitlines()[-1] == f"{plan} is approved: 1 person. {nobody_works} `sequences-mcp work`."
    again = terminal.run("review", "approve", plan, "--passphrase-file", secret)
    assert (again.status, again.err) == (
        2,
        "The plan is approved. It is under way; the review page (sequences-mcp review --open), under Sequences, "
        "shows how far.\n",
    )
    [(actor,)] = terminal.bureau.rows("SELECT actor FROM approval")
    assert actor.startswith("terminal:")


def test_more_than_fifty_people_need_their_number(terminal: Terminal) -> None:
    plan, secret = done(planned(terminal, *people(51))), terminal.with_passphrase()
    approve = ("review", "approve", plan, "--passphrase-file", secret)
    assert terminal.run(*approve).err == "This plan reaches 51 people. State that number: --people 51.\n"
    assert terminal.run(*approve, "--people", "50").status == 2
    assert terminal.run(*approve, "--people", "51").status == 0


def test_the_passphrase_is_changed_by_whoever_knows_it(terminal: Terminal) -> None:
    secret = terminal.with_passphrase()
    new = terminal.write("new.txt", planted.NEW_PASSPHRASE.value)
    change = ("review", "set-passphrase", "--passphrase-file", new)
    blind = terminal.run(*change)
    assert blind == (2, "", "There is no terminal to ask for the present passphrase. Use --old-passphrase-file.\n")
    assert terminal.run(*change, "--old-passphrase-file", new).status == 2
    short = terminal.run(
        "review",
        "set-passphrase",
        "--passphrase-file",
        terminal.write("s", "short"),
        "--old-passphrase-file",
        secret,
    )
    assert short.err == "A passphrase has 8 characters or more. Choose a longer one.\n"
    assert terminal.run(*change, "--old-passphrase-file", secret) == (0, "The passphrase is set.\n", "")
    plan = done(planned(terminal))
    assert terminal.run("review", "approve", plan, "--passphrase-file", secret).status == 2
    assert terminal.run("review", "approve", plan, "--passphrase-file", new).status == 0


def test_a_refusal_needs_a_reason_and_ends_the_plan(terminal: Terminal) -> None:
    plan = done(planned(terminal))
    assert terminal.run("review", "reject", plan).status == 2
    assert statuses(terminal) == ["FOUND"]
    assert terminal.run("review", "reject", plan, "--reason", "not now").status == 0
    assert statuses(terminal) == ["REFUSED"]
    again = terminal.run("review", "reject", plan, "--reason", "not now")
    assert (again.status, again.err) == (
        2,
        "The plan is rejected: it cannot be rejected. A new start plans it anew.\n",
    )


def test_the_earlier_name_of_reject_still_works_and_is_not_listed(terminal: Terminal) -> None:
    plan = done(planned(terminal))
    assert terminal.run("review", "refuse", plan, "--reason", "not now").status == 0
    assert statuses(terminal) == ["REFUSED"]
    listed = terminal.run("review", "--help").out
    assert "  reject " in listed
    assert "refuse" not in listed


def test_the_earlier_name_of_resolve_still_works_and_is_not_listed(terminal: Terminal) -> None:
    assert "--not-sent" in terminal.run("review", "settle", "--help").out
    listed = terminal.run("review", "--help").out
    assert "  resolve " in listed
    assert "settle" not in listed


@pytest.mark.parametrize("command", ["show", "approve"])
@pytest.mark.parametrize("identifier", ["grace", "local:seq_1", "local:plan_0", "local:draft_0", "\x1b[2J"])
def test_an_id_that_is_none_is_told_in_one_line(terminal: Terminal, command: str, identifier: str) -> None:
    said = terminal.run("review", command, identifier)
    assert (said.status, said.out, said.err.count("\n")) == (2, "", 1)
    assert "\x1b" not in said.err


async def hostile(terminal: Terminal) -> str:
    """Plan a start of somebody who is stored with a name that commands a terminal; return the plan."""
    async with terminal.bureau.client("auto") as desktop:
        blueprint = await desktop.blueprint(MAIL)
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
    terminal.change(  # at the door such names are refused
        "UPDATE contact SET first_name = char(27) || '[2J' || char(8238), last_name = char(155) || '31mH'",
    )
    return str(started["plan_id"])


def test_names_from_outside_reach_the_terminal_as_text(terminal: Terminal) -> None:
    plan = done(hostile(terminal))
    for said in (terminal.run("review", "list"), terminal.run("review", "show", plan, "--full")):
        assert (said.status, said.err) == (0, "")
        assert not set(said.out) & set("\x1b\x9b\u202e")
    assert "⟨U+001B⟩[2J⟨U+202E⟩ ⟨U+009B⟩31mH" in said.out


async def lost(terminal: Terminal) -> str:
    """Send one e-mail whose answer is lost, and return its draft."""
    with mailing(terminal.bureau, {"dot": DROP}) as (connected, _):
        async with connected.client("auto", yes) as desktop:
            blueprint = await desktop.blueprint(MAIL)
            await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
            connected.work()
            [draft] = (await desktop.call("list_reviews"))["drafts"]["items"]
    return str(draft["id"])


@pytest.mark.parametrize(("answer", "status"), [("--sent", "COMPLETED"), ("--not-sent", "ACTIVE")])
def test_an_unknown_fate_is_settled_by_whoever_knows_the_passphrase(
    terminal: Terminal, answer: str, status: str
) -> None:
    draft, secret = done(lost(terminal)), terminal.with_passphrase()
    listed = terminal.run("review", "list").out
    assert draft in listed
    assert "sequences-mcp review resolve ID --sent, or --not-sent, which sends it again" in listed
    assert "1 texts" in (told := terminal.run("doctor").out)
    assert "(1 of the texts: e-mails of unknown outcome)" in told
    unsaid = terminal.run("review", "resolve", draft, "--passphrase-file", secret)
    assert (unsaid.status, "--sent or --not-sent" in unsaid.err) == (2, True)
    assert terminal.run("review", "resolve", draft, answer).status == 2
    assert statuses(terminal) == ["WAITING_FOR_USER"]
    said = terminal.run("review", "resolve", draft, answer, "--passphrase-file", secret)
    assert (said.status, said.err) == (0, "")
    assert statuses(terminal) == [status]
    again = terminal.run("review", "resolve", draft, answer, "--passphrase-file", secret)
    assert isinstance(again, Said)
    assert (again.status, "no unknown outcome" in again.err or "cannot be resolved" in again.err) == (2, True)


def test_the_list_of_those_never_to_contact_changes_with_the_passphrase_alone(terminal: Terminal) -> None:
    secret, wrong = terminal.with_passphrase(), terminal.write("w.txt", planted.MISTYPED.value)
    listed = ["review", "suppress", "gmail.com", "--reason", "house rule", "--passphrase-file"]
    lifted = ["review", "lift", "Gmail.com", "--reason", "over", "--passphrase-file"]
    assert terminal.run(*listed, wrong).status == 2
    assert terminal.run(*lifted, secret).status == 2
    assert (
        terminal.run(*listed, secret).out
        == "gmail.com is on the list: nothing more leaves for them. Stopped: 0.\n"
    )
    assert terminal.run(*lifted, wrong).status == 2
    said = terminal.run(*lifted, secret)
    assert (said.status, said.err) == (0, "")
    assert said.out.splitlines()[0] == "gmail.com is off the list. It was there because: house rule"
    rows = terminal.bureau.rows(
        "SELECT action, actor, detail FROM audit WHERE action LIKE 'suppression.%' ORDER BY no"
    )
    assert [action for action, _, _ in rows] == ["suppression.added", "suppression.lifted"]
    assert all(actor.startswith("terminal:") for _, actor, _ in rows) and '"over"' in rows[1][2]
    assert terminal.run(*lifted, secret).status == 2


NOBODY = "01KAXXXXXXXXXXXXXXXXXXXXXX"
WRONG_IDS = [
    f"local:plan_{NOBODY}",
    f"local:draft_{NOBODY}",
    f"local:op_{NOBODY}",
    f"local:seq_{NOBODY}",
    "x:y",
    "x",
]
DECISIONS = {
    "show": (),
    "approve": ("--passphrase-file",),
    "reject": ("--reason", "none"),
    "settle sent": ("--sent", "--passphrase-file"),
    "settle not sent": ("--not-sent", "--passphrase-file"),
}


@pytest.fixture(scope="module")
def locked_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a passphrase, chosen once."""
    folder = tmp_path_factory.mktemp("locked")
    (folder / "data").mkdir(mode=0o700)
    (folder / "passphrase.txt").write_text(f"{PASSPHRASE}\n", encoding="utf-8")
    choose_passphrase(Workspace(folder / "data"), PASSPHRASE)
    return folder


@pytest.mark.parametrize("identifier", WRONG_IDS)
@pytest.mark.parametrize("decision", DECISIONS)
def test_a_wrong_id_at_a_terminal_ends_in_a_command_to_type(
    locked_folder: Path, capsys: pytest.CaptureFixture[str], decision: str, identifier: str
) -> None:
    terminal, options = Terminal(locked_folder, capsys), list(DECISIONS[decision])
    if options[-1:] == ["--passphrase-file"]:
        options.append(str(locked_folder / "passphrase.txt"))
    said = terminal.run("review", decision.split()[0], identifier, *options)
    assert (said.status, said.out) == (2, "")
    assert re.search(r"`?sequences-mcp (review list|review --open|doctor)", said.err), said.err
