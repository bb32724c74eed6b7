"""Blueprints on the review page: downloaded, pasted and looked through, saved, archived."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from tests.importing.foreign_samples import APOLLO, LEMLIST
from tests.review_page.page_browser import screen, violations
from tests.world.page import MAIL, PageWorld, Visitor

from sequences_mcp.domain.blueprint import Blueprint
from sequences_mcp.services.blueprints import create_blueprint, list_blueprints
from sequences_mcp.store.blueprints import steps_json


def made(world: PageWorld) -> Blueprint:
    report = world.at_desk(lambda app: create_blueprint(app, name="Engineers: Lyon", steps=[MAIL]))
    blueprint: Blueprint = report.blueprint
    return blueprint


def stored(world: PageWorld, *, archived: bool = False) -> list[Blueprint]:
    return list(world.at_desk(lambda app: list_blueprints(app, archived=archived)).items)


@pytest.mark.parametrize(("form", "kind"), [("json", "application/json"), ("markdown", "text/markdown")])
def test_a_download_pasted_again_is_the_same_blueprint(
    world: PageWorld, person: Visitor, form: str, kind: str
) -> None:
    first = made(world)
    assert f"/blueprints/{first.id}/file?format={form}" in person.get(f"/blueprints/{first.id}").text
    file = person.get(f"/blueprints/{first.id}/file?format={form}")
    headers = {name.lower(): value for name, value in file.headers.items()}
    assert headers["content-type"].startswith(kind)
    assert headers["content-disposition"].startswith('attachment; filename="Engineers-Lyon.')
    looked = person.post("/import-blueprint", text=file.text)
    assert "1 step, read as a file of sequences-mcp; 0 errors" in looked.text and len(stored(world)) == 1
    saved = person.post("/import-blueprint", text=file.text, save="yes", seen=looked.field("seen"))
    assert saved.status == 303
    again, _ = stored(world)
    assert again.id != first.id and steps_json(again.steps) == steps_json(first.steps)
    assert person.get(f"/blueprints/{first.id}/file?format=pdf").status == 422


def test_only_what_was_looked_through_is_saved(world: PageWorld, person: Visitor) -> None:
    text = json.dumps(LEMLIST)
    unseen = person.post("/import-blueprint", text=text, name="Lemons", save="yes", seen="0" * 64)
    assert unseen.status == 200 and not stored(world)
    assert "3 steps, read as a file of lemlist" in unseen.text and "linkedinVisit" in unseen.text
    other = person.post("/import-blueprint", text=text, name="Other", save="yes", seen=unseen.field("seen"))
    assert other.status == 200 and not stored(world)
    person.post("/import-blueprint", text=text, name="Other", save="yes", seen=other.field("seen"))
    assert [blueprint.name for blueprint in stored(world)] == ["Other"]


def test_what_is_refused_can_be_edited_as_markdown(world: PageWorld, person: Visitor) -> None:
    refused = person.post("/import-blueprint", text=json.dumps(APOLLO), save="yes")
    assert "Errors refuse it" in refused.text and 'value="yes">Save' not in refused.text
    edited = person.post("/import-blueprint", text=json.dumps(APOLLO), edit="yes")
    assert "## 1. E-mail 1" in edited.text and not stored(world)
    hostile = person.post("/import-blueprint", text='{"x": "<script>alert(1)</script>"}')
    assert "This is the form of no file" in hostile.text and "<script>alert" not in hostile.text


def test_a_file_whose_steps_are_none_is_told_of_and_stays_as_it_was_pasted(person: Visitor) -> None:
    text = json.dumps({"schema": "sequences-mcp/blueprint/1", "name": "A", "steps": [{"id": "a"}]})
    answer = person.post("/import-blueprint", text=text, edit="yes")
    assert (answer.status, "has not the form of a step" in answer.text) == (200, True), answer.text


def test_a_blueprint_is_archived_and_taken_back(world: PageWorld, person: Visitor) -> None:
    blueprint = made(world)
    assert person.post(f"/blueprints/{blueprint.id}/archive", archived="yes").status == 303
    assert not stored(world) and [item.id for item in stored(world, archived=True)] == [blueprint.id]
    assert "Engineers: Lyon" not in person.get("/blueprints").text
    assert "Engineers: Lyon" in person.get("/blueprints?archived=yes").text
    assert "It is archived" in person.get(f"/blueprints/{blueprint.id}").text
    person.post(f"/blueprints/{blueprint.id}/archive", archived="no")
    assert [item.id for item in stored(world)] == [blueprint.id]


def test_a_file_is_chosen_looked_through_and_saved_in_a_browser(
    world: PageWorld, browser: Browser, shots: Path
) -> None:
    file = world.folder.parent / "Engineers of Lyon.json"
    file.write_text(json.dumps(LEMLIST), encoding="utf-8")
    with screen(browser, world, shots) as person:
        person.opens("/import-blueprint")
        person.unlocks()
        person.opens("/import-blueprint")
        person.tab.get_by_label("File", exact=True).set_input_files(str(file))
        expect(person.tab.get_by_label("Name, where the file has none")).to_have_value("Engineers of Lyon")
        person.tab.get_by_role("button", name="Look through").click()
        expect(person.tab.get_by_role("heading", name="Engineers of Lyon")).to_be_visible()
        if os.environ.get("AXE_CORE"):
            assert violations(person.tab) == []
        person.tab.get_by_role("button", name="Save it").click()
        expect(person.tab.get_by_role("heading", name="Engineers of Lyon")).to_be_visible()
        expect(person.tab.get_by_role("button", name="Archive")).to_be_visible()
    assert [blueprint.name for blueprint in stored(world)] == ["Engineers of Lyon"]
