"""The address of a database on a server, as libpq reads it, and where passwords stand in it.

``scheme://user:password@host:port/name?option=value&…``
(https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-CONNSTRING). An ``@`` that follows the first ``/`` or
``?`` belongs to a name or an option.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote, unquote

_PASSWORDS = frozenset({"password", "sslpassword"})  # options whose values are secrets


class _Parts(NamedTuple):
    """``scheme://account@server/name?query``; ``at`` and ``path`` have their signs, or are empty."""

    scheme: str
    account: str
    at: str
    server: str
    path: str
    query: str


def without_passwords(address: str) -> str:
    """Return an address without the password of its account, and without those among its options."""
    parts = _parts(address)
    user = parts.account.partition(":")[0]
    options = [option for option in parts.query.split("&") if unquote(option.partition("=")[0]) not in _PASSWORDS]
    query = "&".join(options)
    return f"{parts.scheme}://{user}{parts.at}{parts.server}{parts.path}{query and f'?{query}'}"


def has_password(address: str) -> bool:
    """Say whether a password stands anywhere in an address; an empty one counts."""
    return without_passwords(address) != address.removesuffix("?")


def with_password(address: str, password: str) -> str:
    """Return an address, in which none stands yet, with the password of its account."""
    parts = _parts(address)
    secret = quote(password, safe="")
    query = parts.query and f"?{parts.query}"
    return f"{parts.scheme}://{parts.account}:{secret}@{parts.server}{parts.path}{query}"


def _parts(address: str) -> _Parts:
    scheme, _, rest = address.partition("://")
    place, _, query = rest.partition("?")
    netloc, slash, name = place.partition("/")
    account, at, server = netloc.rpartition("@")
    return _Parts(scheme, account, at, server, f"{slash}{name}", query)
