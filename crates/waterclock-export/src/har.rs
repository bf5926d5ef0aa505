//! HAR 1.2 (<http://www.softwareishard.com/blog/har-12-spec/>): an entry for each hop.
//!
//! Members of our own begin with `_`, as the specification asks. Times are milliseconds.

mod parts;
pub(crate) mod program;
mod timings;
mod waits;

use crate::number::{Ms, document};
use crate::phases::{HopView, began, date, hops};
use parts::{Content, Pair, cookies, pairs, query, set_cookies};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use std::time::Duration;
use timings::Timings;
use waits::WaitPart;
use waterclock::run::{ErrorRecord, ResponseRecord, Run, Secrets, rfc3339};
use waterclock_proto::limit::{Limit, Limits};
use waterclock_proto::screen;
use waterclock_proto::timeline::HopReason;

/// The run as an HTTP archive: an entry for each hop, of which a failed one has the status 0.
///
/// What the specification has no place for is in `_limits` and `_verdict` of the log, and in `_waits`,
/// `_reason`, `_sent` and `_error` of the entries. The run knows the caller's own request header fields,
/// which stand in the first entry, and the last response's, which stand in the last one. A hop's time
/// is all that it took, so the entries add up to the call; a pause before a retry is between entries.
///
/// With [`Secrets::Redacted`] the values of header fields with credentials are `[redacted]`, and cookies
/// are not listed.
#[must_use]
pub fn har(run: &Run, secrets: Secrets) -> String {
    let timeline = run.timeline.as_ref();
    let entries = entries(run, secrets);
    document(&Har {
        log: Log {
            version: "1.2",
            creator: Creator { name: crate::NAME, version: crate::VERSION },
            entries,
            limits: timeline.map(|timeline| LimitsPart(*timeline.limits())),
            verdict: timeline.map(screen::verdict).unwrap_or_default(),
        },
    })
}

fn entries(run: &Run, secrets: Secrets) -> Vec<Entry<'_>> {
    let views = run.timeline.as_ref().map(hops).unwrap_or_default();
    let mut entries: Vec<Entry<'_>> = views.iter().map(|hop| entry(run, *hop, secrets)).collect();
    if entries.is_empty() {
        entries.push(never_begun(run, secrets));
    }
    entries
}

#[derive(Serialize)]
struct Har<T> {
    log: T,
}

#[derive(Serialize)]
struct Log<'a> {
    version: &'static str,
    creator: Creator,
    entries: Vec<Entry<'a>>,
    #[serde(rename = "_limits", skip_serializing_if = "Option::is_none")]
    limits: Option<LimitsPart>,
    #[serde(rename = "_verdict")]
    verdict: Vec<String>,
}

#[derive(Serialize)]
struct Creator {
    name: &'static str,
    version: &'static str,
}

/// The configured limits; `null` for those that are not set.
struct LimitsPart(Limits);

impl Serialize for LimitsPart {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(Limit::COUNT))?;
        for limit in Limit::ALL {
            map.serialize_entry(limit.name(), &self.0.get(limit).map(Ms))?;
        }
        map.end()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pageref: Option<String>,
    started_date_time: String,
    time: Ms,
    request: Request,
    response: Response<'a>,
    cache: Cache,
    timings: Timings,
    #[serde(rename = "serverIPAddress", skip_serializing_if = "Option::is_none")]
    server_ip_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<String>,
    /// Why it was made.
    #[serde(rename = "_reason")]
    reason: &'static str,
    #[serde(rename = "_waits")]
    waits: Vec<WaitPart>,
    #[serde(rename = "_error", skip_serializing_if = "Option::is_none")]
    error: Option<ErrorPart<'a>>,
}

/// What a cache did: there is none.
#[derive(Serialize)]
struct Cache {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    method: String,
    url: String,
    http_version: &'static str,
    cookies: Vec<Pair>,
    headers: Vec<Pair>,
    query_string: Vec<Pair>,
    headers_size: i64,
    body_size: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    status: u16,
    status_text: &'a str,
    http_version: &'a str,
    cookies: Vec<Pair>,
    headers: Vec<Pair>,
    content: Content,
    #[serde(rename = "redirectURL")]
    redirect_url: String,
    headers_size: i64,
    body_size: i64,
}

#[derive(Serialize)]
struct ErrorPart<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    configured: Option<Ms>,
    #[serde(skip_serializing_if = "Option::is_none")]
    late_by: Option<Ms>,
}

const UNKNOWN: i64 = -1;

fn entry<'a>(run: &'a Run, hop: HopView<'_>, secrets: Secrets) -> Entry<'a> {
    let peer = hop.hop.connection.and_then(|connection| connection.peer);
    let fields = match hop.index {
        0 => secrets.fields(&run.request.headers),
        _ => Vec::new(),
    };
    let line = &hop.hop.request;
    Entry {
        pageref: None,
        started_date_time: rfc3339(date(run, hop.started())),
        time: Ms(hop.exchange_ended().since(hop.started())),
        request: request(line.method.to_string(), line.url.to_string(), fields, secrets),
        response: response(run, hop, secrets),
        cache: Cache {},
        timings: timings::of(hop),
        server_ip_address: peer.map(|peer| peer.ip().to_string()),
        connection: hop.hop.connection.map(|connection| connection.number.to_string()),
        reason: hop.hop.reason.name(),
        waits: waits::of(hop),
        error: error(run, hop),
    }
}

fn request(
    method: String,
    url: String,
    fields: Vec<(String, String)>,
    secrets: Secrets,
) -> Request {
    Request {
        query_string: query(&url),
        method,
        url,
        http_version: "HTTP/1.1",
        cookies: cookies(&fields, secrets),
        headers: pairs(fields),
        headers_size: UNKNOWN,
        body_size: UNKNOWN,
    }
}

/// Only the last response is known in full.
fn response<'a>(run: &'a Run, hop: HopView<'_>, secrets: Secrets) -> Response<'a> {
    let record = run.response.as_ref().filter(|_| hop.is_last() && hop.hop.status.is_some());
    let mut response = match record {
        Some(record) => recorded(record, secrets),
        None => no_response(hop.hop.status.unwrap_or(0)),
    };
    let next = hop.timeline.hops().get(hop.index + 1);
    if let Some(next) = next.filter(|next| next.reason == HopReason::Redirect) {
        response.redirect_url = next.request.url.to_string();
    }
    response
}

fn recorded(record: &ResponseRecord, secrets: Secrets) -> Response<'_> {
    let fields = secrets.fields(&record.headers);
    let redirects = (300..400).contains(&record.status);
    let location = record.headers.get_str("Location").filter(|_| redirects);
    Response {
        status: record.status,
        status_text: &record.reason,
        http_version: &record.http_version,
        cookies: set_cookies(&fields, secrets),
        content: Content::of(record),
        redirect_url: location.unwrap_or_default().to_owned(),
        headers: pairs(fields),
        headers_size: UNKNOWN,
        body_size: i64::try_from(record.body_received).unwrap_or(UNKNOWN),
    }
}

const fn no_response(status: u16) -> Response<'static> {
    Response {
        status,
        status_text: "",
        http_version: "",
        cookies: Vec::new(),
        headers: Vec::new(),
        content: Content::UNKNOWN,
        redirect_url: String::new(),
        headers_size: UNKNOWN,
        body_size: UNKNOWN,
    }
}

fn error<'a>(run: &'a Run, hop: HopView<'_>) -> Option<ErrorPart<'a>> {
    if hop.is_last() {
        return run.error.as_ref().map(ErrorPart::of);
    }
    let message = hop.failure()?;
    let expired = hop.expired();
    Some(ErrorPart {
        kind: expired.map(|_| "timeout"),
        message,
        limit: expired.map(|(_, limit)| limit.name()),
        phase: expired.map(|(phase, _)| phase.name()),
        configured: None,
        late_by: None,
    })
}

impl<'a> ErrorPart<'a> {
    fn of(record: &'a ErrorRecord) -> Self {
        ErrorPart {
            kind: Some(&record.kind),
            message: record.message.clone(),
            limit: record.limit,
            phase: record.phase,
            configured: record.configured.map(Ms),
            late_by: record.late_by.map(Ms),
        }
    }
}

/// The call failed before there was anything to record.
fn never_begun(run: &Run, secrets: Secrets) -> Entry<'_> {
    let fields = secrets.fields(&run.request.headers);
    let (method, url) = (run.request.method.clone(), run.request.url.clone());
    Entry {
        pageref: None,
        started_date_time: rfc3339(began(run)),
        time: Ms(Duration::ZERO),
        request: request(method, url, fields, secrets),
        response: no_response(0),
        cache: Cache {},
        timings: Timings::default(),
        server_ip_address: None,
        connection: None,
        reason: HopReason::First.name(),
        waits: Vec::new(),
        error: run.error.as_ref().map(ErrorPart::of),
    }
}
