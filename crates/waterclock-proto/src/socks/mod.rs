//! [`Socks`]: the dialogue that turns a connection to a SOCKS proxy into one to an origin
//! (SOCKS 4 and 4a; SOCKS 5, RFC 1928, with user and password, RFC 1929).

mod error;
mod message;

pub use error::{SocksError, SocksPart};

use message::{Method, Need};
use std::net::{IpAddr, SocketAddr};

/// Which SOCKS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SocksVersion {
    /// SOCKS 4: IPv4 addresses only.
    V4,
    /// SOCKS 4a: names too.
    V4a,
    /// SOCKS 5 (RFC 1928): addresses of both families and names.
    V5,
}

/// Where the proxy shall connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocksTarget<'a> {
    /// An address, which the client has looked up (`socks4`, `socks5`).
    Address(SocketAddr),
    /// A name in ASCII for the proxy to look up (`socks4a`, `socks5h`), and the port. An address
    /// in text, IPv6 with or without brackets, is sent as an address.
    Name(&'a str, u16),
}

/// A dialogue with a SOCKS proxy. It has the shape of [`Tunnel`](crate::tunnel::Tunnel): send what
/// [`transmit`](Socks::transmit) gives, show all bytes received so far to
/// [`receive`](Socks::receive), and again, until the connection is established.
///
/// User and password are sent only to a server that chose that method, and offered only if there
/// are any. The user id of SOCKS 4 is the user; it has no password, and none is sent.
///
/// ```
/// use waterclock_proto::socks::{Socks, SocksStep, SocksTarget, SocksVersion};
///
/// let target = SocksTarget::Name("a.test", 80);
/// let mut socks = Socks::new(SocksVersion::V5, target, None)?;
/// assert_eq!(socks.transmit(), [5, 1, 0]);
/// socks.sent(3);
///
/// let mut input = vec![5, 0];
/// assert_eq!(socks.receive(&input)?, SocksStep::NeedInput);
/// assert_eq!(socks.transmit(), b"\x05\x01\x00\x03\x06a.test\x00\x50");
/// socks.sent(socks.transmit().len());
///
/// input.extend([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
/// assert_eq!(socks.receive(&input)?, SocksStep::Established { used: 12 });
/// # Ok::<(), waterclock_proto::socks::SocksError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Socks {
    /// What is asked, with `output`.
    part: SocksPart,
    output: Output,
    /// What is said later, in SOCKS 5: user and password if the server wants them, the request.
    credentials: Option<Output>,
    request: Output,
    /// Bytes of earlier answers at the start of the input.
    answered: usize,
    /// All bytes of input that were seen.
    seen: usize,
}

/// Bytes to be sent, and how many were. They may hold a password: not shown by `Debug`.
#[derive(Clone, Default)]
struct Output {
    bytes: Vec<u8>,
    sent: usize,
}

impl Output {
    fn new(bytes: Vec<u8>) -> Self {
        Output { bytes, sent: 0 }
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.sent..).unwrap_or_default()
    }
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} bytes sent", self.sent, self.bytes.len())
    }
}

/// What [`Socks::receive`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocksStep {
    /// Not there yet: send what there is to [`transmit`](Socks::transmit) now, then call again with
    /// more bytes, the old ones included.
    NeedInput,
    /// The proxy is connected. Bytes after the first `used` come from the other side.
    Established {
        /// The bytes that its answers took.
        used: usize,
    },
}

impl Socks {
    /// A dialogue that asks for a connection to `target`, as user and password if the proxy wants
    /// to know.
    ///
    /// # Errors
    ///
    /// When the version cannot express `target` or the credentials: nothing was sent then. A name
    /// that is too long is never replaced by an address (CVE-2023-38545).
    pub fn new(
        version: SocksVersion,
        target: SocksTarget<'_>,
        credentials: Option<(&[u8], &[u8])>,
    ) -> Result<Socks, SocksError> {
        let target = normal(target)?;
        let (mut password, mut request) = (None, Vec::new());
        let (part, output) = match version {
            SocksVersion::V4 | SocksVersion::V4a => {
                let user = credentials.map_or(&b""[..], |(user, _)| user);
                (SocksPart::Connect4, message::connect4(version, target, user)?)
            }
            SocksVersion::V5 => {
                if let Some((user, word)) = credentials {
                    password = Some(Output::new(message::authentication(user, word)?));
                }
                request = message::connect5(target);
                (SocksPart::Method, message::greeting(password.is_some()).to_vec())
            }
        };
        let (output, request) = (Output::new(output), Output::new(request));
        Ok(Socks { part, output, credentials: password, request, answered: 0, seen: 0 })
    }

    /// A dialogue of SOCKS 5 that begins before it is known where to: [`wants_target`](Self::wants_target)
    /// tells when that has to be said.
    ///
    /// # Errors
    /// As [`new`](Self::new), for the credentials.
    pub fn greet(credentials: Option<(&[u8], &[u8])>) -> Result<Socks, SocksError> {
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut socks = Self::new(SocksVersion::V5, SocksTarget::Address(nowhere), credentials)?;
        socks.request = Output::default();
        Ok(socks)
    }

    /// Whether the proxy has agreed to talk, and is to be told now where to connect to.
    #[must_use]
    pub fn wants_target(&self) -> bool {
        self.part == SocksPart::Connect5 && self.output.bytes.is_empty()
    }

    /// Where a dialogue that was begun with [`greet`](Self::greet) is to lead to.
    pub fn ask_for(&mut self, target: SocketAddr) {
        self.output = Output::new(message::connect5(SocksTarget::Address(target)));
    }

    /// The bytes that are to be sent now; none while the proxy has to answer first.
    #[must_use]
    pub fn transmit(&self) -> &[u8] {
        self.output.rest()
    }

    /// So many of them were sent.
    pub fn sent(&mut self, bytes: usize) {
        let output = &mut self.output;
        output.sent = output.sent.saturating_add(bytes).min(output.bytes.len());
    }

    /// Looks at *all* bytes received so far, however they were cut.
    ///
    /// # Errors
    ///
    /// [`SocksError`] when the proxy refuses, does not speak SOCKS, or answers what it was not
    /// asked yet.
    pub fn receive(&mut self, input: &[u8]) -> Result<SocksStep, SocksError> {
        self.seen = input.len();
        let answer = input.get(self.answered..).unwrap_or_default();
        if answer.is_empty() {
            return Ok(SocksStep::NeedInput);
        }
        let found = match self.part {
            SocksPart::Method | SocksPart::Authentication => return self.agree(answer),
            SocksPart::Connect4 => message::reply4(answer),
            SocksPart::Connect5 => message::reply5(answer),
        };
        let used = match found {
            Err(Need::More) => return Ok(SocksStep::NeedInput),
            Err(Need::Failed(error)) => return Err(error),
            Ok(used) => self.answered + used,
        };
        self.asked()?;
        Ok(SocksStep::Established { used })
    }

    /// What it means that the proxy has closed the connection before its answer was all there.
    #[must_use]
    pub fn eof(&self) -> SocksError {
        SocksError::Closed { during: self.part, received: self.seen.saturating_sub(self.answered) }
    }

    /// The answers of SOCKS 5 before that to the request.
    fn agree(&mut self, answer: &[u8]) -> Result<SocksStep, SocksError> {
        let chosen = match self.part {
            SocksPart::Method => message::method(answer, self.credentials.is_some()),
            _ => message::authenticated(answer).map(|()| Method::Nothing),
        };
        let chosen = match chosen {
            Err(Need::More) => return Ok(SocksStep::NeedInput),
            Err(Need::Failed(error)) => return Err(error),
            Ok(chosen) => chosen,
        };
        self.asked()?;
        // Both answers have two bytes.
        self.answered += 2;
        // Taken in any case: credentials that are not wanted are gone.
        (self.part, self.output) = match (chosen, self.credentials.take()) {
            (Method::Password, Some(credentials)) => (SocksPart::Authentication, credentials),
            _ => (SocksPart::Connect5, std::mem::take(&mut self.request)),
        };
        match answer.len() {
            2 => Ok(SocksStep::NeedInput),
            _ => Err(SocksError::Early { during: self.part }),
        }
    }

    /// That what was answered had been sent.
    fn asked(&self) -> Result<(), SocksError> {
        match self.transmit() {
            [] => Ok(()),
            _ => Err(SocksError::Early { during: self.part }),
        }
    }
}

/// `target` with addresses in text as addresses, and a name that every version can carry.
fn normal(target: SocksTarget<'_>) -> Result<SocksTarget<'_>, SocksError> {
    let SocksTarget::Name(name, port) = target else { return Ok(target) };
    let inner = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
    if let Ok(address) = inner.parse::<IpAddr>() {
        return Ok(SocksTarget::Address(SocketAddr::new(address, port)));
    }
    if let Some(offset) = name.bytes().position(|byte| !byte.is_ascii_graphic()) {
        return Err(SocksError::NameByte { offset });
    }
    match name.len() {
        0 | 256.. => Err(SocksError::NameLength { length: name.len() }),
        _ => Ok(target),
    }
}

#[cfg(test)]
mod tests;
