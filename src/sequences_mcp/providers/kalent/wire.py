"""Kalent's JSON as values. Every success is ``{"success": true, "data": {…}}``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from typing import TypeVar

from sequences_mcp.domain.blueprint import Step
from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.providers.kalent.status import meaning_of
from sequences_mcp.providers.lenient import (
    Row,
    UnreadableError,
    as_json,
    flag,
    ident,
    ident_or_none,
    inner,
    instant,
    number,
    rest,
    row,
    rows_of,
    text,
    texts,
)
from sequences_mcp.providers.remote import (
    RemoteBlueprint,
    RemoteContact,
    RemotePage,
    RemoteSequence,
    RemoteSourcing,
    StartedBlueprint,
)

T = TypeVar("T")
NAME = "kalent"
_STEPWISE = re.compile("step|progress", re.IGNORECASE)  # the names of the progress fields are not published


def data_of(body: object) -> Row:
    """Return the data of a success; UnreadableError when the answer does not say that it is one."""
    answer = row(body, "the answer")
    if answer.get("success") is not True:
        raise UnreadableError("`success` is not true")
    return row(answer.get("data"), "`data`")


def page_of(body: object, name: str, read: Callable[[Row], T], *, page: int, size: int) -> RemotePage[T]:
    """Return one page; Kalent's own pages begin at 0."""
    data = data_of(body)
    items, unreadable = rows_of(data.get(name), f"`{name}`", read)
    paging = inner(data, "pagination")
    return RemotePage(
        items=items,
        page=page,
        size=size,
        total_count=number(paging, "total"),
        has_more=flag(paging, "hasNextPage") is True,
        unreadable=unreadable,
    )


def sourcing(item: Row) -> RemoteSourcing:
    """Return one sourcing of "List sourcings"."""
    return RemoteSourcing(
        id=_whole(ident(item, "sourcingId")),
        provider=NAME,
        name=text(item, "name"),
        rest=rest(item, ("sourcingId", "name")),
    )


def candidate(item: Row) -> RemoteContact:
    """Return a candidate with its talent, of "List candidates" and "Get candidate"."""
    row_, talent = inner(item, "candidate"), inner(item, "talent")
    emails, phones = texts(talent, "emails", of=_address), texts(talent, "phones", of=_address)
    return RemoteContact(
        id=_whole(ident(row_, "id", "candidateId")),
        provider=NAME,
        fields=_person(talent, emails, phones),
        emails=emails,
        phones=phones,
        provider_status=text(row_, "statusHandle"),
        sourcing_id=_whole_or_none(row_, "sourcingId"),
        talent_id=_whole_or_none(row_, "talentId") or _whole_or_none(talent, "id"),
        created_at=instant(row_, "createdAt"),
        rest=rest(talent, _PERSON),
    )


_PERSON = ("id", "firstname", "lastname", "jobTitle", "city", "country", "linkedinUrl", "emails", "phones")


def _person(talent: Row, emails: tuple[str, ...], phones: tuple[str, ...]) -> ContactFields:
    return ContactFields(
        email=next(iter(emails), None),
        phone=next(iter(phones), None),
        first_name=text(talent, "firstname"),
        last_name=text(talent, "lastname"),
        company=text(inner(talent, "currentOrganization"), "name"),
        job_title=text(talent, "jobTitle"),
        location=text(talent, "city"),
        linkedin_url=text(talent, "linkedinUrl"),
    )


def _address(item: object) -> object:
    """Return an address that stands alone or in an object: the shape of the items is not published."""
    if not isinstance(item, Mapping):
        return item
    return next((item[name] for name in ("email", "phone", "phoneNumber", "value") if name in item), None)


def added_candidate(body: object, *, talent: str) -> RemoteContact:
    """Return the candidate that "Add talent to sourcing" made or found."""
    data = data_of(body)
    if ident_or_none(data, "talentId") not in (None, talent):
        raise UnreadableError("the talent is another one")
    return RemoteContact(
        id=_whole(ident(data, "candidateId")),
        provider=NAME,
        fields=ContactFields(),
        provider_status=text(data, "statusHandle"),
        sourcing_id=_whole_or_none(data, "sourcingId"),
        talent_id=_whole_or_none(data, "talentId"),
        created_at=instant(data, "createdAt"),
        rest=rest(data, ("candidateId", "statusHandle", "sourcingId", "talentId", "createdAt")),
    )


def created_blueprint(body: object) -> RemoteBlueprint:
    """Return the blueprint of "Create sequence blueprint"."""
    data = data_of(body)
    return _blueprint(ident(data, "blueprintId"), data)


def updated_blueprint(body: object, *, own: str) -> RemoteBlueprint:
    """Return the blueprint of "Update sequence blueprint", whose answer is not published beyond `success`."""
    data = data_of(body)
    if ident_or_none(data, "blueprintId", "id") not in (None, own):
        raise UnreadableError("the blueprint is another one")
    return _blueprint(own, data)


def _blueprint(own: str, data: Row) -> RemoteBlueprint:
    return RemoteBlueprint(
        id=_whole(own),
        provider=NAME,
        name=text(data, "name"),
        sourcing_id=_whole_or_none(data, "sourcingId"),
        rest=rest(data, ("blueprintId", "id", "name", "sourcingId", "steps")),
    )


def started(body: object, *, own: str, candidate_ids: tuple[str, ...]) -> StartedBlueprint:
    """Return what "Start sequence blueprint" tells; only `started: true` is a start."""
    data = data_of(body)
    if flag(data, "started") is not True:
        raise UnreadableError("`started` is not true")
    if ident_or_none(data, "blueprintId") not in (None, own):
        raise UnreadableError("the blueprint is another one")
    count = number(data, "candidateCount")
    if count not in (None, len(candidate_ids)):
        raise UnreadableError("the number of candidates is another one")
    return StartedBlueprint(blueprint_id=_whole(own), candidate_ids=candidate_ids, candidate_count=count)


def dynamic_sequence(body: object, *, own: str) -> RemoteSequence | None:
    """Return the newest run of a candidate, or None when there is none in their sourcing."""
    data = data_of(body)
    if ident_or_none(data, "candidateId") not in (None, own):
        raise UnreadableError("the candidate is another one")
    if "sequence" not in data:
        raise UnreadableError("there is no `sequence`")
    if data["sequence"] is None:
        return None
    run = row(data["sequence"], "`sequence`")
    shown = text(run, "displayStatus")
    return RemoteSequence(
        id=_whole(ident(run, "sequenceId")),
        provider=NAME,
        status=meaning_of(shown),
        provider_status=shown or text(run, "rawStatus"),
        contact_id=_whole(own),
        name=text(run, "name"),
        progress=as_json({name: value for name, value in run.items() if _STEPWISE.search(name)}),
        action_required=as_json({"actionRequired": run.get("actionRequired") or None}),
        needs_action=shown == "ACTION_REQUIRED" or bool(run.get("actionRequired")),
        created_at=instant(run, "createdAt"),
        updated_at=instant(run, "updatedAt"),
        rest=rest(run, ("sequenceId", "name", "displayStatus", "createdAt", "updatedAt")),
    )


def steps_to_wire(steps: Items[Step]) -> list[dict[str, object]]:
    """Return steps in the shape of section "Steps" of "Create sequence blueprint".

    Only what was said of a step is sent: Kalent publishes no defaults, so ours are not sent as if they were its.
    """
    return [step.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True) for step in steps]


def _whole(own: str) -> str:
    return f"{NAME}:{own}"


def _whole_or_none(parent: Row, name: str) -> str | None:
    own = ident_or_none(parent, name)
    return _whole(own) if own else None
