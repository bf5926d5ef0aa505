//! [`Reply`]: a response that the mock gives.

use crate::call::Call;
use crate::error::Error;
use crate::request::PreparedRequest;
use crate::response::Response;
use std::io::{self, Cursor, Read};
use std::sync::Arc;

/// A response of a [`MockAdapter`](super::MockAdapter), in the making.
///
/// ```
/// use std::sync::Arc;
/// use waterclock::{Session, mock::{MockAdapter, Reply}};
///
/// let mock = MockAdapter::new();
/// mock.post("http://api.example/echo").respond_with(|request| {
///     Reply::new(200)
///         .header("Content-Type", request.header("Content-Type").unwrap_or("text/plain"))
///         .body(request.body())
/// });
/// let session = Session::builder().mount("http://", Arc::new(mock)).build()?;
/// assert_eq!(session.post("http://api.example/echo").body("again").send()?.text()?, "again");
/// # Ok::<(), waterclock::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Reply {
    status: u16,
    reason: Option<Box<str>>,
    headers: Vec<(Box<str>, Vec<u8>)>,
    body: Arc<[u8]>,
    /// The body ends with an error after so many bytes.
    cut: Option<usize>,
}

impl Reply {
    /// A reply without headers and body.
    pub fn new(status: u16) -> Self {
        Reply { status, reason: None, headers: Vec::new(), body: Arc::new([]), cut: None }
    }

    /// The reason phrase. Default: the registered one of the status.
    pub fn reason(mut self, phrase: impl Into<Box<str>>) -> Self {
        self.reason = Some(phrase.into());
        self
    }

    /// Adds a header field. One that no response can have makes the call fail.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.into(), value.as_ref().to_vec()));
        self
    }

    /// The body as it would come over the wire: with a `Content-Encoding` it has to be coded.
    pub fn body(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.body = bytes.as_ref().into();
        self
    }

    /// The connection breaks after so many bytes of the body: reading it ends with
    /// [`ErrorKind::IncompleteBody`](crate::ErrorKind::IncompleteBody).
    pub fn cut_after(mut self, bytes: usize) -> Self {
        self.cut = Some(bytes);
        self
    }

    pub(super) fn give(self, request: &PreparedRequest, call: Call) -> Result<Response, Error> {
        let mut response = Response::builder(request, call).status(self.status);
        if let Some(phrase) = self.reason {
            response = response.reason(phrase);
        }
        for (name, value) in &self.headers {
            response = response.header(name, value);
        }
        match self.cut {
            None => response.body(&*self.body),
            Some(after) => {
                let length = self.body.len() as u64;
                let part = self.body.get(..after).unwrap_or(&self.body).to_vec();
                response.body_reader(Cursor::new(part).chain(Broken), Some(length))
            }
        }
    }
}

/// A connection that ends in the middle.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the mock has cut it"))
    }
}
