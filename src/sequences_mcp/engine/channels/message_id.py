"""A Message-ID that is the same at each attempt, new with each text, and says nothing about either."""

from __future__ import annotations

import hmac
from base64 import b32encode

from sequences_mcp.domain.addresses import wire_address

_SIZE = 20  # 160 bits are 32 letters without padding


def message_id(key: bytes, *, sequence_id: str, step_key: str, generation: int, sender: str) -> str:
    """Return ``<base32(HMAC-SHA256(key, sequence|step|generation))@sender-domain>``.

    ``key`` is a secret of this installation; ``sender`` the address whose domain the id ends in.
    """
    name = f"{sequence_id}|{step_key}|{generation}".encode()
    local = b32encode(hmac.digest(key, name, "sha256")[:_SIZE]).decode("ascii").lower()
    return f"<{local}@{wire_address(sender).rpartition('@')[2]}>"
