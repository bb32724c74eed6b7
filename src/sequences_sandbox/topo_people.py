"""Topo's contacts, contact lists and exclusions on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from functools import partial
from typing import Any, Literal

from starlette.datastructures import QueryParams

from sequences_mcp.domain.addresses import address_key, domain_of
from sequences_sandbox.rest import (
    BadInput,
    Call,
    NoSuch,
    Refused,
    Reply,
    choice,
    integer,
    objects,
    one_of,
    only,
    optional_moment,
    optional_stamp,
    optional_text,
    stamp,
    text,
)
from sequences_sandbox.topo_world import (
    ContactList,
    Entry,
    Exclusion,
    Topo,
    TopoContact,
    canonical_profile,
    is_same_person,
)

# The organization of every key of the sandbox.
ORGANIZATION = "22222222-2222-4222-8222-222222222222"


def paged_topo_envelope(
    rows: Iterable[dict[str, Any]], query: QueryParams, *, sort_by: Sequence[str], order: str = "asc"
) -> Reply:
    """Return one page in the order asked for; ``sort_by`` begins with the default."""
    field = choice(query, "sort_by", sort_by, default=sort_by[0])
    descending = choice(query, "sort_order", ("asc", "desc"), default=order) == "desc"
    page, size = integer(query, "page", 1, low=1), integer(query, "size", 10, low=1, high=100)
    results = sorted(rows, key=lambda row: str(row[field] or ""), reverse=descending)
    pages = -(-len(results) // size)
    shown = results[(page - 1) * size : page * size]
    return Reply({"items": shown, "total_count": len(results), "total_pages": pages, "has_more": page < pages})


def created_between(query: QueryParams, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows created strictly after ``created_at_after`` and before ``created_at_before``."""
    after, before = optional_moment(query, "created_at_after"), optional_moment(query, "created_at_before")
    low, high = after and stamp(after), before and stamp(before)
    return [
        row
        for row in rows
        if (low is None or row["created_at"] > low) and (high is None or row["created_at"] < high)
    ]


def matching(query: QueryParams, rows: Iterable[dict[str, Any]], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the rows that have one of the values given for each parameter; ``names`` maps it to the field."""
    wanted = {field: query.getlist(name) for name, field in names.items() if name in query}
    return [row for row in rows if all(row[field] in values for field, values in wanted.items())]


def batch(results: Iterable[Callable[[], tuple[str, dict[str, Any]]]]) -> Reply:
    """Return the batch envelope: each thing made gives its status and resource, or is refused by itself."""
    items: list[dict[str, Any]] = []
    for index, make in enumerate(results):
        try:
            status, resource = make()
            items.append({"index": index, "status": status, "resource": resource, "error": None})
        except Refused as refused:
            error = {"type": refused.code, "message": refused.message}
            items.append({"index": index, "status": "FAILED", "resource": None, "error": error})
    failed = sum(item["status"] == "FAILED" for item in items)
    summary = {"total": len(items), "succeeded": len(items) - failed, "failed": failed}
    return Reply({"items": items, "summary": summary})


CONTACTS_SORT_BY = ("first_seen_at", "last_seen_at", "email")


def listed_topo_contacts(call: Call) -> Reply:
    """List by address, LinkedIn profile, id and when they were seen."""
    first, last = optional_moment(call.query, "first_seen_after"), optional_moment(call.query, "last_seen_after")
    results = [
        _row(contact)
        for contact in call.world.topo.contacts.values()
        if (first is None or contact.first_seen_at > first)
        and (last is None or contact.last_seen_at > last)
        and _is_wanted(call, contact)
    ]
    return paged_topo_envelope(results, call.query, sort_by=CONTACTS_SORT_BY)


def _is_wanted(call: Call, contact: TopoContact) -> bool:
    email, profile = call.query.get("email"), call.query.get("linkedin_url")
    return (
        (email is None or address_key(email) == address_key(contact.email or ""))
        and (profile is None or canonical_profile(profile) == canonical_profile(contact.linkedin_url))
        and call.query.get("contact_id", contact.id) == contact.id
    )


def shown_topo_contacts(call: Call) -> Reply:
    """Show one."""
    return Reply(_row(contact_of(call)))


def contact_of(call: Call) -> TopoContact:
    """Return the contact of the path."""
    if contact := call.world.topo.contacts.get(call.path["contact_id"]):
        return contact
    raise NoSuch("Contact")


def _row(contact: TopoContact) -> dict[str, Any]:
    seen = {"first_seen_at": stamp(contact.first_seen_at), "last_seen_at": stamp(contact.last_seen_at)}
    return {**asdict(contact), **seen}


CONTACT_LISTS_SORT_BY = ("created_at", "updated_at", "name")
TEMPLATE = "default_sequence_template_id"


def listed_contact_lists(call: Call) -> Reply:
    """List by exact name and time of creation."""
    rows = [_contact_lists_row(call.world.topo, contact_list) for contact_list in call.world.topo.lists.values()]
    results = matching(call.query, created_between(call.query, rows), {"name": "name"})
    return paged_topo_envelope(results, call.query, sort_by=CONTACT_LISTS_SORT_BY)


def shown_contact_lists(call: Call) -> Reply:
    """Show one."""
    return Reply(_contact_lists_row(call.world.topo, _list_of(call)))


def create_contact_lists(call: Call) -> Reply:
    """Make 1 to 100 lists."""
    made = [
        ContactList(
            id=call.world.new_uuid(),
            name=text(item, "name"),
            default_sequence_template_id=_template(call, item),
            created_at=call.now,
            updated_at=call.now,
        )
        for item in objects(call.fields(), "items", most=100)
    ]
    state = call.world.topo
    call.world.topo = replace(
        state, lists={**state.lists, **{contact_list.id: contact_list for contact_list in made}}
    )
    return batch([partial(_created, call, contact_list) for contact_list in made])


def _created(call: Call, contact_list: ContactList) -> tuple[str, dict[str, Any]]:
    return "CREATED", _contact_lists_row(call.world.topo, contact_list)


def update_contact_lists(call: Call) -> Reply:
    """Change the name, or the template, which null clears."""
    known, fields = _list_of(call), call.fields()
    name = text(fields, "name") if "name" in fields else known.name
    template = _template(call, fields) if TEMPLATE in fields else known.default_sequence_template_id
    changed = replace(known, name=name, default_sequence_template_id=template, updated_at=call.now)
    state = call.world.topo
    call.world.topo = replace(state, lists={**state.lists, changed.id: changed})
    return Reply(_contact_lists_row(call.world.topo, changed))


def _template(call: Call, fields: Mapping[str, Any]) -> str | None:
    template_id = optional_text(fields, TEMPLATE)
    if template_id is not None and template_id not in call.world.topo.templates:
        raise BadInput(f"{TEMPLATE} is not a template of this workspace", field=TEMPLATE)
    return template_id


def _list_of(call: Call) -> ContactList:
    if contact_list := call.world.topo.lists.get(call.path["contact_list_id"]):
        return contact_list
    raise NoSuch("Contact list")


def _contact_lists_row(state: Topo, contact_list: ContactList) -> dict[str, Any]:
    return {
        "id": contact_list.id,
        "name": contact_list.name,
        TEMPLATE: contact_list.default_sequence_template_id,
        "entries_count": sum(entry.contact_list_id == contact_list.id for entry in state.entries.values()),
        "created_at": stamp(contact_list.created_at),
        "updated_at": stamp(contact_list.updated_at),
    }


GIVEN = (
    "first_name",
    "last_name",
    "email",
    "linkedin_url",
    "company_name",
    "company_domain",
    "job_title",
    "phone",
)
CONTACT_ENTRIES_SORT_BY = ("created_at", "updated_at")


def create_contact_entries(call: Call) -> Reply:
    """Put 1 to 100 people on lists; they become contacts, and are enrolled, after the answer."""
    items = objects(call.fields(), "items", most=100)
    entries = [_checked(call, number, item) for number, item in enumerate(items)]
    return batch([partial(_added, call, entry) for entry in entries])


def _checked(call: Call, number: int, item: Mapping[str, Any]) -> Entry:
    entry = Entry(
        id=call.world.new_uuid(),
        contact_list_id=optional_text(item, "contact_list_id") or "",
        created_at=call.now,
        updated_at=call.now,
        **{name: optional_text(item, name) for name in GIVEN},
    )
    if not entry.contact_list_id:
        raise BadInput("contact_list_id is required", field=f"items[{number}].contact_list_id")
    if not entry.email and not entry.linkedin_url:
        raise BadInput("At least one of email, linkedin_url is required", field=f"items[{number}].email")
    return entry


def _added(call: Call, entry: Entry) -> tuple[str, dict[str, Any]]:
    state = call.world.topo
    if entry.contact_list_id not in state.lists:
        raise Refused(404, "NotFoundIssue", "Contact list not found")
    if is_excluded(state, entry, call.now):
        raise Refused(422, "BusinessIssue", "This contact is excluded")
    known = next((e for e in state.entries.values() if _is_same_entry(e, entry)), None)
    stored = entry if known is None else _merged(known, entry)
    call.world.topo = replace(state, entries={**state.entries, stored.id: stored})
    return "CREATED" if known is None else "UPDATED", _contact_entries_row(stored)


def _is_same_entry(entry: Entry, other: Entry) -> bool:
    return entry.contact_list_id == other.contact_list_id and is_same_person(entry, other)


def _merged(known: Entry, new: Entry) -> Entry:
    values = {name: getattr(new, name) or getattr(known, name) for name in GIVEN}
    return replace(known, **values, updated_at=new.updated_at)


def listed_contact_entries(call: Call) -> Reply:
    """List entries, of one list where ``contact_list_id`` is given."""
    rows = [_contact_entries_row(entry) for entry in call.world.topo.entries.values()]
    results = matching(call.query, created_between(call.query, rows), {"contact_list_id": "contact_list_id"})
    return paged_topo_envelope(results, call.query, sort_by=CONTACT_ENTRIES_SORT_BY)


def shown_contact_entries(call: Call) -> Reply:
    """Show one entry."""
    if entry := call.world.topo.entries.get(call.path["contact_entry_id"]):
        return Reply(_contact_entries_row(entry))
    raise NoSuch("Contact entry")


def _contact_entries_row(entry: Entry) -> dict[str, Any]:
    return {**asdict(entry), "created_at": stamp(entry.created_at), "updated_at": stamp(entry.updated_at)}


SCOPES = ("contact", "company")
CONTACT_VARIABLES_MOST = 200

Variables = Mapping[str, str | None]


def shown_contact_variables(call: Call) -> Reply:
    """Show both scopes."""
    return Reply(dict(_variables(call)))


def merge(call: Call) -> Reply:
    """Write the keys given; null clears a value and keeps the key."""
    fields = call.fields()
    only(fields, SCOPES)
    merged = {scope: {**known, **_given(fields, scope)} for scope, known in _variables(call).items()}
    full = next((scope for scope, values in merged.items() if len(values) > CONTACT_VARIABLES_MOST), None)
    if full is not None:
        raise BadInput(f"At most {CONTACT_VARIABLES_MOST} variables per scope", field=full)
    return _stored(call, merged)


def remove_contact_variables(call: Call) -> Reply:
    """Remove a key and free its slot."""
    scope, key = choice(call.query, "scope", SCOPES, default="contact"), call.path["key"]
    variables = _variables(call)
    if key not in variables[scope]:
        raise NoSuch("Variable")
    left = {name: value for name, value in variables[scope].items() if name != key}
    _stored(call, {**variables, scope: left})
    return Reply(None, 204)


def _variables(call: Call) -> Mapping[str, Variables]:
    known = call.world.topo.variables.get(contact_of(call).id, {})
    return {scope: dict(known.get(scope, {})) for scope in SCOPES}


def _given(fields: Mapping[str, Any], scope: str) -> dict[str, str | None]:
    values = fields.get(scope, {})
    if not isinstance(values, dict) or not all(isinstance(value, str | None) for value in values.values()):
        raise BadInput(f"{scope} must be an object of strings", field=scope)
    return values


def _stored(call: Call, variables: Mapping[str, Variables]) -> Reply:
    state = call.world.topo
    call.world.topo = replace(state, variables={**state.variables, contact_of(call).id: variables})
    return Reply(dict(variables))


Kind = Literal["contact", "account"]
# fmt: off
REASONS = (
    "UNSUBSCRIBED", "CONTACT_REFUSED", "BOUNCED", "WRONG_PERSON", "LEFT_COMPANY", "BAD_TIMING", "OUT_OF_OFFICE",
    "MEETING", "INTERESTED", "COMPETITOR", "REFERRAL", "EXCLUDE_FROM_SEARCH", "EXCLUDE_FROM_CRM", "OTHER",
    "UNKNOWN",
)
# fmt: on
EXCLUSIONS_NAMES: Mapping[Kind, tuple[str, ...]] = {"contact": ("email", "linkedin_url"), "account": ("domain",)}


def listed_exclusions(call: Call, *, kind: Kind) -> Reply:
    """List by address, profile or domain, reason and time of creation."""
    rows = [_exclusions_row(exclusion, kind) for exclusion in _table(call.world.topo, kind).values()]
    filters = {name: name for name in (*EXCLUSIONS_NAMES[kind], "reason")}
    results = matching(call.query, created_between(call.query, rows), filters)
    return paged_topo_envelope(
        results, call.query, sort_by=("created_at", "updated_at", EXCLUSIONS_NAMES[kind][0], "reason")
    )


def shown_exclusions(call: Call, *, kind: Kind) -> Reply:
    """Show one."""
    return Reply(_exclusions_row(_exclusion_of(call, kind), kind))


def create_exclusions(call: Call, *, kind: Kind) -> Reply:
    """Exclude somebody or a domain; without ``until`` for good. A repeat makes a twin."""
    fields = call.fields()
    if kind == "account":
        text(fields, "domain")
    elif not fields.get("email") and not fields.get("linkedin_url"):
        raise BadInput("At least one of email, linkedin_url is required", field="email")
    reason = one_of(fields.get("reason"), REASONS, field="reason")
    blank = Exclusion(id=call.world.new_uuid(), reason=reason, created_at=call.now, updated_at=call.now)
    return _exclusions_stored(call, _changed(blank, fields, kind), kind=kind, status=201)


def update_exclusions(call: Call, *, kind: Kind) -> Reply:
    """Change what is given."""
    known = replace(_exclusion_of(call, kind), updated_at=call.now)
    return _exclusions_stored(call, _changed(known, call.fields(), kind), kind=kind)


def remove_exclusions(call: Call, *, kind: Kind) -> Reply:
    """Remove one."""
    exclusion = _exclusion_of(call, kind)
    left = {key: item for key, item in _table(call.world.topo, kind).items() if key != exclusion.id}
    call.world.topo = _with_table(call.world.topo, kind, left)
    return Reply(None, 204)


def is_excluded(state: Topo, entry: Entry, now: datetime) -> bool:
    """Say whether somebody must not be imported: by address, profile or the domain of either."""
    domains = {d.casefold() for d in (entry.company_domain, domain_of(entry.email)) if d}
    people = [
        contact_exclusion
        for contact_exclusion in state.contact_exclusions.values()
        if _holds(contact_exclusion, now)
    ]
    accounts = [
        account_exclusion
        for account_exclusion in state.account_exclusions.values()
        if _holds(account_exclusion, now)
    ]
    return any(_names(person, entry) for person in people) or any(
        (account.domain or "").casefold() in domains for account in accounts
    )


def _holds(exclusion: Exclusion, now: datetime) -> bool:
    return exclusion.until is None or exclusion.until > now


def _names(exclusion: Exclusion, entry: Entry) -> bool:
    by_email = bool(exclusion.email and entry.email) and address_key(exclusion.email or "") == address_key(
        entry.email or ""
    )
    profile = canonical_profile(exclusion.linkedin_url)
    return by_email or (bool(profile) and profile == canonical_profile(entry.linkedin_url))


def _changed(exclusion: Exclusion, fields: Mapping[str, Any], kind: Kind) -> Exclusion:
    values: dict[str, Any] = {
        name: optional_text(fields, name) for name in (*EXCLUSIONS_NAMES[kind], "message") if name in fields
    }
    if "reason" in fields:
        values["reason"] = one_of(fields["reason"], REASONS, field="reason")
    until = optional_moment(fields, "until") if "until" in fields else exclusion.until
    return replace(exclusion, **values, until=until)


def _exclusion_of(call: Call, kind: Kind) -> Exclusion:
    if exclusion := _table(call.world.topo, kind).get(call.path["exclusion_id"]):
        return exclusion
    raise NoSuch("Exclusion")


def _table(state: Topo, kind: Kind) -> Mapping[str, Exclusion]:
    return state.contact_exclusions if kind == "contact" else state.account_exclusions


def _with_table(state: Topo, kind: Kind, table: Mapping[str, Exclusion]) -> Topo:
    return (
        replace(state, contact_exclusions=table) if kind == "contact" else replace(state, account_exclusions=table)
    )


def _exclusions_stored(call: Call, exclusion: Exclusion, *, kind: Kind, status: int = 200) -> Reply:
    table = {**_table(call.world.topo, kind), exclusion.id: exclusion}
    call.world.topo = _with_table(call.world.topo, kind, table)
    return Reply(_exclusions_row(exclusion, kind), status)


def _exclusions_row(exclusion: Exclusion, kind: Kind) -> dict[str, Any]:
    return {
        "id": exclusion.id,
        **{name: getattr(exclusion, name) for name in EXCLUSIONS_NAMES[kind]},
        "reason": exclusion.reason,
        "message": exclusion.message,
        "until": optional_stamp(exclusion.until),
        "created_at": stamp(exclusion.created_at),
        "updated_at": stamp(exclusion.updated_at),
    }
