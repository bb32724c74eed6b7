"""What the tests of the engine stand on."""

from __future__ import annotations

from tests.world.engine import embedded as embedded
from tests.world.product import bureau as bureau
