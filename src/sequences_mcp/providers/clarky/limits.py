"""Clarky's published bounds (pages "Rate limits" and "Pagination")."""

from __future__ import annotations

BASE_URL = "https://clarky.ai/api/v1"
READS_A_MINUTE = 120
WRITES_A_MINUTE = 60
PAGE_SIZE = 100
LONGEST_KEY = 255  # no length is published; what others of its kind take
