"""What the tests of the store stand on."""

from __future__ import annotations

from tests.world.engine import embedded as embedded
