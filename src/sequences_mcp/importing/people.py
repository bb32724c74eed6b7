"""A row of a file as the facts about a person, written as exports write them and read as they are kept here.

Nothing is judged here that ``save_contacts`` judges: a wrong address stays as it is and is refused there. What is
changed is only how the same is written: a country's name becomes its code, a web site its host.
"""

from __future__ import annotations

import re
import unicodedata
from ast import literal_eval
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Sequence as Items
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sequences_mcp.domain.contact import FACTS
from sequences_mcp.domain.findings import RowProblem
from sequences_mcp.domain.salutations import (
    GENERATIONS,
    SURNAMES_TOO,
    is_degree,
    is_surely_title,
    without_degrees,
    without_titles,
    word_key,
)
from sequences_mcp.importing.columns import CITY, FULL_NAME, NOTE, REGION, ColumnList
from sequences_mcp.importing.tables import Sheet, SheetRow
from sequences_mcp.lazy_dataclasses import dataclass, field

_LANGUAGES = ("en", "de", "fr", "es", "pt", "it", "nl", "pl", "sv", "ja")
_ALIASES = {
    "uk": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "greatbritain": "GB",
    "usa": "US",
    "unitedstatesofamerica": "US",
    "uae": "AE",
    "korea": "KR",
    "southkorea": "KR",
    "holland": "NL",
    "czechia": "CZ",
    "brasil": "BR",
    "日本国": "JP",
}
# What stands in a cell of which nothing is known. In a name it is left to the guards: people are called Null.
_NOTHING = frozenset({"-", "–", "—", "n/a", "#n/a", "null", "none", "nan", "undefined", "(blank)", "[no value]"})
_NAMES = ("first_name", "last_name", FULL_NAME)
_SEVERAL = re.compile(r"\s*(?: ::: |[;\n]|,(?=\s*\S+@))\s*")
# A slash may stand in a number, but not before the sign that begins one.
_SEVERAL_NUMBERS = re.compile(rf"{_SEVERAL.pattern}|\s*[/|,&]\s*(?=\+|00[1-9])|\s+(?=\+)")
_LINKEDIN = re.compile(r"(?:https?://)?(?:[a-z]{2,3}\.)?linkedin\.com/[^\s,;]+", re.IGNORECASE)


class FileRow(NamedTuple):
    """A row of a file: its facts by the names of save_contacts, and what is wrong with its form."""

    number: int
    facts: Mapping[str, str]
    problems: tuple[RowProblem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleFile:
    """A table of people: what its columns hold; ``fill`` has facts for every row that does not say them."""

    table: Sheet
    mapping: ColumnList
    fill: Mapping[str, str] = field(default_factory=dict)

    def rows(self) -> Iterator[FileRow]:
        """Yield each row; InvalidArgumentsError at one that cannot be read."""
        places = {target: places for target in _TARGETS if (places := self.mapping.of(target))}
        width = len(self.mapping.columns)
        for row in self.table.rows():
            problems = list(_form_problems(row, width, mapped=self.mapping))
            facts = {} if problems else _facts(row.cells, places)
            facts |= {name: value for name, value in self.fill.items() if facts and not facts.get(name)}
            yield FileRow(row.number, facts, tuple(problems))


_TARGETS = (*FACTS, NOTE, FULL_NAME, CITY, REGION)


def _form_problems(row: SheetRow, width: int, *, mapped: ColumnList) -> Iterator[RowProblem]:
    """Yield why the cells of a row cannot be told to belong to their columns."""
    if any(row.cells[width:]):
        last = max(place for place, cell in enumerate(row.cells, start=1) if cell)
        yield RowProblem(
            row.number,
            None,
            None,
            f"it has {last} cells and the header {width}",
            "A cell with the delimiter in it has to be in quotation marks.",
        )
        return
    for column in mapped.columns:
        if column.target == "-":
            continue
        cell = row.cells[column.index] if column.index < len(row.cells) else ""
        is_formula = cell.startswith("=") and not _quoted_formula(cell)
        if column.index in row.unread or is_formula:
            yield RowProblem(
                row.number,
                column.name,
                cell or None,
                "it is a formula, and its value does not stand in the file",
                "Open the file in a spreadsheet program, save it, and import it again.",
            )


def _quoted_formula(cell: str) -> str | None:
    """Return the text of ``="0612"``, which keeps a spreadsheet program from reading it as a number."""
    match = re.fullmatch(r'="([^"]*)"', cell)
    return match[1] if match else None


def _facts(cells: tuple[str, ...], places: Mapping[str, Items[int]]) -> dict[str, str]:
    facts: dict[str, str] = {}
    for target, columns in places.items():
        given = [_plain(cells[column], target) for column in columns if column < len(cells)]
        given = [text for text in given if text]
        if target == NOTE and given:
            facts[NOTE] = "\n".join(dict.fromkeys(given))
        elif target in _READ:
            read = _READ[target]
            value = next((value for text in given if (value := read(text))), "")
            if value:
                facts[target] = value
        elif given:
            facts[target] = given[0]
    return _completed(facts)


_PROTECTED = re.compile(r"(?:^|(?<=[;\r\n]))'(?='*[=+\-@＝＋－＠])|^'(?='*[\t\r\n])")


def _plain(cell: str, target: str) -> str:
    text = _quoted_formula(cell)
    text = cell if text is None else text
    # Spreadsheet programs and careful exports, ours too, put an apostrophe before what could be read as a formula.
    text = _PROTECTED.sub("", text)
    return "" if target not in _NAMES and text.strip().casefold() in _NOTHING else text.strip()


def _completed(facts: dict[str, str]) -> dict[str, str]:
    """Return the facts with what others are made from put in their places."""
    name = facts.pop(FULL_NAME, "")
    if name and not (facts.get("first_name") or facts.get("last_name")):
        first, last = _split_name(name)
        facts |= {key: part for key, part in (("first_name", first), ("last_name", last)) if part}
    parts = [facts.pop(CITY, ""), facts.pop(REGION, "")]
    if not facts.get("location") and any(parts):
        facts["location"] = ", ".join(dict.fromkeys(filter(None, parts)))
    return facts


def _split_name(name: str) -> tuple[str, str]:
    """Return first and last name: ``Ada Lovelace`` and ``Lovelace, Ada``; a single word is the first name.

    Titles before a name, degrees behind it and what stands in brackets are no part of it; Jr. and Neto are. A
    single word behind a title, as in ``Frau Noether``, is the last name.
    """
    last, *others = [" ".join(part.split()) for part in _BRACKETS.sub(" ", name).split(",")]
    generation = next((part for part in others if word_key(part) in GENERATIONS), "")
    firsts = [part for part in others if part != generation and not all(map(_is_addition, part.split()))]
    if firsts:
        return _plain_name(firsts[0]), " ".join(filter(None, (_plain_name(last), generation)))
    plain = _plain_name(last)
    first, _, rest = plain.partition(" ")
    if not rest and plain != last and is_surely_title(last.partition(" ")[0]):
        first, rest = "", plain
    return first, " ".join(filter(None, (rest, generation)))


_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")


def _is_addition(word: str) -> bool:
    return is_degree(word) or (word.endswith(".") and is_surely_title(word))


def _plain_name(name: str) -> str:
    """Return a name without the titles before it and the degrees behind it; one that is nothing else stays.

    All in capitals, a short word at the end may be a name: JACK YUN MA.
    """
    words = without_titles(name.split())
    if name == name.upper() and word_key(words[-1] if words else "") in SURNAMES_TOO:
        return " ".join(words)
    return " ".join(without_degrees(words, least=2))


def _address(text: str) -> str:
    """Return the first of several addresses, without a name, a link or a label around it.

    What is no address in any of these forms stays as it is, to be refused with all of it.
    """
    parts = [part for part in _SEVERAL.split(text) if part]
    first = next((part for part in parts if "@" in part), text)
    inner = re.search(r"<([^<>\s\"]+@[^<>\s\"]+)>", first)
    plain = inner[1] if inner else re.sub(r"\s*\([^()]*\)\s*$", "", first)
    if (link := re.match(r"(?i)mailto:([^?]*)", plain.strip())) is not None:
        plain = link[1]
    plain = plain.strip().rstrip(",;")
    if plain.count("@") < 2 and not re.search(r"[\s<>\[\]]", plain):
        return plain
    apart = _ADDRESS.search(_BETWEEN.sub(r"\1 ", text))
    return apart[1] if apart else plain


# A slash or a bar may be in an address; behind a whole one it stands between two.
_BETWEEN = re.compile(r"(@[\w.-]+)\s*[/|\\]\s*")
_ADDRESS = re.compile(r"(?:^|[\s<>\[\](){}\",;:])([^\s<>\[\](){}\",;:]+@[\w-]+(?:\.[\w-]+)+)(?![\w@-])")


def _number(text: str) -> str:
    """Return the first of several numbers, ``00`` written as ``+``."""
    first = next((part for part in _SEVERAL_NUMBERS.split(text) if re.search(r"\d", part)), text)
    first = re.sub(r"^[^\W\d]+\.?:\s*", "", first.strip())  # tel: and other labels
    first = re.sub(r"^(\+?[0-9]{7,15})\.0$", r"\1", first)
    return re.sub(r"^00(?=[1-9])", "+", first)


def _host(text: str) -> str:
    """Return the host of a web site; a domain stays as it is."""
    first = next((part for part in _SEVERAL.split(text) if part), text)
    try:
        host = urlsplit(first if "://" in first else f"//{first}").hostname or first
    except ValueError:
        return first
    return re.sub(r"^www\.(?=.*\.)", "", host)


def _profile(text: str) -> str:
    """Return the profile among several links; nothing where they are all of other sites."""
    match = _LINKEDIN.search(text)
    if match:
        return match[0]
    is_link = re.search(r"https?://|www\.|\.(?:com|org|net|io)\b", text, re.IGNORECASE)
    return "" if is_link else text


def _zone(text: str) -> str:
    """Return a time zone as IANA writes it; HubSpot has ``europe_slash_paris``."""
    if "_slash_" not in text.casefold():
        return text
    return "/".join("_".join(word.capitalize() for word in part.split("_")) for part in text.split("_slash_"))


def _language(text: str) -> str:
    return re.sub(r"^([A-Za-z]{2,3})_([A-Za-z]{2,4})$", r"\1-\2", text)


def _day(text: str) -> str:
    """Return the date of an instant in ISO 8601; any other date stays as it is."""
    return re.sub(r"^(\d{4}-\d{2}-\d{2})[T ]\d{2}:\d{2}.*$", r"\1", text)


def country_code(text: str) -> str:
    """Return ISO 3166 alpha-2 of a country's name in one of ten languages; what is not known stays as it is."""
    if re.fullmatch(r"[A-Za-z]{2}", text) and text.casefold() not in _ALIASES:
        return text.upper()
    return _countries().get(_country_key(text), text)


def _country_key(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in plain if character.isalnum())


@cache
def _countries() -> dict[str, str]:
    known = dict(_ALIASES)
    for code, names in _names_of_countries():
        for language in _LANGUAGES:
            name = names.get(language, "")
            while name.startswith("*"):  # the same as in another language
                name = names.get(name[1:], "")
            if name:
                known.setdefault(_country_key(name), code)
    return known


_COUNTRY = re.compile(r"\s*'([A-Z]{2})': \{")
_NAMED = re.compile(r"'([a-z]{2})':(?:u\()?('(?:[^'\\]|\\.)*')")


def _names_of_countries() -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield the code of each country and its names by language, read from a file of the package as text.

    To import it would load the names of all telephone areas, 130 MB in five seconds; to compile it alone, 80 MB.
    """
    import phonenumbers

    file = Path(phonenumbers.__file__).with_name("geodata") / "locale.py"
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            if match := _COUNTRY.match(line):
                names = {language: literal_eval(text) for language, text in _NAMED.findall(line)}
                yield match[1], names


_READ: Mapping[str, Callable[[str], str]] = {
    "email": _address,
    "phone": _number,
    "company_domain": _host,
    "linkedin_url": _profile,
    "country": country_code,
    "time_zone": _zone,
    "language": _language,
    "found_at": _day,
}


def file_json(file: PeopleFile) -> dict[str, Any]:
    """Return how a file was read, for programs."""
    return {
        "format": file.table.format.words,
        "export": file.mapping.export,
        "header_row": file.table.header_row,
        "columns": [
            {"number": column.index + 1, "name": column.name, "holds": column.target}
            for column in file.mapping.columns
        ],
        **({"fill": dict(file.fill)} if file.fill else {}),
    }
