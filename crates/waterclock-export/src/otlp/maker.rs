//! Makes the spans of a run: the call, its hops, and what set their connections up.
//!
//! <https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client>

use super::attributes::Attributes;
use super::ids::Ids;
use super::outcome;
use super::span::{CLIENT, Event, INTERNAL, Span, Status};
use super::url::{full, server};
use crate::phases::{HopView, Stretch, attempts, date};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};
use waterclock::run::{Run, Secrets};
use waterclock_proto::screen;
use waterclock_proto::tick::Tick;
use waterclock_proto::timeline::{Attempt, AttemptEnd, Fired, Phase, SpanEnd};

pub(super) struct Maker<'r> {
    run: &'r Run,
    secrets: Secrets,
    ids: Ids,
    attempts: BTreeMap<u16, Vec<&'r Attempt>>,
    /// The identifier of the call's span, if it has one.
    call: Option<String>,
    spans: Vec<Span>,
}

impl<'r> Maker<'r> {
    pub(super) fn new(run: &'r Run, secrets: Secrets) -> Self {
        let attempts = run.timeline.as_ref().map(attempts).unwrap_or_default();
        Maker { run, secrets, ids: Ids::of(run), attempts, call: None, spans: Vec::new() }
    }

    pub(super) fn spans(self) -> Vec<Span> {
        self.spans
    }

    fn span(
        &mut self,
        kind: u8,
        name: String,
        (from, to): (Tick, Tick),
        parent: Option<&str>,
    ) -> Span {
        Span {
            trace_id: self.ids.trace(),
            span_id: self.ids.span(),
            parent_span_id: parent.map(str::to_owned),
            name,
            kind,
            start_time_unix_nano: unix_nano(date(self.run, from)),
            end_time_unix_nano: unix_nano(date(self.run, to.max(from))),
            attributes: Attributes::default(),
            events: Vec::new(),
            status: Status::default(),
        }
    }

    /// The call, above its hops; before them.
    pub(super) fn call(&mut self) {
        let timeline = self.run.timeline.as_ref();
        let whole = timeline.map_or((Tick::ZERO, Tick::ZERO), |t| (t.started(), t.ended()));
        let error = self.run.error.as_ref();
        let mut span = self.span(INTERNAL, "waterclock call".to_owned(), whole, None);
        let (kind, status) = outcome::call(error);
        span.attributes = Attributes::default()
            .number_if("waterclock.hops", timeline.map(|timeline| timeline.hops().len() as u64))
            .text_if("error.type", kind)
            .text_if("waterclock.limit", error.and_then(|error| error.limit));
        span.status = status;
        self.call = Some(span.span_id.clone());
        self.spans.push(span);
    }

    /// One hop and what belongs to it.
    pub(super) fn hop(&mut self, hop: HopView<'_>) {
        let method = hop.hop.request.method.as_str();
        // What is not a known method could be anything, and names must be few.
        let name = if KNOWN.contains(&method) { method } else { "HTTP" };
        let whole = (hop.started(), hop.exchange_ended());
        let parent = self.call.clone();
        let mut span = self.span(CLIENT, name.to_owned(), whole, parent.as_deref());
        let (failure, status) = outcome::hop(self.run, hop);
        span.attributes = self.attributes(hop, failure);
        span.status = status;
        span.events = events(self.run, hop);
        let mine = span.span_id.clone();
        self.spans.push(span);
        for stretch in hop.stretches() {
            self.stretch(hop, &stretch, &mine);
        }
        let index = u16::try_from(hop.index).unwrap_or(u16::MAX);
        for attempt in self.attempts.remove(&index).unwrap_or_default() {
            self.attempt(hop, attempt, &mine);
        }
    }

    fn attributes(&self, hop: HopView<'_>, failure: Option<String>) -> Attributes {
        let (run, url) = (self.run, &hop.hop.request.url);
        let method = hop.hop.request.method.as_str();
        let known = KNOWN.contains(&method);
        let connection = hop.hop.connection;
        let peer = connection.and_then(|connection| connection.peer);
        // Only the last response is known in full.
        let record = run.response.as_ref().filter(|_| hop.is_last() && hop.hop.status.is_some());
        let version = record.map(|record| record.http_version.trim_start_matches("HTTP/"));
        let limit = match hop.is_last() {
            true => run.error.as_ref().and_then(|error| error.limit),
            false => hop.failure().and(hop.expired()).map(|(_, limit)| limit.name()),
        };
        let again = Some(hop.index as u64).filter(|&count| count > 0);
        Attributes::default()
            .text("http.request.method", if known { method } else { "_OTHER" })
            .text_if("http.request.method_original", (!known).then_some(method))
            .text_if("server.address", server(url))
            .number_if("server.port", url.port_or_known_default())
            .text("url.full", full(url, self.secrets))
            .number_if("http.response.status_code", hop.hop.status)
            .number_if("http.request.resend_count", again)
            .text_if("network.peer.address", peer.map(|peer| peer.ip().to_string()))
            .number_if("network.peer.port", peer.map(|peer| peer.port()))
            .text("network.protocol.name", "http")
            .text_if("network.protocol.version", version)
            .text_if("error.type", failure)
            .text_if("waterclock.limit", limit)
            .text("waterclock.reason", hop.hop.reason.name())
            .flag_if("waterclock.reused", connection.map(|connection| connection.idle.is_some()))
    }

    /// What set the connection up, and the pause before another hop.
    fn stretch(&mut self, hop: HopView<'_>, stretch: &Stretch, mine: &str) {
        let url = &hop.hop.request.url;
        let host = server(url).unwrap_or_default();
        let name = match stretch.phase {
            Phase::Pool => {
                let port = url.port_or_known_default().unwrap_or_default();
                format!("HTTP wait_for_connection {host}:{port}")
            }
            Phase::Resolve => format!("DNS lookup {host}"),
            Phase::Tunnel => "HTTP proxy tunnel".to_owned(),
            Phase::Tls => format!("TLS client handshake {host}"),
            Phase::Backoff => "wait before retry".to_owned(),
            _ => return,
        };
        // A pause is nobody's request: it lies beside them.
        let call = self.call.clone().filter(|_| stretch.phase == Phase::Backoff);
        let parent = call.as_deref().unwrap_or(mine);
        let mut span = self.span(INTERNAL, name, (stretch.from, stretch.to), Some(parent));
        span.attributes = limits(hop, stretch);
        let last = hop.timeline.spans().get(stretch.spans.1);
        if last.is_some_and(|span| span.end == SpanEnd::Expired) {
            span.status = Status::error("the limit fired");
        }
        self.spans.push(span);
    }

    fn attempt(&mut self, hop: HopView<'_>, attempt: &Attempt, mine: &str) {
        let ended = attempt.ended.unwrap_or(hop.timeline.ended());
        let name = format!("socket connect {}", attempt.peer);
        let mut span = self.span(INTERNAL, name, (attempt.started, ended), Some(mine));
        let peer: Option<SocketAddr> = attempt.peer.parse().ok();
        let (failure, status) = match &attempt.end {
            AttemptEnd::Failed(words) => (Some("connect"), Status::error(words.to_string())),
            AttemptEnd::Expired => (Some("timeout"), Status::error("the address limit fired")),
            AttemptEnd::Pending | AttemptEnd::Connected | AttemptEnd::Abandoned => {
                (None, Status::default())
            }
        };
        let abandoned = attempt.end == AttemptEnd::Abandoned;
        span.attributes = Attributes::default()
            .text_if("network.peer.address", peer.map(|peer| peer.ip().to_string()))
            .number_if("network.peer.port", peer.map(|peer| peer.port()))
            .text_if("error.type", failure)
            .flag_if("waterclock.abandoned", abandoned.then_some(true));
        span.status = status;
        self.spans.push(span);
    }
}

/// RFC 9110, RFC 5789 and QUERY, as the conventions list them.
const KNOWN: [&str; 10] =
    ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE", "QUERY"];

fn unix_nano(instant: SystemTime) -> String {
    let since = instant.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since.as_nanos().to_string()
}

/// The limit of which the largest part was used, and how much that was.
fn limits(hop: HopView<'_>, stretch: &Stretch) -> Attributes {
    let (first, last) = stretch.spans;
    let used = (first..=last).filter_map(|index| screen::used(hop.timeline, index));
    let tightest = used.max_by_key(screen::Used::percent);
    Attributes::default()
        .text_if("waterclock.limit", tightest.map(|used| used.limit.name()))
        .number_if("waterclock.limit.percent", tightest.map(|used| used.percent()))
}

fn events(run: &Run, hop: HopView<'_>) -> Vec<Event> {
    let event = |name, tick, attributes| {
        let time_unix_nano = unix_nano(date(run, tick));
        Event { time_unix_nano, name, attributes }
    };
    let plain =
        |name, tick: Option<Tick>| tick.map(|tick| event(name, tick, Attributes::default()));
    let fired = hop.timeline.fired().filter(|_| hop.is_last());
    let of = fired.and_then(|fired| hop.timeline.limits().get(fired.limit));
    let fired =
        fired.map(|fired| event("waterclock.limit_fired", fired.deadline, limit(fired, of)));
    let sent = plain("waterclock.request_sent", hop.hop.sent);
    let head = plain("waterclock.response_head", hop.hop.head_ended);
    [sent, head, fired].into_iter().flatten().collect()
}

fn limit(fired: &Fired, of: Option<Duration>) -> Attributes {
    let nanos = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    Attributes::default()
        .text("waterclock.limit", fired.limit.name())
        .text("waterclock.phase", fired.phase.name())
        .number_if("waterclock.limit.configured_ns", of.map(nanos))
        .number_if("waterclock.limit.late_ns", Some(nanos(fired.late_by())))
}
