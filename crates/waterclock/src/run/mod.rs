//! The run document: one call as one JSON object, on success and on failure.
//!
//! Everything that is shown or exported later can be made from it alone. Its schema is
//! `docs/run-document.schema.json` in the repository; members may be added, none changes its
//! meaning while [`SCHEMA_VERSION`] stays the same. Durations and instants are seconds with nine
//! decimals, instants counted from the start of the call. What is not known is left out.
//!
//! ```no_run
//! use waterclock::Session;
//! use waterclock::run::{RequestRecord, ResponseRecord, Run, Secrets};
//! use waterclock::world::real::RealWorld;
//!
//! let session = Session::new();
//! let mut request = session.get("https://example.com/").prepare()?;
//! let mut run = Run::new(RealWorld::shared().wall(), RequestRecord::of(&request));
//! let mut response = session.send(&mut request)?;
//! let body = response.content()?;
//! run.response = Some(ResponseRecord::of(&response, body.len() as u64, None));
//! run.timeline = Some(response.timeline().clone());
//! println!("{}", run.to_json(Secrets::Redacted));
//! # Ok::<(), waterclock::Error>(())
//! ```

mod clock;
mod document;
mod read;
mod rebuild;
mod seconds;
mod span;
mod wire;

pub use clock::rfc3339;
pub use read::ReadError;

use crate::capture::Wire;
use crate::connection::ConnectionInfo;
use crate::error::Error;
use crate::proxy::redact;
use crate::request::PreparedRequest;
use crate::response::Response;
use std::borrow::Cow;
use std::time::{Duration, SystemTime};
use waterclock_proto::message::Headers;
use waterclock_proto::timeline::Timeline;

/// The version of the document's form.
pub const SCHEMA_VERSION: u32 = 1;

/// What becomes of header fields that carry credentials: `Authorization`, `Proxy-Authorization`,
/// `Cookie` and `Set-Cookie`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// Their values are replaced by `[redacted]`.
    Redacted,
    /// They are written as they are.
    Shown,
}

/// One call, as far as it came.
#[derive(Clone, Debug)]
pub struct Run {
    /// When it began, by the calendar.
    pub started_at: SystemTime,
    /// What was asked for.
    pub request: RequestRecord,
    /// The record of its waits; none if it never began.
    pub timeline: Option<Timeline>,
    /// The response, if its head arrived.
    pub response: Option<ResponseRecord>,
    /// Why it failed, if it did.
    pub error: Option<ErrorRecord>,
    /// What else is to be said below everything, in sentences.
    pub remarks: Vec<String>,
    /// What its sockets read and wrote, if that was [recorded](crate::capture::Capture). In plain text
    /// it has whatever the call sent and got; only what [`Wire::masked`] finds is redacted.
    pub wire: Option<Wire>,
}

impl Run {
    /// A call of which only the request is known yet.
    #[must_use]
    pub fn new(started_at: SystemTime, request: RequestRecord) -> Self {
        Run {
            started_at,
            request,
            timeline: None,
            response: None,
            error: None,
            remarks: Vec::new(),
            wire: None,
        }
    }

    /// The document, indented, with a line break at its end.
    #[must_use]
    pub fn to_json(&self, secrets: Secrets) -> String {
        document::render(self, secrets)
    }

    /// Reads a document back. What is worked out from the timeline (sums, labels, the verdict) is not
    /// read but worked out again, so that the screen is that of the live call, and a document made from
    /// this one is the same text. Members that are not known are passed over.
    ///
    /// What the document has not got, this has not either: certificates, the proxy, the values of
    /// redacted fields.
    ///
    /// # Errors
    /// [`ReadError`] for what is not JSON, no run document, made by a later version of it, or cannot
    /// have happened.
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use waterclock::run::{RequestRecord, Run, Secrets};
    ///
    /// let request = RequestRecord::refused("GET", "https://example.com/");
    /// let saved = Run::new(SystemTime::UNIX_EPOCH, request).to_json(Secrets::Redacted);
    /// assert_eq!(Run::from_json(&saved)?.to_json(Secrets::Redacted), saved);
    ///
    /// let error = Run::from_json(r#"{"schema_version": 7}"#).unwrap_err();
    /// assert!(error.to_string().contains("a newer waterclock"));
    /// # Ok::<(), waterclock::run::ReadError>(())
    /// ```
    pub fn from_json(text: &str) -> Result<Run, ReadError> {
        read::read(text)
    }
}

/// The request as the caller gave it.
#[derive(Clone, Debug)]
pub struct RequestRecord {
    /// The method.
    pub method: String,
    /// The URL, without userinfo.
    pub url: String,
    /// The caller's own header fields; what the client adds is not among them.
    pub headers: Headers,
}

impl RequestRecord {
    /// Of a request that was prepared.
    #[must_use]
    pub fn of(request: &PreparedRequest) -> Self {
        RequestRecord {
            method: request.method().to_string(),
            url: request.url().to_string(),
            headers: request.headers.clone(),
        }
    }

    /// Of a request that could not be: `url` is kept as it was given, but for userinfo.
    #[must_use]
    pub fn refused(method: &str, url: &str) -> Self {
        let (method, url) = (method.to_owned(), redact(url));
        RequestRecord { method, url, headers: Headers::new() }
    }
}

/// A response whose head arrived.
#[derive(Clone, Debug)]
pub struct ResponseRecord {
    /// The status code.
    pub status: u16,
    /// The reason phrase; may be empty.
    pub reason: String,
    /// `HTTP/1.0` or `HTTP/1.1`.
    pub http_version: Cow<'static, str>,
    /// The URL of the last hop.
    pub url: String,
    /// The header fields, in wire order and case.
    pub headers: Headers,
    /// Bytes of the body that were handed over, content codings undone.
    pub body_bytes: u64,
    /// Bytes of the body on the wire, without framing.
    pub body_received: u64,
    /// The SHA-256 of what was handed over, if somebody worked it out.
    pub body_sha256: Option<[u8; 32]>,
    /// The connection it came over, if there was one.
    pub connection: Option<ConnectionInfo>,
}

impl ResponseRecord {
    /// Of a response of which `body_bytes` have been read, with these bytes' SHA-256 if somebody
    /// worked it out.
    #[must_use]
    pub fn of(response: &Response, body_bytes: u64, body_sha256: Option<[u8; 32]>) -> Self {
        ResponseRecord {
            status: response.status(),
            reason: response.reason().into_owned(),
            http_version: response.version().as_str().into(),
            url: response.url().to_string(),
            headers: response.headers().clone(),
            body_bytes,
            body_received: response.body_received(),
            body_sha256,
            connection: response.connection().cloned(),
        }
    }

    /// The same with these header fields, for whoever has taken them out of the response.
    #[must_use]
    pub fn with_headers(mut self, headers: Headers) -> Self {
        self.headers = headers;
        self
    }
}

/// Why a call failed, or its result could not be used.
#[derive(Clone, Debug)]
pub struct ErrorRecord {
    /// The name of the kind, as [`ErrorKind::name`](crate::ErrorKind::name) spells it.
    pub kind: Cow<'static, str>,
    /// What went wrong, in words.
    pub message: String,
    /// The limit that fired.
    pub limit: Option<&'static str>,
    /// What the call was doing then.
    pub phase: Option<&'static str>,
    /// What that limit was set to.
    pub configured: Option<Duration>,
    /// How late the call noticed.
    pub late_by: Option<Duration>,
    /// Whether the request may be sent again without being acted upon twice.
    pub retry_safe: bool,
    /// The status, if there was a response.
    pub status: Option<u16>,
    /// What else is to be said: what to do about it, what became of a file.
    pub remarks: Vec<String>,
}

impl ErrorRecord {
    /// Of an error of the client.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        ErrorRecord {
            kind: error.kind().name().into(),
            message: error.message().to_owned(),
            limit: error.limit().map(crate::Limit::name),
            phase: error.phase().map(crate::Phase::name),
            configured: error.configured(),
            late_by: error.late_by(),
            retry_safe: error.retry_safe(),
            status: error.status(),
            remarks: error.hint().map(str::to_owned).into_iter().collect(),
        }
    }

    /// Of something that went wrong outside the client: `output` for a file that cannot be
    /// written, `status` for a status that the caller takes for a failure.
    #[must_use]
    pub fn new(
        kind: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
        status: Option<u16>,
    ) -> Self {
        let (kind, message) = (kind.into(), message.into());
        ErrorRecord {
            kind,
            message,
            limit: None,
            phase: None,
            configured: None,
            late_by: None,
            retry_safe: false,
            status,
            remarks: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
