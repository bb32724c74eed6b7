"""What every budget is a multiple of: an SDK server with ten small tools and nothing behind them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from mcp.server import MCPServer

TOOLS = 10


def build() -> MCPServer:
    """Return the server; its last tool is ``echo``."""
    server = MCPServer("bare", version="0", log_level="WARNING")
    for number in range(TOOLS - 1):
        server.add_tool(_search(number))
    server.add_tool(echo)
    return server


async def echo(text: str) -> str:
    """Return the text unchanged."""
    return text


def _search(number: int) -> Callable[[str, int], Awaitable[dict[str, int]]]:
    async def search(query: str, limit: int = 20) -> dict[str, int]:
        return {"count": min(len(query), limit)}

    search.__name__ = f"search_{number}"
    search.__doc__ = f"Search collection {number} and return how many rows match."
    return search


if __name__ == "__main__":
    build().run()
