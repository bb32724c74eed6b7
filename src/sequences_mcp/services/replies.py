"""Who answered, here and at vendors, up to when that is known, and answers to them as drafts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from sequences_mcp.context import AppContext
from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.addresses import address_key
from sequences_mcp.domain.blueprint import Channel
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.findings import Finding, errors_in
from sequences_mcp.domain.ids import LOCAL, VENDORS, provider_of
from sequences_mcp.domain.inbound import InboxState, ReceivedKind, ReplyEntry
from sequences_mcp.domain.page import MAX_SIZE, Page
from sequences_mcp.domain.threads import ANSWER_PREFIX
from sequences_mcp.errors import (
    ConflictError,
    InvalidArgumentsError,
    NotFoundError,
    NotSupportedError,
    RefusedByGuardsError,
)
from sequences_mcp.guards.check import check_rendered
from sequences_mcp.lazy_dataclasses import dataclass, replace
from sequences_mcp.planning.requirements import require_sound_sender
from sequences_mcp.ports.embedded import AnswerDraft, ReceivedReply, ReplyFilter, SequenceFilter, VendorFacts
from sequences_mcp.ports.provider import Provider
from sequences_mcp.services.sequences import get_sequence, list_sequences
from sequences_mcp.vendors.registry import DESCRIPTIONS

NOT_READ = "not read: no IMAP is set for it, so answers there are not known here"
NEVER = "never read so far: a worker reads it (an open chat with this server, or `sequences-mcp work`)"


@dataclass(frozen=True, slots=True)
class RepliesReport:
    """A page of what came back, and, by mailbox, up to when its answers are known."""

    page: Page[ReceivedReply]
    read_up_to: Mapping[str, str]


async def list_replies(app: AppContext, *, wanted: ReplyFilter, provider: str = LOCAL) -> RepliesReport:
    """Return one page of what came back, the newest first; an id in the filter says whose runs are meant."""
    of_id = provider_of(wanted.sequence_id or wanted.blueprint_id or "")
    where = app.named(of_id if provider == LOCAL and of_id in app.providers else provider)
    if where.name != LOCAL:
        return RepliesReport(await _at_vendor(app, where, wanted), {})
    page = await where.list_replies(wanted)
    if wanted == ReplyFilter(page=wanted.page, size=wanted.size):
        unmatched = (await where.list_replies(ReplyFilter(kind=ReceivedKind.UNMATCHED, size=1))).total_count
        page = replace(page, note=f"kind unmatched: {unmatched} about nobody known." if unmatched else page.note)
    return RepliesReport(page, await read_up_to(app))


async def _at_vendor(app: AppContext, where: Provider, wanted: ReplyFilter) -> Page[ReceivedReply]:
    """Return who replied as far as a vendor tells it; the note says what it does not tell."""
    about = DESCRIPTIONS[where.name]
    if not about.replied_word:
        where.require(Provider.list_replies)
    if wanted.waiting or wanted.kind not in (None, ReceivedKind.REPLY):
        return Page((), 0, wanted.page, wanted.size, note=about.replies_unseen)
    if where.offers(Provider.list_replies):
        page = await where.list_replies(wanted)
        if wanted.contact is not None:  # of the page alone: no vendor's list has such a filter
            shown = tuple(reply for reply in page.items if _is_of(reply, wanted.contact))
            page = Page(
                shown, len(shown), page.page, page.size, note="Only this page was searched for the contact."
            )
    else:
        page = await _by_status(app, where, wanted, word=about.replied_word)
    return replace(page, note=" ".join(filter(None, (page.note, about.replies_unseen))))


def _is_of(reply: ReceivedReply, contact: str) -> bool:
    who = reply.contact
    known = (who.id, who.display_name, who.email) if who else ()
    return any(contact.strip().casefold() in (text or "").casefold() for text in known)


async def _by_status(app: AppContext, where: Provider, wanted: ReplyFilter, *, word: str) -> Page[ReceivedReply]:
    """Return the runs at a vendor whose status there says that the person replied."""
    replied = SequenceFilter(
        provider_status=word,
        blueprint_id=wanted.blueprint_id,
        contact=wanted.contact,
        sort_by="updated_at",
        sort_order="desc",
        page=wanted.page,
        size=wanted.size,
    )
    if wanted.sequence_id is not None:
        detail = await get_sequence(app, sequence_id=wanted.sequence_id)
        is_replied = (detail.provider_status or "").casefold() == word.casefold()
        runs = Page((detail,) if is_replied else (), int(is_replied), wanted.page, wanted.size)
    else:
        runs = await list_sequences(app, wanted=replied, provider=where.name)
    known = ((detail, (detail.facts or VendorFacts()).replied_at) for detail in runs.items)
    dated = [(detail, at or detail.sequence.updated_at) for detail, at in known]
    items = tuple(
        ReceivedReply.at_vendor(detail, reply_id=detail.sequence.remote_id or detail.sequence.id, at=at)
        for detail, at in dated
        if wanted.since is None or at >= wanted.since
    )
    return runs.of(items)


async def read_up_to(app: AppContext) -> dict[str, str]:
    """Return, by mailbox, in words, when it was last read whole and what stands in the way."""
    sending = {mailbox.terms.sender_address: mailbox for mailbox in app.mailboxes if mailbox.sender is not None}
    states = await app.records.inboxes(sending)
    now = app.clock()
    return {
        address: _reading_words(states[address], now=now) if mailbox.reads_inbox else NOT_READ
        for address, mailbox in sending.items()
    }


def _reading_words(state: InboxState | None, *, now: datetime) -> str:
    if state is None:
        return NEVER
    read = state.read_up_to
    when = f"{read.isoformat(timespec='seconds')}, {ago(now - read)}" if read else "never read so far"
    return f"{when}; since then it cannot be read: {state.error}" if state.error else when


def ago(passed: timedelta) -> str:
    """Return how long ago something was, in its largest unit."""
    seconds = max(int(passed.total_seconds()), 0)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


_ANSWERED = re.compile(ANSWER_PREFIX, re.IGNORECASE)
LONGEST_SUBJECT = 250
OF_MACHINES = frozenset(
    {ReceivedKind.OUT_OF_OFFICE, ReceivedKind.BOUNCE, ReceivedKind.COMPLAINT, ReceivedKind.AUTOMATIC}
)
THEMSELVES = "Give the text to the person, who sends it from their own mail program."


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftedAnswer:
    """A draft that stands in a mailbox's folder, with the guards' warnings about its text."""

    reply: ReceivedReply
    mailbox: str
    folder: str
    recipient: str
    subject: str
    warnings: tuple[Finding, ...]


async def draft_reply(app: AppContext, *, reply_id: str, content: str) -> DraftedAnswer:
    """Put an answer to an e-mail that came in into the folder of drafts of its mailbox; nothing is sent.

    Raises ConflictError for what no answer goes to (a machine's message, one recorded by hand, somebody on the
    suppression list), RefusedByGuardsError, NotSupportedError without IMAP, InboxUnreadError, DraftUnknownError.
    """
    if (title := VENDORS.get(provider_of(reply_id))) is not None:
        raise NotSupportedError(
            f"This answer is at {title}: its words and its mailbox are not here.",
            next_step=f"The person answers it in {title}'s own app.",
        )
    reply = await app.local.get_reply(reply_id)
    entry, who = reply.entry, reply.contact
    _require_answerable(entry)
    if who is None:
        raise ConflictError(
            "Nobody knows whom this is about, so no answer to it is drafted.",
            next_step=f"A person says so on the review page, under Replies. {THEMSELVES}",
        )
    await _require_not_suppressed(app, who, entry.sender)
    mailbox = next((known for known in app.mailboxes if known.terms.sender_address == entry.mailbox), None)
    if mailbox is None or mailbox.imap_url is None or mailbox.sender is None:
        raise NotSupportedError(
            f"This server has no IMAP for {entry.mailbox}, so it has no Drafts folder to write into.",
            next_step=f"{THEMSELVES} `sequences-mcp doctor` says what is missing.",
        )
    findings = _examined(app, reply, content)
    require_sound_sender(mailbox.sender, app.policy)
    left = reply.step.message_id if reply.step else None
    answer = AnswerDraft(
        sender=mailbox.sender,
        recipient=entry.sender,
        subject=_answering(entry.subject),
        content=content,
        answers=entry.message_id or left or "",
        refers_to=tuple(entry.refers_to.split()) or ((left,) if left else ()),
        name=f"{entry.id}|{sha256(content.encode()).hexdigest()}",
        at=app.clock(),
    )
    folder = await app.put_draft(mailbox, answer)
    await app.records.note("reply.drafted", entry.sequence_id or entry.contact_id, reply=entry.id, folder=folder)
    return DraftedAnswer(
        reply=reply,
        mailbox=entry.mailbox,
        folder=folder,
        recipient=answer.recipient,
        subject=answer.subject,
        warnings=findings,
    )


def _require_answerable(entry: ReplyEntry) -> None:
    """Raise ConflictError for what nobody wrote an e-mail of, or only a machine did."""
    if entry.recorded_by is not None:
        raise ConflictError(
            "This answer was recorded by hand: no e-mail of theirs is here to answer.",
            next_step="The person answers it on the channel it came by.",
        )
    if entry.looks_like in OF_MACHINES or not entry.sender:
        raise ConflictError(
            f"This is an automatic message ({entry.looks_like}): nobody reads what is answered to it.",
            next_step="list_replies with kind reply shows what people wrote.",
        )


async def _require_not_suppressed(app: AppContext, who: Contact, sender: str) -> None:
    """Raise ConflictError where whoever wrote, or the person it is about, must not be contacted."""
    for person in (who, replace(who, email=sender)):
        if why := (await app.suppressions.suppressed_among([person])).get(person.id):
            raise ConflictError(
                f"{who.display_name} must not be contacted: {why}.",
                next_step="No draft was made. Only a person can lift that, on the review page.",
            )


async def decide_reply(
    app: AppContext, reply_id: str, *, about: str, whose: str = "", actor: Actor
) -> ReceivedReply:
    """Record what a person says about something that came in: ``nothing``, or which run's it is.

    ``about`` is that, or the id of a run, or empty where ``whose`` names one: by its id, or by the address of the
    person whose newest run it is. Raises InvalidArgumentsError, NotFoundError, ConflictError.
    """
    chosen, named = about.strip(), whose.strip()
    if chosen and named:
        raise InvalidArgumentsError(
            "Two things were said.", next_step="Go back: choose one of the list, or name somebody."
        )
    if not chosen and not named:
        raise InvalidArgumentsError("Nothing was chosen.", next_step="Go back and choose a run, or nothing.")
    if "@" in named:
        wanted = SequenceFilter(contact=named, sort_order="desc", size=MAX_SIZE)
        runs = (await app.local.list_sequences(wanted)).items
        theirs = [run for run in runs if address_key(run.contact.email or "@") == address_key(named)]
        if not theirs:
            raise NotFoundError(
                "No sequence here is of somebody with that address.", next_step="Go back and check the address."
            )
        named = theirs[0].sequence.id
    run_id = None if chosen == "nothing" else chosen or named
    return await app.local.resolve_reply(reply_id, sequence_id=run_id, actor=actor)


def _examined(app: AppContext, reply: ReceivedReply, content: str) -> tuple[Finding, ...]:
    """Return the guards' warnings about the text of an answer; RefusedByGuardsError for errors."""
    run = reply.sequence
    step = reply.step.step if reply.step else run.steps[0].step if run else None
    assert step is not None  # what came in by e-mail is about a run
    plain = step.model_copy(update={"subject": None, "type": Channel.EMAIL, "linked_in_type": None})
    as_of_step = check_rendered(step=plain, subject=None, content=content, is_follow_up=True, policy=app.policy)
    findings = tuple(replace(finding, step_id=None) for finding in as_of_step)
    if errors := errors_in(findings):
        raise RefusedByGuardsError(
            f"The guards refuse this text: {errors[0].message}",
            next_step="Mend each finding, then call again.",
            data={"findings": findings},
        )
    return findings


def _answering(subject: str) -> str:
    """Return the subject of an answer to what has this one; letters that no header can hold are left out."""
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in subject).split())
    return (text if _ANSWERED.match(text) else f"Re: {text}".strip())[:LONGEST_SUBJECT]
