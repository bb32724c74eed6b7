"""The tenants that are open: each a server of its own on its own database, opened on demand and closed when idle.

Whatever is open also does the due work of its data folder. A closed tenant is opened for that when its next thing
is due, and at the latest after ``EVERY`` seconds, since answers to its e-mails come unannounced. Another process
may do the same work at the same time: a lease of the database decides who carries a thing out.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import copy_context
from datetime import datetime
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from starlette.types import ASGIApp, Receive, Scope, Send

from sequences_mcp.errors import ProviderUnavailableError, SequencesError
from sequences_mcp.lazy_dataclasses import dataclass, field
from sequences_mcp.server.http.callers import CURRENT
from sequences_mcp.server.http.gate import only_listens, passed_until, refusal

if TYPE_CHECKING:
    from sequences_mcp.context import AppContext
    from sequences_mcp.domain.actors import Actor
    from sequences_mcp.domain.records import WorkMetrics
    from sequences_mcp.server.http.sites import HostedSites

    # Returns the context of a tenant as somebody, opened while it is used.
    OpenAs = Callable[[Actor], AbstractAsyncContextManager[AppContext]]

log = logging.getLogger(__name__)
EVERY = 300.0  # seconds after which a closed tenant is opened for its work, whatever is due
RESTS = 60.0  # seconds: while the next thing is due sooner, a tenant stays open
LOOKS = 5.0  # seconds after which one that was opened for its work alone may be closed
LISTED = 30.0  # seconds between two looks for new tenants, those that are gone, and changed settings
AT_ONCE = 4  # tenants that are opened for their work at the same time
TICK = 0.5
GIVES_WAY = 5.0  # seconds in which streams that only listen come to their end


class TenantUnavailableError(ProviderUnavailableError):
    """A tenant cannot be opened now. Its members are not told why: the words name files of the server."""


@dataclass(frozen=True, slots=True)
class ServedTenant:
    """A tenant's app while it is open; ``is_sound`` says whether its database answers.

    ``context`` returns what its verbs take, for what is served beside the tools; SequencesError.
    """

    app: ASGIApp
    is_sound: Callable[[], Awaitable[bool]]
    context: Callable[[], Awaitable[AppContext]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantLookup:
    """What is known about tenants from outside of this room, by their names.

    ``names`` lists them, ``version`` changes with a tenant's settings (None: there is none), ``prepare`` brings
    its database up to date, so that opening it holds nobody up, ``works`` says whether this process does its due
    work, ``next_due`` when the next of it is due, where the first round since an instant is over, and that instant
    where it is not; ``measure`` returns numbers about the work, ``sites`` what it has under names of its own, on
    what opens it for those; ``give_back`` gives memory that is free to the operating system. All but ``version``
    are called in a thread, and raise SequencesError.
    """

    names: Callable[[], list[str]]
    version: Callable[[str], object | None]
    prepare: Callable[[str], None]
    works: Callable[[str], bool]
    next_due: Callable[[str, datetime], datetime | None]
    measure: Callable[[str], WorkMetrics]
    sites: Callable[[str, OpenAs], HostedSites]
    give_back: Callable[[], None]
    clock: Callable[[], datetime]
    elapsed: Callable[[], float]


@dataclass(slots=True, eq=False)
class _Open:
    """One tenant that is open, or about to be; times are seconds on a clock that only goes forward."""

    name: str
    version: object
    since: datetime
    begun: float
    used: float
    look_at: float
    served: ServedTenant | None = None
    calls: int = 0
    streams: int = 0
    failure: SequencesError | None = None
    is_looked_at: bool = False
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    unused: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    @property
    def last(self) -> float:
        return max(self.begun, self.used)

    @property
    def may_give_way(self) -> bool:
        return self.served is not None and not self.calls and not self.stop.is_set()


async def _first_ready(opening: list[_Open]) -> None:
    """Return once one of these tenants is open, or turned out not to be opened."""
    waits = [asyncio.ensure_future(tenant.ready.wait()) for tenant in opening]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


@dataclass(slots=True, kw_only=True)
class OpenTenants:
    """The tenants that are open, at most ``most`` of them; one without a request for ``idle`` seconds is closed.

    An ASGI app for requests that passed the gate, and ``running`` what keeps the due work going meanwhile.
    ``serve`` opens a tenant by its name; SequencesError where it cannot.
    """

    source: TenantLookup
    serve: Callable[[str], AbstractAsyncContextManager[ServedTenant]]
    most: int
    idle: float
    _open: dict[str, _Open] = field(default_factory=dict, init=False)
    # Each is there as long as somebody holds it or waits for it; dropped any sooner, two could be at one tenant.
    _locks: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary, init=False)
    _wake: dict[str, float] = field(default_factory=dict, init=False)  # when a closed one is opened for its work
    _broken: dict[str, object] = field(default_factory=dict, init=False)  # by name, with the version that was
    _numbers: dict[str, WorkMetrics | None] = field(default_factory=dict, init=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    _opening: int = field(default=0, init=False)  # for their work
    _listed: float | None = field(default=None, init=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of a tenant, which is opened for it."""
        call = CURRENT.get()
        if scope["type"] != "http" or call is None or not call.tenant:
            await refusal(404, "not_found", "There is nothing here.", next_step="Use the address you were given.")(
                scope, receive, send
            )
            return
        listens = only_listens(scope)
        try:
            tenant = await self._for_request(call.tenant, listens=listens)
        except SequencesError as error:
            answer = refusal(
                503, error.code, error.message, next_step=error.next_step, headers={"retry-after": "10"}
            )
            await answer(scope, receive, send)
            return
        assert tenant.served is not None
        try:
            if listens:
                await passed_until(tenant.stop, tenant.served.app, (scope, receive, send))
            else:
                await tenant.served.app(scope, receive, send)
        finally:
            self._leave(tenant, listens=listens)

    @asynccontextmanager
    async def context_of(self, name: str, actor: Actor) -> AsyncIterator[AppContext]:
        """Yield what the verbs of a tenant take, as somebody; it is open so long. SequencesError."""
        tenant = await self._for_request(name, listens=False)
        try:
            assert tenant.served is not None
            yield (await tenant.served.context()).acting_as(actor)
        finally:
            self._leave(tenant, listens=False)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the due work of all tenants going, and close every tenant in the end."""
        keeping = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            keeping.cancel()
            for task in self._tasks:
                task.cancel()
            await asyncio.wait({keeping, *self._tasks})
            async with asyncio.TaskGroup() as ending:
                for tenant in [*self._open.values()]:
                    ending.create_task(self._end(tenant))

    def standing(self) -> tuple[int, int]:
        """Return how many tenants cannot be used, and how many there are."""
        known = self._wake.keys() | self._open.keys()
        return len(self._broken.keys() & known), len(known)

    @property
    def are_listed(self) -> bool:
        """Whether the tenants could be looked for, not long ago."""
        return self._listed is not None and self.source.elapsed() - self._listed < 4 * LISTED

    async def measured(self) -> dict[str, WorkMetrics | None]:
        """Return numbers about the work by tenant; those of a closed one are of when it was open last."""
        for name in sorted(self._wake.keys() | self._open.keys()):
            if name in self._open or name not in self._numbers:
                try:
                    self._numbers[name] = await asyncio.to_thread(self.source.measure, name)
                except SequencesError:
                    self._numbers[name] = None
        return {name: self._numbers[name] for name in self._numbers if name in self._wake or name in self._open}

    async def _for_request(self, name: str, *, listens: bool) -> _Open:
        """Return a tenant, opened for a request, which is counted; SequencesError where that cannot be."""
        async with self._locks.setdefault(name, asyncio.Lock()):
            tenant = await self._opened(name, for_work=False)
            if listens:
                tenant.streams += 1
            else:
                tenant.calls += 1
                tenant.used = self.source.elapsed()
            tenant.unused.clear()
            return tenant

    def _leave(self, tenant: _Open, *, listens: bool) -> None:
        if listens:
            tenant.streams -= 1
        else:
            tenant.calls -= 1
            tenant.used = self.source.elapsed()
        if not tenant.calls and not tenant.streams:
            tenant.unused.set()

    async def _opened(self, name: str, *, for_work: bool) -> _Open:
        """Return a tenant that is open; its lock is held meanwhile."""
        tenant, version = self._open.get(name), self.source.version(name)
        if tenant is not None and not tenant.stop.is_set() and (tenant.calls or tenant.version == version):
            await tenant.ready.wait()
            if tenant.served is not None:
                return tenant
        if tenant is not None:
            await self._end(tenant)
        await self._make_room(for_work=for_work)
        now = self.source.elapsed()
        tenant = _Open(
            name,
            version,
            since=self.source.clock(),
            begun=now,
            used=now - self.idle if for_work else now,
            look_at=now + LOOKS,
        )
        tenant.unused.set()
        self._open[name] = tenant
        nobodys = copy_context()
        nobodys.run(CURRENT.set, None)  # it outlives the request that it may be opened for
        tenant.task = asyncio.create_task(self._live(tenant), context=nobodys)
        await tenant.ready.wait()
        if tenant.served is None:
            raise TenantUnavailableError(
                "This tenant cannot be opened now.",
                next_step="Whoever runs the server finds the reason in its log; nothing was done.",
            ) from tenant.failure
        return tenant

    async def _make_room(self, *, for_work: bool) -> None:
        """Close whoever was used the longest ago, until there is room; TenantUnavailableError."""
        while len(self._open) >= self.most:
            idle = self._giving_way(for_work=for_work)
            if not idle:
                opening = [other for other in self._open.values() if not other.ready.is_set()]
                if opening and not for_work:  # one that is opened for its work gives way as soon as it is open
                    await _first_ready(opening)
                    continue
                raise TenantUnavailableError(
                    "More tenants are in use than are open at once.",
                    next_step="Try again in a moment; nothing was done.",
                )
            chosen = min(idle, key=lambda other: (other.streams > 0, other.last))
            self._wake[chosen.name] = self.source.elapsed()  # nobody knows when its next thing is due
            await self._end(chosen)

    def _giving_way(self, *, for_work: bool) -> list[_Open]:
        """Return the tenants that may be closed for another; for its work alone only who had their turn."""
        since = self.source.elapsed() - RESTS if for_work else self.source.elapsed()
        return [other for other in self._open.values() if other.may_give_way and other.last <= since]

    async def _live(self, tenant: _Open) -> None:
        """Have a tenant open until it is told to stop; the SDK needs one task for its opening and closing."""
        name = tenant.name
        try:
            await asyncio.to_thread(self.source.prepare, name)
            async with self.serve(name) as served:
                tenant.served = served
                if await served.is_sound():
                    self._broken.pop(name, None)
                else:
                    self._note_broken(name, tenant.version, "its database cannot be used")
                tenant.ready.set()
                await tenant.stop.wait()
                try:
                    async with asyncio.timeout(GIVES_WAY):
                        await tenant.unused.wait()
                except TimeoutError:
                    log.warning("Tenant %s is closed although %d calls are under way", name, tenant.calls)
        except SequencesError as error:
            tenant.failure = error
            self._note_broken(name, tenant.version, str(error))
        except Exception as error:  # whatever is wrong with one tenant, the others must go on
            log.exception("Tenant %s ended", name)
            self._note_broken(name, tenant.version, type(error).__name__)
        finally:
            tenant.served = None
            tenant.stop.set()
            if self._open.get(name) is tenant:
                del self._open[name]
            if self.source.version(name) is not None:
                self._wake.setdefault(name, self.source.elapsed() + EVERY)
            tenant.ready.set()

    def _note_broken(self, name: str, version: object, why: str) -> None:
        """Say in the log, once for each state of its settings, that a tenant cannot be used."""
        if self._broken.get(name) != (version, why):
            log.error("Tenant %s cannot be used: %s", name, why)
        self._broken[name] = version, why

    async def _end(self, tenant: _Open) -> None:
        tenant.stop.set()
        if tenant.task is not None:
            await asyncio.wait({tenant.task})

    async def _keep(self) -> None:
        while True:
            try:
                await self._look_after()
            except SequencesError as error:
                log.warning("The tenants cannot be looked after: %s", error)
            except Exception:  # due work must not end for good because of one fault
                log.exception("The tenants could not be looked after")
            await asyncio.sleep(TICK)

    async def _look_after(self) -> None:
        """Close who is idle and has nothing to do soon; open who has."""
        now = self.source.elapsed()
        if self._listed is None or now - self._listed >= LISTED:
            await self._list(now)
        for tenant in [*self._open.values()]:
            is_idle = tenant.may_give_way and not tenant.streams and now - tenant.used >= self.idle
            if is_idle and now >= tenant.look_at and not tenant.is_looked_at:
                tenant.is_looked_at = True
                self._begin(self._rest(tenant))
        due = sorted((at, name) for name, at in self._wake.items() if at <= now and name not in self._open)
        has_room = len(self._open) < self.most or bool(self._giving_way(for_work=True))
        for _, name in due[: AT_ONCE - self._opening] if has_room else ():
            self._wake[name] = now + EVERY
            self._begin(self._work(name))

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _list(self, now: float) -> None:
        """Look for new tenants, for those that are gone, and for other settings of those that are open."""
        names = await asyncio.to_thread(self.source.names)
        for name in names:
            self._wake.setdefault(name, now)
        for name in self._wake.keys() - set(names):
            del self._wake[name]
            self._numbers.pop(name, None)
            self._broken.pop(name, None)
        for tenant in [*self._open.values()]:
            if tenant.may_give_way and tenant.version != self.source.version(tenant.name):
                if tenant.name in self._wake:
                    self._wake[tenant.name] = now
                self._begin(self._end(tenant))
        await asyncio.to_thread(self.source.give_back)
        self._listed = now

    async def _work(self, name: str) -> None:
        """Open a tenant for its due work, where this process does it."""
        self._opening += 1
        try:
            if await asyncio.to_thread(self.source.works, name):
                async with self._locks.setdefault(name, asyncio.Lock()):
                    await self._opened(name, for_work=True)
        except TenantUnavailableError as error:
            if error.__cause__ is None:  # there was no room
                self._wake[name] = self.source.elapsed() + TICK
        except SequencesError as error:
            version = self.source.version(name)
            self._note_broken(name, version, str(error))
        finally:
            self._opening -= 1

    async def _rest(self, tenant: _Open) -> None:
        """Close an idle tenant, unless something is due there soon; know when it has to be opened again."""
        try:
            due = await asyncio.to_thread(self.source.next_due, tenant.name, tenant.since)
        except SequencesError as error:
            log.warning("Nobody knows what is due of tenant %s: %s", tenant.name, error)
            due = None
        finally:
            tenant.is_looked_at = False
        now = self.source.elapsed()
        is_idle = tenant.may_give_way and not tenant.streams and now - tenant.used >= self.idle
        wait = EVERY if due is None else (due - self.source.clock()).total_seconds()
        if wait < RESTS:
            tenant.look_at = now + max(wait, LOOKS)
        elif is_idle:
            self._wake[tenant.name] = now + min(wait, EVERY)
            await self._end(tenant)
