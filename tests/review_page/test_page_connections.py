"""Whoever can connect to the page cannot use up what the rest of the process needs, nor keep a person out."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import weakref
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager, suppress
from contextvars import ContextVar
from http.client import HTTPConnection, HTTPException
from typing import Any, cast

import pytest
from tests.world.engine import until
from tests.world.page import PageWorld, Visitor

from sequences_mcp.domain.actors import Actor
from sequences_mcp.http_connection import ConnectionLimits
from sequences_mcp.review.page.serving import server_for

QUICK = ConnectionLimits(most=8, head=0.4, body=0.4, answer=0.4, life=300)
PATIENT = ConnectionLimits(most=8, head=600, body=600, answer=600, life=600)
HEAD = "GET / HTTP/1.1\r\nHost: {authority}\r\n"


@contextmanager
def sockets(visitor: Visitor, number: int, say: str = "") -> Iterator[list[socket.socket]]:
    """Connect so many times and say the same on each; whoever is dropped at once is not waited for."""
    made = []
    try:
        for _ in range(number):
            one = socket.create_connection(("127.0.0.1", visitor.page_lock.port), timeout=60)
            made.append(one)
            try:
                one.sendall(say.format(authority=visitor.page_lock.authority).encode())
            except OSError:
                continue
        yield made
    finally:
        for one in made:
            one.close()


def ended(one: socket.socket) -> bool:
    """Wait until the page ends a connection; False when it goes on for the whole of its time-out."""
    try:
        while one.recv(65_536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def taken(made: list[socket.socket]) -> int:
    """Return how many connections the page keeps: those that say nothing within a moment."""
    kept = 0
    for one in made:
        one.settimeout(0.05)
        kept += not ended(one)
    return kept


@pytest.mark.parametrize("say", ["", HEAD, "POST /unlock HTTP/1.1\r\nHost: {authority}\r\n"])
def test_idle_connections_are_kept_in_a_fixed_number_and_a_person_still_gets_in(
    world: PageWorld, say: str
) -> None:
    with world.page(PATIENT) as visitor, sockets(visitor, 100, say) as made:
        assert visitor.get("/unlock").status == 200
        assert visitor.unlock().status == 200
        assert taken(made) <= PATIENT.most


def test_a_connection_that_never_asks_is_ended(world: PageWorld) -> None:
    with world.page(QUICK) as visitor, sockets(visitor, 1) as made:
        assert ended(made[0])


def test_headers_that_come_a_byte_at_a_time_do_not_hold_a_connection(world: PageWorld) -> None:
    with world.page(QUICK) as visitor, sockets(visitor, 1, HEAD) as made:
        assert drips_until_ended(made[0], b"x")


def test_a_body_that_comes_a_byte_at_a_time_does_not_hold_a_connection(world: PageWorld) -> None:
    head = (
        "POST /unlock HTTP/1.1\r\nHost: {authority}\r\nOrigin: http://{authority}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 400000\r\n\r\n"
    )
    with world.page(QUICK) as visitor, sockets(visitor, 1, head) as made:
        assert drips_until_ended(made[0], b"a")


def test_a_body_nobody_asked_for_does_not_hold_a_connection(world: PageWorld) -> None:
    head = "POST /unlock HTTP/1.1\r\nHost: {authority}\r\nTransfer-Encoding: chunked\r\n\r\n"
    with world.page(QUICK) as visitor, sockets(visitor, 1, head) as made:
        assert drips_until_ended(made[0], b"1\r\na\r\n")


def drips_until_ended(one: socket.socket, drop: bytes) -> bool:
    """Send a little again and again, far apart enough that a deadline for silence would never end it."""
    pause = threading.Event()
    for _ in range(400):
        try:
            one.sendall(drop)
        except OSError:
            return True
        pause.wait(0.05)
    return False


def test_an_answer_that_nobody_reads_does_not_hold_a_connection(world: PageWorld) -> None:
    with world.page(QUICK) as visitor:
        ask = HEAD.replace("GET /", "GET /static/page.css") + "\r\n"
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            deaf.settimeout(20)
            deaf.connect(("127.0.0.1", visitor.page_lock.port))
            request = ask.format(authority=visitor.page_lock.authority).encode()
            with suppress(OSError):
                deaf.settimeout(1)
                deaf.sendall(request * 4_000)  # 40 MB of answers, more than any buffer between holds
            assert drips_until_ended(deaf, b"x")
        assert visitor.get("/unlock").status == 200


def test_big_headers_are_refused(world: PageWorld) -> None:
    with world.page() as visitor:
        connection = HTTPConnection("127.0.0.1", visitor.page_lock.port, timeout=60)
        connection.putrequest("GET", "/unlock", skip_host=True)
        connection.putheader("Host", visitor.page_lock.authority)
        for number in range(60):
            connection.putheader(f"X-{number}", "x" * 1_000)
        try:
            connection.endheaders()
            status = connection.getresponse().status
        except OSError:  # the answer is lost where the page closes while it is still being written to
            status = 431
        finally:
            connection.close()
        assert status in (400, 431)
        assert visitor.get("/unlock").status == 200


def test_an_old_connection_takes_no_other_request(world: PageWorld) -> None:
    with world.page(ConnectionLimits(life=0)) as visitor, sockets(visitor, 1, HEAD + "\r\n") as made:
        assert ended(made[0])


def test_a_flood_of_connections_and_wrong_passphrases_keeps_no_mail_from_leaving(world: PageWorld) -> None:
    plan = world.plan(people=5)
    world.at_desk(lambda app: app.plans.approve_plan(plan.id, digest=plan.digest, actor=Actor("test")))
    over = threading.Event()

    def floods(visitor: Visitor) -> None:
        while not over.is_set():
            with suppress(OSError, HTTPException):
                Visitor(visitor.page_lock).unlock("wrong horse battery", script=False)

    with world.page(PATIENT, pauses=[]) as visitor, sockets(visitor, 100, HEAD):
        threads = [threading.Thread(target=floods, args=(visitor,)) for _ in range(4)]
        for one in threads:
            one.start()
        try:
            assert len(world.mails_after_work()) == 5
        finally:
            over.set()
            for one in threads:
                one.join(60)
        assert Visitor(visitor.page_lock).unlock().status == 200


class Held:
    """Something that a request has, of any size."""


WHO: ContextVar[Held | None] = ContextVar("who", default=None)


@contextmanager
def serving(app: Callable[[Any, Any, Any], Awaitable[None]]) -> Iterator[int]:
    """Serve something with these connections; yields the port."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        server = server_for(cast(Any, app), limits=PATIENT)
        server.config.lifespan = "off"
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(60)


@pytest.mark.parametrize("size", [0, 300_000], ids=["none", "so large that reading pauses"])
def test_between_two_requests_a_connection_keeps_nothing_of_the_last(size: int) -> None:
    seen: list[weakref.ref[Held]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["held"] = held = Held()
        WHO.set(held)
        seen.append(weakref.ref(held))
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    def is_gone() -> bool:
        gc.collect()
        return seen[-1]() is None

    with serving(app) as port, closing(HTTPConnection("127.0.0.1", port, timeout=60)) as client:
        for number in (1, 2, 3):
            client.request("POST", "/", b"x" * size)
            assert client.getresponse().read() == b"ok"
            until(is_gone)
            assert len(seen) == number


@pytest.mark.parametrize("size", [2, 300_000], ids=["small", "so large that reading pauses"])
def test_a_request_does_not_see_whom_the_one_before_it_was_made_for(size: int) -> None:
    before: list[Held | None] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        before.append(WHO.get())
        WHO.set(Held())
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    one = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode() + b"x" * size
    with serving(app) as port, closing(socket.create_connection(("127.0.0.1", port), timeout=60)) as client:
        for _ in range(2):  # two at once, and two more when they are answered
            client.sendall(one * 2)
            answered = b""
            while answered.count(b"\r\n\r\nok") < 2:
                answered += client.recv(65_536)
    assert before == [None] * 4


@pytest.mark.parametrize("length", [b"2", None], ids=["of known length", "a stream"])
def test_the_head_of_an_answer_goes_with_its_body_where_that_is_sure_to_follow(length: bytes | None) -> None:
    begun, may_go_on = threading.Event(), threading.Event()
    headers = [(b"content-length", length)] if length else []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        begun.set()
        await asyncio.to_thread(may_go_on.wait, 60)
        await send({"type": "http.response.body", "body": b"ok"})

    with serving(app) as port, closing(socket.create_connection(("127.0.0.1", port), timeout=60)) as client:
        try:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert begun.wait(60)
            if length:
                client.setblocking(False)
                with pytest.raises(BlockingIOError):
                    client.recv(65_536)
            else:
                assert client.recv(65_536).endswith(b"\r\n\r\n")
        finally:
            may_go_on.set()
            client.settimeout(60)
        answer = client.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n") and answer.endswith(b"\r\n\r\nok") if length else answer


def test_an_answer_without_a_body_is_whole() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        length = b"2" if scope["method"] == "HEAD" else b"0"
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
        await send({"type": "http.response.body", "body": b"ok" if scope["method"] == "HEAD" else b""})

    with serving(app) as port, closing(HTTPConnection("127.0.0.1", port, timeout=60)) as client:
        for method, length in (("HEAD", "2"), ("GET", "0"), ("HEAD", "2"), ("POST", "0")):
            client.request(method, "/")
            answer = client.getresponse()
            assert (answer.status, answer.headers["content-length"], answer.read()) == (200, length, b"")


def test_an_answer_that_fails_after_its_head_is_no_answer() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        raise ValueError("in the middle of an answer")

    with serving(app) as port, closing(socket.create_connection(("127.0.0.1", port), timeout=60)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(65_536) == b""
