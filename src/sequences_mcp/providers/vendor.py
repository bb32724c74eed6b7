"""What one transport has to know of a vendor and of a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

from sequences_mcp.domain.ids import VENDORS
from sequences_mcp.domain.secret import Secret
from sequences_mcp.errors import SequencesError, WrongIdError
from sequences_mcp.providers.retry import Effect

Query = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call of an API.

    ``path`` is below the base URL, its ids escaped. ``what`` is our phrase for it ("stop the sequence").
    ``scope`` is what the key must carry, where the vendor has scopes. ``read_back`` says how to find out what
    became of a write. ``safe`` calls (pause, stop, exclude) wait for no breaker and no bucket; one that is not
    ``patient`` is attempted once.
    """

    method: Literal["GET", "POST", "PATCH"]
    path: str
    what: str
    effect: Effect = Effect.READ
    query: Query = ()
    body: Mapping[str, Any] | None = None
    scope: str | None = None
    read_back: str = ""
    safe: bool = False
    patient: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a vendor's error body says, made fit to be quoted; None where it says nothing."""

    code: str | None = None
    detail: str | None = None
    message: str | None = None
    request_id: str | None = None
    more: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An answer that is not a 2xx, and what was asked."""

    vendor: Vendor
    request: Request
    status: int
    words: Words
    retry_after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """One vendor: its names, its door, its published limits, and how it says no.

    ``sign`` makes the headers that carry the key. ``words`` reads an error body of any shape. ``explain`` takes
    a refusal to our error, or to None where the status alone says enough.
    """

    name: str
    base_url: str
    sign: Callable[[Secret], Mapping[str, str]]
    words: Callable[[object], Words]
    explain: Callable[[Refusal], SequencesError | None]
    reads_per_minute: int | None = None
    writes_per_minute: int | None = None

    @property
    def title(self) -> str:
        """How people write its name."""
        return VENDORS[self.name]

    @property
    def key_setting(self) -> str:
        """The environment variable that holds the key."""
        return f"{self.name.upper()}_API_KEY"

    @property
    def url_setting(self) -> str:
        """The environment variable that holds another base URL."""
        return f"{self.name.upper()}_BASE_URL"

    def whole(self, own: str) -> str:
        """Return the whole id of one of this vendor's: ``topo:1111-…``."""
        return f"{self.name}:{own}"

    def own(self, whole_id: str, kind: str, *, listed_by: str) -> str:
        """Return the vendor's part of a whole id; WrongIdError names the kind and what lists such ids."""
        provider, _, own = whole_id.partition(":")
        if provider != self.name or not 0 < len(own) <= 200 or not own.isprintable() or " " in own:
            raise WrongIdError(
                f"{whole_id[:80]!r} is not {kind} of {self.title}: such ids begin with `{self.name}:`.",
                next_step=f"Ids of this kind come from {listed_by}.",
                data={"expected": kind, "listed_by": listed_by},
            )
        return own


def path(template: str, *ids: str) -> str:
    """Return a path with each ``{}`` replaced by an id, escaped so that it cannot leave its place."""
    return template.format(*(quote(own, safe="").replace(".", "%2E") for own in ids))


def query(**values: object) -> Query:
    """Return the parameters that are not None; a list repeats its name, a time is written in ISO 8601."""
    pairs = ((name, value) for name, given in values.items() for value in _several(given))
    return tuple((name, _written(value)) for name, value in pairs if value is not None)


def _several(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    isoformat = getattr(value, "isoformat", None)
    return str(isoformat() if callable(isoformat) else value)
