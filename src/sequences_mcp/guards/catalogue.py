"""The list of all rules, in the order in which they are applied, and the generator of ``docs/rules.md``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from sequences_mcp.guards.rule import Rule
from sequences_mcp.guards.rules import (
    channel_limits,
    channel_markup,
    foreign_encodings,
    foreign_leftovers,
    foreign_merges,
    foreign_templates,
    law,
    placeholders,
    structure,
    values,
    variables,
)

RULES = (
    structure.FORM,
    structure.KIND,
    structure.LENGTH,
    structure.CROWDED,
    structure.SIZE,
    structure.NAME,
    structure.DUPLICATE_ID,
    structure.LINKED_IN_TYPE,
    structure.SUBJECT,
    structure.VARIANTS,
    structure.FORMAT,
    structure.DELAY,
    structure.ONE_INVITATION,
    structure.SETTLED,
    structure.INVITATION_TIMEOUT,
    structure.INVITATION_TEXT,
    variables.UNFILLED,
    variables.SPELLING,
    variables.EXPRESSION,
    variables.EMPTY,
    variables.UNBALANCED,
    variables.ESCAPED,
    variables.BARE,
    variables.UNKNOWN,
    placeholders.SQUARE,
    placeholders.LINK,
    placeholders.UNCLOSED,
    placeholders.OTHER_BRACKET,
    placeholders.GUILLEMET,
    placeholders.ANGLE,
    placeholders.INSTRUCTION,
    placeholders.BLANK,
    placeholders.GAP,
    placeholders.ESCAPED,
    placeholders.AMBIGUOUS,
    placeholders.BARE_WORD,
    placeholders.EXAMPLE_HOST,
    foreign_templates.STATEMENT,
    foreign_templates.SPINTAX,
    foreign_templates.SIGIL,
    foreign_encodings.ESCAPE,
    foreign_templates.SINGLE_BRACE,
    foreign_templates.FAILED_RENDER,
    foreign_leftovers.MISSING_NAME,
    foreign_templates.BARE_TAG,
    foreign_leftovers.SUBJECT_LINE,
    foreign_leftovers.PREAMBLE,
    foreign_leftovers.WORK_NOTE,
    foreign_leftovers.DRAFT_LABEL,
    foreign_merges.DOUBLED,
    foreign_merges.STRANGE_DATE,
    foreign_merges.SAMPLE_NAME,
    foreign_templates.VARIANTS,
    foreign_encodings.MOJIBAKE,
    foreign_encodings.ENCODED,
    channel_limits.EMPTY_SUBJECT,
    channel_limits.EMPTY_CONTENT,
    channel_markup.HEADER,
    channel_markup.REPLY_PREFIX,
    channel_markup.SUBJECT_MARKUP,
    channel_markup.ENCODED_WORD,
    channel_markup.ACTIVE_CONTENT,
    channel_markup.LINK_MISMATCH,
    channel_limits.NOTE_LENGTH,
    channel_limits.INMAIL_SUBJECT,
    channel_limits.WHATSAPP_LENGTH,
    channel_limits.SMS_SEGMENTS,
    channel_limits.FORBIDDEN,
    channel_markup.HOMOGRAPH,
    channel_markup.MARKUP,
    channel_markup.MARKDOWN,
    channel_markup.MARKDOWN_FORM,
    channel_markup.CONTROL,
    values.MISSING,
    values.NOTHING,
    values.HEADING,
    values.PLACEHOLDER,
    values.SAMPLE,
    values.LOST_LETTER,
    values.TEAM,
    values.NO_COMPANY,
    values.ADDRESS,
    values.QUOTED,
    values.PICTURE,
    values.INITIAL,
    values.SALUTATION,
    values.MORE,
    values.HEADLINE,
    values.LOOSE_END,
    values.DIGITS,
    values.CASING,
    values.SPACING,
    values.MARKS,
    values.CONTROL,
    values.LONG,
    values.DIRECTION,
    values.LINK,
    law.SENDER,
    law.POSTAL_ADDRESS,
    law.OPT_OUT,
    law.SOURCE,
    law.CONSENT,
    law.CONSENT_RECORD,
    law.COUNTRY,
)


_LAYERS = {
    "structure": "What the fields of a step, and the steps of a blueprint, mean together.",
    "variables": "Exactly the nine variables, byte for byte.",
    "placeholders": "Blanks still to be filled in, in any script or disguise.",
    "foreign": "Other template languages, failed renders, and what is left of drafting.",
    "channel": "Length and form, channel by channel.",
    "values": "A contact's own data, before a text that holds it leaves.",
    "law": "What a first message needs in the country of whoever gets it. Reminders, no legal advice.",
}
_LONGEST = 130
_SHOWN = 40


def page(rules: Iterable[Rule]) -> str:
    """Return the page in Markdown: each rule with its message, an example of each kind, and its source."""
    return "\n".join(_lines(rules))


def _lines(rules: Iterable[Rule]) -> Iterator[str]:
    yield "# What the guards look for\n"
    yield (
        "An `error` refuses; a `warning` needs a person's approval, which is recorded; a `note` is for the "
        "writer.\n"
    )
    for layer, members in groupby(rules, key=lambda rule: rule.layer):
        yield f"## {layer}\n\n{_LAYERS[layer]}\n"
        yield "| rule | | what it says | passes | does not | source |\n|---|---|---|---|---|---|"
        yield from map(_row, members)
        yield ""


def _row(rule: Rule) -> str:
    passes, fails = (_code(examples[0]) if examples else "" for examples in (rule.accept, rule.reject))
    return f"| `{rule.id}` | {rule.severity} | {_cell(rule.message)} | {passes} | {fails} | {_cell(rule.source)} |"


def _code(example: str) -> str:
    shown = example if len(example) <= _LONGEST else f"{example[:_SHOWN]}… ({len(example)} characters)"
    visible = "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in shown)
    return f"`` {_cell(visible)} ``" if visible.strip() else "(nothing)"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def write_page(path: Path) -> None:
    """Write the page of all rules."""

    path.write_text(page(RULES), encoding="utf-8")


if __name__ == "__main__":  # pragma: no cover
    write_page(Path(sys.argv[1]))
