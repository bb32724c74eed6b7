"""OpenAI's Agents SDK: the tools as its agents get them, and what a model would read of each answer."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from agents.mcp import MCPServerStdio, MCPServerStreamableHttp, MCPUtil
from agents.run_context import RunContextWrapper


async def seen(wanted: dict[str, Any]) -> dict[str, Any]:
    """Connect, list the tools and make the calls."""
    if "url" in wanted:
        headers = {"Authorization": f"Bearer {wanted['token']}"}
        parameters = {"url": wanted["url"], "headers": headers, "timeout": 60}
        server: Any = MCPServerStreamableHttp(params=parameters, client_session_timeout_seconds=60)
    else:
        command, *more = wanted["command"]
        parameters = {"command": command, "args": more, "env": wanted["environment"]}
        server = MCPServerStdio(params=parameters, client_session_timeout_seconds=60)
    async with server:
        tools = {tool.name: tool for tool in await server.list_tools()}
        answers = []
        for name, arguments in wanted["calls"]:
            said = await MCPUtil.invoke_mcp_tool(
                server, tools[name], RunContextWrapper(None), json.dumps(arguments)
            )
            answers.append({"text": said["text"] if isinstance(said, dict) else said})
    return {"tools": list(tools), "answers": answers}


async def main() -> None:
    """Do so for each way to connect that is asked for."""
    print(json.dumps([await seen(wanted) for wanted in json.load(sys.stdin)]))


if __name__ == "__main__":
    asyncio.run(main())
