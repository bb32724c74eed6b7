"""What is written down about requests: a line of JSON for each, and numbers in the text format of Prometheus.

Neither has bodies, tokens, query strings or names of people; a user is the subject of their token.
https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sequences_mcp.domain.records import WorkMetrics
    from sequences_mcp.server.http.callers import CallRecord

LONGEST_PATH = 200
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
            "path": self.path[:LONGEST_PATH],
            "client": self.client,
            "bytes": self.sent,
        }
        if self.call is not None:
            call = self.call
            facts |= {
                "user": call.caller.subject,
                "program": call.caller.client,
                "rpc": call.rpc,
                "tool": call.tool,
            }
        return json.dumps({name: value for name, value in facts.items() if value != ""})


@dataclass(slots=True)
class HttpTally:
    """What this process has answered since it began."""

    requests: Counter[str] = field(default_factory=Counter)
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: float = 0.0
    under_way: int = 0

    def add(self, line: RequestLine, *, now: float) -> None:
        """Count one request that is over."""
        self.requests[str(line.status)] += 1
        self.seconds += now - line.begun
        if line.call is not None and line.call.tool:
            self.calls[line.call.tool, "error" if line.call.failed else "ok"] += 1


def metrics_text(counts: HttpTally, work: WorkMetrics | None) -> str:
    """Return the numbers of the process and, where the database could be asked, of the work in it."""
    parts = [
        _metric(
            "http_requests_total",
            "Requests answered by this process, by status.",
            _by("status", counts.requests),
        ),
        _metric("http_seconds_total", "Seconds spent on them.", {(): round(counts.seconds, 3)}),
        _metric(
            "tool_calls_total",
            "Calls of tools over HTTP, by tool and outcome.",
            {(("tool", tool), ("outcome", outcome)): number for (tool, outcome), number in counts.calls.items()},
        ),
        _metric("database_up", "Whether the database could be asked.", {(): int(work is not None)}),
    ]
    if work is not None:
        parts += list(_of_work(work))
    return "".join(parts)


def _of_work(work: WorkMetrics) -> Iterator[str]:
    yield _metric("steps", "Steps of all runs, by state: sent, held, planned and so on.", _by("state", work.steps))
    yield _metric("replies", "Answers that came back by e-mail, by what they are.", _by("kind", work.replies))
    yield _metric("due", "Runs that are due and not done: the queue.", {(): work.due})
    yield _metric("lag_seconds", "How long the longest of them has been due.", {(): round(work.lag, 1)})
    yield _metric("waiting", "Things that wait for a person.", _by("what", work.waiting))
    yield _metric("workers", "Processes that do the due work and showed themselves lately.", {(): work.workers})


def _by(label: str, numbers: Mapping[str, int]) -> dict[Labels, float]:
    return {((label, value),): number for value, number in numbers.items()}


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
