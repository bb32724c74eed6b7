"""What the tests of files with people stand on."""

from __future__ import annotations

from tests.world.product import bureau as bureau
