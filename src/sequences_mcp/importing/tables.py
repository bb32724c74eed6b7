"""CSV and XLSX as rows of cells: how a file is written is detected, its size bounded; rows come one by one.

A row is numbered as a spreadsheet program numbers it, the header among them. What cannot be read without guessing
is refused as a whole, with the place: a file is never read in part. Raises InvalidArgumentsError.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from array import array
from collections.abc import Callable, Iterator
from collections.abc import Sequence as Items
from contextlib import suppress
from datetime import date, datetime, time
from functools import cache, partial
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.importing.columns import known_columns
from sequences_mcp.lazy_dataclasses import dataclass

if TYPE_CHECKING:
    import zipfile

MOST_BYTES = 48 * 1024 * 1024
MOST_ROWS = 200_000
MOST_COLUMNS = 250
_DELIMITERS = ",;\t|"
_DELIMITER_WORDS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_SAMPLE = 64 * 1024
_HEADER_WITHIN = 15  # rows: some exports begin with notes
_OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MARKS = (  # the longer first: that of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LATIN = ("cp1252", "cp1250", "cp1254")
_ENCODINGS = (*_LATIN, "cp1251", "cp1253", "cp932", "euc_jp", "gb18030", "big5", "euc_kr")
_OLDER_ENCODINGS = ("koi8_u", "cp866", "iso8859_5", "mac_cyrillic", "iso8859_2", "mac_roman", "cp850", "cp852")
# What a workbook may grow to when it is unpacked: a part of one is read at once, only its sheets are not.
_MOST_UNPACKED, _MOST_STRINGS, _MOST_PART, _MOST_PARTS = 384 << 20, 64 << 20, 16 << 20, 5_000
_MOST_TEXT = 1 << 20  # of one cell as it is written: Excel's 32,767 characters, each as an entity, are 0.4 MB
_LAST_ROW = MOST_ROWS + 1_000
_NO_ROW = 2_000_000  # Excel's last one is 1,048,576
_LAST_COLUMN = 16_384  # Excel's
# What openpyxl makes objects of before a row is read, and of how many tags: Excel has 65,490 formats of cells.
_AT_ONCE = re.compile(r"\[Content_Types\]\.xml|(?:xl/(?:workbook|styles)|docProps/\w+)\.xml|.*\.rels")
_MOST_TAGS, _MOST_SHEETS = 250_000, 1_000
_CLOSER = "Save it as CSV in UTF-8, or as XLSX, and give that file."


class SheetRow(NamedTuple):
    """A row: its number in the file, its cells, and the places of those that hold a formula without its value."""

    number: int
    cells: tuple[str, ...]
    unread: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TableKind:
    """How a file is written: ``csv`` with an encoding and a delimiter, or ``xlsx`` with the sheet that is read."""

    kind: str
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    other_sheets: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """All of it in words."""
        if self.kind == "csv":
            encoding = (self.encoding or "text").replace("-sig", " with a byte order mark")
            return f"CSV, {encoding}, {_DELIMITER_WORDS[self.delimiter or ',']} between the cells"
        others = f"; not read: {', '.join(self.other_sheets)}" if self.other_sheets else ""
        return f"Excel workbook, sheet {self.sheet}{others}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A file that can be read as often as needed: ``header`` stands in row ``header_row``."""

    format: TableKind
    header: tuple[str, ...]
    header_row: int
    read: Callable[[], Iterator[SheetRow]]

    def rows(self) -> Iterator[SheetRow]:
        """Yield the rows below the header that hold anything; InvalidArgumentsError at one that cannot be read."""
        number = 0
        for row in self.read():
            if row.number > self.header_row and (any(row.cells) or row.unread):
                number += 1
                if number > MOST_ROWS:
                    raise _bad(f"The file has more than {MOST_ROWS:,} rows.", "Split it.")
                yield row


def open_table(source: bytes | str, *, encoding: str | None = None, sheet: str | None = None) -> Sheet:
    """Return a file's table; ``source`` is its bytes, or text that needs no encoding.

    ``encoding`` and ``sheet`` go before what is detected.
    """
    if len(source) > MOST_BYTES:
        raise _bad(f"The file is larger than {MOST_BYTES >> 20} MB.", "Split it.")
    if not source or source.isspace():  # strip would copy all of it
        raise _bad("The file is empty.", "Give one with a row of column names and a row for each person.")
    if isinstance(source, bytes):
        if source.startswith(b"PK\x03\x04"):
            return _workbook(source, sheet)
        _require_text(source)
    return _text_table(source, encoding)


def _bad(message: str, next_step: str) -> InvalidArgumentsError:
    return InvalidArgumentsError(message, next_step=f"{next_step} Nothing was imported.")


def _require_text(data: bytes) -> None:
    if data.startswith(_OLD_EXCEL) and "EncryptedPackage".encode("utf-16-le") in data:
        raise _bad("The workbook is protected with a password.", "Save it without one, and give that file.")
    if data.startswith(_OLD_EXCEL):
        raise _bad("This is an old Excel workbook (.xls), whatever its name says.", _CLOSER)
    if data.startswith(b"%PDF"):
        raise _bad("This is a PDF, whatever its name says.", _CLOSER)
    begins = data[:_SAMPLE].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xfe\xff \t\r\n")
    if re.match(rb"(?i)<(!doctype|!--|html|head|body|meta|style|\?xml|table|workbook)|mime-version:", begins):
        raise _bad("This is a web page or XML, not a table, whatever its name says.", _CLOSER)
    if begins.startswith(b"BEGIN:VCARD"):
        raise _bad("These are contacts as vCards, not a table.", "Export them as CSV. Google Contacts does.")
    if re.match(rb"[\[{]\s*[\[{\"]", begins):
        raise _bad("This is JSON, not a table.", _CLOSER)


# CSV


def _text_table(source: bytes | str, encoding: str | None) -> Sheet:
    if isinstance(source, str) and "\0" in source:
        raise _bad("The text holds NUL characters: it is no table.", _CLOSER)
    encoding = None if isinstance(source, str) else _checked_encoding(source, encoding)
    opened = partial(_opened, source, encoding)
    with opened() as text:
        sample = text.read(_SAMPLE)
    declared = re.match(r"(?i)\"?sep=(.)\"?\r?\n", sample)
    delimiter = declared[1] if declared and declared[1] in _DELIMITERS else _delimiter(sample)
    read = partial(_csv_rows, opened, delimiter, skipped=1 if declared else 0)
    number, header = _header(read)
    return Sheet(
        format=TableKind(kind="csv", encoding=encoding, delimiter=delimiter),
        header=header,
        header_row=number,
        read=read,
    )


def _opened(source: bytes | str, encoding: str | None) -> io.TextIOBase:
    if isinstance(source, str):
        return io.StringIO(source.removeprefix("\ufeff"), newline="")
    return io.TextIOWrapper(io.BytesIO(source), encoding=encoding, newline="")


def _checked_encoding(data: bytes, wanted: str | None) -> str:
    """Return in which encoding the whole of a file can be read."""
    if wanted is not None:
        try:
            name = codecs.lookup(wanted).name
            "".encode(name)
        except (LookupError, ValueError) as error:
            raise _bad(
                f"{wanted[:40]!r} is no encoding of text.", "Give one like utf-8 or windows-1252."
            ) from error
    else:
        name = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), "") or _guessed(data)
    place = _undecodable(data, name)
    if place is not None:
        raise _bad(f"The file is not {name} at byte {place:,}.", "Name its encoding, or save it as UTF-8.")
    return name


def _guessed(data: bytes) -> str:
    sample = data[:_SAMPLE]
    if b"\0" in data:
        even, odd = sample[::2].count(0), sample[1::2].count(0)
        if min(even, odd) * 4 < max(even, odd) and max(even, odd) * 4 > len(sample) // 2:
            return "utf-16-be" if even > odd else "utf-16-le"
        raise _bad("The file holds NUL bytes: it is no table of text.", _CLOSER)
    if b"\x1b$" in data and _undecodable(data, "iso2022_jp") is None:
        return "iso2022_jp"
    if _undecodable(data, "utf-8") is None:
        return "utf-8"
    sample = b"\n".join(line for line in data.splitlines() if not line.isascii())[:_SAMPLE]
    words = _WORDS.findall(sample)
    letters = b"".join(words)
    # Where nearly every letter of such words is beyond ASCII, the script is another one than the Latin; where they
    # always stand alone, it is the Latin.
    alone = all(len(run) == 1 for run in _RUNS.findall(sample))
    is_latin = alone or sum(letter > 127 for letter in letters) < 0.6 * len(letters)
    known = _LATIN if alone else _ENCODINGS if is_latin else _ENCODINGS[len(_LATIN) :]
    likely = _likeliest(b" ".join(words), known) or _likeliest(data, known)
    return _plausible(data, sample, "cp1252" if not likely or (is_latin and "cp1252" in likely) else likely[0])


def _plausible(data: bytes, sample: bytes, likely: str) -> str:
    """Return the likely encoding, or another one in which words are far more like words.

    Words in a wrong encoding have capitals and signs in their midst, and letters of several scripts.
    InvalidArgumentsError where most are so in every encoding that is known here.
    """
    oddities: dict[str, tuple[int, int]] = {}
    for name in (likely, *_ENCODINGS, *_OLDER_ENCODINGS):
        with suppress(UnicodeDecodeError):
            oddities.setdefault(name, _oddities(codecs.getincrementaldecoder(name)().decode(sample[:_WORDS_OF])))
    odd, letters = oddities.get(likely, (len(sample), len(sample)))
    for name, (other, of) in sorted(oddities.items(), key=lambda item: item[1][0] / item[1][1]):
        if odd - other < _FEW or odd / letters - other / of < _ODD:
            break
        if _undecodable(data, name) is None:
            likely, odd, letters = name, other, of
            break
    if odd >= _FEW and odd > _MOSTLY_ODD * letters:
        raise _bad(
            "It cannot be told in which encoding the file is written.", "Name its encoding, or save it as UTF-8."
        )
    return likely


def _oddities(text: str) -> tuple[int, int]:
    """Return how many letters of words beyond ASCII stand where nobody writes them, and how many there are."""
    odd, letters = 0, 1
    for word in _WORD.findall(text):
        if word.isascii() or len(word) < 2 or not any(map(str.isalpha, word)):
            continue
        letters += len(word)
        if len({unicodedata.name(sign, "?").split()[0] for sign in word if sign.isalpha()} - _OF_JAPANESE) > 1:
            odd += len(word)
            continue
        odd += sum(unicodedata.category(sign)[0] not in "LM" for sign in word)
        if not word.isupper():
            odd += sum(sign.isupper() and not sign.isascii() for sign in word[1:])
    return odd, letters


# What stands between words in any encoding, some of it only in Windows'.
_WORD = re.compile(r"[^\s\x00-\x40\[-`{-\x7f€™®©°§«»‘’‚“”„–—…•·]+")
_OF_JAPANESE = frozenset({"HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "CJK", "IDEOGRAPHIC", "FULLWIDTH"})
_FEW, _ODD, _MOSTLY_ODD, _WORDS_OF = 3, 0.08, 0.3, 8 * 1024
_RUNS = re.compile(rb"[\x80-\xff]+")
_WORDS = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")


def _likeliest(sample: bytes, known: Items[str]) -> list[str]:
    """Return those of the known encodings in which a sample looks the most like language, all that do equally."""
    from charset_normalizer import from_bytes

    matches = list(from_bytes(sample[:_SAMPLE], cp_isolation=list(known), language_threshold=0.05))
    clean = [match for match in matches if match.chaos <= min(other.chaos for other in matches)]
    best = [match for match in clean if match.coherence >= max(other.coherence for other in clean)]
    return [name for match in best for name in match.could_be_from_charset if name in known]


def _undecodable(data: bytes, encoding: str) -> int | None:
    """Return the first byte that is not in an encoding, or None; without making one text of everything."""
    decoder = codecs.getincrementaldecoder(encoding)()
    for start in range(0, len(data), _SAMPLE):
        try:
            decoder.decode(data[start : start + _SAMPLE], final=start + _SAMPLE >= len(data))
        except UnicodeDecodeError as error:
            return start + error.start
    return None


def _delimiter(sample: str) -> str:
    """Return what stands between the cells: with it the most columns are known, and rows are equally long."""

    def score(delimiter: str) -> tuple[int, float, int]:
        rows: list[list[str]] = []
        with suppress(csv.Error):
            reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
            rows = [row for row in islice(reader, 40) if row]
        widths = [len(row) for row in rows]
        width = max(widths, key=widths.count, default=0)
        alike = widths.count(width) / len(widths) if width > 1 else 0.0
        return max((known_columns(row) for row in rows[:_HEADER_WITHIN]), default=0), alike, width

    return max(_DELIMITERS, key=score)


def _csv_rows(opened: Callable[[], io.TextIOBase], delimiter: str, *, skipped: int) -> Iterator[SheetRow]:
    number = 0
    with opened() as text:
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        try:
            for number, cells in enumerate(reader, start=1):
                if number <= skipped:
                    continue
                if cells == ["\x1a"]:  # with which DOS ended a file
                    continue
                _require_width(number, cells)
                if any("\0" in cell for cell in cells):
                    raise _bad(f"Row {number:,} holds a NUL character.", "Remove it.")
                yield SheetRow(number, tuple(map(str.strip, cells)))
        except csv.Error as error:
            raise _bad(
                f"Row {number + 1:,} cannot be read: {_csv_words(str(error))}.", "Correct the row."
            ) from error


def _csv_words(message: str) -> str:
    if "field larger" in message:
        return "a cell is longer than 131,072 characters, or a quotation mark before it is never closed"
    if "unexpected end" in message:
        return "a quotation mark is opened and never closed"
    if "expected after" in message:
        return "something stands behind a closing quotation mark; inside a cell they are written twice"
    return message


def _require_width(number: int, cells: Items[object]) -> None:
    if len(cells) > MOST_COLUMNS:
        raise _bad(f"Row {number:,} has {len(cells):,} cells; the limit is {MOST_COLUMNS}.", "Leave columns out.")


def _header(read: Callable[[], Iterator[SheetRow]]) -> tuple[int, tuple[str, ...]]:
    """Return the row with the names of the columns: that in which the most are known, else the first."""
    first = [row for row in islice(read(), 50) if any(row.cells)][:_HEADER_WITHIN]
    if not first:
        raise _bad("The file is empty.", "Give one with a row of column names and a row for each person.")
    best = max(first, key=lambda row: known_columns(row.cells))
    header = best if known_columns(best.cells) else first[0]
    if any("@" in cell for cell in header.cells):
        raise _bad(
            f"Row {header.number:,} holds an address and no names of columns.",
            "Put a row above it that says what each column holds, such as email, first name, company.",
        )
    return header.number, header.cells


# XLSX


def _workbook(data: bytes, wanted: str | None) -> Sheet:
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _require_small(archive)
        # Loaded once for each way of reading: every load reads all texts of the workbook.
        book = cache(lambda values: _loaded(data, values=values))
        with_formulas, names = _has_formulas(data), _shown_sheets(book(True))
    except (zipfile.BadZipFile, zipfile.LargeZipFile) as error:
        raise _damaged(error) from error
    if wanted is not None and wanted not in names:
        raise _bad(f"The workbook has no sheet {wanted[:40]!r}.", f"Its sheets are {', '.join(names)}.")
    reads = {name: partial(_sheet_rows, book, name, formulas=with_formulas) for name in names}
    chosen = wanted or next(
        (name for name in names if any(any(row.cells) for row in islice(reads[name](), 5))), None
    )
    if chosen is None:
        raise _bad("The workbook has no rows.", "Give one with a row of column names and a row for each person.")
    number, header = _header(reads[chosen])
    others = tuple(name for name in names if name != chosen)
    made = TableKind(kind="xlsx", sheet=chosen, other_sheets=others)
    return Sheet(format=made, header=header, header_row=number, read=reads[chosen])


def _damaged(error: Exception) -> InvalidArgumentsError:
    return _bad(f"The workbook cannot be read: {str(error)[:120] or type(error).__name__}.", _CLOSER)


def _require_small(archive: zipfile.ZipFile) -> None:
    """Refuse a workbook that grows beyond what people write, before any of it is unpacked.

    Python's zipfile unpacks no more of a part than its directory says, so that what is said there is the limit.
    """
    parts = archive.infolist()
    names = {part.filename for part in parts}
    if "xl/workbook.xml" not in names or "[Content_Types].xml" not in names:
        raise _bad("This is a ZIP file, and no Excel workbook (.xlsx).", _CLOSER)
    if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > _MOST_UNPACKED:
        raise _bad(f"The workbook is larger than {_MOST_UNPACKED >> 20} MB when unpacked.", "Split it.")
    for part in parts:
        is_sheet = part.filename.startswith("xl/worksheets/")
        most = _MOST_STRINGS if part.filename == "xl/sharedStrings.xml" else _MOST_PART
        if not is_sheet and part.file_size > most and part.filename.endswith((".xml", ".rels")):
            raise _bad(
                f"{part.filename} in the workbook is larger than {most >> 20} MB.", "Save it as CSV in UTF-8."
            )
        if part.flag_bits & 1:
            raise _bad("The workbook is encrypted.", "Save it without a password.")
    for part in filter(lambda part: _AT_ONCE.fullmatch(part.filename), parts):
        text = archive.read(part)
        if text.count(b"<") > _MOST_TAGS:
            raise _bad(f"{part.filename} in the workbook has more than {_MOST_TAGS:,} entries.", _CLOSER)
        if part.filename == "xl/workbook.xml" and len(_SHEET.findall(text)) > _MOST_SHEETS:
            raise _bad(
                f"The workbook has more than {_MOST_SHEETS:,} sheets.", "Give one with the sheet of people."
            )


def _loaded(data: bytes, *, values: bool) -> Any:
    """Return openpyxl's workbook, which reads its sheets row by row."""
    import warnings
    import zipfile
    from xml.etree.ElementTree import ParseError

    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about formats of cells, which are not read
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=values, keep_links=False)
        texts: _TextList | None = None
        for sheet in book.worksheets:  # they share one list
            texts = _TextList(sheet._shared_strings) if texts is None else texts
            sheet._shared_strings = texts
        return book
    except (zipfile.BadZipFile, InvalidFileException, ParseError, LookupError, ValueError, TypeError) as error:
        raise _damaged(error) from error


class _TextList:
    """Texts in one block of bytes, made one by one again when they are asked for.

    A million small strings take four times as much, and leave holes behind that nothing else fits into.
    """

    def __init__(self, texts: Items[str]) -> None:
        self._block, self._ends = bytearray(), array("Q")
        for text in texts:
            self._block += text.encode("utf-8", "surrogatepass")
            self._ends.append(len(self._block))

    def __getitem__(self, place: int) -> str:
        end = self._ends[place]
        begin = self._ends[place - 1] if place else 0
        return self._block[begin:end].decode("utf-8", "surrogatepass")


def _has_formulas(data: bytes) -> bool:
    """Say whether any sheet has formulas."""
    import zipfile

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        formulas = [
            _has_formula(archive, part)
            for part in archive.infolist()
            if part.filename.startswith(("xl/worksheets/", "xl/sharedStrings"))
        ]
    return any(formulas)


def _shown_sheets(book: Any) -> tuple[str, ...]:
    """Return the names of the sheets that are not hidden."""
    return tuple(sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible")


# A tag that is not inside a cell's text, and a row's number that no spreadsheet program writes.
_OUTSIDE = re.compile(
    rb"<(?:\w+:)?(?!(?:is|r|t|v|f|rPr|rPh|phoneticPr|b|i|u|sz|strike|color|rFont|family|scheme|charset|vertAlign)[\s/>])\w"
)
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_SHEET, _ROW, _CELL = (re.compile(rb"<(?:\w+:)?%s[\s>/]" % tag) for tag in (b"sheet", b"row", b"c"))
_FAR_ROW = re.compile(rb"<(?:\w+:)?(?:c|row)\s(?:[^<>]*\s)?r=[\"'][A-Z]{0,3}(?:[2-9]\d{6}|\d{8,})")


def _has_formula(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    """Say whether a part has formulas; InvalidArgumentsError for a text or a row beyond any spreadsheet's.

    It is read in pieces, because the parser holds the whole text of a cell, several times, and a whole row.
    """
    formulas, before, text, rows, cells = False, b"", 0, 0, 0
    with archive.open(part) as file:
        while piece := file.read(_MOST_TEXT // 8):
            seen = before + piece
            *others, last = _ROW.split(seen)  # rows between them are shorter than a piece
            rows += len(others)
            cells = len(_CELL.findall(last)) + (0 if others else cells)
            if rows > _NO_ROW:
                raise _bad(f"A sheet of the workbook has more than {_NO_ROW:,} rows.", _CLOSER)
            if cells > 2 * _LAST_COLUMN:
                raise _bad(f"A row in the workbook has more than {_LAST_COLUMN:,} cells.", "Leave cells out.")
            text = 0 if _OUTSIDE.search(seen) else text + len(piece)
            if text >= _MOST_TEXT:
                raise _bad(f"A cell in the workbook is longer than {_MOST_TEXT >> 20} MB.", "Shorten it.")
            if _FAR_ROW.search(seen):
                raise _bad(f"The workbook has a row with a number beyond {_NO_ROW:,}.", _CLOSER)
            formulas = formulas or _FORMULA.search(seen) is not None
            before = seen[-64:]
    return formulas


def _sheet_rows(book: Callable[[bool], Any], name: str, *, formulas: bool) -> Iterator[SheetRow]:
    """Yield the rows of a sheet; ``book`` returns the workbook with its values, or else with its formulas."""
    import zipfile
    from xml.etree.ElementTree import ParseError

    try:
        read = [_values(book(values)[name]) for values in ((True, False) if formulas else (True,))]
        for number, values in enumerate(read[0], start=1):
            written = next(read[1], ()) if formulas else ()
            if number > _LAST_ROW:
                if any(row.count(None) < len(row) for row in (values, written)):
                    words = f"Row {number:,} holds something; rows are read up to {_LAST_ROW:,}."
                    raise _bad(words, "Delete the empty rows above it, or split the file.")
                continue
            missing = tuple(
                place
                for place, formula in enumerate(written)
                if isinstance(formula, str) and formula.startswith("=") and values[place : place + 1] == (None,)
            )
            yield SheetRow(number, _cells(number, values), missing)
    except (zipfile.BadZipFile, ParseError, LookupError, ValueError, TypeError, EOFError) as error:
        raise _damaged(error) from error


def _values(sheet: Any) -> Iterator[tuple[Any, ...]]:
    sheet.reset_dimensions()  # what the file says of its size may be anything
    # One more column than allowed, so that too many of them are seen and refused.
    rows: Iterator[tuple[Any, ...]] = sheet.iter_rows(max_col=MOST_COLUMNS + 1, max_row=_NO_ROW, values_only=True)
    return rows


def _cells(number: int, values: tuple[Any, ...]) -> tuple[str, ...]:
    last = max((place for place, value in enumerate(values, start=1) if value is not None), default=0)
    _require_width(number, values[:last])
    return tuple(map(_cell, values[:last]))


def _cell(value: Any) -> str:
    """Return a cell as a person reads it: a whole number without its ``.0``, a date in ISO 8601."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e17:
        return str(int(value))
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value).replace("_x000D_", "").strip()
