"""``python -m sequences_mcp`` is the same as ``sequences-mcp``."""

from sequences_mcp.cli import main

if __name__ == "__main__":
    main()
