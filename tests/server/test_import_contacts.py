"""People come in by the tool: from text, or from a file in a folder that the operator allowed and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.importing.workbooks import HEADER, workbook
from tests.world.product import Bureau

GOOD = "email,first name,company\ngrace@hopper.example,Grace,Navy\nada@lovelace.example,Ada,Engine\n"
ONE_BAD = GOOD.replace("ada@lovelace.example", "ada at home")


def allowing(bureau: Bureau, *folders: Path) -> Bureau:
    """Return the same bureau, with settings that allow imports from these folders."""
    bureau.folder.mkdir(parents=True, exist_ok=True)
    names = ", ".join(f'"{folder}"' for folder in folders)
    (bureau.folder / "settings.toml").write_text(f"[people]\nimport_folders = [{names}]\n", encoding="utf-8")
    return bureau


async def test_a_dry_run_counts_and_names_the_first_problems_and_saves_nobody(bureau: Bureau) -> None:
    async with bureau.client() as desktop:
        looked = await desktop.call("import_contacts", text=ONE_BAD)
        assert (looked["outcome"], looked["rows"], looked["made"], looked["refused"]) == ("not_done", 2, 1, 1)
        assert looked["columns"] == {"#1 email": "email", "#2 first name": "first_name", "#3 company": "company"}
        [problem] = looked["problems"]
        assert (problem["row"], problem["field"], problem["value"]) == (3, "email", "ada at home")
        assert not (await desktop.call("find_contacts"))["items"]


async def test_an_import_takes_in_all_or_nobody_and_a_repeated_call_gets_its_answer(bureau: Bureau) -> None:
    async with bureau.client() as desktop:
        error = await desktop.refused("import_contacts", text=ONE_BAD, dry_run=False)
        assert "1 of 2 rows are refused" in error["message"]
        assert not (await desktop.call("find_contacts"))["items"]
        done = await desktop.call("import_contacts", text=GOOD, dry_run=False, idempotency_key="once")
        assert (done["outcome"], done["made"], done["refused"]) == ("done", 2, 0)
        assert await desktop.call("import_contacts", text=GOOD, dry_run=False, idempotency_key="once") == done
        again = await desktop.call("import_contacts", text=ONE_BAD, dry_run=False, partial=True)
        assert (again["unchanged"], again["refused"]) == (1, 1)


async def test_columns_are_corrected_by_name(bureau: Bureau) -> None:
    async with bureau.client() as desktop:
        text = "Kontakt,Chef\ngrace@hopper.example,Grace\n"
        error = await desktop.refused("import_contacts", text=text)
        assert "'Kontakt'" in error["next"]
        columns = {"Kontakt": "email", "Chef": "first_name"}
        await desktop.call("import_contacts", text=text, columns=columns, dry_run=False)
        [person] = (await desktop.call("find_contacts"))["items"]
        assert person["first_name"] == "Grace"


async def test_a_file_is_read_in_an_allowed_folder(bureau: Bureau, tmp_path: Path) -> None:
    folder = tmp_path / "downloads"
    folder.mkdir()
    (folder / "people.xlsx").write_bytes(workbook(HEADER, ("grace@hopper.example", "Grace", "Navy")))
    async with allowing(bureau, folder).client() as desktop:
        for path in (str(folder / "people.xlsx"), "people.xlsx"):
            assert (await desktop.call("import_contacts", path=path))["made"] == 1


@pytest.mark.parametrize(
    "way",
    [
        *("outside", "dots", "a link", "a linked folder", "another suffix", "nothing", "hidden", "a circle"),
        *("nobody's home", "a zero byte", "a long name"),
    ],
)
async def test_no_other_file_is_read_and_nothing_is_told_of_it(bureau: Bureau, tmp_path: Path, way: str) -> None:
    folder, outside = tmp_path / "downloads", tmp_path / "private"
    for place in (folder, outside):
        place.mkdir()
    (outside / "people.csv").write_text(GOOD)
    (folder / "secret.key").write_text(GOOD)
    (folder / "link.csv").symlink_to(outside / "people.csv")
    (folder / "linked").symlink_to(outside)
    (folder / "circle.csv").symlink_to(folder / "circle.csv")
    path = {
        "outside": str(outside / "people.csv"),
        "dots": "../private/people.csv",
        "a link": "link.csv",
        "a linked folder": "linked/people.csv",
        "another suffix": "secret.key",
        "nothing": "nothing.csv",
        "hidden": str(outside / "nothing.csv"),
        "a circle": "circle.csv",
        "nobody's home": "~nobody-of-this-name/people.csv",
        "a zero byte": "people\0.csv",
        "a long name": f"{'x' * 300}.csv",
    }[way]
    async with allowing(bureau, folder).client() as desktop:
        error = await desktop.refused("import_contacts", path=path)
    assert error["message"] == "There is no such file in a folder from which files may be imported."
    assert "private" not in str(error)


async def test_without_an_allowed_folder_only_text_is_taken(bureau: Bureau, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(GOOD)
    async with bureau.client() as desktop:
        error = await desktop.refused("import_contacts", path=str(tmp_path / "people.csv"))
        assert "import_folders" in error["next"]
        assert "Exactly one" in (await desktop.refused("import_contacts"))["message"]
        assert "Exactly one" in (await desktop.refused("import_contacts", text=GOOD, path="a.csv"))["message"]


async def test_text_of_a_megabyte_is_taken_and_more_is_not(bureau: Bureau) -> None:
    row = "{0}@hopper.example,Grace,Navy\n"
    long = "email,first name,notes\n" + "".join(f"a{at}@hopper.example,Grace,{'x' * 9_000}\n" for at in range(110))
    async with bureau.client() as desktop:
        assert len(long) < 1_000_000
        assert (await desktop.call("import_contacts", text=long))["made"] == 110
        error = await desktop.refused("import_contacts", text=long + row.format("z" * 60_000))
        assert "1,000,000" in error["message"]


async def test_a_folder_that_is_none_is_named_in_the_settings(bureau: Bureau, tmp_path: Path) -> None:
    from sequences_mcp.errors import SettingsError

    with pytest.raises(SettingsError, match=r"import_folders: .* is no folder"):
        allowing(bureau, tmp_path / "nothing").settings  # noqa: B018 - reading them raises


async def test_people_as_json_are_led_to_the_tool_that_takes_them(bureau: Bureau) -> None:
    async with bureau.client() as desktop:
        for text in ('[{"email": "grace@hopper.example"}]', '{"email": "grace@hopper.example"}'):
            error = await desktop.refused("import_contacts", text=text)
            assert error["message"] == "The text is JSON; import_contacts reads CSV."
            assert "save_contacts" in error["next"]
        nothing = await desktop.refused("import_contacts", text="null")
        assert nothing["message"] == "Exactly one of path and text says what to import."


async def test_columns_beyond_those_shown_are_counted(bureau: Bureau) -> None:
    more = ",".join(f"Column {number}" for number in range(40))
    async with bureau.client() as desktop:
        looked = await desktop.call("import_contacts", text=f"email,{more}\ngrace@hopper.example{',' * 40}\n")
        assert (len(looked["columns"]), looked["columns_not_shown"]) == (30, 11)
        assert "columns_not_shown" not in await desktop.call("import_contacts", text=GOOD)


async def test_a_blank_of_a_template_in_a_cell_is_told_as_one(bureau: Bureau) -> None:
    async with bureau.client() as desktop:
        looked = await desktop.call("import_contacts", text="email,company\n{{email}},[Company]\n")
    told = {problem["field"]: problem["problem"] for problem in looked["problems"]}
    assert told["email"] == "This is a variable of a template that was never filled in: put the real value"
    assert told["company"].startswith("This looks like a blank")


async def test_values_that_look_wrong_and_are_imported_are_named(bureau: Bureau) -> None:
    text = "email,first name,company\ngrace@hopper.example,GRACE,Navy\nada@lovelace.example,Ada,Engine\n"
    async with bureau.client() as desktop:
        looked = await desktop.call("import_contacts", text=text)
        assert (looked["made"], looked["refused"], looked["uncertain"]) == (2, 0, 1)
        [warning] = looked["warnings"]
        assert (warning["row"], warning["field"], warning["value"]) == (2, "first_name", "GRACE")
        assert "Likely: Grace" in warning["problem"]
        assert "what looks wrong" in looked["next"]
        done = await desktop.call("import_contacts", text=text, dry_run=False)
        assert (done["made"], done["uncertain"]) == (2, 1)
