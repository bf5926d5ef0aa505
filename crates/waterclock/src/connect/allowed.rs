//! Which addresses may be connected to.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

type Rule = dyn Fn(&SocketAddr) -> bool + Send + Sync;

/// The caller's rule; without one everything is allowed.
#[derive(Clone, Default)]
pub(crate) struct Allowed(Option<Arc<Rule>>);

impl Allowed {
    pub(crate) fn by(rule: impl Fn(&SocketAddr) -> bool + Send + Sync + 'static) -> Self {
        Allowed(Some(Arc::new(rule)))
    }

    pub(crate) fn has_rule(&self) -> bool {
        self.0.is_some()
    }

    /// An IPv4 address that is mapped into IPv6 (RFC 4291 §2.5.5.2) leads to where the IPv4 address
    /// does, so that is what the rule is asked about.
    pub(crate) fn allows(&self, address: SocketAddr) -> bool {
        let Some(rule) = &self.0 else { return true };
        match address.ip().to_canonical() {
            IpAddr::V4(ip) => rule(&SocketAddr::new(ip.into(), address.port())),
            IpAddr::V6(_) => rule(&address),
        }
    }
}

impl fmt::Debug for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.has_rule() { "Allowed(by a rule)" } else { "Allowed(all)" })
    }
}

/// Whether an address is one of the public internet (RFC 6890): for
/// [`SessionBuilder::allow_address`](crate::SessionBuilder::allow_address).
///
/// Private, loopback, link-local, shared, multicast, documentation and reserved addresses are not. An
/// IPv4 address inside an IPv6 one (mapped, NAT64, 6to4) counts as itself.
///
/// ```
/// use waterclock::is_public;
///
/// assert!(is_public(&"1.1.1.1:443".parse()?));
/// for inside in ["10.0.0.1:80", "169.254.169.254:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
///     assert!(!is_public(&inside.parse()?), "{inside}");
/// }
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[must_use]
pub fn is_public(address: &SocketAddr) -> bool {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let special = match ip.octets() {
        [0 | 10 | 127 | 224.., ..] => true,
        [100, 64..=127, ..] => true, // shared (RFC 6598)
        [169, 254, ..] => true,      // link-local, with clouds' metadata
        [172, 16..=31, ..] | [192, 168, ..] => true,
        [192, 0, 0 | 2, _] => true, // protocols, documentation
        [192, 88, 99, _] => true,   // 6to4 relays (RFC 7526)
        [198, 18 | 19, ..] => true, // benchmarks (RFC 2544)
        [198, 51, 100, _] | [203, 0, 113, _] => true,
        _ => false,
    };
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let inside = |high: u16, low: u16| {
        let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match ip.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => inside(high, low), // NAT64 (RFC 6052)
        [0x2002, high, low, ..] => inside(high, low),               // 6to4 (RFC 3056)
        [0x2001, 0..=0x1ff | 0xdb8, ..] => false, // protocols with Teredo, documentation
        [0x3fff, 0..=0xfff, ..] => false,         // documentation (RFC 9637)
        [first, ..] => first & 0xe000 == 0x2000,  // global unicast (RFC 4291 §2.4)
    }
}
