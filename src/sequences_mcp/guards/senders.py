"""What the guards refuse in the texts that a sender puts into every message: the name in ``From``, the signature.

Nobody writes these for one person and nothing fills in variables there: they come from the settings, so that what
a template left in them would reach everybody.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from sequences_mcp.domain.blueprint import Channel
from sequences_mcp.domain.findings import Finding, Severity, errors_in
from sequences_mcp.domain.sender import Sender
from sequences_mcp.guards.fact_names import Certainty, unfilled
from sequences_mcp.guards.inspect import excerpt, of_text, of_value
from sequences_mcp.guards.names import is_heading, is_sample
from sequences_mcp.guards.policy import GuardPolicy
from sequences_mcp.guards.rule import Fact, Value
from sequences_mcp.guards.rules.values import HEADING, NOTHING, SAMPLE
from sequences_mcp.guards.samples import is_carried_sample
from sequences_mcp.guards.text import GuardedText
from sequences_mcp.guards.words import is_field, is_name
from sequences_mcp.lazy_dataclasses import replace

SENDER, SIGNATURE = "sender", "signature"
NOBODY = "This is what templates and examples have for a name: put the name of the person who sends."
MENDED = (
    "The operator mends it in settings.toml (`name` of the mailbox or SEQUENCES_SENDER, `signature`) and restarts "
    "the server."
)
BLANK_LINE = "This line is what a template or an example has: put the real words, or take it out."


@lru_cache(maxsize=64)
def check_sender(sender: Sender, policy: GuardPolicy, *, signs: bool = True) -> tuple[Finding, ...]:
    """Return the errors about a sender's name and, with ``signs``, their signature; ``field`` says of which.

    The name stands in ``From``, in the recruiter variables and as the words for the signature's picture; the
    signature below e-mails alone. Remembered, because it is asked for again at each message that leaves. The lines
    on how to say no are this product's own.
    """
    findings = [*_of_text(SENDER, sender.name, policy)] or [*_of_name(sender, policy)]
    if signs and sender.signature:
        findings += [*_of_text(SIGNATURE, sender.signature, policy)] or [*_of_lines(sender.signature, policy)]
    return tuple({(finding.field, finding.rule, finding.excerpt): finding for finding in findings}.values())


def _of_text(field: str, text: str, policy: GuardPolicy) -> Iterator[Finding]:
    written = GuardedText(original=text, channel=Channel.EMAIL, rendered=True, policy=policy)
    return (replace(error, field=field) for error in errors_in(of_text(written)))


def _of_name(sender: Sender, policy: GuardPolicy) -> Iterator[Finding]:
    """Yield that a name is nobody's; without the titles around it."""
    rule = _why_nobody(f"{sender.first_name} {sender.last_name}".strip(), policy)
    if rule:
        yield from _refused(rule, sender.name, field=SENDER, span=(0, len(sender.name)), policy=policy)


def _why_nobody(name: str, policy: GuardPolicy) -> str | None:
    """Return the rule by which a whole name is surely nobody's, or None.

    People are called John Doe, Ime and Nom Nguyen, of whose names these are examples or headings of columns.
    """
    findings, words = of_value("full_name", name, policy), name.split()
    if errors := errors_in(findings):
        return errors[0].rule
    rules = {finding.rule for finding in findings}
    if SAMPLE.id in rules and not is_carried_sample(name):
        return SAMPLE.id
    if (HEADING.id in rules and len(words) > 1) or all(map(_is_heading, words)):
        return HEADING.id
    if NOTHING.id in rules and NOTHING.id in {f.rule for f in of_value("last_name", words[-1], policy)}:
        return NOTHING.id
    return None


def _is_heading(word: str) -> bool:
    return is_field(word) and is_heading(Value(word, Fact.FULL))


def _of_lines(signature: str, policy: GuardPolicy) -> Iterator[Finding]:
    """Yield each line that names what should stand there, or is the name of an example that nobody has.

    "Your Recruiter" and "Phone" are lines of real signatures.
    """
    start = 0
    for line in signature.split("\n"):
        span = (start, start + len(line))
        if is_name(line) and unfilled(line) is not Certainty.NO:
            yield from _refused(HEADING.id, signature, field=SIGNATURE, span=span, policy=policy)
        elif is_sample(Value(line.strip(), Fact.FULL)) and not is_carried_sample(line):
            yield from _refused(SAMPLE.id, signature, field=SIGNATURE, span=span, policy=policy)
        start = span[1] + 1


def _refused(rule: str, text: str, *, field: str, span: tuple[int, int], policy: GuardPolicy) -> Iterator[Finding]:
    """Yield an error, unless the house has made the rule a warning."""
    if policy.severity.get(rule, Severity.ERROR) is Severity.ERROR:
        yield Finding(
            rule=rule,
            severity=Severity.ERROR,
            message=NOBODY if field == SENDER else BLANK_LINE,
            field=field,
            start=span[0],
            end=span[1],
            excerpt=excerpt(text, *span),
        )
