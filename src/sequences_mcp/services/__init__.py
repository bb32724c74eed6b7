"""The product's verbs, one file a noun, called by tools, page and command line. They know neither MCP nor HTML."""
