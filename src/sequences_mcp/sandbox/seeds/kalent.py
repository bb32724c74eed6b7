"""Kalent's sourcings, talents and candidates at the start."""

from __future__ import annotations

from datetime import datetime, timedelta

from sequences_mcp.sandbox.seeds.people import INES, OLUMIDE, PEOPLE, PRIYA, SAOIRSE, TOMAS, YUKI, Person
from sequences_mcp.sandbox.world.kalent import Candidate, Kalent, Sourcing, Talent

SOURCINGS = (
    Sourcing(id="sourcing_1", name="Senior Backend Engineer"),
    Sourcing(id="sourcing_2", name="Product Designer"),
    Sourcing(id="sourcing_3", name="Head of Sales", is_mine=False),
    Sourcing(id="sourcing_4", name="Data Analyst", is_closed=True),
)
PLACES = (
    (INES, "sourcing_1", "TO_BE_CONTACTED"),
    (PRIYA, "sourcing_1", "TO_BE_CONTACTED"),
    (OLUMIDE, "sourcing_1", "CONTACTED"),
    (SAOIRSE, "sourcing_1", "NOT_RETAINED"),
    (YUKI, "sourcing_2", "TO_BE_CONTACTED"),
)


def kalent_at(now: datetime) -> Kalent:
    """Return the state as it is at the start: one talent, Tomas, is in no sourcing yet."""
    candidates = [
        Candidate(
            id=f"candidate_{person.slug}",
            talent_id=f"talent_{person.slug}",
            sourcing_id=sourcing_id,
            status_handle=status,
            created_at=now - timedelta(days=7 - number),
        )
        for number, (person, sourcing_id, status) in enumerate(PLACES)
    ]
    return Kalent(
        sourcings={sourcing.id: sourcing for sourcing in SOURCINGS},
        talents={f"talent_{person.slug}": _talent(person) for person in PEOPLE},
        candidates={candidate.id: candidate for candidate in candidates},
    )


UNPLACED_TALENT = f"talent_{TOMAS.slug}"


def _talent(person: Person) -> Talent:
    """Return a profile; the telephone numbers are found by enrichment alone."""
    return Talent(
        id=f"talent_{person.slug}",
        firstname=person.first,
        lastname=person.last,
        job_title=person.job,
        company=person.company,
        city=person.city,
        country=person.country,
        linkedin_url=person.linkedin,
        emails=(person.email,) if person.email else (),
        hidden_email=person.address,
        hidden_phone=person.phone,
    )
