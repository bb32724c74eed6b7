"""Clarky's JSON as values. One thing is ``{"data": {…}}``, a list ``{"data": […], "pagination": {…}}``.

The bodies of the two sequence endpoints are not published: they are read with and without ``data``, and by every
name their fields plausibly have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.domain.sequence import StepThere
from sequences_mcp.providers.clarky.status import meaning_of
from sequences_mcp.providers.lenient import (
    Row,
    UnreadableError,
    flag,
    ident,
    ident_or_none,
    inner,
    instant,
    is_row,
    number,
    prose,
    rest,
    row,
    rows_of,
    text,
    texts,
)
from sequences_mcp.providers.remote import (
    RemoteAgent,
    RemoteContact,
    RemotePage,
    RemoteSequence,
    StartedEnrollment,
)
from sequences_mcp.providers.vendor_text import NOTES

T = TypeVar("T")
NAME = "clarky"


def data_of(body: object) -> Row:
    """Return the one thing of an answer, inside ``data`` or without it."""
    answer = row(body, "the answer")
    if "error" in answer and "data" not in answer:
        raise UnreadableError("there is an `error`")
    return row(answer["data"], "`data`") if "data" in answer else answer


def page_of(body: object, read: Callable[[Row], T], *, page: int, size: int) -> RemotePage[T]:
    """Return one page; a bounded list has no pagination and is whole."""
    answer = row(body, "the answer")
    items, unreadable = rows_of(answer.get("data"), "`data`", read)
    paging = inner(answer, "pagination")
    total, pages = number(paging, "total"), number(paging, "total_pages")
    return RemotePage(
        items=items,
        page=page,
        size=size,
        total_count=len(items) + unreadable if not paging else total,
        has_more=pages is not None and page < pages,
        unreadable=unreadable,
    )


def contact(item: Row) -> RemoteContact:
    """Return a contact; addresses come as objects on one page of the documents and as text on another."""
    emails = _primary_first(item, "emails", "email")
    phones = _primary_first(item, "phone_numbers", "phone_number")
    return RemoteContact(
        id=_whole(ident(item, "id")),
        provider=NAME,
        fields=ContactFields(
            email=next(iter(emails), None),
            phone=next(iter(phones), None),
            first_name=text(item, "first_name"),
            last_name=text(item, "last_name"),
            company=text(item, "company"),
            job_title=text(item, "job_title"),
            location=text(item, "city"),
            linkedin_url=text(item, "linkedin_url"),
        ),
        emails=emails,
        phones=phones,
        notes=prose(item, "notes", limit=NOTES),
        created_at=instant(item, "created_at"),
        updated_at=instant(item, "updated_at"),
        rest=rest(item, _CONTACT),
    )


_CONTACT = (
    *("id", "first_name", "last_name", "emails", "phone_numbers", "company", "job_title", "city", "linkedin_url"),
    *("notes", "created_at", "updated_at"),
)


def _primary_first(item: Row, name: str, inside: str) -> tuple[str, ...]:
    found = item.get(name)
    items = list(found) if isinstance(found, list) else []
    items.sort(key=lambda one: not (is_row(one) and one.get("is_primary") is True))
    return texts({name: items}, name, of=lambda one: one.get(inside) if isinstance(one, Mapping) else one)


def agent(item: Row) -> RemoteAgent:
    """Return an agent of "Agents"."""
    known = ("id", "name", "enabled", "agent_email", "agent_phone", "created_at", "updated_at")
    return RemoteAgent(
        id=_whole(ident(item, "id")),
        provider=NAME,
        name=text(item, "name"),
        is_enabled=flag(item, "enabled"),
        email=text(item, "agent_email"),
        phone=text(item, "agent_phone"),
        created_at=instant(item, "created_at"),
        updated_at=instant(item, "updated_at"),
        rest=rest(item, known),
    )


def started(body: object) -> StartedEnrollment:
    """Return what "Start a sequence" tells; without a sequence or enrollment id nothing says that it began."""
    data = data_of(body)
    enrollment, sequence = inner(data, "enrollment"), inner(data, "sequence")
    enrollment_id = ident_or_none(data, "enrollment_id", "enrollmentId") or ident_or_none(enrollment, "id")
    sequence_id = ident_or_none(data, "sequence_id", "sequenceId") or ident_or_none(sequence, "id")
    if not (enrollment_id or sequence_id):
        raise UnreadableError("there is neither an enrollment id nor a sequence id")
    word = text(data, "status") or text(enrollment, "status")
    contact_id = ident_or_none(data, "contact_id", "contactId") or ident_or_none(inner(data, "contact"), "id")
    return StartedEnrollment(
        enrollment_id=_whole(enrollment_id) if enrollment_id else None,
        sequence_id=_whole(sequence_id) if sequence_id else None,
        contact_id=_whole(contact_id) if contact_id else None,
        status=meaning_of(word),
        provider_status=word,
        rest=rest(data, ("enrollment_id", "sequence_id", "contact_id", "status")),
    )


def enrollment(body: object, *, own: str) -> RemoteSequence:
    """Return what "Get an enrollment" tells."""
    data = data_of(body)
    run = inner(data, "enrollment") or data
    if ident_or_none(run, "enrollment_id", "id") not in (None, own):
        raise UnreadableError("the enrollment is another one")
    word = text(run, "status", "enrollment_status", "state")
    steps = run.get("steps", data.get("steps"))
    contact_id = ident_or_none(run, "contact_id") or ident_or_none(inner(run, "contact"), "id")
    template = ident_or_none(run, "template_id")
    sequence_id = ident_or_none(run, "sequence_id") or ident_or_none(inner(run, "sequence"), "id")
    return RemoteSequence(
        id=_whole(own),
        provider=NAME,
        status=meaning_of(word),
        provider_status=word,
        contact_id=_whole(contact_id) if contact_id else None,
        blueprint_id=_whole(template) if template else None,
        name=text(run, "name"),
        sequence_id=_whole(sequence_id) if sequence_id else None,
        replied_at=instant(run, "replied_at"),
        paused_until=instant(run, "paused_until"),
        stop_reason=text(run, "stop_reason", "stopped_reason", "failure_reason"),
        last_step_executed_at=instant(run, "last_step_executed_at", "last_sent_at"),
        steps=rows_of(steps, "`steps`", _step)[0] if isinstance(steps, list) else (),
        created_at=instant(run, "created_at"),
        updated_at=instant(run, "updated_at"),
        rest=rest(run, ("id", "enrollment_id", "status", "contact_id", "template_id", "name", "steps")),
    )


def _step(item: Row) -> StepThere:
    return StepThere(
        channel=text(item, "channel", "type"),
        provider_status=text(item, "status", "send_state", "state"),
        scheduled_for=instant(item, "scheduled_for"),
        subject=text(item, "subject"),
        content=prose(item, "content", "body", "message", "script"),
        rest=rest(item, ("channel", "status", "scheduled_for", "subject", "content", "body", "message", "script")),
    )


def _whole(own: str) -> str:
    return f"{NAME}:{own}"
