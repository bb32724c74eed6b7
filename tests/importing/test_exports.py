"""What is kept leaves as CSV and JSON, in a private file, for a day; and contacts come back as they were."""

from __future__ import annotations

import csv
import io
import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from mcp.types import ResourceLink
from tests.cli.terminal import Terminal
from tests.world.product import MAIL, Bureau, Desktop, people, yes

from sequences_mcp.context import AppContext
from sequences_mcp.domain.actors import Actor
from sequences_mcp.engine import cleanup
from sequences_mcp.errors import ConflictError, NotFoundError
from sequences_mcp.importing import people as people_of_file
from sequences_mcp.services import exports, imports

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
ODD = [
    {
        "email": "grace@hopper.example",
        "first_name": "=Grace",
        "company": 'The "US"; Navy, Inc.',
        "job_title": "+CTO",
    },
    {"email": "ada@lovelace.example", "first_name": "'-Ada", "phone": "+4930123456", "note": "met\nat a fair"},
    {"email": "zoë@köln.example", "first_name": "Zoë", "company": "@home", "country": "DE", "note": "=1+1"},
    {"phone": "+33612345678", "last_name": "'Hopper", "found_at": "2026-11-01", "source": "a list"},
]


async def stored(bureau: Bureau, contacts: list[dict[str, Any]]) -> None:
    """Store people without a look at their values, as a vendor may tell of them."""
    from sequences_mcp.planning import recipient_rows

    async with bureau.app() as app:
        rows = recipient_rows.read_numbered_rows(enumerate(contacts, start=1), policy=app.policy)
        await app.local.save_contacts([row.contact for row in rows.entries])


async def story(bureau: Bureau) -> None:
    """Have three people written to, one answer, one suppression."""
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint(MAIL)
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(3))
    bureau.work()
    async with bureau.client() as desktop:
        [first, *_] = (await desktop.call("find_contacts"))["items"]
        await desktop.call("record_reply", who=first["id"], answer="interested")
        await desktop.call("suppress_contact", contact="never@again.example", reason="=asked")


def table(data: bytes) -> list[dict[str, str]]:
    """Return the rows of a CSV file as a spreadsheet program reads them."""
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


async def whole(app: AppContext, kind: exports.ExportKind, as_format: exports.ExportFormat) -> bytes:
    """Return an export as one text."""
    return b"".join([piece async for piece, _ in exports.export_parts(app, kind, as_format=as_format)])


@pytest.mark.parametrize("kind", exports.KINDS)
async def test_csv_and_json_have_the_same_rows_with_instants_in_utc(
    bureau: Bureau, kind: exports.ExportKind
) -> None:
    await story(bureau)
    async with bureau.app() as app:
        rows, items = table(await whole(app, kind, "csv")), json.loads(await whole(app, kind, "json"))
    counts = {"contacts": 3, "runs": 3, "replies": 1, "suppressions": 1}
    assert len(rows) == len(items) == counts.get(kind, len(items)) and items
    for row, item in zip(rows, items, strict=True):
        assert set(row) == set(item) - {"steps"}
        for name, cell in row.items():
            value = item[name]
            assert cell == ("" if value is None else exports.protected(value))
            if (name.endswith("_at") and name != "found_at") or name in ("at", "since"):
                assert value is None or INSTANT.fullmatch(value), (name, value)
    if kind == "runs":
        assert items[0]["steps"][0]["state"] == "sent" and items[0]["steps_done"] == 1
        assert rows[0]["email"] == items[0]["steps"][0]["recipient"]


@pytest.mark.parametrize("kind", exports.KINDS)
async def test_no_cell_is_one_that_a_spreadsheet_program_would_carry_out(
    bureau: Bureau, kind: exports.ExportKind
) -> None:
    await story(bureau)
    await stored(bureau, ODD)
    async with bureau.app() as app:
        for row in table(await whole(app, kind, "csv")):
            assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in row.values()), row


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "＝", "＋", "－", "＠", "'=", "''@"])
@pytest.mark.parametrize("before", ["", "Acme;", "Acme\n", "Acme\r\n", "a;b;", "\n"])
def test_nothing_is_carried_out_where_semicolons_separate_cells_and_it_is_read_back(
    before: str, begins: str
) -> None:
    text = f"{before}{begins}1+1;x"
    written = exports.protected(text)
    cells = [cell for line in written.splitlines() for cell in line.split(";")]
    assert not any(cell.startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠")) for cell in cells), cells
    assert people_of_file._plain(written, "company") == text.strip()


async def test_exported_contacts_are_imported_again_without_a_change(bureau: Bureau) -> None:
    await stored(bureau, [*ODD, *people(250)])
    async with bureau.app() as app:
        data = await whole(app, "contacts", "csv")
        assert len(table(data)) == 254
        before = json.loads(await whole(app, "contacts", "json"))
        preview = await imports.look_through(app, await imports.read_people_file(data), partial=True)
        assert preview.file.mapping.export == "sequences-mcp"
        assert preview.counts["made"] == preview.counts["changed"] == preview.facts_left_out == 0
        assert preview.counts["unchanged"] == 254 - preview.counts["refused"]
        assert (await imports.import_people(app, preview)).updated == 0
        assert json.loads(await whole(app, "contacts", "json")) == before


async def test_an_export_in_another_folder_makes_the_same_people(bureau: Bureau, tmp_path: Path) -> None:
    await stored(bureau, people(30))
    other = Bureau(tmp_path / "other", bureau.clock)
    async with bureau.app() as app, other.app() as there:
        preview = await imports.look_through(
            there, await imports.read_people_file(await whole(app, "contacts", "csv"))
        )
        assert (await imports.import_people(there, preview)).created == 30
        first, second = [json.loads(await whole(at, "contacts", "json")) for at in (app, there)]
    for item in (*first, *second):
        for name in ("contact_id", "created_at", "updated_at"):
            item.pop(name)
    assert first == second


async def linked(desktop: Desktop, **arguments: Any) -> tuple[dict[str, Any], ResourceLink]:
    """Return what the tool says, and the link beside it."""
    result = await desktop.client.call_tool("export_data", arguments)
    [text, link] = result.content
    assert isinstance(link, ResourceLink)
    return json.loads(text.text), link


async def test_the_tool_answers_with_counts_and_a_link_that_the_server_reads(bureau: Bureau, era: str) -> None:
    await story(bureau)
    async with bureau.client(era) as desktop:
        facts, link = await linked(desktop, what="contacts", format="json", idempotency_key="once")
        assert (facts["outcome"], facts["rows"], facts["resource"]) == ("done", 3, str(link.uri))
        assert (link.mime_type, link.size) == ("application/json", facts["bytes"])
        file = Path(facts["file"])
        assert file.parent == bureau.folder / "exports" and file.stat().st_size == facts["bytes"]
        assert stat.S_IMODE(file.stat().st_mode) == 0o600 and stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        [content] = (await desktop.client.read_resource(str(link.uri))).contents
        assert len(json.loads(content.text)) == 3
        assert "example" not in json.dumps({**facts, "file": ""})  # nobody's address
        again, _ = await linked(desktop, what="contacts", format="json", idempotency_key="once")
        assert again == facts and len(list(file.parent.iterdir())) == 1
        more, of_csv = await linked(desktop, what="audit")
        assert of_csv.mime_type == "text/csv" and more["rows"] > 3


@pytest.mark.parametrize(
    "uri", ["export://csv/../sequences.db", "export://csv/%2e%2e%2fsequences.db", "export://csv/passphrase.json"]
)
async def test_no_other_file_is_read_as_an_export(bureau: Bureau, uri: str) -> None:
    async with bureau.client() as desktop:
        await linked(desktop, what="contacts")
        with pytest.raises(Exception, match=r"no such export|Unknown resource|not found"):
            await desktop.client.read_resource(uri)


async def test_a_link_among_the_exports_is_not_followed(bureau: Bureau, tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("private")
    async with bureau.app() as app:
        made = await exports.write_export(app, "contacts", as_format="csv")
        trap = made.path.with_name(made.path.name.replace("contacts", "traps"))
        trap.symlink_to(tmp_path / "theirs")
        with pytest.raises(NotFoundError):
            exports.read_export(app, trap.name)


async def test_exports_are_deleted_after_a_day_or_by_the_person(bureau: Bureau) -> None:
    async with bureau.app() as app:
        first = await exports.write_export(app, "contacts", as_format="csv")
        half = first.path.with_name(first.path.name.replace(".csv", ".x1y2z3.new"))
        half.touch()
        (first.path.parent / "my own notes.csv").write_text("kept")
        bureau.clock.forward(hours=23)
        assert [file.path for file in exports.list_exports(app)] == [first.path] and half.exists()
        bureau.clock.forward(hours=2)
        store = app.records.engine.store
        cleanup.purge(store, now=bureau.clock())  # as each worker does now and then
        assert [path.name for path in first.path.parent.iterdir()] == ["my own notes.csv"]
        with pytest.raises(NotFoundError, match="no such export"):
            exports.read_export(app, first.path.name)


async def test_nobody_who_was_erased_is_in_any_export_of_before_or_after(bureau: Bureau) -> None:
    await story(bureau)
    async with bureau.app() as app:
        made = await exports.write_export(app, "contacts", as_format="csv")
        [first] = [row for row in table(made.path.read_bytes()) if row["email"] == "person0@hopper.example"]
        await app.erasures.erase(first["contact_id"], actor=Actor("terminal"))
        assert not made.path.exists() and not exports.list_exports(app)
        for kind in exports.KINDS:
            text = (await whole(app, kind, "json")).decode()
            assert "person0@hopper.example" not in text
            assert kind == "audit" or first["contact_id"] not in text


async def test_an_export_during_which_somebody_is_erased_is_thrown_away(bureau: Bureau) -> None:
    await stored(bureau, people(3))
    async with bureau.app() as app:
        begun = (await app.records.list_audit(page=1, size=1)).total_count
        await app.records.note("contact.erased", "local:ct_1")
        with pytest.raises(ConflictError, match="thrown away"):
            await exports.require_nobody_erased(app, since=begun)


async def test_many_rows_leave_in_parts_between_which_everything_else_goes_on(bureau: Bureau) -> None:
    await stored(bureau, people(1_000))
    async with bureau.app() as app:
        parts = [number async for _, number in exports.export_parts(app, "contacts", as_format="json")]
    assert sum(parts) == 1_000 and max(parts) <= exports.PART


def test_the_command_writes_to_a_new_file_and_never_over_another(terminal: Terminal) -> None:
    people_file = terminal.write("people.csv", "email,first name\ngrace@hopper.example,Grace\n")
    terminal.run("import", people_file, "--yes")
    place = terminal.folder / "all.csv"
    said = terminal.run("export", "contacts", "--to", str(place))
    assert (said.status, said.out) == (0, f"1 contacts: {place}\n")
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    [row] = table(place.read_bytes())
    assert (row["email"], row["first_name"]) == ("grace@hopper.example", "Grace")
    again = terminal.run("export", "contacts", "--to", str(place))
    assert again.status == 2 and "exists already" in again.err
    assert "0 made, 0 changed, 1 unchanged, 0 refused" in terminal.run("import", str(place), "--dry-run").out
    missing = terminal.run("export", "contacts", "--to", str(terminal.folder / "nowhere" / "all.csv"))
    assert missing.status == 2 and "cannot be written" in missing.err
    kept = json.loads(terminal.run("export", "audit", "--format", "json", "--json").out)
    assert json.loads(Path(kept["file"]).read_text())[-1]["action"] == "data.exported"
    assert terminal.run("export", "--delete").out == "Deleted: 1.\n" and not Path(kept["file"]).exists()
    assert terminal.run("export").status == 2
