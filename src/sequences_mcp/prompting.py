"""Rendering of the prompt templates, and what they know about writing: playbooks, manners, the sender's profile.

Templates are in ``prompts/``; a variable that is missing is an error. Playbooks and manners are TOML beside them;
the profile is the person's own file in the data folder. Strangers' text stands between lines it cannot contain.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.lazy_dataclasses import dataclass

if TYPE_CHECKING:
    from jinja2 import Environment


def fenced(label: str, text: str) -> str:
    """Return the text between two lines that only its own SHA-256 can produce.

    Nobody can write a text that contains its own digest, so nothing in the text can look like the closing line;
    and the same text always gives the same prompt.
    """
    delimiter = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"--- {label} {delimiter} ---\n{text}\n--- end of {label} {delimiter} ---"


_PACKAGE = Path(__file__).parent


def folder() -> Path:
    """Return where the templates are: inside the package in a wheel, at the top of a checkout."""
    packed = _PACKAGE / "prompts"
    return packed if packed.is_dir() else _PACKAGE.parents[1] / "prompts"


def render_template(name: str, /, **facts: object) -> str:
    """Return a template filled with facts.

    Raises jinja2.UndefinedError for a fact that the template uses and nobody gave.
    """
    return _environment().get_template(f"{name}.j2").render(**facts).strip() + "\n"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(folder()),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - plain text, never HTML: escaping would put &lt; into what people read
        trim_blocks=True,
        lstrip_blocks=True,
    )


PLAYBOOKS = ("recruiting", "founder sales", "partnerships", "events", "re-engagement")
PROFILE_SHOWN = 3_000  # characters: a page and a half


@dataclass(frozen=True, slots=True)
class Angle:
    """What one message of a sequence says that the others do not, by language, and on which day it leaves."""

    day: int
    angles: dict[str, str]


@dataclass(frozen=True, slots=True)
class Example:
    """A text as it should be; ``subject`` is empty for a follow-up, which answers the first e-mail."""

    content: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A text as it should not be, by language, and why, for whoever drafts."""

    texts: dict[str, str]
    why: str


@dataclass(frozen=True, slots=True)
class Playbook:
    """How a sequence for one purpose is written.

    ``examples`` are first e-mails and ``follow_ups`` answer them. All that a draft may copy is there in each
    language, by its English name.
    """

    title: str
    situation: str
    request: str
    proof: str
    avoid: str
    arc: tuple[Angle, ...]
    bad: tuple[Counterexample, ...]
    examples: dict[str, Example]
    follow_ups: dict[str, Example]


@cache
def playbook(name: str) -> Playbook:
    """Return a playbook of ``PLAYBOOKS``; KeyError for another name."""
    if name not in PLAYBOOKS:
        raise KeyError(name)
    table = _toml(f"playbooks/{name.replace(' ', '_').replace('-', '_')}.toml")
    return Playbook(
        arc=tuple(Angle(**angle) for angle in table.pop("arc")),
        bad=tuple(Counterexample(**bad) for bad in table.pop("bad")),
        examples=_examples(table.pop("examples")),
        follow_ups=_examples(table.pop("follow_ups")),
        **table,
    )


def manners_of_channels(words: str) -> dict[str, str]:
    """Return the manners of the channels that these words name, by channel; of all where they name none."""
    manners: dict[str, str] = _toml("manners.toml")["channels"]
    named = set(re.findall(r"[a-z]+", words.casefold().replace("e-mail", "email")))
    channels = {name for name, signs in _SIGNS.items() if not named.isdisjoint(signs)}
    return {name: text for name, text in manners.items() if not channels or name in channels}


def manners_of_language(language: str) -> str:
    """Return the manners of a language by its English name or its code; nothing for a language without any."""
    manners: dict[str, str] = _toml("manners.toml")["languages"]
    return manners.get(language_named(language), "")


def language_named(text: str) -> str:
    """Return the English name of a language that is given by this or by its code, such as ``fr`` or ``fr-CH``."""
    word = text.strip().casefold()
    return _CODES.get(word.partition("-")[0].partition("_")[0], word.capitalize())


def profile_in(workspace: Workspace) -> str:
    """Return what the person wrote for drafts about themselves, cut after a page and a half, or nothing."""
    try:
        text = workspace.profile.read_text(encoding="utf-8-sig", errors="replace").strip()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError):
        return ""
    return text if len(text) <= PROFILE_SHOWN else f"{text[:PROFILE_SHOWN]} [...]"


# By these words a person names a channel.
_SIGNS = {
    "EMAIL": ("email", "emails", "mail", "mails"),
    "LINKEDIN": ("linkedin", "inmail", "inmails"),
    "WHATSAPP": ("whatsapp",),
    "SMS": ("sms", "text", "texts"),
    "CALL": ("call", "calls", "phone", "telephone"),
    "MANUAL_TASK": ("manual", "task", "tasks", "hand"),
}
_CODES = {
    "en": "English",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "pt": "Portuguese",
    "it": "Italian",
    "nl": "Dutch",
    "pl": "Polish",
    "ja": "Japanese",
}


def _examples(read: dict[str, dict[str, str]]) -> dict[str, Example]:
    return {
        language: Example(content=text["content"].strip(), subject=text.get("subject", ""))
        for language, text in read.items()
    }


@cache
def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((folder() / name).read_text(encoding="utf-8"))
