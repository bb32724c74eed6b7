"""Topo's wire format: page and batch sizes, ids, error bodies, statuses, and its JSON as our values.

- Limits: sizes are published; rate limits are not, so they are taken from the headers of Topo's answers.
- Ids: ``topo_…_id`` takes our whole id to Topo's; WrongIdError for another provider's id or another kind.
- Errors (page "Errors and rate limits"): a flat object with ``status_code`` and ``type``.
- Statuses (page "Sequences") are the nine of this product; a word that Topo adds later is read as unknown.
- JSON: one thing is a bare object; a list has ``items``, ``total_count`` and ``has_more``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from collections.abc import Sequence as Items
from functools import partial
from typing import Annotated, TypeVar

from pydantic import PlainValidator

from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.domain.run import TERMINAL, SequenceStatus
from sequences_mcp.domain.sender import Secret
from sequences_mcp.errors import InvalidArgumentsError, ProviderConflictError, SequencesError
from sequences_mcp.vendors import parsing, translation
from sequences_mcp.vendors.outcome import VendorApi, VendorRefusal, VendorWords, made_error
from sequences_mcp.vendors.parsing import VendorObject, at
from sequences_mcp.vendors.topo import DESCRIPTION

PAGE_SIZE = 100
BATCH = 100


def check_batch(items: Items[object], *, what: str) -> None:
    """Raise InvalidArgumentsError unless a batch has from 1 to 100 items."""
    if not 1 <= len(items) <= BATCH:
        raise InvalidArgumentsError(
            f"A batch takes from 1 to {BATCH} {what}; these are {len(items)}.",
            next_step="Send them in several calls.",
        )


def topo_sequence_id(whole_id: str) -> str:
    """Return the id of a run."""
    return TOPO.bare_id(whole_id, "a sequence id", listed_by="list_sequences")


def topo_template_id(whole_id: str) -> str:
    """Return the id of a sequence template."""
    return TOPO.bare_id(whole_id, "a blueprint id", listed_by="list_blueprints")


def topo_contact_id(whole_id: str) -> str:
    """Return the id of a contact."""
    return TOPO.bare_id(whole_id, "a contact id", listed_by="find_contacts")


def topo_list_id(whole_id: str) -> str:
    """Return the id of a contact list."""
    return TOPO.bare_id(whole_id, "a contact list id", listed_by="save_contacts with the provider `topo`")


def topo_task_id(whole_id: str) -> str:
    """Return the id of a task."""
    return TOPO.bare_id(whole_id, "a task id", listed_by="list_tasks")


class _ErrorBody(VendorObject):
    type: parsing.Code = None
    field: parsing.Code = at("data", "field")
    message: parsing.Message = None
    request_id: parsing.Line = None
    data: parsing.Object = at("data", default={})


def topo_words(body: object) -> VendorWords:
    """Return what an error body says."""
    read = _ErrorBody.read(parsing.row_or_empty(body))
    more = parsing.rest(read.data, ("field",))
    return VendorWords(
        code=read.type, detail=read.field, message=read.message, request_id=read.request_id, more=more
    )


def explain_topo(refusal: VendorRefusal) -> SequencesError | None:
    """Return our error where the type says more than the status: 401 and 403 share one, 422 is a state."""
    if refusal.status != 422:
        return None
    return made_error(
        ProviderConflictError,
        refusal,
        f"Topo did not {refusal.request.what}: what it is about does not allow it now.",
        next_step="Nothing was done. Read its present state first. A stop with the scope COMPANY needs a contact "
        "whose company is known; the scope CONTACT does not.",
    )


def _sign(key: Secret) -> dict[str, str]:
    return {"Authorization": f"Bearer {key.value}"}


TOPO = VendorApi(
    description=DESCRIPTION,
    sign=_sign,
    words=topo_words,
    explain=explain_topo,
)


def topo_status(status: str | None) -> SequenceStatus | None:
    """Return our status, or None for a word that is not one of the nine."""
    try:
        return SequenceStatus(status or "")
    except ValueError:
        return None


T = TypeVar("T")
NAME = DESCRIPTION.name
ReadSequence = Callable[[parsing.Row], translation.RemoteSequence]
_WholeId = Annotated[str, PlainValidator(partial(parsing.needed_id, of=f"{NAME}:"))]
_WholeIdOrNone = Annotated[str | None, PlainValidator(partial(parsing.id_or_none, of=f"{NAME}:"))]


class _WithId(VendorObject):
    id: parsing.Id


def topo_one(body: object, read: Callable[[parsing.Row], T]) -> T:
    """Return the one thing of an answer."""
    return read(parsing.row_at(body, "the answer"))


def topo_same(body: object, read: Callable[[parsing.Row], T], *, expected_id: str) -> T:
    """Return the one thing of an answer, which must be the one that was asked for."""
    answer = parsing.row_at(body, "the answer")
    if _WithId.read(answer).id != expected_id:
        raise parsing.UnreadableError("the id is another one")
    return read(answer)


class _Page(VendorObject):
    items: object = None
    total_count: parsing.Number = None
    has_more: parsing.Flag = None


def topo_page(
    body: object, read: Callable[[parsing.Row], T], *, page: int, size: int
) -> translation.RemotePage[T]:
    """Return one page."""
    answer = _Page.read(body)
    items, unreadable = parsing.rows_of(answer.items, "`items`", read)
    return translation.RemotePage(
        items=items,
        page=page,
        size=size,
        total_count=answer.total_count,
        has_more=answer.has_more is True,
        unreadable=unreadable,
    )


class _Key(_WithId):
    scopes: parsing.Lines = ()


def topo_scopes(item: parsing.Row) -> frozenset[str]:
    """Return what the key may do ("Get me")."""
    return frozenset(_Key.read(item).scopes)


def _variables(value: object) -> dict[str, str]:
    pairs = ((name, parsing.prose(text)) for name, text in list(parsing.row_or_empty(value).items())[:200])
    return {name: text for name, text in pairs if text is not None}


class _Sequence(VendorObject):
    id: _WholeId
    status: parsing.Line = None
    contact_id: _WholeIdOrNone = None
    blueprint_id: _WholeIdOrNone = at("sequence_template_id")
    list_id: _WholeIdOrNone = at("source_contact_list_id")
    last_step_executed_at: parsing.Instant = None
    variables: Annotated[dict[str, str], PlainValidator(_variables)] = at("variables", default={})
    created_at: parsing.Instant = None
    updated_at: parsing.Instant = None

    def to_domain(self) -> translation.RemoteSequence:
        word = parsing.present(self.status, "status")
        facts = {**dict(self), "status": topo_status(word)}
        return translation.RemoteSequence(**facts, provider=NAME, provider_status=word)


topo_sequence = parsing.reader(_Sequence, _Sequence.to_domain)


def topo_paused(item: parsing.Row) -> translation.RemoteSequence:
    """Return a run that the answer shows to be paused."""
    return _in_state(item, {SequenceStatus.WAITING_FOR_LEAD})


def topo_resumed(item: parsing.Row) -> translation.RemoteSequence:
    """Return a run that the answer shows to go on."""
    return _in_state(item, {SequenceStatus.ACTIVE, SequenceStatus.WAITING_FOR_USER})


def topo_stopped(item: parsing.Row) -> translation.RemoteSequence:
    """Return a run that the answer shows to be over."""
    return _in_state(item, TERMINAL)


def _in_state(item: parsing.Row, wanted: Collection[SequenceStatus]) -> translation.RemoteSequence:
    run = topo_sequence(item)
    if run.status not in wanted:
        raise parsing.UnreadableError("the status is not the one asked for")
    return run


class _Template(VendorObject):
    id: _WholeId
    name: parsing.Line = None
    provider_status: parsing.Line = at("status")
    step_count: parsing.Number = None
    created_at: parsing.Instant = None
    updated_at: parsing.Instant = None

    def to_domain(self) -> translation.RemoteBlueprint:
        return translation.RemoteBlueprint(**dict(self))


topo_blueprint = parsing.reader(_Template, _Template.to_domain)


class _Contact(VendorObject):
    id: _WholeId
    email: parsing.Line = None
    phone_number: parsing.Line = None
    first_name: parsing.Line = None
    last_name: parsing.Line = None
    company_name: parsing.Line = None
    company_domain: parsing.Line = None
    job_title: parsing.Line = None
    city: parsing.Line = None
    state: parsing.Line = None
    country: parsing.Line = None
    location: parsing.Line = None
    linkedin_url: parsing.Line = None
    first_seen_at: parsing.Instant = None
    last_seen_at: parsing.Instant = None

    def to_domain(self) -> translation.RemoteContact:
        return translation.RemoteContact(
            id=self.id,
            fields=ContactFields(
                email=self.email,
                phone=self.phone_number,
                first_name=self.first_name,
                last_name=self.last_name,
                company=self.company_name,
                company_domain=self.company_domain,
                job_title=self.job_title,
                location=", ".join(filter(None, (self.city, self.state, self.country))) or self.location,
                linkedin_url=self.linkedin_url,
            ),
            emails=(self.email,) if self.email else (),
            phones=(self.phone_number,) if self.phone_number else (),
            created_at=self.first_seen_at,
            updated_at=self.last_seen_at,
        )


topo_contact = parsing.reader(_Contact, _Contact.to_domain)


class _ContactList(VendorObject):
    """A contact list; whatever stands in the place of its template counts as one."""

    id: _WholeId
    name: parsing.Line = None
    enrols: Annotated[bool | None, PlainValidator(lambda template: template is not None)] = at(
        "default_sequence_template_id"
    )
    blueprint_id: _WholeIdOrNone = at("default_sequence_template_id")
    entries_count: parsing.Number = None

    def to_domain(self) -> translation.RemoteList:
        return translation.RemoteList(**dict(self))


topo_list = parsing.reader(_ContactList, _ContactList.to_domain)


class _Entry(VendorObject):
    id: _WholeId
    contact_id: _WholeIdOrNone = None

    def to_domain(self) -> translation.RemoteEntry:
        return translation.RemoteEntry(**dict(self))


topo_entry = parsing.reader(_Entry, _Entry.to_domain)


class _Exclusion(VendorObject):
    """An exclusion, of a contact or of an account."""

    id: _WholeId
    domain: parsing.Line = None

    def to_domain(self) -> translation.RemoteExclusion:
        return translation.RemoteExclusion(**dict(self))


topo_exclusion = parsing.reader(_Exclusion, _Exclusion.to_domain)


class _Activity(VendorObject):
    """An activity; the documents spell the time of it in two ways."""

    id: _WholeId
    type: parsing.Line = at("payload", "type")
    channel: parsing.Line = at("payload", "channel")
    created_at: parsing.Instant = None
    created_camel_at: parsing.Instant = at("createdAt")
    sequence_id: _WholeIdOrNone = at("payload", "sequence_id")

    def to_domain(self) -> translation.RemoteActivity:
        return translation.RemoteActivity(
            id=self.id,
            type=self.type,
            channel=self.channel,
            created_at=self.created_at or self.created_camel_at,
            sequence_id=self.sequence_id,
        )


topo_activity = parsing.reader(_Activity, _Activity.to_domain)


class _Task(VendorObject):
    id: _WholeId
    type: parsing.Line = None
    provider_status: parsing.Line = at("status")
    priority: parsing.Line = None
    sequence_id: _WholeIdOrNone = None
    created_at: parsing.Instant = None

    def to_domain(self) -> translation.RemoteTask:
        return translation.RemoteTask(**dict(self))


topo_task = parsing.reader(_Task, _Task.to_domain)


def topo_skipped(item: parsing.Row) -> translation.RemoteTask:
    """Return a task that the answer shows to be skipped."""
    task = topo_task(item)
    if task.provider_status != "SKIPPED":
        raise parsing.UnreadableError("the status is not the one asked for")
    return task


class _Message(VendorObject):
    id: _WholeId
    channel: parsing.Line = None
    direction: parsing.Line = None
    subject: parsing.Line = None
    body: parsing.Prose = None
    sent_at: parsing.Instant = None

    def to_domain(self) -> translation.RemoteMessage:
        return translation.RemoteMessage(**dict(self))


def topo_messages(body: object) -> tuple[translation.RemoteMessage, ...]:
    """Return a task's messages: a bare list, not paged."""
    return parsing.rows_of(body, "the answer", parsing.reader(_Message, _Message.to_domain))[0]


# Batch answers: one outcome for every item that was asked for, whatever the answer leaves out.

DONE = frozenset({"CREATED", "UPDATED"})


class _Item(VendorObject):
    index: parsing.Number = None
    status: parsing.Line = None
    resource: object = None
    error: object = None
    code: parsing.Code = at("error", "type")
    message: parsing.Message = at("error", "message")


def topo_outcomes(
    body: object, read: Callable[[parsing.Row], T], *, number: int
) -> tuple[translation.ItemOutcome[T], ...]:
    """Return what became of each of the items asked for, in their order.

    An item is done when its result says CREATED or UPDATED (or says no status at all), names no error and has a
    resource that can be read. It is not done when its result says FAILED or names an error. Anything else, and
    an item that the answer does not mention, is unknown.
    """
    items, _ = parsing.rows_of(_Page.read(body).items, "`items`", _Item.read)
    by_index = {item.index: item for item in items}
    if None in by_index or len(by_index) != len(items):
        raise parsing.UnreadableError("an item has no `index` of its own")
    return tuple(_outcome(by_index.get(index, _Item()), read) for index in range(number))


def _outcome(item: _Item, read: Callable[[parsing.Row], T]) -> translation.ItemOutcome[T]:
    word, has_error = item.status, item.error is not None
    if word == "FAILED" or (has_error and word not in DONE):
        return translation.ItemOutcome(
            outcome="not_done",
            item=None,
            provider_status=word,
            vendor_code=item.code,
            vendor_message=item.message,
        )
    resource = _resource(item, read) if not has_error and (word is None or word in DONE) else None
    return translation.ItemOutcome(
        outcome="unknown" if resource is None else "done", item=resource, provider_status=word
    )


def _resource(item: _Item, read: Callable[[parsing.Row], T]) -> T | None:
    try:
        return read(parsing.row_at(item.resource, "`resource`"))
    except parsing.UnreadableError:
        return None
