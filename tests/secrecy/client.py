"""The SDK's client, which tells the search for secrets everything that a server answered."""

from __future__ import annotations

from typing import Any

import mcp
from pydantic import BaseModel
from tests.secrecy.hearing import heard


class Client(mcp.Client):
    """A client whose answers are searched."""

    async def call_tool(self, *arguments: Any, **options: Any) -> Any:
        """Call a tool."""
        return _noted("a tool's result", await super().call_tool(*arguments, **options))

    async def read_resource(self, *arguments: Any, **options: Any) -> Any:
        """Read a resource."""
        return _noted("a resource", await super().read_resource(*arguments, **options))

    async def get_prompt(self, *arguments: Any, **options: Any) -> Any:
        """Get a prompt."""
        return _noted("a prompt", await super().get_prompt(*arguments, **options))

    async def complete(self, *arguments: Any, **options: Any) -> Any:
        """Complete an argument."""
        return _noted("a completion", await super().complete(*arguments, **options))

    async def list_tools(self, *arguments: Any, **options: Any) -> Any:
        """List the tools."""
        return _noted("the list of tools", await super().list_tools(*arguments, **options))


def _noted(where: str, result: BaseModel) -> BaseModel:
    heard(where, repr(result))
    return result
