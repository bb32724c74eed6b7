"""Starts at Topo: people put on a contact list that has a template, which Topo enrols some time later.

Its REST API has no other way in (page "Contact lists"). Each plan has a list of its own, found again by its name,
so that none is made twice and the list tells whose run is whose.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import replace
from datetime import timedelta
from typing import Literal

from sequences_mcp.domain.addresses import address_key
from sequences_mcp.domain.blueprint import Blueprint
from sequences_mcp.domain.contact import Contact, ContactFields, profile_key
from sequences_mcp.domain.ids import provider_of
from sequences_mcp.domain.plan import Plan
from sequences_mcp.domain.run import Run
from sequences_mcp.errors import (
    ConflictError,
    OutcomeUnknownError,
    ProviderRejectedError,
    ProviderUnavailableError,
    SequencesError,
    error_facts,
)
from sequences_mcp.ports import vendor
from sequences_mcp.ports.embedded import SequenceDetail, SequenceFilter
from sequences_mcp.vendors import translation
from sequences_mcp.vendors.topo import DESCRIPTION
from sequences_mcp.vendors.topo.client import STORED_FACTS, lacking
from sequences_mcp.vendors.topo.runs import TopoRuns
from sequences_mcp.vendors.topo.wire import PAGE_SIZE

NAME = DESCRIPTION.name
COUNT = "entries"
UNAVAILABLE = ""
STARTS_NEED = ("contact_lists:read", "contact_lists:write")
NOT_TAKEN = "Topo did not take this person."
UNREACHABLE = "neither an e-mail address nor a LinkedIn profile is known"
CLOSED = frozenset({"PENDING_SETUP", "INACTIVE", "FINISHING", "ARCHIVED"})
PAGES = 5
CLOCKS_APART = timedelta(days=1)  # the list says whose run it is; the date only keeps the search short


class TopoStarts(TopoRuns):
    """How people are enrolled at Topo.

    Topo's templates name their senders; whether leads wait for an approval in Topo (COPILOT) is set in its app and
    not returned by its API.
    """

    people_a_start = PAGE_SIZE

    async def blueprint_to_start(self, blueprint_id: str) -> Blueprint:
        """Return a template, without steps; ConflictError for one that takes nobody ("Sequence templates").

        ProviderForbiddenError for a key that is known not to carry what the start itself will need.
        """
        for scope in STARTS_NEED:
            if await self.scopes.lacks(scope):
                raise lacking(scope, what="start sequences (people are put on a contact list of the template)")
        template = await self.topo.get_template(blueprint_id)
        if template.provider_status in CLOSED:
            raise ConflictError(
                f"This template is {template.provider_status} at Topo and takes nobody now.",
                next_step="Activate it in Topo's app, or choose another one from list_blueprints.",
                data={"provider_status": template.provider_status},
            )
        return await self.memory.note(blueprint_id, name=_named(template))

    async def person_to_enrol(
        self, request: vendor.PersonRequest, *, blueprint: Blueprint, reviewed_there: bool
    ) -> vendor.VendorPerson:
        """Return a person from facts, or as Topo knows them; NotFoundError."""
        contact = await self._person(request)
        given = translation.given_of(contact, STORED_FACTS)
        return vendor.VendorPerson(
            contact=contact,
            vendor_facts=given,
            obstacle=None if contact.email or contact.linkedin_url else UNREACHABLE,
            left_out=translation.left_out_of(contact),
        )

    async def standings(self, people: Items[vendor.VendorPerson]) -> list[vendor.PersonStanding]:
        """Return who is in a live run at Topo; a warning about everybody where that cannot be read."""
        ids = [person.contact.id if provider_of(person.contact.id) == NAME else None for person in people]
        try:
            runs = await self.live.among([person.contact for person in people], ids=ids)
        except SequencesError as error:
            warning = f"Whether they are in a sequence at Topo already could not be read ({error.code})."
            return [vendor.PersonStanding(warning=warning)] * len(people)
        return [vendor.PersonStanding(obstacle=_running(run)) for run in runs]

    async def preflight(self, plan: Plan, people: Items[Run]) -> vendor.PreflightSnapshot:
        """Return how many entries the plan's list has, where there is one, and who is in a live run by now."""
        contact_list = await self._list_of(plan)
        facts = [_given(person) for person in people]
        try:
            runs = await self.live.among(facts, ids=[None] * len(people))
        except SequencesError:  # whoever approved was told that it could not be read
            runs = []
        busy = {person.id: why for person, run in zip(people, runs, strict=False) if (why := _running(run))}
        return vendor.PreflightSnapshot(baselines={COUNT: _counted(contact_list)}, obstacles=busy)

    async def enrol(self, order: vendor.EnrolmentBatch) -> tuple[vendor.EnrolmentOutcome, ...]:
        """Put everybody on the plan's list; the answer says for each whether they are on it."""
        home = await self._list_of(order.plan) or await self._new_list(order.plan)
        people = [_given(person) for person in order.people]
        outcomes = await self.topo.create_entries(home.id, people=people)
        return tuple(
            _outcome_of_entry(person, outcome) for person, outcome in zip(order.people, outcomes, strict=True)
        )

    async def read_enrolment_back(self, order: vendor.EnrolmentBatch) -> tuple[vendor.EnrolmentOutcome, ...]:
        """Return what the number of entries on the plan's list shows: all of them, nobody, or nothing."""
        earlier, now = order.before.get(COUNT, UNAVAILABLE), _counted(await self._list_of(order.plan))
        if UNAVAILABLE in (earlier, now):
            return tuple(
                _outcome(person, "unknown", "Topo does not tell how many are on the list.")
                for person in order.people
            )
        more = int(now) - int(earlier)
        shown = {0: "not_done", len(order.people): "done"}.get(more - order.known_done, "unknown")
        why = f"The list has {more} more entries than before."
        return tuple(_outcome(person, shown, why) for person in order.people)

    async def follow_run(self, run: Run, *, baseline: str | None) -> SequenceDetail | None:
        """Return the run that Topo made of an entry, or None while it has made none."""
        if run.remote_id is not None:
            return translation.detail_of(await self.topo.get_sequence(run.remote_id))
        remote = await self._run_of(run)
        return translation.detail_of(remote) if remote else None

    async def _person(self, request: vendor.PersonRequest) -> Contact:
        if request.vendor_id is not None:
            known = translation.contact_of_remote(
                replace(await self.topo.get_contact(request.vendor_id), id=request.vendor_id)
            )
            return translation.with_facts(known, request.fields)
        return translation.unknown_contact(request.fields)

    async def _list_of(self, plan: Plan) -> translation.RemoteList | None:
        lists = await self.topo.list_contact_lists(name=_list_name(plan))
        mine = (contact_list for contact_list in lists.items if contact_list.name == _list_name(plan))
        return next(
            (contact_list for contact_list in mine if contact_list.blueprint_id == plan.header.blueprint_id), None
        )

    async def _new_list(self, plan: Plan) -> translation.RemoteList:
        """Return a new list. One that may have been made holds nobody, and is found by its name next time."""
        name, blueprint_id = _list_name(plan), plan.header.blueprint_id
        try:
            made = await self.topo.create_contact_list(name=name, blueprint_id=blueprint_id)
        except OutcomeUnknownError as error:
            raise _no_list(error.data) from error
        if made.item is None:
            raise _no_list({"vendor_code": made.vendor_code, "vendor_message": made.vendor_message})
        return made.item

    async def _run_of(self, run: Run) -> translation.RemoteSequence | None:
        home = await self.topo.list_contact_lists(name=_list_name_of(run.plan_id))
        people = await self.topo.list_contacts(
            email=run.vendor_facts.get("email"),
            linkedin_url=None if run.vendor_facts.get("email") else run.vendor_facts.get("linkedin_url"),
        )
        lists = {item.id for item in home.items if item.name == _list_name_of(run.plan_id)}
        mine = {item.id for item in people.items if _is_same(item.fields, run)}
        for page in range(1, PAGES + 1):
            wanted = SequenceFilter(
                blueprint_id=run.blueprint_id,
                created_after=run.created_at - CLOCKS_APART,
                sort_order="desc",
                page=page,
                size=PAGE_SIZE,
            )
            batch = await self.topo.list_sequences(wanted)
            for item in batch.items:
                if item.list_id in lists and item.contact_id in mine:
                    return item
            if not batch.has_more:
                break
        return None


def _running(run: translation.RemoteSequence | None) -> str | None:
    if run is None:
        return None
    return f"in a sequence at Topo already ({run.id}, {run.provider_status or 'of unknown status'})"


def _given(run: Run) -> ContactFields:
    """Return what Topo is given about a person; what is not a fact of a person's is none of it."""
    return ContactFields(**{name: value for name, value in run.vendor_facts.items() if name in STORED_FACTS})


def _counted(contact_list: translation.RemoteList | None) -> str:
    """Return how many entries a list has; none where there is no list, nothing where Topo does not tell."""
    if contact_list is None:
        return "0"
    return UNAVAILABLE if contact_list.entries_count is None else str(contact_list.entries_count)


def _is_same(fields_: ContactFields, run: Run) -> bool:
    email, profile = run.vendor_facts.get("email"), run.vendor_facts.get("linkedin_url")
    if email:
        return fields_.email is not None and address_key(fields_.email) == address_key(email)
    return profile is not None and profile_key(fields_.linkedin_url) == profile_key(profile)


def _list_name(plan: Plan) -> str:
    return _list_name_of(plan.id)


def _list_name_of(plan_id: str) -> str:
    return f"sequences-mcp {plan_id.partition(':')[2]}"


def _named(template: translation.RemoteBlueprint) -> str:
    """Return a template's name with what tells one state of it from another, so that a change of it shows."""
    parts = [
        template.name or template.id,
        f"{template.step_count} steps" if template.step_count is not None else None,
        f"changed {template.updated_at:%Y-%m-%d %H:%M:%S} UTC" if template.updated_at else None,
    ]
    return " · ".join(filter(None, parts))


def _outcome_of_entry(
    run: Run, outcome: translation.ItemOutcome[translation.RemoteEntry]
) -> vendor.EnrolmentOutcome:
    if outcome.outcome == "done":
        return _outcome(run, "done", "")
    if outcome.outcome == "not_done":
        return replace(_outcome(run, "not_done", NOT_TAKEN), error=error_facts(_not_taken(outcome)))
    return _outcome(run, "unknown", "Topo's answer does not say what became of this person.")


def _not_taken(outcome: translation.ItemOutcome[translation.RemoteEntry]) -> ProviderRejectedError:
    return ProviderRejectedError(
        NOT_TAKEN,
        next_step="The others are not concerned. `vendor_message` quotes why; somebody on Topo's own list of "
        "exclusions, or in a sequence there, is taken by nobody.",
        data={
            "provider": "topo",
            "vendor_code": outcome.vendor_code,
            "vendor_message": outcome.vendor_message,
        },
    )


def _outcome(run: Run, outcome: str, why: str) -> vendor.EnrolmentOutcome:
    known: dict[str, Literal["done", "not_done", "unknown"]] = {"done": "done", "not_done": "not_done"}
    return vendor.EnrolmentOutcome(sequence_id=run.id, outcome=known.get(outcome, "unknown"), why=why)


def _no_list(data: Mapping[str, object]) -> ProviderUnavailableError:
    return ProviderUnavailableError(
        "Topo has not made a contact list for this start; nobody was enrolled.",
        next_step="It is tried again by itself while the approval holds.",
        data={name: value for name, value in data.items() if value is not None},
    )
