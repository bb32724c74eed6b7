"""The page of the rules, made from the rules: ``python -m sequences_mcp.guards.page docs/rules.md``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from sequences_mcp.guards.rule import Rule

_LAYERS = {
    "structure": "What the fields of a step, and the steps of a blueprint, mean together.",
    "variables": "Exactly the nine variables, byte for byte.",
    "placeholders": "Blanks still to be filled in, in any script or disguise.",
    "foreign": "Other template languages, failed renders, and what is left of drafting.",
    "channel": "Length and form, channel by channel.",
    "values": "A contact's own data, before a text that holds it leaves.",
}
_LONGEST = 130
_SHOWN = 40


def page(rules: Iterable[Rule]) -> str:
    """Return the page in Markdown: each rule with what it says, an example of each kind, and its source."""
    return "\n".join(_lines(rules))


def _lines(rules: Iterable[Rule]) -> Iterator[str]:
    yield "# What the guards look for\n"
    yield "An `error` refuses; a `warning` needs a person's yes, which is recorded; a `note` is for the writer.\n"
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


def write(path: Path) -> None:
    """Write the page of all rules."""
    from sequences_mcp.guards.catalogue import RULES

    path.write_text(page(RULES), encoding="utf-8")


if __name__ == "__main__":  # pragma: no cover
    write(Path(sys.argv[1]))
