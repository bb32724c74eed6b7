"""The screens of the first visit (``lock.first_visit``): the code, who sends, the rest, what is written, done."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from starlette.responses import Response

from sequences_mcp.errors import ApprovalError, InvalidArgumentsError, SequencesError
from sequences_mcp.ports.safekeeping import KeptRecord
from sequences_mcp.review.lock import first_visit, passkeys, passphrase
from sequences_mcp.review.lock.first_visit import (
    FirstAnswers,
    FirstState,
    FolderSetup,
    RecognisedProvider,
    SetupSession,
)
from sequences_mcp.review.page.guard import READS
from sequences_mcp.review.page.request import PageRequest

LONGEST = 1024
IS_SET = "A passphrase is chosen already: unlock the page with it."


async def begin_form(page_request: PageRequest) -> Response:
    """Check the code that the terminal printed, and begin the first visit."""
    context = page_request.context
    async with context.first.lock:
        _require_unset(page_request)
        given = page_request.form.get("code", "")[:40]
        try:
            await asyncio.to_thread(
                passkeys.check_code,
                context.safe,
                KeptRecord.SETUP_CODE,
                given,
                now=page_request.now,
                step=first_visit.COMMAND,
            )
        except ApprovalError as error:
            return page_request.render("first.html", status=403, stage="code", message=str(error))
        context.safe.delete(KeptRecord.SETUP_CODE)  # good once
        token = context.first.begin(page_request.now)
        csrf = context.first.of(token, now=page_request.now).csrf
    response = page_request.redirect(f"/first?visit={csrf}")
    response.set_cookie(
        first_visit.COOKIE,
        token,
        max_age=round(first_visit.LASTS.total_seconds()),
        path="/first",
        httponly=True,
        samesite="strict",
    )
    return response


async def first_screen(page_request: PageRequest) -> Response:
    """Ask for the code, or for who sends; where the sender is known already, for the rest."""
    first = page_request.context.first
    if first.setup is None or passphrase.is_set(page_request.context.safe):
        return page_request.redirect("/unlock")
    try:
        begun = _session_of(page_request)
    except ApprovalError:
        return page_request.render("first.html", stage="code", message="")
    known = await asyncio.to_thread(first.setup.state)
    stage = "rest" if known.sender else "sender"
    return _form(page_request, begun, known, stage=stage)


async def sender_form(page_request: PageRequest) -> Response:
    """Take who sends and how, and ask for the rest, with the servers of the address's provider."""
    begun, setup = _of(page_request)
    form = page_request.form
    begun.forget_plan()
    name, address = form.get("name", "").strip()[:LONGEST], form.get("address", "").strip()[:LONGEST]
    begun.answers = replace(
        begun.answers, name=name, address=address, connects=form.get("connects") != "later", smtp="", imap=""
    )
    known = await asyncio.to_thread(setup.state)
    if not name or "@" not in address:
        return _form(page_request, begun, known, stage="sender", message="Type your name and your e-mail address.")
    try:
        await asyncio.to_thread(setup.require_sender, name, address)
    except SequencesError as error:
        return _form(page_request, begun, known, stage="sender", message=str(error))
    return await _rest(page_request, begun, known)


async def rest_form(page_request: PageRequest) -> Response:
    """Take the rest, sign the mailbox in, and show all that would be written."""
    begun, setup = _of(page_request)
    begun.forget_plan()
    known = await asyncio.to_thread(setup.state)
    chosen = page_request.form.get("passphrase", "")[:LONGEST]
    begun.answers = _answered(begun.answers, page_request.form, known)
    if chosen != page_request.form.get("again", "")[:LONGEST]:
        return await _rest(page_request, begun, known, message="The two passphrases differ.")
    if len(chosen.strip()) < passphrase.LEAST:
        words = f"A passphrase has {passphrase.LEAST} characters or more."
        return await _rest(page_request, begun, known, message=words)
    answers = replace(begun.answers, passphrase=chosen)
    try:
        plan = await asyncio.to_thread(setup.planned, answers)
    except SequencesError as error:
        return await _rest(page_request, begun, known, message=str(error))
    if not plan.signs_in:
        reasons = " ".join(f"{words} {reply}".strip() for is_well, words, reply in plan.probes if not is_well)
        return await _rest(page_request, begun, known, message=f"{reasons} Nothing was changed.")
    begun.show(plan, answers)
    return page_request.render("first.html", stage="plan", message="", begun=begun, known=known, plan=plan)


async def write_form(page_request: PageRequest) -> Response:
    """Write what was shown, and say what was written."""
    async with page_request.context.first.lock:
        begun, setup = _of(page_request)
        plan, answers = begun.agreed(page_request.form.get("shown", "")), begun.answers
        lines = await asyncio.to_thread(partial(setup.write, answers, shown=plan))
        is_connected = bool(plan.probes)
        begun.is_written, begun.answers = True, FirstAnswers()
        begun.forget_plan()
    return page_request.render(
        "first.html", stage="done", message="", begun=begun, lines=lines, is_connected=is_connected, tried=None
    )


async def try_form(page_request: PageRequest) -> Response:
    """Send a test message from the mailbox to itself, and show what became of it."""
    first = page_request.context.first
    begun = _session_of(page_request)
    if not begun.is_written or first.setup is None:
        raise InvalidArgumentsError("No mailbox was connected yet.", next_step="Begin again.")
    setup = first.setup
    async with first.lock:
        tried = await asyncio.to_thread(lambda: list(setup.tried()))
    return page_request.render(
        "first.html", stage="done", message="", begun=begun, lines=(), is_connected=True, tried=tried
    )


def _of(page_request: PageRequest) -> tuple[SetupSession, FolderSetup]:
    _require_unset(page_request)
    first = page_request.context.first
    assert first.setup is not None
    return _session_of(page_request), first.setup


def _session_of(page_request: PageRequest) -> SetupSession:
    """Return the first visit of this browser; ApprovalError where it typed no code, or the form is not its own."""
    token = page_request.request.cookies.get(first_visit.COOKIE, "")
    begun = page_request.context.first.of(token, now=page_request.now)
    # Browsers send the cookie to every port of localhost. The token is known to this page's own screens alone.
    is_read = page_request.request.method in READS
    given = page_request.request.query_params.get("visit", "") if is_read else page_request.form.get("csrf", "")
    if not begun.owns(given):
        raise ApprovalError("This form is not one of this visit.", next_step="Reload the screen.")
    return begun


def _require_unset(page_request: PageRequest) -> None:
    """Raise ApprovalError once a passphrase is chosen: from then on only it opens anything."""
    if page_request.context.first.setup is None or passphrase.is_set(page_request.context.safe):
        raise ApprovalError(IS_SET, next_step="Open the front page.")


def _answered(answers: FirstAnswers, form: Mapping[str, str], known: FirstState) -> FirstAnswers:
    def given(name: str) -> str:
        return form.get(name, "").strip()[:LONGEST]

    return replace(
        answers,
        smtp=given("smtp"),
        imap=given("imap"),
        password=given("password"),
        imap_password=given("imap_password"),
        time_zone=given("time_zone"),
        window=given("window"),
        daily_cap=given("daily_cap"),
        clients=tuple(client.name for client in known.clients if f"client.{client.name}" in form),
    )


async def _rest(
    page_request: PageRequest, begun: SetupSession, known: FirstState, *, message: str = ""
) -> Response:
    setup = page_request.context.first.setup
    assert setup is not None
    provider = None
    if begun.answers.connects and not known.sender:
        provider = await asyncio.to_thread(setup.provider, begun.answers.address)
    if provider is not None and not provider.takes_password:
        begun.answers = replace(begun.answers, connects=False)
    return _form(page_request, begun, known, stage="rest", message=message, provider=provider)


def _form(
    page_request: PageRequest,
    begun: SetupSession,
    known: FirstState,
    *,
    stage: str,
    message: str = "",
    provider: RecognisedProvider | None = None,
) -> Response:
    status = 422 if message else 200
    return page_request.render(
        "first.html", status=status, stage=stage, message=message, begun=begun, known=known, provider=provider
    )
