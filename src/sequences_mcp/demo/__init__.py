"""The demo: a mail server and the vendors' sandbox on loopback, the real MCP server over stdio, a real MCP client.

Nothing leaves the machine.
"""

from __future__ import annotations

import tempfile

from sequences_mcp.demo import local_act, vendor_act
from sequences_mcp.demo.stage import Say


async def demo(say: Say) -> None:
    """Run both acts; ``say`` prints one line."""
    for play in (local_act.play_local, vendor_act.play_vendors):
        with tempfile.TemporaryDirectory(prefix="sequences-demo-") as folder:
            await play(say, folder)
