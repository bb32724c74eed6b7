"""Ids that carry their provider and kind: ``local:bp_01J…``, ``topo:1111-…``, ``kalent:blueprint_123``.

A local id is a prefix for its kind and a ULID (https://github.com/ulid/spec): 48 bits of milliseconds, 80
random bits, Crockford's base 32, so ids sort by the time they were made. Vendor ids are opaque.
"""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from sequences_mcp.errors import WrongIdError
from sequences_mcp.vendors.registry import DESCRIPTIONS

LOCAL = "local"
VENDORS = {vendor.name: vendor.title for vendor in DESCRIPTIONS.values()}
"""The vendors, and how people write their names."""
PROVIDERS = (LOCAL, *VENDORS)
LONGEST = 200
# The vendor's part of an id, which becomes part of a URL's path: no slash, percent, question mark, hash, space or
# control character, and not a dot alone.
_OWN = re.compile(r"[^\W_](?:[\w.:~@+=,-]*[\w~@+=-])?|_[\w.:~@+=,-]*[\w~@+=-]", re.ASCII)
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_DIGIT_OF_BYTE = bytes(_ALPHABET.encode("ascii")[byte % len(_ALPHABET)] for byte in range(256))


class IdKind(StrEnum):
    """What an id stands for; the value is the prefix of a local id."""

    BLUEPRINT = "bp"
    CONTACT = "ct"
    SEQUENCE = "seq"
    PLAN = "plan"
    DRAFT = "draft"
    TASK = "task"
    OPERATION = "op"
    REPLY = "reply"


KIND_NAMES = {
    IdKind.BLUEPRINT: "a blueprint id",
    IdKind.CONTACT: "a contact id",
    IdKind.SEQUENCE: "a sequence id",
    IdKind.PLAN: "a plan id",
    IdKind.DRAFT: "a draft id",
    IdKind.TASK: "a task id",
    IdKind.OPERATION: "an operation id",
    IdKind.REPLY: "a reply id",
}
UNVERSIONED = frozenset(vendor.name for vendor in DESCRIPTIONS.values() if not vendor.has_versions)
"""Vendors whose templates can only be changed in the vendor's app."""


def version_told(blueprint_id: str, version: int) -> int | None:
    """Return the version to show, or None where the vendor has none: the number stored then is only ours."""
    return None if not version or provider_of(blueprint_id) in UNVERSIONED else version


LISTED_BY = {
    IdKind.BLUEPRINT: "list_blueprints",
    IdKind.CONTACT: "find_contacts",
    IdKind.SEQUENCE: "list_sequences",
    IdKind.PLAN: "list_reviews",
    IdKind.DRAFT: "list_reviews",
    IdKind.TASK: "list_tasks",
    IdKind.OPERATION: "the result of the write itself, get_sequence, or list_providers",
    IdKind.REPLY: "list_replies",
}

# How one of them is found there by what people call it.
BY = {
    IdKind.CONTACT: ", by a name or an address",
    IdKind.SEQUENCE: ", where contact is a name or an address",
}


class Reference(NamedTuple):
    """A parsed id: its provider and the provider's part of it."""

    provider: str
    identifier: str

    def __str__(self) -> str:
        return f"{self.provider}:{self.identifier}"


KEY_ENTROPY = 16  # bytes: each gives one digit of five bits, eighty bits together


def new_id(kind: IdKind, now: datetime, entropy: bytes) -> str:
    """Return a new local id.

    ``now`` is aware; ``entropy`` is ``KEY_ENTROPY`` random bytes, passed in so that making an id is pure.
    """
    return f"{LOCAL}:{kind}_{new_key(now, entropy)}"


def new_keys(now: datetime, entropy: bytes) -> list[str]:
    """Return as many keys as ``entropy`` has bytes for."""
    return [new_key(now, entropy[start : start + KEY_ENTROPY]) for start in range(0, len(entropy), KEY_ENTROPY)]


def new_key(now: datetime, entropy: bytes) -> str:
    """Return the ULID of a new local id, for what has ids of several kinds: a step is a text and a task."""
    if len(entropy) < KEY_ENTROPY:
        raise ValueError(f"a key needs {KEY_ENTROPY} random bytes, not {len(entropy)}")
    digits = entropy[:KEY_ENTROPY].translate(_DIGIT_OF_BYTE).decode("ascii")
    return _instant_digits(int(now.timestamp() * 1000)) + digits


@lru_cache(maxsize=16)  # a start makes thousands of ids within a few milliseconds
def _instant_digits(milliseconds: int) -> str:
    return "".join([_ALPHABET[milliseconds >> shift & 31] for shift in range(45, -1, -5)])


def parse_id(text: str, kind: IdKind) -> Reference:
    """Return the parts of an id that must be of ``kind``.

    Raises WrongIdError, naming the kind expected and the tool that lists such ids.
    """
    provider, colon, identifier = text.partition(":")
    if not colon or provider not in PROVIDERS or not identifier:
        raise _wrong(text, kind, "it does not start with a provider such as `local:`")
    if len(identifier) > LONGEST or identifier in (".", "..") or not _OWN.fullmatch(identifier):
        raise _wrong(text, kind, "an id has letters, digits and signs that no address or path gives a meaning to")
    if provider == LOCAL and not identifier.startswith(f"{kind}_"):
        raise _wrong(text, kind, f"it is {_described(identifier)}")
    return Reference(provider, identifier)


def provider_of(text: str) -> str:
    """Return the provider that an id, or a provider's identifier name, begins with; it need not exist."""
    return text.partition(":")[0]


def _described(local_id: str) -> str:
    prefix = local_id.partition("_")[0]
    return KIND_NAMES[IdKind(prefix)] if prefix in set(IdKind) else "of an unknown kind"


def _wrong(text: str, kind: IdKind, why: str) -> WrongIdError:
    such = f"{KIND_NAMES[kind].partition(' ')[2].capitalize()}s"
    return WrongIdError(
        f"{text[:80]!r} is not {KIND_NAMES[kind]}: {why}.",
        next_step=f"{such} come from {LISTED_BY[kind]}{BY.get(kind, '')}.",
        data={"expected": kind.name.lower(), "listed_by": LISTED_BY[kind]},
    )
