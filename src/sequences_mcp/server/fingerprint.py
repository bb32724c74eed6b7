"""What tells whether two calls are the same call."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from pydantic_core import to_jsonable_python

from sequences_mcp.domain.digests import canonical


def fingerprint(arguments: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a call's arguments."""
    return sha256(canonical(to_jsonable_python(dict(arguments), fallback=str))).hexdigest()
