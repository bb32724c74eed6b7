"""LangChain's adapter: the tools as its agents get them, and what a model would read of each answer."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from langchain_mcp_adapters.client import MultiServerMCPClient


async def seen(wanted: dict[str, Any]) -> dict[str, Any]:
    """Connect, list the tools and make the calls."""
    if "url" in wanted:
        headers = {"Authorization": f"Bearer {wanted['token']}"}
        connection = {"transport": "streamable_http", "url": wanted["url"], "headers": headers}
    else:
        command, *more = wanted["command"]
        connection = {"transport": "stdio", "command": command, "args": more, "env": wanted["environment"]}
    tools = {tool.name: tool for tool in await MultiServerMCPClient({"sequences": connection}).get_tools()}
    answers = []
    for name, arguments in wanted["calls"]:
        message = await tools[name].ainvoke({"type": "tool_call", "id": name, "name": name, "args": arguments})
        answers.append({"text": message.content[0]["text"], "is_error": message.status == "error"})
    return {"tools": list(tools), "answers": answers}


async def main() -> None:
    """Do so for each way to connect that is asked for."""
    print(json.dumps([await seen(wanted) for wanted in json.load(sys.stdin)]))


if __name__ == "__main__":
    asyncio.run(main())
