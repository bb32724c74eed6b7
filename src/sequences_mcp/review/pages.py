"""Templates that can only say what is there: every value is drawn faithfully, then escaped."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from sequences_mcp.domain.plain_words import STATUSES, for_person
from sequences_mcp.review.shown import as_shown

TEMPLATES = Path(__file__).parent / "templates"


def environment() -> Environment:
    """Return the environment of the page's templates."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_drawn,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "standing": lambda status: STATUSES[str(getattr(status, "value", status))],
        "text": _text,
        "raw": _raw,
        "plain": _plain,
        "commands": _commands,
        "utc": _utc,
        "number": _number,
    }
    return made


def _drawn(value: Any) -> Any:
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return as_shown(value, keep="")


def _text(value: str | None) -> Markup:
    """Return a text of several lines as it is, whatever cannot be seen drawn."""
    return Markup(escape(as_shown(value or "")))  # noqa: S704 - escaped here, so that line breaks can stay


def _raw(value: str | None) -> Markup:
    """Return a text to be edited: escaped, and not drawn, since what is shown is what comes back."""
    return Markup(escape(value or ""))  # noqa: S704 - escaped here, so that nothing is drawn into it


def _plain(value: str | None) -> str:
    """Return words of this program as a person reads them."""
    return for_person(value or "")


def _commands(value: str | None) -> Markup:
    """Return words of this program as a person reads them, what stands between backticks set as code."""
    parts = as_shown(for_person(value or ""), keep="").split("`")
    if len(parts) % 2 == 0:
        return Markup(escape("`".join(parts)))  # noqa: S704 - escaped here; a backtick without its other one
    return Markup().join(Markup("<code>{}</code>").format(one) if at % 2 else one for at, one in enumerate(parts))


def _utc(moment: datetime | None) -> Markup:
    if moment is None:
        return Markup("")
    at = moment.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), f"{at:%a %Y-%m-%d %H:%M} UTC")


def _number(value: int) -> str:
    return f"{value:,}"
