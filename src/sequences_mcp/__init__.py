"""Outreach sequences as MCP tools: drafted by an agent, guarded, approved by a person, sent once."""

__version__ = "0.2.0"
