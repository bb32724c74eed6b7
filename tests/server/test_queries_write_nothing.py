"""A tool that says it only reads changes nothing in the database, whatever has happened before."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from scripts.examples import Recorder, conversation
from tests.world.product import Desktop
from tests.world.stores import address_of

from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.server.catalog import listed_tools

READING = {tool.name for tool in listed_tools(()) if tool.annotations and tool.annotations.read_only_hint}
WITHOUT_ARGUMENTS = (
    *("list_providers", "list_blueprints", "find_contacts", "list_sequences", "list_reviews", "list_tasks"),
    *("list_replies", "report"),
)


@dataclass
class WriteWatch(Recorder):
    """Calls the tools of a conversation, and after each of them every query; keeps which tools wrote."""

    database: Path = field(kw_only=True)
    wrote: set[str] = field(default_factory=set)
    called: set[str] = field(default_factory=set)

    async def __call__(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool, then look at everything; return what the tool answered."""
        answer = await self._watched(tool, arguments)
        for query in WITHOUT_ARGUMENTS:
            await self._watched(query, {})
        if plan := answer.get("plan_id"):
            await self._watched("list_reviews", {"plan_id": plan})
            await self._watched("show_plan", {"plan_id": plan})
        return answer

    async def _watched(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        # A connection's data_version changes when another one has committed (sqlite.org/pragma.html).
        with closing(sqlite3.connect(self.database)) as reader:
            [before] = reader.execute("PRAGMA data_version").fetchone()
            answer = await super().__call__(tool, **arguments)
            [after] = reader.execute("PRAGMA data_version").fetchone()
        self.called.add(tool)
        if before != after:
            self.wrote.add(tool)
        return answer


async def test_no_query_writes_whatever_has_happened_before(tmp_path: Path) -> None:
    if address_of(tmp_path / "data"):
        pytest.skip("SQLite counts the commits of other connections")
    watches: list[WriteWatch] = []

    def watching(desktop: Desktop) -> WriteWatch:
        watches.append(WriteWatch(desktop, database=Workspace(tmp_path / "data").database))
        return watches[-1]

    await conversation(tmp_path, watching)
    [watch] = watches
    assert watch.called >= READING
    assert not watch.wrote & READING
    assert {"start_sequence", "stop_sequence", "record_reply"} <= watch.wrote
