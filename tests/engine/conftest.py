"""What the tests of the engine stand on."""

from __future__ import annotations

from tests.world.fixtures import embedded as embedded
