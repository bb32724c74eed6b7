"""Which tests may run at the same time where several processes share them: all but those that measure.

A test marked ``alone`` compares how long things take, or how much of the processor they use. It runs while no
other test of the run does, whatever the number of processes and the order of the tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ALONE = "alone: measures, so that nothing else of the run may be on the processor meanwhile"


@contextmanager
def turn(folder: Path, *, alone: bool) -> Iterator[None]:
    """Hold the block until no test runs that must be alone, or, for one of those, until none runs at all.

    Two locks on files of a folder that all processes share. The room is shared by all tests but those that want it
    for themselves. Who waits for it holds the door, so that nobody comes in before and the room gets empty.
    """
    import fcntl

    with (folder / "door.lock").open("w") as door, (folder / "room.lock").open("w") as room:
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        if not alone:
            fcntl.flock(door, fcntl.LOCK_UN)
        yield


def shared_folder(config: pytest.Config) -> Path | None:
    """Return the folder that the processes of a run share, or None where there is one process alone."""
    if not hasattr(config, "workerinput"):
        return None
    factory: pytest.TempPathFactory = config._tmp_path_factory  # type: ignore[attr-defined]
    return factory.getbasetemp().parent
