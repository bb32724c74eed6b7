"""Kalent's public API (https://docs.kalent.ai)."""
