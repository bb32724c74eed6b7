"""A worker that never ends by itself: whatever happens to it, it is opened again, a little later each time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from time import monotonic
from typing import Protocol

from sequences_mcp.engine.pulse import Pulse
from sequences_mcp.errors import SequencesError

log = logging.getLogger(__name__)
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0


class Runs(Protocol):
    """Whatever works until it is told to stop."""

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop."""
        ...


def keep_working(
    opened: Callable[[], AbstractContextManager[Runs]],
    stop: threading.Event,
    *,
    pulse: Pulse,
    pause: Callable[[int], float] = lambda failures: min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE),
) -> None:
    """Open a worker and let it run until told to stop; after any fault wait, and open it again.

    ``pause`` is how many seconds to wait after so many faults in a row.
    """
    failures = 0
    while not stop.is_set():
        begun = monotonic()
        try:
            with opened() as worker:
                worker.run(stop)
        except SequencesError as error:
            failures = 1 if monotonic() - begun > LONGEST_PAUSE else failures + 1
            pulse.trouble(str(error))
            log.warning("The worker begins again in %.0f s: %s", pause(failures), error)
        except Exception as error:  # whatever it is, due work must not end for good because of it
            failures = 1 if monotonic() - begun > LONGEST_PAUSE else failures + 1
            pulse.trouble(f"{type(error).__name__}: {error}")
            log.exception("The worker begins again in %.0f s", pause(failures))
        if not stop.is_set():
            stop.wait(pause(max(failures, 1)))
    pulse.end()
