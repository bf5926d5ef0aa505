//! Names: who is asked, and what never has to be asked.

use crate::call::Call;
use crate::error::{ErrorKind, Failure, Outcome};
use crate::world::{Answer, Interest, PendingLookup};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::str::FromStr;
use std::sync::Arc;
use waterclock_proto::limit::Limit;
use waterclock_proto::timeline::{Phase, What};

/// Looks names up. Pluggable; the default is the world's name service (`getaddrinfo`).
///
/// `lookup` begins and must not block: a blocking function goes into a
/// [`ThreadedLookup`](crate::world::real::ThreadedLookup), which is a `Resolver` itself.
pub trait Resolver: Send + Sync + fmt::Debug {
    /// Begins to look up `name`. The answer comes through `answer`, at any time, from any thread.
    fn lookup(&self, name: &str, port: u16, answer: Answer);
}

#[cfg(unix)]
impl Resolver for crate::world::real::ThreadedLookup {
    fn lookup(&self, name: &str, port: u16, answer: Answer) {
        crate::world::real::ThreadedLookup::lookup(self, name, port, answer);
    }
}

/// An address that is used for a host and port instead of asking: curl's `--resolve`.
///
/// ```
/// use waterclock::ResolveOverride;
///
/// let rule: ResolveOverride = "example.com:443:127.0.0.1".parse()?;
/// assert_eq!(rule.to_string(), "example.com:443:127.0.0.1");
/// assert!("example.com:443".parse::<ResolveOverride>().is_err());
/// # Ok::<(), waterclock::InvalidOverride>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolveOverride {
    host: Box<str>,
    port: u16,
    addresses: Vec<IpAddr>,
}

impl ResolveOverride {
    /// `addresses` for `host` and `port`.
    #[must_use]
    pub fn new(host: &str, port: u16, addresses: Vec<IpAddr>) -> Self {
        ResolveOverride { host: host.into(), port, addresses }
    }
}

/// A text that is not `host:port:address[,address...]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidOverride(Box<str>);

impl fmt::Display for InvalidOverride {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" is not HOST:PORT:ADDRESS[,ADDRESS...]", self.0.escape_debug())
    }
}

impl std::error::Error for InvalidOverride {}

impl FromStr for ResolveOverride {
    type Err = InvalidOverride;

    fn from_str(text: &str) -> Result<Self, InvalidOverride> {
        let parse = || {
            let (host, rest) = text.split_once(':')?;
            let (port, addresses) = rest.split_once(':')?;
            let addresses: Option<Vec<IpAddr>> =
                addresses.split(',').map(|address| unbracketed(address).parse().ok()).collect();
            let port = port.parse().ok()?;
            (!host.is_empty()).then_some(())?;
            Some(ResolveOverride { host: host.into(), port, addresses: addresses? })
        };
        parse().ok_or_else(|| InvalidOverride(text.into()))
    }
}

impl fmt::Display for ResolveOverride {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:", self.host, self.port)?;
        for (index, address) in self.addresses.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{address}")?;
        }
        Ok(())
    }
}

/// Who answers for names in one adapter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    pub(crate) resolver: Option<Arc<dyn Resolver>>,
    pub(crate) overrides: Vec<ResolveOverride>,
}

impl Names {
    /// The addresses of `host`, waited for under the limits `resolve` and `connect`. Literals and
    /// overrides need no wait.
    pub(crate) fn resolve(
        &self,
        call: &mut Call,
        host: &str,
        port: u16,
    ) -> Outcome<Vec<SocketAddr>> {
        let matches =
            |rule: &&ResolveOverride| rule.port == port && rule.host.eq_ignore_ascii_case(host);
        if let Some(rule) = self.overrides.iter().rfind(matches) {
            return Ok(rule.addresses.iter().map(|&ip| SocketAddr::new(ip, port)).collect());
        }
        if let Some(address) = literal(host, port)? {
            return Ok(vec![address]);
        }
        let now = call.now();
        call.arm(Limit::Resolve, now);
        let result = self.ask(call, host, port);
        call.disarm(&[Limit::Resolve]);
        result
    }

    fn ask(&self, call: &mut Call, host: &str, port: u16) -> Outcome<Vec<SocketAddr>> {
        let failed = |error| {
            Failure::from_error(ErrorKind::Resolve, format_args!("cannot resolve {host}"), error)
        };
        let (pending, answer) = PendingLookup::new(call.world().signal().map_err(failed)?);
        match &self.resolver {
            Some(resolver) => resolver.lookup(host, port, answer),
            None => call.world().lookup(host, port, answer),
        }
        loop {
            call.wait(Phase::Resolve, What::Answer, &mut [Interest::read(pending.source())])?;
            match pending.take() {
                Some(Ok(addresses)) if addresses.is_empty() => {
                    let text = format!("cannot resolve {host}: it has no address");
                    return Err(Failure::new(ErrorKind::Resolve, text));
                }
                Some(result) => return result.map_err(failed),
                None => {}
            }
        }
    }
}

fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host)
}

/// The address that `host` spells, with an IPv6 zone (`fe80::1%eth0`, RFC 4007) if it has one.
fn literal(host: &str, port: u16) -> Outcome<Option<SocketAddr>> {
    let host = unbracketed(host);
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(Some(SocketAddr::new(ip, port)));
    }
    let Some((address, zone)) = host.split_once('%') else { return Ok(None) };
    let Ok(ip) = address.parse::<Ipv6Addr>() else { return Ok(None) };
    let scope = zone_index(zone).ok_or_else(|| {
        let text = format!("there is no network interface \"{}\" (IPv6 zone)", zone.escape_debug());
        Failure::new(ErrorKind::InvalidUrl, text)
    })?;
    Ok(Some(SocketAddrV6::new(ip, port, 0, scope).into()))
}

fn zone_index(zone: &str) -> Option<u32> {
    zone.parse().ok().or_else(|| crate::world::interface_index(zone))
}
