"""Kalent's documented endpoints, one method each. Ids are whole ids (``kalent:candidate_123``)."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from functools import partial
from typing import Any, Literal

from sequences_mcp.domain.blueprint import Step
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.vendors import translation
from sequences_mcp.vendors.kalent import wire
from sequences_mcp.vendors.kalent.wire import KALENT
from sequences_mcp.vendors.outcome import Effect, VendorRequest, path, query
from sequences_mcp.vendors.transport import Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateFilter:
    """The filters of "List candidates"; without ``status_handles`` Kalent leaves out NOT_RETAINED."""

    search: str | None = None
    status_handles: tuple[str, ...] = ()
    sort_field: str | None = None
    sort_order: Literal["asc", "desc"] | None = None


class KalentClient:
    """Kalent over one transport. Pages begin at 1 here and hold at most 50."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list_sourcings(
        self,
        *,
        page: int = 1,
        size: int = 10,
        ownership: Literal["mine", "all"] = "mine",
    ) -> translation.RemotePage[translation.RemoteSourcing]:
        """Return one page of the sourcings in progress that the key's user sees ("List sourcings")."""
        size = min(size, wire.PAGE_SIZE)
        request = VendorRequest(
            method="GET",
            path="/v1/sourcings",
            what="list the sourcings",
            query=query(page=page - 1, pageSize=size, ownership=ownership, status="in-progress"),
        )
        read = partial(wire.kalent_page, name="sourcings", read=wire.kalent_sourcing, page=page, size=size)
        return await self._transport.send(request, read)

    async def list_candidates(
        self, sourcing_id: str, *, wanted: CandidateFilter | None = None, page: int = 1, size: int = 10
    ) -> translation.RemotePage[translation.RemoteContact]:
        """Return one page of a sourcing's candidates ("List candidates")."""
        size, wanted = min(size, wire.PAGE_SIZE), wanted or CandidateFilter()
        request = VendorRequest(
            method="GET",
            path=path("/v1/sourcings/{}/candidates", _sourcing(sourcing_id)),
            what="list the candidates of the sourcing",
            query=query(
                pageIndex=page - 1,
                pageSize=size,
                search=wanted.search,
                statusHandle=wanted.status_handles,
                sortField=wanted.sort_field,
                sortOrder=wanted.sort_order,
            ),
        )
        read = partial(wire.kalent_page, name="candidates", read=wire.kalent_candidate, page=page, size=size)
        return await self._transport.send(request, read)

    async def get_candidate(self, candidate_id: str) -> translation.RemoteContact:
        """Return one candidate with addresses and numbers ("Get candidate")."""
        request = VendorRequest(
            method="GET",
            path=path("/v1/candidates/{}", _candidate(candidate_id)),
            what="read the candidate",
        )
        return await self._transport.send(request, lambda body: wire.kalent_candidate(wire.kalent_data(body)))

    async def add_talent(self, sourcing_id: str, *, talent_id: str) -> str:
        """Add a talent to a sourcing and return the candidate's id ("Add talent to sourcing").

        An upsert that puts the candidate's status back to TO_BE_CONTACTED: read the candidates first.
        """
        talent = KALENT.bare_id(talent_id, "a talent id", listed_by="find_contacts")
        request = VendorRequest(
            method="POST",
            path=path("/v1/sourcings/{}/candidates", _sourcing(sourcing_id)),
            what="add the talent to the sourcing",
            effect=Effect.WRITE_ONCE,
            body={"talentId": talent},
            read_back="find_contacts in the sourcing shows whether the person is there.",
        )
        return await self._transport.send(request, partial(wire.added_candidate, talent=talent))

    async def create_blueprint(
        self, sourcing_id: str, *, name: str, steps: Items[Step], config: Mapping[str, Any] | None = None
    ) -> str:
        """Create a blueprint in a sourcing, without steps where none are given ("Create sequence blueprint").

        Returns its id. ``config`` is the sequence-level configuration, whose keys are not published: it is passed
        on as it is.
        """
        body = {"name": name, "steps": wire.steps_to_wire(steps) or None, "config": config}
        request = VendorRequest(
            method="POST",
            path=path("/v1/sourcings/{}/sequence-blueprints", _sourcing(sourcing_id)),
            what="create the blueprint",
            effect=Effect.WRITE_ONCE,
            body={key: value for key, value in body.items() if value is not None},
            read_back="Its API lists no blueprints: look for this name in Kalent's app; a copy may exist.",
        )
        return await self._transport.send(request, wire.created_blueprint)

    async def update_blueprint(
        self,
        blueprint_id: str,
        *,
        name: str | None = None,
        steps: Items[Step] | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        """Change a blueprint ("Update sequence blueprint"); ``steps`` replaces the whole list."""
        bare_id = _blueprint(blueprint_id)
        body = {
            "name": name,
            "steps": None if steps is None else wire.steps_to_wire(steps),
            "config": config,
        }
        if name is None and steps is None and config is None:
            raise InvalidArgumentsError(
                "There is nothing to change.", next_step="Give a name, the whole list of steps, or a config."
            )
        request = VendorRequest(
            method="PATCH",
            path=path("/v1/sequence-blueprints/{}", bare_id),
            what="change the blueprint",
            effect=Effect.WRITE_ONCE,
            body={key: value for key, value in body.items() if value is not None},
            read_back="Its API does not show a blueprint: look at its steps in Kalent's app. The very same change "
            "may be made again as long as nobody else has edited it.",
        )
        await self._transport.send(request, partial(wire.updated_blueprint, expected_id=bare_id))

    async def start(self, blueprint_id: str, *, candidate_ids: Items[str]) -> None:
        """Start a blueprint for up to 100 candidates of its own sourcing ("Start sequence blueprint")."""
        bare_id, candidates = _blueprint(blueprint_id), wire.fits_one_call(candidate_ids)
        request = VendorRequest(
            method="POST",
            path=path("/v1/sequence-blueprints/{}/start", bare_id),
            what="start the blueprint",
            effect=Effect.WRITE_ONCE,
            body={"candidateIds": [_candidate(candidate_id) for candidate_id in candidates]},
            read_back="get_sequence with each candidate's id shows who has a sequence now.",
        )
        await self._transport.send(
            request, partial(wire.kalent_started, expected_id=bare_id, count=len(candidates))
        )

    async def get_dynamic_sequence(self, candidate_id: str) -> translation.RemoteSequence | None:
        """Return a candidate's newest run, or None ("Get candidate dynamic sequence status")."""
        bare_id = _candidate(candidate_id)
        request = VendorRequest(
            method="GET",
            path=path("/v1/candidates/{}/dynamic-sequence", bare_id),
            what="read the candidate's sequence",
        )
        return await self._transport.send(request, partial(wire.dynamic_sequence, expected_id=bare_id))


def _sourcing(whole_id: str) -> str:
    return KALENT.bare_id(whole_id, "a sourcing id", listed_by="list_sourcings")


def _candidate(whole_id: str) -> str:
    return KALENT.bare_id(whole_id, "a contact id", listed_by="find_contacts")


def _blueprint(whole_id: str) -> str:
    return KALENT.bare_id(whole_id, "a blueprint id", listed_by="list_blueprints")
