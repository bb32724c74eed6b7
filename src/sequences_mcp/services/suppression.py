"""Never contact again, here and at every vendor; and answers, which end or pause what runs."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Sequence as Items
from datetime import datetime
from typing import Literal, NamedTuple

from sequences_mcp.context import AppContext
from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.addresses import read_host, shown_host, spellings, visible_address
from sequences_mcp.domain.argument_limits import future, require_short
from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.domain.findings import require_none
from sequences_mcp.domain.ids import LOCAL, PROVIDERS, VENDORS, IdKind, parse_id, provider_of
from sequences_mcp.domain.run import POSITIVE, TERMINAL, ReplyKind, Run, SequenceStatus, StopReason, StopScope
from sequences_mcp.errors import InvalidArgumentsError, NotFoundError, NotSupportedError, SequencesError
from sequences_mcp.lazy_dataclasses import dataclass, field, replace
from sequences_mcp.ports.embedded import ContactEntry, Lifted, SequenceDetail, Suppressed, ToolCall
from sequences_mcp.ports.provider import Provider
from sequences_mcp.ports.vendor import VendorWrite
from sequences_mcp.services.sequences import followed, pause_sequence, stop_sequence
from sequences_mcp.services.vendor_writes import run_once


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifiedPerson:
    """A person behind an id: what else was suppressed, which runs that stopped, by what vendors know them.

    ``unavailable_because`` says why a vendor could not be asked.
    """

    also: tuple[str, ...] = ()
    stopped: tuple[SequenceDetail, ...] = ()
    targets: tuple[ExclusionTarget, ...] = ()
    unavailable_because: str | None = None

    @property
    def listed(self) -> tuple[ExclusionTarget, ...]:
        """Return ``also`` as targets."""
        return tuple(
            ExclusionTarget("contact" if item.startswith(_PREFIXES) else "address", item) for item in self.also
        )


async def identify_person(app: AppContext, *, contact_id: str, reason: str) -> IdentifiedPerson:
    """Read the person where the id is from and suppress their addresses too; the id is on the list by then.

    Nothing is raised for a vendor that does not tell: ``unavailable_because`` says so.
    """
    try:
        identity = await app.provider_of(contact_id, IdKind.CONTACT).identity_of(contact_id)
    except SequencesError as error:
        return IdentifiedPerson(unavailable_because=f"{error.outcome}: who this is could not be read: {error}")
    also: list[str] = []
    stopped: list[SequenceDetail] = []
    for target in (
        *(ExclusionTarget("contact", item) for item in identity.ids),
        *(ExclusionTarget("address", email) for email in identity.emails),
    ):
        try:
            suppressed = await app.suppressions.suppress(
                "contact" if target.kind == "contact" else "address", target.value, reason=reason
            )
        except InvalidArgumentsError:  # a vendor's "address" may be anything
            continue
        also.append(suppressed.value)
        stopped += suppressed.stopped
    targets = [ExclusionTarget("address", item) for item in also if not item.startswith(_PREFIXES)]
    profile = [ExclusionTarget("profile", identity.linkedin_url)] if identity.linkedin_url else []
    return IdentifiedPerson(also=tuple(also), stopped=tuple(stopped), targets=(*targets, *profile))


_PREFIXES = tuple(f"{name}:" for name in VENDORS)


DONE = "done"


class ExclusionTarget(NamedTuple):
    """One way to recognise a person: a kind (``address``, ``domain``, ``profile``, ``contact``) and its value."""

    kind: str
    value: str


async def exclude_at_vendors(
    app: AppContext, targets: Items[ExclusionTarget], *, call: ToolCall, reason: str
) -> dict[str, str]:
    """Return the outcome at each vendor that has an exclusion list; the list here holds in any case."""
    return {
        name: await _all_excluded(app, targets, provider=provider, call=call, reason=reason)
        for name, provider in app.providers.items()
        if provider.offers(Provider.exclude)
    }


async def _all_excluded(
    app: AppContext, targets: Items[ExclusionTarget], *, provider: Provider, call: ToolCall, reason: str
) -> str:
    if not targets:
        return "not_done: neither an e-mail address nor a LinkedIn profile of theirs is known."
    sentences = [
        await _excluded(app, target, provider=provider, call=call, reason=reason)
        for target in dict.fromkeys(each for item in targets for each in _spelled(item))
    ]
    return "; ".join(dict.fromkeys(line for line in sentences if line != DONE)) or DONE


def _spelled(target: ExclusionTarget) -> tuple[ExclusionTarget, ...]:
    """Return a target in each of its spellings, because a vendor may compare character by character."""
    if target.kind == "address":
        return tuple(ExclusionTarget("address", spelling) for spelling in spellings(target.value))
    if target.kind == "domain":
        return tuple(
            ExclusionTarget("domain", item) for item in dict.fromkeys((target.value, shown_host(target.value)))
        )
    return (target,)


async def _is_known_there(provider: Provider, target: ExclusionTarget) -> bool:
    """Say whether it is certain that they are on the list: a second entry does no harm, a missing one does."""
    try:
        return await provider.is_excluded(target.kind, target.value)
    except SequencesError:
        return False


async def _excluded(
    app: AppContext, target: ExclusionTarget, *, provider: Provider, call: ToolCall, reason: str
) -> str:
    async def effect() -> str:
        if await _is_known_there(provider, target):
            return '{"outcome":"done before"}'
        await provider.exclude(target.kind, target.value, message=reason)
        return '{"outcome":"done"}'

    subject = f"{provider.name}:{target.kind}:{target.value}"
    write = VendorWrite(
        call=ToolCall(call.tool, call.key and f"{call.key}#{subject}", call.fingerprint),
        provider=provider.name,
        subject=subject,
        arguments={"kind": target.kind, "value": target.value},
        safe=True,
    )
    try:
        await run_once(app, write, effect)
    except SequencesError as error:
        return f"{error.outcome}: {error}"
    return DONE


STOPPED = "stopped"
TOOL, HOLD = "stop_sequence", "pause_sequence"  # its operations are reconciled as that tool's are
AGAIN = "suppress_contact again then."


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorStops:
    """The runs that were stopped, and in words what became of each, by its id there, or here before it has one."""

    stopped: tuple[SequenceDetail, ...] = ()
    outcomes: Mapping[str, str] = field(default_factory=dict)


async def stop_at_vendors(app: AppContext, targets: Items[ExclusionTarget], *, call: ToolCall) -> VendorStops:
    """Stop every live run at a vendor of whoever these targets cover, as far as that can be; nothing is raised."""
    return await stop_vendor_run(app, await app.vendor_runs.live_among(targets), call=call)


async def stop_elsewhere(
    app: AppContext, targets: Items[ExclusionTarget], *, known: Mapping[str, str], call: ToolCall
) -> VendorStops:
    """Stop every live run of whoever these targets cover that vendors show and nobody started here.

    ``known`` are the runs that have been seen to already. Nothing is raised: ``told`` says what could not be read.
    """
    stopped: list[SequenceDetail] = []
    answers: dict[str, str] = {}
    for name, provider in app.providers.items():
        if not provider.offers(Provider.live_runs_of):
            continue
        try:
            runs = await provider.live_runs_of(targets)
        except SequencesError as error:
            answers[f"{name} runs"] = (
                f"not_done: whether {provider.title} runs more for them is not known: {error}"
            )
            continue
        for run in runs:
            own_id = run.sequence.id
            if own_id in known or own_id in answers:
                continue
            answers[own_id] = await _ended(app, name, own_id, call=call, reason=StopReason.LOSE)
            if answers[own_id] == STOPPED:
                over = replace(run.sequence, status=SequenceStatus.STOPPED_EARLY)
                stopped.append(replace(run, sequence=over))
    return VendorStops(stopped=tuple(stopped), outcomes=answers)


async def stop_vendor_run(
    app: AppContext, runs: Items[SequenceDetail], *, call: ToolCall, reason: StopReason = StopReason.LOSE
) -> VendorStops:
    """Stop these runs at vendors, as far as that can be; nothing is raised."""
    stopped: list[SequenceDetail] = []
    answers: dict[str, str] = {}
    for detail in runs:
        run, why = await _as_it_is(app, detail.sequence)
        if run.status in TERMINAL:
            continue
        own_id = run.remote_id or run.id
        answers[own_id] = why or await _stopped(app, run, call=call, reason=reason)
        if answers[own_id] == STOPPED:
            stopped.append(await _stored_detail(app, run))
    return VendorStops(stopped=tuple(stopped), outcomes=answers)


async def pause_vendor_run(
    app: AppContext, runs: Items[SequenceDetail], *, until: datetime, call: ToolCall
) -> Mapping[str, str]:
    """Pause these runs at vendors; return in words what became of each. Nothing is raised."""
    answers: dict[str, str] = {}
    for detail in runs:
        run, why = await _as_it_is(app, detail.sequence)
        if run.status not in TERMINAL:
            answers[run.remote_id or run.id] = why or await _held(app, run, until=until, call=call)
    return answers


async def _held(app: AppContext, run: Run, *, until: datetime, call: ToolCall) -> str:
    """Pause one run that was started here; return what became of it."""
    run_id = run.remote_id or run.id

    async def pause() -> None:
        detail = await pause_sequence(app, sequence_id=run_id, paused_until=until)
        await app.vendor_runs.observe(run, detail)

    write = _hold_back(HOLD, run.provider, run_id, call=call, arguments={"paused_until": until.isoformat()})
    done = f"paused until {until.isoformat(timespec='minutes')}"
    return await _carried_out(app, write, pause, verb="pause", done=done)


def _hold_back(
    tool: str, provider: str, run_id: str, *, call: ToolCall, arguments: Mapping[str, object]
) -> VendorWrite:
    """Return the write of a tool that keeps a run from going on, as part of a call about a person."""
    return VendorWrite(
        call=ToolCall(tool, call.key and f"{call.key}#{run_id}", call.fingerprint),
        provider=provider,
        subject=run_id,
        arguments={"sequence_id": run_id, **arguments},
        safe=True,
    )


async def _carried_out(
    app: AppContext, write: VendorWrite, act: Callable[[], Awaitable[None]], *, verb: str, done: str
) -> str:
    """Carry out a write once, through the ledger; return ``done``, or why it was not done or is unknown."""

    async def effect() -> str:
        await act()
        return '{"outcome":"done"}'

    try:
        await run_once(app, write, effect)
    except NotSupportedError:
        title = write.provider.capitalize()
        return f"not_done: it goes on. {title}'s API cannot {verb} it. {_by_hand(title, verb)}"
    except SequencesError as error:
        return f"{error.outcome}: {error}"
    return done


async def _as_it_is(app: AppContext, run: Run) -> tuple[Run, str | None]:
    """Return the run as its vendor shows it, and why nothing can be done about it now, or None."""
    title = run.provider.capitalize()
    if run.has_unknown_outcome:
        look = f"check_operation with {run.operation_id} finds out; {AGAIN}"
        return run, f"not_done: nobody knows yet whether {title} has enrolled them. {look}"
    if run.provider not in app.providers:
        return run, f"not_done: it goes on, and {title} is not connected. {_by_hand(title)}"
    try:
        run = (await followed(app, await _stored_detail(app, run))).sequence
    except SequencesError as error:
        return run, None if run.remote_id else f"{error.outcome}: its run there was not found: {error}"
    if run.remote_id is None:
        return run, f"not_done: {title} shows no run yet and may begin one. get_sequence finds it; {AGAIN}"
    return run, None


async def _stopped(app: AppContext, run: Run, *, call: ToolCall, reason: StopReason) -> str:
    """Stop one run that was started here; return what became of it."""

    async def seen(shown: SequenceDetail) -> None:
        await app.vendor_runs.observe(run, shown)

    return await _ended(app, run.provider, run.remote_id or run.id, call=call, reason=reason, seen=seen)


async def _nobody(shown: SequenceDetail) -> None:
    """Store nothing: the default for runs that were not started here."""


async def _ended(
    app: AppContext,
    provider: str,
    run_id: str,
    *,
    call: ToolCall,
    reason: StopReason,
    seen: Callable[[SequenceDetail], Awaitable[None]] = _nobody,
) -> str:
    """Stop one run through the ledger, as stop_sequence does; return what became of it."""

    async def stop() -> None:
        [shown, *_] = await stop_sequence(app, sequence_id=run_id, reason=reason)
        await seen(shown)

    arguments = {"reason": reason.value, "scope": StopScope.CONTACT.value}
    write = _hold_back(TOOL, provider, run_id, call=call, arguments=arguments)
    return await _carried_out(app, write, stop, verb="stop", done=STOPPED)


def _by_hand(title: str, verb: str = "stop") -> str:
    return f"{verb.capitalize()} it in {title}'s own app, now."


async def _stored_detail(app: AppContext, run: Run) -> SequenceDetail:
    return await app.local.get_sequence(run.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorSuppressions:
    """What else was put on the own list, what was stopped, and in words what came of it.

    ``told`` is by vendor, and by run for each that a vendor has. ``by_id_alone``: the list knows them by nothing
    but the id that was given. ``unseen`` are vendors whose API does not show what their own app runs.
    """

    also: tuple[str, ...]
    stopped: tuple[SequenceDetail, ...]
    outcomes: Mapping[str, str]
    by_id_alone: bool = False
    unseen: tuple[str, ...] = ()

    @property
    def going_on(self) -> tuple[str, ...]:
        """Runs at vendors that have not been stopped, as far as anybody knows."""
        return tuple(
            name for name, sentence in self.outcomes.items() if name not in PROVIDERS and sentence != STOPPED
        )

    @property
    def undone(self) -> Mapping[str, str]:
        """What a person still has to do."""
        return {name: sentence for name, sentence in self.outcomes.items() if sentence not in (DONE, STOPPED)}


async def suppress_at_vendors(
    app: AppContext, target: ExclusionTarget, *, call: ToolCall, reason: str
) -> VendorSuppressions:
    """Follow what is on the own list by now to the person, stop what vendors run for them, exclude them there.

    Nothing is raised for a vendor that fails: ``told`` says so.
    """
    person = IdentifiedPerson(targets=(target,))
    if target.kind == "contact":
        person = await identify_person(app, contact_id=target.value, reason=reason)
    stops = await stop_at_vendors(app, (target, *person.listed), call=call)
    answers = await exclude_at_vendors(app, person.targets, call=call, reason=reason)
    targets = dict.fromkeys((target, *person.listed, *person.targets))
    others = await stop_elsewhere(app, tuple(targets), known=stops.outcomes, call=call)
    if person.unavailable_because is not None:
        answers[target.value.partition(":")[0]] = person.unavailable_because
    return VendorSuppressions(
        also=person.also,
        stopped=(*person.stopped, *stops.stopped, *others.stopped),
        outcomes={**answers, **stops.outcomes, **others.outcomes},
        unseen=_unseen(app, tuple(targets)),
        by_id_alone=target.kind == "contact" and not any("@" in item for item in person.also),
    )


def _unseen(app: AppContext, targets: Items[ExclusionTarget]) -> tuple[str, ...]:
    """Return the vendors that cannot be asked what else they run for whoever these targets cover."""
    return tuple(
        provider.title
        for name, provider in app.providers.items()
        if name != LOCAL and not (provider.offers(Provider.can_look_for) and provider.can_look_for(targets))
    )


PAGES_OF_PEOPLE = re.compile(
    r"(.+\.)?(linkedin|xing|github|gitlab|x|twitter|facebook|instagram|wellfound|stackoverflow|medium|youtube|tiktok)"
    r"\.com|(.+\.)?(t|wa|about)\.me|linktr\.ee"
)


async def suppress_contact(app: AppContext, *, contact: str, reason: str) -> Suppressed:
    """Return what is now suppressed and what it stopped; ``contact`` is an id, an address or a domain.

    Raises ApprovalError for the domain of a mail provider, unless the context was opened for a person.
    """
    require_short("reason", reason)
    kind, text = _named(contact)
    if kind == "contact":
        await _require_known(app, text)
    # Nothing about a reason keeps anybody off the list: not every database can hold a NUL character.
    return await app.suppressions.suppress(kind, text, reason=reason.replace("\0", ""))


async def lift_suppression(app: AppContext, *, contact: str, reason: str, actor: Actor) -> Lifted:
    """Take an id, an address or a domain off the list; only for a person who has proved to be one.

    Raises NotFoundError where it is not on the list, and InvalidArgumentsError without a reason.
    """
    if not reason.strip():
        raise InvalidArgumentsError("The reason is blank.", next_step="Say why they may be contacted again.")
    require_short("reason", reason)
    kind, text = _named(contact)
    return await app.suppressions.lift(kind, text, reason=reason.strip(), actor=actor)


def _named(contact: str) -> tuple[Literal["address", "domain", "contact"], str]:
    require_short("contact", contact)
    text = _bare(contact)
    if "@" in text.strip("@"):
        return "address", text
    if ":" in text and "//" not in text:
        return "contact", text
    try:
        host = read_host(visible_address(text))
    except InvalidArgumentsError as error:
        raise InvalidArgumentsError(
            f"{text[:80]!r} is no contact id, address or domain.",
            next_step="Give local:ct_…, name@example.com or example.com. find_contacts shows the id and address "
            "behind a name, a number or a profile.",
        ) from error
    if _is_page_of_somebody(text, host):
        raise InvalidArgumentsError(
            f"{text[:80]!r} is one person's page at {host}, not a domain that their addresses are in.",
            next_step="Give their e-mail address or contact id; find_contacts finds them by the page too.",
        )
    return "domain", host


def _is_page_of_somebody(text: str, host: str) -> bool:
    """Say whether a text is the address of a page at a host where everybody has one."""
    path = re.split(r"[/?#]+", re.sub(r"^[a-z]+:/*", "", visible_address(text), flags=re.IGNORECASE), maxsplit=1)[
        1:
    ]
    return any(path) and PAGES_OF_PEOPLE.fullmatch(host) is not None


def _bare(contact: str) -> str:
    """Return an address or a domain without what was copied with it: a name and brackets, ``mailto:``, quotes."""
    text = contact.strip()
    if match := re.search(r"<([^<>]*@[^<>]*)>\s*$", text):
        text = match[1]
    return re.sub(r"^mailto:", "", text, flags=re.IGNORECASE).strip().strip("\"'").rstrip(".,;").strip()


async def _require_known(app: AppContext, text: str) -> None:
    """Raise NotFoundError for an id that nobody has: a mistyped id must not seem to be suppressed."""
    if parse_id(text, IdKind.CONTACT).provider == LOCAL:
        await app.local.get_contacts([text])


OPTED_OUT = "they asked not to be contacted"


@dataclass(frozen=True, slots=True)
class RecordedReply:
    """Whose answer it is, and what became of each run of theirs; ``undone`` is for somebody to see to.

    ``here`` are the runs of the embedded engine as they are now.
    """

    contact_id: str
    runs: Mapping[str, str]
    undone: Mapping[str, str]
    local_runs: tuple[SequenceDetail, ...]


async def record_reply(
    app: AppContext, *, who: str, answer: ReplyKind, until: datetime | None = None, call: ToolCall
) -> RecordedReply:
    """Record an answer of the person behind a sequence or contact id.

    Replied or interested: their runs succeed, or what their blueprint says of answers. Not interested, won, lost:
    they stop as won or lost, and a run that is over counts as that from then on. Opt-out: they are never contacted
    again. Out of office: their runs pause ``until`` then. What a vendor carries
    out is stopped or paused where its API can.
    Raises InvalidArgumentsError for a time that is missing, past or not asked for, and NotFoundError.
    """
    until = _time(app, answer, until)
    contact_id, about = await _contact_of(app, who)
    if answer is ReplyKind.OPT_OUT:
        return await _opted_out(app, contact_id, call=call)
    busy = await app.suppressions.busy_among([contact_id])
    details = await app.vendor_runs.at_vendors(list(busy.values())) if busy else []
    local_runs = await app.local.record_reply(contact_id, answer, until=until, about=about)
    if until is not None:
        answers = await pause_vendor_run(app, details, until=until, call=call)
    else:
        reason = StopReason.WIN if answer in POSITIVE else StopReason.LOSE
        answers = (await stop_vendor_run(app, details, call=call, reason=reason)).outcomes
    undone = {name: words for name, words in answers.items() if not words.startswith((STOPPED, "paused"))}
    return RecordedReply(
        contact_id,
        {**{detail.sequence.id: _state(detail) for detail in local_runs}, **answers},
        undone,
        tuple(local_runs),
    )


async def _opted_out(app: AppContext, contact_id: str, *, call: ToolCall) -> RecordedReply:
    suppressed = await suppress_contact(app, contact=contact_id, reason=OPTED_OUT)
    await app.local.record_reply(contact_id, ReplyKind.OPT_OUT)
    suppressions = await suppress_at_vendors(
        app, ExclusionTarget(suppressed.kind, suppressed.value), call=call, reason=OPTED_OUT
    )
    stopped = (*suppressed.stopped, *suppressions.stopped)
    runs = {detail.sequence.id: _state(detail) for detail in stopped} | dict(suppressions.outcomes)
    return RecordedReply(contact_id, runs, suppressions.undone, stopped)


def _state(detail: SequenceDetail) -> str:
    sequence = detail.sequence
    if sequence.paused_until is not None:
        return f"paused until {sequence.paused_until.isoformat(timespec='minutes')}"
    return sequence.status.value


def _time(app: AppContext, answer: ReplyKind, until: datetime | None) -> datetime | None:
    if answer is ReplyKind.OUT_OF_OFFICE:
        return future("until", until, now=app.clock())
    if until is not None:
        raise InvalidArgumentsError(
            f"until goes with {ReplyKind.OUT_OF_OFFICE}, not with {answer}.", next_step="Leave it out."
        )
    return None


async def _contact_of(app: AppContext, who: str) -> tuple[str, str | None]:
    """Return the id of the stored person behind an id or an address, and of the run that is named, if one is.

    WrongIdError, NotFoundError.
    """
    text = who.strip()
    if "@" in text and ":" not in text:
        return await _at_address(app, text), None
    if ":" not in text:
        raise InvalidArgumentsError(
            f"{text[:80]!r} is no id of a sequence or contact, and no e-mail address.",
            next_step="Give local:seq_…, local:ct_… or name@example.com; find_contacts finds a name.",
        )
    if provider_of(text) == LOCAL:
        if text.startswith(f"{LOCAL}:{IdKind.SEQUENCE}_"):
            named = (await app.local.get_sequence(text)).sequence
            return named.contact_id, named.id
        return (await app.local.get_contacts([str(parse_id(text, IdKind.CONTACT))]))[0].id, None
    parsed_id = str(parse_id(text, IdKind.SEQUENCE))
    run = await app.vendor_runs.find(parsed_id)
    if run is not None:
        return run.sequence.contact_id, run.sequence.id
    result = await app.vendor_runs.known_as(parsed_id)
    if result is None:
        raise NotFoundError(
            f"No run or person of this server is known as {parsed_id}.",
            next_step="Give the id of the sequence or contact as list_sequences and find_contacts show it; a run "
            "that was started elsewhere is stopped with stop_sequence.",
        )
    return result, None


async def _at_address(app: AppContext, text: str) -> str:
    matched = await app.local.match_contacts([ContactEntry(ContactFields(email=visible_address(text).strip()))])
    require_none(matched.problems, what="contact")
    [contact] = matched.people
    if contact is None:
        raise NotFoundError(
            "Nobody here has this address.",
            next_step="find_contacts shows who there is; suppress_contact keeps out any address.",
        )
    return contact.id
