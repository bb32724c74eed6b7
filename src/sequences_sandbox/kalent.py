"""Kalent's API on loopback, written from its documents."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from pydantic import ValidationError
from starlette.datastructures import Headers, QueryParams

from sequences_mcp.domain.blueprint import Channel, DelayUnit, LinkedInType, Step, Temporality
from sequences_mcp.domain.variables import VARIABLES
from sequences_sandbox import kalent_world
from sequences_sandbox.kalent_world import (
    Candidate,
    DynamicSequence,
    KalentBlueprint,
    KalentSourcing,
    Talent,
    add_candidate,
    enriched,
    latest_sequence,
)
from sequences_sandbox.rest import (
    BadInput,
    Call,
    Endpoint,
    NoSuch,
    Refused,
    Reply,
    Vendor,
    bearer,
    choice,
    integer,
    key_for,
    one_of,
    only,
    stamp,
    text,
    texts,
)
from sequences_sandbox.runs import RunState, SandboxRun, is_waiting_for_acceptance
from sequences_sandbox.world import ApiKey

BILLING = "https://app.kalent.ai/settings/billing"
WORDS = {"create_sourcings": "create sourcings", "use_outreach_integrations": "use outreach integrations"}


def success(data: dict[str, Any]) -> Reply:
    """Return data in the envelope."""
    return Reply({"success": True, "data": data})


def require_plan(call: Call, capability: str) -> None:
    """Refuse with 402 when the plan behind the key lacks the capability."""
    if capability not in call.key.lacks:
        return
    raise Refused(
        402,
        "plan_upgrade_required",
        f"A Kalent subscription or plan upgrade is required to {WORDS[capability]}. "
        f"Please subscribe or upgrade your plan in Kalent billing: {BILLING}",
        details={
            "code": "subscription_or_plan_upgrade_required",
            "action": "subscribe_or_upgrade",
            "capability": capability,
            "billingUrl": BILLING,
        },
    )


def require_credits(call: Call) -> None:
    """Refuse with 402 when the account behind the key has no credits."""
    if "credits" in call.key.lacks:
        raise Refused(402, "insufficient_credits", "Insufficient credits")


def paged_kalent_envelope(
    rows: list[dict[str, Any]], query: QueryParams, *, number: str, size: int, name: str
) -> Reply:
    """Return one page of rows; ``number`` is this endpoint's name of the zero-based page, ``size`` its default."""
    page = integer(query, number, 0, low=0)
    length = integer(query, "pageSize", size, low=1, high=50)
    shown = rows[page * length : (page + 1) * length]
    more = (page + 1) * length < len(rows)
    counts = {number: page, "pageSize": length, "total": len(rows), "hasNextPage": more}
    return success({name: shown, "pagination": counts})


# fmt: off
STEP_RULES_KEYS = (
    "id", "name", "type", "linkedInType", "content", "subject", "temporalityType", "delay", "contentSource",
    "config", "policy",
)
# fmt: on
INMAIL_SUBJECT = 200
LONGEST = {DelayUnit.DAY: 3_650, DelayUnit.MINUTE: 3_650 * 1_440, DelayUnit.SECOND: 3_650 * 86_400}
BRACES = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
BRACKETS = re.compile(r"\[[^\[\]]*[^\W\d_][^\[\]]*\]")


def checked_steps(raw: object) -> tuple[Step, ...]:
    """Return the steps as they are stored."""
    if not isinstance(raw, list):
        raise BadInput("steps must be an array", field="steps")
    steps = tuple(_step(item, f"steps[{number}]") for number, item in enumerate(raw))
    for number, step in enumerate(steps):
        _check_alone(step, f"steps[{number}]")
        _check_among(step, steps[:number], f"steps[{number}]")
    return tuple(_stored(step) for step in steps)


def _step(raw: object, place: str) -> Step:
    if not isinstance(raw, dict):
        raise BadInput(f"{place} must be an object", field=place)
    only(raw, STEP_RULES_KEYS)
    _check_unit(raw.get("delay"), place)
    try:
        return Step.model_validate_json(json.dumps(_without_nulls(raw)), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join([place, *map(str, first["loc"])])
        raise BadInput(f"{field}: {first['msg']}", field=field) from error


def _check_unit(delay: object, place: str) -> None:
    """Refuse what the product's own model would convert on the way in."""
    unit = delay.get("unit") if isinstance(delay, dict) else None
    if isinstance(unit, str) and unit not in set(DelayUnit):
        raise BadInput(f"{place}.delay.unit must be one of {', '.join(DelayUnit)}", field=f"{place}.delay.unit")


def _without_nulls(raw: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in raw.items() if value is not None}


def _check_alone(step: Step, place: str) -> None:
    _require(bool(step.id.strip()), "must not be empty", f"{place}.id")
    _require(bool(step.name.strip()), "must not be empty", f"{place}.name")
    on_linkedin = step.type is Channel.LINKEDIN
    _require(
        on_linkedin is (step.linked_in_type is not None),
        "is required for LINKEDIN steps" if on_linkedin else "is only allowed for LINKEDIN steps",
        f"{place}.linkedInType",
    )
    _check_subject(step, place)
    _check_timing(step, place)
    if step.linked_in_type is not LinkedInType.INVITATION:
        _require(bool(step.content.strip()), "must not be empty", f"{place}.content")
    for name, written in (("content", step.content), ("subject", step.subject or "")):
        _check_text(written, f"{place}.{name}")


def _check_subject(step: Step, place: str) -> None:
    is_inmail = step.linked_in_type is LinkedInType.INMAIL
    takes_one = step.type is Channel.EMAIL or is_inmail
    wrong = "is required for EMAIL and InMail steps" if takes_one else "is only allowed for EMAIL and InMail steps"
    _require(bool(step.subject and step.subject.strip()) is takes_one, wrong, f"{place}.subject")
    too_long = is_inmail and len(step.subject or "") > INMAIL_SUBJECT
    _require(not too_long, f"must be at most {INMAIL_SUBJECT} characters", f"{place}.subject")


def _check_timing(step: Step, place: str) -> None:
    lacks = step.temporality_type is Temporality.DELAYED and step.delay is None
    _require(not lacks, "is required when temporalityType is DELAYED", f"{place}.delay")
    if step.delay is not None:
        most = LONGEST[step.delay.unit]
        _require(0 < step.delay.value <= most, "must be positive and at most ten years", f"{place}.delay.value")
    days = step.policy.invite_timeout_days
    _require(
        days is None or 0 < days <= LONGEST[DelayUnit.DAY],
        "must be positive and at most ten years",
        f"{place}.policy.inviteTimeoutDays",
    )


def _check_text(text: str, field: str) -> None:
    unknown = next((name for name in BRACES.findall(text) if name not in VARIABLES), None)
    _require(unknown is None, f"Unsupported template variable: {{{{{unknown}}}}}", field)
    bracket = BRACKETS.search(text)
    _require(bracket is None, f"Unresolved placeholder: {bracket[0] if bracket else ''}", field)


def _check_among(step: Step, before: tuple[Step, ...], place: str) -> None:
    _require(step.id not in {step.id for step in before}, "must be unique within the blueprint", f"{place}.id")
    invited = any(step.is_invitation for step in before)
    _require(not (step.is_invitation and invited), "Only one invite step is allowed", f"{place}.linkedInType")
    waits = step.temporality_type is Temporality.AFTER_INVITATION_SETTLED
    _require(not waits or invited, "requires an earlier invite step", f"{place}.temporalityType")


def _stored(step: Step) -> Step:
    """Return the step; a plain invitation keeps no text."""
    is_plain = step.linked_in_type is LinkedInType.INVITATION
    return step.model_copy(update={"content": ""}) if is_plain else step


def _require(holds: bool, message: str, field: str) -> None:
    if not holds:
        raise BadInput(f"{field}: {message}", field=field)


FIELDS = ("name", "steps", "config")


def create_blueprints(call: Call) -> Reply:
    """Make a blueprint in a sourcing, with all its steps or none yet."""
    sourcing = sourcing_of(call)
    fields = call.fields()
    blank = KalentBlueprint(id=call.world.new_id("blueprint"), name=text(fields, "name"), sourcing_id=sourcing.id)
    return _blueprints_stored(call, _changed(blank, fields))


def update_blueprints(call: Call) -> Reply:
    """Change what is given; steps replace the whole list. The answer is not published: create's was chosen."""
    blueprint, fields = blueprint_of(call), call.fields()
    if not set(FIELDS) & set(fields):
        raise BadInput("At least one of name, steps, config is required", field="name")
    return _blueprints_stored(call, _changed(blueprint, fields))


def blueprint_of(call: Call) -> KalentBlueprint:
    """Return the blueprint of the path."""
    if blueprint := call.world.kalent.blueprints.get(call.path["blueprintId"]):
        return blueprint
    raise NoSuch("Sequence blueprint")


def _changed(blueprint: KalentBlueprint, fields: Mapping[str, Any]) -> KalentBlueprint:
    only(fields, FIELDS)
    name = text(fields, "name") if "name" in fields else blueprint.name
    steps = checked_steps(fields["steps"]) if "steps" in fields else blueprint.steps
    config = fields.get("config", blueprint.config)
    if not isinstance(config, Mapping):
        raise BadInput("config must be an object", field="config")
    return replace(blueprint, name=name, steps=steps, config=config)


def _blueprints_stored(call: Call, blueprint: KalentBlueprint) -> Reply:
    state = call.world.kalent
    call.world.kalent = replace(state, blueprints={**state.blueprints, blueprint.id: blueprint})
    row = {"blueprintId": blueprint.id, "name": blueprint.name, "sourcingId": blueprint.sourcing_id}
    return success(row)


SORT_FIELDS = ("name", "companyName", "statusHandle", "city", "jobTitle", "userRating", "contacts", "createdAt")
SORTABLE = (*SORT_FIELDS, "history")


def add(call: Call) -> Reply:
    """Put a talent into a sourcing, to be contacted: also one who is there already and had moved on."""
    sourcing = sourcing_of(call)
    talent_id = text(call.fields(), "talentId")
    require_credits(call)
    if talent_id not in call.world.kalent.talents:
        raise NoSuch("Talent")
    made = Candidate(
        id=call.world.new_id("candidate"), talent_id=talent_id, sourcing_id=sourcing.id, created_at=call.now
    )
    call.world.kalent, row = add_candidate(call.world.kalent, made)
    shown = _candidate(row)
    shown["candidateId"] = shown.pop("id")
    return success({**shown, "userRating": row.user_rating})


def listed_candidates(call: Call) -> Reply:
    """List a sourcing's candidates; ``pageIndex`` counts from 0, ``pageSize`` is 25, at most 50."""
    sourcing = sourcing_of(call)
    field = choice(call.query, "sortField", SORTABLE, default="createdAt")
    descending = choice(call.query, "sortOrder", ("asc", "desc"), default="asc") == "desc"
    state = call.world.kalent
    rows = [(c, state.talents[c.talent_id]) for c in state.candidates.values() if c.sourcing_id == sourcing.id]
    results = [(c, t) for c, t in rows if _is_wanted(call, c, t)]
    results.sort(key=lambda row: _sort_value(field, *row), reverse=descending)
    shown = [{"candidate": _candidate(c), "talent": _brief(t)} for c, t in results]
    return paged_kalent_envelope(shown, call.query, number="pageIndex", size=25, name="candidates")


def _is_wanted(call: Call, candidate: Candidate, talent: Talent) -> bool:
    """Say whether a row meets the filters; without a status filter all but NOT_RETAINED do."""
    handles = call.query.getlist("statusHandle")
    status = candidate.status_handle in handles if handles else candidate.status_handle != "NOT_RETAINED"
    filters = (("location", talent.city), ("jobTitle", talent.job_title), ("currentCompany", talent.company))
    listed = all(not (wanted := call.query.getlist(name)) or value in wanted for name, value in filters)
    haystack = " ".join(filter(None, (talent.firstname, talent.lastname, talent.job_title, talent.company)))
    return status and listed and call.query.get("search", "").casefold() in haystack.casefold()


def _sort_value(field: str, candidate: Candidate, talent: Talent) -> tuple[bool, str]:
    values = {
        "name": f"{talent.firstname} {talent.lastname}",
        "companyName": talent.company,
        "statusHandle": candidate.status_handle,
        "city": talent.city,
        "jobTitle": talent.job_title,
        "userRating": None if candidate.user_rating is None else str(candidate.user_rating),
        "contacts": str(len(talent.emails) + len(talent.phones)),
    }
    value = values.get(field, stamp(candidate.created_at, millis=True))
    return value is None, value or ""


def shown_candidates(call: Call) -> Reply:
    """Show a candidate with what is known of the talent."""
    candidate = candidate_of(call)
    talent = call.world.kalent.talents[candidate.talent_id]
    return success({"candidate": _candidate(candidate), "talent": _profile(talent)})


def candidate_of(call: Call) -> Candidate:
    """Return the candidate of the path."""
    if candidate := call.world.kalent.candidates.get(call.path["candidateId"]):
        return candidate
    raise NoSuch("Candidate")


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "id": candidate.id,
        "statusHandle": candidate.status_handle,
        "createdAt": stamp(candidate.created_at, millis=True),
        "sourcingId": candidate.sourcing_id,
        "talentId": candidate.talent_id,
    }


def _brief(talent: Talent) -> dict[str, Any]:
    return {
        "id": talent.id,
        "firstname": talent.firstname,
        "lastname": talent.lastname,
        "jobTitle": talent.job_title,
        "city": talent.city,
        "linkedinUrl": talent.linkedin_url,
    }


def _profile(talent: Talent) -> dict[str, Any]:
    company = {"id": f"org_{talent.id}", "name": talent.company, "logoUrl": None} if talent.company else None
    return {
        **_brief(talent),
        "country": talent.country,
        "currentOrganization": company,
        "emails": list(talent.emails),
        "phones": list(talent.phones),
        "contactsLoading": {kind: kind in talent.loading for kind in ("email", "phone")},
    }


DISPLAY = {
    RunState.RUNNING: "SCHEDULED",
    RunState.PAUSED: "PAUSED",
    RunState.BLOCKED: "ACTION_REQUIRED",
    RunState.REPLIED: "TALENT_REPLIED",
    RunState.COMPLETED: "COMPLETED",
    RunState.FAILED: "ERROR",
    RunState.STOPPED: "COMPLETED",
}


def shown_dynamic_sequence(call: Call) -> Reply:
    """Show the candidate's latest run, or null."""
    candidate = candidate_of(call)
    sequence = latest_sequence(call.world.kalent, candidate.id)
    return success(
        {
            "candidateId": candidate.id,
            "talentId": candidate.talent_id,
            "sourcingId": candidate.sourcing_id,
            "sequence": _sequence(sequence) if sequence else None,
        }
    )


def _sequence(sequence: DynamicSequence) -> dict[str, Any]:
    run = sequence.run
    row: dict[str, Any] = {
        "sequenceId": sequence.id,
        "name": sequence.name,
        "rawStatus": run.state.value,
        "displayStatus": "WAITING_FOR_ACCEPTANCE" if is_waiting_for_acceptance(run) else DISPLAY[run.state],
        "currentStep": len(run.executed),
        "totalSteps": len(run.touches),
    }
    return row | ({"actionRequired": _action(run)} if run.state is RunState.BLOCKED else {})


def _action(run: SandboxRun) -> dict[str, Any]:
    touch = run.current
    return {"type": touch.block, "stepId": touch.id} if touch else {}


SEARCHED = {"phone": {"phone"}, "personalEmail": {"email"}, "all": {"email", "phone"}}
# The vendor's guidance is to ask every 10 to 20 seconds.
DURATION = timedelta(seconds=15)


def begin(call: Call) -> Reply:
    """Begin the search; ``contactsLoading`` of the candidate says when it is over."""
    candidate = candidate_of(call)
    kind = one_of(call.fields().get("enrichmentType"), SEARCHED, field="enrichmentType")
    if "enrich_providers" in call.key.lacks:
        raise Refused(400, "missing_enrich_providers", "No enrichment provider is configured in this workspace")
    require_credits(call)
    state = call.world.kalent
    talent = enriched(state.talents[candidate.talent_id], frozenset(SEARCHED[kind]), ready_at=call.now + DURATION)
    call.world.kalent = replace(state, talents={**state.talents, talent.id: talent})
    return success({"candidateId": candidate.id, "talentId": talent.id, "enrichmentType": kind})


def create_sourcings(call: Call) -> Reply:
    """Make a sourcing with a generated name; the body must be ``{}``."""
    only(call.fields(), ())
    require_plan(call, "create_sourcings")
    state = call.world.kalent
    sourcing = KalentSourcing(id=call.world.new_id("sourcing"), name=f"New sourcing {len(state.sourcings) + 1}")
    call.world.kalent = replace(state, sourcings={**state.sourcings, sourcing.id: sourcing})
    return success(_row(sourcing))


def listed_sourcings(call: Call) -> Reply:
    """List by ownership and status; ``page`` counts from 0, ``pageSize`` is 8, at most 50."""
    mine = choice(call.query, "ownership", ("mine", "all"), default="mine") == "mine"
    closed = choice(call.query, "status", ("in-progress", "closed"), default="in-progress") == "closed"
    sourcings = [
        s for s in call.world.kalent.sourcings.values() if s.is_closed is closed and (s.is_mine or not mine)
    ]
    return paged_kalent_envelope([_row(s) for s in sourcings], call.query, number="page", size=8, name="sourcings")


def sourcing_of(call: Call) -> KalentSourcing:
    """Return the sourcing of the path."""
    if sourcing := call.world.kalent.sourcings.get(call.path["sourcingId"]):
        return sourcing
    raise NoSuch("Sourcing")


def _row(sourcing: KalentSourcing) -> dict[str, str]:
    return {"sourcingId": sourcing.id, "name": sourcing.name}


# Stated for the vendor's MCP tool, not on this page.
START_MOST = 100
ACCOUNTS = {"LINKEDIN": "LinkedIn", "WHATSAPP": "WhatsApp", "EMAIL": "Email"}


def start_kalent_start(call: Call) -> Reply:
    """Begin a run for each candidate: all of them or, where one is wrong, none.

    ``candidateCount`` is the number asked for. No repeat is recognised: nothing published says that one is.
    """
    blueprint = blueprint_of(call)
    candidate_ids = _candidate_ids(call)
    require_plan(call, "use_outreach_integrations")
    if not blueprint.steps:
        raise BadInput("The blueprint needs at least one valid step", field="steps")
    _require_accounts(call, blueprint.steps)
    _require_candidates(call, candidate_ids, sourcing_id=blueprint.sourcing_id)
    runs = {candidate_id: call.world.new_id("sequence") for candidate_id in candidate_ids}
    call.world.kalent = kalent_world.start_kalent(call.world.kalent, blueprint, runs, now=call.now)
    return success({"started": True, "blueprintId": blueprint.id, "candidateCount": len(candidate_ids)})


def _candidate_ids(call: Call) -> tuple[str, ...]:
    fields = call.fields()
    only(fields, ("candidateIds",))
    results = texts(fields, "candidateIds")
    if not 1 <= len(results) <= START_MOST:
        raise BadInput(f"candidateIds must contain 1 to {START_MOST} ids", field="candidateIds")
    return results


def _require_candidates(call: Call, candidate_ids: Iterable[str], *, sourcing_id: str) -> None:
    known = call.world.kalent.candidates
    for candidate_id in candidate_ids:
        if candidate_id not in known:
            raise NoSuch(f"Candidate {candidate_id}")
        if known[candidate_id].sourcing_id != sourcing_id:
            raise BadInput(
                f"Candidate {candidate_id} does not belong to the blueprint's sourcing", field="candidateIds"
            )


def _require_accounts(call: Call, steps: tuple[Step, ...]) -> None:
    for step in steps:
        account = step.type.lower()
        if account in call.key.lacks:
            raise _forbidden(
                f"{ACCOUNTS[step.type]} account is not connected or not synced",
                f"{account}_not_connected_or_syncing",
            )
        if step.linked_in_type is LinkedInType.INMAIL and "inmail" in call.key.lacks:
            raise _forbidden("LinkedIn InMail is not available", "linkedin_inmail_not_available")


def _forbidden(message: str, code: str) -> Refused:
    return Refused(403, "forbidden", message, details={"code": code})


KALENT_API_CODES = {
    400: "validation_error",
    401: "invalid_api_key",
    402: "plan_upgrade_required",
    403: "forbidden",
    404: "not_found",
    429: "rate_limit_exceeded",
    500: "internal_error",
    503: "temporal_unavailable",
}
KALENT_API_ENDPOINTS = (
    Endpoint("POST", "/sourcings", create_sourcings),
    Endpoint("GET", "/sourcings", listed_sourcings),
    Endpoint("POST", "/sourcings/{sourcingId}/candidates", add),
    Endpoint("GET", "/sourcings/{sourcingId}/candidates", listed_candidates),
    Endpoint("GET", "/candidates/{candidateId}", shown_candidates),
    Endpoint("POST", "/candidates/{candidateId}/enrich-contacts", begin),
    Endpoint("POST", "/sourcings/{sourcingId}/sequence-blueprints", create_blueprints),
    Endpoint("PATCH", "/sequence-blueprints/{blueprintId}", update_blueprints),
    Endpoint("POST", "/sequence-blueprints/{blueprintId}/start", start_kalent_start),
    Endpoint("GET", "/candidates/{candidateId}/dynamic-sequence", shown_dynamic_sequence),
)


def authenticate_kalent_api(headers: Headers, keys: tuple[ApiKey, ...]) -> ApiKey:
    """Return the key of ``x-api-key``; a bearer token is an OAuth access token, and none is valid here."""
    token = headers.get("x-api-key")
    if not token and not bearer(headers):
        raise Refused(401, "missing_api_key", "Missing API key")
    if key := key_for(token, keys):
        return key
    raise Refused(401, "invalid_api_key", "Invalid API key")


def authorize_kalent_api(key: ApiKey, endpoint: Endpoint, query: QueryParams) -> None:
    """Admit every key to every endpoint: Kalent has plans, not scopes."""


def refuse_kalent_api(problem: BadInput | NoSuch) -> Refused:
    """Return wrong input as validation_error, anything absent as not_found."""
    if isinstance(problem, NoSuch):
        return Refused(404, "not_found", problem.message)
    return Refused(400, "validation_error", problem.message)


def envelope_kalent_api(refused: Refused, reference: str) -> dict[str, Any]:
    """Return the newer of the two published shapes; ``details`` only where there are some."""
    error: dict[str, Any] = {
        "code": refused.code,
        "message": refused.message,
        "debugTrackingCode": reference,
    }
    return {"success": False, "error": error | ({"details": dict(refused.details)} if refused.details else {})}


KALENT = Vendor(
    name="kalent",
    prefix="/kalent/api/v1",
    endpoints=KALENT_API_ENDPOINTS,
    authenticate=authenticate_kalent_api,
    authorize=authorize_kalent_api,
    refuse=refuse_kalent_api,
    envelope=envelope_kalent_api,
    codes=KALENT_API_CODES,
)
