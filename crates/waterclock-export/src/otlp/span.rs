//! Spans: the call, its hops, and what set their connections up.
//!
//! <https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client>

use super::attributes::Attributes;
use super::ids::Ids;
use crate::phases::{HopView, Stretch, date};
use serde::Serialize;
use std::net::SocketAddr;
use std::time::SystemTime;
use url::Url;
use waterclock::run::{ErrorRecord, Run, Secrets};
use waterclock_proto::screen;
use waterclock_proto::tick::Tick;
use waterclock_proto::timeline::{Attempt, AttemptEnd, Phase, SpanEnd};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Span {
    trace_id: String,
    pub(super) span_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_span_id: Option<String>,
    name: String,
    kind: u8,
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    attributes: Attributes,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    events: Vec<Event>,
    status: Status,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    time_unix_nano: String,
    name: &'static str,
    attributes: Attributes,
}

/// 0, unset, or 2, an error.
#[derive(Default, Serialize)]
struct Status {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl Status {
    fn error(message: impl Into<String>) -> Self {
        Status { code: Some(2), message: Some(message.into()) }
    }
}

const INTERNAL: u8 = 1;
const CLIENT: u8 = 3;

/// What makes spans: the run that they are of, and the identifiers of its trace.
struct Maker<'r> {
    run: &'r Run,
    ids: &'r mut Ids,
}

impl Maker<'_> {
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
}

fn unix_nano(instant: SystemTime) -> String {
    let since = instant.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since.as_nanos().to_string()
}

/// The call, above its hops.
pub(super) fn call(run: &Run, ids: &mut Ids) -> Span {
    let timeline = run.timeline.as_ref();
    let whole = timeline.map_or((Tick::ZERO, Tick::ZERO), |t| (t.started(), t.ended()));
    let mut span = Maker { run, ids }.span(INTERNAL, "waterclock call".to_owned(), whole, None);
    let (kind, status) = outcome(run.error.as_ref());
    span.attributes = Attributes::default()
        .number_if("waterclock.hops", timeline.map(|timeline| timeline.hops().len() as u64))
        .text_if("error.type", kind)
        .text_if("waterclock.limit", run.error.as_ref().and_then(|error| error.limit));
    span.status = status;
    span
}

/// A failure: its `error.type` of low cardinality, and the status. That the caller cancelled is none.
fn outcome(error: Option<&ErrorRecord>) -> (Option<String>, Status) {
    match error.filter(|error| error.kind != "cancelled") {
        Some(error) => (Some(error.kind.to_string()), Status::error(&error.message)),
        None => (None, Status::default()),
    }
}

/// One hop and what belongs to it.
pub(super) fn hop(
    run: &Run,
    hop: HopView<'_>,
    secrets: Secrets,
    parent: Option<&str>,
    ids: &mut Ids,
    spans: &mut Vec<Span>,
) {
    let mut maker = Maker { run, ids };
    let url = &hop.hop.request.url;
    let method = hop.hop.request.method.to_string();
    // What is not a known method could be anything, and names must be few.
    let known = KNOWN.contains(&method.as_str());
    let (failure, status) = hop_outcome(run, hop);
    let peer = hop.hop.connection.and_then(|connection| connection.peer);
    let version = run.response.as_ref().filter(|_| hop.is_last() && hop.hop.status.is_some());
    let limit = match hop.is_last() {
        true => run.error.as_ref().and_then(|error| error.limit),
        false => hop.failure().and(hop.expired()).map(|(_, limit)| limit.name()),
    };
    let whole = (hop.started(), hop.exchange_ended());
    let name = if known { method.clone() } else { "HTTP".to_owned() };
    let mut span = maker.span(CLIENT, name, whole, parent);
    span.attributes = Attributes::default()
        .text("http.request.method", if known { method.clone() } else { "_OTHER".to_owned() })
        .text_if("http.request.method_original", (!known).then_some(method))
        .text_if("server.address", server(url))
        .number_if("server.port", url.port_or_known_default())
        .text("url.full", full(url, secrets))
        .number_if("http.response.status_code", hop.hop.status)
        .number_if("http.request.resend_count", Some(hop.index as u64).filter(|&count| count > 0))
        .text_if("network.peer.address", peer.map(|peer| peer.ip().to_string()))
        .number_if("network.peer.port", peer.map(|peer| peer.port()))
        .text("network.protocol.name", "http")
        .text_if(
            "network.protocol.version",
            version.map(|v| v.http_version.trim_start_matches("HTTP/")),
        )
        .text_if("error.type", failure)
        .text_if("waterclock.limit", limit)
        .text("waterclock.reason", hop.hop.reason.name())
        .flag_if(
            "waterclock.reused",
            hop.hop.connection.map(|connection| connection.idle.is_some()),
        );
    span.status = status;
    span.events = events(run, hop);
    let mine = span.span_id.clone();
    spans.push(span);
    children(&mut maker, hop, &mine, parent, spans);
}

/// RFC 9110, RFC 5789 and QUERY, as the conventions list them.
const KNOWN: [&str; 10] =
    ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE", "QUERY"];

fn hop_outcome(run: &Run, hop: HopView<'_>) -> (Option<String>, Status) {
    let error = run.error.as_ref().filter(|error| hop.is_last() && error.kind != "status");
    if error.is_some() {
        return outcome(error);
    }
    if let Some(failure) = hop.failure() {
        let kind = if hop.expired().is_some() { "timeout" } else { "_OTHER" };
        return (Some(kind.to_owned()), Status::error(failure));
    }
    // To a client, a status of 400 and above is an error; it needs no words.
    match hop.hop.status.filter(|&status| status >= 400) {
        Some(status) => (Some(status.to_string()), Status { code: Some(2), message: None }),
        None => (None, Status::default()),
    }
}

fn server(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(host.trim_start_matches('[').trim_end_matches(']').to_owned())
}

/// Query keys whose values sign a URL, by the conventions.
const SIGNATURES: [&str; 4] = ["AWSAccessKeyId", "Signature", "sig", "X-Goog-Signature"];

/// `url.full`. A timeline's URLs have no userinfo.
fn full(url: &Url, secrets: Secrets) -> String {
    let signs = |pair: &str| {
        let name = pair.split_once('=').map(|(name, _)| name);
        name.filter(|name| SIGNATURES.contains(name)).map(|name| format!("{name}=REDACTED"))
    };
    let mut url = url.clone();
    if let Some(query) = url.query().filter(|_| secrets == Secrets::Redacted) {
        let pairs = query.split('&').map(|pair| signs(pair).unwrap_or_else(|| pair.to_owned()));
        let query = pairs.collect::<Vec<_>>().join("&");
        url.set_query(Some(&query));
    }
    url.to_string()
}

fn events(run: &Run, hop: HopView<'_>) -> Vec<Event> {
    let event = |name, tick: Option<Tick>| {
        tick.map(|tick| Event {
            time_unix_nano: unix_nano(date(run, tick)),
            name,
            attributes: Attributes::default(),
        })
    };
    let mut events: Vec<Event> = [
        event("waterclock.request_sent", hop.hop.sent),
        event("waterclock.response_head", hop.hop.head_ended),
    ]
    .into_iter()
    .flatten()
    .collect();
    if let Some(fired) = hop.timeline.fired().filter(|_| hop.is_last()) {
        let of = hop.timeline.limits().get(fired.limit);
        let nanos =
            |duration: std::time::Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        events.extend(event("waterclock.limit_fired", Some(fired.deadline)).map(|event| {
            Event {
                attributes: Attributes::default()
                    .text("waterclock.limit", fired.limit.name())
                    .text("waterclock.phase", fired.phase.name())
                    .number_if("waterclock.limit.configured_ns", of.map(nanos))
                    .number_if("waterclock.limit.late_ns", Some(nanos(fired.late_by()))),
                ..event
            }
        }));
    }
    events
}

/// What set the connection up, and the pause before another hop.
fn children(
    maker: &mut Maker<'_>,
    hop: HopView<'_>,
    mine: &str,
    parent: Option<&str>,
    spans: &mut Vec<Span>,
) {
    let url = &hop.hop.request.url;
    let host = server(url).unwrap_or_default();
    for stretch in hop.stretches() {
        let (name, above) = match stretch.phase {
            Phase::Pool => {
                let port = url.port_or_known_default().unwrap_or_default();
                (format!("HTTP wait_for_connection {host}:{port}"), Some(mine))
            }
            Phase::Resolve => (format!("DNS lookup {host}"), Some(mine)),
            Phase::Tunnel => ("HTTP proxy tunnel".to_owned(), Some(mine)),
            Phase::Tls => (format!("TLS client handshake {host}"), Some(mine)),
            // Nobody's request: it lies beside them.
            Phase::Backoff => ("wait before retry".to_owned(), parent),
            _ => continue,
        };
        let mut span = maker.span(INTERNAL, name, (stretch.from, stretch.to), above);
        span.attributes = limits(hop, &stretch);
        if ended(hop, &stretch, SpanEnd::Expired) {
            span.status = Status::error("the limit fired");
        }
        spans.push(span);
    }
    let of_hop = |attempt: &&Attempt| usize::from(attempt.hop) == hop.index;
    for attempt in hop.timeline.attempts().iter().filter(of_hop) {
        spans.push(connect(maker, hop, attempt, mine));
    }
}

fn ended(hop: HopView<'_>, stretch: &Stretch, end: SpanEnd) -> bool {
    hop.timeline.spans().get(stretch.spans.1).is_some_and(|span| span.end == end)
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

fn connect(maker: &mut Maker<'_>, hop: HopView<'_>, attempt: &Attempt, mine: &str) -> Span {
    let ended = attempt.ended.unwrap_or(hop.timeline.ended());
    let name = format!("socket connect {}", attempt.peer);
    let mut span = maker.span(INTERNAL, name, (attempt.started, ended), Some(mine));
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
    span
}
