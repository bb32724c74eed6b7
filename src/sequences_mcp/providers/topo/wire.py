"""Topo's JSON as values. One thing is a bare object; a list has ``items``, ``total_count`` and ``has_more``."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.domain.sequence import TERMINAL, SequenceStatus
from sequences_mcp.providers.lenient import (
    Row,
    UnreadableError,
    flag,
    ident,
    ident_or_none,
    inner,
    instant,
    number,
    prose,
    rest,
    row,
    rows_of,
    text,
    texts,
)
from sequences_mcp.providers.remote import (
    RemoteAccount,
    RemoteActivity,
    RemoteBlueprint,
    RemoteContact,
    RemoteEntry,
    RemoteExclusion,
    RemoteList,
    RemoteMessage,
    RemotePage,
    RemoteSequence,
    RemoteTask,
)
from sequences_mcp.providers.topo.status import meaning_of
from sequences_mcp.providers.vendor_text import MESSAGE

T = TypeVar("T")
NAME = "topo"
ReadSequence = Callable[[Row], RemoteSequence]
_TIMES = ("id", "organization_id", "created_at", "updated_at")


def one(body: object, read: Callable[[Row], T]) -> T:
    """Return the one thing of an answer."""
    return read(row(body, "the answer"))


def same(body: object, read: Callable[[Row], T], *, own: str) -> T:
    """Return the one thing of an answer, which must be the one that was asked for."""
    answer = row(body, "the answer")
    if ident(answer, "id") != own:
        raise UnreadableError("the id is another one")
    return read(answer)


def page_of(body: object, read: Callable[[Row], T], *, page: int, size: int) -> RemotePage[T]:
    """Return one page."""
    answer = row(body, "the answer")
    items, unreadable = rows_of(answer.get("items"), "`items`", read)
    return RemotePage(
        items=items,
        page=page,
        size=size,
        total_count=number(answer, "total_count"),
        has_more=flag(answer, "has_more") is True,
        unreadable=unreadable,
    )


def account(item: Row) -> RemoteAccount:
    """Return whose key it is ("Get me")."""
    return RemoteAccount(
        id=_whole(ident(item, "id")),
        provider=NAME,
        organization_id=ident_or_none(item, "organization_id"),
        name=text(item, "name"),
        scopes=frozenset(texts(item, "scopes")),
        created_at=instant(item, "created_at"),
    )


def sequence(item: Row) -> RemoteSequence:
    """Return one run; UnreadableError without a status."""
    word = text(item, "status")
    if word is None:
        raise UnreadableError("there is no status")
    known = (*_TIMES, "status", "contact_id", "sequence_template_id", "source_contact_list_id", "variables")
    return RemoteSequence(
        id=_whole(ident(item, "id")),
        provider=NAME,
        status=meaning_of(word),
        provider_status=word,
        contact_id=_whole_or_none(item, "contact_id"),
        blueprint_id=_whole_or_none(item, "sequence_template_id"),
        list_id=_whole_or_none(item, "source_contact_list_id"),
        last_step_executed_at=instant(item, "last_step_executed_at"),
        variables=_variables(inner(item, "variables")),
        created_at=instant(item, "created_at"),
        updated_at=instant(item, "updated_at"),
        rest=rest(item, (*known, "last_step_executed_at")),
    )


def paused(item: Row) -> RemoteSequence:
    """Return a run that the answer shows to be paused."""
    return _in_state(item, {SequenceStatus.WAITING_FOR_LEAD})


def resumed(item: Row) -> RemoteSequence:
    """Return a run that the answer shows to go on."""
    return _in_state(item, {SequenceStatus.ACTIVE, SequenceStatus.WAITING_FOR_USER})


def stopped(item: Row) -> RemoteSequence:
    """Return a run that the answer shows to be over."""
    return _in_state(item, TERMINAL)


def _in_state(item: Row, wanted: Collection[SequenceStatus]) -> RemoteSequence:
    run = sequence(item)
    if run.status not in wanted:
        raise UnreadableError("the status is not the one asked for")
    return run


def _variables(item: Row) -> dict[str, str]:
    found = ((name, prose(item, name)) for name in list(item)[:200])
    return {name: value for name, value in found if value is not None}


def contact_variables(body: object) -> dict[str, object]:
    """Return a contact's variables as they come: the shape of the two scopes is not published."""
    return rest(row(body, "the answer"), ())


def blueprint(item: Row) -> RemoteBlueprint:
    """Return one sequence template."""
    known = (*_TIMES, "name", "status", "step_count", "summary", "language", "timezone", "activated_at")
    return RemoteBlueprint(
        id=_whole(ident(item, "id")),
        provider=NAME,
        name=text(item, "name"),
        provider_status=text(item, "status"),
        step_count=number(item, "step_count"),
        summary=text(item, "summary", limit=MESSAGE),
        language=text(item, "language"),
        time_zone=text(item, "timezone"),
        activated_at=instant(item, "activated_at"),
        created_at=instant(item, "created_at"),
        updated_at=instant(item, "updated_at"),
        rest=rest(item, known),
    )


def contact(item: Row) -> RemoteContact:
    """Return one contact."""
    fields = _person(item, phone="phone_number")
    known = (*_PERSON, "id", "phone_number", "city", "state", "country", "first_seen_at", "last_seen_at")
    return RemoteContact(
        id=_whole(ident(item, "id")),
        provider=NAME,
        fields=fields,
        emails=(fields.email,) if fields.email else (),
        phones=(fields.phone,) if fields.phone else (),
        created_at=instant(item, "first_seen_at"),
        updated_at=instant(item, "last_seen_at"),
        rest=rest(item, known),
    )


_PERSON = ("email", "first_name", "last_name", "company_name", "company_domain", "job_title", "linkedin_url")


def _person(item: Row, *, phone: str) -> ContactFields:
    places = [text(item, name) for name in ("city", "state", "country")]
    return ContactFields(
        email=text(item, "email"),
        phone=text(item, phone),
        first_name=text(item, "first_name"),
        last_name=text(item, "last_name"),
        company=text(item, "company_name"),
        company_domain=text(item, "company_domain"),
        job_title=text(item, "job_title"),
        location=", ".join(filter(None, places)) or text(item, "location"),
        linkedin_url=text(item, "linkedin_url"),
    )


def contact_list(item: Row) -> RemoteList:
    """Return one contact list; whatever stands in the place of its template counts as one."""
    template = "default_sequence_template_id"
    return RemoteList(
        id=_whole(ident(item, "id")),
        provider=NAME,
        name=text(item, "name"),
        enrols=item[template] is not None if template in item else None,
        blueprint_id=_whole_or_none(item, "default_sequence_template_id"),
        entries_count=number(item, "entries_count"),
        created_at=instant(item, "created_at"),
        updated_at=instant(item, "updated_at"),
        rest=rest(item, (*_TIMES, "name", "default_sequence_template_id", "entries_count")),
    )


def entry(item: Row) -> RemoteEntry:
    """Return one entry of a contact list."""
    return RemoteEntry(
        id=_whole(ident(item, "id")),
        provider=NAME,
        list_id=_whole_or_none(item, "contact_list_id"),
        contact_id=_whole_or_none(item, "contact_id"),
        fields=_person(item, phone="phone"),
        created_at=instant(item, "created_at"),
        updated_at=instant(item, "updated_at"),
        rest=rest(item, (*_TIMES, *_PERSON, "contact_list_id", "contact_id", "phone", "location")),
    )


def exclusion(item: Row) -> RemoteExclusion:
    """Return one exclusion, of a contact or of an account."""
    known = (*_TIMES, "email", "linkedin_url", "domain", "reason", "message", "until")
    return RemoteExclusion(
        id=_whole(ident(item, "id")),
        provider=NAME,
        email=text(item, "email"),
        linkedin_url=text(item, "linkedin_url"),
        domain=text(item, "domain"),
        reason=text(item, "reason"),
        message=text(item, "message", limit=MESSAGE),
        until=instant(item, "until"),
        created_at=instant(item, "created_at"),
        updated_at=instant(item, "updated_at"),
        rest=rest(item, known),
    )


def activity(item: Row) -> RemoteActivity:
    """Return one activity; the documents spell the fields of its payload in two ways."""
    payload = inner(item, "payload")
    return RemoteActivity(
        id=_whole(ident(item, "id")),
        provider=NAME,
        type=text(payload, "type"),
        channel=text(payload, "channel"),
        resource_type=text(payload, "resource_type", "resourceType"),
        sequence_id=_whole_or_none(payload, "sequence_id", "sequenceId"),
        person_id=ident_or_none(payload, "person_id", "personId"),
        blueprint_id=_whole_or_none(payload, "sequence_template_id", "sequenceTemplateId"),
        created_at=instant(item, "created_at", "createdAt"),
        rest=rest(payload, _ACTIVITY),
    )


_ACTIVITY = (
    *("type", "channel", "resource_type", "resourceType", "sequence_id", "sequenceId", "person_id", "personId"),
    *("sequence_template_id", "sequenceTemplateId", "organization_id", "organizationId"),
)


def task(item: Row) -> RemoteTask:
    """Return one task."""
    known = ("type", "status", "priority", "sequence_id", "assignee_user_id", "disposition")
    return RemoteTask(
        id=_whole(ident(item, "id")),
        provider=NAME,
        type=text(item, "type"),
        provider_status=text(item, "status"),
        priority=text(item, "priority"),
        sequence_id=_whole_or_none(item, "sequence_id"),
        assignee_user_id=ident_or_none(item, "assignee_user_id"),
        disposition=text(item, "disposition"),
        skipped_at=instant(item, "skipped_at"),
        completed_at=instant(item, "completed_at"),
        created_at=instant(item, "created_at"),
        updated_at=instant(item, "updated_at"),
        rest=rest(item, (*_TIMES, *known, "skipped_at", "completed_at")),
    )


def skipped(item: Row) -> RemoteTask:
    """Return a task that the answer shows to be skipped."""
    return _task_in(item, {"SKIPPED"})


def _task_in(item: Row, wanted: Collection[str]) -> RemoteTask:
    found = task(item)
    if found.provider_status not in wanted:
        raise UnreadableError("the status is not the one asked for")
    return found


def messages(body: object) -> tuple[RemoteMessage, ...]:
    """Return a task's messages: a bare list, not paged."""
    return rows_of(body, "the answer", _message)[0]


def _message(item: Row) -> RemoteMessage:
    return RemoteMessage(
        id=_whole(ident(item, "id")),
        provider=NAME,
        channel=text(item, "channel"),
        direction=text(item, "direction"),
        subject=text(item, "subject"),
        body=prose(item, "body"),
        sent_at=instant(item, "sent_at"),
        sender_id=ident_or_none(item, "sender_id"),
        rest=rest(item, ("id", "channel", "direction", "subject", "body", "sent_at", "sender_id")),
    )


def _whole(own: str) -> str:
    return f"{NAME}:{own}"


def _whole_or_none(parent: Row, *names: str) -> str | None:
    own = ident_or_none(parent, *names)
    return _whole(own) if own else None
