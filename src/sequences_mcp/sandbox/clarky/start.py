"""``POST /sequences/start`` (pages "Sequences" and changelog "Sequences public API").

Chosen, as not published: the names in the answer; 422 for an unknown template or a contact without a channel the
template allows; a key belongs to the workspace for ever; a replay answers 202 with the first ids whatever its
body, and appends no second note.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sequences_mcp.domain.contact import appended_note
from sequences_mcp.sandbox.clarky.contacts import known_bot
from sequences_mcp.sandbox.clarky.enrollments import status_of
from sequences_mcp.sandbox.clarky.envelope import single
from sequences_mcp.sandbox.rest.call import Call, Reply
from sequences_mcp.sandbox.rest.reading import flag, optional_text, text, texts
from sequences_mcp.sandbox.rest.refusal import BadInput, Refused
from sequences_mcp.sandbox.world.clarky import (
    Contact,
    Enrollment,
    Template,
    channels_for,
    find_match,
    with_contact,
    with_enrollment,
)

LONGEST_KEY = 255
OWN = ("first_name", "last_name", "company", "job_title")


def start(call: Call) -> Reply:
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


def _template(call: Call, template_id: str) -> Template:
    if template := call.world.clarky.templates.get(template_id):
        return template
    raise BadInput("template_id is not a template of this workspace", field="template_id")


def _bot(call: Call, fields: dict[str, Any], template: Template) -> str:
    """Return the agent that sends: the one named, else the template's."""
    bot_id = optional_text(fields, "bot_id") or template.bot_id
    if bot_id is None:
        raise BadInput("bot_id is required: the template has none", field="bot_id")
    return known_bot(call, bot_id)


def _upserted(call: Call, fields: dict[str, Any], bot_id: str) -> Contact:
    """Return the contact meant, with what is new about them; what is not given is kept."""
    given = fields.get("contact")
    if not isinstance(given, dict):
        raise BadInput("contact is required", field="contact")
    emails, phones = texts(given, "emails"), texts(given, "phone_numbers")
    if not emails and not phones:
        raise BadInput("contact needs at least one of emails or phone_numbers", field="contact")
    if not all("@" in email for email in emails):
        raise BadInput("emails must be e-mail addresses", field="contact.emails")
    new = Contact(id=call.world.new_id("c"), bot_id=bot_id, created_at=call.now, updated_at=call.now)
    known = find_match(call.world.clarky, emails, phones) or new
    values: dict[str, Any] = {name: optional_text(given, name) or getattr(known, name) for name in OWN}
    note = optional_text(given, "notes")
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
