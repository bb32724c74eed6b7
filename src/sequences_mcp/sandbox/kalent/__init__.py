"""Kalent's public REST API, from docs.kalent.ai."""
