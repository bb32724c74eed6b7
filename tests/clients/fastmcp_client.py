"""FastMCP's client, run by an interpreter that has it: told where to connect and what to call."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from fastmcp import Client
from fastmcp.client.transports import StdioTransport, StreamableHttpTransport


async def seen(wanted: dict[str, Any]) -> dict[str, Any]:
    """Connect, list the tools and make the calls."""
    if "url" in wanted:
        headers = {"Authorization": f"Bearer {wanted['token']}"}
        transport: Any = StreamableHttpTransport(wanted["url"], headers=headers)
    else:
        transport = StdioTransport(wanted["command"][0], wanted["command"][1:], env=wanted["environment"])
    async with Client(transport) as client:
        tools = [tool.name for tool in await client.list_tools()]
        answers = []
        for name, arguments in wanted["calls"]:
            result = await client.call_tool_mcp(name, arguments)
            answers.append({"text": result.content[0].text, "is_error": bool(result.is_error)})
    return {"tools": tools, "answers": answers}


async def main() -> None:
    """Do so for each way to connect that is asked for."""
    print(json.dumps([await seen(wanted) for wanted in json.load(sys.stdin)]))


if __name__ == "__main__":
    asyncio.run(main())
