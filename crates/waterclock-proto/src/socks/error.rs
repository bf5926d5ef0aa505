//! [`SocksError`]: what cannot be said in SOCKS, or what the proxy said instead of yes.

use std::fmt;
use std::net::IpAddr;

/// Why there is no connection through a SOCKS proxy. No credentials are in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SocksError {
    /// A name for SOCKS 4, which takes addresses only. Nothing was sent.
    NameInV4,
    /// An address that SOCKS 4 and 4a cannot carry. Nothing was sent.
    AddressInV4 {
        /// The address.
        address: IpAddr,
    },
    /// A name that does not have 1 to 255 bytes. Nothing was sent.
    NameLength {
        /// Its bytes.
        length: usize,
    },
    /// A name with a byte that is not visible ASCII. Nothing was sent.
    NameByte {
        /// Where it stands.
        offset: usize,
    },
    /// A user or password of more than 255 bytes. Nothing was sent.
    CredentialLength {
        /// Which of them.
        what: &'static str,
        /// Its bytes.
        length: usize,
    },
    /// A NUL in the user id of SOCKS 4, where it would end it. Nothing was sent.
    NulInUser {
        /// Where it stands.
        offset: usize,
    },
    /// An answer that does not begin with the version.
    Version {
        /// What was asked.
        part: SocksPart,
        /// The version.
        expected: u8,
        /// What stood in its place.
        received: u8,
    },
    /// The proxy takes none of the methods that were offered (RFC 1928 §3).
    NoMethod {
        /// Whether user and password were among them.
        with_password: bool,
    },
    /// The proxy chose a method that was not offered.
    MethodNotOffered {
        /// The method.
        method: u8,
    },
    /// The proxy said no.
    Refused {
        /// What it was asked.
        part: SocksPart,
        /// Its code.
        code: u8,
    },
    /// An address of a type that RFC 1928 §5 does not have.
    AddressType {
        /// The type.
        kind: u8,
    },
    /// The proxy answered before it was asked.
    Early {
        /// What it answered.
        during: SocksPart,
    },
    /// The proxy closed the connection inside the dialogue.
    Closed {
        /// What it was asked.
        during: SocksPart,
        /// The bytes of its answer to that.
        received: usize,
    },
}

/// A part of the dialogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocksPart {
    /// The only exchange of SOCKS 4 and 4a.
    Connect4,
    /// Which authentication? (RFC 1928 §3)
    Method,
    /// User and password (RFC 1929).
    Authentication,
    /// The request of SOCKS 5 (RFC 1928 §4).
    Connect5,
}

impl SocksError {
    /// Whether the error was found before anything was sent, so that the proxy has no part in it.
    #[must_use]
    pub const fn is_local(&self) -> bool {
        use SocksError as E;
        matches!(
            self,
            E::NameInV4
                | E::AddressInV4 { .. }
                | E::NameLength { .. }
                | E::NameByte { .. }
                | E::CredentialLength { .. }
                | E::NulInUser { .. }
        )
    }
}

/// What a code means, and what can be done.
const fn refusal(part: SocksPart, code: u8) -> &'static str {
    use SocksPart as P;
    match (part, code) {
        (P::Connect4, 91) => "request rejected or failed",
        (P::Connect4, 92) => "request rejected, as the proxy cannot reach an identd here",
        (P::Connect4, 93) => "request rejected, as identd here names another user",
        (P::Authentication, _) => "wrong user or password",
        (P::Connect5, 1) => "general failure",
        (P::Connect5, 2) => "not allowed by the proxy's rules",
        (P::Connect5, 3) => "network unreachable",
        (P::Connect5, 4) => "host unreachable",
        (P::Connect5, 5) => "connection refused",
        (P::Connect5, 6) => "TTL expired",
        (P::Connect5, 7) => "command not supported",
        (P::Connect5, 8) => {
            "address type not supported; try the other of socks5:// (sends addresses) and \
             socks5h:// (sends names)"
        }
        _ => "a code without a meaning",
    }
}

/// What a proxy that answers with such a first byte may be.
const fn guess(part: SocksPart, received: u8) -> &'static str {
    match (part, received) {
        (SocksPart::Connect4 | SocksPart::Method, b'H') => {
            "; this looks like an HTTP proxy, try http://"
        }
        // An alert record (RFC 8446 §6).
        (SocksPart::Connect4 | SocksPart::Method, 0x15) => {
            "; this looks like TLS, perhaps an HTTPS proxy: try https://"
        }
        (SocksPart::Connect4, 5) => "; this looks like SOCKS 5, try socks5:// or socks5h://",
        (SocksPart::Method, 0 | 4) => "; this looks like SOCKS 4, try socks4:// or socks4a://",
        _ => "",
    }
}

impl fmt::Display for SocksPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SocksPart::Connect4 => "the SOCKS 4 request",
            SocksPart::Method => "the SOCKS 5 greeting",
            SocksPart::Authentication => "user and password (RFC 1929)",
            SocksPart::Connect5 => "the SOCKS 5 request",
        })
    }
}

impl fmt::Display for SocksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use SocksError as E;
        match self {
            E::NameInV4 => f.write_str(
                "SOCKS 4 takes addresses, not names; look the name up, or let the proxy do it with \
                 socks4a:// or socks5h://",
            ),
            E::AddressInV4 { address } => {
                write!(f, "SOCKS 4 cannot carry the address {address}; try socks5://")
            }
            E::NameLength { length } => {
                write!(f, "the name for the proxy has {length} bytes; SOCKS takes 1 to 255")
            }
            E::NameByte { offset } => write!(
                f,
                "the name for the proxy is not visible ASCII at offset {offset}; write it in its \
                 ASCII form (xn--...)"
            ),
            E::CredentialLength { what, length } => {
                write!(f, "the {what} for the proxy has {length} bytes; SOCKS takes at most 255")
            }
            E::NulInUser { offset } => {
                write!(f, "the user for the SOCKS 4 proxy has a NUL at offset {offset}; remove it")
            }
            E::Version { part, expected, received } => write!(
                f,
                "the answer to {part} begins with byte {received:#04x} instead of {expected:#04x}{}",
                guess(*part, *received)
            ),
            E::NoMethod { with_password: false } => f.write_str(
                "the SOCKS proxy wants authentication; give it as socks5://user:password@host",
            ),
            E::NoMethod { with_password: true } => f.write_str(
                "the SOCKS proxy wants a kind of authentication other than user and password",
            ),
            E::MethodNotOffered { method } => {
                write!(f, "the SOCKS proxy chose method {method}, which was not offered")
            }
            E::Refused { part, code } => {
                write!(f, "the SOCKS proxy refused {part}: {} (code {code})", refusal(*part, *code))
            }
            E::AddressType { kind } => {
                write!(f, "address type {kind} in the answer to {}", SocksPart::Connect5)
            }
            E::Early { during } => {
                write!(f, "the SOCKS proxy sent bytes before {during} was sent")
            }
            E::Closed { during: SocksPart::Authentication, received: 0 } => write!(
                f,
                "the SOCKS proxy closed instead of answering {}; they may be wrong",
                SocksPart::Authentication
            ),
            E::Closed { during, received: 0 } => write!(
                f,
                "the SOCKS proxy closed instead of answering {during}; it may be no SOCKS proxy, \
                 or one of another version"
            ),
            E::Closed { during, received } => {
                write!(f, "the SOCKS proxy closed after {received} bytes of its answer to {during}")
            }
        }
    }
}

impl std::error::Error for SocksError {}
