"""Every rule of the guards, in the order of the layers. This list is the only registry."""

from __future__ import annotations

from importlib import import_module

from sequences_mcp.guards.rule import Rule

_LAYERS = {
    "structure": """
        form kind length crowded size name duplicate_id linked_in_type subject delay one_invitation settled
        invitation_timeout invitation_text
    """,
    "variables": "unfilled spelling expression empty unbalanced escaped bare unknown",
    "placeholders": """
        square link unclosed other_bracket guillemet angle instruction blank escaped ambiguous bare_word
        example_host
    """,
    "foreign": """
        statement spintax sigil single_brace failed_render missing_name bare_tag subject_line preamble work_note
        draft_label variants mojibake
    """,
    "channel": """
        empty_subject empty_content header reply_prefix subject_markup encoded_word active_content
        link_mismatch note_length inmail_subject whatsapp_length sms_segments forbidden
        homograph markup markdown control
    """,
    "values": """
        missing nothing heading team no_company address quoted picture initial salutation more loose_end digits
        casing spacing marks control long direction link
    """,
}


def _rule(path: str) -> Rule:
    rule: Rule = import_module(f"{__package__}.{path}").RULE
    return rule


RULES = tuple(_rule(f"{layer}.{name}") for layer, names in _LAYERS.items() for name in names.split())
