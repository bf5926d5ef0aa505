//! [`PastResponse`]: an answer on the way to the final one.

use crate::connection::ConnectionInfo;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use waterclock_proto::message::{Headers, Method, ResponseHead, Version};
use waterclock_proto::timeline::RequestLine;

/// A response that was not the last one of its call: a redirect that was followed, or a challenge
/// that was answered. [`Response::history`](super::Response::history) has them in order.
///
/// The connection it came over serves others by now, so what there is of its body was read before:
/// at most 64 KiB of it, and no more than came within 100 ms.
#[derive(Clone)]
pub struct PastResponse {
    pub(super) line: Arc<RequestLine>,
    pub(super) head: ResponseHead,
    pub(super) info: Option<Arc<ConnectionInfo>>,
    pub(super) elapsed: Duration,
    pub(super) body: Vec<u8>,
    pub(super) whole: bool,
}

impl PastResponse {
    /// The method of the request.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.line.method
    }

    /// The URL that was requested, without userinfo.
    #[must_use]
    pub fn url(&self) -> &url::Url {
        &self.line.url
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.head.status
    }

    /// The reason phrase, for people.
    #[must_use]
    pub fn reason(&self) -> Cow<'_, str> {
        self.head.reason()
    }

    /// The version in the status line.
    #[must_use]
    pub fn version(&self) -> Version {
        self.head.version
    }

    /// The header fields, in wire order and case.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        &self.head.headers
    }

    /// The connection it came over; `None` from an adapter that has none.
    #[must_use]
    pub fn connection(&self) -> Option<&ConnectionInfo> {
        self.info.as_deref()
    }

    /// From the beginning of its hop to the end of its head.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// What was read of its body, with content codings (gzip and others) still on it: nobody has
    /// asked for it, so nothing is inflated (CVE-2026-21441).
    #[must_use]
    pub fn raw_body(&self) -> &[u8] {
        &self.body
    }

    /// Whether [`raw_body`](Self::raw_body) is all that was left of it, and not cut.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.whole
    }
}

impl fmt::Debug for PastResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PastResponse")
            .field("status", &self.status())
            .field("url", &self.url().as_str())
            .field("elapsed", &self.elapsed)
            .finish_non_exhaustive()
    }
}
