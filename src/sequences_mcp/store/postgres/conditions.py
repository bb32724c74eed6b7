"""What ``doctor`` checks of the server: the settings that durability needs, its clock, limits and replicas.

One statement asks for all of it, and ``judged`` judges it, for ``doctor``. A replica is refused when the database
is opened; what is told here of replicas is what a failover to one of them would lose.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sequences_mcp.store.postgres.connection import FOR_RECORDS, MOST_CONNECTIONS
from sequences_mcp.store.statements import from_micros

APART = timedelta(seconds=2)
"""How far the clocks of a host and of the server may be apart; more is told."""
LAGS = 10.0  # seconds
# https://www.postgresql.org/docs/15/monitoring-stats.html. Of what a user may not see, the server says nothing.
ASKED = b"""
SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint) AS clock,
       current_setting('synchronous_commit') AS durable,
       current_setting('fsync') AS fsync,
       current_setting('full_page_writes') AS full_pages,
       current_setting('default_transaction_read_only') AS read_only,
       CAST(current_setting('max_connections') AS bigint)
         - CAST(current_setting('superuser_reserved_connections') AS bigint) AS most,
       (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS most_of_user,
       (SELECT datconnlimit FROM pg_database WHERE datname = current_database()) AS most_here,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
       server_line() AS line,
       (SELECT count(*) FROM pg_stat_replication) AS replicas,
       (SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')) AS waited_for,
       (SELECT CAST(extract(epoch FROM max(replay_lag)) AS double precision) FROM pg_stat_replication) AS lag
"""


def judged(facts: Any, *, now: datetime, version: str, is_pooled: bool) -> tuple[tuple[bool | None, str], ...]:
    """Return what the server answered, in words, each with whether it is right; None for what is only to be known.

    ``now`` is this host's clock at the moment of the question.
    """
    return (
        (True, f"database server: PostgreSQL {version}{', through a pooler' if is_pooled else ''}"),
        *_durability(facts),
        _clocks(from_micros(facts["clock"]), now),
        _connections(facts, is_pooled=is_pooled),
        *_replicas(facts),
        *_line(facts["line"]),
    )


def _durability(facts: Any) -> Iterator[tuple[bool | None, str]]:
    durable = facts["durable"]
    if durable == "off":
        words = "off; this program turns it on for each of its own transactions"
        yield None, f"database commits: synchronous_commit is {words}"
    else:
        yield True, f"database commits: synchronous_commit is {durable}"
    for name, why in (
        ("fsync", "a power cut may damage the database and lose what was sent"),
        ("full_pages", "a power cut may damage the database"),
    ):
        if facts[name] != "on":
            setting = "full_page_writes" if name == "full_pages" else name
            yield False, f"database commits: {setting} is off, so that {why}; turn it on"
    if facts["read_only"] == "on":
        yield False, "database: default_transaction_read_only is on, so that nothing can be changed; turn it off"


def _clocks(server: datetime, now: datetime) -> tuple[bool, str]:
    apart = now - server
    if abs(apart) <= APART:
        return True, f"clocks: this host's and the database server's are {abs(apart).total_seconds():.1f} s apart"
    way = "ahead of" if apart > timedelta(0) else "behind"
    seconds = f"{abs(apart).total_seconds():.1f}"
    return False, f"clocks: this host's is {seconds} s {way} the database server's; let NTP set both"


def _connections(facts: Any, *, is_pooled: bool) -> tuple[bool, str]:
    others = (facts["most_of_user"], facts["most_here"])
    limits = [facts["most"], *(limit for limit in others if limit is not None and limit >= 0)]
    most, needed = min(limits), MOST_CONNECTIONS + FOR_RECORDS + (0 if is_pooled else 1)
    words = f"connections: the server lets {most:,} in, {facts['used']:,} are used now; a process of this program"
    words = f"{words} takes at most {needed}"
    if most < needed:
        return False, f"{words}: raise max_connections, or the limit of the user or the database"
    return True, words


def _replicas(facts: Any) -> Iterator[tuple[bool | None, str]]:
    if not facts["replicas"]:
        return
    lag = facts["lag"] or 0.0
    waits = facts["waited_for"]
    words = f"replicas: {facts['replicas']:,}, the slowest {lag:.1f} s behind; nothing is ever read from one"
    if not waits:
        words = f"{words}; a failover to one may forget the last commits, which each host's journal then tells"
    yield (False if lag > LAGS else None), words


def _line(line: str) -> Iterator[tuple[bool | None, str]]:
    if line == "":
        words = "failover: this server does not tell its timeline, so that another one in its place is not noticed"
        then = "after a failover or a restore stop all workers, and run `sequences-mcp doctor` on each host first"
        yield None, f"{words}; {then}"
