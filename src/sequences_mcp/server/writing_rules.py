"""What a text must keep to, in words taken from the code that enforces it."""

from __future__ import annotations

from sequences_mcp.domain.blueprint import DelayUnit
from sequences_mcp.domain.finding import Severity
from sequences_mcp.guards.policy import GuardPolicy
from sequences_mcp.guards.rule import Rule


def limits(policy: GuardPolicy) -> tuple[str, ...]:
    """Return the limits that the policy in force sets, one sentence each."""
    own = [f"Never write: {phrase}" for phrase in policy.forbidden]
    return (
        f"A blueprint has at most {policy.max_steps} steps and one LinkedIn invitation.",
        f"The note of a LinkedIn invitation has at most {policy.invitation_note} characters.",
        f"An SMS of more than {policy.sms_segments} segments needs a person's yes.",
        f"The units of a delay are {', '.join(DelayUnit)}.",
        *own,
    )


def refusals() -> tuple[Rule, ...]:
    """Return the rules that refuse a text or a step."""
    from sequences_mcp.guards.catalogue import RULES

    return tuple(rule for rule in RULES if rule.severity is Severity.ERROR)


def refusals_by_layer() -> dict[str, str]:
    """Return what the rules of each layer refuse, every sentence once: they are many, and a prompt is short."""
    found: dict[str, dict[str, None]] = {}
    for rule in refusals():
        found.setdefault(rule.id.partition(".")[0], {})[rule.message] = None
    return {layer: " ".join(sentences) for layer, sentences in found.items()}
