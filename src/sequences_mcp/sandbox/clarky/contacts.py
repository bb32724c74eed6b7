"""Page "Contacts": list, by e-mail address, one, create.

The whole body of create is not published: the writable fields of the contact object were taken. PATCH and DELETE
are not served, as their pages are not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sequences_mcp.sandbox.clarky.envelope import WORKSPACE, paged, single
from sequences_mcp.sandbox.rest.call import Call, Reply
from sequences_mcp.sandbox.rest.reading import optional_moment, optional_text, stamp, text, texts
from sequences_mcp.sandbox.rest.refusal import BadInput, NoSuch
from sequences_mcp.sandbox.world.clarky import Contact, find_by_email, with_contact

EXACT = ("lead_source", "bot_id")
FILTERS = frozenset(
    {"search", "tags", "pipeline_stage_id", "created_after", "created_before", "updated_after", *EXACT}
)
NAMES = ("first_name", "last_name", "company", "job_title", "lead_source", "notes")
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


def listed(call: Call) -> Reply:
    """List contacts that meet every filter."""
    after = optional_moment(call.query, "created_after")
    before = optional_moment(call.query, "created_before")
    updated = optional_moment(call.query, "updated_after")
    found = [
        contact
        for contact in call.world.clarky.contacts.values()
        if (after is None or contact.created_at >= after)
        and (before is None or contact.created_at <= before)
        and (updated is None or contact.updated_at >= updated)
        and _is_wanted(call.query, contact)
    ]
    return paged([row(contact) for contact in found], call.query)


def _is_wanted(query: Mapping[str, str], contact: Contact) -> bool:
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


def shown(call: Call) -> Reply:
    """Show one contact."""
    if contact := call.world.clarky.contacts.get(call.path["id"]):
        return single(row(contact))
    raise NoSuch("Contact")


def create(call: Call) -> Reply:
    """Make a contact for an agent; addresses may be strings or ``{email, is_primary}``, as both are shown."""
    fields = call.fields()
    bot_id = known_bot(call, text(fields, "bot_id"))
    contact = Contact(
        id=call.world.new_id("c"),
        bot_id=bot_id,
        created_at=call.now,
        updated_at=call.now,
        emails=_flat(fields, "emails", "email"),
        phone_numbers=_flat(fields, "phone_numbers", "phone_number"),
        tags=texts(fields, "tags"),
        **{name: optional_text(fields, name) for name in NAMES},
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


def row(contact: Contact) -> dict[str, Any]:
    """Return a contact as the page shows it."""
    return {
        "id": contact.id,
        "workspace_id": WORKSPACE,
        "bot_id": contact.bot_id,
        **{name: getattr(contact, name) for name in NAMES},
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
