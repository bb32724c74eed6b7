"""One address for each data folder: one process listens, the others know where, and somebody takes over."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest
from starlette.applications import Starlette
from tests.world.page import PageWorld

from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.review.page import serving
from sequences_mcp.review.page.serving import ReviewPage
from sequences_mcp.serve import review_page


def test_one_process_listens_and_the_others_know_where(tmp_path: Path) -> None:
    first = serving.take_page_lock(Workspace(tmp_path))
    assert first is not None
    assert serving.take_page_lock(Workspace(tmp_path)) is None
    assert serving.is_held(Workspace(tmp_path))
    assert serving.address(Workspace(tmp_path), "/plans/1") == f"http://{first.authority}/plans/1"
    first.release()
    assert not serving.is_held(Workspace(tmp_path))


def test_nobody_else_can_answer_for_localhost_on_the_port(tmp_path: Path) -> None:
    taken = serving.take_page_lock(Workspace(tmp_path))
    assert taken is not None
    assert {one.getsockname()[0] for one in taken.sockets} <= {"127.0.0.1", "::1"}
    assert {one.getsockname()[1] for one in taken.sockets} == {taken.port}
    taken.release()


def test_the_address_is_kept_for_the_next_time_unless_it_is_taken(tmp_path: Path) -> None:
    first = serving.take_page_lock(Workspace(tmp_path))
    assert first is not None
    first.release()
    again = serving.take_page_lock(Workspace(tmp_path))
    assert again is not None
    assert again.port == first.port
    again.release()
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", first.port))
        squatter.listen()
        other = serving.take_page_lock(Workspace(tmp_path))
        assert other is not None
        assert other.port != first.port
        other.release()


def test_a_damaged_note_of_the_address_is_no_obstacle(tmp_path: Path) -> None:
    for text in ("", "{", "[]", '{"port": "x"}', '{"port": 99999999}'):
        Workspace(tmp_path).page_port.write_text(text)
        assert serving.address(Workspace(tmp_path)) is None
        taken = serving.take_page_lock(Workspace(tmp_path))
        assert taken is not None
        taken.release()


def test_the_page_comes_up_for_its_first_visitor_and_goes_with_its_process(world: PageWorld) -> None:
    page = review_page(world.settings, clock=world.clock)
    page.start()
    assert visited(world) == 401
    page.stop()
    assert not serving.is_held(world.workspace)


def test_a_page_that_nobody_visits_goes_at_once(world: PageWorld) -> None:
    page = review_page(world.settings, clock=world.clock)
    page.start()
    page.stop()
    assert not serving.is_held(world.workspace)


def test_another_process_takes_over_when_the_first_one_goes(world: PageWorld) -> None:
    first, second = (review_page(world.settings, clock=world.clock) for _ in range(2))
    first.start()
    second.start()
    assert (first.is_listening, second.is_listening) == (True, False)
    before = serving.address(world.workspace)
    first.stop()
    assert taken_over(second)
    assert serving.address(world.workspace) == before
    assert visited(world) == 401
    second.stop()


def open_files() -> set[tuple[int, int]]:
    """Return what this process has open: a socket and a file that are closed are not in it."""
    known = set()
    for number in [*Path("/dev/fd").iterdir()]:
        with suppress(OSError):  # the listing's own
            state = os.fstat(int(number.name))
            known.add((state.st_dev, state.st_ino))
    return known


@pytest.mark.skipif(not Path("/dev/fd").is_dir(), reason="nothing tells of a process's open files")
def test_a_page_whose_address_cannot_be_kept_leaves_nothing_open(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.page_port.mkdir()  # so that no file can take its place
    before = open_files()
    with pytest.raises(OSError, match=workspace.page_port.name) as refused:
        serving.take_page_lock(workspace)
    assert open_files() <= before, f"as long as somebody remembers {refused.value}"
    page = ReviewPage(workspace, lambda authority: Starlette())
    page.start()
    assert not page.is_listening
    page.stop()
    assert open_files() <= before


def taken_over(page: ReviewPage) -> bool:
    """Wait until a page listens, at most ten seconds."""
    return page.listening.wait(10)


def visited(world: PageWorld) -> int:
    """Visit the page where the folder says it is."""
    address = serving.address(world.workspace)
    assert address is not None
    host = address.removeprefix("http://").rstrip("/")
    connection = HTTPConnection("127.0.0.1", int(host.rpartition(":")[2]), timeout=60)
    connection.request("GET", "/", headers={"Host": host})
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status
