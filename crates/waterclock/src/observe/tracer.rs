//! [`TracingObserver`]: calls as spans and events of the `tracing` crate.

use super::{
    CallEnded, CallId, CallStarted, HopEnded, HopStarted, Observer, RedactedTarget, SpanEnded,
    SpanStarted,
};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tracing::field::{Empty, display};
use tracing::{Span, debug, info_span, trace};
use url::Url;
use waterclock_proto::limit::Limit;
use waterclock_proto::message::{Method, Version};

/// Gives calls to the `tracing` crate: a span for each call and each of its hops, with
/// OpenTelemetry's names for HTTP clients as fields, and an event for each wait.
///
/// The hop is what OpenTelemetry calls a client span. Its parent is the span of the call, whose
/// parent is the span that is current where the request is sent. `docs/observability.md` has the
/// table of fields. Everything goes to the target `waterclock`: spans at the level INFO, the end of
/// a wait at DEBUG, its beginning at TRACE.
///
/// ```
/// use std::sync::Arc;
/// use waterclock::Session;
/// use waterclock::observe::TracingObserver;
///
/// let observer = TracingObserver::new().redact("token"); // ?token=... is not shown
/// let session = Session::builder().observer(Arc::new(observer)).build()?;
/// # Ok::<(), waterclock::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct TracingObserver {
    open: Mutex<HashMap<CallId, Open>>,
    redacted: Vec<Box<str>>,
}

/// The spans of a call that is running.
#[derive(Debug)]
struct Open {
    call: Span,
    hop: Span,
}

impl TracingObserver {
    /// One that hides what OpenTelemetry asks to be hidden in `url.full`: userinfo, and the values
    /// of parameters that are the credentials of signed URLs. The fragment is left out, too.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Hides the values of the query parameter `name` as well, which is compared as it is written
    /// in the URL.
    #[must_use]
    pub fn redact(mut self, name: impl Into<String>) -> Self {
        self.redacted.push(name.into().into_boxed_str());
        self
    }

    fn open(&self) -> MutexGuard<'_, HashMap<CallId, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The span that an event of this call belongs to. Cloned, as the subscriber is not to be
    /// called with our lock held.
    fn innermost(&self, call: CallId) -> Span {
        self.open().get(&call).map_or_else(Span::none, |open| match open.hop.is_none() {
            true => open.call.clone(),
            false => open.hop.clone(),
        })
    }

    fn hop_span(&self, parent: &Span, hop: &HopStarted<'_>) -> Span {
        let url = &hop.request.url;
        let (method, original) = known_method(&hop.request.method);
        let url_full = RedactedTarget { also: &self.redacted, ..RedactedTarget::whole(url) };
        let span = info_span!(
            target: "waterclock",
            parent: parent,
            "http",
            otel.name = if original.is_some() { "HTTP" } else { method },
            otel.kind = "client",
            otel.status_code = Empty,
            http.request.method = method,
            http.request.method_original = original,
            http.request.resend_count = (hop.hop > 0).then_some(hop.hop),
            http.response.status_code = Empty,
            url.full = display(url_full),
            server.address = &*server_address(url),
            server.port = url.port_or_known_default(),
            network.protocol.version = Empty,
            network.peer.address = Empty,
            network.peer.port = Empty,
            "error.type" = Empty,
            waterclock.hop.reason = hop.reason.name(),
        );
        span
    }
}

impl Observer for TracingObserver {
    fn call_started(&self, call: &CallStarted<'_>) {
        let span = info_span!(
            target: "waterclock",
            "call",
            otel.kind = "internal",
            otel.status_code = Empty,
            "error.type" = Empty,
            waterclock.call = call.call.get(),
            waterclock.hops = Empty,
        );
        self.open().insert(call.call, Open { call: span, hop: Span::none() });
    }

    fn hop_started(&self, hop: &HopStarted<'_>) {
        let parent = self.open().get(&hop.call).map(|open| open.call.clone());
        let Some(parent) = parent else { return };
        let span = self.hop_span(&parent, hop);
        let before =
            self.open().get_mut(&hop.call).map(|open| std::mem::replace(&mut open.hop, span));
        drop(before);
    }

    fn span_started(&self, wait: &SpanStarted<'_>) {
        trace!(
            target: "waterclock",
            parent: &self.innermost(wait.call),
            {
                waterclock.phase = wait.phase.name(),
                waterclock.limit = wait.limit.map(Limit::name),
                waterclock.limit.left = wait.left.map(|left| left.as_secs_f64()),
            },
            "waiting"
        );
    }

    fn span_ended(&self, ended: &SpanEnded<'_>) {
        let span = ended.span;
        if !span.phase.is_wait() {
            return;
        }
        debug!(
            target: "waterclock",
            parent: &self.innermost(ended.call),
            {
                waterclock.phase = span.phase.name(),
                waterclock.limit = span.limit.map(Limit::name),
                waterclock.limit.left = span.left_before().map(|left| left.as_secs_f64()),
                waterclock.duration = span.duration().as_secs_f64(),
                waterclock.end = span.end.name(),
            },
            "waited"
        );
    }

    fn hop_ended(&self, hop: &HopEnded<'_>) {
        let span = self
            .open()
            .get_mut(&hop.call)
            .map(|open| std::mem::replace(&mut open.hop, Span::none()));
        let Some(span) = span else { return };
        if let Some(status) = hop.record.status {
            span.record("http.response.status_code", status);
        }
        if let Some(version) = hop.version {
            span.record("network.protocol.version", version_number(version));
        }
        if let Some(peer) = hop.record.connection.and_then(|connection| connection.peer) {
            span.record("network.peer.address", display(peer.ip()));
            span.record("network.peer.port", peer.port());
        }
        // A client takes a status of 400 and above for an error.
        let refused = hop.record.status.filter(|status| *status >= 400);
        match (hop.error, refused) {
            (Some(kind), _) => fail(&span, kind.name()),
            (None, Some(status)) => fail(&span, &status.to_string()),
            (None, None) => {}
        }
    }

    fn call_ended(&self, call: &CallEnded<'_>) {
        let open = self.open().remove(&call.call);
        let Some(Open { call: span, .. }) = open else { return };
        span.record("waterclock.hops", call.timeline.hops().len());
        if let Some(kind) = call.outcome.error() {
            fail(&span, kind.name());
        }
    }
}

fn fail(span: &Span, error: &str) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", error);
}

/// The method, and what it was if it is none of the usual ones: the number of values is kept small.
fn known_method(method: &Method) -> (&str, Option<&str>) {
    match method {
        Method::Other(token) => ("_OTHER", Some(token.as_str())),
        known => (known.as_str(), None),
    }
}

/// The host without brackets, or the path of a Unix socket.
fn server_address(url: &Url) -> Cow<'_, str> {
    match url.scheme() {
        "http+unix" => {
            let host = url.host_str().unwrap_or_default();
            percent_encoding::percent_decode_str(host).decode_utf8_lossy()
        }
        _ => crate::target::host(url),
    }
}

fn version_number(version: Version) -> &'static str {
    match version {
        Version::Http10 => "1.0",
        Version::Http11 => "1.1",
    }
}
