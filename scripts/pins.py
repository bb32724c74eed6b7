"""Write what CI installs, with the hashes that an index has for it.

``.ci/requirements.txt`` has the versions of ``.ci/constraints.txt``; ``.ci/lowest.txt`` the lowest ones that the
wheel's dependencies allow, with which CI plays the demo; ``.ci/docs.txt`` what builds the documentation;
``.ci/clients/`` MCP clients of others, each for an environment of its own.

``python -m scripts.pins`` after a dependency was added, or a version in ``.ci/constraints.txt`` changed. Needs uv
(https://docs.astral.sh/uv/) and a package index. CI installs from these files alone, with ``--require-hashes``.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
CONSTRAINTS = ROOT / ".ci" / "constraints.txt"
REQUIREMENTS = ROOT / ".ci" / "requirements.txt"
LOWEST = ROOT / ".ci" / "lowest.txt"
DOCS_WANTED = ROOT / ".ci" / "docs.in"
DOCS = ROOT / ".ci" / "docs.txt"
CLIENTS = ROOT / ".ci" / "clients"
PROJECT = ROOT / "pyproject.toml"
OLDEST_PYTHON = "3.11"
HEADER = "# Made by `python -m scripts.pins` from {source}; not edited by hand.\n"


def main() -> None:
    """Renew the files."""
    uv = shutil.which("uv")
    if uv is None:
        sys.exit("uv is not installed: https://docs.astral.sh/uv/")
    tested = _compiled(uv, PROJECT, "--extra", "dev", "--constraint", str(CONSTRAINTS))
    REQUIREMENTS.write_text(HEADER.format(source=".ci/constraints.txt") + tested, encoding="utf-8")
    lowest = _compiled(uv, PROJECT, "--extra", "demo", "--resolution", "lowest-direct")
    LOWEST.write_text(HEADER.format(source="the lower bounds of pyproject.toml") + lowest, encoding="utf-8")
    for wanted in (DOCS_WANTED, *CLIENTS.glob("*.in")):
        header = HEADER.format(source=wanted.relative_to(ROOT).as_posix())
        wanted.with_suffix(".txt").write_text(header + _compiled(uv, wanted), encoding="utf-8")


def _compiled(uv: str, source: Path, *options: str) -> str:
    command = [uv, "pip", "compile", "--quiet", "--generate-hashes", "--universal", "--no-annotate", "--no-header"]
    # pip takes a version with its extra only from a line that names both.
    command += ["--no-strip-extras", "--python-version", OLDEST_PYTHON, *options]
    made = subprocess.run(  # noqa: S603 - a fixed command
        [*command, str(source)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        sys.exit(made.stderr)
    return made.stdout


def pinned(text: str) -> dict[str, str]:
    """Return name → version of a file of pins, names as PEP 503 writes them."""
    found = re.findall(r"(?m)^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", text)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


if __name__ == "__main__":
    main()
