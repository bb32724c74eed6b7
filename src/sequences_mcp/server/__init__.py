"""The MCP server: tools, prompts, resources and the panel, over ``services``. Nothing else imports the MCP SDK."""
