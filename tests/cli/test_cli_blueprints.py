"""``sequences-mcp blueprints``: out to a file, in from one after it was shown; put away and taken back."""

from __future__ import annotations

import json

import pytest
from tests.cli.terminal import Terminal, done
from tests.importing.foreign_samples import APOLLO, LEMLIST
from tests.world.product import MAIL

from sequences_mcp.domain.blueprint import Blueprint, OnReply
from sequences_mcp.services.blueprints import create_blueprint, get_blueprint
from sequences_mcp.store.blueprints import steps_json

STEPS = [
    {**MAIL, "id": "first", "format": "markdown", "content": "Hi {{firstname}},\n\n**one** word?"},
    {
        **MAIL,
        "id": "again",
        "subject": "Another",
        "temporalityType": "DELAYED",
        "delay": {"value": 3, "unit": "day"},
        "config": {"newThread": True},
        "policy": {"skipStepIfNoContact": True},
    },
]


def made(terminal: Terminal, **facts: object) -> Blueprint:
    """Save a blueprint, as an agent would."""

    async def make() -> Blueprint:
        async with terminal.bureau.app() as app:
            report = await create_blueprint(app, name="Engineers", steps=STEPS, job_title="Engineer", **facts)  # type: ignore[arg-type]
            return report.blueprint

    return done(make())


def stored(terminal: Terminal, blueprint_id: str) -> Blueprint:
    async def read() -> Blueprint:
        async with terminal.bureau.app() as app:
            return (await get_blueprint(app, blueprint_id=blueprint_id)).blueprint

    return done(read())


@pytest.mark.parametrize("form", ["json", "markdown"])
def test_what_is_exported_is_imported_with_the_same_steps_to_the_byte(terminal: Terminal, form: str) -> None:
    blueprint = made(terminal, on_reply=OnReply.HOLD, stop_company=True)
    file = terminal.folder / "engineers"
    said = terminal.run("blueprints", "export", blueprint.id, "--format", form, "--to", str(file))
    assert said.status == 0 and str(file) in said.out
    assert terminal.run("blueprints", "export", blueprint.id, "--format", form).out == file.read_text()
    done_with = json.loads(terminal.run("blueprints", "import", str(file), "--yes", "--json").out)
    again = stored(terminal, done_with["saved"][0]["id"])
    assert again.id != blueprint.id
    assert steps_json(again.steps) == steps_json(blueprint.steps)
    assert (again.name, again.sourcing, again.replies) == (blueprint.name, blueprint.sourcing, blueprint.replies)


def test_a_file_that_is_there_is_not_replaced_without_a_word(terminal: Terminal) -> None:
    blueprint, file = made(terminal), terminal.write("mine.md", "mine")
    said = terminal.run("blueprints", "export", blueprint.id, "--to", file)
    assert said.status == 2 and "--force" in said.err
    assert terminal.run("blueprints", "export", blueprint.id, "--to", file, "--force").status == 0
    missing = terminal.run("blueprints", "export", blueprint.id, "--to", str(terminal.folder / "no" / "a.md"))
    assert missing.status == 2 and "cannot be written" in missing.err


def test_a_sequence_of_another_program_is_shown_first_and_saved_after_a_yes(terminal: Terminal) -> None:
    file = terminal.write("lemlist.json", json.dumps(LEMLIST))
    looked = terminal.run("blueprints", "import", file, "--dry-run")
    assert looked.status == 0
    assert "lemlist: 3 steps, read as a file of lemlist." in looked.out
    assert "Step 1 is 'linkedinVisit' there" in looked.out and "Nothing was saved." in looked.out
    unsure = terminal.run("blueprints", "import", file)  # nobody is at the keyboard
    assert unsure.status == 2 and "--yes" in unsure.err
    assert terminal.run("blueprints", "list").out == "None.\n"
    saved = terminal.run("blueprints", "import", file, "--name", "Engineers of Lyon", "--yes")
    assert saved.status == 0 and "Engineers of Lyon, version 1, 3 steps" in saved.out
    assert "Engineers of Lyon" in terminal.run("blueprints", "list").out


def test_what_the_guards_refuse_is_not_saved_and_can_be_mended_in_markdown(terminal: Terminal) -> None:
    file = terminal.write("apollo.json", json.dumps(APOLLO))
    said = terminal.run("blueprints", "import", file, "--yes")
    assert said.status == 1 and "{{icebreaker}}" in said.out and "Nothing was saved." in said.out
    mended = terminal.folder / "apollo.md"
    assert terminal.run("blueprints", "import", file, "--as-markdown", str(mended)).status == 1
    text = mended.read_text()
    assert "## 1. E-mail 1" in text
    mended.write_text(text.replace("{{icebreaker}}", "May I ask you something?"))
    again = terminal.run("blueprints", "import", str(mended), "--yes", "--json")
    assert again.status == 0, again.out
    assert json.loads(again.out)["saved"][0]["name"] == "Data leaders"


def test_a_file_with_a_finding_of_the_reader_that_refuses_is_not_saved(terminal: Terminal) -> None:
    file = terminal.write("a.md", "# A\n\n## One\n\n- Id: a\n- Channel: pigeon\n- When: at once\n\n```\nHi\n```\n")
    said = terminal.run("blueprints", "import", file, "--yes")
    assert said.status == 1 and "Line 6: Channel: it is one of E-mail" in said.out
    assert terminal.run("blueprints", "import", terminal.write("b.txt", "Hello"), "--yes").status == 2


def test_an_archived_blueprint_is_listed_only_where_that_is_asked_for(terminal: Terminal) -> None:
    blueprint = made(terminal)
    assert "Engineers is archived." in terminal.run("blueprints", "archive", blueprint.id).out
    assert terminal.run("blueprints", "archive", blueprint.id).status == 0  # again changes nothing
    assert terminal.run("blueprints", "list").out == "None.\n"
    assert terminal.run("blueprints", "list", "--page", "3").out == "There is no page 3: the list is empty.\n"
    past = terminal.run("blueprints", "list", "--archived", "--page", "3").out
    assert past == "There is no page 3: the last is 1.\n"
    assert blueprint.id in terminal.run("blueprints", "list", "--archived").out
    assert json.loads(terminal.run("blueprints", "list", "--archived", "--json").out)["items"][0]["archived"]
    assert "listed again" in terminal.run("blueprints", "unarchive", blueprint.id).out
    assert blueprint.id in terminal.run("blueprints", "list").out
    assert terminal.run("blueprints", "archive", "local:bp_none").status == 2
