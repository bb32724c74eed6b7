"""Every rule of the guards, in the order of the layers. This list is the only registry."""

from __future__ import annotations

from importlib import import_module

from sequences_mcp.guards.rule import Rule

_LAYERS = {
    "structure": "form text length size duplicate_id linked_in_type subject delay one_invitation settled "
    "invitation_timeout invitation_text",
    "variables": "spelling expression empty unbalanced escaped bare unknown",
    "placeholders": "square link unclosed other_bracket guillemet angle instruction blank ambiguous bare_word "
    "example_host",
    "foreign": "statement spintax sigil single_brace failed_render missing_name bare_tag draft variants todo",
    "channel": "empty_subject empty_content control header reply_prefix subject_markup encoded_word active_content",
}


def _rules() -> tuple[Rule, ...]:
    names = [f"{layer}.{name}" for layer, names in _LAYERS.items() for name in names.split()]
    return tuple(import_module(f"{__package__}.{name}").RULE for name in names)


RULES: tuple[Rule, ...] = _rules()
