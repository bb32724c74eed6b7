"""``python -m sequences_mcp`` is the same as ``sequences-mcp``."""

from __future__ import annotations

from sequences_mcp.cli import main

if __name__ == "__main__":
    main()
