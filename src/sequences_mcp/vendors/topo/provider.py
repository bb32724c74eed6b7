"""Topo as a provider.

Its tasks wait to be done by hand, with the messages they are about; its contact lists are places to put people, as
far as that starts nothing; its templates are made in its app.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Items
from dataclasses import replace
from typing import ClassVar

from sequences_mcp.domain.addresses import host_key
from sequences_mcp.domain.blueprint import Blueprint
from sequences_mcp.domain.contact import Contact, ContactFields, facts_of
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.run import TaskOutcome
from sequences_mcp.errors import (
    ApprovalError,
    InvalidArgumentsError,
    NotSupportedError,
    SequencesError,
    UnexpectedAnswerError,
)
from sequences_mcp.ports.vendor import ContactInput, Identity, Misfit, PlacedContact, VendorMessage, VendorTask
from sequences_mcp.vendors import translation
from sequences_mcp.vendors.topo import wire
from sequences_mcp.vendors.topo.client import STORED_FACTS
from sequences_mcp.vendors.topo.enrolment import TopoStarts

OPEN = ("PENDING", "IN_PROGRESS")  # one list after the other: Topo documents one status a call
WITH_MESSAGES = 5
MESSAGES = 3
PAGES_LOOKED_AT = 5
LISTS_NAMED = 10
REASON = "OTHER"  # one of Topo's own words; why is in the message


class Topo(TopoStarts):
    """Topo with what its API can do."""

    lacks: ClassVar = {
        "create_blueprint": "create a sequence template",
        "update_blueprint": "change a sequence template",
    }
    contacts_a_request = wire.BATCH
    contacts_a_call = 10 * wire.BATCH

    async def about_key(self) -> str:
        """Return the scopes of the key."""
        return f"scopes of the key: {', '.join(sorted(await self.scopes.known())) or 'none'}"

    async def list_blueprints(self, *, page: int, size: int) -> Page[Blueprint]:
        """Return one page of templates, without steps."""
        return (
            (await self.topo.list_templates(page=page, size=size)).counted().map(translation.blueprint_of_remote)
        )

    async def get_blueprint(self, blueprint_id: str, version: int | None = None) -> Blueprint:
        """Return one template, without steps."""
        return translation.blueprint_of_remote(await self.topo.get_template(blueprint_id))

    async def find_contacts(self, query: str, *, page: int, size: int) -> Page[Contact]:
        """Return people; the query is empty, an e-mail address or a LinkedIn profile."""
        if query and "@" not in query and "linkedin.com/" not in query:
            raise InvalidArgumentsError(
                "Topo finds people by a whole e-mail address or LinkedIn profile only.",
                next_step="Give one of the two as the query, or an empty one for everybody.",
            )
        by_email = query if "@" in query else None
        profile = query if query and by_email is None else None
        return translation.people_of_remote(
            await self.topo.list_contacts(email=by_email, linkedin_url=profile, page=page, size=size)
        )

    async def identity_of(self, contact_id: str) -> Identity:
        """Read the contact; NotFoundError."""
        return translation.identity_of_remote(await self.topo.get_contact(contact_id))

    def contact_misfit(self, person: ContactInput) -> Misfit | None:
        """Return why Topo cannot take somebody: no address and no profile, or more than its lists keep."""
        if person.id is not None:
            return Misfit("it is an id", "Topo takes people by their facts: email, first_name …")
        if not (person.fields.email or person.fields.linkedin_url):
            return Misfit("it has neither email nor linkedin_url", "Topo can reach nobody without one of the two.")
        if more := list(_not_stored(person.fields)):
            return Misfit(f"Topo's lists keep no {', '.join(more)}", "Leave that out.")
        return None

    async def placed_already(self, place_id: str, people: Items[ContactInput]) -> tuple[PlacedContact | None, ...]:
        """Return None for each: Topo merges whoever is there; ApprovalError for a list that enrols."""
        if place_id == "topo":
            raise await self._which_list()
        contact_list = await self.topo.get_contact_list(place_id)
        if contact_list.enrols is None:
            raise UnexpectedAnswerError(
                "Topo's answer does not say whether this list enrols whoever is put on it.",
                next_step="Nothing was done. Topo's own app shows the list.",
            )
        if contact_list.enrols:
            raise _is_a_start(contact_list)
        return (None,) * len(people)

    async def place_contacts(self, place_id: str, people: Items[ContactInput]) -> tuple[PlacedContact, ...]:
        """Put up to 100 people on the list."""
        done = await self.topo.create_entries(place_id, people=[person.fields for person in people])
        return tuple(map(_placed, done))

    async def count_placed(self, place_id: str, people: Items[ContactInput]) -> tuple[int | None, str]:
        """Return None: a list tells how many it has, not whom."""
        contact_list = await self.topo.get_contact_list(place_id)
        count = "an unknown number of" if contact_list.entries_count is None else f"{contact_list.entries_count:,}"
        return None, f"The list has {count} entries now, and Topo's API does not tell whom."

    async def _which_list(self) -> InvalidArgumentsError:
        page = await self.topo.list_contact_lists(size=LISTS_NAMED)
        rows = [
            {"id": contact_list.id, "name": contact_list.name, "enrols": contact_list.enrols is not False}
            for contact_list in page.items
        ]
        return InvalidArgumentsError(
            "Topo takes people into one of its contact lists, and none is named.",
            next_step="Give the id of a list that does not enrol as the provider.",
            data={"lists": rows, "more_lists": page.has_more},
        )

    async def is_excluded(self, kind: str, value: str) -> bool:
        """Say whether an address, a profile, or a domain among the first hundred, is there."""
        if kind == "address":
            return bool((await self.topo.list_contact_exclusions(email=value)).items)
        if kind == "profile":
            return bool((await self.topo.list_contact_exclusions(linkedin_url=value)).items)
        accounts = await self.topo.list_account_exclusions(size=100)
        return any(host_key(exclusion.domain or "") == host_key(value) for exclusion in accounts.items)

    async def exclude(self, kind: str, value: str, *, message: str) -> None:
        """Put it there, for good."""
        if kind == "address":
            await self.topo.exclude_contact(reason=REASON, email=value, message=message)
        elif kind == "profile":
            await self.topo.exclude_contact(reason=REASON, linkedin_url=value, message=message)
        else:
            await self.topo.exclude_account(reason=REASON, domain=value, message=message)

    async def list_tasks(self, *, page: int, size: int) -> Page[VendorTask]:
        """Return one page of the pending ones, then of those in progress, each oldest first."""
        pending = await self.topo.list_tasks(status=OPEN[0], page=page, size=size)
        waiting = pending.counted().total_count
        skip = max(0, (page - 1) * size - waiting)
        started, total = await self._window(skip, size - len(pending.items) - pending.unreadable)
        tasks = [*map(_task, pending.items), *map(_task, started)]
        shown = [await self._with_messages(task) for task in tasks[:WITH_MESSAGES]]
        rest = [replace(task, unavailable_because=UNREAD) for task in tasks[WITH_MESSAGES:]]
        return Page((*shown, *rest), waiting + total, page, size)

    async def complete_task(self, task_id: str, *, outcome: TaskOutcome) -> VendorTask:
        """Skip one, so that its run goes on; NotSupportedError for any other outcome."""
        if outcome is not TaskOutcome.SKIPPED:
            raise _done_in_its_app()
        return _task(await self.topo.skip_task(task_id))

    async def task_status(self, task_id: str) -> str | None:
        """Return Topo's word for how a task stands, from the newest of its lists: it shows no task alone."""
        for status in ("SKIPPED", *OPEN, "COMPLETED"):
            for number in range(1, PAGES_LOOKED_AT + 1):
                page = await self._latest(status, number)
                if any(task.id == task_id for task in page.items):
                    return status
                if not page.has_more:
                    break
        return None

    async def _latest(self, status: str, page: int) -> translation.RemotePage[translation.RemoteTask]:
        return await self.topo.list_tasks(
            status=status, sort_by="updated_at", sort_order="desc", page=page, size=wire.PAGE_SIZE
        )

    async def _window(self, skip: int, count: int) -> tuple[Items[translation.RemoteTask], int]:
        """Return so many of the tasks in progress after the first ``skip``, and how many there are."""
        size = max(1, count)
        first = await self.topo.list_tasks(status=OPEN[1], page=skip // size + 1, size=size)
        total = first.counted().total_count
        if count <= 0:
            return (), total
        tasks = list(first.items)
        if skip % size and first.has_more:
            tasks += (await self.topo.list_tasks(status=OPEN[1], page=skip // size + 2, size=size)).items
        return tasks[skip % size :][:count], total

    async def _with_messages(self, task: VendorTask) -> VendorTask:
        try:
            messages = await self.topo.list_task_messages(task.id)
        except SequencesError as error:
            return replace(task, unavailable_because=f"Its messages could not be read: {error.code}.")
        newest = sorted(messages, key=_sent, reverse=True)
        more = len(newest) - MESSAGES
        unavailable_because = f"{more} older messages are left out; Topo's app has them." if more > 0 else None
        return replace(
            task, messages=tuple(map(_message, newest[:MESSAGES])), unavailable_because=unavailable_because
        )


def _not_stored(known: ContactFields) -> Iterator[str]:
    return (name for name, value in facts_of(known).items() if value and name not in STORED_FACTS)


def _is_a_start(contact_list: translation.RemoteList) -> ApprovalError:
    return ApprovalError(
        "This list enrols whoever is put on it in a sequence at once: that is a start, which a person approves.",
        next_step="Nothing was done. start_sequence with this blueprint_id plans it; a list that does not enrol "
        "can be filled here.",
        data={"list_id": contact_list.id, "blueprint_id": contact_list.blueprint_id},
    )


def _placed(entry: translation.ItemOutcome[translation.RemoteEntry]) -> PlacedContact:
    return PlacedContact(
        outcome=entry.outcome,
        contact_id=entry.item.contact_id if entry.item else None,
        was_there=entry.provider_status == "UPDATED",
        vendor_code=entry.vendor_code,
        vendor_message=entry.vendor_message,
    )


UNREAD = f"Not read: messages come with the first {WITH_MESSAGES} tasks of a page."


def _sent(message: translation.RemoteMessage) -> float:
    return message.sent_at.timestamp() if message.sent_at else 0.0


def _message(message: translation.RemoteMessage) -> VendorMessage:
    return VendorMessage(
        direction=message.direction,
        channel=message.channel,
        subject=message.subject,
        body=message.body,
        sent_at=message.sent_at,
    )


def _task(task: translation.RemoteTask) -> VendorTask:
    return VendorTask(
        id=task.id,
        type=task.type,
        priority=task.priority,
        status=task.provider_status,
        sequence_id=task.sequence_id,
        created_at=task.created_at,
    )


def _done_in_its_app() -> NotSupportedError:
    return NotSupportedError(
        "Topo's API has a way to skip a task, and none to complete it.",
        next_step="Nothing was done. In Topo's own app the task is answered, called or approved, and "
        "closes by that; the outcome `skipped` closes it from here and lets its run go on.",
    )


PROVIDER = Topo
