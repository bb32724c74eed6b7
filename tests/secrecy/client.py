"""The SDK's client, which tells the search for secrets everything that a server answered."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import mcp
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
from pydantic import BaseModel
from referencing import Registry
from tests.secrecy.hearing import heard


class Client(mcp.Client):
    """A client whose answers are searched, and held against the schemas of their tools like anybody's.

    That each schema is one is held by ``tests/server/test_wire.py``, once for all clients.
    """

    async def __aenter__(self) -> Any:
        """Connect. A schema is made ready once for all clients of a process: that takes longer than a call.

        It is the same in every server that has the tool. What no client has seen yet, the server is asked for.
        """
        client = await super().__aenter__()
        client.session._output_schema_validator = _ready  # type: ignore[method-assign]
        client.session._tool_output_schemas = _SEEN
        return client

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


_SEEN: dict[str, dict[str, Any] | None] = {}


def _noted(where: str, result: BaseModel) -> BaseModel:
    heard(where, repr(result))
    return result


def _ready(name: str, output_schema: dict[str, Any]) -> Validator:
    return _validator(json.dumps(output_schema))


@cache
def _validator(schema: str) -> Validator:
    read = json.loads(schema)
    return validator_for(read)(read, registry=Registry())
