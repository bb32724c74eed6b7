"""Write ``.ci/requirements.txt``: the versions of ``.ci/constraints.txt`` with the hashes an index has for them.

``python -m scripts.pins`` after a dependency was added, or a version in ``.ci/constraints.txt`` changed. Needs uv
(https://docs.astral.sh/uv/) and a package index. CI installs from this file alone, with ``--require-hashes``.
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
OLDEST_PYTHON = "3.11"
HEADER = "# Made by `python -m scripts.pins` from .ci/constraints.txt; not edited by hand.\n"


def main() -> None:
    """Renew the file."""
    uv = shutil.which("uv")
    if uv is None:
        sys.exit("uv is not installed: https://docs.astral.sh/uv/")
    command = [uv, "pip", "compile", "--quiet", "--generate-hashes", "--universal", "--no-annotate", "--no-header"]
    command += ["--python-version", OLDEST_PYTHON, "--extra", "dev", "--constraint", str(CONSTRAINTS)]
    made = subprocess.run(  # noqa: S603 - a fixed command
        [*command, str(ROOT / "pyproject.toml")], capture_output=True, text=True, check=False
    )
    if made.returncode:
        sys.exit(made.stderr)
    REQUIREMENTS.write_text(HEADER + made.stdout, encoding="utf-8")


def pinned(text: str) -> dict[str, str]:
    """Return name → version of a file of pins, names as PEP 503 writes them."""
    found = re.findall(r"(?m)^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", text)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


if __name__ == "__main__":
    main()
