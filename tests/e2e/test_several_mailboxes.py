"""Several mailboxes in one data folder: each sends what was approved for it, by its own way out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.test_saying_yes import blueprint_of
from tests.e2e.test_story import HELLO, JONAS, MARIA, ROLE
from tests.world.installation import Installation, until
from tests.world.mail_servers import PostOffice, post_office
from tests.world.product import yes

FILE = """\
window = "Mon-Sun 00:00-24:00"
spacing = 0
default_mailbox = "ada"
[mailboxes.ada]
name = "Ada Lovelace"
address = "ada@lovelace.example"
smtp = "smtp://127.0.0.1:{ada}"
"""
BOB = """\
[mailboxes.bob]
name = "Bob Noyce"
address = "bob@fairchild.example"
smtp = "smtp://127.0.0.1:{bob}"
"""
OF_BOB = {**HELLO, "config": {"userId": "bob"}, "content": "Hi {{firstname}}. {{recruiterFirstname}}"}


@pytest.fixture
def branch(tmp_path: Path) -> Iterator[PostOffice]:
    """The mail server of the second mailbox."""
    with post_office(tmp_path / "branch") as running:
        yield running


@pytest.fixture
def folder(installation: Installation, office: PostOffice, branch: PostOffice) -> Installation:
    """A data folder with two mailboxes, each with a mail server of its own."""
    installation.write_settings(FILE.format(ada=office.port) + BOB.format(bob=branch.port))
    return installation.plain


async def test_each_message_leaves_by_the_mailbox_that_its_blueprint_names(
    folder: Installation, office: PostOffice, branch: PostOffice
) -> None:
    async with folder.client("auto", yes) as desktop:
        for steps, person in (([HELLO], MARIA), ([OF_BOB], JONAS)):
            blueprint = await blueprint_of(desktop, *steps)
            started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[person])
            assert started["outcome"] == "done"
        [mail] = office.wait_for(1)
        [of_bob] = branch.wait_for(1)
        told = await desktop.call("list_providers")
        runs = await desktop.call("list_sequences")
    assert (mail["From"], mail["To"]) == ("Ada Lovelace <ada@lovelace.example>", MARIA["email"])
    assert (of_bob["From"], of_bob["To"]) == ("Bob Noyce <bob@fairchild.example>", JONAS["email"])
    assert of_bob.get_content().strip().endswith("Bob")
    assert [words.partition(" through ")[0] for words in told["mailboxes"]] == [
        "ada: Ada Lovelace <ada@lovelace.example>",
        "bob: Bob Noyce <bob@fairchild.example>",
    ]
    assert told["broken"] == []
    assert told["providers"][0]["can"] == ["starts", "blueprints", "contacts", "sequences", "drafts", "tasks"]
    assert not [run for run in runs["items"] if "other settings" in run["why"]]


async def test_a_plan_shows_the_mailbox_it_would_leave_by(folder: Installation) -> None:
    async with folder.having(WORKER="off").client() as desktop:
        blueprint = await blueprint_of(desktop, OF_BOB)
        shown = await desktop.call("preview_sequence", blueprint_id=blueprint, contacts=[JONAS])
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[JONAS])
    assert shown["people"][0]["steps"][0]["content"].endswith("Bob")
    seen = await folder.run("review", "show", started["plan_id"])
    assert "Bob Noyce <bob@fairchild.example>" in seen.out
    assert "ada@lovelace.example" not in seen.out


async def test_a_step_can_name_one_mailbox_of_the_settings_and_all_steps_the_same(folder: Installation) -> None:
    async with folder.having(WORKER="off").client() as desktop:
        nobody = {**HELLO, "config": {"userId": "eve"}}
        unknown = await desktop.refused("create_blueprint", steps=[nobody], **ROLE)
        mixed = await desktop.refused("create_blueprint", steps=[OF_BOB, {**HELLO, "id": "second"}], **ROLE)
    assert "there are ada, bob" in unknown["findings"][0]["message"]
    assert "name the same in every step" in mixed["findings"][0]["message"]


async def test_a_mailbox_that_is_taken_out_of_the_settings_holds_its_own_runs_alone(
    folder: Installation, office: PostOffice, branch: PostOffice
) -> None:
    later = {**HELLO, "id": "later", "temporalityType": "DELAYED", "delay": {"value": 1, "unit": "minute"}}
    async with folder.having(WORKER="off").client("auto", yes) as desktop:
        blueprint = await blueprint_of(desktop, OF_BOB, {**later, "config": {"userId": "bob"}})
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[JONAS])
        run = started["sample"]["sequence_id"]
        mine = await desktop.call("start_sequence", blueprint_id=await blueprint_of(desktop), contacts=[MARIA])
        assert mine["outcome"] == "done"
    folder.write_settings(FILE.format(ada=office.port))
    assert (await folder.run("work", "--once")).status == 0
    assert [to for to, _ in office.sent] == [MARIA["email"]]
    assert branch.sent == []
    async with folder.having(WORKER="off").client() as desktop:
        held = await desktop.call("get_sequence", sequence_id=run)
        shown = await desktop.call("preview_sequence", blueprint_id=blueprint, contacts=[JONAS])
    assert "approved for other settings" in held["why"]
    assert "as the one sender of this server" in shown["people"][0]["left_out"][0]
    folder.write_settings(FILE.format(ada=office.port) + BOB.format(bob=branch.port))
    assert (await folder.run("work", "--once")).status == 0
    assert [to for to, _ in branch.sent] == [JONAS["email"]]


async def test_doctor_tries_each_mailbox(folder: Installation) -> None:
    async with folder.client():
        good = await until(lambda: folder.run("doctor"), lambda said: " and as " in said.out)
    assert good.status == 0
    assert good.out.count("accepts connections") + good.out.count("delivery: ") >= 2
    assert "\nMailbox ada, the default\n" in good.out
    assert "\nMailbox bob\n" in good.out
