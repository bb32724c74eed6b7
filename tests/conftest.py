"""What the whole suite stands on: every run is searched for the secrets that its worlds use."""

from __future__ import annotations

from tests.secrecy.watch import pytest_configure

__all__ = ["pytest_configure"]
