"""What the tests of the verbs stand on."""

from __future__ import annotations

from tests.world.fixtures import bureau as bureau
