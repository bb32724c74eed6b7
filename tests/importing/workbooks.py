"""Excel workbooks as people and programs write them, and as nobody should."""

from __future__ import annotations

import io
import zipfile
from typing import Any, Literal

import openpyxl

HEADER = ("Email", "First name", "Company")


def workbook(*rows: tuple[Any, ...], before: tuple[tuple[Any, ...], ...] | None = None) -> bytes:
    """Return a workbook with these rows; ``before`` are those of a sheet in front of it."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    if before is not None:
        for row in before:
            sheet.append(row)
        sheet = book.create_sheet("People")
    for row in rows:
        sheet.append(row)
    saved = io.BytesIO()
    book.save(saved)
    return saved.getvalue()


def packed(file: io.BytesIO, mode: Literal["w", "a"]) -> zipfile.ZipFile:
    """Open an archive whose parts are packed as quickly as can be: some have half a gigabyte."""
    return zipfile.ZipFile(file, mode, zipfile.ZIP_DEFLATED, compresslevel=1)


def rewritten(data: bytes, name: str, change: Any) -> bytes:
    """Return a workbook with one of its parts changed."""
    saved = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, packed(saved, "w") as after:
        for part in before.infolist():
            content = before.read(part)
            after.writestr(part.filename, change(content) if part.filename == name else content)
    return saved.getvalue()


def bomb(part: str, megabytes: int) -> bytes:
    """Return a small workbook one part of which is enormous when unpacked."""
    enormous = b"<x>" + b" " * (megabytes << 20)
    plain = workbook(HEADER, ("a@b.example", "A", "B"))
    made = io.BytesIO(rewritten(plain, part, lambda _: enormous))
    with packed(made, "a") as archive:
        if part not in archive.namelist():
            archive.writestr(part, enormous)
    return made.getvalue()
