"""Kalent's wire format: sizes, error bodies, statuses, and its JSON as our values.

- Limits: sizes are published; of its rate limits no numbers are.
- Errors (pages "Authentication" and "Start sequence blueprint"): both published shapes and every published code,
  each with what to do about it.
- Statuses: ``displayStatus`` as one of our nine (page "Get candidate dynamic sequence status").
- JSON: every success is ``{"success": true, "data": {…}}``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from typing import NamedTuple, TypeVar

from sequences_mcp.domain.blueprint import Step
from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.domain.run import SequenceStatus
from sequences_mcp.domain.sender import Secret
from sequences_mcp.errors import (
    ChannelNotConnectedError,
    InsufficientCreditsError,
    InvalidArgumentsError,
    PlanUpgradeError,
    ProviderRejectedError,
    ProviderUnavailableError,
    SequencesError,
)
from sequences_mcp.vendors import parsing, translation
from sequences_mcp.vendors.kalent import DESCRIPTION
from sequences_mcp.vendors.outcome import VendorApi, VendorRefusal, VendorWords, made_error

PAGE_SIZE = 50
CANDIDATES_A_CALL = 100  # documented for the MCP tool that Kalent itself offers for "Start sequence blueprint"


def fits_one_call(candidate_ids: Items[str]) -> tuple[str, ...]:
    """Return the candidates of one start, every one once; InvalidArgumentsError for none or too many."""
    once = tuple(dict.fromkeys(candidate_ids))
    if not 1 <= len(once) <= CANDIDATES_A_CALL:
        raise InvalidArgumentsError(
            f"A start takes from 1 to {CANDIDATES_A_CALL} different candidates; these are {len(once)}.",
            next_step="Start them in several calls.",
        )
    return once


BILLING = "https://app.kalent.ai/settings/billing"


class Remedy(NamedTuple):
    """Our error for one code: what is wrong, and what a person can do."""

    kind: type[SequencesError]
    message: str
    next_step: str
    link: str | None = None


_CONNECT = "Connect it in Kalent's settings, wait until it is synced, then start again."
BY_DETAIL: Mapping[str, Remedy] = {
    "linkedin_not_connected_or_syncing": Remedy(
        ChannelNotConnectedError, "Kalent has no LinkedIn account that is connected and synced.", _CONNECT
    ),
    "whatsapp_not_connected_or_syncing": Remedy(
        ChannelNotConnectedError, "Kalent has no WhatsApp account that is connected and synced.", _CONNECT
    ),
    "email_not_connected_or_syncing": Remedy(
        ChannelNotConnectedError,
        "Kalent has no mailbox (Gmail, Outlook or IMAP) that is connected and synced.",
        _CONNECT,
    ),
    "linkedin_inmail_not_available": Remedy(
        ChannelNotConnectedError,
        "The LinkedIn account connected to Kalent cannot send InMail.",
        "Connect one with Recruiter or Sales Navigator, or use a LINKEDIN_MESSAGE step instead.",
    ),
}
BY_CODE: Mapping[str, Remedy] = {
    "plan_upgrade_required": Remedy(
        PlanUpgradeError,
        "This Kalent plan does not include it.",
        f"A person can subscribe or upgrade at {BILLING}.",
        BILLING,
    ),
    "insufficient_credits": Remedy(
        InsufficientCreditsError,
        "The Kalent workspace has no credits left for this.",
        f"A person can add credits at {BILLING}.",
        BILLING,
    ),
    "validation_error": Remedy(
        ProviderRejectedError,
        "Kalent found a field wrong.",
        "Nothing was done. `vendor_message` quotes which; check_blueprint names every rule a blueprint breaks.",
    ),
    "missing_enrich_providers": Remedy(
        ProviderRejectedError,
        "No enrichment provider is set up in the Kalent workspace.",
        "A person can set one up in Kalent's settings.",
    ),
    "temporal_unavailable": Remedy(
        ProviderUnavailableError,
        "Kalent's workflow engine is not available.",
        "Try again in a few minutes.",
    ),
}


def kalent_words(body: object) -> VendorWords:
    """Return what an error body says, in the newer shape (an object) or the older one (a text)."""
    if not parsing.is_row(body):
        return VendorWords()
    error = body.get("error")
    if isinstance(error, str):
        return VendorWords(
            message=parsing.on_one_line(error, parsing.MESSAGE),
            request_id=parsing.text_at(body, "debugTrackingCode"),
        )
    error = parsing.inner_row(body, "error")
    details = parsing.inner_row(error, "details")
    return VendorWords(
        code=parsing.text_at(error, "code", limit=80),
        detail=parsing.text_at(details, "code", limit=80),
        message=parsing.text_at(error, "message", limit=parsing.MESSAGE),
        request_id=parsing.text_at(error, "debugTrackingCode") or parsing.text_at(body, "debugTrackingCode"),
        more=_more(details),
    )


def _more(details: parsing.Row) -> dict[str, object]:
    return parsing.rest(details, ("code",))


def explain_kalent(refusal: VendorRefusal) -> SequencesError | None:
    """Return our error for a published code, or None where the HTTP status says enough."""
    words = refusal.words
    remedy = BY_DETAIL.get(words.detail or "") or BY_CODE.get(words.code or "")
    if remedy is None and (words.detail or "").endswith("_not_connected_or_syncing"):
        remedy = Remedy(ChannelNotConnectedError, "An account Kalent needs is not connected and synced.", _CONNECT)
    if remedy is None:
        return None
    return made_error(remedy.kind, refusal, remedy.message, next_step=remedy.next_step, link=remedy.link)


def _sign(key: Secret) -> dict[str, str]:
    return {"x-api-key": key.value}


KALENT = VendorApi(
    description=DESCRIPTION,
    sign=_sign,
    words=kalent_words,
    explain=explain_kalent,
)


# ERROR is not FAILED: nothing says that it is final, and a run taken for ended would be started a second time.
MEANING: Mapping[str, SequenceStatus] = {
    "SCHEDULED": SequenceStatus.ACTIVE,
    "WAITING_FOR_ACCEPTANCE": SequenceStatus.ACTIVE,
    "ACTION_REQUIRED": SequenceStatus.WAITING_FOR_USER,
    "ERROR": SequenceStatus.WAITING_FOR_USER,
    "PAUSED": SequenceStatus.WAITING_FOR_LEAD,
    "TALENT_REPLIED": SequenceStatus.SUCCEEDED,
    "COMPLETED": SequenceStatus.COMPLETED,
}


def kalent_status(display_status: str | None) -> SequenceStatus | None:
    """Return our status, or None for a word Kalent does not document."""
    return MEANING.get(display_status or "")


T = TypeVar("T")
NAME = DESCRIPTION.name
_STEPWISE = re.compile("step|progress", re.IGNORECASE)  # the names of the progress fields are not published


def kalent_data(body: object) -> parsing.Row:
    """Return the data of a success; UnreadableError when the answer does not say that it is one."""
    answer = parsing.row_at(body, "the answer")
    if answer.get("success") is not True:
        raise parsing.UnreadableError("`success` is not true")
    return parsing.row_at(answer.get("data"), "`data`")


def kalent_page(
    body: object, name: str, read: Callable[[parsing.Row], T], *, page: int, size: int
) -> translation.RemotePage[T]:
    """Return one page; Kalent's own pages begin at 0."""
    data = kalent_data(body)
    items, unreadable = parsing.rows_of(data.get(name), f"`{name}`", read)
    paging = parsing.inner_row(data, "pagination")
    return translation.RemotePage(
        items=items,
        page=page,
        size=size,
        total_count=parsing.number_at(paging, "total"),
        has_more=parsing.flag_at(paging, "hasNextPage") is True,
        unreadable=unreadable,
    )


def kalent_sourcing(item: parsing.Row) -> translation.RemoteSourcing:
    """Return one sourcing of "List sourcings"."""
    return translation.RemoteSourcing(
        id=_whole(parsing.ident(item, "sourcingId")),
        name=parsing.text_at(item, "name"),
    )


def kalent_candidate(item: parsing.Row) -> translation.RemoteContact:
    """Return a candidate with its talent, of "List candidates" and "Get candidate"."""
    row_, talent = parsing.inner_row(item, "candidate"), parsing.inner_row(item, "talent")
    emails, phones = (
        parsing.texts_at(talent, "emails", of=_address),
        parsing.texts_at(talent, "phones", of=_address),
    )
    return translation.RemoteContact(
        id=_whole(parsing.ident(row_, "id", "candidateId")),
        fields=_person(talent, emails, phones),
        emails=emails,
        phones=phones,
        provider_status=parsing.text_at(row_, "statusHandle"),
        sourcing_id=_whole_or_none(row_, "sourcingId"),
        talent_id=_whole_or_none(row_, "talentId") or _whole_or_none(talent, "id"),
        created_at=parsing.instant_at(row_, "createdAt"),
    )


def _person(talent: parsing.Row, emails: tuple[str, ...], phones: tuple[str, ...]) -> ContactFields:
    return ContactFields(
        email=next(iter(emails), None),
        phone=next(iter(phones), None),
        first_name=parsing.text_at(talent, "firstname"),
        last_name=parsing.text_at(talent, "lastname"),
        company=parsing.text_at(parsing.inner_row(talent, "currentOrganization"), "name"),
        job_title=parsing.text_at(talent, "jobTitle"),
        location=parsing.text_at(talent, "city"),
        linkedin_url=parsing.text_at(talent, "linkedinUrl"),
    )


def _address(item: object) -> object:
    """Return an address that stands alone or in an object: the shape of the items is not published."""
    if not isinstance(item, Mapping):
        return item
    return next((item[name] for name in ("email", "phone", "phoneNumber", "value") if name in item), None)


def added_candidate(body: object, *, talent: str) -> str:
    """Return the id of the candidate that "Add talent to sourcing" made or found."""
    data = kalent_data(body)
    if parsing.ident_or_none(data, "talentId") not in (None, talent):
        raise parsing.UnreadableError("the talent is another one")
    return _whole(parsing.ident(data, "candidateId"))


def created_blueprint(body: object) -> str:
    """Return the id of the blueprint of "Create sequence blueprint"."""
    return _whole(parsing.ident(kalent_data(body), "blueprintId"))


def updated_blueprint(body: object, *, expected_id: str) -> None:
    """Read the answer of "Update sequence blueprint", which is not published beyond `success`."""
    if parsing.ident_or_none(kalent_data(body), "blueprintId", "id") not in (None, expected_id):
        raise parsing.UnreadableError("the blueprint is another one")


def kalent_started(body: object, *, expected_id: str, count: int) -> None:
    """Read what "Start sequence blueprint" tells; only `started: true` is a start."""
    data = kalent_data(body)
    if parsing.flag_at(data, "started") is not True:
        raise parsing.UnreadableError("`started` is not true")
    if parsing.ident_or_none(data, "blueprintId") not in (None, expected_id):
        raise parsing.UnreadableError("the blueprint is another one")
    if parsing.number_at(data, "candidateCount") not in (None, count):
        raise parsing.UnreadableError("the number of candidates is another one")


def dynamic_sequence(body: object, *, expected_id: str) -> translation.RemoteSequence | None:
    """Return the newest run of a candidate, or None when there is none in their sourcing."""
    data = kalent_data(body)
    if parsing.ident_or_none(data, "candidateId") not in (None, expected_id):
        raise parsing.UnreadableError("the candidate is another one")
    if "sequence" not in data:
        raise parsing.UnreadableError("there is no `sequence`")
    if data["sequence"] is None:
        return None
    run = parsing.row_at(data["sequence"], "`sequence`")
    shown = parsing.text_at(run, "displayStatus")
    return translation.RemoteSequence(
        id=_whole(parsing.ident(run, "sequenceId")),
        provider=NAME,
        status=kalent_status(shown),
        provider_status=shown or parsing.text_at(run, "rawStatus"),
        contact_id=_whole(expected_id),
        name=parsing.text_at(run, "name"),
        progress=parsing.as_json({name: value for name, value in run.items() if _STEPWISE.search(name)}),
        action_required=parsing.as_json({"actionRequired": run.get("actionRequired") or None}),
        needs_action=shown == "ACTION_REQUIRED" or bool(run.get("actionRequired")),
        created_at=parsing.instant_at(run, "createdAt"),
        updated_at=parsing.instant_at(run, "updatedAt"),
    )


_OURS_ALONE = {"format", "variants"}


def steps_to_wire(steps: Items[Step]) -> list[dict[str, object]]:
    """Return steps in the shape of section "Steps" of "Create sequence blueprint".

    Only what was said of a step is sent: Kalent publishes no defaults, so ours are not sent as if they were its.
    """
    return [
        step.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True, exclude=_OURS_ALONE)
        for step in steps
    ]


def _whole(bare_id: str) -> str:
    return f"{NAME}:{bare_id}"


def _whole_or_none(parent: parsing.Row, name: str) -> str | None:
    bare_id = parsing.ident_or_none(parent, name)
    return _whole(bare_id) if bare_id else None
