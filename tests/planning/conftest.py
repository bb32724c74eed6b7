"""What the tests of the planning stand on."""

from __future__ import annotations

from tests.world.product import bureau as bureau
