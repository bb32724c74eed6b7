"""Erasing one person, once a person has approved that, and giving one person's data.

An erasure is a change that waits for a person, as a change at a vendor is: shown with what is held, decided about
in the dialog, on the page or in the terminal. What runs at a vendor is stopped before anything is erased here,
because nobody here would know of it afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from pathlib import Path
from typing import NoReturn

from sequences_mcp.context import AppContext
from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.contact import Contact
from sequences_mcp.domain.erasure import ERASE, ErasureTally, HeldAtVendor
from sequences_mcp.domain.ids import VENDORS
from sequences_mcp.domain.run import LIVE
from sequences_mcp.errors import ApprovalError, ApprovalPendingError, ConflictError
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.ports.embedded import PendingChange, SequenceDetail, ToolCall
from sequences_mcp.services.suppression import STOPPED, stop_vendor_run

PERSON, RUNS = "Person", "Sequences"
GONE = "erased for good, and never contacted again; a keyed hash stays, by which they are left out"
ENDED = "what runs is stopped; texts, values, replies and what the audit says of them are erased, counts stay"
THERE = (
    "stays there. Nothing that is called here deletes a person at {title}: delete them in {title}'s own app, or "
    "ask {title} to"
)
COPIES = "Backups and copies of the data folder that were made before still hold them: delete those."


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureReport:
    """What an erasure came to: in numbers, and what each vendor still holds, with what to do there."""

    tally: ErasureTally
    at_vendors: Mapping[str, str]
    copies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedPerson:
    """The file with all that is kept of a person, how many rows of what it has, and what vendors hold."""

    file: Path
    counts: Mapping[str, int]
    at_vendors: Mapping[str, str]


async def ask_to_erase(app: AppContext, *, contact: str) -> PendingChange:
    """Return the erasure of whoever has this id or address, which waits for a person from now on.

    Raises NotFoundError for nobody, and for somebody who was erased before.
    """
    change = await planned_erasure(app, contact=contact)
    return await app.changes.ask(ERASE, change.subject, arguments=change.arguments, earlier=change.earlier)


async def planned_erasure(app: AppContext, *, contact: str) -> PendingChange:
    """Return what would be asked for, stored nowhere."""
    person = await app.erasures.person_of(contact)
    runs = await app.erasures.runs_of(person.id)
    held = vendor_holdings(await app.erasures.held_at_vendors(person.id))
    live = sum(detail.sequence.status in LIVE for detail in runs)
    earlier = {PERSON: _who(person), RUNS: f"{len(runs)}, {live} of them under way" if runs else "none"}
    arguments = {PERSON: GONE, RUNS: ENDED if runs else "nothing to end"}
    for title, words in held.items():
        earlier[f"At {title}"], arguments[f"At {title}"] = words, THERE.format(title=title)
    return PendingChange(
        id="", tool=ERASE, subject=person.id, arguments=arguments, earlier=earlier, asked_at=app.clock()
    )


def require_person(app: AppContext, change: PendingChange) -> NoReturn:
    """Raise ApprovalPendingError, which says where a person decides about an erasure."""
    ways = app.ways_to_review(path=f"/changes/{change.id}", command=f"approve {change.id}")
    raise ApprovalPendingError(
        "Erasing somebody cannot be undone, so it waits for a person until "
        f"{change.expires_at:%Y-%m-%d %H:%M} UTC. Nothing was erased.",
        next_step=f"A person reads who it is and decides {ways}. withdraw_plan with this id takes it back.",
        data={"change_id": change.id, "before": dict(change.earlier), "after": dict(change.arguments)},
    )


async def erase_approved(
    app: AppContext, change: PendingChange, *, digest: str, actor: Actor, signature: str | None = None
) -> ErasureReport:
    """Record the approval and erase the person, in one transaction; return what that came to.

    What vendors run for them is stopped first; ConflictError where that cannot be, and nobody is erased then.
    Raises ApprovalError for an approval of something else, or without the passkey's signature that it needs.
    """
    local = app.changes
    if digest != change.digest:
        raise ApprovalError("This is not what was shown.", next_step="Look at it again.")
    if change.standing(app.clock()) != "waiting":
        raise ConflictError(
            f"This erasure is {change.state_words(app.clock())}.", next_step="Have it asked for again."
        )
    _require_as_shown(app, change)
    local.engine.require_signature(digest, signature)
    await local.keep_first_yes(change.id, digest=digest, actor=actor, signature=signature)
    runs = await app.erasures.runs_of(change.subject)
    await _stop_at_vendors(app, runs, digest=digest)
    held = await app.erasures.held_at_vendors(change.subject)

    def approving() -> None:
        _require_as_shown(app, change)
        local.approved_now(change.id, digest=digest, actor=actor, signature=signature)

    tally = await app.erasures.erase(change.subject, actor=actor, approving=approving)
    stays = {title: f"{words}: {THERE.format(title=title)}." for title, words in vendor_holdings(held).items()}
    return ErasureReport(tally=tally, at_vendors=stays, copies=await app.erasures.older_copies())


def _require_as_shown(app: AppContext, change: PendingChange) -> None:
    """Raise ConflictError where the person has other names, another address or another place than was shown."""
    people = app.changes.engine.store.contacts.by_ids([change.subject])
    if not people or _who(people[0]) != change.earlier.get(PERSON):
        raise ConflictError(
            "Whom this would erase is not the person that was shown any more. Nobody was erased.",
            next_step="Have it asked for again.",
        )


async def _stop_at_vendors(app: AppContext, runs: Items[SequenceDetail], *, digest: str) -> None:
    live = [detail for detail in runs if detail.sequence.is_at_vendor and detail.sequence.status in LIVE]
    if not live:
        return
    stops = await stop_vendor_run(app, live, call=ToolCall(ERASE, None, digest))
    going_on = {run: words for run, words in stops.outcomes.items() if words != STOPPED}
    if going_on:
        run, words = next(iter(going_on.items()))
        raise ConflictError(
            f"Nobody was erased, because {run} could not be stopped: {words}",
            next_step="Once it is over there, approve this again; sequences-mcp review resolve records the end of "
            "a run that the vendor's API cannot stop.",
            data={"at_vendors": going_on},
        )


async def export_contact(app: AppContext, *, contact: str) -> ExportedPerson:
    """Write all that is kept of a person into a file of the data folder; NotFoundError."""
    person = await app.erasures.person_of(contact)
    file, counts = await app.erasures.export(person.id)
    return ExportedPerson(
        file=file, counts=counts, at_vendors=vendor_holdings(await app.erasures.held_at_vendors(person.id))
    )


def vendor_holdings(held: Items[HeldAtVendor]) -> dict[str, str]:
    """Return in words, by a vendor's name as people write it, what it is known to hold of a person."""
    return {VENDORS[vendor.vendor]: _held(vendor) for vendor in held}


def _held(vendor: HeldAtVendor) -> str:
    parts = [
        f"known there as {', '.join(vendor.contact_ids)}" if vendor.contact_ids else "",
        f"runs {', '.join(vendor.runs)}" if vendor.runs else "",
        f"was given {', '.join(vendor.given)}" if vendor.given else "",
    ]
    return "; ".join(filter(None, parts))


def _who(person: Contact) -> str:
    facts = [person.display_name, person.email if person.email != person.display_name else None]
    return ", ".join(filter(None, [*facts, person.job_title, person.company, person.id]))
