"""The map in CONTRIBUTING.md shows every room, and no room that is gone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.house.house_tree import ROOT, SRC, plant, tracked

HIDDEN = {"__init__.py", "py.typed"}


def rooms_not_shown(root: Path) -> list[str]:
    """Return a sentence for each file or folder of the package that the map lacks, or that only the map has."""
    package = root / SRC
    there = {path.relative_to(package).parts[0] for path in tracked(root) if path.is_relative_to(package)}
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    below = text.partition(f"\n{SRC}/\n")[2].partition("\ntests/")[0]
    lines = re.findall(r"^  ([a-z_]+(?:/|\.py))(?:  ([a-z_]+\.py) )?", below, re.MULTILINE)
    shown = {name.rstrip("/") for line in lines for name in line if name}
    return [f"The map in CONTRIBUTING.md lacks or invents {name}." for name in sorted(shown ^ (there - HIDDEN))]


def test_the_map_shows_every_room() -> None:
    assert not (offences := rooms_not_shown(ROOT)), "\n".join(offences)


MAP = f"""```
{SRC}/
  errors.py            all errors
  engine/              the local provider: cli.py has nothing to do with it
  cli.py  demo.py      words
tests/
```
"""
TREE = {f"{SRC}/{name}": "" for name in ("__init__.py", "errors.py", "engine/machine.py", "cli.py", "demo.py")}


def test_a_true_map_is_left_alone(tmp_path: Path) -> None:
    assert not rooms_not_shown(plant(tmp_path, {**TREE, "CONTRIBUTING.md": MAP}))


@pytest.mark.parametrize(
    "change", [("engine/", "motor/"), ("cli.py  demo.py", "cli.py")], ids=["renamed", "missing"]
)
def test_a_map_that_is_out_of_date_is_found(tmp_path: Path, change: tuple[str, str]) -> None:
    assert rooms_not_shown(plant(tmp_path, {**TREE, "CONTRIBUTING.md": MAP.replace(*change)}))
