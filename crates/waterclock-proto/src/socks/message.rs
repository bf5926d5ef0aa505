//! The messages of the dialogue: bytes to and from their meaning, no state.

use super::{SocksError, SocksPart, SocksTarget, SocksVersion};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Why an answer gives no result.
pub(super) enum Need {
    /// It is not all there.
    More,
    /// It says no, or makes no sense.
    Failed(SocksError),
}

/// What a SOCKS 5 server wants to know of us.
pub(super) enum Method {
    Nothing,
    Password,
}

/// The longest string that a length byte announces; SOCKS 4, without one, is held to the same.
const LONGEST: usize = 255;

/// `CONNECT`, in all versions.
const CONNECT: u8 = 1;

/// What SOCKS 5 begins with: the version and the methods offered (RFC 1928 §3).
pub(super) fn greeting(with_password: bool) -> &'static [u8] {
    if with_password { &[5, 2, 0, 2] } else { &[5, 1, 0] }
}

/// The request of SOCKS 4: version, command, port, address, user id, NUL. In 4a the impossible
/// address 0.0.0.1 announces that a name and NUL follow.
pub(super) fn connect4(
    version: SocksVersion,
    target: SocksTarget<'_>,
    user: &[u8],
) -> Result<Vec<u8>, SocksError> {
    if let Some(offset) = user.iter().position(|&byte| byte == 0) {
        return Err(SocksError::NulInUser { offset });
    }
    check_length("user", user)?;
    let (address, port, name) = match target {
        SocksTarget::Address(address) => (sendable4(address.ip())?, address.port(), None),
        SocksTarget::Name(..) if version == SocksVersion::V4 => return Err(SocksError::NameInV4),
        SocksTarget::Name(name, port) => (Ipv4Addr::new(0, 0, 0, 1), port, Some(name)),
    };
    let mut bytes = vec![4, CONNECT];
    bytes.extend(port.to_be_bytes());
    bytes.extend(address.octets());
    bytes.extend(user);
    bytes.push(0);
    if let Some(name) = name {
        bytes.extend(name.as_bytes());
        bytes.push(0);
    }
    Ok(bytes)
}

/// The IPv4 address to send; not one that a 4a server takes for the announcement of a name.
fn sendable4(address: IpAddr) -> Result<Ipv4Addr, SocksError> {
    match address.to_canonical() {
        IpAddr::V4(v4) if !matches!(v4.octets(), [0, 0, 0, _]) => Ok(v4),
        address => Err(SocksError::AddressInV4 { address }),
    }
}

/// The request of SOCKS 5 (RFC 1928 §4). The name's length is checked before.
pub(super) fn connect5(target: SocksTarget<'_>) -> Vec<u8> {
    let mut bytes = vec![5, CONNECT, 0];
    let port = match target {
        SocksTarget::Address(SocketAddr::V4(address)) => {
            bytes.push(1);
            bytes.extend(address.ip().octets());
            address.port()
        }
        SocksTarget::Address(SocketAddr::V6(address)) => {
            bytes.push(4);
            bytes.extend(address.ip().octets());
            address.port()
        }
        SocksTarget::Name(name, port) => {
            bytes.push(3);
            push_string(&mut bytes, name.as_bytes());
            port
        }
    };
    bytes.extend(port.to_be_bytes());
    bytes
}

/// User and password (RFC 1929 §2).
pub(super) fn authentication(user: &[u8], password: &[u8]) -> Result<Vec<u8>, SocksError> {
    check_length("user", user)?;
    check_length("password", password)?;
    let mut bytes = vec![1];
    push_string(&mut bytes, user);
    push_string(&mut bytes, password);
    Ok(bytes)
}

fn check_length(what: &'static str, text: &[u8]) -> Result<(), SocksError> {
    match text.len() {
        0..=LONGEST => Ok(()),
        length => Err(SocksError::CredentialLength { what, length }),
    }
}

/// A string behind its length. Callers have checked it; the cut keeps the two in step whatever
/// they did.
fn push_string(bytes: &mut Vec<u8>, text: &[u8]) {
    let length = u8::try_from(text.len()).unwrap_or(u8::MAX);
    bytes.push(length);
    bytes.extend(text.iter().take(usize::from(length)));
}

/// The answer of SOCKS 4: 0, a code, and six bytes without meaning for CONNECT. Gives its length.
pub(super) fn reply4(answer: &[u8]) -> Result<usize, Need> {
    const LENGTH: usize = 8;
    version(answer, 0, SocksPart::Connect4)?;
    match byte(answer, 1)? {
        90 => whole(answer, LENGTH),
        code => Err(Need::Failed(SocksError::Refused { part: SocksPart::Connect4, code })),
    }
}

/// The choice of a method (RFC 1928 §3).
pub(super) fn method(answer: &[u8], with_password: bool) -> Result<Method, Need> {
    version(answer, 5, SocksPart::Method)?;
    match (byte(answer, 1)?, with_password) {
        (0, _) => Ok(Method::Nothing),
        (2, true) => Ok(Method::Password),
        (0xff, _) => Err(Need::Failed(SocksError::NoMethod { with_password })),
        (method, _) => Err(Need::Failed(SocksError::MethodNotOffered { method })),
    }
}

/// The answer to user and password (RFC 1929 §2).
pub(super) fn authenticated(answer: &[u8]) -> Result<(), Need> {
    version(answer, 1, SocksPart::Authentication)?;
    match byte(answer, 1)? {
        0 => Ok(()),
        code => Err(Need::Failed(SocksError::Refused { part: SocksPart::Authentication, code })),
    }
}

/// The answer of SOCKS 5 (RFC 1928 §6). Gives its length; the address that the proxy is bound to
/// has no use. A refusal is one as soon as its code is there: some proxies send no more of it.
pub(super) fn reply5(answer: &[u8]) -> Result<usize, Need> {
    version(answer, 5, SocksPart::Connect5)?;
    let code = byte(answer, 1)?;
    if code != 0 {
        return Err(Need::Failed(SocksError::Refused { part: SocksPart::Connect5, code }));
    }
    let address = match byte(answer, 3)? {
        1 => 4,
        3 => 1 + usize::from(byte(answer, 4)?),
        4 => 16,
        kind => return Err(Need::Failed(SocksError::AddressType { kind })),
    };
    whole(answer, 4 + address + 2)
}

fn version(answer: &[u8], expected: u8, part: SocksPart) -> Result<(), Need> {
    match byte(answer, 0)? {
        received if received == expected => Ok(()),
        received => Err(Need::Failed(SocksError::Version { part, expected, received })),
    }
}

fn byte(answer: &[u8], at: usize) -> Result<u8, Need> {
    answer.get(at).copied().ok_or(Need::More)
}

fn whole(answer: &[u8], length: usize) -> Result<usize, Need> {
    if answer.len() < length { Err(Need::More) } else { Ok(length) }
}
