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
mod span;

pub use clock::rfc3339;

use crate::connection::ConnectionInfo;
use crate::error::Error;
use crate::proxy::redact;
use crate::request::PreparedRequest;
use crate::response::Response;
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
}

impl Run {
    /// A call of which only the request is known yet.
    #[must_use]
    pub fn new(started_at: SystemTime, request: RequestRecord) -> Self {
        Run { started_at, request, timeline: None, response: None, error: None }
    }

    /// The document, indented, with a line break at its end.
    #[must_use]
    pub fn to_json(&self, secrets: Secrets) -> String {
        document::render(self, secrets)
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
    pub(crate) status: u16,
    pub(crate) reason: String,
    pub(crate) http_version: &'static str,
    pub(crate) url: String,
    pub(crate) headers: Headers,
    pub(crate) body_bytes: u64,
    pub(crate) body_received: u64,
    pub(crate) body_sha256: Option<[u8; 32]>,
    pub(crate) connection: Option<ConnectionInfo>,
}

impl ResponseRecord {
    /// Of a response of which `body_bytes` have been read, with these bytes' SHA-256 if somebody
    /// worked it out.
    #[must_use]
    pub fn of(response: &Response, body_bytes: u64, body_sha256: Option<[u8; 32]>) -> Self {
        ResponseRecord {
            status: response.status(),
            reason: response.reason().into_owned(),
            http_version: response.version().as_str(),
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

    /// The status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }
}

/// Why a call failed, or its result could not be used.
#[derive(Clone, Debug)]
pub struct ErrorRecord {
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    pub(crate) limit: Option<&'static str>,
    pub(crate) phase: Option<&'static str>,
    pub(crate) configured: Option<Duration>,
    pub(crate) late_by: Option<Duration>,
    pub(crate) retry_safe: bool,
    pub(crate) status: Option<u16>,
}

impl ErrorRecord {
    /// Of an error of the client.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        ErrorRecord {
            kind: error.kind().name(),
            message: error.message().to_owned(),
            limit: error.limit().map(crate::Limit::name),
            phase: error.phase().map(crate::Phase::name),
            configured: error.configured(),
            late_by: error.late_by(),
            retry_safe: error.retry_safe(),
            status: error.status(),
        }
    }

    /// Of something that went wrong outside the client: `output` for a file that cannot be
    /// written, `status` for a status that the caller takes for a failure.
    #[must_use]
    pub fn new(kind: &'static str, message: impl Into<String>, status: Option<u16>) -> Self {
        let message = message.into();
        ErrorRecord {
            kind,
            message,
            limit: None,
            phase: None,
            configured: None,
            late_by: None,
            retry_safe: false,
            status,
        }
    }

    /// The error's kind, as [`ErrorKind::name`](crate::ErrorKind::name) spells it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind
    }
}

#[cfg(test)]
mod tests;
