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
from pathlib import Path

import pytest
from house_tree import ROOT, SRC, Law, Source, package, plant

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
}
# Pronouns and participles that say nothing about what is passed.
EMPTY = {"one", "own", "found", "there", "here", "told", "kept", "said", "asked"}
# Rooms whose functions have no such name, and take nothing that has.
NAMED_ROOMS = ("domain", "guards", "planning", "services", "engine", "store")


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
    """Return a sentence for each name that holds a word of several meanings."""
    return [
        f"{source.path}: {name} holds {word!r}: say {BANNED[word]}."
        for source in package(root)
        for name in sorted(_names(source))
        for word in _words(name)
        if word in BANNED
    ]


def empty_functions(root: Path) -> list[str]:
    """Return a sentence for each function that is called by nothing but a pronoun or a participle."""
    return [
        f"{source.path}:{function.lineno} {function.name}: say what it returns or does."
        for source in package(root)
        if source.module.split(".")[0] in NAMED_ROOMS
        for function in source.functions
        if function.name.strip("_") in EMPTY
    ]


def empty_parameters(root: Path) -> list[str]:
    """Return a sentence for each parameter whose name does not say what is passed."""
    return [
        f"{source.path}:{function.lineno} {function.name} takes {argument.arg!r}: say what it is."
        for source in package(root)
        if source.module.split(".")[0] in NAMED_ROOMS
        for function in source.functions
        for argument in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
        if argument.arg in EMPTY
    ]


def _classes(source: Source) -> list[str]:
    return [
        node.name for node in source.tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]


def _names(source: Source) -> set[str]:
    """Return the names of classes, functions, parameters, variables and fields of a file."""
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    names = {node.name for node in ast.walk(source.tree) if isinstance(node, kinds)}
    names |= {node.arg for node in ast.walk(source.tree) if isinstance(node, ast.arg)}
    return names | {
        node.id for node in ast.walk(source.tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
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
    empty_functions,
    empty_parameters,
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


def test_a_parameter_without_a_name_is_found(tmp_path: Path) -> None:
    code = "def save(one): ...\nasync def load(*, found=None): ...\ndef f(owner): ...\n"
    assert empty_parameters(_planted(tmp_path, {"store/a.py": code})) == [
        f"{SRC}/store/a.py:1 save takes 'one': say what it is.",
        f"{SRC}/store/a.py:2 load takes 'found': say what it is.",
    ]


def test_a_function_without_a_name_is_found(tmp_path: Path) -> None:
    code = "def _told(): ...\nclass A:\n    def kept(self): ...\ndef told_of(): ...\n"
    assert empty_functions(_planted(tmp_path, {"store/a.py": code, "vendors/b.py": code})) == [
        f"{SRC}/store/a.py:1 _told: say what it returns or does.",
        f"{SRC}/store/a.py:3 kept: say what it returns or does.",
    ]
