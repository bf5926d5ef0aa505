//! [`PreparedRequest`]: a request as it will be sent.

use super::{Options, RequestBody};
use crate::error::Error;
use crate::target::{self, Place};
use std::sync::Arc;
use waterclock_proto::limit::Limits;
use waterclock_proto::message::{Headers, Method};
use waterclock_proto::retry::Retry;
use waterclock_proto::timeline::RequestLine;

/// A request as it will be sent. It can be sent repeatedly, unless its body comes from a reader that
/// cannot go back.
#[derive(Debug)]
pub struct PreparedRequest {
    pub(crate) line: Arc<RequestLine>,
    pub(crate) place: Place,
    pub(crate) headers: Headers,
    pub(crate) defaults: Arc<Headers>,
    /// Fields of the hop that is being made: credentials and cookies.
    pub(crate) added: Headers,
    pub(crate) body: RequestBody,
    pub(crate) limits: Limits,
    pub(crate) retry: Arc<Retry>,
    pub(crate) options: Options,
    /// `Authorization` for the userinfo of the URL.
    pub(crate) credentials: Option<Box<str>>,
}

impl PreparedRequest {
    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.line.method
    }

    /// The URL, without userinfo.
    #[must_use]
    pub fn url(&self) -> &url::Url {
        &self.line.url
    }

    /// Path and query as the request line has them (RFC 9112 §3.2.1): what signatures are made of.
    #[must_use]
    pub fn target(&self) -> &str {
        target::request_target(&self.line.url, &self.place)
    }

    /// The headers of the request and those defaults that it does not replace. `Host` and the
    /// framing fields are added when it is sent.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        // Names are tokens, hence text.
        self.raw_headers().map(|(name, value)| (str::from_utf8(name).unwrap_or_default(), value))
    }

    /// [`headers`](Self::headers), with names as bytes.
    pub(crate) fn raw_headers(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let (headers, added) = (&self.headers, &self.added);
        let default = move |&(name, _): &(&[u8], &[u8])| !headers.contains_raw(name);
        let own = self.defaults.raw().filter(default).chain(headers.raw());
        let replaced = move |&(name, _): &(&[u8], &[u8])| !added.contains_raw(name);
        own.filter(replaced).chain(added.raw())
    }

    /// The value that [`headers`](Self::headers) has for `name`.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        let sources = [&self.added, &self.headers, &*self.defaults];
        sources.into_iter().find_map(|headers| headers.get(name))
    }

    /// The request's own headers, to be changed before it is sent, or in a hook. Those that are
    /// credentials are left behind when a redirect leads to another origin.
    pub fn headers_mut(&mut self) -> &mut Headers {
        &mut self.headers
    }

    /// Sets a header for the hop that is about to be made, and for no other: what a way to
    /// authenticate does.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) if it cannot be sent.
    pub fn set_for_hop(&mut self, name: &str, value: impl AsRef<[u8]>) -> Result<(), Error> {
        self.added.set(name, value).map_err(|error| Error::invalid_request(error.to_string()))
    }

    /// The content.
    #[must_use]
    pub fn body(&self) -> &RequestBody {
        &self.body
    }

    /// Replaces the content, before it is sent or in a hook. Headers that describe it are the
    /// caller's business.
    pub fn set_body(&mut self, body: impl Into<RequestBody>) {
        self.body = body.into();
    }

    /// The limits of the call.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }
}
