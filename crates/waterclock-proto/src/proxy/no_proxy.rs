//! [`NoProxy`]: the hosts that are asked without a proxy.

use crate::message::parse_decimal;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// The hosts that are asked without a proxy: a list as in `NO_PROXY`.
///
/// Entries are separated by commas or white space; an entry that is none of these matches nothing:
///
/// | entry | matches |
/// |---|---|
/// | `example.com`, `.example.com` | that name and every name below it, never `badexample.com` |
/// | `192.0.2.1`, `0xc0.0.2.1`, `::1`, `[::1]` | that address, however the URL writes it |
/// | `10.0.0.0/8`, `fd00::/8` | the addresses of that network |
/// | `example.com:8080`, `192.0.2.1:80`, `[::1]:80` | the same at that port only, default ports included |
/// | `*` | everything |
///
/// Case, a trailing dot and the form of an international name (Unicode or Punycode) do not matter.
/// An IPv4 address inside an IPv6 one (`::ffff:192.0.2.1`) is taken as the IPv4 address.
///
/// Where tools differ: that `.example.com` matches the bare name too is what requests and curl do
/// (Go asks for subdomains only); CIDR for IPv6 and ports are Go's and curl's; `*` in the midst of
/// a list is Go's. No name is looked up to compare addresses, and `localhost` and the
/// loopback addresses are like all others: list them if a proxy must not get them.
///
/// ```
/// use waterclock_proto::proxy::NoProxy;
///
/// let list = NoProxy::parse("localhost, .corp.example, 10.0.0.0/8");
/// assert!(list.matches(&"http://wiki.corp.example/".parse()?));
/// assert!(list.matches(&"http://10.1.2.3:8080/".parse()?));
/// assert!(!list.matches(&"http://evilcorp.example/".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoProxy(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    All,
    /// A name and those below it: ASCII, lower case, no dot at either end.
    Domain(Box<str>),
    Network {
        address: IpAddr,
        bits: u32,
    },
}

impl NoProxy {
    /// Reads a list. Entries that make no sense are left out, as in every other tool.
    #[must_use]
    pub fn parse(list: &str) -> NoProxy {
        let entries = list.split(|c: char| c == ',' || c.is_whitespace());
        NoProxy(entries.filter_map(Entry::parse).collect())
    }

    /// Whether `url` is to be asked without a proxy.
    #[must_use]
    pub fn matches(&self, url: &Url) -> bool {
        // Most lists are empty, and the host need not be looked at.
        if self.0.is_empty() {
            return false;
        }
        let Some(host) = url.host() else { return false };
        let port = url.port_or_known_default();
        self.0.iter().any(|entry| {
            entry.port.is_none_or(|own| Some(own) == port) && entry.hosts.contain(&host)
        })
    }

    /// Whether it matches nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Entry> {
        if text == "*" {
            return Some(Entry { hosts: Hosts::All, port: None });
        }
        if let Some((address, bits)) = text.split_once('/') {
            return Some(Entry { hosts: Hosts::network(address, bits)?, port: None });
        }
        if let Ok(address) = text.parse::<Ipv6Addr>() {
            return Some(Entry { hosts: Hosts::address(address.into()), port: None });
        }
        // The last colon outside of brackets.
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(parse_port(port)?)),
            _ => (text, None),
        };
        Some(Entry { hosts: Hosts::parse(host)?, port })
    }
}

fn parse_port(text: &str) -> Option<u16> {
    let port = parse_decimal(text.as_bytes())?;
    u16::try_from(port).ok().filter(|&port| port != 0)
}

impl Hosts {
    fn parse(text: &str) -> Option<Hosts> {
        match Host::parse(text.trim_start_matches('.')).ok()? {
            Host::Ipv4(address) => Some(Hosts::address(address.into())),
            Host::Ipv6(address) => Some(Hosts::address(address.into())),
            Host::Domain(name) => {
                let name = without_dot(&name);
                (!name.is_empty()).then(|| Hosts::Domain(name.into()))
            }
        }
    }

    fn address(address: IpAddr) -> Hosts {
        let address = address.to_canonical();
        Hosts::Network { address, bits: width(address) }
    }

    /// A network as RFC 4632 §3.1 and RFC 4291 §2.3 write it; bits behind the prefix are ignored.
    fn network(address: &str, bits: &str) -> Option<Hosts> {
        let inner = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let address = match inner {
            Some(inner) => IpAddr::V6(inner.parse().ok()?),
            None => address.parse().ok()?,
        };
        let bits = u32::try_from(parse_decimal(bits.as_bytes())?).ok()?;
        if bits > width(address) {
            return None;
        }
        // A network inside ::ffff:0:0/96 is one of IPv4, as hosts are compared in that form.
        match (address.to_canonical(), bits.checked_sub(96)) {
            (IpAddr::V4(mapped), Some(bits)) if address.is_ipv6() => {
                Some(Hosts::Network { address: mapped.into(), bits })
            }
            _ => Some(Hosts::Network { address, bits }),
        }
    }

    fn contain(&self, host: &Host<&str>) -> bool {
        match (self, host) {
            (Hosts::All, _) => true,
            (Hosts::Domain(domain), Host::Domain(name)) => is_within(without_dot(name), domain),
            (Hosts::Network { address, bits }, Host::Ipv4(host)) => {
                same_prefix(*address, IpAddr::V4(*host), *bits)
            }
            (Hosts::Network { address, bits }, Host::Ipv6(host)) => {
                same_prefix(*address, IpAddr::V6(*host).to_canonical(), *bits)
            }
            _ => false,
        }
    }
}

/// Whether `name` is `domain` or ends in `.domain`.
fn is_within(name: &str, domain: &str) -> bool {
    let Some(split) = name.len().checked_sub(domain.len()) else { return false };
    let (Some(above), Some(end)) = (name.get(..split), name.get(split..)) else { return false };
    end.eq_ignore_ascii_case(domain) && (above.is_empty() || above.ends_with('.'))
}

/// A name without the dot of the root.
pub(super) fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { Ipv4Addr::BITS } else { Ipv6Addr::BITS }
}

fn same_prefix(one: IpAddr, other: IpAddr, bits: u32) -> bool {
    match (one, other) {
        // A shift by the whole width is what `checked_shr` refuses: no bit is compared then.
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            let differing = one.to_bits() ^ other.to_bits();
            differing.checked_shr(Ipv4Addr::BITS - bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => {
            let differing = one.to_bits() ^ other.to_bits();
            differing.checked_shr(Ipv6Addr::BITS - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}
