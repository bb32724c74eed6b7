"""Topo's documented endpoints about runs, templates, contacts and tasks, one method each.

Ids are whole ids (``topo:1111-…``). Lists and exclusions are in ``topo.lists``; :class:`Topo` has both.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Literal

from sequences_mcp.domain.addresses import spellings
from sequences_mcp.domain.sequence import StopReason, StopScope
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.providers.port import SequenceFilter
from sequences_mcp.providers.remote import (
    RemoteAccount,
    RemoteActivity,
    RemoteBlueprint,
    RemoteContact,
    RemoteMessage,
    RemotePage,
    RemoteSequence,
    RemoteTask,
)
from sequences_mcp.providers.retry import Effect
from sequences_mcp.providers.topo import wire
from sequences_mcp.providers.topo.ids import blueprint, contact, sequence, task
from sequences_mcp.providers.topo.lists import Lists, page_size
from sequences_mcp.providers.vendor import Request, path, query

READ_RUN = "get_sequence shows its status; if it is unchanged, the same call may be made once more."
READ_TASK = "list_tasks shows its status; if it is unchanged, the same call may be made once more."


class Topo(Lists):
    """Topo over one transport. Pages begin at 1 and hold at most 100."""

    async def get_me(self, *, patient: bool = True) -> RemoteAccount:
        """Return whose key it is and its scopes ("Get me"); needs no scope. Not ``patient``: in one attempt."""
        request = Request(method="GET", path="/me", what="read what the key may do", patient=patient)
        return await self._transport.send(request, partial(wire.one, read=wire.account))

    async def list_sequences(self, wanted: SequenceFilter) -> RemotePage[RemoteSequence]:
        """Return one page of runs ("List sequences")."""
        request = Request(
            method="GET",
            path="/sequences",
            what="list the sequences",
            scope="sequences:read",
            query=query(
                status=wanted.status,
                sequence_template_id=blueprint(wanted.blueprint_id) if wanted.blueprint_id else None,
                created_at_after=wanted.created_after,
                created_at_before=wanted.created_before,
                sort_by=wanted.sort_by,
                sort_order=wanted.sort_order,
                page=wanted.page,
                size=page_size(wanted.size),
            ),
        )
        read = partial(wire.page_of, read=wire.sequence, page=wanted.page, size=page_size(wanted.size))
        return await self._transport.send(request, read)

    async def get_sequence(self, sequence_id: str) -> RemoteSequence:
        """Return one run ("Get sequence"); Topo does not tell until when a run is paused."""
        own = sequence(sequence_id)
        request = Request(
            method="GET", path=path("/sequences/{}", own), what="read the sequence", scope="sequences:read"
        )
        return await self._transport.send(request, partial(wire.same, read=wire.sequence, own=own))

    async def update_variables(self, sequence_id: str, *, variables: Mapping[str, str | None]) -> RemoteSequence:
        """Merge overrides into a run's variables; None removes one ("Update sequence")."""
        own = sequence(sequence_id)
        request = Request(
            method="PATCH",
            path=path("/sequences/{}", own),
            what="change the variables of the sequence",
            effect=Effect.WRITE_ONCE,
            body={"variables": dict(variables)},
            scope="sequences:write",
            read_back="get_sequence shows its variables; the same change may be made again, it is a merge.",
        )
        return await self._transport.send(request, partial(wire.same, read=wire.sequence, own=own))

    async def pause_sequence(self, sequence_id: str, *, until: datetime) -> RemoteSequence:
        """Pause a run until a future time, which is aware ("Pause sequence")."""
        if until.tzinfo is None:
            raise InvalidArgumentsError(
                "The time to pause until has no offset.", next_step="Give one, as in 2027-01-05T09:00:00+01:00."
            )
        body = {"paused_until": until.isoformat()}
        return await self._control(sequence_id, "pause", body=body, read=wire.paused)

    async def resume_sequence(self, sequence_id: str) -> RemoteSequence:
        """Let a run go on ("Resume sequence")."""
        return await self._control(sequence_id, "resume", body=None, read=wire.resumed)

    async def stop_sequence(self, sequence_id: str, *, reason: StopReason, scope: StopScope) -> RemoteSequence:
        """Stop a run for good ("Stop sequence"); COMPANY also stops runs that the answer does not name."""
        body = {"reason": reason.value, "scope": scope.value}
        return await self._control(sequence_id, "stop", body=body, read=wire.stopped)

    async def _control(
        self,
        sequence_id: str,
        verb: Literal["pause", "resume", "stop"],
        *,
        body: Mapping[str, str] | None,
        read: wire.ReadSequence,
    ) -> RemoteSequence:
        own = sequence(sequence_id)
        request = Request(
            method="POST",
            path=path(f"/sequences/{{}}/{verb}", own),
            what=f"{verb} the sequence",
            effect=Effect.WRITE_ONCE,
            body=body,
            scope="sequences:write",
            read_back=READ_RUN,
            safe=verb != "resume",
        )
        return await self._transport.send(request, partial(wire.same, read=read, own=own))

    async def list_templates(
        self, *, name: str | None = None, status: str | None = None, page: int = 1, size: int = 10
    ) -> RemotePage[RemoteBlueprint]:
        """Return one page of templates ("List sequence templates"); ``name`` is exact."""
        request = Request(
            method="GET",
            path="/sequence-templates",
            what="list the sequence templates",
            scope="sequences:read",
            query=query(name=name, status=status, page=page, size=page_size(size)),
        )
        read = partial(wire.page_of, read=wire.blueprint, page=page, size=page_size(size))
        return await self._transport.send(request, read)

    async def get_template(self, blueprint_id: str) -> RemoteBlueprint:
        """Return one template, without its steps ("Get sequence template")."""
        own = blueprint(blueprint_id)
        request = Request(
            method="GET",
            path=path("/sequence-templates/{}", own),
            what="read the sequence template",
            scope="sequences:read",
        )
        return await self._transport.send(request, partial(wire.same, read=wire.blueprint, own=own))

    async def list_contacts(
        self, *, email: str | None = None, linkedin_url: str | None = None, page: int = 1, size: int = 10
    ) -> RemotePage[RemoteContact]:
        """Return one page of contacts ("List contacts"): Topo searches by exact address or profile only.

        An address with letters beyond ASCII in its domain is looked for in both of its spellings.
        """
        first, *others = spellings(email) if email else (None,)
        for one in (first, *others):
            found = await self._contacts(email=one, linkedin_url=linkedin_url, page=page, size=size)
            if found.items:
                break
        return found

    async def _contacts(
        self, *, email: str | None, linkedin_url: str | None, page: int, size: int
    ) -> RemotePage[RemoteContact]:
        request = Request(
            method="GET",
            path="/contacts",
            what="list the contacts",
            scope="contacts:read",
            query=query(email=email, linkedin_url=linkedin_url, page=page, size=page_size(size)),
        )
        read = partial(wire.page_of, read=wire.contact, page=page, size=page_size(size))
        return await self._transport.send(request, read)

    async def get_contact(self, contact_id: str) -> RemoteContact:
        """Return one contact ("Get contact")."""
        own = contact(contact_id)
        request = Request(
            method="GET", path=path("/contacts/{}", own), what="read the contact", scope="contacts:read"
        )
        return await self._transport.send(request, partial(wire.same, read=wire.contact, own=own))

    async def get_contact_variables(self, contact_id: str) -> Mapping[str, object]:
        """Return a contact's and its company's variables ("Get contact variables")."""
        request = Request(
            method="GET",
            path=path("/contacts/{}/variables", contact(contact_id)),
            what="read the variables of the contact",
            scope="contacts:read",
        )
        return await self._transport.send(request, wire.contact_variables)

    async def list_activities(
        self,
        *,
        sequence_id: str | None = None,
        blueprint_id: str | None = None,
        person_id: str | None = None,
        page: int = 1,
        size: int = 10,
    ) -> RemotePage[RemoteActivity]:
        """Return one page of what happened, newest first ("List activities"); ``person_id`` is Topo's bare id."""
        request = Request(
            method="GET",
            path="/activities",
            what="list the activities",
            scope="activities:read",
            query=query(
                sequence_id=sequence(sequence_id) if sequence_id else None,
                sequence_template_id=blueprint(blueprint_id) if blueprint_id else None,
                person_id=person_id,
                page=page,
                size=page_size(size),
            ),
        )
        read = partial(wire.page_of, read=wire.activity, page=page, size=page_size(size))
        return await self._transport.send(request, read)

    async def list_tasks(
        self,
        *,
        sequence_id: str | None = None,
        status: str | None = None,
        sort_by: Literal["created_at", "updated_at"] = "created_at",
        sort_order: Literal["asc", "desc"] = "asc",
        page: int = 1,
        size: int = 10,
    ) -> RemotePage[RemoteTask]:
        """Return one page of tasks ("List tasks")."""
        request = Request(
            method="GET",
            path="/tasks",
            what="list the tasks",
            scope="tasks:read",
            query=query(
                sequence_id=sequence(sequence_id) if sequence_id else None,
                status=status,
                sort_by=sort_by,
                sort_order=sort_order,
                page=page,
                size=page_size(size),
            ),
        )
        read = partial(wire.page_of, read=wire.task, page=page, size=page_size(size))
        return await self._transport.send(request, read)

    async def list_task_messages(self, task_id: str) -> tuple[RemoteMessage, ...]:
        """Return the messages of a task's thread, which are other people's texts ("List task messages")."""
        request = Request(
            method="GET",
            path=path("/tasks/{}/messages", task(task_id)),
            what="read the messages of the task",
            scope="tasks:read",
        )
        return await self._transport.send(request, wire.messages)

    async def skip_task(self, task_id: str) -> RemoteTask:
        """Skip a task, which lets its run go on ("Skip task")."""
        own = task(task_id)
        request = Request(
            method="POST",
            path=path("/tasks/{}/skip", own),
            what="skip the task",
            effect=Effect.WRITE_ONCE,
            scope="tasks:write",
            read_back=READ_TASK,
        )
        return await self._transport.send(request, partial(wire.same, read=wire.skipped, own=own))
