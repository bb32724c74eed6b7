"""A text that is about to leave, with what it is measured by."""

from __future__ import annotations

from dataclasses import dataclass

from sequences_mcp.domain.blueprint import Sourcing
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.sequence import Sequence, StepRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """One step's text for one person; ``sourcing`` is that of the run's blueprint version.

    ``is_approved``: a person said yes to this very text, not to its plan alone.
    """

    sequence: Sequence
    run: StepRun
    contact: Contact
    sourcing: Sourcing
    is_approved: bool
