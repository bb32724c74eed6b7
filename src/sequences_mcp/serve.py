"""The MCP server over stdio or HTTP, and this process's share in the review page."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from sequences_mcp.bootstrap import HANDSHAKE, Clock, open_context, open_store, utc_now
from sequences_mcp.domain import actors

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from sequences_mcp.context import AppContext
    from sequences_mcp.domain.records import WorkMetrics
    from sequences_mcp.domain.reviewers import ReviewSettings
    from sequences_mcp.review.lock.first_visit import FolderSetup
    from sequences_mcp.review.page.serving import ReviewPage
    from sequences_mcp.server.http.callers import TokenFileCheck
    from sequences_mcp.server.http.issuer import IssuerKeys
    from sequences_mcp.server.http.options import ServeOptions
    from sequences_mcp.server.prelude.standard_input import InputLines
    from sequences_mcp.settings import Settings
    from sequences_mcp.tenants import TenantDirectory

MakeSetup: TypeAlias = "Callable[[], FolderSetup]"

SELDOM = (
    20_000,
    20,
    20,
)  # new objects before a round of the garbage collector, and rounds before one of older ones


def serve_stdio(
    read: Callable[[], Settings], *, setup: MakeSetup | None = None, source: InputLines | None = None
) -> None:
    """Run the MCP server over stdio until the client leaves; ``setup`` is for a first visit of its page.

    With settings that are wrong it runs all the same: every tool says so, and each call reads them again.
    ``source`` is what reads standard input already, where something does.
    """
    from sequences_mcp.errors import SettingsError

    settings = None
    with suppress(SettingsError):
        settings = read()
    with _uncollected():
        from sequences_mcp.server.app import build_server
    if source is not None:
        source.begin_work()
    if settings is None:
        build_server(partial(_open_as_read, read)).run_stdio(source)
        return
    server = build_server(
        lambda: open_context(settings, worker=settings.worker, work_after=HANDSHAKE),
        log_level=settings.log_level,
        vendors=settings.accounts.keys(),
    )
    settings.log_conflicts()
    page = review_page(settings, setup=setup) if settings.review_page else None
    if page:
        page.start()
    loading = threading.Timer(HANDSHAKE, partial(_begun, settings, source))
    loading.daemon = True
    loading.start()
    try:
        server.run_stdio(source)
    finally:
        loading.cancel()
        if page:
            page.stop()


def serve_http(
    settings: Settings,
    options: ServeOptions,
    *,
    tell: Callable[[list[str]], None],
    write: Callable[[str], None],
    setup: MakeSetup | None = None,
    folders: TenantDirectory | None = None,
) -> None:
    """Run the MCP server over HTTP until a signal ends the process; SettingsError where it cannot be reached so.

    ``tell`` is given lines for whoever started it, ``write`` each line of the access log. With ``folders`` the
    server is that of those tenants, and the data folder of ``settings`` is not served.
    """
    review = _review_of(settings, has_tenants=bool(folders))
    options.require_sound(has_issuer=settings.oauth_issuer is not None, review_url=review.url if review else "")
    from sequences_mcp.context import AT_PAGE
    from sequences_mcp.last_start import note_serve
    from sequences_mcp.serve_sites import own_opt_out, own_page
    from sequences_mcp.server.http.app import Surroundings, build_http_app
    from sequences_mcp.server.http.callers import PLACE
    from sequences_mcp.server.http.issuer import SignedTokenCheck
    from sequences_mcp.server.http.listening import all_bound, listener

    sockets = all_bound(options)
    port, *metrics = (listening.getsockname()[1] for listening in sockets)
    keys = None
    if settings.oauth_issuer:
        keys = _keys_of(settings.oauth_issuer)
        verify = SignedTokenCheck(keys, settings.oauth_audience or options.address(port)).verify
    else:
        verify = _token_file(settings, options, tell).verify
    given = Surroundings(
        open_context=partial(open_context, settings, worker=settings.worker),
        verify=verify,
        keys=keys,
        measure=partial(asyncio.to_thread, _measured, settings),
        clock=utc_now,
        elapsed=time.monotonic,
        write=write,
        vendors=settings.accounts.keys(),
        log_level=settings.log_level,
        does_work=settings.worker and bool(settings.mailbox.sender or settings.accounts),
        page=own_page(settings, review, _keys_of(review.issuer)) if review else None,
        opt_out=own_opt_out(settings) if settings.hosted.opt_out_url else None,
        place=AT_PAGE if review else PLACE,
    )
    metrics_port = metrics[0] if metrics else None
    settings.log_conflicts()
    page = review_page(settings, setup=setup) if settings.review_page and not (folders or review) else None
    if folders:
        from sequences_mcp.serve_tenants import gate_of_tenants

        app = gate_of_tenants(
            settings, options, given=given, folders=folders, port=port, metrics_port=metrics_port
        )
        tell([f"Serving MCP for {len(folders.names())} tenants at {options.address(port, path='/t/NAME/mcp')}"])
    else:
        app = build_http_app(given, options, port=port, metrics_port=metrics_port)
        tell([f"Serving MCP at {options.address(port)}"])
    if options.public_url:
        tell([f"It listens on {options.host}, port {port}"])
    if page:
        page.start()
    if review:
        tell([f"People sign in to review at {review.url}"])
    if metrics:
        tell([f"Numbers for Prometheus are on port {metrics[0]}, at /metrics"])
    try:
        note_serve(settings.workspace.last_serve, certificate=options.certificate, public_url=options.public_url)
        listener(app, options, drained=app.drained).run(sockets=sockets)
    finally:
        if page:
            page.stop()


def _review_of(settings: Settings, *, has_tenants: bool) -> ReviewSettings | None:
    """Return what the settings say of a review page under its own name; SettingsError beside tenants."""
    review = settings.hosted.review
    if review and has_tenants:
        from sequences_mcp.errors import SettingsError

        raise SettingsError(
            "On a server of tenants each has a review page of its own, so that the server has no review_url.",
            next_step="Write it into the settings.toml of each tenant, with another name for each.",
        )
    return review


def _keys_of(issuer: str) -> IssuerKeys:
    from sequences_mcp.server.http.issuer import IssuerKeys, fetch_document

    return IssuerKeys(issuer, fetch_document, time.monotonic)


def _token_file(settings: Settings, options: ServeOptions, tell: Callable[[list[str]], None]) -> TokenFileCheck:
    """Return the file with the token, which is made where there is none; SettingsError where it holds none."""
    import secrets

    from sequences_mcp.private_files import write_private
    from sequences_mcp.server.http.callers import TokenFileCheck

    path = options.token_file or settings.workspace.serve_token
    if not path.exists():
        write_private(path, f"{secrets.token_urlsafe(32)}\n")
        tell([f"A new token is in {path}; only you can read it"])
    check = TokenFileCheck(path)
    check.require_sound()
    return check


def _measured(settings: Settings) -> WorkMetrics:
    """Return numbers about the work, on a connection of its own."""
    from sequences_mcp.engine.measures import measure

    with open_store(settings, now=utc_now(), examined=False) as store:
        return measure(store, now=utc_now())


def _begun(settings: Settings, source: InputLines | None) -> None:
    """Do what has time until the first answers are given: import what calls need, and note how it began."""
    _load()
    from sequences_mcp.last_start import note_start

    note_start(settings.workspace.last_start, answers=source.answered_before if source else None, now=utc_now())


def _load() -> None:
    """Import what calls need, in a thread of its own: one that comes sooner imports itself what it needs."""
    from importlib import import_module

    import_module("sequences_mcp.engine.provider")
    import_module("sequences_mcp.server.boundary")
    import_module("sequences_mcp.server.tool")
    import_module("sequences_mcp.server.start_answers")


@contextmanager
def _uncollected() -> Iterator[None]:
    """Leave the garbage collector out of a block of imports, and what they made out of its later rounds.

    What modules define stays until the process ends, and the SDK's classes would be gone through again and again:
    https://docs.python.org/3/library/gc.html#gc.freeze. Its rounds are rarer too: what a call makes is nearly all
    freed by reference counts, and a plan of many people would be gone through dozens of times while it grows.
    """
    gc.disable()
    gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@asynccontextmanager
async def _open_as_read(read: Callable[[], Settings]) -> AsyncIterator[AppContext]:
    settings = read()
    async with open_context(settings, worker=settings.worker) as app:
        yield app


def review_page(settings: Settings, *, clock: Clock = utc_now, setup: MakeSetup | None = None) -> ReviewPage:
    """Return this process's share in the review page of its data folder, not started yet.

    ``setup`` makes what a first visit of the page needs.
    """
    from sequences_mcp.review.page.serving import ReviewPage

    def made(authority: str) -> Starlette:
        from sequences_mcp.review.page.address import PageAddress
        from sequences_mcp.review.page.app import build_page

        app = partial(open_context, settings, worker=False, clock=clock, actor=actors.PAGE)
        return build_page(app, place=PageAddress.on_loopback(authority), setup=setup() if setup else None)

    return ReviewPage(settings.workspace, made)
