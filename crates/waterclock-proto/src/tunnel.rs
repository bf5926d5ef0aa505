//! [`Tunnel`]: the dialogue that turns a connection to an HTTP proxy into one to an origin
//! (CONNECT, RFC 9110 §9.3.6).

use crate::h1::{
    BodyReader, Caps, HeadStep, InvalidRequest, ProtocolError, ResponseReader, write_head,
};
use crate::message::{Headers, Method, ResponseHead};
use std::net::Ipv6Addr;

/// A CONNECT request on its way, then the answer to it.
///
/// Any 2xx establishes the tunnel; Content-Length and Transfer-Encoding on it mean nothing. Bytes
/// behind its head come from the other side of the tunnel. If nothing was sent into it yet, no
/// well-behaved peer of ours has anything to say: the caller refuses such bytes.
///
/// ```
/// use waterclock_proto::h1::Caps;
/// use waterclock_proto::message::Headers;
/// use waterclock_proto::tunnel::{Tunnel, TunnelStep};
///
/// let mut tunnel = Tunnel::new("::1", 443, &Headers::new(), Caps::default())?;
/// assert_eq!(tunnel.transmit(), b"CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\n");
/// tunnel.sent(tunnel.transmit().len());
///
/// let input = b"HTTP/1.1 200 Connection established\r\n\r\n";
/// assert!(matches!(tunnel.receive(input)?, TunnelStep::Established { used } if used == input.len()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tunnel {
    request: Request,
    reader: ResponseReader,
    /// Bytes of interim responses at the start of the input.
    interim: usize,
}

/// The request and how much of it was sent. It may hold a password: not shown by `Debug`.
#[derive(Clone)]
struct Request {
    bytes: Vec<u8>,
    sent: usize,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} bytes sent", self.sent, self.bytes.len())
    }
}

/// What [`Tunnel::receive`] found.
#[allow(clippy::large_enum_variant, reason = "made once for each tunnel")]
#[derive(Clone, Debug)]
pub enum TunnelStep {
    /// The answer is not all there: call again with more bytes, the old ones included.
    NeedInput,
    /// The tunnel stands. Bytes after the first `used` came through it.
    Established {
        /// The bytes that the answer took.
        used: usize,
    },
    /// The proxy refused. Head and body are its own, never the origin's.
    Refused {
        /// The bytes that the head took.
        used: usize,
        /// Its answer.
        head: ResponseHead,
        /// Finds the answer's body.
        body: BodyReader,
    },
}

impl Tunnel {
    /// A CONNECT to `host` (a name in ASCII, or an address; IPv6 with or without brackets).
    ///
    /// `extra` are fields for the proxy, such as Proxy-Authorization; the origin's own fields have
    /// no business there.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`] when the host or a field cannot be sent.
    pub fn new(
        host: &str,
        port: u16,
        extra: &Headers,
        caps: Caps,
    ) -> Result<Tunnel, InvalidRequest> {
        for name in ["Host", "Content-Length", "Transfer-Encoding"] {
            if extra.contains(name) {
                return Err(InvalidRequest::TunnelField { name });
            }
        }
        let authority = authority(host, port)?;
        let fields = std::iter::once(("Host", authority.as_bytes())).chain(extra);
        let mut bytes = Vec::new();
        write_head(&mut bytes, &Method::Connect, &authority, fields)?;
        let reader = ResponseReader::new(&Method::Connect, caps);
        Ok(Tunnel { request: Request { bytes, sent: 0 }, reader, interim: 0 })
    }

    /// The bytes that are still to be sent; none when the request is out.
    #[must_use]
    pub fn transmit(&self) -> &[u8] {
        self.request.bytes.get(self.request.sent..).unwrap_or_default()
    }

    /// So many of them were sent.
    pub fn sent(&mut self, bytes: usize) {
        self.request.sent = self.request.sent.saturating_add(bytes).min(self.request.bytes.len());
    }

    /// Looks at *all* bytes received so far.
    ///
    /// # Errors
    ///
    /// [`ProtocolError`] when they are not an HTTP response.
    pub fn receive(&mut self, input: &[u8]) -> Result<TunnelStep, ProtocolError> {
        loop {
            let rest = input.get(self.interim..).unwrap_or_default();
            match self.reader.read_head(rest)? {
                HeadStep::Incomplete => return Ok(TunnelStep::NeedInput),
                HeadStep::Informational { used, .. } => self.interim += used,
                HeadStep::Head { used, head, body } => {
                    let used = self.interim + used;
                    return Ok(match head.status {
                        200..=299 => TunnelStep::Established { used },
                        _ => TunnelStep::Refused { used, head, body },
                    });
                }
            }
        }
    }

    /// What it means that the proxy has closed the connection before its answer was all there.
    #[must_use]
    pub fn eof(&self) -> ProtocolError {
        self.reader.eof()
    }
}

/// `host:port` as CONNECT names it, with IPv6 addresses in brackets (RFC 3986 §3.2.2).
fn authority(host: &str, port: u16) -> Result<String, InvalidRequest> {
    let unbracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let inner = unbracketed.unwrap_or(host);
    if inner.parse::<Ipv6Addr>().is_ok() {
        return Ok(format!("[{inner}]:{port}"));
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(&byte);
    if host.is_empty() || host.len() > 255 || !host.bytes().all(fits) {
        return Err(InvalidRequest::Host { host: crate::message::snippet(host.as_bytes()) });
    }
    Ok(format!("{host}:{port}"))
}

#[cfg(test)]
#[path = "tunnel_tests.rs"]
mod tests;
