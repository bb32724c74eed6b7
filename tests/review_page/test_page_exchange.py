"""People come in from a file that is dropped on the page, all or nobody, and everything leaves by a link."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from tests.importing.workbooks import HEADER, workbook
from tests.review_page.page_browser import PHONE, screen, violations
from tests.world.page import PASSPHRASE, Answer, PageWorld, Visitor

GOOD = "email;first name;company\ngrace@hopper.example;Grace;Navy\nada@lovelace.example;Ada;Engine\n"
ONE_BAD = GOOD.replace("ada@lovelace.example", "ada at home")
BOUNDARY = "----WebKitFormBoundaryAbC123"


def part(name: str, value: bytes, file: str = "") -> bytes:
    """Return one field of a form with a file, as a browser writes it."""
    named = f'; filename="{file}"\r\nContent-Type: text/csv' if file else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
    return head.encode() + value + b"\r\n"


def sent(person: Visitor, body: bytes, **headers: str) -> Answer:
    """Send a form with a file."""
    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return person.send("POST", "/people/file", body=body, headers={**kind, **headers})


def dropped(person: Visitor, data: str | bytes, *, name: str = "people.csv", csrf: str | None = None) -> Answer:
    """Drop a file on the page."""
    raw = data.encode() if isinstance(data, str) else data
    token = person.get("/").field("csrf") if csrf is None else csrf
    return sent(person, part("csrf", token.encode()) + part("file", raw, name) + f"--{BOUNDARY}--\r\n".encode())


def looked_at(person: Visitor, path: str) -> Answer:
    """Return the screen of a file once it is not being worked on."""
    for _ in range(2_000):
        answer = person.get(path)
        if "refresh" not in answer.headers:
            return answer
    raise AssertionError("it is never done")


def stored(world: PageWorld) -> list[tuple[str, str]]:
    """Return who is stored."""
    with closing(sqlite3.connect(world.folder / "sequences.db")) as database:
        return database.execute("SELECT email, first_name FROM contact ORDER BY email").fetchall()


def test_a_dropped_file_is_shown_row_by_row_and_then_saved(world: PageWorld, person: Visitor) -> None:
    answer = dropped(person, GOOD, name="C:\\lists\\Köln & Co.csv")
    assert answer.status == 303
    path = answer.headers["location"]
    page = looked_at(person, path)
    assert "Köln &amp; Co.csv<" in page.text and "lists" not in page.text, re.findall("<h1>.*", page.text)
    assert "CSV, utf-8, semicolon between the cells" in page.text
    assert re.search(r"<dt>made</dt><dd>2</dd>", page.text) and re.search(r"<dt>refused</dt><dd>0</dd>", page.text)
    assert "Grace" in page.text and "Save 2 people" in page.text
    assert stored(world) == []
    done = person.post(f"{path}/save", digest=page.field("digest"))
    assert done.status == 303
    assert "Imported: 2 made, 0 changed" in looked_at(person, path).text
    assert stored(world) == [("ada@lovelace.example", "Ada"), ("grace@hopper.example", "Grace")]
    assert not list(world.folder.rglob("*.csv"))  # the file is nowhere on the disk


def test_values_that_look_wrong_are_named_before_they_are_saved(person: Visitor) -> None:
    path = dropped(person, "email;first name\ngrace@hopper.example;GRACE\n").headers["location"]
    page = looked_at(person, path).text
    assert "1 value looks wrong." in page and "row 2: first name “GRACE”" in page
    assert "Save 1 person" in page


def test_with_a_row_refused_nothing_is_saved_until_it_is_left_out(world: PageWorld, person: Visitor) -> None:
    path = dropped(person, ONE_BAD).headers["location"]
    page = looked_at(person, path)
    assert "not an e-mail address" in page.text and "With a row refused nothing is saved" in page.text
    assert "/save" not in page.text
    columns = {f"column.{index}": name for index, name in enumerate(("email", "first_name", "-"))}
    assert person.post(f"{path}/columns", partial="on", **columns).status == 303
    page = looked_at(person, path)
    assert "Save 1 person, and leave out 1" in page.text
    person.post(f"{path}/save", digest=page.field("digest"))
    looked_at(person, path)
    assert stored(world) == [("grace@hopper.example", "Grace")]


def test_what_a_column_holds_is_corrected_before_anything_is_saved(world: PageWorld, person: Visitor) -> None:
    path = dropped(person, "Kontakt,Chef\ngrace@hopper.example,Grace\n").headers["location"]
    page = looked_at(person, path)
    assert "No column is known" in page.text
    path = dropped(person, "Kontakt,E-Mail,Chef\nx,grace@hopper.example,Grace\n").headers["location"]
    looked_at(person, path)
    person.post(f"{path}/columns", **{"column.0": "-", "column.1": "email", "column.2": "first_name"})
    page = looked_at(person, path)
    assert re.search(r'<option value="first_name" selected>', page.text)
    person.post(f"{path}/save", digest=page.field("digest"))
    looked_at(person, path)
    assert stored(world) == [("grace@hopper.example", "Grace")]


def test_what_is_saved_is_what_was_on_the_screen_or_nothing_is(world: PageWorld, person: Visitor) -> None:
    path = dropped(person, GOOD).headers["location"]
    page = looked_at(person, path)
    changed = person.post(f"{path}/save", digest="0" * 64)
    assert changed.status == 409 and "not what was on your screen" in changed.text

    async def meanwhile(app: object) -> None:
        from sequences_mcp.services import imports

        file = await imports.read_people_file(GOOD.replace("Navy", "Army"))
        await imports.import_people(app, await imports.look_through(app, file))  # type: ignore[arg-type]

    world.at_desk(meanwhile)
    person.post(f"{path}/save", digest=page.field("digest"))
    assert "People were changed since this was shown" in looked_at(person, path).text
    with closing(sqlite3.connect(world.folder / "sequences.db")) as database:
        assert ("Army",) in database.execute("SELECT company FROM contact").fetchall()


def test_saving_asks_for_the_second_secret_or_the_passphrase(world: PageWorld, person: Visitor) -> None:
    path = dropped(person, GOOD).headers["location"]
    digest = looked_at(person, path).field("digest")
    refused = person.post(f"{path}/save", digest=digest, key="of somebody else")
    assert refused.status == 403 and "Type your passphrase again" in refused.text
    assert stored(world) == []


def test_no_other_session_sees_or_saves_a_file(world: PageWorld, person: Visitor) -> None:
    path = dropped(person, GOOD).headers["location"]
    looked_at(person, path)
    other = Visitor(person.page_lock)
    other.unlock()
    assert other.get(path).status == 404
    assert other.post(f"{path}/put-aside").status == 404
    assert person.post(f"{path}/put-aside").status == 303
    assert person.get(path).status == 404
    path = dropped(person, GOOD).headers["location"]
    looked_at(person, path)
    world.clock.forward(minutes=31)
    assert person.get(path).status == 404


def test_a_file_of_another_session_waits_while_one_is_being_saved(world: PageWorld, person: Visitor) -> None:
    path = dropped(person, GOOD).headers["location"]
    digest = looked_at(person, path).field("digest")
    other = Visitor(person.page_lock)
    other.unlock()
    with closing(sqlite3.connect(world.folder / "sequences.db")) as writer:
        writer.execute("BEGIN IMMEDIATE")  # the import waits for its turn
        person.post(f"{path}/save", digest=digest)
        refused = dropped(other, GOOD)
        writer.execute("ROLLBACK")
    assert refused.status == 409 and "being saved" in refused.text
    assert "Imported: 2 made" in looked_at(person, path).text


def test_a_file_from_a_locked_browser_or_another_site_is_not_taken(person: Visitor) -> None:
    token = person.get("/").field("csrf")
    locked = Visitor(person.page_lock)
    assert dropped(locked, GOOD, csrf=token).status == 401
    assert dropped(person, GOOD, csrf="of another session").status == 403
    body = part("csrf", token.encode()) + part("file", GOOD.encode(), "a.csv") + f"--{BOUNDARY}--\r\n".encode()
    assert sent(person, body, Origin="http://evil.example").status == 403
    assert sent(person, body, **{"Content-Type": "application/x-www-form-urlencoded"}).status == 415
    elsewhere = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    assert person.send("POST", "/suppressions", body=body, headers=elsewhere).status == 415


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nothing",
        b"--x\r\n\r\n",
        part("csrf", b"{csrf}"),
        part("csrf", b"{csrf}") + part("file", b"email\n", "a.csv"),  # without an end
        part("csrf", b"{csrf}") + part("note", b"x" * 100_000) + part("file", b"email\n", "a.csv"),
    ],
)
def test_what_is_no_form_with_a_file_is_told_and_nothing_breaks(person: Visitor, body: bytes) -> None:
    answer = sent(person, body.replace(b"{csrf}", person.get("/").field("csrf").encode()))
    assert answer.status in (403, 422), answer.text
    assert person.get("/people").status == 200


def test_a_file_that_is_too_large_is_refused_before_it_is_read(person: Visitor) -> None:
    length = {"Content-Length": str(60 * 1024 * 1024), "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    assert person.send("POST", "/people/file", body="", headers=length).status == 413


def test_many_rows_are_shown_page_by_page_and_by_what_becomes_of_them(person: Visitor) -> None:
    rows = "".join(f"p{index}@hopper.example,Grace\n" for index in range(120)) + "nobody,Ada\n"
    path = dropped(person, f"email,first name\n{rows}").headers["location"]
    page = looked_at(person, path)
    assert "refused (1)" in page.text and "made (120)" in page.text and "nobody" in page.text
    last = person.get(f"{path}?kind=made&page=3").text
    assert last.count('data-head="Row"') == 20 and "Page 3 of 3 (120 rows)" in last


def test_a_workbook_is_dropped_as_well(world: PageWorld, person: Visitor) -> None:
    data = workbook(HEADER, ("grace@hopper.example", "Grace", "Navy"))
    path = dropped(person, data, name="people.xlsx").headers["location"]
    page = looked_at(person, path)
    assert "Excel workbook, sheet Sheet" in page.text
    person.post(f"{path}/save", digest=page.field("digest"))
    looked_at(person, path)
    assert stored(world) == [("grace@hopper.example", "Grace")]


def test_everything_leaves_by_a_link_of_the_page(world: PageWorld, person: Visitor) -> None:
    world.plan(people=3)
    for kind in ("contacts", "runs", "replies", "suppressions", "audit"):
        assert f'href="/people/export/{kind}/csv"' in person.get("/people").text
        answer = person.get(f"/people/export/{kind}/json")
        assert answer.headers["content-disposition"].startswith(f'attachment; filename="{kind}-')
        items = json.loads(answer.text)
        assert len(items) == {"contacts": 3, "runs": 3, "audit": len(items)}.get(kind, 0)
    rows = list(csv.DictReader(io.StringIO(person.get("/people/export/contacts/csv").text.lstrip("\ufeff"))))
    assert len(rows) == 3 and rows[0]["email"]
    assert person.get("/people/export/secrets/csv").status == 404
    assert Visitor(person.page_lock).get("/people/export/contacts/csv").status == 401


DROP = """(zone) => {
  const carried = new DataTransfer();
  carried.items.add(new File(["%s"], "people.csv", { type: "text/csv" }));
  for (const kind of ["dragenter", "dragover", "drop"])
    zone.dispatchEvent(new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true }));
}"""


def test_a_file_is_dropped_in_a_browser_corrected_and_saved_with_no_fault_of_access(
    world: PageWorld, browser: Browser, tmp_path: Path
) -> None:
    inspects, faults = "AXE_CORE" in os.environ, []
    with screen(browser, world, tmp_path, viewport=PHONE, color_scheme="dark") as person:
        person.opens("/people")
        person.unlocks()
        faults += violations(person.tab) if inspects else []
        person.tab.locator("form[data-drop]").evaluate(DROP % ONE_BAD.replace("\n", "\\n"))
        expect(person.tab.get_by_text("With a row refused nothing is saved")).to_be_visible()
        faults += violations(person.tab) if inspects else []
        wide = person.tab.evaluate("document.documentElement.scrollWidth")
        assert wide <= PHONE["width"]
        person.tab.get_by_label("Leave out what is refused").focus()
        person.tab.keyboard.press("Space")
        person.tab.get_by_role("button", name="Look again").press("Enter")
        person.tab.get_by_role("button", name="Save 1 person, and leave out 1").press("Enter")
        expect(person.tab.get_by_text("Imported: 1 made, 0 changed")).to_be_visible()
        faults += violations(person.tab) if inspects else []
        assert faults == []
    assert stored(world) == [("grace@hopper.example", "Grace")]


def test_without_javascript_a_file_is_chosen_and_saved_with_the_passphrase(
    world: PageWorld, browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text(GOOD)
    with screen(browser, world, tmp_path, java_script_enabled=False) as person:
        person.opens("/people")
        person.unlocks()
        person.tab.get_by_label("CSV or Excel file").set_input_files(file)
        person.tab.get_by_role("button", name="Look at it").press("Enter")
        person.tab.get_by_label("Passphrase").fill(PASSPHRASE)
        person.tab.get_by_role("button", name="Save 2 people").press("Enter")
        expect(person.tab.get_by_text("Imported: 2 made, 0 changed")).to_be_visible()
    assert len(stored(world)) == 2
