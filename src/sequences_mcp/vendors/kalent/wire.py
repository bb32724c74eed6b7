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
from functools import partial
from typing import Annotated, NamedTuple, TypeVar

from pydantic import Field, PlainValidator

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
from sequences_mcp.vendors.parsing import VendorObject, at

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


class _ErrorBody(VendorObject):
    """Both published shapes: the newer one has an object as ``error``, the older one a text."""

    error: parsing.Message = None
    code: parsing.Code = at("error", "code")
    detail: parsing.Code = at("error", "details", "code")
    message: parsing.Message = at("error", "message")
    details: parsing.Object = at("error", "details", default={})
    inner_tracking_code: parsing.Line = at("error", "debugTrackingCode")
    tracking_code: parsing.Line = at("debugTrackingCode")


def kalent_words(body: object) -> VendorWords:
    """Return what an error body says."""
    read = _ErrorBody.read(parsing.row_or_empty(body))
    return VendorWords(
        code=read.code,
        detail=read.detail,
        message=read.message or read.error,
        request_id=read.inner_tracking_code or read.tracking_code,
        more=parsing.rest(read.details, ("code",)),
    )


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
_WholeId = Annotated[str, PlainValidator(partial(parsing.needed_id, of=f"{NAME}:"))]
_WholeIdOrNone = Annotated[str | None, PlainValidator(partial(parsing.id_or_none, of=f"{NAME}:"))]
_STEPWISE = re.compile("step|progress", re.IGNORECASE)  # the names of the progress fields are not published


class _Answer(VendorObject):
    success: parsing.Flag = None
    data: object = None


def kalent_data(body: object) -> parsing.Row:
    """Return the data of a success; UnreadableError when the answer does not say that it is one."""
    answer = _Answer.read(body)
    if answer.success is not True:
        raise parsing.UnreadableError("`success` is not true")
    return parsing.row_at(answer.data, "`data`")


class _Paging(VendorObject):
    total: parsing.Number = at("pagination", "total")
    has_next_page: parsing.Flag = at("pagination", "hasNextPage")


def kalent_page(
    body: object, name: str, read: Callable[[parsing.Row], T], *, page: int, size: int
) -> translation.RemotePage[T]:
    """Return one page; Kalent's own pages begin at 0."""
    data = kalent_data(body)
    items, unreadable = parsing.rows_of(data.get(name), f"`{name}`", read)
    paging = _Paging.read(data)
    return translation.RemotePage(
        items=items,
        page=page,
        size=size,
        total_count=paging.total,
        has_more=paging.has_next_page is True,
        unreadable=unreadable,
    )


class _Sourcing(VendorObject):
    id: _WholeId = Field(alias="sourcingId")
    name: parsing.Line = None

    def to_domain(self) -> translation.RemoteSourcing:
        return translation.RemoteSourcing(id=self.id, name=self.name)


kalent_sourcing = parsing.reader(_Sourcing, _Sourcing.to_domain)


def _address(item: object) -> object:
    """Return an address that stands alone or in an object: the shape of the items is not published."""
    if not isinstance(item, Mapping):
        return item
    return next((item[name] for name in ("email", "phone", "phoneNumber", "value") if name in item), None)


_Addresses = Annotated[tuple[str, ...], PlainValidator(partial(parsing.texts, of=_address))]


class _Candidate(VendorObject):
    """A candidate with its talent, of "List candidates" and "Get candidate"."""

    id: _WholeIdOrNone = at("candidate", "id")
    candidate_id: _WholeIdOrNone = at("candidate", "candidateId")
    status_handle: parsing.Line = at("candidate", "statusHandle")
    sourcing_id: _WholeIdOrNone = at("candidate", "sourcingId")
    talent_id: _WholeIdOrNone = at("candidate", "talentId")
    created_at: parsing.Instant = at("candidate", "createdAt")
    talent_own_id: _WholeIdOrNone = at("talent", "id")
    first_name: parsing.Line = at("talent", "firstname")
    last_name: parsing.Line = at("talent", "lastname")
    company: parsing.Line = at("talent", "currentOrganization", "name")
    job_title: parsing.Line = at("talent", "jobTitle")
    city: parsing.Line = at("talent", "city")
    linkedin_url: parsing.Line = at("talent", "linkedinUrl")
    emails: _Addresses = at("talent", "emails", default=())
    phones: _Addresses = at("talent", "phones", default=())

    def to_domain(self) -> translation.RemoteContact:
        return translation.RemoteContact(
            id=parsing.present(self.id or self.candidate_id, "id"),
            fields=ContactFields(
                email=next(iter(self.emails), None),
                phone=next(iter(self.phones), None),
                first_name=self.first_name,
                last_name=self.last_name,
                company=self.company,
                job_title=self.job_title,
                location=self.city,
                linkedin_url=self.linkedin_url,
            ),
            emails=self.emails,
            phones=self.phones,
            provider_status=self.status_handle,
            sourcing_id=self.sourcing_id,
            talent_id=self.talent_id or self.talent_own_id,
            created_at=self.created_at,
        )


kalent_candidate = parsing.reader(_Candidate, _Candidate.to_domain)


class _Receipt(VendorObject):
    """What the answers of Kalent's writes say about what they did."""

    talent_id: parsing.IdOrNone = at("talentId")
    candidate_id: parsing.IdOrNone = at("candidateId")
    blueprint_id: parsing.IdOrNone = at("blueprintId")
    id: parsing.IdOrNone = None
    started: parsing.Flag = None
    candidate_count: parsing.Number = at("candidateCount")


def _same(value: str | int | None, expected: str | int, what: str) -> None:
    """Raise UnreadableError where an answer names another thing than the one that was asked for."""
    if value not in (None, expected):
        raise parsing.UnreadableError(f"the {what} is another one")


def added_candidate(body: object, *, talent: str) -> str:
    """Return the id of the candidate that "Add talent to sourcing" made or found."""
    receipt = _Receipt.read(kalent_data(body))
    _same(receipt.talent_id, talent, "talent")
    return _whole(parsing.present(receipt.candidate_id, "candidateId"))


def created_blueprint(body: object) -> str:
    """Return the id of the blueprint of "Create sequence blueprint"."""
    return _whole(parsing.present(_Receipt.read(kalent_data(body)).blueprint_id, "blueprintId"))


def updated_blueprint(body: object, *, expected_id: str) -> None:
    """Read the answer of "Update sequence blueprint", which is not published beyond `success`."""
    receipt = _Receipt.read(kalent_data(body))
    _same(receipt.blueprint_id or receipt.id, expected_id, "blueprint")


def kalent_started(body: object, *, expected_id: str, count: int) -> None:
    """Read what "Start sequence blueprint" tells; only `started: true` is a start."""
    receipt = _Receipt.read(kalent_data(body))
    if receipt.started is not True:
        raise parsing.UnreadableError("`started` is not true")
    _same(receipt.blueprint_id, expected_id, "blueprint")
    _same(receipt.candidate_count, count, "number of candidates")


class _Run(VendorObject):
    id: _WholeId = Field(alias="sequenceId")
    display_status: parsing.Line = at("displayStatus")
    raw_status: parsing.Line = at("rawStatus")
    name: parsing.Line = None
    action_required: object = at("actionRequired")
    created_at: parsing.Instant = at("createdAt")
    updated_at: parsing.Instant = at("updatedAt")


def dynamic_sequence(body: object, *, expected_id: str) -> translation.RemoteSequence | None:
    """Return the newest run of a candidate, or None when there is none in their sourcing."""
    data = kalent_data(body)
    _same(parsing.id_or_none(data.get("candidateId")), expected_id, "candidate")
    if "sequence" not in data:
        raise parsing.UnreadableError("there is no `sequence`")
    if data["sequence"] is None:
        return None
    row = parsing.row_at(data["sequence"], "`sequence`")
    run = _Run.read(row)
    return translation.RemoteSequence(
        id=run.id,
        provider=NAME,
        status=kalent_status(run.display_status),
        provider_status=run.display_status or run.raw_status,
        contact_id=_whole(expected_id),
        name=run.name,
        progress=parsing.as_json({name: value for name, value in row.items() if _STEPWISE.search(name)}),
        action_required=parsing.as_json({"actionRequired": run.action_required or None}),
        needs_action=run.display_status == "ACTION_REQUIRED" or bool(run.action_required),
        created_at=run.created_at,
        updated_at=run.updated_at,
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
