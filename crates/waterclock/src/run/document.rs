//! The document as a whole.

use super::seconds::Seconds;
use super::span::{AttemptPart, HopPart, SpanPart, at, attempts, hops, spans};
use super::wire::{WirePart, wire};
use super::{ErrorRecord, RequestRecord, ResponseRecord, Run, SCHEMA_VERSION, Secrets};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use std::time::Duration;
use waterclock_proto::limit::{Limit, Limits};
use waterclock_proto::message::Headers;
use waterclock_proto::screen;
use waterclock_proto::timeline::{RequestSent, Timeline};

/// Every limit by name, with `null` for those that are not set.
struct LimitsPart(Limits);

impl Serialize for LimitsPart {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(Limit::COUNT))?;
        for limit in Limit::ALL {
            map.serialize_entry(limit.name(), &self.0.get(limit).map(Seconds))?;
        }
        map.end()
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    outcome: &'static str,
    started_at: String,
    elapsed: Seconds,
    request: RequestPart<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<LimitsPart>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<ResponsePart<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorPart<'a>>,
    /// The limit that ended the call, as the timeline has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fired: Option<FiredPart>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_sent: Option<&'static str>,
    /// Whether the call is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    finished: Option<bool>,
    hops: Vec<HopPart>,
    attempts: Vec<AttemptPart>,
    spans: Vec<SpanPart>,
    waiting: Seconds,
    local: Seconds,
    /// The caller's part of `local`.
    caller: Seconds,
    unaccounted: Seconds,
    verdict: Vec<String>,
    /// The timeline's own sentences, which the verdict has too.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    notes: &'a [Box<str>],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    remarks: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    wire: Option<WirePart>,
}

#[derive(Serialize)]
struct RequestPart<'a> {
    method: &'a str,
    url: &'a str,
    headers: Vec<(String, String)>,
}

#[derive(Serialize)]
struct ResponsePart<'a> {
    status: u16,
    reason: &'a str,
    http_version: &'a str,
    url: &'a str,
    headers: Vec<(String, String)>,
    body_bytes: u64,
    /// On the wire: without framing, before content codings were undone.
    body_received: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    local_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<TlsPart<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reused: Option<bool>,
}

#[derive(Serialize)]
struct TlsPart<'a> {
    version: &'a str,
    cipher: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    alpn: Option<String>,
    resumed: bool,
}

#[derive(Serialize)]
struct ErrorPart<'a> {
    kind: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    configured: Option<Seconds>,
    elapsed: Seconds,
    #[serde(skip_serializing_if = "Option::is_none")]
    late_by: Option<Seconds>,
    request_sent: &'a str,
    retry_safe: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    remarks: &'a [String],
}

#[derive(Serialize)]
struct FiredPart {
    limit: &'static str,
    phase: &'static str,
    deadline: Seconds,
    noticed: Seconds,
}

pub(super) fn render(run: &Run, secrets: Secrets) -> String {
    let timeline = run.timeline.as_ref();
    let sum = |of: fn(&Timeline) -> Duration| Seconds(timeline.map_or(Duration::ZERO, of));
    let document = Document {
        schema_version: SCHEMA_VERSION,
        outcome: if run.error.is_some() { "error" } else { "response" },
        started_at: super::rfc3339(run.started_at),
        elapsed: sum(Timeline::elapsed),
        request: request(&run.request, secrets),
        limits: timeline.map(|timeline| LimitsPart(*timeline.limits())),
        response: run.response.as_ref().map(|record| response(record, timeline, secrets)),
        error: run.error.as_ref().map(|record| error(record, timeline)),
        fired: timeline.and_then(fired),
        request_sent: timeline.map(|timeline| timeline.request_sent().name()),
        finished: timeline.map(Timeline::is_finished),
        hops: timeline.map(hops).unwrap_or_default(),
        attempts: timeline.map(attempts).unwrap_or_default(),
        spans: timeline.map(spans).unwrap_or_default(),
        waiting: sum(Timeline::waiting),
        local: sum(Timeline::local),
        caller: sum(Timeline::caller),
        unaccounted: sum(Timeline::unaccounted),
        verdict: timeline.map(screen::verdict).unwrap_or_default(),
        notes: timeline.map(Timeline::notes).unwrap_or_default(),
        remarks: &run.remarks,
        wire: run.wire.as_ref().map(|record| match secrets {
            Secrets::Redacted => wire(&record.clone().masked()),
            Secrets::Shown => wire(record),
        }),
    };
    // Nothing in it can fail to be written: keys are strings, numbers are finite.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn fired(timeline: &Timeline) -> Option<FiredPart> {
    timeline.fired().map(|fired| FiredPart {
        limit: fired.limit.name(),
        phase: fired.phase.name(),
        deadline: at(timeline, fired.deadline),
        noticed: at(timeline, fired.noticed),
    })
}

fn request(record: &RequestRecord, secrets: Secrets) -> RequestPart<'_> {
    let headers = secrets.fields(&record.headers);
    RequestPart { method: &record.method, url: &record.url, headers }
}

fn response<'a>(
    record: &'a ResponseRecord,
    timeline: Option<&Timeline>,
    secrets: Secrets,
) -> ResponsePart<'a> {
    let info = record.connection.as_ref();
    let hop = timeline.and_then(|timeline| timeline.hops().last());
    ResponsePart {
        status: record.status,
        reason: &record.reason,
        http_version: &record.http_version,
        url: &record.url,
        headers: secrets.fields(&record.headers),
        body_bytes: record.body_bytes,
        body_received: record.body_received,
        body_sha256: record.body_sha256.map(hex),
        remote_address: info.and_then(|info| info.remote_address).map(|at| at.to_string()),
        local_address: info.and_then(|info| info.local_address).map(|at| at.to_string()),
        tls: info.and_then(|info| info.tls.as_ref()).map(|tls| TlsPart {
            version: &tls.version,
            cipher: &tls.cipher,
            alpn: tls.alpn.as_deref().map(text),
            resumed: tls.resumed,
        }),
        reused: hop.and_then(|hop| hop.connection).map(|connection| connection.idle.is_some()),
    }
}

fn error<'a>(record: &'a ErrorRecord, timeline: Option<&Timeline>) -> ErrorPart<'a> {
    let sent = timeline.map_or(RequestSent::No, Timeline::request_sent);
    ErrorPart {
        kind: &record.kind,
        message: &record.message,
        limit: record.limit,
        phase: record.phase,
        configured: record.configured.map(Seconds),
        elapsed: Seconds(timeline.map_or(Duration::ZERO, Timeline::elapsed)),
        late_by: record.late_by.map(Seconds),
        request_sent: sent.name(),
        retry_safe: record.retry_safe,
        status: record.status,
        remarks: &record.remarks,
    }
}

impl Secrets {
    /// Header fields as text, in their order and case: UTF-8, else ISO-8859-1.
    ///
    /// ```
    /// use waterclock::Headers;
    /// use waterclock::run::Secrets;
    ///
    /// let mut headers = Headers::new();
    /// headers.append("Cookie", "id=7")?;
    /// let pair = |value: &str| vec![("Cookie".to_owned(), value.to_owned())];
    /// assert_eq!(Secrets::Redacted.fields(&headers), pair("[redacted]"));
    /// assert_eq!(Secrets::Shown.fields(&headers), pair("id=7"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn fields(self, headers: &Headers) -> Vec<(String, String)> {
        let pair = |(name, value): (&str, &[u8])| {
            let hide = self == Secrets::Redacted && is_secret(name);
            (name.to_owned(), if hide { "[redacted]".to_owned() } else { text(value) })
        };
        headers.iter().map(pair).collect()
    }
}

fn is_secret(name: &str) -> bool {
    ["authorization", "proxy-authorization", "cookie", "set-cookie"]
        .iter()
        .any(|secret| name.eq_ignore_ascii_case(secret))
}

/// Bytes of the wire as text: UTF-8, else ISO-8859-1, in which every byte is a character.
fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

fn hex(sum: [u8; 32]) -> String {
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}
