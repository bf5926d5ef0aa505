//! `pylimit`: the floor that Python clients are measured against. It splits the URL, takes a connection
//! from a pool behind a mutex, sends and receives with Python's lock released once, parses the head with
//! httparse and makes a `bytes`. Nothing that a real client cannot leave out is here: no redirects,
//! cookies, retries, chunks or codings, and only the blocking socket's own timeout.

// The floor is a blocking socket; the workspace's rule against that is not for it.
#![allow(clippy::disallowed_methods)]

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pyo3::exceptions::{PyKeyError, PyOSError, PyTimeoutError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

const BUFFER: usize = 64 * 1024;
const MAX_HEADERS: usize = 64;

#[pymodule]
mod pylimit {
    #[pymodule_export]
    use super::{Headers, Response, Session};
}

struct Connection {
    authority: String,
    stream: TcpStream,
    /// What is sent and then what is received; it lives as long as the connection.
    buffer: Vec<u8>,
}

impl Connection {
    fn open(authority: &str, timeout: Option<Duration>) -> io::Result<Connection> {
        let stream = if authority.contains(':') {
            TcpStream::connect(authority)
        } else {
            TcpStream::connect((authority, 80))
        }?;
        stream.set_nodelay(true)?;
        // Once a connection: a system call for each request is what the floor leaves out.
        stream.set_read_timeout(timeout)?;
        Ok(Connection { authority: authority.to_owned(), stream, buffer: vec![0; BUFFER] })
    }

    fn exchange(&mut self, request: &Request<'_>) -> io::Result<Answer> {
        self.stream.write_all(&request.bytes(&self.authority))?;
        let mut filled = 0;
        let head = loop {
            let count = self.stream.read(&mut self.buffer[filled..])?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            filled += count;
            if let Some(head) = Head::parse(&self.buffer[..filled])? {
                break head;
            }
        };
        let mut body = Vec::with_capacity(head.length);
        body.extend_from_slice(&self.buffer[head.end..filled]);
        let left = head.length.saturating_sub(body.len()) as u64;
        (&self.stream).take(left).read_to_end(&mut body)?;
        if body.len() != head.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Answer { status: head.status, head: self.buffer[..head.end].to_vec(), body })
    }
}

struct Head {
    status: u16,
    length: usize,
    end: usize,
}

impl Head {
    fn parse(bytes: &[u8]) -> io::Result<Option<Head>> {
        let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut fields);
        let httparse::Status::Complete(end) =
            response.parse(bytes).map_err(|error| io::Error::other(error.to_string()))?
        else {
            return Ok(None);
        };
        let length = response
            .headers
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case("content-length"))
            .and_then(|field| std::str::from_utf8(field.value).ok()?.parse().ok())
            .unwrap_or(0);
        Ok(Some(Head { status: response.code.unwrap_or(0), length, end }))
    }
}

struct Answer {
    status: u16,
    head: Vec<u8>,
    body: Vec<u8>,
}

struct Request<'a> {
    path: &'a str,
    json: Option<&'a [u8]>,
    close: bool,
}

impl Request<'_> {
    fn bytes(&self, authority: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        let method = if self.json.is_some() { "POST " } else { "GET " };
        for part in [method, self.path, " HTTP/1.1\r\nHost: ", authority, "\r\n"] {
            out.extend_from_slice(part.as_bytes());
        }
        out.extend_from_slice(b"User-Agent: pylimit\r\nAccept: */*\r\n");
        if self.close {
            out.extend_from_slice(b"Connection: close\r\n");
        }
        if let Some(json) = self.json {
            out.extend_from_slice(b"Content-Type: application/json\r\nContent-Length: ");
            out.extend_from_slice(json.len().to_string().as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(self.json.unwrap_or_default());
        out
    }
}

/// A pool of connections that are idle, the one used last at the end.
#[pyclass(frozen)]
struct Session {
    idle: Mutex<Vec<Connection>>,
}

impl Session {
    fn take(&self, authority: &str) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let place = idle.iter().rposition(|connection| connection.authority == authority)?;
        Some(idle.remove(place))
    }

    fn call(
        &self,
        authority: &str,
        timeout: Option<f64>,
        request: &Request<'_>,
    ) -> io::Result<Answer> {
        let mut connection = match self.take(authority) {
            Some(connection) => connection,
            None => Connection::open(authority, timeout.map(Duration::from_secs_f64))?,
        };
        let answer = connection.exchange(request)?;
        if !request.close {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
        Ok(answer)
    }
}

#[pymethods]
impl Session {
    #[new]
    fn new() -> Session {
        Session { idle: Mutex::new(Vec::new()) }
    }

    /// One request: a GET, or a POST of `json`, which is a document already.
    #[pyo3(signature = (url, timeout=None, json=None, close=false))]
    fn get(
        &self,
        py: Python<'_>,
        url: &str,
        timeout: Option<f64>,
        json: Option<&[u8]>,
        close: bool,
    ) -> PyResult<Response> {
        let rest =
            url.strip_prefix("http://").ok_or_else(|| PyValueError::new_err("http:// only"))?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let request = Request { path: if path.is_empty() { "/" } else { path }, json, close };
        let answer = py.detach(|| self.call(authority, timeout, &request)).map_err(raised)?;
        Ok(Response {
            status_code: answer.status,
            content: PyBytes::new(py, &answer.body).unbind(),
            head: answer.head,
        })
    }
}

/// The one error that is told from the others is an expired timeout.
fn raised(error: io::Error) -> PyErr {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            PyTimeoutError::new_err(error.to_string())
        }
        _ => PyOSError::new_err(error.to_string()),
    }
}

#[pyclass(frozen)]
struct Response {
    #[pyo3(get)]
    status_code: u16,
    #[pyo3(get)]
    content: Py<PyBytes>,
    head: Vec<u8>,
}

#[pymethods]
impl Response {
    #[getter]
    fn headers(slf: Py<Self>) -> Headers {
        Headers { response: slf }
    }

    /// By the standard library's `json.loads`, as somebody would who has bytes and no more.
    fn json(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let loads = py.import("json")?.getattr("loads")?;
        Ok(loads.call1((&self.content,))?.unbind())
    }
}

/// Looks for a field in the head's bytes when somebody asks for it.
#[pyclass(frozen)]
struct Headers {
    response: Py<Response>,
}

#[pymethods]
impl Headers {
    fn __getitem__(&self, name: &str) -> PyResult<String> {
        let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut fields);
        // It was parsed once without an error.
        let _ = response.parse(&self.response.get().head);
        response
            .headers
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(name))
            .map(|field| String::from_utf8_lossy(field.value).into_owned())
            .ok_or_else(|| PyKeyError::new_err(name.to_owned()))
    }
}
