"""Workers of two hosts, their PostgreSQL server and wires are killed while they send: nobody is mailed twice.

The short form of ``python -m benchmarks.kill_postgres``.
"""

from __future__ import annotations

import os

import pytest
from tests.world.benchmarks import run_benchmark
from tests.world.stores import needs_server

PEOPLE, KILLS = 8, 8


@needs_server
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the benchmark forks")
def test_workers_of_two_hosts_and_their_server_that_are_killed_mail_nobody_twice_and_forget_nobody() -> None:
    options = ["--messages", str(PEOPLE), "--kills", str(KILLS), "--hosts", "2", "--restart-every", "1.5", "3"]
    said = run_benchmark("kill_postgres", *options, "--seed", "5")
    table = dict(
        line.strip().rsplit(maxsplit=1) for line in said.splitlines() if line.rsplit(maxsplit=1)[-1].isdigit()
    )
    assert (table["people"], table["mailed twice"]) == (str(PEOPLE), "0")
    assert (table["recorded sent, not delivered"], table["neither sent nor unknown"]) == ("0", "0")
    assert "file and audit sound             yes" in said
    assert 0 < int(table["kills"]) <= KILLS and int(table["kills of the server"]) > 0
