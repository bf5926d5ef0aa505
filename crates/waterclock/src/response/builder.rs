//! [`ResponseBuilder`]: how an adapter without connections makes a response.

use super::Response;
use crate::adapter;
use crate::body::Body;
use crate::call::Call;
use crate::error::{Error, ErrorKind, Failure, Outcome};
use crate::given::Given;
use crate::request::PreparedRequest;
use std::io::Read;
use std::sync::Arc;
use waterclock_proto::message::{Headers, Method, Reason, ResponseHead, Version, canonical_reason};
use waterclock_proto::timeline::Phase;

/// Makes a [`Response`] that came over no connection; see [`Response::builder`].
///
/// [`body`](Self::body) or [`body_reader`](Self::body_reader) ends it, with the error of the call if
/// something of the response cannot be, or a limit has passed meanwhile.
#[derive(Debug)]
#[must_use]
pub struct ResponseBuilder<'r> {
    request: &'r PreparedRequest,
    call: Call,
    version: Version,
    status: u16,
    reason: Option<Box<str>>,
    headers: Headers,
    problem: Option<String>,
}

impl Response {
    /// Makes the response to `request` without a connection: what adapters of the user's return.
    ///
    /// It is 200, HTTP/1.1 and without headers unless said otherwise. From then on it is a response
    /// like any other: codings that `Content-Encoding` names are undone, `total` goes on until its
    /// body was read, redirects and challenges are looked at.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use waterclock::{Adapter, Call, Error, PreparedRequest, Response, Session};
    ///
    /// struct Teapot;
    ///
    /// impl Adapter for Teapot {
    ///     fn send(&self, request: &mut PreparedRequest, call: Call) -> Result<Response, Error> {
    ///         Response::builder(request, call)
    ///             .status(418)
    ///             .reason("I'm a teapot")
    ///             .header("Content-Type", "text/plain")
    ///             .body("short and stout")
    ///     }
    /// }
    ///
    /// let session = Session::builder().mount("coffee://", Arc::new(Teapot)).build()?;
    /// let mut response = session.get("coffee://pot/1").send()?;
    /// assert_eq!((response.status(), &*response.reason()), (418, "I'm a teapot"));
    /// assert_eq!(response.text()?, "short and stout");
    /// # Ok::<(), Error>(())
    /// ```
    pub fn builder(request: &PreparedRequest, call: Call) -> ResponseBuilder<'_> {
        ResponseBuilder {
            request,
            call,
            version: Version::Http11,
            status: 200,
            reason: None,
            headers: Headers::new(),
            problem: None,
        }
    }
}

impl ResponseBuilder<'_> {
    /// The status code, 100 to 999.
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The reason phrase. Default: the registered one of the status.
    pub fn reason(mut self, phrase: impl Into<Box<str>>) -> Self {
        self.reason = Some(phrase.into());
        self
    }

    /// The version that is shown.
    pub fn version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// Adds a header field.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        if let Err(error) = self.headers.append(name, value) {
            self.problem.get_or_insert(error.to_string());
        }
        self
    }

    /// Adds header fields.
    pub fn headers(mut self, headers: &Headers) -> Self {
        self.headers.extend(headers);
        self
    }

    /// The response with a body in memory. One to HEAD, and a 204 or 304, has none whatever is given
    /// (RFC 9110 §6.4.1).
    ///
    /// # Errors
    /// A status or header that no response can have ([`ErrorKind::InvalidRequest`]), a limit that has
    /// passed, a `Content-Encoding` that cannot be undone.
    pub fn body(self, bytes: impl Into<Vec<u8>>) -> Result<Response, Error> {
        self.finish(Given::bytes(bytes.into()))
    }

    /// The response with a body from `reader`, which is read as the caller reads the body: `length`
    /// bytes of it, or all it has. Time spent in it is the caller's; no limit can interrupt it, but
    /// one that has passed fires after it.
    ///
    /// It fails with [`ErrorKind::IncompleteBody`] if there are fewer than `length` bytes, or with an
    /// [`UnexpectedEof`](std::io::ErrorKind::UnexpectedEof) of the reader, and with
    /// [`ErrorKind::Receive`] for its other errors.
    ///
    /// # Errors
    /// As [`body`](Self::body).
    pub fn body_reader(
        self,
        reader: impl Read + Send + 'static,
        length: Option<u64>,
    ) -> Result<Response, Error> {
        self.finish(Given::reader(Box::new(reader), length))
    }

    fn finish(mut self, given: Given) -> Result<Response, Error> {
        self.call.begin_hop(&self.request.line);
        let checked = self.checked();
        let decoder = checked.and_then(|head| {
            let bodiless =
                self.request.method() == &Method::Head || matches!(head.status, 204 | 304);
            let given = if bodiless { Given::bytes(Vec::new()) } else { given };
            let decoder = adapter::decoder(self.request, &head)?;
            Ok((head, Body::given(given, decoder)))
        });
        let (head, body) = match decoder {
            Ok(parts) => parts,
            Err(failure) => return Err(self.call.fail(failure)),
        };
        let mut call = self.call;
        let now = match call.reach(Phase::Body) {
            Ok(now) => now,
            Err(failure) => return Err(call.fail(failure)),
        };
        if let Some(hop) = call.timeline_mut().hop_mut() {
            hop.head_ended = Some(now);
            hop.status = Some(head.status);
        }
        Ok(Response::new(Arc::clone(&self.request.line), head, None, call, body, now))
    }

    fn checked(&mut self) -> Outcome<ResponseHead> {
        let known = canonical_reason(self.status).unwrap_or_default();
        let phrase = self.reason.take().unwrap_or_else(|| known.into());
        let problem = if !(100..=999).contains(&self.status) {
            Some(format!("{} is no status", self.status))
        } else if phrase.contains(|c: char| c.is_control() && c != '\t') {
            Some(format!("the reason \"{}\" has a control character", phrase.escape_debug()))
        } else {
            self.problem.take()
        };
        if let Some(problem) = problem {
            let text = format!("the adapter made a response that cannot be: {problem}");
            return Err(Failure::new(ErrorKind::InvalidRequest, text));
        }
        Ok(ResponseHead {
            version: self.version,
            status: self.status,
            reason: Reason::received(self.status, phrase.as_bytes()),
            headers: std::mem::take(&mut self.headers),
        })
    }
}
