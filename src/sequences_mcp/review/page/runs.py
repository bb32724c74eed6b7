"""The screens of runs, replies and tasks, and the records: e-mails, suppressions, the audit trail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from hashlib import sha256
from typing import TypeVar
from urllib.parse import quote

from starlette.responses import Response

from sequences_mcp.domain.digests import canonical
from sequences_mcp.domain.ids import LOCAL
from sequences_mcp.domain.inbound import ReceivedKind, ReplyEntry
from sequences_mcp.domain.run import LIVE, ReplyKind, SequenceStatus, StepRun, StopReason, StopScope, TaskOutcome
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.ports.embedded import Lifted, ReplyFilter, SequenceDetail, SequenceFilter, ToolCall
from sequences_mcp.ports.provider import Provider
from sequences_mcp.ports.vendor import VendorWrite
from sequences_mcp.review.page.request import LockFault, PageRequest, lock_facts, presence_fault, whole_number
from sequences_mcp.services import replies, sequences, suppression
from sequences_mcp.services.vendor_writes import run_once

Choice = TypeVar("Choice", bound=StrEnum)
RUNS_SHOWN = 30
LONGEST_PAUSE = 366
FILTERS = ("status", "provider", "q", "blueprint")  # of the list of runs, kept from page to page


async def runs_screen(page_request: PageRequest) -> Response:
    """Show the runs of one provider, the most recently changed first: of a status, a campaign, somebody."""
    given = page_request.request.query_params
    status, provider = given.get("status", ""), given.get("provider") or LOCAL
    query, blueprint_id = given.get("q", "").strip()[:200], given.get("blueprint", "")
    wanted = SequenceFilter(
        contact=query or None,
        blueprint_id=blueprint_id or None,
        status=_one_of(SequenceStatus, status, name="status") if status else None,
        sort_by="updated_at",
        sort_order="desc",
        page=page_request.page,
        size=RUNS_SHOWN,
    )
    return page_request.render(
        "sequences.html",
        runs=await sequences.list_sequences(page_request.app, wanted=wanted, provider=provider),
        chosen=status,
        statuses=[status_value.value for status_value in SequenceStatus],
        provider=provider,
        providers=list(page_request.app.providers),
        query=query,
        blueprint=blueprint_id,
        campaign=(await page_request.app.records.campaign(blueprint_id)).name if blueprint_id else "",
        filters="".join(f"{name}={quote(given[name])}&" for name in FILTERS if given.get(name)),
    )


async def run_screen(page_request: PageRequest) -> Response:
    """Show one run."""
    detail = await sequences.get_sequence(page_request.app, sequence_id=page_request.path_part("sequence"))
    status, run_id = detail.sequence.status, detail.sequence.remote_id or detail.sequence.id
    provider = page_request.app.providers.get(run_id.partition(":")[0])
    return page_request.render(
        "sequence.html",
        detail=detail,
        thread=_thread(detail),
        shown=TEXT_SHOWN,
        run_id=run_id,
        stoppable=status in LIVE and provider is not None and provider.offers(Provider.stop_sequence),
        pausable=detail.sequence.waits_for_plan,
        paused=status is SequenceStatus.WAITING_FOR_LEAD
        or (detail.sequence.waits_for_plan and detail.sequence.paused_until is not None),
    )


async def pause_form(page_request: PageRequest) -> Response:
    """Pause a run for a number of days."""
    until, run_id = page_request.now + timedelta(days=_days(page_request)), page_request.path_part("sequence")
    effect = partial(sequences.pause_sequence, page_request.app, sequence_id=run_id, paused_until=until)
    return await _move_run(page_request, run_id, effect, tool="pause_sequence", paused_until=until.isoformat())


async def resume_form(page_request: PageRequest) -> Response:
    """Resume a run."""
    run_id = page_request.path_part("sequence")
    return await _move_run(
        page_request,
        run_id,
        partial(sequences.resume_sequence, page_request.app, sequence_id=run_id),
        tool="resume_sequence",
    )


async def stop_form(page_request: PageRequest) -> Response:
    """Stop a run permanently, or every run of its blueprint at the same company."""
    reason = _one_of(StopReason, page_request.form.get("reason", ""), name="reason")
    scope = _one_of(StopScope, page_request.form.get("scope", "CONTACT"), name="scope")
    run_id = page_request.path_part("sequence")
    effect = partial(sequences.stop_sequence, page_request.app, sequence_id=run_id, reason=reason, scope=scope)
    return await _move_run(
        page_request, run_id, effect, tool="stop_sequence", reason=reason.value, scope=scope.value
    )


async def reply_form(page_request: PageRequest) -> Response:
    """Record a contact's reply; an out-of-office reply comes with a number of days."""
    answer, run_id = (
        _one_of(ReplyKind, page_request.form.get("answer", ""), name="answer"),
        page_request.path_part("sequence"),
    )
    away = answer is ReplyKind.OUT_OF_OFFICE
    until = page_request.now + timedelta(days=_days(page_request)) if away else None
    call = ToolCall("record_reply", None, sha256(canonical({"who": run_id, "answer": answer.value})).hexdigest())
    done = await suppression.record_reply(page_request.app, who=run_id, answer=answer, until=until, call=call)
    if not done.undone:
        return page_request.redirect(f"/sequences/{run_id}")
    undone = " ".join(f"{name}: {why}" for name, why in done.undone.items())
    return page_request.render(
        "notice.html", message="It is written down. Not everything stands still.", next_step=undone
    )


REPLIES_SHOWN = 20
KEPT_FOR = "30 days, and of each mailbox the newest 500"  # store.inbound, which the page does not know
TEXT_SHOWN = 600


async def replies_screen(page_request: PageRequest) -> Response:
    """Show what came back, first what a person has to decide about, and the state of each mailbox."""
    app, kind = page_request.app, page_request.request.query_params.get("kind", "")
    wanted = ReplyFilter(
        kind=_one_of(ReceivedKind, kind, name="kind") if kind else None,
        page=page_request.page,
        size=REPLIES_SHOWN,
    )
    waiting = await replies.list_replies(app, wanted=ReplyFilter(waiting=True, size=REPLIES_SHOWN))
    report = await replies.list_replies(app, wanted=wanted)
    of_nobody = await app.local.list_replies(ReplyFilter(kind=ReceivedKind.UNMATCHED, size=REPLIES_SHOWN))
    unmatched = [reply for reply in of_nobody.items if reply.contact is None and not reply.entry.waits]
    undecided = [*waiting.page.items, *(reply for reply in unmatched if reply.entry.decision is None)]
    return page_request.render(
        "replies.html",
        replies=report.page,
        waiting=waiting.page,
        unmatched=unmatched,
        runs={reply.entry.id: await app.local.may_be_about(reply.entry.id) for reply in undecided},
        kept_for=KEPT_FOR,
        read_up_to=report.read_up_to,
        mailboxes=[mailbox for mailbox in app.mailboxes if mailbox.sender is not None],
        chosen=kind,
        kinds=list(ReceivedKind),
        shown=TEXT_SHOWN,
    )


async def decide_reply_form(page_request: PageRequest) -> Response:
    """Record which run something that came in is about, or that it is nothing."""
    await replies.decide_reply(
        page_request.app,
        page_request.path_part("reply"),
        about=page_request.form.get("about", ""),
        whose=page_request.form.get("whose", ""),
        actor=page_request.actor,
    )
    return page_request.redirect("/replies")


def _thread(detail: SequenceDetail) -> list[StepRun | ReplyEntry]:
    """Return a run's steps and what came back, in order: what was carried out by time, then what is to come."""
    dated: list[tuple[datetime, StepRun | ReplyEntry]] = [(entry.at, entry) for entry in detail.replies]
    dated += [(run.executed_at, run) for run in detail.sequence.steps if run.executed_at is not None]
    past = [item for _, item in sorted(dated, key=lambda pair: pair[0])]
    return [*past, *(run for run in detail.sequence.steps if run.executed_at is None)]


async def tasks_screen(page_request: PageRequest) -> Response:
    """Show the steps to be done by hand, each with its text to copy."""
    return page_request.render(
        "tasks.html", tasks=await sequences.list_tasks(page_request.app, page=page_request.page, size=RUNS_SHOWN)
    )


async def complete_task_form(page_request: PageRequest) -> Response:
    """Record the outcome of a task."""
    outcome = _one_of(TaskOutcome, page_request.form.get("outcome", ""), name="outcome")
    await sequences.complete_task(page_request.app, task_id=page_request.path_part("task"), outcome=outcome)
    return page_request.redirect("/tasks")


async def _move_run(
    page_request: PageRequest,
    run_id: str,
    effect: Callable[[], Awaitable[object]],
    *,
    tool: str,
    **arguments: object,
) -> Response:
    """Pause, resume or stop a run and show it; ``run_once`` records a request to a vendor as an operation."""
    provider = run_id.partition(":")[0]
    if provider == LOCAL:
        await effect()
        return page_request.redirect(f"/sequences/{run_id}")
    fingerprint = sha256(canonical({"sequence_id": run_id, **arguments})).hexdigest()
    write = VendorWrite(
        call=ToolCall(tool, None, fingerprint),
        provider=provider,
        subject=run_id,
        arguments={"sequence_id": run_id, **arguments},
        safe=tool != "resume_sequence",
    )

    async def recorded() -> str:
        await effect()
        return "{}"

    await run_once(page_request.app, write, recorded)
    return page_request.redirect(f"/sequences/{run_id}")


def _days(page_request: PageRequest) -> int:
    days = whole_number(page_request.form.get("days", ""), name="day")
    if days > LONGEST_PAUSE:
        raise InvalidArgumentsError("That is longer than a year.", next_step="Pause for less, or stop it.")
    return days


def _one_of(kind: type[Choice], text: str, *, name: str) -> Choice:
    try:
        return kind(text)
    except ValueError as error:
        raise InvalidArgumentsError(f"{text[:20]!r} is no {name}.", next_step="Go back and choose one.") from error


RECORDS_SHOWN = 50


async def mails_screen(page_request: PageRequest) -> Response:
    """Show the e-mails that were tried, each with its outcome."""
    return page_request.render(
        "mails.html", mails=await page_request.app.records.list_mails(page=page_request.page, size=RECORDS_SHOWN)
    )


async def suppressions_screen(page_request: PageRequest) -> Response:
    """Show who must never be contacted."""
    return await _suppressions(page_request, undone={})


async def suppress_form(page_request: PageRequest) -> Response:
    """Never contact an address, a domain or a person again."""
    contact, reason = page_request.form.get("contact", "").strip(), page_request.form.get("reason", "").strip()
    if not contact:
        raise InvalidArgumentsError("Nobody was named.", next_step="Give an address, a domain or a contact id.")
    why = reason or "on the review page"
    done = await suppression.suppress_contact(page_request.app, contact=contact, reason=why)
    call = ToolCall("suppress_contact", None, done.value)
    at_vendors = await suppression.suppress_at_vendors(
        page_request.app, suppression.ExclusionTarget(done.kind, done.value), call=call, reason=why
    )
    return (
        await _suppressions(page_request, undone=at_vendors.undone)
        if at_vendors.undone
        else page_request.redirect("/suppressions")
    )


async def lift_form(page_request: PageRequest) -> Response:
    """Take somebody off the list again, and show what still keeps them from being contacted."""
    contact, reason = page_request.form.get("contact", ""), page_request.form.get("reason", "")
    if fault := await presence_fault(page_request):
        return await _suppressions(page_request, undone={}, fault=fault)
    done = await suppression.lift_suppression(
        page_request.app, contact=contact, reason=reason, actor=page_request.actor
    )
    return await _suppressions(page_request, undone={}, lifted=done)


async def _suppressions(
    page_request: PageRequest,
    *,
    undone: Mapping[str, str],
    lifted: Lifted | None = None,
    fault: LockFault | None = None,
) -> Response:
    suppressed = await page_request.app.records.list_suppressed(page=page_request.page, size=RECORDS_SHOWN)
    facts = lock_facts(page_request, fault)
    return page_request.render("suppressions.html", **facts, suppressed=suppressed, undone=undone, lifted=lifted)


async def audit_screen(page_request: PageRequest) -> Response:
    """Show what happened, the newest first."""
    return page_request.render(
        "audit.html", entries=await page_request.app.records.list_audit(page=page_request.page, size=RECORDS_SHOWN)
    )
