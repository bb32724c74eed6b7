"""Topo's templates, contacts, lists and runs at the start."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from sequences_mcp.sandbox.seeds.people import INES, OLUMIDE, PEOPLE, PRIYA, SAOIRSE, TOMAS, YUKI, Person
from sequences_mcp.sandbox.world.run import Run, Touch, paused, started
from sequences_mcp.sandbox.world.topo import Contact, ContactList, Phase, Sequence, Template, Topo
from sequences_mcp.sandbox.world.topo_course import derived_id


def seed_id(*parts: str) -> str:
    """Return the id of something that is there at the start, the same in every sandbox."""
    return derived_id("seed", *parts)


def _touches(*kinds: tuple[str, int]) -> tuple[Touch, ...]:
    """Return touches from (kind, days after the one before); a manual one waits for a person."""
    return tuple(
        Touch(id=str(number), kind=kind, wait=timedelta(days=days), block="manual" if kind == "MANUAL" else None)
        for number, (kind, days) in enumerate(kinds, start=1)
    )


EMAILS = _touches(("EMAIL", 0), ("EMAIL", 3), ("EMAIL", 4))
MIXED = _touches(("LINKEDIN_INVITATION", 0), ("LINKEDIN_MESSAGE", 2), ("MANUAL", 1), ("EMAIL", 2))
CALL = _touches(("EMAIL", 0), ("MANUAL", 0), ("EMAIL", 2))
TEMPLATES: tuple[tuple[str, str, tuple[Touch, ...], Literal["COPILOT", "AUTOPILOT"]], ...] = (
    ("Three e-mails", "ACTIVE", EMAILS, "AUTOPILOT"),
    ("LinkedIn and a call", "ACTIVE", MIXED, "COPILOT"),
    ("E-mail, then a call", "ACTIVE", CALL, "AUTOPILOT"),
    ("Last year's", "INACTIVE", EMAILS, "AUTOPILOT"),
    ("Running out", "FINISHING", EMAILS, "AUTOPILOT"),
    ("Not ready", "PENDING_SETUP", (), "COPILOT"),
    ("Put away", "ARCHIVED", EMAILS, "AUTOPILOT"),
)
LISTS = (("Founders", "Three e-mails"), ("Reviewed leads", "LinkedIn and a call"), ("Parked", None))


def topo_at(now: datetime) -> Topo:
    """Return the state as it is at the start: six runs, each in another state."""
    return Topo(
        templates={one.id: one for one in (_template(row, now - timedelta(days=90)) for row in TEMPLATES)},
        contacts={one.id: one for one in (_contact(person, now - timedelta(days=30)) for person in PEOPLE)},
        lists={one.id: one for one in (_list(row, now - timedelta(days=20)) for row in LISTS)},
        sequences={one.id: one for one in _sequences(now)},
    )


def _template(row: tuple[str, str, tuple[Touch, ...], Literal["COPILOT", "AUTOPILOT"]], at: datetime) -> Template:
    name, status, touches, approval = row
    return Template(
        id=seed_id("template", name),
        name=name,
        summary=f"{len(touches)} steps" if touches else None,
        status=status,
        touches=touches,
        approval=approval,
        language="en-GB",
        timezone="Europe/Paris",
        activated_at=None if status == "PENDING_SETUP" else at,
        created_at=at,
        updated_at=at,
    )


def _contact(person: Person, at: datetime) -> Contact:
    return Contact(
        id=seed_id("contact", person.slug),
        email=person.email,
        first_name=person.first,
        last_name=person.last,
        job_title=person.job,
        linkedin_url=person.linkedin,
        phone_number=person.phone,
        city=person.city,
        country=person.country,
        company_name=person.company,
        company_domain=person.domain,
        first_seen_at=at,
        last_seen_at=at,
    )


def _list(row: tuple[str, str | None], at: datetime) -> ContactList:
    name, template = row
    template_id = seed_id("template", template) if template else None
    return ContactList(
        id=seed_id("list", name), name=name, default_sequence_template_id=template_id, created_at=at, updated_at=at
    )


def _sequences(now: datetime) -> tuple[Sequence, ...]:
    """Return two runs at one company, one paused, one with a call to make, one to approve, one that is over."""
    yesterday, long_ago = now - timedelta(days=1), now - timedelta(days=15)
    waiting = paused(started(EMAILS, yesterday), yesterday, until=now + timedelta(days=5))
    return (
        _sequence(INES, "Three e-mails", started(EMAILS, yesterday), at=yesterday),
        _sequence(TOMAS, "Three e-mails", started(EMAILS, yesterday), at=yesterday),
        _sequence(PRIYA, "Three e-mails", waiting, at=yesterday),
        _sequence(SAOIRSE, "E-mail, then a call", started(CALL, yesterday), at=yesterday),
        _sequence(OLUMIDE, "LinkedIn and a call", None, at=yesterday, phase="found"),
        _sequence(YUKI, "Three e-mails", started(EMAILS, long_ago), at=long_ago),
    )


def _sequence(
    person: Person, template: str, run: Run | None, *, at: datetime, phase: Phase = "started"
) -> Sequence:
    variables: Mapping[str, str] = {"first_name": person.first}
    return Sequence(
        id=seed_id("sequence", person.slug),
        contact_id=seed_id("contact", person.slug),
        sequence_template_id=seed_id("template", template),
        phase=phase,
        run=run,
        variables=variables,
        source_contact_list_id=None,
        created_at=at,
        updated_at=at,
    )
