"""The only room that knows MCP: tools, prompts and resources over the product's verbs."""
