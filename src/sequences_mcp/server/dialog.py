"""Asking the person inside a chat by MCP elicitation: the question's text, the dialog, and the answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Sequence as Items
from enum import Enum
from typing import Any

from mcp import types
from mcp.server.mcpserver import Context
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from sequences_mcp.domain.addresses import with_wire_forms
from sequences_mcp.domain.findings import Finding, warnings_in
from sequences_mcp.domain.run import StepRun
from sequences_mcp.domain.shown import PersonShown, PlanShown
from sequences_mcp.domain.word_diff import diff_spans
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.planning.vendor_texts import vendor_words
from sequences_mcp.server.boundary import PersonNeeded
from sequences_mcp.server.text import visible_text
from sequences_mcp.server.views.reviews import delivery_words
from sequences_mcp.server.views.sequences import channel_of

ALIKE = 0.6
_WORDS = re.compile(r"\s+|\S+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The content of the dialog: the plan, and each person with their texts."""

    shown: PlanShown
    people: tuple[PersonShown, ...]
    left_out: int

    def text(self) -> str:
        """Return the dialog's message, a pure function of these values."""
        first, *others = self.people
        lines = [*self._heading(), "", *_whole(first), *_warnings(first.warnings)]
        read = {(text.run.step.id, text.run.variant): text.run for text in first.texts}
        for other in others:
            lines += ["", *_differing(read, other), *_warnings(other.warnings)]
            for text in other.texts:
                read.setdefault((text.run.step.id, text.run.variant), text.run)
        return with_wire_forms(visible_text("\n".join(lines)))

    def _heading(self) -> Iterator[str]:
        plan, header, terms = self.shown.plan, self.shown.plan.header, self.shown.plan.header.terms
        people = "1 person" if plan.people == 1 else f"{plan.people} people"
        where = f" at {terms.sender_name}" if terms.are_a_vendors else ""
        version = header.version_told
        of_version = f" (version {version})" if version else ""
        yield f"Start “{_line(header.blueprint_name)}”{of_version}{where} for {people}?"
        if terms.are_a_vendors:
            yield f"{vendor_words(terms)}."
        else:
            answers = f"; answers go to {terms.reply_to}" if terms.reply_to else ""
            answers += f"; HTML ends with the picture {terms.signature_picture}" if terms.signature_picture else ""
            yield f"From {terms.sender_name} <{terms.sender_address}>; {delivery_words(terms.delivery)}{answers}."
            window = f"{terms.window} in each person's time zone"
            yield f"E-mails leave {window}, at most {terms.limits.words}."
        yield f"Fingerprint of this plan: {plan.digest[:16]}…"
        if facts := self.people[0].not_given:
            yield f"Known here and not given to {terms.sender_name}: {', '.join(facts)}."
        if self.left_out:
            yield f"Left out of this start: {self.left_out}."
        if number := self.shown.warnings:
            yield f"Approving covers {number} {'warning' if number == 1 else 'warnings'}."
        yield from _warnings(warnings_in(self.shown.findings))


def _warnings(findings: Iterable[Finding]) -> Iterator[str]:
    for warning in findings:
        where = f"step {_line(warning.step_id)}: " if warning.step_id else ""
        yield f"Warning: {where}{warning.message} {warning.excerpt}".rstrip()


def _name(person: PersonShown) -> str:
    contact = person.contact
    name = _line(contact.display_name)
    return f"{name} <{contact.email}>" if contact.email else name


def _line(text: str) -> str:
    """Return a name on one line, so that a line break in it cannot look like a line of the question."""
    return " ".join(text.split())


def _facts(person: PersonShown) -> Iterator[str]:
    if person.handed:
        yield f"{_name(person)}: {person.handed}"
    if person.pause_words:
        yield f"{_name(person)}: {person.pause_words}"


def _whole(person: PersonShown) -> Iterator[str]:
    yield from _facts(person)
    if not person.texts:
        return
    yield f"{_name(person)} gets:"
    for number, text in enumerate(person.texts, start=1):
        yield from _step(number, text.run, text.when)


def _step(number: int, run: StepRun, time: str) -> Iterator[str]:
    yield f"{number}. {channel_of(run.step)} to {run.recipient or 'nobody: skipped, no address'}, {time}"
    if run.subject:
        yield f"   Subject: {run.subject}"
    for line in (run.readable or "(no text)").splitlines():
        yield f"   {line}"


def _differing(read: Mapping[tuple[str, int | None], StepRun], other: PersonShown) -> Iterator[str]:
    """Yield in what a person's texts differ from those shown before, which are given by step id and variant."""
    yield from _facts(other)
    if not other.texts:
        return
    yield f"{_name(other)} gets the same, except:"
    for number, text in enumerate(other.texts, start=1):
        theirs, time = text.run, text.when
        mine = read.get((theirs.step.id, theirs.variant))
        changes = _changes(mine, theirs) if mine is not None else None
        if changes is None:
            yield from _step(number, theirs, time)
        else:
            changed = "; ".join(changes) or "same text"
            yield f"{number}. to {theirs.recipient or 'nobody: skipped, no address'}, {time}: {changed}"


def _changes(mine: StepRun, theirs: StepRun) -> list[str] | None:
    """Return what differs in words, or None where the whole text should be shown."""
    if theirs.step.is_written_per_contact:
        return None
    changes: list[str] = []
    for before, after in ((mine.subject, theirs.subject), (mine.readable, theirs.readable)):
        replaced = _replaced(_WORDS.findall(before or ""), _WORDS.findall(after or ""))
        if replaced is None:
            return None
        changes += [change for change in replaced if change not in changes]
    return changes


def _replaced(mine: Items[str], theirs: Items[str]) -> list[str] | None:
    spans = diff_spans(mine, theirs)
    if spans is None:
        return None
    alike = sum(len(span.before) for span in spans if span.same)
    if mine and theirs and 2 * alike < ALIKE * (len(mine) + len(theirs)):
        return None
    return [f"“{''.join(span.before).strip()}” becomes “{span.text.strip()}”" for span in spans if span.differs]


ROUNDS_SINCE = "2026-07-28"  # protocol version from which a client answers by repeating the call
FORM = "consent"
LINK = "review_page"
LINK_TEXT = "Read what would be sent, and to whom, then approve or reject it on the review page."
START = ("Start this", "Tick to start exactly what is shown above.")
CHANGE = ("Change this", "Tick to change exactly what is shown above.")
ERASING = ("Erase them", "Tick to erase exactly whom is shown above, for good.")


def _schema(box: tuple[str, str]) -> dict[str, Any]:
    title, description = box
    approve = {"type": "boolean", "title": title, "description": description, "default": False}
    return {"type": "object", "properties": {"approve": approve}}


class DialogAnswer(Enum):
    """What a person answered. ``CLOSED``: the dialog was closed; ``NOTHING``: the answer says neither."""

    APPROVED = "approved"
    REJECTED = "rejected"
    CLOSED = "closed"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class DialogReply:
    """The answer, and the digest of what had been shown with the question."""

    answer: DialogAnswer
    digest: str


def can_ask(ctx: Context[Any, Any]) -> bool:
    """Say whether the client supports form elicitation; an empty declaration means that it does."""
    declared = ctx.client_capabilities.elicitation if ctx.client_capabilities else None
    # The protocol's first version had forms only, and an empty object for the capability.
    return declared is not None and (declared.form is not None or declared.url is None)


def can_open_links(ctx: Context[Any, Any]) -> bool:
    """Say whether the client supports URL elicitation: it opens an address for the person."""
    declared = ctx.client_capabilities.elicitation if ctx.client_capabilities else None
    return declared is not None and declared.url is not None


def is_another_round(ctx: Context[Any, Any]) -> bool:
    """Say whether this call repeats an earlier one with the answer to its question."""
    return ctx.input_responses is not None or ctx.request_state is not None


async def ask(ctx: Context[Any, Any], question: str, *, digest: str, box: tuple[str, str] = START) -> DialogReply:
    """Return what a person says to the question about a plan or a change with this digest.

    ``box`` is the title and the description of what they tick.

    The answer counts for the digest that was shown with it: ``request_state`` carries it, and the SDK seals that
    against changes. Raises PersonNeeded from protocol version ``ROUNDS_SINCE`` on, when nothing was answered yet.
    """
    if (ctx.protocol_version or "") < ROUNDS_SINCE:
        return DialogReply(await _asked_now(ctx, question, box), digest)
    # Without a state this is the first call, which asks; with one, the answer is in ``input_responses``.
    shown = (ctx.request_state or "").removeprefix(f"{FORM}:")
    if not shown:
        params = types.ElicitRequestFormParams(message=question, requested_schema=_schema(box))
        request = {FORM: types.ElicitRequest(params=params)}
        raise PersonNeeded(types.InputRequiredResult(input_requests=request, request_state=f"{FORM}:{digest}"))
    return DialogReply(answer_of((ctx.input_responses or {}).get(FORM)), shown)


async def open_address(ctx: Context[Any, Any], address: str, *, name: str) -> DialogAnswer:
    """Ask the client to open an address: APPROVED once it was, CLOSED, or NOTHING; PersonNeeded as for ``ask``."""
    if (ctx.protocol_version or "") >= ROUNDS_SINCE:
        answer = (ctx.input_responses or {}).get(LINK)
        if answer is None:
            params = types.ElicitRequestURLParams(message=LINK_TEXT, url=address)
            raise PersonNeeded(
                types.InputRequiredResult(input_requests={LINK: types.ElicitRequest(params=params)})
            )
        action = answer.action if isinstance(answer, types.ElicitResult) else None
    else:
        try:
            action = (await ctx.elicit_url(LINK_TEXT, address, name)).action
        except (MCPError, ValueError):  # a client that has no such request, or answers it with something else
            action = None
    if action is None:
        return DialogAnswer.NOTHING
    return DialogAnswer.APPROVED if action == "accept" else DialogAnswer.CLOSED


def answer_of(answer: object) -> DialogAnswer:
    """Return what the answer to the form says; only a boolean ``approve`` approves or rejects."""
    if not isinstance(answer, types.ElicitResult):
        return DialogAnswer.NOTHING
    if answer.action == "accept":
        # Checked to be a boolean: in Python ``1 == True``, and "1" or 1 must not approve.
        ticked = (answer.content or {}).get("approve")
        return (
            {True: DialogAnswer.APPROVED, False: DialogAnswer.REJECTED}.get(ticked, DialogAnswer.NOTHING)
            if isinstance(ticked, bool)
            else DialogAnswer.NOTHING
        )
    return DialogAnswer.REJECTED if answer.action == "decline" else DialogAnswer.CLOSED


async def _asked_now(ctx: Context[Any, Any], question: str, box: tuple[str, str]) -> DialogAnswer:
    try:
        answer = await ctx.session.elicit_form(question, _schema(box), related_request_id=ctx.request_id)
    except (MCPError, ValidationError):  # an error instead of an answer, or an answer of no known form
        return DialogAnswer.NOTHING
    return answer_of(answer)
