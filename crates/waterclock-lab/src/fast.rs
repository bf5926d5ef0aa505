//! A fast, polite server for load tests and benchmarks: one read and one write a request.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use crate::head::Framing;
use crate::input::{Body, Input, Source};
use crate::listener::{Connection, Listen, Listener};
use crate::log::Handshakes;
use crate::tls::Tls;

/// The period of the bodies' pattern; prime, so that no buffer size hides a shift.
const PERIOD: usize = 251;
const BLOCK: usize = PERIOD * 1024;
/// Bodies up to this length go out together with their head.
const SMALL: usize = 16 * 1024;
/// A size of chunks that costs no memory to speak of.
const MAX_CHUNK: usize = 1 << 20;

/// What `/json` answers.
const JSON: &[u8] = br#"{"id": 7, "name": "clepsydra", "tags": ["water", "clock"], "full": true}"#;

static PATTERN: LazyLock<Vec<u8>> =
    LazyLock::new(|| (0..=250_u8).cycle().take(BLOCK + PERIOD).collect());

/// A keep-alive server that answers as fast as it can, one thread a connection.
///
/// | request | response |
/// |---|---|
/// | `GET /bytes/N` | N bytes with `Content-Length`; byte number i is `i % 251` |
/// | `GET /chunked/N/SIZE` | the same bytes in chunks of SIZE |
/// | any with `X-Id: v`, or `?id=v` | `v`, in an `X-Id` field and as the body |
/// | `GET /json` | a small JSON document, with its media type |
/// | any with a body | reads it; the body is its length in decimal |
/// | a path given to [`answer`](FastBuilder::answer) | its fields and its body |
/// | any other | `ok` |
///
/// `X-Id` is echoed as a field in the first two as well, and HEAD is answered without a body.
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
///
/// let server = waterclock_lab::FastServer::start()?;
/// let mut client = TcpStream::connect(server.address())?;
/// client.write_all(b"GET /?id=7 HTTP/1.1\r\nConnection: close\r\n\r\n")?;
/// let mut answer = String::new();
/// client.read_to_string(&mut answer)?;
/// assert!(answer.starts_with("HTTP/1.1 200 OK\r\nX-Id: 7\r\n"));
/// assert!(answer.ends_with("Content-Length: 1\r\n\r\n7"));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct FastServer {
    listener: Listener,
    requests: Arc<AtomicU64>,
}

impl FastServer {
    /// Starts on 127.0.0.1 and a free port, in clear.
    pub fn start() -> io::Result<Self> {
        Self::builder().start()
    }

    /// Starts with TLS.
    pub fn start_tls(tls: impl Into<Tls>) -> io::Result<Self> {
        Self::builder().tls(tls).start()
    }

    /// A server with more to say.
    pub fn builder() -> FastBuilder {
        FastBuilder::default()
    }

    /// The address of the listener.
    pub fn address(&self) -> SocketAddr {
        self.listener.address
    }

    /// The URL of `path` here.
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.listener.is_tls { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.address())
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> usize {
        self.listener.log.read(|seen| seen.accepted)
    }

    /// Connections that are open now.
    pub fn open_connections(&self) -> usize {
        self.listener.log.read(|seen| seen.open)
    }

    /// TLS handshakes so far, by how they went.
    pub fn handshakes(&self) -> Handshakes {
        self.listener.log.read(|seen| seen.handshakes)
    }

    /// Waits until at most `count` connections are open; an error (`TimedOut`) after `patience`.
    pub fn wait_for_open_connections(&self, count: usize, patience: Duration) -> io::Result<()> {
        self.listener.log.wait(patience, &format!("at most {count} open connections"), |seen| {
            (seen.open <= count).then_some(())
        })
    }

    /// Requests received so far.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

/// Makes a [`FastServer`].
///
/// ```
/// let text = waterclock_lab::FastServer::builder()
///     .answer("/text", &[("Content-Type", "text/plain")], "text")
///     .start()?;
/// # let _ = text;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Default)]
pub struct FastBuilder {
    tls: Option<Tls>,
    answers: Answers,
}

impl FastBuilder {
    /// Speaks TLS.
    #[must_use]
    pub fn tls(mut self, tls: impl Into<Tls>) -> Self {
        self.tls = Some(tls.into());
        self
    }

    /// What GET and HEAD of `path` are answered with, `Content-Length` added: many fields, or a
    /// body that somebody encoded.
    #[must_use]
    pub fn answer(mut self, path: &str, fields: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Self {
        let fields = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        self.answers.insert(path.to_owned(), Arc::new(Answer { fields, body: body.into() }));
        self
    }

    /// Starts on 127.0.0.1 and a free port.
    pub fn start(self) -> io::Result<FastServer> {
        let requests = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&requests);
        let answers = self.answers;
        let listen = Listen { tls: self.tls, ..Listen::default() };
        let listener = Listener::start(&listen, move |connection| {
            let _ = serve(&connection, &counter, &answers);
            connection.link.notify();
        })?;
        Ok(FastServer { listener, requests })
    }
}

type Answers = HashMap<String, Arc<Answer>>;

struct Answer {
    /// Each with its line end.
    fields: String,
    body: Vec<u8>,
}

fn serve(connection: &Connection, requests: &AtomicU64, answers: &Answers) -> io::Result<()> {
    let Connection { link, stop, .. } = connection;
    let mut input = Input::new();
    let mut out = Vec::with_capacity(SMALL);
    loop {
        let Some(end) = input.find_head_end(link)? else { return Ok(()) };
        requests.fetch_add(1, Ordering::Relaxed);
        let mut request = Request::parse(input.take(end), answers);
        if request.framing != Framing::NONE {
            if request.expects && input.is_empty() {
                link.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            }
            let source = Source { link, stop, pace: None };
            let mut body = Body::new(request.framing);
            let mut length = 0;
            while let Some(piece) = body.next(&mut input, &source)? {
                length += piece.len();
            }
            request.reply = Reply::Text(length.to_string());
        }
        respond(connection, &request, &mut out)?;
        if request.closes {
            return Ok(());
        }
    }
}

struct Request {
    is_head: bool,
    reply: Reply,
    id: Option<String>,
    framing: Framing,
    expects: bool,
    closes: bool,
}

enum Reply {
    Text(String),
    Json,
    Bytes(u64),
    Chunked(u64, usize),
    Given(Arc<Answer>),
}

impl Request {
    fn parse(head: &[u8], answers: &Answers) -> Request {
        let head = std::str::from_utf8(head).unwrap_or_default();
        let mut lines = head.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let method = words.next().unwrap_or_default();
        let target = words.next().unwrap_or_default();
        let mut request = Request {
            is_head: method == "HEAD",
            reply: Reply::Text("ok".into()),
            id: None,
            framing: Framing::NONE,
            expects: false,
            closes: words.next() == Some("HTTP/1.0"),
        };
        for line in lines {
            request.field(line);
        }
        request.target(target, answers);
        request
    }

    fn field(&mut self, line: &str) {
        let Some((name, value)) = line.split_once(':') else { return };
        let value = value.trim();
        // By length first: most fields are none of these.
        match name.len() {
            4 if name.eq_ignore_ascii_case("x-id") => self.id = Some(value.to_owned()),
            6 if name.eq_ignore_ascii_case("expect") => self.expects = true,
            10 if name.eq_ignore_ascii_case("connection") => {
                self.closes = value.eq_ignore_ascii_case("close")
                    || self.closes && !value.eq_ignore_ascii_case("keep-alive");
            }
            14 if name.eq_ignore_ascii_case("content-length") => {
                self.framing = value.parse().map_or(Framing::NONE, Framing::Length);
            }
            17 if name.eq_ignore_ascii_case("transfer-encoding") => {
                self.framing = Framing::Chunked;
            }
            _ => {}
        }
    }

    fn target(&mut self, target: &str, answers: &Answers) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let queried = query.split('&').find_map(|pair| pair.strip_prefix("id="));
        if let Some(id) = queried {
            self.id = Some(id.to_owned());
        }
        let number = |text: &str| text.parse::<u64>().ok();
        if let Some(length) = path.strip_prefix("/bytes/").and_then(number) {
            self.reply = Reply::Bytes(length);
        } else if let Some((length, size)) =
            path.strip_prefix("/chunked/").and_then(|rest| rest.split_once('/'))
        {
            let size = size.parse().unwrap_or(1).clamp(1, MAX_CHUNK);
            self.reply = Reply::Chunked(number(length).unwrap_or(0), size);
        } else if path == "/json" {
            self.reply = Reply::Json;
        } else if let Some(answer) = answers.get(path) {
            self.reply = Reply::Given(Arc::clone(answer));
        } else if let Some(id) = &self.id {
            self.reply = Reply::Text(id.clone());
        }
    }
}

fn respond(connection: &Connection, request: &Request, out: &mut Vec<u8>) -> io::Result<()> {
    out.clear();
    out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
    if let Some(id) = &request.id {
        out.extend_from_slice(b"X-Id: ");
        out.extend_from_slice(id.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    if request.closes {
        out.extend_from_slice(b"Connection: close\r\n");
    }
    match &request.reply {
        Reply::Text(text) => {
            length_field(out, text.len() as u64);
            if !request.is_head {
                out.extend_from_slice(text.as_bytes());
            }
            connection.link.write_all(out)
        }
        Reply::Json => {
            out.extend_from_slice(b"Content-Type: application/json\r\n");
            length_field(out, JSON.len() as u64);
            if !request.is_head {
                out.extend_from_slice(JSON);
            }
            connection.link.write_all(out)
        }
        Reply::Bytes(length) => {
            length_field(out, *length);
            let length = if request.is_head { 0 } else { *length };
            send_bytes(connection, length, out)
        }
        Reply::Chunked(length, size) => {
            out.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
            if request.is_head {
                return connection.link.write_all(out);
            }
            send_chunks(connection, *length, *size, out)
        }
        Reply::Given(answer) => {
            out.extend_from_slice(answer.fields.as_bytes());
            length_field(out, answer.body.len() as u64);
            let body = if request.is_head { &[] } else { answer.body.as_slice() };
            send_given(connection, body, out)
        }
    }
}

fn length_field(out: &mut Vec<u8>, length: u64) {
    out.extend_from_slice(b"Content-Length: ");
    out.extend_from_slice(length.to_string().as_bytes());
    out.extend_from_slice(b"\r\n\r\n");
}

/// Sends what is in `out` and then `length` bytes of the pattern.
fn send_bytes(connection: &Connection, length: u64, out: &mut Vec<u8>) -> io::Result<()> {
    let mut left = length;
    if left <= SMALL as u64 {
        out.extend_from_slice(pattern(0, left));
        left = 0;
    }
    connection.link.write_all(out)?;
    while left > 0 {
        // Whole blocks are whole periods, so each begins at the pattern's start.
        let piece = pattern(0, left);
        connection.link.write_all(piece)?;
        left -= piece.len() as u64;
    }
    Ok(())
}

/// Sends what is in `out` and then `body`, at once if it is small.
fn send_given(connection: &Connection, body: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    if body.len() <= SMALL {
        out.extend_from_slice(body);
        return connection.link.write_all(out);
    }
    connection.link.write_all(out)?;
    connection.link.write_all(body)
}

/// Sends what is in `out` and then the pattern in chunks of `size`, many chunks a write.
fn send_chunks(
    connection: &Connection,
    length: u64,
    size: usize,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    let mut sent = 0;
    while sent < length {
        let chunk = (length - sent).min(size as u64);
        out.extend_from_slice(format!("{chunk:x}\r\n").as_bytes());
        let end = sent + chunk;
        while sent < end {
            let piece = pattern(sent, end - sent);
            out.extend_from_slice(piece);
            sent += piece.len() as u64;
        }
        out.extend_from_slice(b"\r\n");
        if out.len() >= BLOCK {
            connection.link.write_all(out)?;
            out.clear();
        }
    }
    out.extend_from_slice(b"0\r\n\r\n");
    connection.link.write_all(out)
}

/// At most a block of the pattern from `offset` on.
fn pattern(offset: u64, length: u64) -> &'static [u8] {
    let from = usize::try_from(offset % PERIOD as u64).unwrap_or_default();
    let length = usize::try_from(length).unwrap_or(BLOCK).min(BLOCK);
    PATTERN.get(from..from + length).unwrap_or_default()
}
