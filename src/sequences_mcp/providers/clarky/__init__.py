"""Clarky's public API (https://docs.clarky.ai/api-reference)."""
