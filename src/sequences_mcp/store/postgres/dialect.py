"""The named statements as PostgreSQL takes them: those of SQLite with other words, or a file's own in their place.

Most statements mean the same in both once their words are replaced, which ``in_postgres`` does; a statement that
needs more has a text of its own under ``queries/``, by the same name. Inside a transaction beside others, what is
read to be changed is locked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path

from sequences_mcp.store import statements

FOLDER = Path(__file__).parent / "queries"
NUMBERS = frozenset({"numbers", "read_steps"})
"""Parameters whose JSON list is of numbers; all others are of texts, which PostgreSQL compares with no number."""
LOCKED = {
    # Whatever another worker has taken at this moment is passed over.
    "sequences.next_due": "FOR UPDATE OF s SKIP LOCKED",
    "sequences.due_of": "FOR UPDATE OF s SKIP LOCKED",
    "sequences.by_ids": "FOR UPDATE OF s",
    "sequences.by_id": "FOR UPDATE OF s",
}
"""What ends a statement inside a transaction beside others: the runs that it reads are about to be changed."""

_LOCKS = b"FOR UPDATE OF s"

# Literals and comments are told apart from everything else, so that no word in them is replaced.
_TOKEN = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_LIST = re.compile(r"json_each\(:(\w+)\)(?:\s+(?![A-Z]+\b)(\w+))?")
_OBJECT = re.compile(r"json_each\((\w+\.\w+)\)")
_EXTRACT = re.compile(r"json_extract\((:?[\w.]+), ((?::\w+|§\d+§)(?: \|\| [\w.]+)?)\)")
_WORDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\bINDEXED BY \w+\s*"), ""),
    (re.compile(r"\bCROSS JOIN\b"), "JOIN"),
    (re.compile(r"\bLIKE\b"), "ILIKE"),  # SQLite's own ignores the case of ASCII letters, as ILIKE does under "C"
    (re.compile(r"\bIS NOT (?!NULL\b|DISTINCT\b)"), "IS DISTINCT FROM "),
    (re.compile(r"\bIS (?!NULL\b|NOT\b|DISTINCT\b)"), "IS NOT DISTINCT FROM "),
    (re.compile(r"([\w.]+) = (:\w+) COLLATE NOCASE"), r'lower(\1) = lower(CAST(\2 AS text) COLLATE "C")'),
    (re.compile(r"\+(?=[a-z]+\.\w+ = |[a-z]\w* = )"), ""),  # SQLite's mark for "not by this index"
    (
        re.compile(r"\bLIMIT (:\w+)"),
        r"LIMIT nullif(greatest(CAST(\1 AS bigint), -1), -1)",
    ),  # -1 is none
    # A missing value has no type of its own, so that it is said here; where it is no text, in an own statement.
    (re.compile(r"(?<![:\w]):([a-z_]+) IS (NOT )?NULL"), r"CAST(:\1 AS text) IS \2NULL"),
    (re.compile(r"(?<!:):([a-z_]+)"), r"%(\1)s"),
)


@lru_cache(maxsize=1024)
def in_postgres(sql: str) -> str:
    """Return a statement of SQLite with PostgreSQL's words and psycopg's parameters, its comments left out."""
    literals: list[str] = []

    def keep(match: re.Match[str]) -> str:
        token = match[0]
        if token.startswith("'"):
            literals.append(token.replace("%", "%%"))
            return f"§{len(literals) - 1}§"
        return "" if token.startswith("--") else token

    text = _TOKEN.sub(keep, sql)
    text = re.sub(r"\bx(§\d+§)", r"\1::bytea", text)
    if "INSERT OR IGNORE" in text:
        text = text.replace("INSERT OR IGNORE", "INSERT") + " ON CONFLICT DO NOTHING"
    text = _LIST.sub(_json_list, text)
    text = _OBJECT.sub(r"jsonb_each_text(CAST(\1 AS jsonb))", text)
    text = _EXTRACT.sub(r"(jsonb_path_query_first((\1)::jsonb, (\2)::jsonpath) #>> '{}')", text)
    for pattern, words in _WORDS:
        text = pattern.sub(words, text)
    return re.sub(r"§(\d+)§", lambda match: literals[int(match[1])], text).strip()


@lru_cache(maxsize=1024)
def by_place(sql: str) -> tuple[bytes, tuple[str, ...]]:
    """Return a statement of SQLite as the server takes it, with ``$1``, ``$2`` … for its parameters, and these."""
    names: dict[str, int] = {}
    text = _PARAMETER.sub(lambda match: f"${names.setdefault(match[1], len(names) + 1)}", in_postgres(sql))
    return text.replace("%%", "%").encode(), tuple(names)


@lru_cache(maxsize=64)
def together(texts: tuple[bytes, ...]) -> bytes:
    """Return one statement that answers what all of these (``by_place``) do: a JSON text of rows for each.

    Its parameters are theirs, one after the other. A column of bytes would not come back as it is.
    """
    parts = [
        b"(SELECT json_agg(one%d)::text FROM (%s) one%d)" % (number, text, number)
        for number, text in enumerate(_placed(texts))
    ]
    return b"SELECT " + b", ".join(parts)


@lru_cache(maxsize=64)
def changing_together(texts: tuple[bytes, ...]) -> bytes:
    """Return one statement that does what all of these (``by_place``) do: it answers how many rows each changes.

    Its parameters are theirs, one after the other. Each changes another table, and none sees what another does.
    """
    parts = [b"one%d AS (%s RETURNING 1)" % (number, text) for number, text in enumerate(_placed(texts))]
    counts = [b"(SELECT count(*) FROM one%d)" % number for number in range(len(texts))]
    return b"WITH " + b", ".join(parts) + b" SELECT " + b", ".join(counts)


def _placed(texts: tuple[bytes, ...]) -> Iterator[bytes]:
    """Yield statements with the numbers that their parameters have behind those of the ones before."""
    before = 0
    for text in texts:
        yield _PLACE.sub(lambda match, by=before: b"$%d" % (int(match[1]) + by), text)  # type: ignore[misc]
        before += max((int(place) for place in _PLACE.findall(text)), default=0)


_PLACE = re.compile(rb"\$(\d+)")
_PARAMETER = re.compile(r"%\((\w+)\)s")


def _json_list(match: re.Match[str]) -> str:
    name, alias = match[1], match[2] or "json_each"
    elements = f"jsonb_array_elements_text(CAST(:{name} AS jsonb)) WITH ORDINALITY AS one(value, key)"
    # A text that is no column would be compared and made small as the database's own locale does.
    value = "CAST(value AS bigint)" if name in NUMBERS else 'value COLLATE "C"'
    return f"(SELECT {value} AS value, key FROM {elements}) AS {alias}"  # noqa: S608 - our own text


@cache
def _overrides(file: str) -> Mapping[str, str]:
    path = FOLDER / f"{file}.sql"
    return statements.parse_statements(path.read_text("utf-8")) if path.exists() else {}


@cache
def postgres_statement(name: str, *, locked: bool = False) -> str:
    """Return the statement called ``file.name``; ``locked`` for what is read to be changed. KeyError."""
    file, _, plain = name.partition(".")
    sql = _overrides(file).get(plain) or statements.statement(name)
    return f"{sql}\n{LOCKED[name]}" if locked and name in LOCKED else sql


def reads_audit(sql: str) -> bool:
    """Say whether a statement reads the audit, whose rows of this transaction are written at its end."""
    return _AUDIT(sql) is not None


_AUDIT: Callable[[str], object] = re.compile(r"\bFROM audit\b").search


def changes_rows(sql: str) -> bool:
    """Say whether a statement that answers with rows also changes some."""
    return _CHANGES(sql) is not None


_CHANGES: Callable[[str], object] = re.compile(r"\b(?:INSERT INTO|UPDATE \w+ SET|DELETE FROM)\b").search


@lru_cache(maxsize=1024)
def is_kept(text: bytes) -> bool:
    """Say whether what a statement answers stays so in its transaction: it locks the one row that it reads."""
    return text.endswith(_LOCKS)


@lru_cache(maxsize=1024)
def is_new_each_time(text: bytes) -> bool:
    """Say whether a statement that only reads never answers the same twice."""
    return b"nextval(" in text


@lru_cache(maxsize=1024)
def changed_tables(text: bytes) -> tuple[bytes, ...]:
    """Return the tables that a statement changes."""
    return tuple(_CHANGED.findall(text))


_CHANGED = re.compile(rb"\b(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)")
