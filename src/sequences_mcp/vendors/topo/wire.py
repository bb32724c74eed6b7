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
from typing import TypeVar

from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.domain.run import TERMINAL, SequenceStatus
from sequences_mcp.domain.sender import Secret
from sequences_mcp.errors import InvalidArgumentsError, ProviderConflictError, SequencesError
from sequences_mcp.vendors import parsing, translation
from sequences_mcp.vendors.outcome import VendorApi, VendorRefusal, VendorWords, made_error
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


def topo_words(body: object) -> VendorWords:
    """Return what an error body says."""
    if not parsing.is_row(body):
        return VendorWords()
    data = parsing.inner_row(body, "data")
    return VendorWords(
        code=parsing.text_at(body, "type", limit=80),
        detail=parsing.text_at(data, "field", limit=80),
        message=parsing.text_at(body, "message", limit=parsing.MESSAGE),
        request_id=parsing.text_at(body, "request_id"),
        more=parsing.rest(data, ("field",)),
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


def topo_one(body: object, read: Callable[[parsing.Row], T]) -> T:
    """Return the one thing of an answer."""
    return read(parsing.row_at(body, "the answer"))


def topo_same(body: object, read: Callable[[parsing.Row], T], *, expected_id: str) -> T:
    """Return the one thing of an answer, which must be the one that was asked for."""
    answer = parsing.row_at(body, "the answer")
    if parsing.ident(answer, "id") != expected_id:
        raise parsing.UnreadableError("the id is another one")
    return read(answer)


def topo_page(
    body: object, read: Callable[[parsing.Row], T], *, page: int, size: int
) -> translation.RemotePage[T]:
    """Return one page."""
    answer = parsing.row_at(body, "the answer")
    items, unreadable = parsing.rows_of(answer.get("items"), "`items`", read)
    return translation.RemotePage(
        items=items,
        page=page,
        size=size,
        total_count=parsing.number_at(answer, "total_count"),
        has_more=parsing.flag_at(answer, "has_more") is True,
        unreadable=unreadable,
    )


def topo_scopes(item: parsing.Row) -> frozenset[str]:
    """Return what the key may do ("Get me")."""
    parsing.ident(item, "id")
    return frozenset(parsing.texts_at(item, "scopes"))


def topo_sequence(item: parsing.Row) -> translation.RemoteSequence:
    """Return one run; UnreadableError without a status."""
    word = parsing.text_at(item, "status")
    if word is None:
        raise parsing.UnreadableError("there is no status")
    return translation.RemoteSequence(
        id=_whole(parsing.ident(item, "id")),
        provider=NAME,
        status=topo_status(word),
        provider_status=word,
        contact_id=_whole_or_none(item, "contact_id"),
        blueprint_id=_whole_or_none(item, "sequence_template_id"),
        list_id=_whole_or_none(item, "source_contact_list_id"),
        last_step_executed_at=parsing.instant_at(item, "last_step_executed_at"),
        variables=_variables(parsing.inner_row(item, "variables")),
        created_at=parsing.instant_at(item, "created_at"),
        updated_at=parsing.instant_at(item, "updated_at"),
    )


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


def _variables(item: parsing.Row) -> dict[str, str]:
    pairs = ((name, parsing.prose_at(item, name)) for name in list(item)[:200])
    return {name: value for name, value in pairs if value is not None}


def topo_blueprint(item: parsing.Row) -> translation.RemoteBlueprint:
    """Return one sequence template."""
    return translation.RemoteBlueprint(
        id=_whole(parsing.ident(item, "id")),
        name=parsing.text_at(item, "name"),
        provider_status=parsing.text_at(item, "status"),
        step_count=parsing.number_at(item, "step_count"),
        created_at=parsing.instant_at(item, "created_at"),
        updated_at=parsing.instant_at(item, "updated_at"),
    )


def topo_contact(item: parsing.Row) -> translation.RemoteContact:
    """Return one contact."""
    fields = _person(item)
    return translation.RemoteContact(
        id=_whole(parsing.ident(item, "id")),
        fields=fields,
        emails=(fields.email,) if fields.email else (),
        phones=(fields.phone,) if fields.phone else (),
        created_at=parsing.instant_at(item, "first_seen_at"),
        updated_at=parsing.instant_at(item, "last_seen_at"),
    )


def _person(item: parsing.Row) -> ContactFields:
    places = [parsing.text_at(item, name) for name in ("city", "state", "country")]
    return ContactFields(
        email=parsing.text_at(item, "email"),
        phone=parsing.text_at(item, "phone_number"),
        first_name=parsing.text_at(item, "first_name"),
        last_name=parsing.text_at(item, "last_name"),
        company=parsing.text_at(item, "company_name"),
        company_domain=parsing.text_at(item, "company_domain"),
        job_title=parsing.text_at(item, "job_title"),
        location=", ".join(filter(None, places)) or parsing.text_at(item, "location"),
        linkedin_url=parsing.text_at(item, "linkedin_url"),
    )


def topo_list(item: parsing.Row) -> translation.RemoteList:
    """Return one contact list; whatever stands in the place of its template counts as one."""
    template = "default_sequence_template_id"
    return translation.RemoteList(
        id=_whole(parsing.ident(item, "id")),
        name=parsing.text_at(item, "name"),
        enrols=item[template] is not None if template in item else None,
        blueprint_id=_whole_or_none(item, "default_sequence_template_id"),
        entries_count=parsing.number_at(item, "entries_count"),
    )


def topo_entry(item: parsing.Row) -> translation.RemoteEntry:
    """Return one entry of a contact list."""
    return translation.RemoteEntry(
        id=_whole(parsing.ident(item, "id")),
        contact_id=_whole_or_none(item, "contact_id"),
    )


def topo_exclusion(item: parsing.Row) -> translation.RemoteExclusion:
    """Return one exclusion, of a contact or of an account."""
    return translation.RemoteExclusion(
        id=_whole(parsing.ident(item, "id")),
        domain=parsing.text_at(item, "domain"),
    )


def topo_activity(item: parsing.Row) -> translation.RemoteActivity:
    """Return one activity; the documents spell the fields of its payload in two ways."""
    payload = parsing.inner_row(item, "payload")
    return translation.RemoteActivity(
        id=_whole(parsing.ident(item, "id")),
        type=parsing.text_at(payload, "type"),
        channel=parsing.text_at(payload, "channel"),
        created_at=parsing.instant_at(item, "created_at", "createdAt"),
        sequence_id=_whole_or_none(payload, "sequence_id"),
    )


def topo_task(item: parsing.Row) -> translation.RemoteTask:
    """Return one task."""
    return translation.RemoteTask(
        id=_whole(parsing.ident(item, "id")),
        type=parsing.text_at(item, "type"),
        provider_status=parsing.text_at(item, "status"),
        priority=parsing.text_at(item, "priority"),
        sequence_id=_whole_or_none(item, "sequence_id"),
        created_at=parsing.instant_at(item, "created_at"),
    )


def topo_skipped(item: parsing.Row) -> translation.RemoteTask:
    """Return a task that the answer shows to be skipped."""
    return _task_in(item, {"SKIPPED"})


def _task_in(item: parsing.Row, wanted: Collection[str]) -> translation.RemoteTask:
    task = topo_task(item)
    if task.provider_status not in wanted:
        raise parsing.UnreadableError("the status is not the one asked for")
    return task


def topo_messages(body: object) -> tuple[translation.RemoteMessage, ...]:
    """Return a task's messages: a bare list, not paged."""
    return parsing.rows_of(body, "the answer", _message)[0]


def _message(item: parsing.Row) -> translation.RemoteMessage:
    return translation.RemoteMessage(
        id=_whole(parsing.ident(item, "id")),
        channel=parsing.text_at(item, "channel"),
        direction=parsing.text_at(item, "direction"),
        subject=parsing.text_at(item, "subject"),
        body=parsing.prose_at(item, "body"),
        sent_at=parsing.instant_at(item, "sent_at"),
    )


def _whole(bare_id: str) -> str:
    return f"{NAME}:{bare_id}"


def _whole_or_none(parent: parsing.Row, *names: str) -> str | None:
    bare_id = parsing.ident_or_none(parent, *names)
    return _whole(bare_id) if bare_id else None


# Batch answers: one outcome for every item that was asked for, whatever the answer leaves out.

DONE = frozenset({"CREATED", "UPDATED"})


def topo_outcomes(
    body: object, read: Callable[[parsing.Row], T], *, number: int
) -> tuple[translation.ItemOutcome[T], ...]:
    """Return what became of each of the items asked for, in their order.

    An item is done when its result says CREATED or UPDATED (or says no status at all), names no error and has a
    resource that can be read. It is not done when its result says FAILED or names an error. Anything else, and
    an item that the answer does not mention, is unknown.
    """
    items = parsing.row_at(body, "the answer").get("items")
    if not isinstance(items, list):
        raise parsing.UnreadableError("`items` is not a list")
    by_index: dict[int, parsing.Row] = {}
    for item in filter(parsing.is_row, items):
        index = parsing.number_at(item, "index")
        if index is None or index in by_index:
            raise parsing.UnreadableError("an item has no `index` of its own")
        by_index[index] = item
    return tuple(_outcome(by_index.get(index, {}), read) for index in range(number))


def _outcome(item: parsing.Row, read: Callable[[parsing.Row], T]) -> translation.ItemOutcome[T]:
    word, error = parsing.text_at(item, "status"), item.get("error")
    if word == "FAILED" or (error is not None and word not in DONE):
        return _failed(item, word)
    resource = _resource(item, read) if error is None and (word is None or word in DONE) else None
    return translation.ItemOutcome(
        outcome="unknown" if resource is None else "done", item=resource, provider_status=word
    )


def _resource(item: parsing.Row, read: Callable[[parsing.Row], T]) -> T | None:
    try:
        return read(parsing.row_at(item.get("resource"), "`resource`"))
    except parsing.UnreadableError:
        return None


def _failed(item: parsing.Row, word: str | None) -> translation.ItemOutcome[T]:
    error = parsing.inner_row(item, "error")
    return translation.ItemOutcome(
        outcome="not_done",
        item=None,
        provider_status=word,
        vendor_code=parsing.text_at(error, "type", limit=80),
        vendor_message=parsing.text_at(error, "message", limit=parsing.MESSAGE),
    )
