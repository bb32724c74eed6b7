"""Clarky's wire format: limits, error bodies, statuses, and its JSON as our values.

- Limits: pages "Rate limits" and "Pagination".
- Errors (page "Errors"): ``{"error": {"code", "message", "details"}}``.
- Statuses of an enrolment (page "Sequences") as one of our nine. Only ``pending_approval`` is documented; the
  other words in the table are the usual ones of such APIs. A word that says "over" ends the run, because its
  contact would otherwise count as busy for ever. A word for a failure that need not be final waits for a person.
- JSON: one thing is ``{"data": {…}}``, a list ``{"data": […], "pagination": {…}}``. The bodies of the two sequence
  endpoints are not published, so they are read with and without ``data``, under each plausible field name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, TypeVar

from pydantic import PlainValidator

from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.domain.run import SequenceStatus, VendorStep
from sequences_mcp.domain.sender import Secret
from sequences_mcp.errors import ProviderForbiddenError, ProviderRejectedError, SequencesError
from sequences_mcp.vendors import parsing, translation
from sequences_mcp.vendors.clarky import DESCRIPTION
from sequences_mcp.vendors.outcome import VendorApi, VendorRefusal, VendorWords, made_error
from sequences_mcp.vendors.parsing import VendorObject, at

READS_A_MINUTE = 120
WRITES_A_MINUTE = 60
PAGE_SIZE = 100
LONGEST_KEY = 255  # no length is published; this is what comparable APIs take


class _ErrorBody(VendorObject):
    code: parsing.Code = at("error", "code")
    field: parsing.Code = at("error", "details", "field")
    message: parsing.Message = at("error", "message")
    details: parsing.Object = at("error", "details", default={})

    def to_domain(self) -> VendorWords:
        more = parsing.rest(self.details, ("field",))
        return VendorWords(code=self.code, detail=self.field, message=self.message, more=more)


def clarky_words(body: object) -> VendorWords:
    """Return what an error body says."""
    return _ErrorBody.read(parsing.row_or_empty(body)).to_domain()


def explain_clarky(refusal: VendorRefusal) -> SequencesError | None:
    """Return our error for a code that says more than its status, or None."""
    code, field = refusal.words.code, refusal.words.detail
    if refusal.status == 403:
        return made_error(
            ProviderForbiddenError,
            refusal,
            f"Clarky does not allow this key to {refusal.request.what}.",
            next_step="Writes need a key with the scope `write`; sequences over the API also need the plan "
            "Standard or a higher one. Clarky does not document which of the two it means.",
        )
    if code == "validation_error" and field == "bot_id":
        return made_error(
            ProviderRejectedError,
            refusal,
            "Clarky needs a valid `bot_id`: the template names no bot, or the one given is not in this workspace.",
            next_step="The operator sets an agent of it in CLARKY_BOT_ID, or names one in the template.",
        )
    if code == "validation_error" and (field or "").startswith("contact"):
        return made_error(
            ProviderRejectedError,
            refusal,
            "Clarky cannot use this contact.",
            next_step="Give an address or a phone number (E.164) for a channel that the template uses.",
        )
    return None


def _sign(key: Secret) -> dict[str, str]:
    return {"Authorization": f"Bearer {key.value}"}


CLARKY = VendorApi(
    description=DESCRIPTION,
    sign=_sign,
    words=clarky_words,
    explain=explain_clarky,
    reads_per_minute=READS_A_MINUTE,
    writes_per_minute=WRITES_A_MINUTE,
)


_WORDS: Mapping[SequenceStatus, tuple[str, ...]] = {
    SequenceStatus.FOUND: (
        "pending_approval",
        "pending_review",
        "awaiting_approval",
        "in_review",
        "draft",
        "generating",
    ),
    SequenceStatus.ACTIVE: (
        *("active", "running", "in_progress", "approved", "scheduled", "queued", "pending", "enrolled", "sending"),
        *("processing", "sent"),
    ),
    SequenceStatus.WAITING_FOR_LEAD: ("paused",),
    SequenceStatus.WAITING_FOR_USER: ("error", "action_required", "blocked"),
    SequenceStatus.COMPLETED: ("completed", "complete", "finished", "done"),
    SequenceStatus.SUCCEEDED: ("replied", "succeeded", "won", "booked"),
    SequenceStatus.FAILED: ("failed", "bounced"),
    SequenceStatus.STOPPED_EARLY: ("stopped", "cancelled", "canceled", "unenrolled", "unsubscribed", "expired"),
    SequenceStatus.REFUSED: ("rejected", "declined", "refused"),
}
MEANING: Mapping[str, SequenceStatus] = {word: status for status, words in _WORDS.items() for word in words}


def clarky_status(status: str | None) -> SequenceStatus | None:
    """Return our status, or None for a word that is not in the table."""
    return MEANING.get((status or "").strip().lower().replace(" ", "_").replace("-", "_"))


T = TypeVar("T")
NAME = DESCRIPTION.name
WholeId = Annotated[str, PlainValidator(partial(parsing.needed_id, of=f"{NAME}:"))]
WholeIdOrNone = Annotated[str | None, PlainValidator(partial(parsing.id_or_none, of=f"{NAME}:"))]


def clarky_data(body: object) -> parsing.Row:
    """Return the one thing of an answer, inside ``data`` or without it."""
    answer = parsing.row_at(body, "the answer")
    if "error" in answer and "data" not in answer:
        raise parsing.UnreadableError("there is an `error`")
    return parsing.row_at(answer["data"], "`data`") if "data" in answer else answer


class _Page(VendorObject):
    data: object = None
    pagination: parsing.Object = at("pagination")
    total: parsing.Number = at("pagination", "total")
    total_pages: parsing.Number = at("pagination", "total_pages")


def clarky_page(
    body: object, read: Callable[[parsing.Row], T], *, page: int, size: int
) -> translation.RemotePage[T]:
    """Return one page; a bounded list has no pagination and is whole."""
    answer = _Page.read(body)
    items, unreadable = parsing.rows_of(answer.data, "`data`", read)
    return translation.RemotePage(
        items=items,
        page=page,
        size=size,
        total_count=answer.total if answer.pagination else len(items) + unreadable,
        has_more=answer.total_pages is not None and page < answer.total_pages,
        unreadable=unreadable,
    )


def _primary_first(value: object, *, inside: str) -> tuple[str, ...]:
    """Return addresses or numbers: objects on one page of the documents, texts on another."""
    items = [
        (item.get(inside), item.get("is_primary")) if parsing.is_row(item) else (item, None)
        for item in parsing.list_or_empty(value)
    ]
    return parsing.texts([text for text, is_primary in sorted(items, key=lambda item: item[1] is not True)])


class _Contact(VendorObject):
    id: WholeId
    first_name: parsing.Line = None
    last_name: parsing.Line = None
    company: parsing.Line = None
    job_title: parsing.Line = None
    city: parsing.Line = None
    linkedin_url: parsing.Line = None
    emails: Annotated[tuple[str, ...], PlainValidator(partial(_primary_first, inside="email"))] = ()
    phone_numbers: Annotated[tuple[str, ...], PlainValidator(partial(_primary_first, inside="phone_number"))] = ()
    notes: Annotated[str | None, PlainValidator(partial(parsing.prose, limit=parsing.NOTES))] = None
    created_at: parsing.Instant = None
    updated_at: parsing.Instant = None

    def to_domain(self) -> translation.RemoteContact:
        return translation.RemoteContact(
            id=self.id,
            fields=ContactFields(
                email=next(iter(self.emails), None),
                phone=next(iter(self.phone_numbers), None),
                first_name=self.first_name,
                last_name=self.last_name,
                company=self.company,
                job_title=self.job_title,
                location=self.city,
                linkedin_url=self.linkedin_url,
            ),
            emails=self.emails,
            phones=self.phone_numbers,
            notes=self.notes,
            created_at=self.created_at,
            updated_at=self.updated_at,
        )


clarky_contact = parsing.reader(_Contact, _Contact.to_domain)


class _Agent(VendorObject):
    id: WholeId
    is_enabled: parsing.Flag = at("enabled")

    def to_domain(self) -> translation.RemoteAgent:
        return translation.RemoteAgent(**dict(self))


clarky_agent = parsing.reader(_Agent, _Agent.to_domain)


class _Started(VendorObject):
    enrollment_id: WholeIdOrNone = None
    enrollment_camel_id: WholeIdOrNone = at("enrollmentId")
    enrollment_inner_id: WholeIdOrNone = at("enrollment", "id")
    sequence_id: WholeIdOrNone = None
    sequence_camel_id: WholeIdOrNone = at("sequenceId")
    sequence_inner_id: WholeIdOrNone = at("sequence", "id")


def clarky_started(body: object) -> str | None:
    """Return the enrollment's id that "Start a sequence" tells, None where it tells the sequence's alone.

    Without either nothing says that it began.
    """
    begun = _Started.read(clarky_data(body))
    enrollment_id = begun.enrollment_id or begun.enrollment_camel_id or begun.enrollment_inner_id
    if not (enrollment_id or begun.sequence_id or begun.sequence_camel_id or begun.sequence_inner_id):
        raise parsing.UnreadableError("there is neither an enrollment id nor a sequence id")
    return enrollment_id


class _Enrollment(VendorObject):
    enrollment_id: parsing.IdOrNone = None
    id: parsing.IdOrNone = None
    status: parsing.Line = None
    enrollment_status: parsing.Line = None
    state: parsing.Line = None
    contact_id: WholeIdOrNone = None
    contact_inner_id: WholeIdOrNone = at("contact", "id")
    template_id: WholeIdOrNone = None
    sequence_id: WholeIdOrNone = None
    sequence_inner_id: WholeIdOrNone = at("sequence", "id")
    name: parsing.Line = None
    replied_at: parsing.Instant = None
    paused_until: parsing.Instant = None
    stop_reason: parsing.Line = None
    stopped_reason: parsing.Line = None
    failure_reason: parsing.Line = None
    last_step_executed_at: parsing.Instant = None
    last_sent_at: parsing.Instant = None
    steps: object = None
    created_at: parsing.Instant = None
    updated_at: parsing.Instant = None

    def to_domain(self, expected_id: str) -> translation.RemoteSequence:
        if (self.enrollment_id or self.id) not in (None, expected_id):
            raise parsing.UnreadableError("the enrollment is another one")
        word = self.status or self.enrollment_status or self.state
        return translation.RemoteSequence(
            id=f"{NAME}:{expected_id}",
            provider=NAME,
            status=clarky_status(word),
            provider_status=word,
            contact_id=self.contact_id or self.contact_inner_id,
            blueprint_id=self.template_id,
            name=self.name,
            sequence_id=self.sequence_id or self.sequence_inner_id,
            replied_at=self.replied_at,
            paused_until=self.paused_until,
            stop_reason=self.stop_reason or self.stopped_reason or self.failure_reason,
            last_step_executed_at=self.last_step_executed_at or self.last_sent_at,
            steps=parsing.rows_of(parsing.list_or_empty(self.steps), "`steps`", _step)[0],
            created_at=self.created_at,
            updated_at=self.updated_at,
        )


def clarky_enrollment(body: object, *, expected_id: str) -> translation.RemoteSequence:
    """Return what "Get an enrollment" tells."""
    data = clarky_data(body)
    run = parsing.row_or_empty(data.get("enrollment")) or data
    return _Enrollment.read({"steps": data.get("steps"), **run}).to_domain(expected_id)


class _Step(VendorObject):
    channel: parsing.Line = None
    type: parsing.Line = None
    status: parsing.Line = None
    send_state: parsing.Line = None
    state: parsing.Line = None
    scheduled_for: parsing.Instant = None
    subject: parsing.Line = None
    content: parsing.Prose = None
    body: parsing.Prose = None
    message: parsing.Prose = None
    script: parsing.Prose = None

    def to_domain(self) -> VendorStep:
        return VendorStep(
            channel=self.channel or self.type,
            provider_status=self.status or self.send_state or self.state,
            scheduled_for=self.scheduled_for,
            subject=self.subject,
            content=self.content or self.body or self.message or self.script,
        )


_step = parsing.reader(_Step, _Step.to_domain)
