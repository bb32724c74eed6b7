"""What is installed: bounded in the wheel, and in CI exactly what was pinned, by its hash."""

from __future__ import annotations

import re
import tomllib

from packaging.requirements import Requirement
from packaging.version import Version
from scripts.pins import CLIENTS, CONSTRAINTS, LOWEST, REQUIREMENTS, pinned
from tests.house.house_tree import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = {name: wanted for name, wanted in PROJECT["optional-dependencies"].items() if name != "dev"}
BOUNDED = [*PROJECT["dependencies"], *(one for wanted in EXTRAS.values() for one in wanted)]
RENEW = "`python -m scripts.pins` renews .ci/requirements.txt and .ci/lowest.txt"


def test_every_dependency_of_the_wheel_has_a_lower_and_an_upper_bound_with_the_tested_version_between() -> None:
    tested = pinned(REQUIREMENTS.read_text("utf-8"))
    for text in BOUNDED:
        wanted = Requirement(text)
        signs = {one.operator for one in wanted.specifier}
        assert {"<", ">="} <= signs, f"{text} lacks a bound"
        assert Version(tested[wanted.name]) in wanted.specifier, f"{text} is not what CI tests"


def test_each_client_of_others_is_the_one_that_is_asked_for() -> None:
    wanted = {file: pinned(file.read_text("utf-8")) for file in CLIENTS.glob("*.in")}
    assert len(wanted) >= 3
    for file, asked in wanted.items():
        assert asked.items() <= pinned(file.with_suffix(".txt").read_text("utf-8")).items(), RENEW


def test_ci_plays_the_demo_with_the_lowest_versions_that_the_wheel_allows() -> None:
    lowest = pinned(LOWEST.read_text("utf-8"))
    for text in [*PROJECT["dependencies"], *EXTRAS["demo"]]:
        wanted = Requirement(text)
        [bound] = [Version(one.version) for one in wanted.specifier if one.operator == ">="]
        assert Version(lowest[wanted.name]) == bound, f"{text} allows a version that CI never tries; {RENEW}"
    run = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "--require-hashes --requirement .ci/lowest.txt" in run
    assert 'sequences-mcp" demo' in run


def test_ci_installs_exactly_what_is_pinned_and_everything_by_its_hash() -> None:
    text = REQUIREMENTS.read_text("utf-8")
    pins, hashed = pinned(CONSTRAINTS.read_text("utf-8")), pinned(text)
    assert {name: hashed.get(name) for name in pins} == pins, RENEW
    blocks = re.split(r"(?m)^(?=[A-Za-z0-9])", text)[1:]
    assert len(blocks) == len(hashed)
    for file in (LOWEST, *CLIENTS.glob("*.txt")):
        blocks += re.split(r"(?m)^(?=[A-Za-z0-9])", file.read_text("utf-8"))[1:]
    assert all("--hash=sha256:" in block for block in blocks), RENEW
    run = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "--require-hashes --requirement .ci/requirements.txt" in run
    assert "pip install" not in run.replace("pip install --quiet --require-hashes", "").replace(
        "pip install --quiet --no-deps", ""
    )
