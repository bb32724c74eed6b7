"""What a database lists has one order on every database: each ends in something that no two rows share."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from sequences_mcp.store import statements

FILES = sorted([*statements.FOLDER.glob("*.sql"), *(statements.FOLDER.parent / "postgres/queries").glob("*.sql")])
PIECES = re.compile(r"ORDER BY|LIMIT|[(),]|[^\s(),]+")
UNIQUE = frozenset(
    # Numbers that rise with the rows of a table, a plan, a run or a blueprint; places in a list that was given.
    {"no", "lease", "ordinal", "step", "version", "key", "place"}
)
UNIQUE_AS_THEY_ARE = {
    "attempts.longest_rest": "instants alone are read",
    "attempts.nth_newest": "an instant alone is read",
    "contacts.missing": "ids that nobody has, as they were given, each once",
    "erasure.all_hashes": "a keyed hash is the same on every database",
    "erasure.hashes_beside": "a keyed hash is the same on every database",
    "erasure.looks": "an instant is its key",
    "lineage.standstills": "a kind is its key",
    "postgres lineage.standstills": "a kind is its key",
    "records.steps": "of each step one row a state",
    "records.suppressions": "kind and value are its key",
    "records.variants": "of each step one row a variant",
    "sequences.unpaused": "walked whole by what was seen, and listed nowhere",
    "suppressions.after": "kind and value are its key",
    "suppressions.all": "kind and value are its key",
    "survey.failed": "one row a provider",
    "workers.all": "host, process and lane are its key",
    "workers.other_settings": "one row for the same settings",
}


def last_columns(sql: str) -> Iterator[str]:
    """Yield the last term of each order in a statement."""
    pieces = PIECES.findall(re.sub(r"--.*", "", sql))
    for start, piece in enumerate(pieces):
        if piece != "ORDER BY":
            continue
        depth = 0
        term: list[str] = []
        for part in pieces[start + 1 :]:
            depth += (part == "(") - (part == ")")
            if depth < 0 or (depth == 0 and part == "LIMIT"):
                break
            term = [] if depth == 0 and part == "," else [*term, part]
        yield " ".join(term)


def is_unique(term: str) -> bool:
    """Say whether no two rows share a term: a column of UNIQUE, or the greatest or least of one in a group."""
    column = re.sub(r"^(?:min|max) \( (\S+) \)", r"\1", re.sub(r" (?:ASC|DESC)$", "", term))
    return column.rpartition(".")[2] in UNIQUE or column.startswith("/* order */")


def test_every_order_ends_in_what_no_two_rows_share() -> None:
    loose = set()
    for file in FILES:
        beside = "postgres " if file.parent.parent.name == "postgres" else ""
        for name, sql in statements.parse_statements(file.read_text("utf-8")).items():
            if not all(map(is_unique, last_columns(sql))):
                loose.add(f"{beside}{file.stem}.{name}")
    assert loose == UNIQUE_AS_THEY_ARE.keys()


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("SELECT id FROM a ORDER BY at, id LIMIT :size", False),
        ("SELECT id FROM a ORDER BY at, a.no DESC LIMIT :size", True),
        ("SELECT row_number() OVER (ORDER BY at) FROM a ORDER BY no", False),
        ("SELECT x FROM a GROUP BY b ORDER BY coalesce(sum(c), 0) DESC, max(a.no) DESC LIMIT 3", True),
    ],
)
def test_an_order_that_ends_in_what_rows_share_is_found(sql: str, found: bool) -> None:
    assert all(map(is_unique, last_columns(sql))) is found
