"""Clarky's public REST API, from docs.clarky.ai."""
