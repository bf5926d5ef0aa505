//! SOCKS: the dialogue that turns a connection to a proxy into one to an origin.

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
