"""The house policy: what an operator may set about the guards, in ``guards.toml``.

free_linkedin_account = true        # an invitation note has at most 200 characters instead of 300
sms_segments = 3                    # a longer SMS needs a person's approval
max_steps = 50
forbidden = ["rock star", "ninja"]  # phrases that no text may contain
allowed_brackets = ["Acme Labs"]    # what may stand in square brackets

[severity]
"channel.example_host" = "error"    # error, warning or note; errors of layers 1 to 3, markup and hidden text stay
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sequences_mcp.domain.findings import Severity
from sequences_mcp.lazy_dataclasses import dataclass, field

PROTECTED = (
    *("structure.", "variables.", "placeholders.", "channel.markup", "channel.subject_markup", "channel.control"),
    *("channel.header", "channel.active_content", "channel.homograph", "values.control"),
)
"""Prefixes of rules whose errors cannot be lowered: no placeholder, tag or hidden text is ever sent."""
MAX_BYTES = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardPolicy:
    """What the guards allow beyond their own rules; lengths in characters."""

    # A mapping is not hashable; caches keyed by a policy still compare it by equality.
    severity: Mapping[str, Severity] = field(default_factory=lambda: MappingProxyType({}), hash=False)
    forbidden: tuple[str, ...] = ()
    allowed_brackets: frozenset[str] = frozenset()
    free_linkedin_account: bool = False
    sms_segments: int = 3
    max_steps: int = 50

    def __hash__(self) -> int:
        """Hash one number: a process has one policy, looked up twenty times for each person of a plan."""
        return self.max_steps

    @property
    def invitation_note(self) -> int:
        """How long the note of an invitation may be: LinkedIn gives paying accounts 300, others 200."""
        return 200 if self.free_linkedin_account else 300


DEFAULT = GuardPolicy()
