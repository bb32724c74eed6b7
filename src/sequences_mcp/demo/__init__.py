"""The whole story on this machine: real servers on loopback, the real server over stdio, the real MCP client.

Nothing leaves the machine.
"""

from __future__ import annotations

import tempfile

from sequences_mcp.demo import here, there
from sequences_mcp.demo.stage import Say


async def demo(say: Say) -> None:
    """Tell both acts; ``say`` prints one line."""
    for play in (here.play_local, there.play_vendors):
        with tempfile.TemporaryDirectory(prefix="sequences-demo-") as folder:
            await play(say, folder)
