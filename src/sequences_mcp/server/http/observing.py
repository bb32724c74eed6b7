"""What is written down about requests: a line of JSON for each, and numbers in the text format of Prometheus.

Neither has bodies, tokens, query strings or names of people; a user is the subject of their token.
https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from sequences_mcp.lazy_dataclasses import dataclass, field

if TYPE_CHECKING:
    from sequences_mcp.domain.records import WorkMetrics
    from sequences_mcp.server.http.callers import CallRecord

LONGEST_PATH = 200
OPT_OUT = re.compile(r"(/u/).*")  # what follows names somebody, to whoever has the database's key
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Labels = tuple[tuple[str, str], ...]  # names and values


@dataclass(slots=True)
class RequestLine:
    """One request, as the access log has it; ``begun`` is when on a clock that only goes forward, in seconds."""

    at: datetime
    begun: float
    method: str
    path: str
    client: str = ""
    status: int = 0  # none was sent: the connection ended before
    sent: int = 0
    call: CallRecord | None = None

    def text(self, *, now: float) -> str:
        """Return the line. JSON in ASCII: nothing in it can look like another line or control a terminal."""
        facts: dict[str, object] = {
            "at": self.at.isoformat(timespec="milliseconds"),
            "status": self.status,
            "ms": round(1_000 * (now - self.begun), 1),
            "method": self.method,
            "path": (OPT_OUT.sub(r"\1…", self.path) if "/u/" in self.path else self.path)[:LONGEST_PATH],
            "client": self.client,
            "bytes": self.sent,
        }
        if self.call is not None:
            call = self.call
            facts |= {
                "user": call.caller.subject,
                "program": call.caller.client,
                "tenant": call.tenant,
                "rpc": call.rpc,
                "tool": call.tool,
            }
        return json.dumps({name: value for name, value in facts.items() if value != ""})


@dataclass(slots=True)
class HttpTally:
    """What this process has answered since it began."""

    requests: Counter[Labels] = field(default_factory=Counter)
    calls: Counter[Labels] = field(default_factory=Counter)
    seconds: float = 0.0
    under_way: int = 0

    def add(self, line: RequestLine, *, now: float) -> None:
        """Count one request that is over."""
        of_tenant = _of(line.call.tenant if line.call else "")  # a caller's, not whatever an address may say
        self.requests[(*of_tenant, ("status", str(line.status)))] += 1
        self.seconds += now - line.begun
        if line.call is not None and line.call.tool:
            outcome = "error" if line.call.failed else "ok"
            self.calls[(*of_tenant, ("tool", line.call.tool), ("outcome", outcome))] += 1


def metrics_text(counts: HttpTally, work: Mapping[str, WorkMetrics | None]) -> str:
    """Return the numbers of the process and, by tenant, of the work: None where the database could not be asked.

    The server's one data folder has no name, and its numbers no label for one.
    """
    parts = [
        _metric("http_requests_total", "Requests answered by this process, by status.", counts.requests),
        _metric("http_seconds_total", "Seconds spent on them.", {(): round(counts.seconds, 3)}),
        _metric("tool_calls_total", "Calls of tools over HTTP, by tool and outcome.", counts.calls),
        _metric(
            "database_up",
            "Whether the database could be asked.",
            {_of(tenant): int(numbers is not None) for tenant, numbers in work.items()},
        ),
    ]
    measured = {_of(tenant): numbers for tenant, numbers in work.items() if numbers is not None}
    if measured:
        parts += list(_of_work(measured))
    return "".join(parts)


def _of(tenant: str) -> Labels:
    return (("tenant", tenant),) if tenant else ()


def _of_work(work: Mapping[Labels, WorkMetrics]) -> Iterator[str]:
    def by(label: str, numbers: Callable[[WorkMetrics], Mapping[str, int]]) -> dict[Labels, float]:
        return {
            (*of, (label, value)): number for of, each in work.items() for value, number in numbers(each).items()
        }

    def each(number: Callable[[WorkMetrics], float]) -> dict[Labels, float]:
        return {of: number(numbers) for of, numbers in work.items()}

    about_steps = "Steps of all runs, by state: sent, held, planned and so on."
    yield _metric("steps", about_steps, by("state", lambda of: of.steps))
    yield _metric(
        "replies", "Answers that came back by e-mail, by what they are.", by("kind", lambda of: of.replies)
    )
    yield _metric("due", "Runs that are due and not done: the queue.", each(lambda of: of.due))
    yield _metric("lag_seconds", "How long the longest of them has been due.", each(lambda of: round(of.lag, 1)))
    yield _metric("waiting", "Things that wait for a person.", by("what", lambda of: of.waiting))
    about_workers = "Processes that do the due work and showed themselves lately."
    yield _metric("workers", about_workers, each(lambda of: of.workers))


def _metric(name: str, words: str, values: Mapping[Labels, float]) -> str:
    kind = "counter" if name.endswith("_total") else "gauge"
    lines = [f"# HELP sequences_{name} {words}", f"# TYPE sequences_{name} {kind}"]
    lines += [f"sequences_{name}{_labels(labels)} {value}" for labels, value in sorted(values.items())]
    return "".join(f"{line}\n" for line in lines)


def _labels(labels: Iterable[tuple[str, str]]) -> str:
    written = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)
    return f"{{{written}}}" if written else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
