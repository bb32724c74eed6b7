"""``sequences-mcp import``: what would become of each row is shown, and everybody is taken in or nobody."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from tests.cli.terminal import Terminal

GOOD = "email;first name;notes\ngrace@hopper.example;Grace;met at a fair\nada@lovelace.example;Ada;\n"
ONE_BAD = GOOD.replace("ada@lovelace.example", "ada at home")


def test_a_dry_run_says_what_becomes_of_each_row_and_changes_nothing(terminal: Terminal) -> None:
    file = terminal.write("people.csv", ONE_BAD)
    said = terminal.run("import", file, "--dry-run")
    assert said.status == 1
    assert "CSV, utf-8, semicolon between the cells." in said.out
    assert "first name  first_name" in said.out
    assert "row 3       refused" in said.out and "'ada at home' is not an e-mail address" in said.out
    assert "row 2       made" in said.out
    assert "1 made, 0 changed, 0 unchanged, 1 refused, of 2 rows." in said.out
    assert json.loads(terminal.run("import", file, "--dry-run", "--partial", "--json").out)["would"]["made"] == 1


def test_a_file_with_one_bad_row_takes_in_nobody_or_with_partial_the_others(terminal: Terminal) -> None:
    file = terminal.write("people.csv", ONE_BAD)
    said = terminal.run("import", file, "--yes")
    assert said.status == 1 and "Nothing was imported." in said.out
    assert "Imported: 1 made, 0 changed." in terminal.run("import", file, "--yes", "--partial").out


def test_the_same_file_again_changes_nothing_and_a_mended_one_only_what_differs(terminal: Terminal) -> None:
    file = terminal.write("people.csv", GOOD)
    assert "Imported: 2 made, 0 changed." in terminal.run("import", file, "--yes").out
    assert "0 made, 0 changed, 2 unchanged" in terminal.run("import", file, "--dry-run").out
    assert "Nothing to import: everybody is stored" in terminal.run("import", file, "--yes").out
    mended = terminal.write("mended.csv", GOOD.replace(";Ada;", ";Augusta;"))
    said = terminal.run("import", mended, "--yes")
    assert "row 3       changed   Augusta (first_name: Ada -> Augusta)" in said.out
    assert "Imported: 0 made, 1 changed." in said.out


def test_columns_can_be_corrected_and_facts_set_for_every_row(terminal: Terminal) -> None:
    file = terminal.write("people.csv", "Contact;Chef;Telefono\ngrace@hopper.example;Grace;0612345678\n")
    assert (
        terminal.run("import", file, "--yes").status == 2 or "refused" in terminal.run("import", file, "--yes").out
    )
    said = terminal.run(
        "import",
        file,
        "--map",
        "Contact=email",
        "--map",
        "#2=first name",
        "--set",
        "country=FR",
        "--set",
        "source=A fair",
        "--json",
        "--yes",
    )
    facts = json.loads(said.out)
    assert facts["imported"] == {"created": 1, "updated": 0}
    assert [column["holds"] for column in facts["columns"]] == ["email", "first_name", "phone"]


def test_nothing_is_imported_without_a_yes(terminal: Terminal) -> None:
    file = terminal.write("people.csv", GOOD)
    said = terminal.run("import", file)  # nobody is at the keyboard
    assert said.status == 2 and "--yes" in said.err
    assert "2 made" in terminal.run("import", file, "--dry-run").out
    refused = terminal.run("import", file, "--json")
    assert refused.status == 2 and "--dry-run or --yes" in refused.err


def test_a_file_that_is_no_table_is_told_of_with_what_to_do(terminal: Terminal) -> None:
    file = terminal.folder / "people.csv"
    Path(file).write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and more")
    said = terminal.run("import", str(file), "--yes")
    assert said.status == 2
    assert "old Excel workbook" in said.err and "Save it as CSV" in said.err and "Nothing was imported" in said.err


@pytest.mark.skipif(os.name != "posix", reason="devices and pipes are POSIX's")
def test_a_source_without_an_end_is_read_no_further_than_a_file_may_be_large(terminal: Terminal) -> None:
    said = terminal.run("import", "/dev/zero", "--dry-run")
    assert said.status == 2 and "is larger than 48 MB. Split it." in said.err
    pipe = terminal.folder / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(GOOD,))
    writer.start()
    assert "2 made" in terminal.run("import", str(pipe), "--dry-run").out
    writer.join()


def test_values_that_look_wrong_are_imported_and_named(terminal: Terminal) -> None:
    file = terminal.write("people.csv", "email;first name\ngrace@hopper.example;GRACE\n")
    said = terminal.run("import", file, "--dry-run").out
    assert "1 value looks wrong, imported as given:" in said
    assert "row 2       first_name 'GRACE'" in said
    facts = json.loads(terminal.run("import", file, "--dry-run", "--json").out)
    assert (facts["uncertain"], facts["warnings"][0]["row"]) == (1, 2)
