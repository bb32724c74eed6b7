"""Pages "Add talent to sourcing", "Get candidates" and "Get candidate"."""

from __future__ import annotations

from typing import Any

from sequences_mcp.sandbox.kalent.envelope import paged, require_credits, success
from sequences_mcp.sandbox.kalent.sourcings import sourcing_of
from sequences_mcp.sandbox.rest.call import Call, Reply
from sequences_mcp.sandbox.rest.reading import choice, stamp, text
from sequences_mcp.sandbox.rest.refusal import NoSuch
from sequences_mcp.sandbox.world.kalent import Candidate, Talent, add_candidate

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


def listed(call: Call) -> Reply:
    """List a sourcing's candidates; ``pageIndex`` counts from 0, ``pageSize`` is 25, at most 50."""
    sourcing = sourcing_of(call)
    field = choice(call.query, "sortField", SORTABLE, default="createdAt")
    descending = choice(call.query, "sortOrder", ("asc", "desc"), default="asc") == "desc"
    state = call.world.kalent
    rows = [(c, state.talents[c.talent_id]) for c in state.candidates.values() if c.sourcing_id == sourcing.id]
    found = [(c, t) for c, t in rows if _is_wanted(call, c, t)]
    found.sort(key=lambda row: _sort_value(field, *row), reverse=descending)
    shown = [{"candidate": _candidate(c), "talent": _brief(t)} for c, t in found]
    return paged(shown, call.query, number="pageIndex", size=25, name="candidates")


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


def shown(call: Call) -> Reply:
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
