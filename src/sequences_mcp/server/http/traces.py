"""Spans of OpenTelemetry, sent where the operator says; loaded only where there is such a place.

The SDK begins a span for each message of the protocol, and one is made here of each line of the access log. What
goes on is which method, which tool, how long and with what outcome: no argument, text, user, token or word of an
error, and no name that a caller made up. https://opentelemetry.io/docs/specs/semconv/gen-ai/mcp/
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sequences_mcp import __version__
from sequences_mcp.errors import SettingsError
from sequences_mcp.server.catalog import TOOLS, VENDOR_TOOLS

try:
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
    from opentelemetry.trace import SpanKind, Status, StatusCode
except ModuleNotFoundError as error:
    raise SettingsError(
        f"--traces needs OpenTelemetry, which is not installed ({error.name} is missing).",
        next_step="Install it: pip install 'sequences-mcp[otel]'.",
    ) from error

SERVICE = "sequences-mcp"
METHOD = re.compile(
    r"initialize|ping|server/discover|(tools|prompts|resources|skills)/(list|call|get|read|templates/list)"
    r"|completion/complete|subscriptions/listen|notifications/[a-z_/]{1,40}"
)
VERSION = re.compile(r"\d{4}-\d{2}-\d{2}")
ERROR = re.compile(r"-?\d{1,6}|[A-Za-z_][A-Za-z0-9_.]{0,80}")
ROUTE = re.compile(r"/(?:t/[^/]+/)?(mcp|healthz|readyz|u/)")
_METHOD, _TOOL, _PROTOCOL, _ERROR = "mcp.method.name", "gen_ai.tool.name", "mcp.protocol.version", "error.type"
_FORMS = {_METHOD: METHOD, _TOOL: re.compile("|".join((*TOOLS, *VENDOR_TOOLS))), _PROTOCOL: VERSION, _ERROR: ERROR}
_STATUS, _VERB, _ROUTE = "http.response.status_code", "http.request.method", "http.route"


@contextmanager
def tracing(address: str, write: Callable[[str], None]) -> Iterator[Callable[[str], None]]:
    """Send spans to an address for a block of code; yield what writes a line of the access log and makes its span.

    ``address`` is that of OTLP over HTTP, such as ``http://127.0.0.1:4318/v1/traces``. Headers that the collector
    asks for are in ``OTEL_EXPORTER_OTLP_HEADERS``, which OpenTelemetry reads itself. SettingsError for no address.
    """
    if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname:
        raise SettingsError(
            "--traces is the address that spans are sent to, and this is none.",
            next_step="Give it as http://127.0.0.1:4318/v1/traces.",
        )
    provider = TracerProvider(resource=Resource.create({"service.name": SERVICE, "service.version": __version__}))
    provider.add_span_processor(BatchSpanProcessor(BareExporter(OTLPSpanExporter(endpoint=address))))
    trace.set_tracer_provider(provider)
    tracer = provider.get_tracer(SERVICE, __version__)

    def written(line: str) -> None:
        write(line)
        _make_span(tracer, json.loads(line))

    try:
        yield written
    finally:
        provider.shutdown()


class BareExporter(SpanExporter):
    """Sends spans on without anything that a caller wrote."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send these spans, each bare."""
        return self._exporter.export([bare(span) for span in spans])

    def shutdown(self) -> None:
        """End."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what waits."""
        return self._exporter.force_flush(timeout_millis)


def bare(span: ReadableSpan) -> ReadableSpan:
    """Return a span with what is known of it beforehand: names, numbers and the outcome."""
    given = span.attributes or {}
    facts = {name: str(given[name]) for name, form in _FORMS.items() if form.fullmatch(str(given.get(name, "")))}
    numbers = {name: given[name] for name in (_STATUS, _VERB, _ROUTE) if name in given and _METHOD not in given}
    words = [facts[name] for name in (_METHOD, _TOOL) if name in facts]
    words += [str(numbers[name]) for name in (_VERB, _ROUTE) if name in numbers]
    return ReadableSpan(
        " ".join(words) or "other",
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes={**facts, **numbers},
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _make_span(tracer: trace.Tracer, line: dict[str, Any]) -> None:
    """Make the span of a request out of its line of the access log."""
    begun = int(datetime.fromisoformat(line["at"]).timestamp() * 1e9)
    route = ROUTE.match(line["path"])
    verb = line["method"] if line["method"] in ("GET", "POST", "DELETE", "OPTIONS", "HEAD") else "other"
    facts = {_STATUS: line["status"], _VERB: verb, _ROUTE: f"/{route[1]}" if route else "other"}
    span = tracer.start_span("request", kind=SpanKind.SERVER, attributes=facts, start_time=begun)
    if line["status"] >= 500:
        span.set_status(StatusCode.ERROR)
    span.end(begun + int(line["ms"] * 1e6))
