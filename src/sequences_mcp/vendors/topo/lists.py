"""Topo's batch answers: one outcome for every item that was asked for, whatever the answer leaves out.

Topo's documented endpoints about contact lists (the way into a sequence) and exclusions, one method each.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Items
from datetime import datetime
from functools import partial
from typing import TypeVar

from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.vendors import parsing
from sequences_mcp.vendors.outcome import Effect, VendorRequest, path, query
from sequences_mcp.vendors.topo import wire
from sequences_mcp.vendors.topo.wire import topo_list_id, topo_template_id
from sequences_mcp.vendors.translation import ItemOutcome, RemoteEntry, RemoteExclusion, RemoteList, RemotePage
from sequences_mcp.vendors.transport import CallRoute

T = TypeVar("T")
DONE = frozenset({"CREATED", "UPDATED"})


def outcomes(body: object, read: Callable[[parsing.Row], T], *, asked: int) -> tuple[ItemOutcome[T], ...]:
    """Return what became of each of the items asked for, in their order.

    An item is done when its result says CREATED or UPDATED (or says no status at all), names no error and has a
    resource that can be read. It is not done when its result says FAILED or names an error. Anything else, and
    an item that the answer does not mention, is unknown.
    """
    items = parsing.row_at(body, "the answer").get("items")
    if not isinstance(items, list):
        raise parsing.UnreadableError("`items` is not a list")
    by_index: dict[int, parsing.Row] = {}
    for item in filter(parsing.is_row, items):
        index = parsing.number_at(item, "index")
        if index is None or index in by_index:
            raise parsing.UnreadableError("an item has no `index` of its own")
        by_index[index] = item
    return tuple(_outcome(by_index.get(index, {}), read) for index in range(asked))


def _outcome(item: parsing.Row, read: Callable[[parsing.Row], T]) -> ItemOutcome[T]:
    word, error = parsing.text_at(item, "status"), item.get("error")
    if word == "FAILED" or (error is not None and word not in DONE):
        return _failed(item, word)
    resource = _resource(item, read) if error is None and (word is None or word in DONE) else None
    return ItemOutcome(outcome="unknown" if resource is None else "done", item=resource, provider_status=word)


def _resource(item: parsing.Row, read: Callable[[parsing.Row], T]) -> T | None:
    try:
        return read(parsing.row_at(item.get("resource"), "`resource`"))
    except parsing.UnreadableError:
        return None


def _failed(item: parsing.Row, word: str | None) -> ItemOutcome[T]:
    error = parsing.inner_row(item, "error")
    return ItemOutcome(
        outcome="not_done",
        item=None,
        provider_status=word,
        vendor_code=parsing.text_at(error, "type", limit=80),
        vendor_message=parsing.text_at(error, "message", limit=parsing.MESSAGE),
    )


READ_EXCLUSION = "Look the exclusion up first; adding it again does no harm, but makes a second one."

KEPT = {
    **{name: name for name in ("first_name", "last_name", "email", "linkedin_url")},
    "company": "company_name",
    **{name: name for name in ("company_domain", "job_title", "phone")},
}
"""What an entry keeps of a person: our name of each fact, and Topo's."""


class Lists:
    """The half of :class:`topo.client.Topo` that is about who may be in a sequence."""

    def __init__(self, transport: CallRoute) -> None:
        self._transport = transport

    async def list_contact_lists(
        self, *, name: str | None = None, page: int = 1, size: int = 10
    ) -> RemotePage[RemoteList]:
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

    async def get_contact_list(self, list_id: str) -> RemoteList:
        """Return one contact list ("Get contact list")."""
        own = topo_list_id(list_id)
        request = VendorRequest(
            method="GET",
            path=path("/contact-lists/{}", own),
            what="read the contact list",
            scope="contact_lists:read",
        )
        return await self._transport.send(request, partial(wire.topo_same, read=wire.topo_list, own=own))

    async def create_contact_list(self, *, name: str, blueprint_id: str | None = None) -> ItemOutcome[RemoteList]:
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
        read = partial(outcomes, read=wire.topo_list, asked=1)
        return (await self._transport.send(request, read))[0]

    async def create_entries(
        self, list_id: str, *, people: Items[ContactFields]
    ) -> tuple[ItemOutcome[RemoteEntry], ...]:
        """Put up to 100 people on a list and return one outcome each ("Create contact entries").

        Each needs an address or a LinkedIn profile. A list with a template enrols them, some time later: no run
        and no contact may exist when this returns.
        """
        own = topo_list_id(list_id)
        wire.check_batch(people, what="people")
        request = VendorRequest(
            method="POST",
            path="/contact-entries",
            what="put people on the contact list",
            effect=Effect.WRITE_ONCE,
            body={"items": [_entry(own, person, index) for index, person in enumerate(people)]},
            scope="contact_lists:write",
            read_back="A list with a template enrols at once: list_sequences with that blueprint shows who is in.",
        )
        read = partial(outcomes, read=wire.topo_entry, asked=len(people))
        return await self._transport.send(request, read)

    async def list_contact_exclusions(
        self, *, email: str | None = None, linkedin_url: str | None = None, page: int = 1, size: int = 10
    ) -> RemotePage[RemoteExclusion]:
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
        until: datetime | None = None,
    ) -> RemoteExclusion:
        """Exclude a person, for good without ``until`` ("Create contact exclusion").

        It is checked when people are imported: a run that is active goes on.
        """
        if not (email or linkedin_url):
            raise InvalidArgumentsError(
                "Topo cannot exclude somebody without an e-mail address or a LinkedIn profile.",
                next_step="Give at least one of the two.",
            )
        body = {"reason": reason, "email": email, "linkedin_url": linkedin_url, "message": message}
        return await self._exclude("/contact-exclusions", body, until=until)

    async def list_account_exclusions(self, *, page: int = 1, size: int = 10) -> RemotePage[RemoteExclusion]:
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

    async def exclude_account(
        self, *, domain: str, reason: str, message: str | None = None, until: datetime | None = None
    ) -> RemoteExclusion:
        """Exclude a company by its domain, for good without ``until`` ("Create account exclusion")."""
        body = {"domain": domain, "reason": reason, "message": message}
        return await self._exclude("/account-exclusions", body, until=until)

    async def _exclude(self, at: str, body: dict[str, str | None], *, until: datetime | None) -> RemoteExclusion:
        whole = {**body, "until": until.isoformat() if until else None}
        request = VendorRequest(
            method="POST",
            path=at,
            what="exclude them",
            effect=Effect.WRITE_ONCE,
            body={name: value for name, value in whole.items() if value is not None},
            scope="exclusions:write",
            read_back=READ_EXCLUSION,
            safe=True,
        )
        return await self._transport.send(request, partial(wire.topo_one, read=wire.topo_exclusion))


def page_size(size: int) -> int:
    """Return the size of a page, at most what Topo allows."""
    return min(size, wire.PAGE_SIZE)


def _entry(list_own: str, person: ContactFields, index: int) -> dict[str, str]:
    if not (person.email or person.linkedin_url):
        raise InvalidArgumentsError(
            f"Person {index + 1} has neither an e-mail address nor a LinkedIn profile.",
            next_step="Topo needs one of the two for each person.",
        )
    given = {theirs: value for ours, theirs in KEPT.items() if (value := getattr(person, ours))}
    return {"contact_list_id": list_own, **given}
