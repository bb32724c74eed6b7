"""What taking in 200,000 people from a file costs, as CSV and as XLSX, and what goes on meanwhile.

    python -m benchmarks.importing            # 200,000 rows of each
    python -m benchmarks.importing --quick    # 3,000 rows of each: what the tests run

The command `sequences-mcp import FILE --yes` runs in a process of its own. Meanwhile another connection writes, as
a worker's claim does, another reads, as the review page does, and a third suppresses somebody some times while the
database is held: the longest wait of each is told. Then the same is ended by `kill -9`, as it begins to save and
while the file is written: nobody or everybody may be stored, at any number of rows. Exit status 1 when somebody is
missing, something is half done, the audit does not verify, or more than 300 MB of memory were needed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sequences_mcp.domain import actors
from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.engine.context import EngineContext
from sequences_mcp.errors import StoreBusyError
from sequences_mcp.store.unit_of_work import Store, UnitOfWork

MOST_MB = 300
SUPPRESSIONS = 3
HEADER = ("Email", "First Name", "Last Name", "Company", "Job Title", "Mobile", "Country", "LinkedIn", "Notes")
FIRST = ("Ada", "Grace", "Linus", "Élodie", "Zoë", "Noël", "John", "Maria", "Jürgen", "Chloé")
PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName='
    '"/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.'
    'worksheet+xml"/><Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-'
    'officedocument.spreadsheetml.sharedStrings+xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
    'officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r='
    '"http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="People" '
    'sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
    'relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
    'relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.'
    'openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/>'
    "</Relationships>",
}
SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def word(number: int, syllables: int) -> str:
    """Return a made-up name, another one for nearly every number."""
    text = ""
    for _ in range(syllables):
        text += "bdfgklmnrs"[number % 10] + "aeiou"[number // 10 % 5]
        number = number // 50 + number % 50 * 3
    return text.capitalize()


def people(number: int) -> Iterator[tuple[str, ...]]:
    """Yield the rows of a file as a recruiter has them: one in forty of a company, a note of their own."""
    for index in range(number):
        company = index % (number // 40 + 1)
        yield (
            f"p{index}@firm{company}.example",
            FIRST[index % len(FIRST)],
            word(index * 7919 % 312_500, 4),
            f"{word(company, 3)} GmbH",
            f"{word(index % 70, 2)} Engineer",
            f"+4930{1_000_000 + index}",
            "Germany",
            f"https://www.linkedin.com/in/p{index}",
            f"met at fair {index}",
        )


def write_csv(place: Path, number: int) -> None:
    """Write the people as CSV."""
    with place.open("w", encoding="utf-8") as file:
        file.writelines(f"{','.join(row)}\n" for row in (HEADER, *people(number)))


def write_xlsx(place: Path, number: int) -> None:
    """Write the people as Excel does: every text once, in a part of its own, named by its place."""
    texts: dict[str, int] = {}
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in PARTS.items():
            archive.writestr(name, part)
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(f'<worksheet xmlns="{SHEET}"><sheetData>'.encode())
            for place_of_row, row in enumerate((HEADER, *people(number)), start=1):
                cells = (
                    f'<c r="{column}{place_of_row}" t="s"><v>{texts.setdefault(text, len(texts))}</v></c>'
                    for column, text in zip("ABCDEFGHI", row, strict=True)
                )
                sheet.write(f'<row r="{place_of_row}">{"".join(cells)}</row>'.encode())
            sheet.write(b"</sheetData></worksheet>")
        with archive.open("xl/sharedStrings.xml", "w") as strings:
            strings.write(f'<sst xmlns="{SHEET}">'.encode())
            strings.writelines(f"<si><t>{text}</t></si>".encode() for text in texts)
            strings.write(b"</sst>")


@dataclass(slots=True)
class Meanwhile:
    """What somebody else on the same database waited for, in seconds, while a block ran."""

    folder: Path
    write: float = 0.0
    suppression: float = 0.0
    read: float = 0.0

    def __enter__(self) -> Meanwhile:
        self._ended, self._busy = threading.Event(), threading.Event()
        self._threads = [threading.Thread(target=self._go, args=(act,)) for act in ("write", "read")]
        self._threads.append(threading.Thread(target=self._hold_back))
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._busy.set()
        for thread in self._threads:
            thread.join()

    _ended: threading.Event = None  # type: ignore[assignment]  # made where the block begins
    _busy: threading.Event = None  # type: ignore[assignment]
    _threads: list[threading.Thread] = None  # type: ignore[assignment]

    def _hold_back(self) -> None:
        """Suppress somebody, as the product does, while the database is held for long: some times in all."""
        with Store.open(Workspace(self.folder), now=datetime.now(UTC), examined=False) as store:
            terms: Any = None  # a suppression looks at no terms
            engine = EngineContext(
                store, clock=lambda: datetime.now(UTC), entropy=os.urandom, terms=terms, actor=actors.WORKER
            )
            for number in range(SUPPRESSIONS):
                self._busy.wait()
                begun = time.monotonic()
                asyncio.run(engine.insisting(partial(suppress, f"left{number}@elsewhere.example")))
                self.suppression = max(self.suppression, time.monotonic() - begun)
                if self._ended.is_set():
                    return
                self._busy.clear()

    def _go(self, act: str) -> None:
        with Store.open(Workspace(self.folder), now=datetime.now(UTC), examined=False) as store:
            while not self._ended.wait(0.05):
                begun = time.monotonic()
                self._insist(store, act)
                setattr(self, act, max(getattr(self, act), time.monotonic() - begun))

    def _insist(self, store: Store, act: str) -> None:
        while True:
            try:
                if act == "read":
                    store.contacts.by_email("p1@firm1.example")
                else:
                    with store.hasty(0.3), store.transaction() as work:
                        now = datetime.now(UTC)
                        work.audit.record(at=now, actor=Actor("benchmark"), action="wrote", subject="x", detail={})
                return
            except StoreBusyError:
                self._busy.set()
                if self._ended.wait(0.01):
                    return


def suppress(address: str, work: UnitOfWork) -> None:
    """Put an address on the list of those never to contact."""
    now = datetime.now(UTC)
    work.suppressions.add(("address", address), reason="a benchmark", actor=Actor("benchmark"), now=now)
    work.audit.record(at=now, actor=Actor("benchmark"), action="suppression.added", subject=address, detail={})


def ended(
    command: list[str], folder: Path, *, until: Callable[[], bool] | None = None
) -> tuple[int, str, float, int]:
    """Run a command; return its status, what it said, its seconds of processor time and its megabytes at most.

    With ``until`` it is ended by ``kill -9`` once that is so.
    """
    environment = {**os.environ, "SEQUENCES_DATA_DIR": str(folder)}
    with tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen(command, env=environment, stdout=said, stderr=subprocess.STDOUT)
        ended_by_itself = 0
        while until is not None and not ended_by_itself:
            ended_by_itself, status, usage = os.wait4(child.pid, os.WNOHANG)
            if not ended_by_itself and until():
                child.kill()
                break
            time.sleep(0.005)
        if not ended_by_itself:
            _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        return child.returncode, said.read(), usage.ru_utime + usage.ru_stime, usage.ru_maxrss >> 10


def stored(folder: Path) -> tuple[int, bool]:
    """Return how many people there are, and whether the audit verifies."""
    with Store.open(Workspace(folder), now=datetime.now(UTC)) as store:
        return store.contacts.page("", page=1, size=1).total_count, store.audit.verify() is None


def taken_in(kind: str, number: int, scratch: Path) -> bool:
    """Import a file and say what it took; return whether everything held."""
    file, folder = scratch / f"people.{kind}", scratch / f"data of {kind}"
    (write_csv if kind == "csv" else write_xlsx)(file, number)
    Store.open(Workspace(folder), now=datetime.now(UTC)).close()
    command = [sys.executable, "-m", "sequences_mcp", "import", str(file), "--yes", "--json"]
    begun = time.monotonic()
    with Meanwhile(folder) as meanwhile:
        status, said, seconds, megabytes = ended(command, folder)
    took = time.monotonic() - begun
    people_there, is_sound = stored(folder)
    print(
        f"{number:,} rows of {kind.upper()}, {file.stat().st_size / 1e6:.1f} MB: {took:.1f} s, {seconds:.1f} s "
        f"of processor time, {megabytes} MB at most; meanwhile a write waited {meanwhile.write:.1f} s at most, a "
        f"suppression {meanwhile.suppression:.1f} s, a read {meanwhile.read:.1f} s; "
        f"{people_there:,} people stored, {seconds / number * 1e6:.0f} µs for each",
        flush=True,
    )
    if status != 0:
        print(said[-2_000:])
    held = status == 0 and json.loads(said)["imported"]["created"] == people_there == number and is_sound
    return killed(command, scratch / f"killed of {kind}", number) and held and megabytes <= MOST_MB


def killed(command: list[str], folder: Path, number: int) -> bool:
    """End the import by ``kill -9`` twice: as it begins to save, and once the file itself is being written.

    Return whether nobody was stored, or everybody, each time.
    """
    held = True
    for where in ("as it began to save", "while the file was written"):
        place = folder.with_name(f"{folder.name}, {where}")
        Store.open(Workspace(place), now=datetime.now(UTC)).close()
        status, _, _, _ = ended(command, place, until=partial(_has_come_to, where, place, _size(place)))
        people_there, is_sound = stored(place)
        print(f"killed {where} (status {status}): {people_there:,} people stored of {number:,}", flush=True)
        held = held and people_there in (0, number) and is_sound
    return held


def _has_come_to(where: str, folder: Path, size_before: int) -> bool:
    """Say whether a save has begun, or has come as far as to write into the database's file, or its log."""
    log = folder / "sequences.db-wal"
    written = log.stat().st_size if log.exists() else _size(folder) - size_before
    journal = folder / "sequences.db-journal"
    begun = written > 16_384 or (journal.exists() and journal.stat().st_size > 16_384)
    return written > 1 << 20 if where.endswith("written") else begun


def _size(folder: Path) -> int:
    return (folder / "sequences.db").stat().st_size


def main() -> int:
    """Import files of both kinds; exit status 1 where something does not hold."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--quick", action="store_true", help="a few thousand rows")
    arguments.add_argument("--rows", type=int, help="how many")
    arguments.add_argument("kinds", nargs="*", choices=("csv", "xlsx", []), help="by default both")
    given = arguments.parse_args()
    number = given.rows or (3_000 if given.quick else 200_000)
    with tempfile.TemporaryDirectory() as scratch:
        held = [taken_in(kind, number, Path(scratch)) for kind in given.kinds or ("csv", "xlsx")]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
