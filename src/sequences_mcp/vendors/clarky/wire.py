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
from typing import TypeVar

from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.domain.run import SequenceStatus, VendorStep
from sequences_mcp.domain.sender import Secret
from sequences_mcp.errors import ProviderForbiddenError, ProviderRejectedError, SequencesError
from sequences_mcp.vendors import parsing, translation
from sequences_mcp.vendors.clarky import DESCRIPTION
from sequences_mcp.vendors.outcome import VendorApi, VendorRefusal, VendorWords, made_error

READS_A_MINUTE = 120
WRITES_A_MINUTE = 60
PAGE_SIZE = 100
LONGEST_KEY = 255  # no length is published; this is what comparable APIs take


def clarky_words(body: object) -> VendorWords:
    """Return what an error body says."""
    error = parsing.inner_row(body, "error") if parsing.is_row(body) else {}
    details = parsing.inner_row(error, "details")
    return VendorWords(
        code=parsing.text_at(error, "code", limit=80),
        detail=parsing.text_at(details, "field", limit=80),
        message=parsing.text_at(error, "message", limit=parsing.MESSAGE),
        more=parsing.rest(details, ("field",)),
    )


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


def clarky_data(body: object) -> parsing.Row:
    """Return the one thing of an answer, inside ``data`` or without it."""
    answer = parsing.row_at(body, "the answer")
    if "error" in answer and "data" not in answer:
        raise parsing.UnreadableError("there is an `error`")
    return parsing.row_at(answer["data"], "`data`") if "data" in answer else answer


def clarky_page(
    body: object, read: Callable[[parsing.Row], T], *, page: int, size: int
) -> translation.RemotePage[T]:
    """Return one page; a bounded list has no pagination and is whole."""
    answer = parsing.row_at(body, "the answer")
    items, unreadable = parsing.rows_of(answer.get("data"), "`data`", read)
    paging = parsing.inner_row(answer, "pagination")
    total, pages = parsing.number_at(paging, "total"), parsing.number_at(paging, "total_pages")
    return translation.RemotePage(
        items=items,
        page=page,
        size=size,
        total_count=len(items) + unreadable if not paging else total,
        has_more=pages is not None and page < pages,
        unreadable=unreadable,
    )


def clarky_contact(item: parsing.Row) -> translation.RemoteContact:
    """Return a contact; addresses come as objects on one page of the documents and as text on another."""
    emails = _primary_first(item, "emails", "email")
    phones = _primary_first(item, "phone_numbers", "phone_number")
    return translation.RemoteContact(
        id=_whole(parsing.ident(item, "id")),
        fields=ContactFields(
            email=next(iter(emails), None),
            phone=next(iter(phones), None),
            first_name=parsing.text_at(item, "first_name"),
            last_name=parsing.text_at(item, "last_name"),
            company=parsing.text_at(item, "company"),
            job_title=parsing.text_at(item, "job_title"),
            location=parsing.text_at(item, "city"),
            linkedin_url=parsing.text_at(item, "linkedin_url"),
        ),
        emails=emails,
        phones=phones,
        notes=parsing.prose_at(item, "notes", limit=parsing.NOTES),
        created_at=parsing.instant_at(item, "created_at"),
        updated_at=parsing.instant_at(item, "updated_at"),
    )


def _primary_first(item: parsing.Row, name: str, inside: str) -> tuple[str, ...]:
    entries = item.get(name)
    items = list(entries) if isinstance(entries, list) else []
    items.sort(key=lambda entry: not (parsing.is_row(entry) and entry.get("is_primary") is True))
    return parsing.texts_at(
        {name: items}, name, of=lambda entry: entry.get(inside) if isinstance(entry, Mapping) else entry
    )


def clarky_agent(item: parsing.Row) -> translation.RemoteAgent:
    """Return an agent of "Agents"."""
    return translation.RemoteAgent(
        id=_whole(parsing.ident(item, "id")), is_enabled=parsing.flag_at(item, "enabled")
    )


def clarky_started(body: object) -> str | None:
    """Return the enrollment's id that "Start a sequence" tells, None where it tells the sequence's alone.

    Without either nothing says that it began.
    """
    data = clarky_data(body)
    enrollment_id, sequence_id = (
        parsing.ident_or_none(data, *names) or parsing.ident_or_none(parsing.inner_row(data, inside), "id")
        for inside, names in _STARTED.items()
    )
    if not (enrollment_id or sequence_id):
        raise parsing.UnreadableError("there is neither an enrollment id nor a sequence id")
    return _whole(enrollment_id) if enrollment_id else None


_STARTED = {"enrollment": ("enrollment_id", "enrollmentId"), "sequence": ("sequence_id", "sequenceId")}


def clarky_enrollment(body: object, *, expected_id: str) -> translation.RemoteSequence:
    """Return what "Get an enrollment" tells."""
    data = clarky_data(body)
    run = parsing.inner_row(data, "enrollment") or data
    if parsing.ident_or_none(run, "enrollment_id", "id") not in (None, expected_id):
        raise parsing.UnreadableError("the enrollment is another one")
    word = parsing.text_at(run, "status", "enrollment_status", "state")
    steps = run.get("steps", data.get("steps"))
    contact_id = parsing.ident_or_none(run, "contact_id") or parsing.ident_or_none(
        parsing.inner_row(run, "contact"), "id"
    )
    template = parsing.ident_or_none(run, "template_id")
    sequence_id = parsing.ident_or_none(run, "sequence_id") or parsing.ident_or_none(
        parsing.inner_row(run, "sequence"), "id"
    )
    return translation.RemoteSequence(
        id=_whole(expected_id),
        provider=NAME,
        status=clarky_status(word),
        provider_status=word,
        contact_id=_whole(contact_id) if contact_id else None,
        blueprint_id=_whole(template) if template else None,
        name=parsing.text_at(run, "name"),
        sequence_id=_whole(sequence_id) if sequence_id else None,
        replied_at=parsing.instant_at(run, "replied_at"),
        paused_until=parsing.instant_at(run, "paused_until"),
        stop_reason=parsing.text_at(run, "stop_reason", "stopped_reason", "failure_reason"),
        last_step_executed_at=parsing.instant_at(run, "last_step_executed_at", "last_sent_at"),
        steps=parsing.rows_of(steps, "`steps`", _step)[0] if isinstance(steps, list) else (),
        created_at=parsing.instant_at(run, "created_at"),
        updated_at=parsing.instant_at(run, "updated_at"),
    )


def _step(item: parsing.Row) -> VendorStep:
    return VendorStep(
        channel=parsing.text_at(item, "channel", "type"),
        provider_status=parsing.text_at(item, "status", "send_state", "state"),
        scheduled_for=parsing.instant_at(item, "scheduled_for"),
        subject=parsing.text_at(item, "subject"),
        content=parsing.prose_at(item, "content", "body", "message", "script"),
    )


def _whole(bare_id: str) -> str:
    return f"{NAME}:{bare_id}"
