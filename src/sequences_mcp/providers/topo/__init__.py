"""Topo's public API (https://docs.topo.io/api-reference)."""
