"""Files as people have them: each is read whole and right, or refused whole with the place; never in part."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import Any

import pytest
from tests.importing.workbooks import HEADER, bomb, rewritten, workbook
from tests.world.product import Bureau

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.errors import ConflictError, InvalidArgumentsError
from sequences_mcp.importing.kept_rows import FOLD
from sequences_mcp.services.imports import import_people, look_through, read_people_file
from sequences_mcp.store.unit_of_work import Store

PLAIN = "email,first name,company\ngrace@hopper.example,Grace,Navy\nada@lovelace.example,Ada,Engine\n"
FRENCH = "E-mail;Prénom;Société\ngrace@hopper.example;Élodie;Crédit à l’avenir\nada@lovelace.example;Zoë;Noël\n"
TWO = ("grace@hopper.example", "ada@lovelace.example")
SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"

GOOD: dict[str, tuple[bytes, dict[str, str | None]]] = {
    "UTF-8": (PLAIN.encode(), {"first_name": "Grace", "company": "Navy"}),
    "a byte order mark": (PLAIN.encode("utf-8-sig"), {"first_name": "Grace"}),
    "semicolons in Windows-1252": (
        FRENCH.encode("cp1252"),
        {"first_name": "Élodie", "company": "Crédit à l’avenir"},
    ),
    "Latin-1 with Unix lines": (
        FRENCH.replace("’", "'").encode("latin-1"),
        {"first_name": "Élodie", "company": "Crédit à l'avenir"},
    ),
    "UTF-16 with its mark": (FRENCH.encode("utf-16"), {"first_name": "Élodie"}),
    "UTF-16 without": (PLAIN.encode("utf-16-le"), {"first_name": "Grace"}),
    "UTF-32": (PLAIN.encode("utf-32"), {"first_name": "Grace"}),
    "Cyrillic of Windows": (
        "email;имя\ngrace@hopper.example;Наталья\nada@lovelace.example;Екатерина\n".replace(
            "имя", "first name"
        ).encode("cp1251"),
        {"first_name": "Наталья"},
    ),
    **{
        f"Cyrillic in {encoding}": (
            "email;first name;last name;company\ngrace@hopper.example;Ольга;Смирнова;Газпром\n"
            "ada@lovelace.example;Иван;Петров;Яндекс\n".encode(encoding),
            {"first_name": "Ольга", "last_name": "Смирнова"},
        )
        for encoding in ("koi8_r", "cp866", "iso8859_5")
    },
    **{
        f"Polish in {encoding}": (
            "email;imię;nazwisko\ngrace@hopper.example;Małgorzata;Żółtowska\n"
            "ada@lovelace.example;Łukasz;Wiśniewski\n".encode(encoding),
            {"first_name": "Małgorzata", "last_name": "Żółtowska"},
        )
        for encoding in ("cp1250", "iso8859_2", "cp852")
    },
    "one sign of Windows-1252": (PLAIN.replace("Navy", "Navy €").encode("cp1252"), {"company": "Navy €"}),
    "French of Windows with capitals in its words": (
        PLAIN.replace("Navy", "Crédit Société").replace("Grace", "ÉliseÉ").encode("cp1252"),
        {"company": "Crédit Société", "first_name": "ÉliseÉ"},
    ),
    **{
        f"a number written as {written}": (
            f'email,first name,phone\n{TWO[0]},Grace,"{written}"\n{TWO[1]},Ada,\n'.encode(),
            {"phone": "+33612345678"},
        )
        for written in (
            "+33 6 12 34 56 78 / +33 6 99 99 99 99",
            "+33 6 12 34 56 78|0033 6 99 99 99 99",
            "+33612345678 +33699999999",
            "Mobile: +33 6 12 34 56 78",
            "tel:+33-6-12-34-56-78",
            "0033 6/12345678",
        )
    },
    "Japanese in seven bits": (
        PLAIN.replace("Grace", "太郎").replace("Navy", "株式会社").encode("iso2022_jp"),
        {"first_name": "太郎", "company": "株式会社"},
    ),
    "Shift JIS": (
        "メール,名,姓,会社名\ngrace@hopper.example,太郎,山田,株式会社テスト\nada@lovelace.example,花子,鈴木,日本商事\n".encode(
            "cp932"
        ),
        {"first_name": "太郎", "last_name": "山田", "company": "株式会社テスト"},
    ),
    "tabs": (PLAIN.replace(",", "\t").encode(), {"company": "Navy"}),
    "bars": (PLAIN.replace(",", "|").encode(), {"company": "Navy"}),
    "lines of Windows": (PLAIN.replace("\n", "\r\n").encode(), {"company": "Navy"}),
    "lines of an old Mac": (PLAIN.replace("\n", "\r").encode(), {"company": "Navy"}),
    "no end of the last line": (PLAIN.rstrip().encode(), {"company": "Navy"}),
    "Excel's line about the delimiter": (b"sep=;\n" + PLAIN.replace(",", ";").encode(), {"company": "Navy"}),
    "a line break in quotation marks": (
        PLAIN.replace("Navy", '"The ""US""\nNavy, Inc."').encode(),
        {"company": 'The "US" Navy, Inc.'},
    ),
    "the delimiter in quotation marks": (PLAIN.replace("Navy", '"Navy, US"').encode(), {"company": "Navy, US"}),
    "empty rows in between": (PLAIN.replace("\nada", "\n\n,,\n\nada").encode(), {"company": "Navy"}),
    "rows that are too short": (PLAIN.replace(",Ada,Engine", "").encode(), {"company": "Navy"}),
    "empty cells behind the last column": (PLAIN.replace("Navy", "Navy,,,").encode(), {"company": "Navy"}),
    "the same header twice": (
        b"Email,Email,First Name\n,grace@hopper.example,Grace\nada@lovelace.example,other@x.example,Ada\n",
        {"first_name": "Grace"},
    ),
    "a column without a name": (PLAIN.replace("company", "").encode(), {"first_name": "Grace"}),
    "notes above the header": (b"Exported on Monday\n\n" + PLAIN.encode(), {"company": "Navy"}),
    "blanks around everything": (PLAIN.replace(",", " , ").encode(), {"company": "Navy"}),
    "a number kept as text by a formula": (
        b'email,phone,country\ngrace@hopper.example,"=""0612345678""",France\nada@lovelace.example,,\n',
        {"phone": "+33612345678", "country": "FR"},
    ),
    "an apostrophe before a number": (
        b"email,phone\ngrace@hopper.example,'+33612345678\nada@lovelace.example,\n",
        {"phone": "+33612345678"},
    ),
    "cells that say that nothing is known": (
        b"email,company,job title\ngrace@hopper.example,N/A,-\nada@lovelace.example,null,\n",
        {"email": "grace@hopper.example"},
    ),
    "several addresses in a cell": (
        b'email,first name\n"grace@hopper.example, g@x.example",Grace\nAda L <ada@lovelace.example>,Ada\n',
        {"first_name": "Grace"},
    ),
    "links, labels and several addresses": (
        b"email,first name\nMAILTO:grace@hopper.example?subject=hi,Grace\n"
        b'"<a href=""mailto:ada@lovelace.example"">ada@lovelace.example</a>",Ada\n',
        {"first_name": "Grace"},
    ),
    "several addresses, however they are kept apart": (
        b"email,first name\ngrace@hopper.example / g@x.example,Grace\nada@lovelace.example or a@x.example,Ada\n",
        {"email": "grace@hopper.example"},
    ),
    "addresses between bars and in brackets": (
        b"email,first name\n[grace@hopper.example](mailto:grace@hopper.example),Grace\n"
        b"ada@lovelace.example|a@x.example,Ada\n",
        {"email": "grace@hopper.example"},
    ),
    "a second address counts where there is no first": (
        b"Email 1,Email 2,First name\n,grace@hopper.example,Grace\nada@lovelace.example,a@x.example,Ada\n",
        {"first_name": "Grace"},
    ),
    "the last name first, with a degree": (
        b'email,name\ngrace@hopper.example,"Hopper, Grace, PhD"\nada@lovelace.example,"Lovelace, Ada"\n',
        {"first_name": "Grace", "last_name": "Hopper"},
    ),
    "titles, degrees and brackets around names": (
        b'email,name\ngrace@hopper.example,"Prof. Dr. Grace Hopper, MBA, PhD (Navy)"\nada@lovelace.example,Ada\n',
        {"first_name": "Grace", "last_name": "Hopper"},
    ),
    "a title and a last name": (
        b"email,name\ngrace@hopper.example,Frau Hopper\nada@lovelace.example,Ada\n",
        {"first_name": None, "last_name": "Hopper"},
    ),
    "lines that end in three ways": (
        PLAIN.replace("company\n", "company\r\n").replace("Navy\n", "Navy\r").encode(),
        {"company": "Navy"},
    ),
    "the end of a file of DOS": (PLAIN.encode() + b"\x1a", {"company": "Navy"}),
    "a header below two lines of notes": (b"People\nfor the fair;in May\n" + PLAIN.encode(), {"company": "Navy"}),
    "a delimiter behind each row": (PLAIN.replace("\n", ",\n").encode(), {"company": "Navy"}),
    "names of columns that are missing": (
        b"email,,,company\ngrace@hopper.example,x,y,Navy\nada@lovelace.example,,,Engine\n",
        {"company": "Navy"},
    ),
    "a formula with its value": (
        rewritten(
            workbook(HEADER, (TWO[0], '=PROPER("grace")', "Navy"), (TWO[1], "Ada", "Engine")),
            SHEET,
            lambda part: re.sub(rb"</f><v ?/?>(</v>)?", b"</f><v>Grace</v>", part).replace(
                b'<c r="B2"', b'<c t="str" r="B2"'
            ),
        ),
        {"first_name": "Grace"},
    ),
    "XLSX": (workbook(HEADER, (TWO[0], "Grace", "Navy"), (TWO[1], "Ada", None)), {"company": "Navy"}),
    "XLSX named CSV is still one": (
        workbook(HEADER, (TWO[0], "Grace", "Navy"), (TWO[1], "Ada", "Engine")),
        {"first_name": "Grace"},
    ),
    "numbers and dates in XLSX": (
        workbook(("Email", "Mobile", "Country"), (TWO[0], 33612345678.0, "Frankreich"), (TWO[1], None, None)),
        {"country": "FR", "phone": "+33612345678"},
    ),
    "an empty first sheet": (
        workbook(HEADER, (TWO[0], "Grace", "Navy"), (TWO[1], "Ada", "Engine"), before=()),
        {"company": "Navy"},
    ),
    "a workbook that lies about its size": (
        rewritten(
            workbook(HEADER, (TWO[0], "Grace", "Navy"), (TWO[1], "Ada", "Engine")),
            SHEET,
            lambda part: part.replace(b'ref="A1:C3"', b'ref="A1:XFD1048576"'),
        ),
        {"company": "Navy"},
    ),
}
GOOD["numbers and dates in XLSX"] = (
    workbook(("Email", "Mobile", "Country"), (TWO[0], "0033 612345678", "Frankreich"), (TWO[1], None, None)),
    {"country": "FR", "phone": "+33612345678"},
)


@pytest.mark.parametrize(("data", "facts"), GOOD.values(), ids=GOOD.keys())
async def test_a_file_is_read_however_it_was_written(
    bureau: Bureau, data: bytes, facts: dict[str, str | None]
) -> None:
    async with bureau.app() as app:
        preview = await look_through(app, await read_people_file(data))
        assert preview.counts == {"made": 2, "changed": 0, "unchanged": 0, "refused": 0}, preview.lines
        assert (await import_people(app, preview)).created == 2
        people = (await app.local.find_contacts("", page=1, size=10)).items
        assert sorted(person.email or "" for person in people) == sorted(TWO)
        [grace] = (await app.local.find_contacts("grace@hopper.example", page=1, size=10)).items
        assert {name: getattr(grace, name) for name in facts} == facts
        again = await look_through(app, await read_people_file(data))
        assert again.counts["unchanged"] == 2
        assert (await import_people(app, again)).updated == 0


def workbook_with(cell: bytes, *, row: int = 3) -> bytes:
    """Return a workbook with one person and a row that holds this cell."""
    more = b'<row r="%d">%b</row></sheetData>' % (row, cell)
    plain = workbook(HEADER, ("a@b.example", "A", "B"))
    return rewritten(plain, SHEET, lambda part: part.replace(b"</sheetData>", more))


UNREADABLE: dict[str, tuple[Any, str]] = {
    "nothing": (b"", "is empty"),
    "blanks": (b" \r\n \n", "is empty"),
    "only a header": (b"email,first name\n", "no row"),
    "only a header and empty rows": (b"email,first name\n\n,\n", "no row"),
    "no header": (b"grace@hopper.example,Grace\nada@lovelace.example,Ada\n", "no names of columns"),
    "no column that tells people apart": (b"first name,company\nGrace,Navy\n", "No column is known"),
    "NUL bytes": (PLAIN.encode().replace(b"Navy", b"Na\0vy"), "NUL"),
    "letters of no language": (
        PLAIN.encode().replace(
            b"Navy", bytes.fromhex("a1cdf6d9ddaeff69 c070457788fb7897 6264d6b9abee556e f74c7184")
        ),
        "in which encoding",
    ),
    "random bytes": (bytes(range(256)) * 40, "NUL"),
    "a quotation mark that is never closed": (PLAIN.replace("Navy", '"Navy').encode(), "never closed"),
    "something behind a quotation mark": (PLAIN.replace("Navy", '"The" Navy').encode(), "quotation mark"),
    "a cell without an end": (PLAIN.replace("Navy", "x" * 200_000).encode(), "131,072"),
    "hundreds of columns": (PLAIN.replace("Navy", "," * 400).encode(), "limit is 250"),
    "old Excel named CSV": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old Excel workbook"),
    "a workbook with a password": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(600),
        "protected with a password",
    ),
    "a web page behind a byte order mark": (b"\xef\xbb\xbf<table><tr><td>email</td></tr></table>", "web page"),
    "a web page in UTF-16": ("<html><table><tr><td>email</td></tr></table>".encode("utf-16"), "web page"),
    "a web page that Excel saved": (b"MIME-Version: 1.0\r\nX-Document-Type: Workbook\r\n", "web page"),
    "a page that begins with a comment": (b"<!-- people -->\n<table></table>", "web page"),
    "vCards": (b"BEGIN:VCARD\r\nVERSION:3.0\r\nEMAIL:a@b.example\r\nEND:VCARD\r\n", "vCards"),
    "JSON": (b'[{"email": "a@b.example"}]', "JSON"),
    "a PDF": (b"%PDF-1.7\n...", "PDF"),
    "a web page": (b"<!DOCTYPE html><html><table></table></html>", "web page"),
    "a ZIP that is no workbook": (rewritten(workbook(HEADER), "xl/workbook.xml", bytes)[:40], "workbook"),
    "a workbook cut short": (workbook(HEADER, ("a@b.example", "A", "B"))[:-200], "workbook"),
    "a workbook without rows": (workbook(), "no rows"),
    "a damaged sheet": (
        rewritten(workbook(HEADER, ("a@b.example", "A", "B")), SHEET, lambda part: part[: len(part) // 2]),
        "cannot be read",
    ),
    "a text that the workbook does not have": (
        workbook_with(b'<c r="A3" t="s"><v>99</v></c>'),
        "cannot be read",
    ),
    "a bomb in the texts": (partial(bomb, STRINGS, 97), "larger than"),
    "a bomb in a sheet": (partial(bomb, SHEET, 520), "larger than"),
    "a bomb in the styles": (partial(bomb, "xl/styles.xml", 17), "larger than"),
    "one enormous cell": (
        lambda: workbook_with(b'<c r="A3" t="inlineStr"><is><t>' + b"x" * (40 << 20) + b"</t></is></c>"),
        "longer than 1 MB",
    ),
    "one enormous cell in pieces": (
        lambda: workbook_with(
            b'<c r="A3" t="inlineStr"><is>' + b"<r><t>xxxxxxxx</t></r>" * 200_000 + b"</is></c>"
        ),
        "longer than 1 MB",
    ),
    "an enormous shared text": (partial(bomb, STRINGS, 3), "longer than 1 MB"),
    "millions of formats": (
        lambda: rewritten(workbook(HEADER), "xl/styles.xml", lambda _: b"<x>" + b"<xf/>" * 3_000_000),
        "more than 250,000 entries",
    ),
    "one sheet under thousands of names": (
        lambda: rewritten(workbook(HEADER), "xl/workbook.xml", lambda part: part + b"<sheet />" * 60_000),
        "more than 1,000 sheets",
    ),
    "a row of millions of cells": (lambda: workbook_with(b"<c/>" * 3_000_000), "more than 16,384 cells"),
    "millions of rows of one number": (
        lambda: workbook_with(b"<c/></row>" + b'<row r="3"></row>' * 2_500_000 + b'<row r="3">'),
        "more than 2,000,000 rows",
    ),
    "somebody far below empty rows": (
        workbook_with(b'<c r="A250000" t="inlineStr"><is><t>z@b.example</t></is></c>', row=250_000),
        "Row 250,000 holds something",
    ),
    "somebody below the last row of Excel": (
        workbook_with(b'<c r="A99999999" t="inlineStr"><is><t>z@b.example</t></is></c>', row=99_999_999),
        "beyond 2,000,000",
    ),
    "too many rows": (
        lambda: "email\n" + "\n".join(f"a{row}@b.example" for row in range(200_001)),
        "more than 200,000 rows",
    ),
}


@pytest.mark.parametrize(("data", "why"), UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_a_file_that_cannot_be_read_is_refused_whole(bureau: Bureau, data: Any, why: str) -> None:
    async with bureau.app() as app:
        with pytest.raises(InvalidArgumentsError, match=why) as refused:
            file = await read_people_file(data() if callable(data) else data)  # what is large is made by its test
            for _ in file.rows():  # before anybody is looked up: too many rows are told of soon
                pass
            await look_through(app, file)
        assert refused.value.next_step
        assert not (await app.local.find_contacts("", page=1, size=10)).items


REFUSED: dict[str, tuple[Any, str]] = {
    "no address": (PLAIN.replace("ada@lovelace.example", "").encode(), "neither email nor phone"),
    "a bad address": (PLAIN.replace("ada@lovelace.example", "ada at home").encode(), "not an e-mail address"),
    "the same person twice": (
        PLAIN.replace("ada@lovelace.example", "GRACE@hopper.example").encode(),
        "rows 2 and 3",
    ),
    "two rows with one number": (b"email,phone\ng@h.example,+33612345678\n,+33612345678\n", "rows 2 and 3"),
    "a placeholder as a name": (PLAIN.replace("Ada", "{{first_name}}").encode(), "first_name"),
    "a cell that is too long": (PLAIN.replace("Ada", "A" * 5_000).encode(), "limit"),
    "more cells than columns": (PLAIN.replace("Engine", "Engine, Inc.").encode(), "4 cells and the header 3"),
    "a formula": (PLAIN.replace("Ada", '"=HYPERLINK(""http://x"",""Ada"")"').encode(), "formula"),
    "a formula without its value": (
        workbook(HEADER, (TWO[0], "Grace", "Navy"), (TWO[1], '=UPPER("ada")', "Engine")),
        "formula",
    ),
    "a country that does not exist": (b"email,country\ng@h.example,France\na@l.example,Narnia\n", "not a country"),
    "a number without its country": (
        b"email,phone\ng@h.example,\na@l.example,0612345678\n",
        "country is not known",
    ),
}


@pytest.mark.parametrize(("data", "why"), REFUSED.values(), ids=REFUSED.keys())
async def test_one_refused_row_keeps_everybody_out_unless_it_is_left_out(
    bureau: Bureau, data: bytes, why: str
) -> None:
    async with bureau.app() as app:
        preview = await look_through(app, await read_people_file(data))
        assert preview.counts["refused"] == 1
        [line] = preview.lines["refused"]
        assert line.number == 3
        assert any(why in f"{problem.field} {problem.problem}" for problem in line.problems), line.problems
        with pytest.raises(InvalidArgumentsError, match="1 of 2 rows"):
            await import_people(app, preview)
        assert not (await app.local.find_contacts("", page=1, size=10)).items

        partial = await look_through(app, await read_people_file(data), partial=True)
        saved = await import_people(app, partial)
        people = (await app.local.find_contacts("", page=1, size=10)).items
        assert saved.created == len(people) == partial.counts["made"] == 2 - partial.counts["refused"]


async def test_what_is_wrong_only_by_now_keeps_everybody_out(bureau: Bureau) -> None:
    data = b"email,phone\ngrace@hopper.example,+33612345678\n,+33699999999\n"
    async with bureau.app() as app:
        preview = await look_through(app, await read_people_file(data))
        assert preview.counts["made"] == 2
        for name in ("a", "b"):  # two people have that number by now: it cannot be told who is meant
            await app.local.save_contacts(await _entry(app, f"{name}@x.example", "+33699999999"))
        with pytest.raises(ConflictError, match="changed since this was shown"):
            await import_people(app, preview)
        emails = {person.email for person in (await app.local.find_contacts("", page=1, size=10)).items}
        assert emails == {"a@x.example", "b@x.example"}


async def _entry(app: Any, email: str, phone: str) -> Any:
    from sequences_mcp.services.contacts import entries_to_save

    return await entries_to_save(app, contacts=[{"email": email, "phone": phone}])


@pytest.mark.parametrize("partial", [False, True])
async def test_what_would_be_imported_now_is_compared_with_what_was_confirmed(
    bureau: Bureau, *, partial: bool
) -> None:
    async with bureau.app() as app:
        file = await read_people_file(PLAIN)
        confirmed = await look_through(app, file, partial=partial)
        assert (await look_through(app, file, partial=partial)).digest == confirmed.digest
        meanwhile = await read_people_file(PLAIN.replace("Navy", "Army"))
        await import_people(app, await look_through(app, meanwhile))
        with pytest.raises(ConflictError, match="Nothing was imported") as refused:
            await import_people(app, confirmed)
        assert "again" in (refused.value.next_step or "")
        emails = {person.company for person in (await app.local.find_contacts("", page=1, size=10)).items}
        assert emails == {"Army", "Engine"}


async def test_the_comparison_stands_in_the_transaction_that_saves(bureau: Bureau) -> None:
    async with bureau.app() as app:
        confirmed = await look_through(app, await read_people_file(PLAIN))
        now = bureau.clock()
        grace = Contact(
            id="local:ct_01ARZ3NDEKTSV4RRFFQ69G5FAV", email=TWO[0], company="Army", created_at=now, updated_at=now
        )
        with Store.open(Workspace(bureau.folder), now=now, examined=False) as other:
            with other.transaction() as work:  # the import begins while another process has the write lock
                saving = asyncio.create_task(import_people(app, confirmed))
                await asyncio.sleep(0)
                work.contacts.insert(grace)
                work.audit.record(
                    at=now,
                    actor=Actor("terminal"),
                    action="contact.saved",
                    subject=grace.id,
                    detail={"created": True},
                )
            with pytest.raises(ConflictError, match="Nothing was imported"):
                await saving
        people = (await app.local.find_contacts("", page=1, size=10)).items
        assert [(person.email, person.company) for person in people] == [(TWO[0], "Army")]


async def test_whoever_was_erased_is_refused_in_a_file(bureau: Bureau) -> None:
    async with bureau.app() as app:
        await import_people(app, await look_through(app, await read_people_file(PLAIN)))
        [grace] = (await app.local.find_contacts(TWO[0], page=1, size=10)).items
        await app.erasures.erase(grace.id, actor=Actor("terminal"))
        again = await look_through(app, await read_people_file(PLAIN), partial=True)
        assert (again.counts["refused"], again.counts["unchanged"]) == (1, 1)
        assert "erased" in again.shown("refused")[0].problems[0].problem


async def test_more_rows_than_are_kept_together_are_shown_and_saved_in_their_order(bureau: Bureau) -> None:
    number = 2 * FOLD + 7
    data = "email,first name\n" + "".join(f"p{index}@hopper.example,Grace\n" for index in range(number))
    async with bureau.app() as app:
        preview = await look_through(app, await read_people_file(data))
        made = preview.lines["made"]
        assert [line.number for line in made] == list(range(2, number + 2)) and len(made) == number
        assert [line.number for line in made.between(FOLD - 3, FOLD + 3)] == list(range(FOLD - 1, FOLD + 5))
        assert made.between(number, number + 5) == []
        assert (await import_people(app, preview)).created == number
        assert (await look_through(app, await read_people_file(data))).counts["unchanged"] == number
