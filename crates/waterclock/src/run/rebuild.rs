//! From the members of a document back to a call. The form has been read; here meanings are checked.

use super::read::{
    AttemptPart, Document, ErrorPart, FiredPart, HopPart, LongestPart, ReadError, RequestPart,
    ResponsePart, SpanPart, TlsPart, cut,
};
use super::seconds::Seconds;
use super::{ErrorRecord, RequestRecord, ResponseRecord, Run, clock, wire};
use crate::connection::ConnectionInfo;
use crate::tls::TlsInfo;
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use url::Url;
use waterclock_proto::limit::{Limit, Limits};
use waterclock_proto::message::{Headers, Method};
use waterclock_proto::tick::Tick;
use waterclock_proto::timeline::{
    Attempt, AttemptEnd, ConnectionUse, Fired, Fold, Hop, HopReason, InvalidParts, Parts, Phase,
    RequestLine, RequestSent, Span, SpanEnd, Timeline, What,
};

type Read<T> = Result<T, ReadError>;

/// Where a call that is read back begins. No limit expires before that.
const START: Tick = Tick::ZERO;
/// No call takes longer.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);

pub(super) fn run(document: &Document) -> Read<Run> {
    let started_at = clock::parse_rfc3339(&document.started_at).ok_or_else(|| {
        let said = cut(&document.started_at, 40);
        ReadError::member(
            "started_at",
            format!("\"{said}\" is not a date and time (RFC 3339, UTC)"),
        )
    })?;
    let mut run = Run::new(started_at, request(&document.request)?);
    run.remarks.clone_from(&document.remarks);
    run.wire = document.wire.as_ref().map(wire::read).transpose()?;
    run.response = document.response.as_ref().map(|part| response(part, document)).transpose()?;
    run.error = document.error.as_ref().map(error).transpose()?;
    run.timeline = match &document.limits {
        Some(configured) => Some(timeline(document, limits(configured)?)?),
        None => never_began(document)?,
    };
    Ok(run)
}

fn never_began(document: &Document) -> Read<Option<Timeline>> {
    let began = !document.hops.is_empty()
        || !document.spans.is_empty()
        || !document.attempts.is_empty()
        || !document.elapsed.0.is_zero();
    if began {
        return Err(ReadError::member("limits", "they are missing, but the call has begun"));
    }
    Ok(None)
}

/// The value that goes by this name; `what` is said if there is none.
fn named<T>(path: String, what: &str, name: &str, known: impl Fn(&str) -> Option<T>) -> Read<T> {
    known(name).ok_or_else(|| {
        let name = cut(name, 40);
        ReadError::member(
            path,
            format!(
                "there is no {what} \"{name}\"; if a newer waterclock wrote this, use that one"
            ),
        )
    })
}

/// A text in a form of its own: an address, a URL, a method.
fn parsed<T: FromStr>(path: String, what: &str, text: &str) -> Read<T> {
    let said = || format!("\"{}\" is no {what}", cut(text, 60));
    text.parse().map_err(|_| ReadError::member(path, said()))
}

fn instant(path: impl Fn() -> String, seconds: Seconds) -> Read<Tick> {
    if seconds.0 > LONGEST {
        return Err(ReadError::member(path(), "no call takes longer than a hundred years"));
    }
    Ok(START.after(seconds.0))
}

fn headers(path: &str, fields: &[(String, String)]) -> Read<Headers> {
    let mut headers = Headers::new();
    for (index, (name, value)) in fields.iter().enumerate() {
        headers.append(name, value).map_err(|error| {
            ReadError::member(format!("{path}.headers[{index}]"), cut(&error.to_string(), 200))
        })?;
    }
    Ok(headers)
}

fn request(part: &RequestPart) -> Read<RequestRecord> {
    let headers = headers("request", &part.headers)?;
    Ok(RequestRecord { method: part.method.clone(), url: part.url.clone(), headers })
}

fn response(part: &ResponsePart, document: &Document) -> Read<ResponseRecord> {
    if !(100..=999).contains(&part.status) {
        return Err(ReadError::member("response.status", "a status has three digits"));
    }
    let address = |name: &str, text: &Option<String>| {
        let parse = |text| parsed(format!("response.{name}"), "address with a port", text);
        text.as_deref().map(parse).transpose()
    };
    let remote_address = address("remote_address", &part.remote_address)?;
    let local_address = address("local_address", &part.local_address)?;
    let tls = part.tls.as_ref().map(tls);
    let number = document.hops.last().and_then(|hop| hop.connection);
    let known = remote_address.is_some() || local_address.is_some() || tls.is_some();
    let connection = (known || number.is_some()).then(|| ConnectionInfo {
        number: number.unwrap_or_default(),
        remote_address,
        local_address,
        tls,
        proxy: None,
        proxy_tls: None,
    });
    Ok(ResponseRecord {
        status: part.status,
        reason: part.reason.clone(),
        http_version: part.http_version.clone().into(),
        url: part.url.clone(),
        headers: headers("response", &part.headers)?,
        body_bytes: part.body_bytes,
        body_received: part.body_received,
        body_sha256: part.body_sha256.as_deref().map(sha256).transpose()?,
        connection,
    })
}

fn tls(part: &TlsPart) -> TlsInfo {
    TlsInfo {
        version: part.version.clone().into(),
        cipher: part.cipher.clone().into(),
        alpn: part.alpn.clone().map(String::into_bytes),
        resumed: part.resumed,
        certificates: Vec::new(),
    }
}

fn sha256(text: &str) -> Read<[u8; 32]> {
    let wrong = || ReadError::member("response.body_sha256", "it is not 64 hexadecimal digits");
    let mut sum = [0; 32];
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != sum.len() || !rest.is_empty() {
        return Err(wrong());
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    for (byte, [high, low]) in sum.iter_mut().zip(pairs) {
        *byte =
            digit(*high).zip(digit(*low)).map(|(high, low)| high << 4 | low).ok_or_else(wrong)?;
    }
    Ok(sum)
}

fn error(part: &ErrorPart) -> Read<ErrorRecord> {
    let limit = part.limit.as_deref().map(|name| limit("error", name)).transpose()?;
    let phase = part.phase.as_deref().map(|name| phase("error", name)).transpose()?;
    Ok(ErrorRecord {
        kind: part.kind.clone().into(),
        message: part.message.clone(),
        limit: limit.map(Limit::name),
        phase: phase.map(Phase::name),
        configured: part.configured.map(|seconds| seconds.0),
        late_by: part.late_by.map(|seconds| seconds.0),
        retry_safe: part.retry_safe,
        status: part.status,
        remarks: part.remarks.clone(),
    })
}

fn limits(configured: &BTreeMap<String, Option<Seconds>>) -> Read<Limits> {
    let mut limits = Limits::none().with(Limit::Continue, None);
    for (name, value) in configured {
        // A limit that is not known and not set makes no difference.
        if let Some(value) = value {
            let limit = named("limits".to_owned(), "limit", name, Limit::from_name)?;
            limits = limits.with(limit, Some(value.0));
        }
    }
    Ok(limits)
}

fn limit(path: &str, name: &str) -> Read<Limit> {
    named(format!("{path}.limit"), "limit", name, Limit::from_name)
}

fn phase(path: &str, name: &str) -> Read<Phase> {
    named(format!("{path}.phase"), "phase", name, Phase::from_name)
}

fn timeline(document: &Document, limits: Limits) -> Read<Timeline> {
    let mut folds = Vec::new();
    let mut spans = Vec::with_capacity(document.spans.len());
    for (index, part) in document.spans.iter().enumerate() {
        spans.push(span(&format!("spans[{index}]"), part, &mut folds)?);
    }
    let hops = document.hops.iter().enumerate();
    let hops = hops.map(|(index, part)| hop(&format!("hops[{index}]"), part));
    let attempts = document.attempts.iter().enumerate();
    let attempts = attempts.map(|(index, part)| attempt(&format!("attempts[{index}]"), part));
    let hops: Vec<Hop> = hops.collect::<Read<_>>()?;
    let fired = match &document.fired {
        Some(part) => Some(fired(part)?),
        None => fired_of_error(document, &spans)?,
    };
    let parts = Parts {
        started: START,
        finished: document.finished.unwrap_or(true),
        limits,
        request_sent: request_sent(document, &hops)?,
        spans,
        folds,
        hops,
        attempts: attempts.collect::<Read<_>>()?,
        fired,
        notes: document.notes.clone(),
    };
    let timeline = Timeline::from_parts(parts).map_err(|error| invalid(&error))?;
    if timeline.elapsed() != document.elapsed.0 {
        let message = "the spans do not end where the call does";
        return Err(ReadError::member("elapsed", message));
    }
    Ok(timeline)
}

fn invalid(error: &InvalidParts) -> ReadError {
    let path = match (error.span(), error.attempt()) {
        (Some(span), _) => format!("spans[{span}]"),
        (None, Some(attempt)) => format!("attempts[{attempt}]"),
        (None, None) => "spans".to_owned(),
    };
    ReadError::member(path, error.to_string())
}

/// Documents did not always say it of the timeline.
fn request_sent(document: &Document, hops: &[Hop]) -> Read<RequestSent> {
    let said = match (&document.request_sent, &document.error) {
        (Some(sent), _) => Some(("request_sent", sent)),
        (None, Some(error)) => error.request_sent.as_ref().map(|sent| ("error.request_sent", sent)),
        (None, None) => None,
    };
    match said {
        Some((path, name)) => named(path.to_owned(), "answer", name, RequestSent::from_name),
        None if hops.last().is_some_and(|hop| hop.sent.is_some()) => Ok(RequestSent::Yes),
        None => Ok(RequestSent::No),
    }
}

fn fired(part: &FiredPart) -> Read<Fired> {
    Ok(Fired {
        limit: limit("fired", &part.limit)?,
        phase: phase("fired", &part.phase)?,
        deadline: instant(|| "fired.deadline".to_owned(), part.deadline)?,
        noticed: instant(|| "fired.noticed".to_owned(), part.noticed)?,
    })
}

/// Documents did not always have `fired`; then the error and the last wait tell.
fn fired_of_error(document: &Document, spans: &[Span]) -> Read<Option<Fired>> {
    let Some(error) = document.error.as_ref().filter(|error| error.kind == "timeout") else {
        return Ok(None);
    };
    let (Some(name), Some(during)) = (&error.limit, &error.phase) else { return Ok(None) };
    let (limit, phase) = (limit("error", name)?, phase("error", during)?);
    let last = spans.iter().rev().find(|span| span.end == SpanEnd::Expired);
    let noticed = last.or(spans.last()).map_or(START, |span| span.ended);
    let late = error.late_by.map_or(Duration::ZERO, |late| late.0);
    let deadline = before(noticed, late);
    Ok(Some(Fired { limit, phase, deadline, noticed }))
}

fn before(tick: Tick, duration: Duration) -> Tick {
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    Tick::from_nanos(tick.as_nanos().saturating_sub(nanos))
}

/// What spans and the longest waits of folded ones have in common.
struct Wait<'a> {
    path: &'a str,
    hop: u16,
    phase: &'a str,
    started: Seconds,
    ended: Seconds,
    limit: Option<&'a str>,
    left: Option<Seconds>,
    overdue: Option<Seconds>,
    bytes: u64,
    end: &'a str,
}

impl Wait<'_> {
    fn span(&self, what: What) -> Read<Span> {
        let path = self.path;
        let started = instant(|| format!("{path}.started"), self.started)?;
        let limit = self.limit.map(|name| limit(path, name)).transpose()?;
        let deadline = match (limit, self.left, self.overdue) {
            (None, ..) => Tick::NEVER,
            (Some(_), _, Some(overdue)) if !overdue.0.is_zero() => before(started, overdue.0),
            (Some(_), left, _) => started.after(left.map_or(Duration::ZERO, |left| left.0)),
        };
        Ok(Span {
            started,
            ended: instant(|| format!("{path}.ended"), self.ended)?,
            bytes: self.bytes,
            deadline,
            limit,
            hop: self.hop,
            phase: phase(path, self.phase)?,
            what,
            end: named(format!("{path}.end"), "end", self.end, SpanEnd::from_name)?,
        })
    }
}

fn span(path: &str, part: &SpanPart, folds: &mut Vec<Fold>) -> Read<Span> {
    let what = if part.what == "folded" {
        folds.push(fold(path, part)?);
        let index = u16::try_from(folds.len() - 1);
        What::Folded(index.map_err(|_| invalid(&InvalidParts::TooMany))?)
    } else {
        what(path, &part.what, part.attempt)?
    };
    let wait = Wait {
        path,
        hop: part.hop,
        phase: &part.phase,
        started: part.started,
        ended: part.ended,
        limit: part.limit.as_deref(),
        left: part.left_before,
        overdue: part.overdue,
        bytes: part.bytes,
        end: &part.end,
    };
    wait.span(what)
}

fn what(path: &str, name: &str, attempt: Option<u16>) -> Read<What> {
    let known = |name: &str| {
        Some(match name {
            "answer" => What::Answer,
            "read" => What::Read,
            "write" => What::Write,
            "connect" => What::Connect(attempt?),
            "source" => What::Source,
            "reader" => What::Reader,
            "hook" => What::Hook,
            "work" => What::Work,
            _ => return None,
        })
    };
    if name == "connect" && attempt.is_none() {
        return Err(ReadError::member(
            format!("{path}.attempt"),
            "a connect has one, but it is missing",
        ));
    }
    named(format!("{path}.what"), "kind of wait", name, known)
}

fn fold(path: &str, part: &SpanPart) -> Read<Fold> {
    let missing = |name: &str| {
        ReadError::member(format!("{path}.{name}"), "a folded span has it, but it is missing")
    };
    let sum = |name: &str, seconds: Option<Seconds>| {
        seconds.map(|seconds| seconds.0).ok_or_else(|| missing(name))
    };
    let longest = part.longest.as_ref().map(|longest| longest_wait(path, part.hop, longest));
    Ok(Fold {
        waits: part.count.ok_or_else(|| missing("count"))?,
        waited: sum("waited", part.waited)?,
        local: sum("local", part.local)?,
        caller: sum("caller", part.caller)?,
        longest: longest.transpose()?,
    })
}

fn longest_wait(path: &str, hop: u16, part: &LongestPart) -> Read<Span> {
    let path = &format!("{path}.longest");
    // Documents did not always say which attempt it was for.
    let what = what(path, &part.what, Some(part.attempt.unwrap_or_default()))?;
    let wait = Wait {
        path,
        hop,
        phase: &part.phase,
        started: part.started,
        ended: part.ended,
        limit: part.limit.as_deref(),
        left: part.left_before,
        overdue: part.overdue,
        bytes: part.bytes,
        end: &part.end,
    };
    wait.span(what)
}

fn hop(path: &str, part: &HopPart) -> Read<Hop> {
    let method: Method = parsed(format!("{path}.method"), "method", &part.method)?;
    let mut url: Url = parsed(format!("{path}.url"), "URL", &part.url)?;
    // A timeline holds no credentials. URLs that cannot have them say so; nothing is to be done then.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    let at = |name: &str, seconds: Option<Seconds>| {
        seconds.map(|seconds| instant(|| format!("{path}.{name}"), seconds)).transpose()
    };
    let peer = part.peer.as_deref();
    let peer = peer.map(|text| parsed(format!("{path}.peer"), "address with a port", text));
    let (idle, peer) = (part.idle.map(|idle| idle.0), peer.transpose()?);
    Ok(Hop {
        request: Arc::new(RequestLine { method, url }),
        reason: named(format!("{path}.reason"), "reason", &part.reason, HopReason::from_name)?,
        started: instant(|| format!("{path}.started"), part.started)?,
        sent: at("sent", part.sent)?,
        head_ended: at("head_ended", part.head_ended)?,
        ended: at("ended", part.ended)?,
        status: part.status,
        connection: part.connection.map(|number| ConnectionUse { number, idle, peer }),
    })
}

fn attempt(path: &str, part: &AttemptPart) -> Read<Attempt> {
    let end = |name: &str| {
        Some(match name {
            "pending" => AttemptEnd::Pending,
            "connected" => AttemptEnd::Connected,
            "failed" => AttemptEnd::Failed(part.message.clone().unwrap_or_default()),
            "expired" => AttemptEnd::Expired,
            "abandoned" => AttemptEnd::Abandoned,
            _ => return None,
        })
    };
    let ended = part.ended;
    Ok(Attempt {
        hop: part.hop,
        peer: part.peer.clone(),
        started: instant(|| format!("{path}.started"), part.started)?,
        ended: ended.map(|ended| instant(|| format!("{path}.ended"), ended)).transpose()?,
        end: named(format!("{path}.end"), "end", &part.end, end)?,
    })
}
