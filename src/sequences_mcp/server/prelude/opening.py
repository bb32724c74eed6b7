"""The opening of a conversation: what is answered from a snapshot, and what the SDK has to be told of it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection

from sequences_mcp.server.prelude.shapes import (
    DISCOVERY,
    HANDSHAKE,
    MODERN,
    READY,
    KnownMessage,
    read_known,
)
from sequences_mcp.server.prelude.snapshot import FrozenAnswers

CANCELLED = b"notifications/cancelled"
_ENDING = os.linesep  # as the SDK's writer ends its lines


class RecordedLine(bytes):
    """A line that was taken here and that the SDK is told all the same, for the state it then has."""

    answered: str = ""  # the JSON text of the id of a request that has its answer already


class Opening:
    """Answers the first messages of one conversation, in order, until one is not known: from then on none.

    The first request decides the era, as in the SDK: ``initialize``, or a request with the envelope of 2026-07-28.
    """

    def __init__(self, snapshot: FrozenAnswers) -> None:
        self._snapshot = snapshot
        self._version = ""
        self._is_ready = False
        self.recorded: list[RecordedLine] = []
        self.answers = 0

    def reply(self, line: bytes, vendors: Callable[[], Collection[str]]) -> bytes | None:
        """Return what is written in answer to a line, perhaps nothing; None if it has to wait for the SDK.

        ``vendors`` is asked, and waited for, where the vendors that are connected make a difference.
        """
        if not line.strip(b" \t\r"):
            return b""
        message = read_known(line)
        if message is None:
            return None
        if message.method == READY:
            return self._ready(line)
        version = self._version_of(message)
        if not version:
            return None
        needed = vendors() if self._snapshot.depends_on_vendors(version, message.method) else ()
        result = self._snapshot.result(version, message.method, needed)
        if result is None:
            return None
        answer = f'{{"jsonrpc":"2.0","id":{message.id_text},"result":{result}}}{_ENDING}'.encode()
        if not self._version:
            self.recorded.append(_opener(line, message))
            self._version = version
        self.answers += 1
        return answer

    def _version_of(self, message: KnownMessage) -> str:
        """Return the version of the protocol that a message is answered in; empty where that is not known."""
        if message.method == HANDSHAKE:
            wanted = message.params["protocolVersion"]
            known = wanted if wanted in self._snapshot.handshakes else self._snapshot.newest_handshake
            return "" if self._version else known
        if message.is_enveloped:
            return MODERN if self._version in ("", MODERN) else ""
        return "" if self._version == MODERN else self._version

    def _ready(self, line: bytes) -> bytes | None:
        if self._version in ("", MODERN) or self._is_ready:
            return None
        self._is_ready = True
        self.recorded.append(RecordedLine(line))
        return b""


def _opener(line: bytes, message: KnownMessage) -> RecordedLine:
    """Return the request that opens the conversation for the SDK too.

    In the modern era nothing of it stays but the era, so that the cheapest request of that client stands for it.
    """
    if message.is_enveloped and message.method != DISCOVERY:
        request = {"jsonrpc": "2.0", "method": DISCOVERY, "params": {"_meta": message.params["_meta"]}}
        line = f'{json.dumps(request)[:-1]}, "id": {message.id_text}}}'.encode()
    recorded = RecordedLine(line)
    recorded.answered = message.id_text
    return recorded
