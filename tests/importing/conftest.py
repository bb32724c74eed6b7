"""What the tests of files with people stand on."""

from __future__ import annotations

from tests.cli.conftest import terminal as terminal
from tests.server.conftest import era as era
from tests.world.product import bureau as bureau
