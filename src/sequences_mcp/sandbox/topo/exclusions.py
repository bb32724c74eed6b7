"""Pages "Exclusions": of contacts and of accounts. They are looked at when somebody is imported, never later.

PATCH and DELETE exist; their verbs, and the reads of account exclusions, are inferred from the sibling pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from sequences_mcp.domain.addresses import address_key, domain_of
from sequences_mcp.sandbox.rest.call import Call, Reply
from sequences_mcp.sandbox.rest.reading import (
    one_of,
    optional_moment,
    optional_stamp,
    optional_text,
    stamp,
    text,
)
from sequences_mcp.sandbox.rest.refusal import BadInput, NoSuch
from sequences_mcp.sandbox.topo.envelope import created_between, matching, paged
from sequences_mcp.sandbox.world.topo import Entry, Exclusion, Topo
from sequences_mcp.sandbox.world.topo_course import canonical_profile

Kind = Literal["contact", "account"]
# fmt: off
REASONS = (
    "UNSUBSCRIBED", "CONTACT_REFUSED", "BOUNCED", "WRONG_PERSON", "LEFT_COMPANY", "BAD_TIMING", "OUT_OF_OFFICE",
    "MEETING", "INTERESTED", "COMPETITOR", "REFERRAL", "EXCLUDE_FROM_SEARCH", "EXCLUDE_FROM_CRM", "OTHER",
    "UNKNOWN",
)
# fmt: on
NAMES: Mapping[Kind, tuple[str, ...]] = {"contact": ("email", "linkedin_url"), "account": ("domain",)}


def listed(call: Call, *, kind: Kind) -> Reply:
    """List by address, profile or domain, reason and time of creation."""
    rows = [_row(exclusion, kind) for exclusion in _table(call.world.topo, kind).values()]
    filters = {name: name for name in (*NAMES[kind], "reason")}
    found = matching(call.query, created_between(call.query, rows), filters)
    return paged(found, call.query, sort_by=("created_at", "updated_at", NAMES[kind][0], "reason"))


def shown(call: Call, *, kind: Kind) -> Reply:
    """Show one."""
    return Reply(_row(_exclusion_of(call, kind), kind))


def create(call: Call, *, kind: Kind) -> Reply:
    """Exclude somebody or a domain; without ``until`` for good. A repeat makes a twin."""
    fields = call.fields()
    if kind == "account":
        text(fields, "domain")
    elif not fields.get("email") and not fields.get("linkedin_url"):
        raise BadInput("At least one of email, linkedin_url is required", field="email")
    reason = one_of(fields.get("reason"), REASONS, field="reason")
    blank = Exclusion(id=call.world.new_uuid(), reason=reason, created_at=call.now, updated_at=call.now)
    return _stored(call, _changed(blank, fields, kind), kind=kind, status=201)


def update(call: Call, *, kind: Kind) -> Reply:
    """Change what is given."""
    known = replace(_exclusion_of(call, kind), updated_at=call.now)
    return _stored(call, _changed(known, call.fields(), kind), kind=kind)


def remove(call: Call, *, kind: Kind) -> Reply:
    """Remove one."""
    gone = _exclusion_of(call, kind)
    left = {key: one for key, one in _table(call.world.topo, kind).items() if key != gone.id}
    call.world.topo = _with_table(call.world.topo, kind, left)
    return Reply(None, 204)


def is_excluded(state: Topo, entry: Entry, now: datetime) -> bool:
    """Say whether somebody must not be imported: by address, profile or the domain of either."""
    domains = {d.casefold() for d in (entry.company_domain, domain_of(entry.email)) if d}
    people = [one for one in state.contact_exclusions.values() if _holds(one, now)]
    accounts = [one for one in state.account_exclusions.values() if _holds(one, now)]
    return any(_names(one, entry) for one in people) or any(
        (one.domain or "").casefold() in domains for one in accounts
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
        name: optional_text(fields, name) for name in (*NAMES[kind], "message") if name in fields
    }
    if "reason" in fields:
        values["reason"] = one_of(fields["reason"], REASONS, field="reason")
    until = optional_moment(fields, "until") if "until" in fields else exclusion.until
    return replace(exclusion, **values, until=until)


def _exclusion_of(call: Call, kind: Kind) -> Exclusion:
    if found := _table(call.world.topo, kind).get(call.path["exclusion_id"]):
        return found
    raise NoSuch("Exclusion")


def _table(state: Topo, kind: Kind) -> Mapping[str, Exclusion]:
    return state.contact_exclusions if kind == "contact" else state.account_exclusions


def _with_table(state: Topo, kind: Kind, table: Mapping[str, Exclusion]) -> Topo:
    return (
        replace(state, contact_exclusions=table) if kind == "contact" else replace(state, account_exclusions=table)
    )


def _stored(call: Call, exclusion: Exclusion, *, kind: Kind, status: int = 200) -> Reply:
    table = {**_table(call.world.topo, kind), exclusion.id: exclusion}
    call.world.topo = _with_table(call.world.topo, kind, table)
    return Reply(_row(exclusion, kind), status)


def _row(exclusion: Exclusion, kind: Kind) -> dict[str, Any]:
    return {
        "id": exclusion.id,
        **{name: getattr(exclusion, name) for name in NAMES[kind]},
        "reason": exclusion.reason,
        "message": exclusion.message,
        "until": optional_stamp(exclusion.until),
        "created_at": stamp(exclusion.created_at),
        "updated_at": stamp(exclusion.updated_at),
    }
