"""Topo's public REST API, from docs.topo.io."""
