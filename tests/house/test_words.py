"""One word, one meaning: the table in CONTRIBUTING.md and the names of the code say the same.

A class is named by its last word: an ``EnrolmentOutcome`` is an outcome. Where several rooms have classes of one
such word that are not the same thing, the word stands in the table with its one meaning, or among the shapes
(row, page, entry), which say how a thing looks and never what it is. A port, what implements it and the value it
is about share a name on purpose: ``Contacts``, ``LocalContacts``, ``TopoContacts``, ``Contact``.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.house.house_tree import ROOT, SRC, Law, Source, package, plant, sources

MOST = 40  # words of the table
MOST_SHAPES = 25
# Events are named by what happened, not by a thing.
EVENTS = f"{SRC}/engine/events.py"
OF_A_PROVIDER = ("Local", "Remote", "Kalent", "Clarky", "Topo", "Vendor")
# Words that had several meanings, or none that the field knows. Names use the words of the table in their place.
BANNED = {
    "desk": "context",
    "seat": "lock",
    "visit": "request",
    "books": "records",
    "faithful": "show_invisible",
    "fate": "outcome",
    "fates": "outcomes",
    "untold": "unavailable_because",
    "unasked": "preapproved",
    "unproven": "signature_problem",
    "enrollee": "enrolment",
    "newcomer": "contact",
    "newcomers": "contacts",
    "goodbye": "what the bytes mean to the server",
    "farewell": "what the text is for",
    "doormat": "what it lets in",
    "breath": "the unit of time",
    "doubt": "unknown, uncertain or warning",
    "doubts": "warnings",
    "doubtful": "uncertain",
    "lane": "queue",
    "lanes": "queues",
    "settle": "resolve or reconcile",
    "settles": "resolves or reconciles",
}
# Pronouns and participles that say nothing about what is passed.
EMPTY = {"one", "own", "found", "there", "here", "told", "kept", "said", "asked"}
# Names that are still allowed, by file, although a word of theirs is banned or empty: the list may only shrink.
ALLOWED: dict[str, frozenset[str]] = {
    f"{SRC}/server/views/panel.py": frozenset({"told"}),  # on the wire
}


def table(root: Path) -> dict[str, str]:
    """Return the words of the table in CONTRIBUTING.md, each with its meaning."""
    below = _section(root)
    return dict(re.findall(r"^\| ([a-z]+) \| (.+) \|$", below, re.MULTILINE))


def shapes(root: Path) -> set[str]:
    """Return the words that say a shape, from the line below the table."""
    found = re.search(r"^Shapes[^:]*: ([a-z, \n]+)\.", _section(root), re.MULTILINE)
    return set(re.split(r",\s+", found[1].strip())) if found else set()


def _section(root: Path) -> str:
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return text.partition("\n## Words\n")[2].partition("\n## ")[0]


def words_without_a_meaning(root: Path) -> list[str]:
    """Return a sentence for each last word of classes in several rooms that neither table nor shapes have."""
    things: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for source in package(root):
        if source.path == EVENTS:
            continue
        for name in _classes(source):
            things[_singular(_words(name)[-1])][_thing(name)].add(source.module.split(".")[0])
    known = table(root).keys() | shapes(root)
    return [
        f"{word} heads {', '.join(sorted(of))} in {len(rooms)} rooms: give it one meaning in the table of "
        "CONTRIBUTING.md, or another name."
        for word, of in sorted(things.items())
        if len(of) > 1 and len(rooms := set().union(*of.values())) > 1 and word not in known
    ]


def words_that_no_name_uses(root: Path) -> list[str]:
    """Return a sentence for each word of the table that stands in no name of the package."""
    used = {_singular(word) for source in package(root) for name in _names(source) for word in _words(name)}
    return [f"No name uses {word}: take it out of the table." for word in table(root) if word not in used]


def table_too_long(root: Path) -> list[str]:
    """Return a sentence where the table or the shapes hold more than can be remembered."""
    counted = {"words": (len(table(root)), MOST), "shapes": (len(shapes(root)), MOST_SHAPES)}
    twice = sorted(table(root).keys() & shapes(root))
    return [f"{many} {what}: at most {most}." for what, (many, most) in counted.items() if many > most] + [
        f"{word} is a thing and a shape: it is one of both." for word in twice
    ]


def banned_words(root: Path) -> list[str]:
    """Return a sentence for each name with a word of several meanings, or one that the field does not know."""
    return [
        f"{source.path}: {name} holds {word!r}: say {BANNED[word]}."
        for source in _all_sources(root)
        for name in sorted(_names(source) - ALLOWED.get(source.path, frozenset()))
        for word in _words(name)
        if word in BANNED
    ]


def empty_names(root: Path) -> list[str]:
    """Return a sentence for each class, function, parameter, field and variable that is named by an empty word."""
    return [
        f"{source.path}: {name} says nothing: name what it holds, returns or does."
        for source in _all_sources(root)
        for name in sorted(_names(source) - ALLOWED.get(source.path, frozenset()))
        if name.strip("_") in EMPTY
    ]


def exceptions_that_are_gone(root: Path) -> list[str]:
    """Return a sentence for each allowed name that its file no longer has."""
    present = {source.path: _names(source) for source in _all_sources(root)}
    return [
        f"{path} has no {name} any more: take it out of ALLOWED."
        for path, names in sorted(ALLOWED.items())
        for name in sorted(names - present.get(path, set()))
    ]


def _all_sources(root: Path) -> Iterator[Source]:
    return sources(root, "src")


def _classes(source: Source) -> list[str]:
    return [
        node.name for node in source.tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]


def _names(source: Source) -> set[str]:
    """Return the names of classes, functions, parameters, variables, fields and attributes of a file."""
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    names = {node.name for node in source.nodes if isinstance(node, kinds)}
    names |= {node.arg for node in source.nodes if isinstance(node, ast.arg)}
    names |= {node.id for node in source.nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return names | {
        node.attr for node in source.nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }


def _words(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)] or [name]


def _thing(name: str) -> str:
    """Return what a class is about: a port, its implementations and its value are about one thing."""
    for prefix in OF_A_PROVIDER:
        if name != prefix:
            name = name.removeprefix(prefix)
    return _singular(name)


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us")) else word


LAWS = (
    words_without_a_meaning,
    words_that_no_name_uses,
    table_too_long,
    banned_words,
    empty_names,
    exceptions_that_are_gone,
)


@pytest.mark.parametrize("law", LAWS)
def test_a_word_has_one_meaning(law: Law) -> None:
    assert not (offences := law(ROOT)), "\n".join(offences)


WORDS = """# Contributing

## Words

| Word | Meaning |
|---|---|
| run | one contact's way through a blueprint |

Shapes say how a thing looks: row, page,
entry.

## Tests
"""


def _planted(root: Path, files: dict[str, str], words: str = WORDS) -> Path:
    return plant(root, {**{f"{SRC}/{name}": text for name, text in files.items()}, "CONTRIBUTING.md": words})


def test_the_table_and_the_shapes_are_read(tmp_path: Path) -> None:
    root = _planted(tmp_path, {})
    assert table(root) == {"run": "one contact's way through a blueprint"}
    assert shapes(root) == {"row", "page", "entry"}


def test_a_word_of_two_rooms_without_a_meaning_is_found(tmp_path: Path) -> None:
    root = _planted(tmp_path, {"engine/a.py": "class HttpCall: ...\n", "store/b.py": "class ToolCall: ...\n"})
    assert [line.partition(":")[0] for line in words_without_a_meaning(root)] == [
        "call heads HttpCall, ToolCall in 2 rooms"
    ]


@pytest.mark.parametrize(
    "names",
    [("StepRun", "VendorRun"), ("AuditRow", "SourcingRow"), ("LocalDrafts", "Draft"), ("_HttpCall", "ToolCall")],
    ids=["in the table", "a shape", "a port and its value", "private"],
)
def test_a_word_that_is_known_is_left_alone(tmp_path: Path, names: tuple[str, str]) -> None:
    first, second = (f"class {name}: ...\n" for name in names)
    assert not words_without_a_meaning(_planted(tmp_path, {"engine/a.py": first, "store/b.py": second}))


def test_a_word_that_no_name_uses_is_found(tmp_path: Path) -> None:
    root = _planted(tmp_path, {"a.py": "sequence = 1\n"})
    assert words_that_no_name_uses(root) == ["No name uses run: take it out of the table."]
    assert not words_that_no_name_uses(_planted(tmp_path, {"a.py": "def runs_of(): ...\n"}))


def test_a_table_that_nobody_remembers_is_found(tmp_path: Path) -> None:
    rows = "".join(f"| {'a' * number} | m |\n" for number in range(1, MOST + 2))
    long = WORDS.replace("| run |", f"{rows}| run |", 1).replace("row, page", "run, page")
    assert table_too_long(_planted(tmp_path, {}, long)) == [
        f"{MOST + 2} words: at most {MOST}.",
        "run is a thing and a shape: it is one of both.",
    ]


@pytest.mark.parametrize(
    "code",
    [
        "class OpenedDesk: ...",
        "def fate_of(): ...",
        "def f(seat): ...",
        "FAREWELL = b''",
        "class A:\n    visit: int",
    ],
)
def test_a_banned_word_is_found(tmp_path: Path, code: str) -> None:
    assert banned_words(_planted(tmp_path, {"a.py": f"{code}\n"}))


def test_a_name_that_merely_contains_a_banned_word_is_left_alone(tmp_path: Path) -> None:
    assert not banned_words(_planted(tmp_path, {"a.py": "def desktop(): ...\nvisited = seated = 1\n"}))


def test_an_empty_name_is_found_wherever_it_stands(tmp_path: Path) -> None:
    code = "def _told(one): ...\nclass A:\n    kept: int\n    def f(self):\n        found = [x for x in ()]\n"
    root = plant(
        tmp_path, {f"{SRC}/vendors/a.py": code, "src/sequences_sandbox/b.py": "own = 1\nowner = told_of = 2\n"}
    )
    offences = empty_names(root)
    assert [line.split(" says ")[0].rpartition(": ")[2] for line in offences] == [
        *("_told", "found", "kept", "one"),
        "own",
    ]


def test_an_exception_may_only_shrink(tmp_path: Path) -> None:
    assert len(exceptions_that_are_gone(tmp_path)) == sum(map(len, ALLOWED.values()))
