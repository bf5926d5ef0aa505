"""OpenTelemetry's instrumentation wraps Session.send."""

from __future__ import annotations

import pytest
import requests
from loopback import answer
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode


@pytest.fixture
def spans():
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    RequestsInstrumentor().instrument(
        tracer_provider=provider,
        request_hook=lambda span, request: span.set_attribute("hook.method", request.method),
        response_hook=lambda span, request, response: span.set_attribute(
            "hook.size", len(response.content)
        ),
    )
    yield exporter.get_finished_spans
    RequestsInstrumentor().uninstrument()


def test_a_call_is_a_span_and_carries_its_context(serve, spans):
    server = serve(answer("hello", 404))
    requests.get(server.url + "/x", timeout=5)
    (span,) = spans()
    assert span.kind is SpanKind.CLIENT
    assert span.name == "GET"
    assert 404 in (
        span.attributes.get("http.status_code"),
        span.attributes.get("http.response.status_code"),
    )
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes["hook.method"], span.attributes["hook.size"]) == ("GET", 5)
    traceparent = server.requests[0].header("traceparent")
    assert traceparent is not None
    assert f"{span.context.trace_id:032x}-{span.context.span_id:016x}" in traceparent


def test_sessions_and_prepared_requests_too(serve, spans):
    server = serve(answer("hello"))
    with requests.Session() as session:
        session.post(server.url, json={})
        session.send(session.prepare_request(requests.Request("PUT", server.url)))
    assert [span.name for span in spans()] == ["POST", "PUT"]
    assert server.connections == 1


def test_errors_are_recorded(spans, black_hole):
    with pytest.raises(requests.exceptions.ConnectTimeout):
        requests.get(black_hole.url, timeout=0.1)
    (span,) = spans()
    assert span.status.status_code is StatusCode.ERROR
    assert "ConnectTimeout" in str(span.attributes) + str([e.attributes for e in span.events])


def test_suppressed_and_taken_away(serve, spans):
    server = serve(answer("hello"))
    with suppress_instrumentation():
        requests.get(server.url)
    assert spans() == ()
    RequestsInstrumentor().uninstrument()
    requests.get(server.url)
    assert spans() == ()
    assert [r.header("traceparent") for r in server.requests] == [None, None]
