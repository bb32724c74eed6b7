"""What the server over HTTP is given of its tenants: their settings, contexts, due work and numbers."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from sequences_mcp.bootstrap import Clock, open_context, open_store, open_worker
from sequences_mcp.context import AT_PAGE
from sequences_mcp.engine.measures import measure
from sequences_mcp.engine.worker import FREE
from sequences_mcp.errors import SettingsError
from sequences_mcp.serve_sites import MadePages, require_one_issuer
from sequences_mcp.server.http.issuer import SignedTokenCheck
from sequences_mcp.server.http.options import path_of_tenant
from sequences_mcp.server.http.tenancy import TenantLookup
from sequences_mcp.server.http.tenants_app import MemberCheck, build_tenants_app

if TYPE_CHECKING:
    from sequences_mcp.domain.records import WorkMetrics
    from sequences_mcp.mailbox import Mailbox
    from sequences_mcp.server.http.app import Surroundings
    from sequences_mcp.server.http.callers import Verify
    from sequences_mcp.server.http.gate import RequestGate
    from sequences_mcp.server.http.options import ServeOptions
    from sequences_mcp.settings import Settings
    from sequences_mcp.tenants import TenantDirectory

M_ARENA_MAX = -8  # malloc.h


def gate_of_tenants(
    settings: Settings,
    options: ServeOptions,
    *,
    given: Surroundings,
    folders: TenantDirectory,
    port: int,
    metrics_port: int | None,
) -> RequestGate:
    """Return the app that serves the tenants of ``folders``; ``settings`` are the server's. SettingsError.

    ``given`` is what holds for all tenants.
    """
    require_told_apart(settings)
    share_heap()
    claim, keys = settings.oauth_tenant_claim, given.keys
    assert keys is not None  # ServeOptions.require_sound

    def verify_for(name: str) -> Verify:
        audience = settings.oauth_audience or options.address(port, path=path_of_tenant(name))
        signed = SignedTokenCheck(keys, audience, {claim: name} if claim else {})
        return MemberCheck(verify_token=signed.verify, tenant=name, admits=folders.admits).verify

    def given_for(name: str) -> Surroundings:
        of_tenant = folders.settings(name)
        require_one_issuer(settings, of_tenant)
        in_folder = f"{given.place}, in the data folder of {name}"
        return replace(
            given,
            open_context=partial(open_context, of_tenant, worker=_works(settings, of_tenant), clock=given.clock),
            vendors=of_tenant.accounts.keys(),
            place=AT_PAGE if of_tenant.hosted.review else in_folder,
        )

    source = TenantLookup(
        names=folders.names,
        version=folders.version,
        prepare=lambda name: open_store(folders.settings(name), now=given.clock()).close(),
        works=lambda name: _works(settings, folders.settings(name)),
        next_due=lambda name, since: next_due(folders.settings(name), since=since, clock=given.clock),
        measure=lambda name: measured(folders.settings(name), clock=given.clock),
        sites=MadePages(server=settings, folders=folders, given=given).of,
        give_back=give_back,
        clock=given.clock,
        elapsed=given.elapsed,
    )
    return build_tenants_app(
        given,
        options,
        source=source,
        verify_for=verify_for,
        given_for=given_for,
        port=port,
        metrics_port=metrics_port,
    )


def share_heap() -> None:
    """Have threads share one heap, where the C library is glibc: each of a tenant's would keep one of its own.

    It is what MALLOC_ARENA_MAX=1 in the environment does (mallopt(3)), and saves half a megabyte a tenant; nearly
    all of them wait for the interpreter's own lock anyway.
    """
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def give_back() -> None:
    """Give memory that is free to the operating system, where the C library is glibc (malloc_trim(3)).

    What a request took, or a tenant that was closed, lies between what is still in use and would be kept for good.
    """
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def require_told_apart(settings: Settings) -> None:
    """Raise SettingsError where nothing in a token would tell one tenant from another."""
    if settings.oauth_audience and not settings.oauth_tenant_claim:
        raise SettingsError(
            "With tenants SEQUENCES_OAUTH_AUDIENCE would be one for all: a token for one would open every other.",
            next_step="Leave it out, so that each tenant's address is the audience; or name the claim that tells "
            "tenants apart, with SEQUENCES_OAUTH_TENANT_CLAIM.",
        )


def _works(server: Settings, settings: Settings) -> bool:
    """Say whether this process does a tenant's due work: there may be some, and neither's settings forbid it."""
    has_work = bool(settings.mailbox.sender or settings.accounts or settings.erase_after_days)
    return has_work and settings.worker and server.worker


def next_due(settings: Settings, *, since: datetime, clock: Clock) -> datetime | None:
    """Return when the next thing can be done here, None where nothing is planned; SequencesError.

    While something of a first round since an instant is still to come, that instant is returned: a mailbox that
    was not read yet, people whom a vendor was not given.
    """
    if settings.temporal is not None:
        return since  # Temporal calls whoever is there
    coming: list[datetime] = []
    for mailbox in settings.mailboxes if settings.mailbox.sender else ():
        coming += _of_mailbox(settings, mailbox, since=since, clock=clock)
    if settings.accounts:
        hands_over: bool = asyncio.run(_is_handing_over(settings, clock))
        coming += [since] if hands_over else []
    return min(coming, default=None)


def _of_mailbox(settings: Settings, mailbox: Mailbox, *, since: datetime, clock: Clock) -> list[datetime]:
    with open_worker(settings, mailbox=mailbox, clock=clock, queue=None if mailbox.can_send else FREE) as worker:
        at = worker.next_at()
        reading = worker.store.inboxes.reading(mailbox.address)
    is_unread = mailbox.imap_url is not None and (reading is None or reading.tried_at < since)
    return [*([at] if at else []), *([since] if is_unread else [])]


async def _is_handing_over(settings: Settings, clock: Clock) -> bool:
    async with open_context(settings, worker=False, clock=clock) as app:
        return bool(await app.vendor_runs.waiting())


def measured(settings: Settings, *, clock: Clock) -> WorkMetrics:
    """Return numbers about the work, on a connection of its own; SequencesError."""
    with open_store(settings, now=clock(), examined=False) as store:
        return measure(store, now=clock())
