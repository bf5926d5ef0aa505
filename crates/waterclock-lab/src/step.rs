//! The steps of a script, and the ordinary sequences of them.

use std::time::Duration;

/// One thing that a scripted peer does. Bytes are plaintext: over TLS they are encrypted first,
/// except where a step says "wire".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Does nothing for this long.
    Sleep(Duration),
    /// Reads exactly this many bytes and forgets them (SOCKS, for instance).
    ReadExactly(usize),
    /// Reads the head of a request and records the request.
    ReadHead,
    /// Reads the body of the request whose head was read last, by Content-Length or chunks. Sends
    /// `100 Continue` first if the client waits for it.
    ReadBody,
    /// Like `ReadBody`, but never sends `100 Continue`.
    ReadBodyInSilence,
    /// Reads that body (without a head before it: everything until the peer ends) at most `bytes`
    /// at a time, resting `every` before each. See also `Builder::receive_buffer`.
    ReadSlowly {
        /// At most this many bytes at a time.
        bytes: usize,
        /// The rest before each read.
        every: Duration,
    },
    /// Reads and forgets everything until the peer ends.
    Drain,
    /// Sends these bytes at one go.
    Send(Vec<u8>),
    /// Sends these pieces at one go; over TLS each is a record of its own, and all arrive together.
    SendTogether(Vec<Vec<u8>>),
    /// Sends one byte out of band (TCP's urgent data), below TLS. A reader that knows nothing of it stops
    /// short at its place.
    SendUrgent(u8),
    /// Sends `size` bytes at a time with `every` between them; over TLS each is a record.
    Drip {
        /// What to send.
        bytes: Vec<u8>,
        /// Bytes at a time.
        size: usize,
        /// The rest between two pieces.
        every: Duration,
    },
    /// Like `Drip`, but in bytes of the wire: over TLS one record is dripped.
    DripWire {
        /// What to send.
        bytes: Vec<u8>,
        /// Wire bytes at a time.
        size: usize,
        /// The rest between two pieces.
        every: Duration,
    },
    /// Sends only the first `keep` bytes of what `bytes` are on the wire: half a TLS record, say.
    /// Over TLS nothing sensible can follow.
    CutWire {
        /// What to begin to send.
        bytes: Vec<u8>,
        /// Bytes of the wire that do go out.
        keep: usize,
    },
    /// Sends these bytes below TLS: garbage, alerts, empty records.
    SendWire(Vec<u8>),
    /// Keeps the connection open, reads and says nothing, until the peer closes or the server
    /// stops. (A FIN that waits in the peer's buffer, behind an upload that stands still, has not
    /// been sent yet: such a connection stays open.)
    Stall,
    /// Ends the connection with an RST.
    Reset,
    /// Ends the connection properly: close_notify where there is TLS, then `close`. If bytes of
    /// the peer are unread, the kernel makes that an RST; `HalfClose, Drain, Close` lingers.
    Close,
    /// Sends close_notify where there is TLS, then FIN, and goes on reading.
    HalfClose,
    /// Closes without TLS's close_notify: the peer cannot tell this from an attack.
    CloseWithoutNotify,
    /// Repeats these steps until the peer is gone or the server stops.
    Loop(Vec<Step>),
    /// Repeats these steps so many times.
    Repeat(usize, Vec<Step>),
}

impl Step {
    /// [`Step::Send`] of anything that is bytes.
    pub fn send(bytes: impl Into<Vec<u8>>) -> Step {
        Step::Send(bytes.into())
    }

    /// [`Step::Sleep`] in milliseconds.
    pub fn sleep_ms(milliseconds: u64) -> Step {
        Step::Sleep(Duration::from_millis(milliseconds))
    }

    /// [`Step::Drip`] of anything that is bytes.
    pub fn drip(bytes: impl Into<Vec<u8>>, size: usize, every: Duration) -> Step {
        Step::Drip { bytes: bytes.into(), size, every }
    }
}

/// A response with `Content-Length`, sent at one go.
///
/// ```
/// use waterclock_lab::{Step, respond};
/// let expected = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
/// assert_eq!(respond(200, "hello"), [Step::send(expected)]);
/// ```
pub fn respond(status: u16, body: impl AsRef<[u8]>) -> Vec<Step> {
    respond_with(status, &[], body)
}

/// [`respond`] with more fields.
pub fn respond_with(status: u16, fields: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<Step> {
    let body = body.as_ref();
    let length = body.len().to_string();
    let mut bytes = head(status, &[fields, &[("Content-Length", &length)]].concat());
    bytes.extend_from_slice(body);
    vec![Step::Send(bytes)]
}

/// A chunked response; each chunk is a step of its own, so that steps can go in between.
pub fn respond_chunked(status: u16, chunks: &[&str]) -> Vec<Step> {
    let mut steps = vec![Step::Send(head(status, &[("Transfer-Encoding", "chunked")]))];
    steps.extend(chunks.iter().map(|data| Step::Send(chunk(data))));
    steps.push(Step::send("0\r\n\r\n"));
    steps
}

/// A head that promises `content_length` bytes, and then silence.
pub fn head_then_stall(status: u16, content_length: u64) -> Vec<Step> {
    let length = content_length.to_string();
    vec![Step::Send(head(status, &[("Content-Length", &length)])), Step::Stall]
}

/// A response whose body comes `size` bytes at a time with `every` between them. The head comes
/// at once, and the body's first bytes right behind it.
pub fn drip_body(status: u16, body: impl Into<Vec<u8>>, size: usize, every: Duration) -> Vec<Step> {
    let bytes = body.into();
    let length = bytes.len().to_string();
    let head = head(status, &[("Content-Length", &length)]);
    vec![Step::Send(head), Step::Drip { bytes, size, every }]
}

/// A redirect with an empty body.
pub fn redirect(status: u16, location: &str) -> Vec<Step> {
    respond_with(status, &[("Location", location)], "")
}

/// `steps`, but this much later.
pub fn after(delay: Duration, mut steps: Vec<Step>) -> Vec<Step> {
    steps.insert(0, Step::Sleep(delay));
    steps
}

/// A head with its empty line.
pub fn head(status: u16, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status} {}\r\n", reason(status));
    for (name, value) in fields {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text.into_bytes()
}

/// One chunk of a chunked body. Of no data it would be the last one, so that gives nothing.
pub fn chunk(data: impl AsRef<[u8]>) -> Vec<u8> {
    let data = data.as_ref();
    if data.is_empty() {
        return Vec::new();
    }
    [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat()
}

fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        413 => "Content Too Large",
        421 => "Misdirected Request",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Lab",
    }
}
