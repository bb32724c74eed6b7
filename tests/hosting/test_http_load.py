"""The server over HTTP under a little load; ``benchmarks.http_load`` measures it in full."""

from __future__ import annotations

import sys

import pytest
from benchmarks import http_load

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory and processor time are read from /proc")
TRIES = 4
SLACK = 1.25  # a neighbour on the same two cores can slow one side alone; the full benchmark allows nothing


@pytest.mark.alone
def test_a_call_over_http_takes_hardly_longer_than_a_bare_servers() -> None:
    for _ in range(TRIES):
        broken = [found for found in http_load.latency(3, 20) if found.value > found.most * SLACK]
        if not broken:
            break
    assert not broken


def test_users_of_several_tenants_at_once_see_no_error() -> None:
    wrong, *_ = http_load.users(20, tenants=3, seconds=2, pause=0.5)
    assert wrong.value == 0, wrong
