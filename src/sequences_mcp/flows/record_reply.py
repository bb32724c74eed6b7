"""Somebody answered, on any channel: everything that runs for them ends, pauses, or is barred for good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sequences_mcp.domain.addresses import visible
from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.domain.ids import LOCAL, Kind, parse, provider_of
from sequences_mcp.domain.limits import future
from sequences_mcp.domain.row_problems import require_none
from sequences_mcp.domain.sequence import Answer, StopReason
from sequences_mcp.errors import InvalidArgumentsError, NotFoundError
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.flows.exclude_at_vendors import Mark
from sequences_mcp.flows.keep_out_at_vendors import keep_out_at_vendors
from sequences_mcp.flows.stop_at_vendors import STOPPED, hold_there, stop_there
from sequences_mcp.flows.suppress_contact import suppress_contact
from sequences_mcp.providers.port import Call, ContactEntry, SequenceDetail

OPTED_OUT = "they asked not to be contacted"


@dataclass(frozen=True, slots=True)
class Recorded:
    """Whose answer it is, and what became of each run of theirs; ``undone`` is for somebody to see to.

    ``here`` are the runs of the embedded engine as they are now.
    """

    contact_id: str
    runs: Mapping[str, str]
    undone: Mapping[str, str]
    here: tuple[SequenceDetail, ...]


async def record_reply(
    desk: Desk, *, who: str, answer: Answer, until: datetime | None = None, call: Call
) -> Recorded:
    """Record an answer of the person behind a sequence or contact id.

    Replied: their runs succeed. Not interested: they stop as lost. Opt-out: they are never contacted again. Out of
    office: their runs pause ``until`` then. What a vendor carries out is stopped or paused where its API can.
    Raises InvalidArgumentsError for a time that is missing, past or not asked for, and NotFoundError.
    """
    until = _time(desk, answer, until)
    contact_id = await _contact_of(desk, who)
    if answer is Answer.OPT_OUT:
        return await _opted_out(desk, contact_id, call=call)
    busy = await desk.suppressions.busy_among([contact_id])
    there = await desk.vendor_runs.at_vendors(list(busy.values())) if busy else []
    replies = offered(desk.local.replies, desk.local, verb="record answers")
    here = await replies.record(contact_id, answer, until=until)
    if until is not None:
        told = await hold_there(desk, there, until=until, call=call)
    else:
        reason = StopReason.WIN if answer is Answer.REPLIED else StopReason.LOSE
        told = (await stop_there(desk, there, call=call, reason=reason)).told
    undone = {own: said for own, said in told.items() if not said.startswith((STOPPED, "paused"))}
    return Recorded(contact_id, {**{one.sequence.id: _state(one) for one in here}, **told}, undone, tuple(here))


async def _opted_out(desk: Desk, contact_id: str, *, call: Call) -> Recorded:
    done = await suppress_contact(desk, contact=contact_id, reason=OPTED_OUT)
    replies = offered(desk.local.replies, desk.local, verb="record answers")
    await replies.record(contact_id, Answer.OPT_OUT)
    found = await keep_out_at_vendors(desk, Mark(done.kind, done.value), call=call, reason=OPTED_OUT)
    stopped = (*done.stopped, *found.stopped)
    runs = {one.sequence.id: _state(one) for one in stopped} | dict(found.told)
    return Recorded(contact_id, runs, found.undone, stopped)


def _state(one: SequenceDetail) -> str:
    sequence = one.sequence
    if sequence.paused_until is not None:
        return f"paused until {sequence.paused_until.isoformat(timespec='minutes')}"
    return sequence.status.value


def _time(desk: Desk, answer: Answer, until: datetime | None) -> datetime | None:
    if answer is Answer.OUT_OF_OFFICE:
        return future("until", until, now=desk.clock())
    if until is not None:
        raise InvalidArgumentsError(
            f"until goes with {Answer.OUT_OF_OFFICE}, not with {answer}.", next_step="Leave it out."
        )
    return None


async def _contact_of(desk: Desk, who: str) -> str:
    """Return the id of the stored person behind an id or an address; WrongIdError, NotFoundError."""
    text = who.strip()
    if "@" in text and ":" not in text:
        return await _at_address(desk, text)
    if provider_of(text) == LOCAL:
        if text.startswith(f"{LOCAL}:{Kind.SEQUENCE}_"):
            sequences = offered(desk.local.sequences, desk.local, verb="read sequences")
            return (await sequences.get_sequence(text)).sequence.contact_id
        contacts = offered(desk.local.contacts, desk.local, verb="read contacts")
        return (await contacts.get_contacts([str(parse(text, Kind.CONTACT))]))[0].id
    own = str(parse(text, Kind.SEQUENCE))
    run = await desk.vendor_runs.find(own)
    if run is not None:
        return run.sequence.contact_id
    found = await desk.vendor_runs.known_as(own)
    if found is None:
        raise NotFoundError(
            f"No run or person of this server is known as {own}.",
            next_step="Give the id of the sequence or contact as list_sequences and find_contacts show it; a run "
            "that was started elsewhere is stopped with stop_sequence.",
        )
    return found


async def _at_address(desk: Desk, text: str) -> str:
    contacts = offered(desk.local.contacts, desk.local, verb="read contacts")
    matched = await contacts.match_contacts([ContactEntry(ContactFields(email=visible(text).strip()))])
    require_none(matched.problems, what="contact")
    [found] = matched.people
    if found is None:
        raise NotFoundError(
            "Nobody here has this address.",
            next_step="find_contacts shows who there is; suppress_contact keeps out any address.",
        )
    return found.id
