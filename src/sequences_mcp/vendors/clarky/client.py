"""Clarky's documented endpoints, one method each. Ids are whole ids (``clarky:c_01H…``)."""

from __future__ import annotations

from functools import partial

from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.vendors import translation
from sequences_mcp.vendors.clarky import wire
from sequences_mcp.vendors.clarky.wire import CLARKY
from sequences_mcp.vendors.outcome import Effect, VendorRequest, path, query
from sequences_mcp.vendors.transport import Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """A person to start or to create: the documented fields. Phones are E.164; ``notes`` are appended."""

    first_name: str | None = None
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    notes: str | None = None

    def to_wire(self) -> dict[str, object]:
        """Return the fields that are given; InvalidArgumentsError without an address or a number."""
        if not (self.emails or self.phones):
            raise InvalidArgumentsError(
                "Clarky can reach nobody who has neither an e-mail address nor a phone number.",
                next_step="Give at least one of the two.",
            )
        fields = {
            "first_name": self.first_name,
            "emails": list(self.emails),
            "phone_numbers": list(self.phones),
            "notes": self.notes,
        }
        return {name: value for name, value in fields.items() if value}


class ClarkyClient:
    """Clarky over one transport. Pages begin at 1 and hold at most 100."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def start(
        self,
        template_id: str,
        *,
        contact: Lead,
        idempotency_key: str,
        bot_id: str | None = None,
        auto_approve: bool = False,
    ) -> str | None:
        """Upsert a person, append the notes and write a sequence for them ("Start a sequence").

        Returns the enrollment's id, where the answer tells it. A repeat with the same key returns the first ids
        and starts no second sequence; whether it appends the notes once more is not documented. Without
        ``auto_approve`` the texts wait in Clarky's own review queue; with it, a call or an e-mail goes out within
        about a minute, and no call takes it back.
        """
        body = {
            "template_id": CLARKY.bare_id(template_id, "a blueprint id", listed_by="Clarky's app"),
            "bot_id": _agent(bot_id) if bot_id else None,
            "contact": contact.to_wire(),
            "auto_approve": auto_approve,
            "idempotency_key": _key(idempotency_key),
        }
        request = VendorRequest(
            method="POST",
            path="/sequences/start",
            what="start the sequence",
            effect=Effect.WRITE_KEYED,
            body={name: value for name, value in body.items() if value is not None},
            scope="write",
            read_back="It was repeated with one key, which starts at most one sequence: look the person up in "
            "Clarky's review queue, or start again with the very same key and arguments.",
        )
        return await self._transport.send(request, wire.clarky_started)

    async def get_enrollment(self, enrollment_id: str) -> translation.RemoteSequence:
        """Return one run with its generated steps ("Get an enrollment")."""
        bare_id = CLARKY.bare_id(enrollment_id, "a sequence id", listed_by="list_sequences")
        request = VendorRequest(
            method="GET",
            path=path("/sequences/enrollments/{}", bare_id),
            what="read the enrollment",
        )
        return await self._transport.send(request, partial(wire.clarky_enrollment, expected_id=bare_id))

    async def list_contacts(
        self, *, search: str | None = None, page: int = 1, size: int = 10
    ) -> translation.RemotePage[translation.RemoteContact]:
        """Return one page of contacts ("List contacts")."""
        size = min(size, wire.PAGE_SIZE)
        request = VendorRequest(
            method="GET",
            path="/contacts",
            what="list the contacts",
            query=query(search=search, page=page, page_size=size),
        )
        return await self._transport.send(
            request, partial(wire.clarky_page, read=wire.clarky_contact, page=page, size=size)
        )

    async def get_contact_by_email(self, email: str) -> translation.RemoteContact:
        """Return the contact with an address ("Get a contact by email"); NotFoundError."""
        request = VendorRequest(
            method="GET",
            path="/contacts/by-email",
            what="look the contact up by e-mail",
            query=query(email=email),
        )
        return await self._transport.send(request, lambda body: wire.clarky_contact(wire.clarky_data(body)))

    async def get_contact(self, contact_id: str) -> translation.RemoteContact:
        """Return one contact ("Get a contact"); NotFoundError."""
        bare_id = CLARKY.bare_id(contact_id, "a contact id", listed_by="find_contacts")
        request = VendorRequest(method="GET", path=path("/contacts/{}", bare_id), what="read the contact")
        return await self._transport.send(request, lambda body: wire.clarky_contact(wire.clarky_data(body)))

    async def list_agents(
        self, *, page: int = 1, size: int = 10
    ) -> translation.RemotePage[translation.RemoteAgent]:
        """Return one page of agents ("List agents"): who can send."""
        size = min(size, wire.PAGE_SIZE)
        request = VendorRequest(
            method="GET",
            path="/agents",
            what="list the agents",
            query=query(page=page, page_size=size),
        )
        return await self._transport.send(
            request, partial(wire.clarky_page, read=wire.clarky_agent, page=page, size=size)
        )


def _agent(whole_id: str) -> str:
    return CLARKY.bare_id(whole_id, "an agent id", listed_by="list_providers")


def _key(text: str) -> str:
    if not text.strip() or len(text) > wire.LONGEST_KEY:
        raise InvalidArgumentsError(
            f"An idempotency key has from 1 to {wire.LONGEST_KEY} characters.",
            next_step="Use one key for one start and keep it for its repeats.",
        )
    return text
