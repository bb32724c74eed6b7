"""Rendering of the prompt templates, and a delimiter for strangers' text that the text itself cannot contain.

Templates are in ``prompts/``; a variable that is missing is an error.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

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
