"""The repository speaks of the product alone: no machine's paths, no registry's hosts, nothing left to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.house.house_tree import ROOT, plant, tracked

# This file holds what it looks for.
EXEMPT = {"tests/house/test_repository_voice.py"}
TEXT = {".py", ".md", ".toml", ".json", ".sql", ".j2", ".yml", ".yaml", ".txt", ".cfg", ".html", ""}

FORBIDDEN = {
    "a path of one machine": r"(?<![\w.])/(?:work|tmp|root|home/(?!you\b|ada\b)\w+|Users/(?!you\b)\w+)/",
    "a folder beside the repository": r"\.\./(?:shared|work)\b",
    "a registry's host": r"\b(?:pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|deb\.debian\.org|crates\.io)\b",
    "a package index": r"--(?:extra-)?index-url",
    "a secret": r"\bgh[pousr]_\w{20,}|\bsk-[a-zA-Z0-9]{20,}|-----BEGIN [A-Z ]*PRIVATE KEY",
    "work left to do": r"(?:#|--|//)\s*(?:TODO|FIXME|XXX|HACK)\b",
    "how the work was organised": r"(?i)\bissues? #?\d+\b",
}


def outside_voices(root: Path) -> list[str]:
    """Return a sentence for each line that speaks of something other than the product."""
    return [
        f"{name}:{number} names {what}: {found[0]!r}."
        for path in tracked(root)
        if path.suffix in TEXT and (name := path.relative_to(root).as_posix()) not in EXEMPT
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        for what, pattern in FORBIDDEN.items()
        if (found := re.search(pattern, line))
    ]


def test_the_repository_speaks_of_the_product_alone() -> None:
    assert not (offences := outside_voices(ROOT)), "\n".join(offences)


BAD = [
    "data_dir = '/tmp/x/y'",
    "see /home/alice/notes",
    "read ../shared/design.md",
    "pip install --index-url http://127.0.0.1/simple x",
    "ghp_" + "a1" * 12,
    "from pypi.org",
    "# TODO: later",
    "as asked in issue 7",
]


@pytest.mark.parametrize("line", BAD)
def test_a_line_about_something_else_is_found(tmp_path: Path, line: str) -> None:
    assert outside_voices(plant(tmp_path, {"docs/a.md": f"# A\n\n{line}\n"}))


def test_a_line_about_the_product_is_left_alone(tmp_path: Path) -> None:
    line = "Put `/home/you/sequences` or `/Users/you/sequences` into SEQUENCES_DATA_DIR; the issue is closed."
    assert not outside_voices(plant(tmp_path, {"docs/a.md": line}))
