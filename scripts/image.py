"""Go through the steps of the Dockerfile without a Docker engine: its copies and commands, then what it starts.

    python -m scripts.image FOLDER

The places of the image (``/build``, ``/opt``, ``/data``) stand below FOLDER, and commands run with this machine's
Python; a user of its own is not made. Exit status 1 where a step fails.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLACES = re.compile(r"(?<![\w./-])/(build|opt|data)\b")


@dataclass(frozen=True, slots=True)
class ImageStep:
    """One instruction: its name in capitals, and what stands behind it on one line."""

    name: str
    words: str


@dataclass(slots=True)
class ImageWalk:
    """Where the steps have come to: the working folder, and the environment of what is started."""

    folder: Path
    at: Path
    environ: dict[str, str] = field(default_factory=dict)

    def place(self, text: str) -> str:
        """Return a text with the image's places below the folder."""
        return PLACES.sub(lambda found: f"{self.folder}/{found[1]}", text)

    def copy(self, words: str) -> None:
        """Copy what a COPY names out of the repository; what another stage made is in its place already."""
        *sources, target = shlex.split(words)
        if sources[0].startswith("--from="):
            return
        into = self.at / target
        for name in sources:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, into, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                into.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, into / source.name)

    def run(self, words: str) -> None:
        """Run a RUN, without the users that it makes; CalledProcessError."""
        commands = [part for part in words.split(" && ") if not part.startswith("useradd ")]
        text = " && ".join(commands).replace("--owner=sequences ", "").replace("python -m venv", "python3 -m venv")
        subprocess.run(["bash", "-ec", self.place(text)], cwd=self.at, check=True)  # noqa: S603, S607 - our own file


def steps(text: str) -> Iterator[ImageStep]:
    """Yield the instructions of a Dockerfile."""
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    for line in lines:
        if line.strip() and not line.startswith("#"):
            name, _, words = line.partition(" ")
            yield ImageStep(name, words.strip())


def walk(text: str, folder: Path) -> tuple[list[str], Mapping[str, str]]:
    """Go through the steps; return the command that the image starts, and its environment."""
    walked = ImageWalk(folder, folder)
    started: dict[str, list[str]] = {}
    for step in steps(text):
        if step.name == "WORKDIR":
            walked.at = Path(walked.place(step.words))
            walked.at.mkdir(parents=True, exist_ok=True)
        elif step.name == "COPY":
            walked.copy(step.words)
        elif step.name == "RUN":
            walked.run(step.words)
        elif step.name == "ENV":
            pairs = (word.partition("=") for word in shlex.split(step.words))
            walked.environ |= {name: walked.place(value) for name, _, value in pairs}
        elif step.name in ("ENTRYPOINT", "CMD"):
            started[step.name] = [walked.place(word) for word in json.loads(step.words)]
    return [*started["ENTRYPOINT"], *started["CMD"]], walked.environ


def main() -> None:
    """Go through the steps in the folder named, and have what the image starts say that it knows its command."""
    folder = Path(sys.argv[1]).absolute()
    command, environ = walk((ROOT / "Dockerfile").read_text("utf-8"), folder)
    whole = {**os.environ, **environ}
    subprocess.run([*command, "--help"], env=whole, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
    subprocess.run([command[0], "--version"], env=whole, check=True)  # noqa: S603 - our own file


if __name__ == "__main__":
    main()
