"""Topo's runs: listed with the names of their people, read, paused, resumed, stopped, and looked for by person."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from collections.abc import Sequence as Items
from datetime import datetime
from functools import partial
from typing import NoReturn, TypeVar

from sequences_mcp.domain.addresses import address_key, domain_of, host_key
from sequences_mcp.domain.contact import ContactFields, profile_key
from sequences_mcp.domain.page import Page
from sequences_mcp.domain.run import LIVE, SequenceStatus, StopReason, StopScope
from sequences_mcp.domain.variables import VARIABLES
from sequences_mcp.errors import (
    InvalidArgumentsError,
    NotFoundError,
    ProviderForbiddenError,
    ProviderUnavailableError,
    SequencesError,
)
from sequences_mcp.lazy_dataclasses import dataclass, field, replace
from sequences_mcp.ports.embedded import (
    ReceivedReply,
    ReplyFilter,
    SequenceDetail,
    SequenceFilter,
    VendorActivity,
    VendorFacts,
)
from sequences_mcp.ports.vendor import MAX_CONCURRENT, gather_limited
from sequences_mcp.vendors.topo import DESCRIPTION
from sequences_mcp.vendors.topo.client import KeyRights, Scoped, TopoClient, lacking
from sequences_mcp.vendors.topo.wire import PAGE_SIZE
from sequences_mcp.vendors.translation import RemoteSequence, contact_of_remote, detail_of
from sequences_mcp.vendors.transport import Transport
from sequences_mcp.vendors.vendor import BlueprintCache, Vendor

ACTIVITIES = 10
MOST_READ = 200  # people of live runs, read one by one to know where they work
PAGES = 5  # of a hundred runs each: how far a search through Topo's list goes
REMEMBERED = 2_000
REPLIED, REPLIED_EVENT = "message.replied", "REPLIED"
MOST_REPLIES = 20  # of a page: the run of each is read
STOPPED_ALONE = (
    "Topo also stops other runs of this template at the company. Which ones could not be read: list_sequences "
    "with provider topo and status STOPPED_EARLY shows them."
)
WAITING = {"approval": SequenceStatus.FOUND, "task": SequenceStatus.WAITING_FOR_USER}
T = TypeVar("T")


@dataclass(slots=True)
class Names:
    """What was last read about things that hardly ever change their names, by id; the oldest are forgotten."""

    known: OrderedDict[str, object] = field(default_factory=OrderedDict)

    async def of(self, ids: Iterable[str], read: Callable[[str], Awaitable[T]]) -> dict[str, T]:
        """Return each thing that could be read; nothing is raised for those that could not."""
        wanted = list(dict.fromkeys(filter(None, ids)))
        missing = [item_id for item_id in wanted if item_id not in self.known]
        for start in range(0, len(missing), MAX_CONCURRENT):
            if not await self._read(missing[start : start + MAX_CONCURRENT], read):
                break
        while len(self.known) > REMEMBERED:
            self.known.popitem(last=False)
        return {item_id: self.known[item_id] for item_id in wanted if item_id in self.known}  # type: ignore[misc]

    async def _read(self, ids: list[str], read: Callable[[str], Awaitable[T]]) -> bool:
        """Read some; say whether reading more makes sense."""
        answers = await asyncio.gather(*map(read, ids), return_exceptions=True)
        for item_id, answer in zip(ids, answers, strict=True):
            if isinstance(answer, BaseException):
                if not isinstance(answer, SequencesError):
                    raise answer
            else:
                self.known[item_id] = answer
        return not any(isinstance(answer, ProviderForbiddenError) for answer in answers)


@dataclass(frozen=True, slots=True)
class LiveRuns:
    """Who is in a live run at Topo, whoever started it. Its list has no contact filter, so the list is read."""

    topo: TopoClient
    people: Names = field(default_factory=Names)

    async def among(self, people: Items[ContactFields], *, ids: Items[str | None]) -> list[RemoteSequence | None]:
        """Return, for each person, a live run of theirs or None; SequencesError where that cannot be read.

        ``ids`` are Topo's ids of them, None where only the facts are known. Also raised when there are more
        live runs than can be read.
        """
        live = await self._live()
        if not live:
            return [None] * len(people)
        if len(people) <= len(live):
            return [
                await self._run_of(person, contact_id, live)
                for person, contact_id in zip(people, ids, strict=True)
            ]
        known = await self.people.of(live, self.topo.get_contact)
        facts = {contact_id: who.fields for contact_id, who in known.items()}
        addressed = {address_key(who.email): contact_id for contact_id, who in facts.items() if who.email}
        profiles = {
            profile_key(who.linkedin_url): contact_id for contact_id, who in facts.items() if who.linkedin_url
        }
        runs = []
        for person, contact_id in zip(people, ids, strict=True):
            by_email = addressed.get(address_key(person.email)) if person.email else None
            by_profile = profiles.get(profile_key(person.linkedin_url)) if person.linkedin_url else None
            runs.append(next((live[who] for who in (contact_id, by_email, by_profile) if who in live), None))
        return runs

    async def _run_of(
        self, person: ContactFields, contact_id: str | None, live: Mapping[str, RemoteSequence]
    ) -> RemoteSequence | None:
        ids = [contact_id] if contact_id else []
        if person.email and not contact_id:
            ids += [who.id for who in (await self.topo.list_contacts(email=person.email)).items]
        if (
            person.linkedin_url and not contact_id and not any(who in live for who in ids)
        ):  # perhaps under another address
            ids += await self.with_profile(person.linkedin_url)
        return next((live[who] for who in ids if who in live), None)

    async def with_profile(self, url: str) -> list[str]:
        """Return the ids of the people at Topo who have a profile, looked for as given and as Topo writes it."""
        for spelling in dict.fromkeys((url, f"https://www.{profile_key(url)}")):
            contacts = (await self.topo.list_contacts(linkedin_url=spelling)).items
            if contacts:
                return [who.id for who in contacts]
        return []

    async def _live(self) -> dict[str, RemoteSequence]:
        """Return a live run of each who has one, by Topo's id of the contact."""
        return {run.contact_id: run for run in await self.all() if run.contact_id}

    async def all(self) -> list[RemoteSequence]:
        """Return every live run; SequencesError where they cannot be read, or are too many."""
        runs: list[RemoteSequence] = []
        for status in (SequenceStatus.FOUND, *sorted(LIVE)):
            for number in range(1, PAGES + 1):
                page = await self.topo.list_sequences(
                    SequenceFilter(status=status, sort_order="desc", page=number, size=PAGE_SIZE)
                )
                runs += page.items
                if not page.has_more:
                    break
            else:
                raise ProviderUnavailableError(
                    f"Topo has more than {PAGES * PAGE_SIZE} runs in {status}; not all were read.",
                    next_step="Look the people up in Topo's app.",
                )
        return runs


class TopoRuns(Vendor):
    """Topo as far as runs go; what its key is known not to carry is not asked for."""

    name, title = DESCRIPTION.name, DESCRIPTION.title

    def __init__(self, transport: Transport, *, memory: BlueprintCache, further: Mapping[str, str]) -> None:
        super().__init__(memory)
        self.scopes = KeyRights(transport)
        self.topo = TopoClient(Scoped(transport, self.scopes))
        self.people, self.templates = Names(), Names()
        self.live = LiveRuns(self.topo)

    async def list_sequences(self, wanted: SequenceFilter) -> Page[SequenceDetail]:
        """Return one page. Topo filters by one status, template and dates; a contact is looked for in its list."""
        filters = _as_topo_filters(wanted)
        if wanted.contact is not None:
            return await self._of_contact(filters, wanted.contact.strip())
        runs = (await self.topo.list_sequences(filters)).counted()
        return runs.of(tuple(await self.named(runs.items)))

    async def get_sequence(self, sequence_id: str) -> SequenceDetail:
        """Return one run with what last happened in it, where the key may read that; NotFoundError."""
        [detail] = await self.named([await self.topo.get_sequence(sequence_id)])
        try:
            page = await self.topo.list_activities(sequence_id=sequence_id, size=ACTIVITIES)
        except ProviderForbiddenError:
            return replace(
                detail,
                unavailable_because="What happened is not shown: the key lacks the scope `activities:read`.",
            )
        except SequencesError as error:
            return replace(detail, unavailable_because=f"What happened could not be read: {error.code}.")
        happened = tuple(
            VendorActivity(type=activity.type, channel=activity.channel, at=activity.created_at)
            for activity in page.items
        )
        replies = [activity.at for activity in happened if activity.type == REPLIED and activity.at]
        facts = replace(detail.facts or VendorFacts(), replied_at=max(replies, default=None))
        return replace(detail, activities=happened, facts=facts)

    async def list_replies(self, wanted: ReplyFilter) -> Page[ReceivedReply]:
        """Return one page of who replied and when: the activities of that kind, each with its run."""
        page = await self.topo.list_activities(
            sequence_id=wanted.sequence_id,
            template_id=wanted.blueprint_id,
            event_type=REPLIED_EVENT,
            page=wanted.page,
            size=min(wanted.size, MOST_REPLIES),
        )
        activities = [
            activity
            for activity in page.items
            if activity.sequence_id
            and activity.created_at
            and (wanted.since is None or activity.created_at >= wanted.since)
        ]
        ids = dict.fromkeys(activity.sequence_id for activity in activities if activity.sequence_id)
        runs = await gather_limited([partial(self._run_or_none, run_id) for run_id in ids])
        details = {detail.sequence.id: detail for detail in await self.named(filter(None, runs))}
        replies = tuple(
            ReceivedReply.at_vendor(detail, reply_id=activity.id, at=activity.created_at)
            for activity in activities
            if activity.created_at and (detail := details.get(activity.sequence_id or ""))
        )
        counted = page.counted()
        is_all = wanted.since is None
        # Of those since an instant only the page is known: the newest come first.
        total = counted.total_count if is_all else (counted.page - 1) * counted.size + len(replies)
        return Page(replies, total, counted.page, counted.size)

    async def _run_or_none(self, sequence_id: str) -> RemoteSequence | None:
        """Return a run, or None where it is not there any more."""
        try:
            return await self.topo.get_sequence(sequence_id)
        except NotFoundError:
            return None

    async def pause_sequence(self, sequence_id: str, *, until: datetime) -> SequenceDetail:
        """Wait until a future time."""
        [detail] = await self.named([await self.topo.pause_sequence(sequence_id, until=until)])
        return replace(detail, facts=replace(detail.facts or VendorFacts(), paused_until=until))

    async def resume_sequence(self, sequence_id: str) -> SequenceDetail:
        """Go on now."""
        return (await self.named([await self.topo.resume_sequence(sequence_id)]))[0]

    async def stop_sequence(
        self, sequence_id: str, *, reason: StopReason, scope: StopScope
    ) -> list[SequenceDetail]:
        """Stop for good. Topo's answer names this run alone: the others of COMPANY are those that were live before
        and are stopped after; where that cannot be read, the first one's ``unavailable_because`` says so."""
        before = await self._live_beside(sequence_id) if scope is StopScope.COMPANY else None
        stopped = await self.topo.stop_sequence(sequence_id, reason=reason, scope=scope)
        [first] = await self.named([stopped])
        first = replace(first, facts=replace(first.facts or VendorFacts(), stop_reason=reason.value))
        if scope is StopScope.CONTACT:
            return [first]
        after = await self._stopped_since(before, stopped) if before is not None else None
        if after is None:
            return [replace(first, unavailable_because=STOPPED_ALONE)]
        return [first, *await self.named(after)]

    async def update_variables(self, sequence_id: str, *, variables: Mapping[str, str | None]) -> SequenceDetail:
        """Merge overrides; None removes one."""
        await self.require_used(sequence_id, variables=variables)
        return (await self.named([await self.topo.update_variables(sequence_id, variables=variables)]))[0]

    async def require_used(self, sequence_id: str, *, variables: Mapping[str, str | None]) -> None:
        """Raise InvalidArgumentsError for a variable of ours that no text of this run has.

        ProviderForbiddenError for a key that is known not to carry the scope of the change.
        """
        if await self.scopes.lacks("sequences:write"):
            raise lacking("sequences:write", what="change the variables of the sequence")
        if ours := [name for name in variables if name in VARIABLES]:
            theirs = (await self.topo.get_sequence(sequence_id)).variables
            if strange := [name for name in ours if name not in theirs]:
                raise _not_theirs(strange, theirs)

    async def named(self, runs: Iterable[RemoteSequence]) -> list[SequenceDetail]:
        """Return runs with the names of their people and templates, as far as the key may read them."""
        remote_runs = list(runs)
        people = await self.people.of((run.contact_id or "" for run in remote_runs), self.topo.get_contact)
        templates = await self.templates.of(
            (run.blueprint_id or "" for run in remote_runs), self.topo.get_template
        )
        details = []
        for run in remote_runs:
            person, template = people.get(run.contact_id or ""), templates.get(run.blueprint_id or "")
            contact = contact_of_remote(replace(person, id=run.contact_id or "")) if person else None
            detail = detail_of(run, contact=contact)
            facts = replace(detail.facts or VendorFacts(), blueprint_name=template.name if template else None)
            details.append(replace(detail, facts=facts))
        return details

    async def _of_contact(self, wanted: SequenceFilter, contact: str) -> Page[SequenceDetail]:
        """Return a contact's runs. Topo's list has no such filter, so its newest runs are searched."""
        ids = {contact} if contact.startswith("topo:") else await self._ids_of(contact)
        matches: list[RemoteSequence] = []
        for number in range(1, PAGES + 1):
            page = await self.topo.list_sequences(
                replace(wanted, sort_by="created_at", sort_order="desc", page=number, size=PAGE_SIZE)
            )
            matches += [run for run in page.items if run.contact_id in ids]
            if not page.has_more:
                break
        else:
            note = f"Only Topo's {PAGES * PAGE_SIZE} newest runs were searched for this contact."
            return await self._page(matches, wanted, note=note)
        return await self._page(matches, wanted)

    async def _page(
        self, matches: list[RemoteSequence], wanted: SequenceFilter, *, note: str | None = None
    ) -> Page[SequenceDetail]:
        start = (wanted.page - 1) * wanted.size
        shown = await self.named(matches[start : start + wanted.size])
        return Page(tuple(shown), len(matches), wanted.page, wanted.size, note=note)

    async def _ids_of(self, contact: str) -> set[str]:
        if "@" not in contact:
            _no_filter("contact by name", "Give a contact's id (topo:…) or whole e-mail address.")
        return {contact_row.id for contact_row in (await self.topo.list_contacts(email=contact)).items}

    async def _live_beside(self, sequence_id: str) -> set[str] | None:
        """Return the ids of the live runs of a run's template, or None where not all can be read."""
        try:
            run = await self.topo.get_sequence(sequence_id)
            runs = await self._all(run.blueprint_id, LIVE)
        except SequencesError:  # stopping must not fail because a list could not be read
            return None
        return None if runs is None else {other.id for other in runs} - {sequence_id}

    async def _stopped_since(self, before: set[str], stopped: RemoteSequence) -> list[RemoteSequence] | None:
        try:
            runs = await self._all(stopped.blueprint_id, [SequenceStatus.STOPPED_EARLY])
        except SequencesError:
            return None
        return None if runs is None else [run for run in runs if run.id in before]

    async def _all(
        self, blueprint_id: str | None, statuses: Iterable[SequenceStatus]
    ) -> list[RemoteSequence] | None:
        """Return every run of a template in one of these statuses; None when there are more than can be read."""
        runs: list[RemoteSequence] = []
        for status in statuses:
            for number in range(1, PAGES + 1):
                wanted = SequenceFilter(
                    status=status,
                    blueprint_id=blueprint_id,
                    sort_by="updated_at",
                    sort_order="desc",
                    page=number,
                    size=PAGE_SIZE,
                )
                page = await self.topo.list_sequences(wanted)
                runs += page.items
                if not page.has_more:
                    break
            else:
                if status in LIVE:
                    return None  # of those that are over, the newest are enough
        return runs

    def can_look_for(self, targets: Items[tuple[str, str]]) -> bool:
        """Return True: its list of runs is read."""
        return True

    async def live_runs_of(self, targets: Items[tuple[str, str]]) -> list[SequenceDetail]:
        """Return the live runs of whoever these targets cover."""
        runs = await self.live.all()
        if not runs:
            return []
        wanted = {value for kind, value in targets if kind == "contact"}
        hosts = [value for kind, value in targets if kind == "domain"]
        for kind, value in targets:
            if kind == "address":
                wanted |= {who.id for who in (await self.topo.list_contacts(email=value)).items}
            elif kind == "profile":
                wanted |= set(await self.live.with_profile(value))
        if hosts:
            wanted |= await self._at(hosts, [run.contact_id for run in runs if run.contact_id])
        return await self.named([run for run in runs if run.contact_id in wanted])

    async def _at(self, hosts: Items[str], ids: Items[str]) -> set[str]:
        """Return who of these is at one of these domains, or below; ProviderUnavailableError for too many."""
        if len(set(ids)) > MOST_READ:
            raise ProviderUnavailableError(
                f"Topo has more than {MOST_READ} people in live runs; not everybody was looked at.",
                next_step="Look for the company in Topo's app.",
            )
        people = await self.live.people.of(ids, self.topo.get_contact)
        if unread := len(set(ids) - people.keys()):
            raise ProviderUnavailableError(
                f"{unread} of the people in live runs at Topo could not be read.",
                next_step="Look for the company in Topo's app.",
            )
        return {contact_id for contact_id, who in people.items() if _is_at(who.fields, hosts)}


def _is_at(person: ContactFields, hosts: Items[str]) -> bool:
    theirs = filter(None, [domain_of(person.email), person.company_domain and host_key(person.company_domain)])
    return any(known == host or known.endswith(f".{host}") for known in theirs for host in hosts)


def _as_topo_filters(wanted: SequenceFilter) -> SequenceFilter:
    """Return filters that Topo's list has; InvalidArgumentsError for one that it cannot answer."""
    if wanted.company is not None:
        _no_filter("company", "Filter by contact, or by blueprint_id.")
    status = wanted.status
    if wanted.waiting_for is not None:
        if (meant := WAITING.get(wanted.waiting_for)) is None or status not in (None, meant):
            _no_filter(f"waiting_for {wanted.waiting_for}", "Filter by one status: its own words are ours.")
        status = meant
    if wanted.provider_status is not None:
        try:
            named = SequenceStatus(wanted.provider_status.strip().upper())
        except ValueError:
            _no_filter(
                f"provider_status {wanted.provider_status[:40]!r}", f"Its words are {', '.join(SequenceStatus)}."
            )
        if status not in (None, named):
            _no_filter("two statuses at once", "Give one.")
        status = named
    return replace(wanted, status=status)


def _no_filter(what: str, instead: str) -> NoReturn:
    raise InvalidArgumentsError(f"Topo's list of runs cannot be filtered by {what}.", next_step=instead)


def _not_theirs(strange: Items[str], theirs: Mapping[str, str]) -> InvalidArgumentsError:
    known = ", ".join(sorted(theirs)[:20])
    names = f"This run has {known}" if known else "This run has none so far; Topo's app shows its template's"
    return InvalidArgumentsError(
        f"{', '.join(strange)}: a variable of this server's own texts, which no text at Topo contains.",
        next_step=f"Use the names of the template at Topo. {names}.",
        data={"variables_there": sorted(theirs)[:20]},
    )
