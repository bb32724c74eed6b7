"""Topo's documented endpoints, one method each, and the scopes of its key. Ids are whole ids (``topo:1111-…``).

The scopes are read once, and a call that needs a missing one is refused without a request. Pausing, stopping and
excluding are requested all the same: they must never be blocked, and the key may have been given the scope since.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from datetime import datetime
from functools import partial
from typing import Literal, TypeVar

from sequences_mcp.domain.addresses import spellings
from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.domain.run import StopReason, StopScope
from sequences_mcp.errors import InvalidArgumentsError, ProviderForbiddenError, SequencesError
from sequences_mcp.lazy_dataclasses import dataclass, field
from sequences_mcp.ports.embedded import SequenceFilter
from sequences_mcp.vendors import translation
from sequences_mcp.vendors.outcome import Effect, VendorRequest, lacks_scope, path, query
from sequences_mcp.vendors.topo import wire
from sequences_mcp.vendors.topo.wire import (
    topo_contact_id,
    topo_list_id,
    topo_sequence_id,
    topo_task_id,
    topo_template_id,
)
from sequences_mcp.vendors.transport import Transport

T = TypeVar("T")
SECONDS = 5.0  # nobody waits longer for what the call itself will find out


@dataclass(slots=True)
class KeyRights:
    """The scopes of the key, asked for once; None while they are not known."""

    transport: Transport
    scopes: frozenset[str] | None = None
    is_asked: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def known(self) -> frozenset[str]:
        """Return the scopes ("Get me"); ProviderError when Topo does not tell."""
        if self.scopes is None:
            self.scopes = await TopoClient(self.transport).get_me()
        return self.scopes

    async def lacks(self, scope: str) -> bool:
        """Say whether the key is known not to carry a scope: of an answer without scopes, nothing is known.

        Asked at most once, in one attempt: a Topo that is down is found out by the call itself.
        """
        async with self.lock:
            if self.scopes is None and not self.is_asked:
                self.is_asked = True
                await self._try()
        return bool(self.scopes) and scope not in (self.scopes or ())

    async def _try(self) -> None:
        try:
            async with asyncio.timeout(SECONDS):
                self.scopes = await TopoClient(self.transport).get_me(patient=False)
        except (SequencesError, TimeoutError):
            return  # the scopes stay unknown, and Topo itself says what is missing


@dataclass(frozen=True, slots=True)
class Scoped:
    """A transport that does not ask for what the key is known not to carry."""

    transport: Transport
    scopes: KeyRights

    async def send(self, request: VendorRequest, read: Callable[[object], T]) -> T:
        """Make one call; ProviderForbiddenError, with the scope to add, before a request that would be refused."""
        if request.scope and not request.safe and await self.scopes.lacks(request.scope):
            raise _forbidden(self.transport, request)
        return await self.transport.send(request, read)


def _forbidden(transport: Transport, request: VendorRequest) -> ProviderForbiddenError:
    message, next_step = lacks_scope(transport.vendor, request)
    data = {"provider": transport.vendor.name, "missing_scope": request.scope}
    return ProviderForbiddenError(message, next_step=f"Nothing was asked. {next_step}", data=data)


def lacking(scope: str, *, what: str) -> ProviderForbiddenError:
    """Return the error of something that a whole verb needs, before its first request."""
    return ProviderForbiddenError(
        f"The Topo key may not {what}: it lacks the scope `{scope}`.",
        next_step=f"Nothing was asked. Make a Topo key with the scope `{scope}` and put it into TOPO_API_KEY.",
        data={"provider": "topo", "missing_scope": scope},
    )


READ_RUN = "get_sequence shows its status; if it is unchanged, the same call may be made once more."
READ_TASK = "list_tasks shows its status; if it is unchanged, the same call may be made once more."


READ_EXCLUSION = "Look the exclusion up first; adding it again does no harm, but makes a second one."

STORED_FACTS = {
    **{name: name for name in ("first_name", "last_name", "email", "linkedin_url")},
    "company": "company_name",
    **{name: name for name in ("company_domain", "job_title", "phone")},
}
"""What an entry keeps of a person: our name of each fact, and Topo's."""


class TopoClient:
    """Topo over one transport. Pages begin at 1 and hold at most 100."""

    def __init__(self, transport: Transport | Scoped) -> None:
        self._transport = transport

    async def get_me(self, *, patient: bool = True) -> frozenset[str]:
        """Return the scopes of the key ("Get me"); needs no scope. Not ``patient``: in one attempt."""
        request = VendorRequest(method="GET", path="/me", what="read what the key may do", patient=patient)
        return await self._transport.send(request, partial(wire.topo_one, read=wire.topo_scopes))

    async def list_sequences(self, wanted: SequenceFilter) -> translation.RemotePage[translation.RemoteSequence]:
        """Return one page of runs ("List sequences")."""
        request = VendorRequest(
            method="GET",
            path="/sequences",
            what="list the sequences",
            scope="sequences:read",
            query=query(
                status=wanted.status,
                sequence_template_id=topo_template_id(wanted.blueprint_id) if wanted.blueprint_id else None,
                created_at_after=wanted.created_after,
                created_at_before=wanted.created_before,
                sort_by=wanted.sort_by,
                sort_order=wanted.sort_order,
                page=wanted.page,
                size=page_size(wanted.size),
            ),
        )
        read = partial(wire.topo_page, read=wire.topo_sequence, page=wanted.page, size=page_size(wanted.size))
        return await self._transport.send(request, read)

    async def get_sequence(self, sequence_id: str) -> translation.RemoteSequence:
        """Return one run ("Get sequence"); Topo does not tell until when a run is paused."""
        bare_id = topo_sequence_id(sequence_id)
        request = VendorRequest(
            method="GET", path=path("/sequences/{}", bare_id), what="read the sequence", scope="sequences:read"
        )
        return await self._transport.send(
            request, partial(wire.topo_same, read=wire.topo_sequence, expected_id=bare_id)
        )

    async def update_variables(
        self, sequence_id: str, *, variables: Mapping[str, str | None]
    ) -> translation.RemoteSequence:
        """Merge overrides into a run's variables; None removes one ("Update sequence")."""
        bare_id = topo_sequence_id(sequence_id)
        request = VendorRequest(
            method="PATCH",
            path=path("/sequences/{}", bare_id),
            what="change the variables of the sequence",
            effect=Effect.WRITE_ONCE,
            body={"variables": dict(variables)},
            scope="sequences:write",
            read_back="get_sequence shows its variables; the same change may be made again, it is a merge.",
        )
        return await self._transport.send(
            request, partial(wire.topo_same, read=wire.topo_sequence, expected_id=bare_id)
        )

    async def pause_sequence(self, sequence_id: str, *, until: datetime) -> translation.RemoteSequence:
        """Pause a run until a future time, which is aware ("Pause sequence")."""
        if until.tzinfo is None:
            raise InvalidArgumentsError(
                "The time to pause until has no offset.", next_step="Give one, as in 2027-01-05T09:00:00+01:00."
            )
        body = {"paused_until": until.isoformat()}
        return await self._control(sequence_id, "pause", body=body, read=wire.topo_paused)

    async def resume_sequence(self, sequence_id: str) -> translation.RemoteSequence:
        """Let a run go on ("Resume sequence")."""
        return await self._control(sequence_id, "resume", body=None, read=wire.topo_resumed)

    async def stop_sequence(
        self, sequence_id: str, *, reason: StopReason, scope: StopScope
    ) -> translation.RemoteSequence:
        """Stop a run for good ("Stop sequence"); COMPANY also stops runs that the answer does not name."""
        body = {"reason": reason.value, "scope": scope.value}
        return await self._control(sequence_id, "stop", body=body, read=wire.topo_stopped)

    async def _control(
        self,
        sequence_id: str,
        verb: Literal["pause", "resume", "stop"],
        *,
        body: Mapping[str, str] | None,
        read: wire.ReadSequence,
    ) -> translation.RemoteSequence:
        bare_id = topo_sequence_id(sequence_id)
        request = VendorRequest(
            method="POST",
            path=path(f"/sequences/{{}}/{verb}", bare_id),
            what=f"{verb} the sequence",
            effect=Effect.WRITE_ONCE,
            body=body,
            scope="sequences:write",
            read_back=READ_RUN,
            safe=verb != "resume",
        )
        return await self._transport.send(request, partial(wire.topo_same, read=read, expected_id=bare_id))

    async def list_templates(
        self, *, page: int = 1, size: int = 10
    ) -> translation.RemotePage[translation.RemoteBlueprint]:
        """Return one page of templates ("List sequence templates")."""
        request = VendorRequest(
            method="GET",
            path="/sequence-templates",
            what="list the sequence templates",
            scope="sequences:read",
            query=query(page=page, size=page_size(size)),
        )
        read = partial(wire.topo_page, read=wire.topo_blueprint, page=page, size=page_size(size))
        return await self._transport.send(request, read)

    async def get_template(self, blueprint_id: str) -> translation.RemoteBlueprint:
        """Return one template, without its steps ("Get sequence template")."""
        bare_id = topo_template_id(blueprint_id)
        request = VendorRequest(
            method="GET",
            path=path("/sequence-templates/{}", bare_id),
            what="read the sequence template",
            scope="sequences:read",
        )
        return await self._transport.send(
            request, partial(wire.topo_same, read=wire.topo_blueprint, expected_id=bare_id)
        )

    async def list_contacts(
        self, *, email: str | None = None, linkedin_url: str | None = None, page: int = 1, size: int = 10
    ) -> translation.RemotePage[translation.RemoteContact]:
        """Return one page of contacts ("List contacts"): Topo searches by exact address or profile only.

        An address with letters beyond ASCII in its domain is looked for in both of its spellings.
        """
        first, *others = spellings(email) if email else (None,)
        for address in (first, *others):
            contacts = await self._contacts(email=address, linkedin_url=linkedin_url, page=page, size=size)
            if contacts.items:
                break
        return contacts

    async def _contacts(
        self, *, email: str | None, linkedin_url: str | None, page: int, size: int
    ) -> translation.RemotePage[translation.RemoteContact]:
        request = VendorRequest(
            method="GET",
            path="/contacts",
            what="list the contacts",
            scope="contacts:read",
            query=query(email=email, linkedin_url=linkedin_url, page=page, size=page_size(size)),
        )
        read = partial(wire.topo_page, read=wire.topo_contact, page=page, size=page_size(size))
        return await self._transport.send(request, read)

    async def get_contact(self, contact_id: str) -> translation.RemoteContact:
        """Return one contact ("Get contact")."""
        bare_id = topo_contact_id(contact_id)
        request = VendorRequest(
            method="GET", path=path("/contacts/{}", bare_id), what="read the contact", scope="contacts:read"
        )
        return await self._transport.send(
            request, partial(wire.topo_same, read=wire.topo_contact, expected_id=bare_id)
        )

    async def list_activities(
        self,
        *,
        sequence_id: str | None = None,
        template_id: str | None = None,
        event_type: str | None = None,
        page: int = 1,
        size: int = 10,
    ) -> translation.RemotePage[translation.RemoteActivity]:
        """Return one page of what happened, newest first: in a run, in those of a template, or in all of them
        ("List activities")."""
        request = VendorRequest(
            method="GET",
            path="/activities",
            what="list the activities",
            scope="activities:read",
            query=query(
                sequence_id=topo_sequence_id(sequence_id) if sequence_id else None,
                sequence_template_id=topo_template_id(template_id) if template_id else None,
                event_type=event_type,
                page=page,
                size=page_size(size),
            ),
        )
        read = partial(wire.topo_page, read=wire.topo_activity, page=page, size=page_size(size))
        return await self._transport.send(request, read)

    async def list_tasks(
        self,
        *,
        status: str,
        sort_by: Literal["created_at", "updated_at"] = "created_at",
        sort_order: Literal["asc", "desc"] = "asc",
        page: int = 1,
        size: int = 10,
    ) -> translation.RemotePage[translation.RemoteTask]:
        """Return one page of tasks ("List tasks")."""
        request = VendorRequest(
            method="GET",
            path="/tasks",
            what="list the tasks",
            scope="tasks:read",
            query=query(
                status=status,
                sort_by=sort_by,
                sort_order=sort_order,
                page=page,
                size=page_size(size),
            ),
        )
        read = partial(wire.topo_page, read=wire.topo_task, page=page, size=page_size(size))
        return await self._transport.send(request, read)

    async def list_task_messages(self, task_id: str) -> tuple[translation.RemoteMessage, ...]:
        """Return the messages of a task's thread, which are other people's texts ("List task messages")."""
        request = VendorRequest(
            method="GET",
            path=path("/tasks/{}/messages", topo_task_id(task_id)),
            what="read the messages of the task",
            scope="tasks:read",
        )
        return await self._transport.send(request, wire.topo_messages)

    async def skip_task(self, task_id: str) -> translation.RemoteTask:
        """Skip a task, which lets its run go on ("Skip task")."""
        bare_id = topo_task_id(task_id)
        request = VendorRequest(
            method="POST",
            path=path("/tasks/{}/skip", bare_id),
            what="skip the task",
            effect=Effect.WRITE_ONCE,
            scope="tasks:write",
            read_back=READ_TASK,
        )
        return await self._transport.send(
            request, partial(wire.topo_same, read=wire.topo_skipped, expected_id=bare_id)
        )

    async def list_contact_lists(
        self, *, name: str | None = None, page: int = 1, size: int = 10
    ) -> translation.RemotePage[translation.RemoteList]:
        """Return one page of contact lists ("List contact lists"); ``name`` is exact."""
        request = VendorRequest(
            method="GET",
            path="/contact-lists",
            what="list the contact lists",
            scope="contact_lists:read",
            query=query(name=name, page=page, size=page_size(size)),
        )
        read = partial(wire.topo_page, read=wire.topo_list, page=page, size=page_size(size))
        return await self._transport.send(request, read)

    async def get_contact_list(self, list_id: str) -> translation.RemoteList:
        """Return one contact list ("Get contact list")."""
        bare_id = topo_list_id(list_id)
        request = VendorRequest(
            method="GET",
            path=path("/contact-lists/{}", bare_id),
            what="read the contact list",
            scope="contact_lists:read",
        )
        return await self._transport.send(
            request, partial(wire.topo_same, read=wire.topo_list, expected_id=bare_id)
        )

    async def create_contact_list(
        self, *, name: str, blueprint_id: str | None = None
    ) -> translation.ItemOutcome[translation.RemoteList]:
        """Create one contact list ("Create contact lists"); with a blueprint, new entries are enrolled in it."""
        template = topo_template_id(blueprint_id) if blueprint_id else None
        request = VendorRequest(
            method="POST",
            path="/contact-lists",
            what="create the contact list",
            effect=Effect.WRITE_ONCE,
            body={"items": [{"name": name, "default_sequence_template_id": template}]},
            scope="contact_lists:write",
            read_back="Look for a contact list of this name in Topo first.",
        )
        read = partial(wire.topo_outcomes, read=wire.topo_list, number=1)
        return (await self._transport.send(request, read))[0]

    async def create_entries(
        self, list_id: str, *, people: Items[ContactFields]
    ) -> tuple[translation.ItemOutcome[translation.RemoteEntry], ...]:
        """Put up to 100 people on a list and return one outcome each ("Create contact entries").

        Each needs an address or a LinkedIn profile. A list with a template enrols them, some time later: no run
        and no contact may exist when this returns.
        """
        bare_id = topo_list_id(list_id)
        wire.check_batch(people, what="people")
        request = VendorRequest(
            method="POST",
            path="/contact-entries",
            what="put people on the contact list",
            effect=Effect.WRITE_ONCE,
            body={"items": [_entry(bare_id, person, index) for index, person in enumerate(people)]},
            scope="contact_lists:write",
            read_back="A list with a template enrols at once: list_sequences with that blueprint shows who is in.",
        )
        read = partial(wire.topo_outcomes, read=wire.topo_entry, number=len(people))
        return await self._transport.send(request, read)

    async def list_contact_exclusions(
        self, *, email: str | None = None, linkedin_url: str | None = None, page: int = 1, size: int = 10
    ) -> translation.RemotePage[translation.RemoteExclusion]:
        """Return one page of excluded people ("List contact exclusions"); both filters are exact."""
        request = VendorRequest(
            method="GET",
            path="/contact-exclusions",
            what="list the contact exclusions",
            scope="exclusions:read",
            query=query(email=email, linkedin_url=linkedin_url, page=page, size=page_size(size)),
        )
        read = partial(wire.topo_page, read=wire.topo_exclusion, page=page, size=page_size(size))
        return await self._transport.send(request, read)

    async def exclude_contact(
        self,
        *,
        reason: str,
        email: str | None = None,
        linkedin_url: str | None = None,
        message: str | None = None,
    ) -> None:
        """Exclude a person, for good ("Create contact exclusion").

        It is checked when people are imported: a run that is active goes on.
        """
        if not (email or linkedin_url):
            raise InvalidArgumentsError(
                "Topo cannot exclude somebody without an e-mail address or a LinkedIn profile.",
                next_step="Give at least one of the two.",
            )
        body = {"reason": reason, "email": email, "linkedin_url": linkedin_url, "message": message}
        await self._exclude("/contact-exclusions", body)

    async def list_account_exclusions(
        self, *, page: int = 1, size: int = 10
    ) -> translation.RemotePage[translation.RemoteExclusion]:
        """Return one page of excluded companies ("List account exclusions")."""
        request = VendorRequest(
            method="GET",
            path="/account-exclusions",
            what="list the account exclusions",
            scope="exclusions:read",
            query=query(page=page, size=page_size(size)),
        )
        read = partial(wire.topo_page, read=wire.topo_exclusion, page=page, size=page_size(size))
        return await self._transport.send(request, read)

    async def exclude_account(self, *, domain: str, reason: str, message: str | None = None) -> None:
        """Exclude a company by its domain, for good ("Create account exclusion")."""
        body = {"domain": domain, "reason": reason, "message": message}
        await self._exclude("/account-exclusions", body)

    async def _exclude(self, at: str, body: dict[str, str | None]) -> None:
        request = VendorRequest(
            method="POST",
            path=at,
            what="exclude them",
            effect=Effect.WRITE_ONCE,
            body={name: value for name, value in body.items() if value is not None},
            scope="exclusions:write",
            read_back=READ_EXCLUSION,
            safe=True,
        )
        await self._transport.send(request, partial(wire.topo_one, read=wire.topo_exclusion))


def page_size(size: int) -> int:
    """Return the size of a page, at most what Topo allows."""
    return min(size, wire.PAGE_SIZE)


def _entry(list_own: str, person: ContactFields, index: int) -> dict[str, str]:
    if not (person.email or person.linkedin_url):
        raise InvalidArgumentsError(
            f"Person {index + 1} has neither an e-mail address nor a LinkedIn profile.",
            next_step="Topo needs one of the two for each person.",
        )
    given = {theirs: value for ours, theirs in STORED_FACTS.items() if (value := getattr(person, ours))}
    return {"contact_list_id": list_own, **given}
