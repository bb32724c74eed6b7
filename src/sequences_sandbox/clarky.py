"""Clarky's API on loopback, written from its documents."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from starlette.datastructures import Headers, QueryParams

from sequences_mcp.domain.contact import appended_note
from sequences_sandbox.clarky_world import (
    Agent,
    ClarkyContact,
    ClarkyTemplate,
    Enrollment,
    channels_for,
    find_by_email,
    find_match,
    pacing_for,
    with_contact,
    with_enrollment,
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
    flag,
    integer,
    key_for,
    optional_moment,
    optional_stamp,
    optional_text,
    stamp,
    text,
    texts,
)
from sequences_sandbox.runs import SandboxRun
from sequences_sandbox.world import ApiKey, World

# The workspace of every key of the sandbox.
WORKSPACE = "w_01SANDBOX"


def single(data: dict[str, Any], *, status: int = 200) -> Reply:
    """Return one resource."""
    return Reply({"data": data}, status)


def paged_envelope(rows: list[dict[str, Any]], query: QueryParams) -> Reply:
    """Return one page; pages count from 1, a page has 25 rows, at most 100."""
    page = integer(query, "page", 1, low=1)
    size = integer(query, "page_size", 25, low=1, high=100)
    pages = -(-len(rows) // size)
    counts = {"page": page, "page_size": size, "total": len(rows), "total_pages": pages}
    return Reply({"data": rows[(page - 1) * size : page * size], "pagination": counts})


WINDOW = timedelta(seconds=60)


def metered(world: World, key: ApiKey, method: str) -> Mapping[str, str]:
    """Count the request and return the headers of what is left; 429 when nothing was."""
    now, is_read = world.now(), method in ("GET", "HEAD")
    limit = world.limits.reads if is_read else world.limits.writes
    recent = world.recent.setdefault((key.token, is_read), deque())
    while recent and recent[0] <= now - WINDOW:
        recent.popleft()
    if len(recent) >= limit:
        raise _exceeded(recent[len(recent) - limit] + WINDOW, limit, now=now)
    recent.append(now)
    return _headers(limit, left=limit - len(recent), reset=recent[0] + WINDOW)


def _exceeded(free_at: datetime, limit: int, *, now: datetime) -> Refused:
    seconds = max(1, math.ceil((free_at - now).total_seconds()))
    headers = {**_headers(limit, left=0, reset=free_at), "Retry-After": str(seconds)}
    message = f"Too many requests. Retry after {seconds} seconds."
    return Refused(429, "rate_limited", message, headers=headers)


def _headers(limit: int, *, left: int, reset: datetime) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(left),
        "X-RateLimit-Reset": str(math.ceil(reset.timestamp())),
    }


def listed_agents(call: Call) -> Reply:
    """List the workspace's agents."""
    return paged_envelope([_row(agent) for agent in call.world.clarky.agents.values()], call.query)


def shown_agents(call: Call) -> Reply:
    """Show one agent."""
    if agent := call.world.clarky.agents.get(call.path["id"]):
        return single(_row(agent))
    raise NoSuch("Agent")


def _row(agent: Agent) -> dict[str, Any]:
    return {
        "id": agent.id,
        "workspace_id": WORKSPACE,
        "name": agent.name,
        "slug": agent.name.lower().replace(" ", "-"),
        "summary": None,
        "is_agent": True,
        "enabled": True,
        "public": False,
        "agent_role": "sales",
        "agent_type": "external",
        "agent_status": "active",
        "agent_color": None,
        "agent_email": agent.email,
        "agent_phone": agent.phone,
    }


EXACT = ("lead_source", "bot_id")
CONTACTS_FILTERS = frozenset(
    {"search", "tags", "pipeline_stage_id", "created_after", "created_before", "updated_after", *EXACT}
)
CONTACTS_NAMES = ("first_name", "last_name", "company", "job_title", "lead_source", "notes")
UNSET = [
    "company_id",
    "deal_value",
    "pipeline_stage_id",
    "contact_type",
    "address_line1",
    "address_line2",
    "city",
    "state",
    "postal_code",
    "country",
    "linkedin_url",
    "last_contacted_at",
]


def listed_contacts(call: Call) -> Reply:
    """List contacts that meet every filter."""
    after = optional_moment(call.query, "created_after")
    before = optional_moment(call.query, "created_before")
    updated = optional_moment(call.query, "updated_after")
    contacts = [
        contact
        for contact in call.world.clarky.contacts.values()
        if (after is None or contact.created_at >= after)
        and (before is None or contact.created_at <= before)
        and (updated is None or contact.updated_at >= updated)
        and _is_wanted(call.query, contact)
    ]
    return paged_envelope([row(contact) for contact in contacts], call.query)


def _is_wanted(query: Mapping[str, str], contact: ClarkyContact) -> bool:
    words = (contact.first_name, contact.last_name, contact.company, *contact.emails, *contact.phone_numbers)
    searched = query.get("search", "").casefold() in " ".join(filter(None, words)).casefold()
    exact = all(name not in query or getattr(contact, name) == query[name] for name in EXACT)
    tagged = "tags" not in query or bool(set(query["tags"].split(",")) & set(contact.tags))
    return searched and exact and tagged and "pipeline_stage_id" not in query


def by_email(call: Call) -> Reply:
    """Show the contact with this address."""
    if not call.query.get("email"):
        raise BadInput("email is required", field="email")
    if contact := find_by_email(call.world.clarky, call.query["email"]):
        return single(row(contact))
    raise NoSuch("Contact")


def shown_contacts(call: Call) -> Reply:
    """Show one contact."""
    if contact := call.world.clarky.contacts.get(call.path["id"]):
        return single(row(contact))
    raise NoSuch("Contact")


def create_contacts(call: Call) -> Reply:
    """Make a contact for an agent; addresses may be strings or ``{email, is_primary}``, as both are shown."""
    fields = call.fields()
    bot_id = known_bot(call, text(fields, "bot_id"))
    contact = ClarkyContact(
        id=call.world.new_id("c"),
        bot_id=bot_id,
        created_at=call.now,
        updated_at=call.now,
        emails=_flat(fields, "emails", "email"),
        phone_numbers=_flat(fields, "phone_numbers", "phone_number"),
        tags=texts(fields, "tags"),
        **{name: optional_text(fields, name) for name in CONTACTS_NAMES},
    )
    call.world.clarky = with_contact(call.world.clarky, contact)
    return single(row(contact), status=201)


def known_bot(call: Call, bot_id: str) -> str:
    """Return the id if it is an agent of the workspace."""
    if bot_id not in call.world.clarky.agents:
        raise BadInput("bot_id does not belong to this workspace", field="bot_id")
    return bot_id


def _flat(fields: Mapping[str, Any], name: str, inner: str) -> tuple[str, ...]:
    """Return addresses as strings, the primary one first."""
    value = fields.get(name) or []
    rows = [item if isinstance(item, dict) else {inner: item} for item in value] if isinstance(value, list) else []
    rows.sort(key=lambda item: item.get("is_primary") is not True)
    return texts({name: [item.get(inner) for item in rows] if isinstance(value, list) else value}, name)


def row(contact: ClarkyContact) -> dict[str, Any]:
    """Return a contact as the page shows it."""
    return {
        "id": contact.id,
        "workspace_id": WORKSPACE,
        "bot_id": contact.bot_id,
        **{name: getattr(contact, name) for name in CONTACTS_NAMES},
        "emails": _primary_first("email", contact.emails),
        "phone_numbers": _primary_first("phone_number", contact.phone_numbers),
        "tags": list(contact.tags),
        **dict.fromkeys(UNSET),
        "custom_fields": {},
        "created_at": stamp(contact.created_at),
        "updated_at": stamp(contact.updated_at),
    }


def _primary_first(name: str, values: tuple[str, ...]) -> list[dict[str, Any]]:
    return [{name: value, "is_primary": number == 0} for number, value in enumerate(values)]


UNSENT = {"status": "draft", "scheduled_for": None, "sent_at": None}


def shown_enrollments(call: Call) -> Reply:
    """Show one enrollment."""
    enrollment = call.world.clarky.enrollments.get(call.path["id"])
    if enrollment is None:
        raise NoSuch("Enrollment")
    return single(
        {
            "id": enrollment.id,
            "sequence_id": enrollment.sequence_id,
            "template_id": enrollment.template_id,
            "contact_id": enrollment.contact_id,
            "bot_id": enrollment.bot_id,
            "status": status_of(enrollment, call.now),
            "auto_approve": enrollment.auto_approve,
            "created_at": stamp(enrollment.created_at),
            "steps": _steps(call, enrollment),
        }
    )


def status_of(enrollment: Enrollment, now: datetime) -> str:
    """Return Clarky's status of an enrollment."""
    if enrollment.rejected:
        return "rejected"
    if enrollment.run is not None:
        return enrollment.run.state.value
    return "generating" if now < enrollment.generated_at else "pending_approval"


def _steps(call: Call, enrollment: Enrollment) -> list[dict[str, Any]]:
    """Return the texts, once they are generated, each with its send state."""
    if call.now < enrollment.generated_at:
        return []
    state = call.world.clarky
    contact, template = state.contacts[enrollment.contact_id], state.templates[enrollment.template_id]
    if enrollment.run is None:
        return [
            {**UNSENT, "id": f"{enrollment.id}_s{number}", **_text(channel, contact, template.goal)}
            for number, (_, channel) in enumerate(pacing_for(template, contact), start=1)
        ]
    texts = [_text(touch.kind, contact, template.goal) for touch in enrollment.run.touches]
    return [{**state, **text} for state, text in zip(_send_states(enrollment.run), texts, strict=True)]


def _send_states(run: SandboxRun) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {
            "id": executed.touch.id,
            "status": "sent",
            "scheduled_for": stamp(executed.at),
            "sent_at": stamp(executed.at),
        }
        for executed in run.executed
    ]
    ahead = timedelta()
    for touch in run.touches[len(run.executed) :]:
        ahead += touch.wait
        due = None if run.is_over else run.anchor + ahead
        status = "cancelled" if run.is_over else "scheduled"
        rows.append({"id": touch.id, "status": status, "scheduled_for": optional_stamp(due), "sent_at": None})
    return rows


def _text(channel: str, contact: ClarkyContact, goal: str) -> dict[str, Any]:
    """Return a text as if it had been generated for this person."""
    greeting = f"Hello {contact.first_name}" if contact.first_name else "Hello"
    subject = goal if channel == "email" else None
    return {"channel": channel, "subject": subject, "body": f"{greeting}, {goal[0].lower()}{goal[1:]}?"}


LONGEST_KEY = 255
OWN = ("first_name", "last_name", "company", "job_title")


def start_start(call: Call) -> Reply:
    """Upsert the contact, append the notes, enrol; or repeat the ids of an earlier call with this key."""
    if "sequences" in call.key.lacks:
        raise Refused(403, "forbidden", "The Sequences API is not part of this workspace's plan")
    fields = call.fields()
    key = _key(fields)
    if key is not None and (known := call.world.clarky.keys.get(key)):
        return _accepted(call, call.world.clarky.enrollments[known])
    return _accepted(call, _enrolled(call, fields, key))


def _key(fields: dict[str, Any]) -> str | None:
    key = optional_text(fields, "idempotency_key")
    if key is not None and not 0 < len(key) <= LONGEST_KEY:
        raise BadInput(f"idempotency_key must have 1 to {LONGEST_KEY} characters", field="idempotency_key")
    return key


def _enrolled(call: Call, fields: dict[str, Any], key: str | None) -> Enrollment:
    template = _template(call, text(fields, "template_id"))
    bot_id = _bot(call, fields, template)
    auto_approve = flag(fields, "auto_approve", False)
    contact = _upserted(call, fields, bot_id)
    if not channels_for(template, contact):
        raise BadInput("The contact has no channel that the template allows", field="contact")
    enrollment = Enrollment(
        id=call.world.new_id("enr"),
        sequence_id=call.world.new_id("seq"),
        template_id=template.id,
        contact_id=contact.id,
        bot_id=bot_id,
        auto_approve=auto_approve,
        created_at=call.now,
    )
    call.world.clarky = with_enrollment(with_contact(call.world.clarky, contact), enrollment, key=key)
    return enrollment


def _template(call: Call, template_id: str) -> ClarkyTemplate:
    if template := call.world.clarky.templates.get(template_id):
        return template
    raise BadInput("template_id is not a template of this workspace", field="template_id")


def _bot(call: Call, fields: dict[str, Any], template: ClarkyTemplate) -> str:
    """Return the agent that sends: the one named, else the template's."""
    bot_id = optional_text(fields, "bot_id") or template.bot_id
    if bot_id is None:
        raise BadInput("bot_id is required: the template has none", field="bot_id")
    return known_bot(call, bot_id)


def _upserted(call: Call, fields: dict[str, Any], bot_id: str) -> ClarkyContact:
    """Return the matched contact with the given facts; facts that are not given stay."""
    value = fields.get("contact")
    if not isinstance(value, dict):
        raise BadInput("contact is required", field="contact")
    emails, phones = texts(value, "emails"), texts(value, "phone_numbers")
    if not emails and not phones:
        raise BadInput("contact needs at least one of emails or phone_numbers", field="contact")
    if not all("@" in email for email in emails):
        raise BadInput("emails must be e-mail addresses", field="contact.emails")
    new = ClarkyContact(id=call.world.new_id("c"), bot_id=bot_id, created_at=call.now, updated_at=call.now)
    known = find_match(call.world.clarky, emails, phones) or new
    values: dict[str, Any] = {name: optional_text(value, name) or getattr(known, name) for name in OWN}
    note = optional_text(value, "notes")
    return replace(
        known,
        **values,
        emails=tuple(dict.fromkeys((*known.emails, *emails))),
        phone_numbers=tuple(dict.fromkeys((*known.phone_numbers, *phones))),
        notes=appended_note(known.notes or "", note, call.now) if note else known.notes,
        updated_at=call.now,
    )


def _accepted(call: Call, enrollment: Enrollment) -> Reply:
    data = {
        "sequence_id": enrollment.sequence_id,
        "enrollment_id": enrollment.id,
        "contact_id": enrollment.contact_id,
        "status": status_of(enrollment, call.now),
    }
    return single(data, status=202)


API_CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    422: "validation_error",
    429: "rate_limited",
    500: "internal_error",
}
PAGING = frozenset({"page", "page_size"})
API_ENDPOINTS = (
    Endpoint("POST", "/sequences/start", start_start, "write"),
    Endpoint("GET", "/sequences/enrollments/{id}", shown_enrollments, "read"),
    Endpoint("GET", "/contacts", listed_contacts, "read", CONTACTS_FILTERS | PAGING),
    Endpoint("GET", "/contacts/by-email", by_email, "read", frozenset({"email"})),
    Endpoint("GET", "/contacts/{id}", shown_contacts, "read"),
    Endpoint("POST", "/contacts", create_contacts, "write"),
    Endpoint("GET", "/agents", listed_agents, "read", PAGING),
    Endpoint("GET", "/agents/{id}", shown_agents, "read"),
)


def authenticate_api(headers: Headers, keys: tuple[ApiKey, ...]) -> ApiKey:
    """Return the key of ``Authorization: Bearer ck_live_…``."""
    if key := key_for(bearer(headers), keys):
        return key
    raise Refused(401, "unauthorized", "The API key is missing, malformed or revoked")


def authorize_api(key: ApiKey, endpoint: Endpoint, query: QueryParams) -> None:
    """Refuse a write with a read-only key, and parameters that do not exist."""
    if endpoint.scope is not None and endpoint.scope not in key.scopes:
        raise Refused(403, "forbidden", f"This API key does not have the {endpoint.scope} scope")
    unknown = sorted(set(query) - endpoint.query) if endpoint.scope else []
    if unknown:
        raise BadInput(f"Unsupported parameter: {unknown[0]}")


def refuse_api(problem: BadInput | NoSuch) -> Refused:
    """Return a malformed request as bad_request, a failed field as validation_error."""
    if isinstance(problem, NoSuch):
        return Refused(404, "not_found", problem.message)
    if problem.field is None:
        return Refused(400, "bad_request", problem.message)
    return Refused(422, "validation_error", problem.message, details={"field": problem.field})


def envelope_api(refused: Refused, reference: str) -> dict[str, Any]:
    """Return ``{"error": {code, message, details?}}``; no request id is published."""
    error: dict[str, Any] = {"code": refused.code, "message": refused.message}
    return {"error": error | ({"details": dict(refused.details)} if refused.details else {})}


CLARKY = Vendor(
    name="clarky",
    prefix="/clarky/api/v1",
    endpoints=API_ENDPOINTS,
    authenticate=authenticate_api,
    authorize=authorize_api,
    refuse=refuse_api,
    envelope=envelope_api,
    codes=API_CODES,
    meter=metered,
)
