"""The README is short, and the docs tell what the code tells, because their tables are made from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from scripts.readme import DOCS, PARTS, filled, table
from tests.house.house_tree import ROOT

from sequences_mcp.client_setup.clients import CLIENTS, PROGRAM

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = {
    "run the main job": r"^python3 -m venv \.venv && .*pip install .*\.venv/bin/sequences-mcp demo$",
    "run the tests": r"^python3 -m venv \.venv && .*pip install .*\[dev\].*\.venv/bin/python -m pytest -n auto$",
}


@pytest.mark.parametrize("name", PARTS)
def test_a_table_of_the_docs_is_what_the_code_says(name: str) -> None:
    text = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    assert filled(text, {name: PARTS[name]()}) == text, "Run `python -m scripts.readme`."


def test_the_readme_is_a_short_read() -> None:
    assert len(README.split()) < 1_200, "What is longer belongs into docs/."


LINK = re.compile(r"\]\(([^)\s]+)\)")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
HERE = "https://github.com/sequences-mcp/sequences-mcp/blob/main/"


def broken_links(page: Path) -> list[str]:
    """Return the links of a page into this repository that lead to no file, or to no heading of one."""
    result = []
    for link in LINK.findall(re.sub(r"(`+).+?\1", "", page.read_text(encoding="utf-8"))):
        name, _, anchor = link.partition("#")
        if name.startswith(HERE):
            file = ROOT / name.removeprefix(HERE)
        elif "://" in name or name.startswith("mailto:"):
            continue
        else:
            file = page.parent / name if name else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            result.append(link)
    return result


def anchors(file: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_into_the_repository_leads_somewhere(page: Path) -> None:
    assert broken_links(page) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "a.md"
    page.write_text("# One thing\n[a](#one-thing) [b](#two) [c](b.md) [d](a.md) [e](https://example.com/x)")
    assert broken_links(page) == ["#two", "b.md"]


@pytest.mark.parametrize("pattern", COMMANDS.values(), ids=COMMANDS.keys())
def test_one_line_does_it_all(pattern: str) -> None:
    first_screen = "\n".join(README.splitlines()[:40])
    assert re.search(pattern, first_screen, re.MULTILINE), (
        "A newcomer gets one command line each, on the first screen."
    )


def test_each_client_is_installed_in_one_line() -> None:
    lines = [f"| {client.title} | `{PROGRAM} setup --client {client.name} --yes` |" for client in CLIENTS.values()]
    assert [line for line in README.splitlines() if "--client" in line] == lines


def test_an_outdated_part_is_replaced_and_the_rest_is_kept() -> None:
    text = "a\n<!-- x -->\nold\nolder\n<!-- /x -->\nb\n"
    assert filled(text, {"x": "new"}) == "a\n<!-- x -->\nnew\n<!-- /x -->\nb\n"


@pytest.mark.parametrize("text", ["", "<!-- x -->\n<!-- /x -->\n" * 2], ids=["missing", "twice"])
def test_a_part_that_is_not_there_once_is_found(text: str) -> None:
    with pytest.raises(ValueError, match="not one"):
        filled(text, {"x": "new"})


def test_a_bar_in_a_cell_does_not_end_the_cell() -> None:
    assert table(["a"], [["x|y"]]).splitlines()[-1] == "| x\\|y |"


MESSAGES = re.findall(r'^\| "([^"]+)" \|', (DOCS / "troubleshooting.md").read_text(encoding="utf-8"), re.MULTILINE)


def said_by_the_code() -> str:
    """Return all strings of the product, as one line each, those of one message put together."""
    sources = (path.read_text(encoding="utf-8") for path in sorted((ROOT / "src").rglob("*.py")))
    return re.sub(r'"\s*f?"', "", "\n".join(sources))


def test_every_message_that_is_explained_is_one_of_the_product() -> None:
    said = said_by_the_code()
    assert len(MESSAGES) > 20
    assert [message for message in MESSAGES if message not in said] == []
