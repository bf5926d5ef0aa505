//! Name lookups over real UDP: a scripted server and a small stub resolver.

mod server;
mod stub;

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

pub use server::{DnsQuery, DnsServer};
pub use stub::DnsStub;

/// The address family that a query asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// A records.
    V4,
    /// AAAA records.
    V6,
}

impl Family {
    fn of(self, address: &IpAddr) -> bool {
        address.is_ipv4() == (self == Family::V4)
    }
}

/// What a name server says about one name and family, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsAnswer {
    /// The time between query and answer.
    pub after: Duration,
    /// So many first queries are lost.
    pub lost: usize,
    /// The answer itself.
    pub says: Says,
}

/// The content of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    /// These addresses; none is an empty answer (NODATA).
    Addresses(Vec<IpAddr>),
    /// NXDOMAIN: there is no such name.
    NoSuchName,
    /// SERVFAIL: the server could not find out.
    Failure,
    /// First an answer with a wrong id and false addresses, as an attacker sends it, and then
    /// this one.
    AfterForgery(Vec<IpAddr>),
    /// Nothing, ever.
    Silence,
}

impl DnsAnswer {
    /// An answer that comes after this time.
    pub fn after(after: Duration, says: Says) -> Self {
        DnsAnswer { after, lost: 0, says }
    }
}

/// Names and what is said about them. Everything else is NXDOMAIN at once.
///
/// ```
/// use std::net::Ipv4Addr;
/// use std::time::Duration;
/// use waterclock_lab::{DnsServer, DnsStub, Zone};
///
/// let zone = Zone::new()
///     .name("shop.test", [Ipv4Addr::LOCALHOST.into()], Duration::from_millis(80))
///     .silent("never.test");
/// let server = DnsServer::start(zone)?;
/// let addresses = DnsStub::new(server.address()).lookup("shop.test")?;
/// assert_eq!(addresses, [Ipv4Addr::LOCALHOST]);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Zone {
    answers: HashMap<(String, Family), DnsAnswer>,
}

impl Zone {
    /// No names.
    pub fn new() -> Self {
        Self::default()
    }

    /// A name with these addresses. Both queries, A and AAAA, are answered after `delay`, each
    /// with the addresses of its family, which may be none.
    #[must_use]
    pub fn name(self, name: &str, addresses: impl Into<Vec<IpAddr>>, delay: Duration) -> Self {
        let addresses = addresses.into();
        let part = |family: Family| {
            let part = addresses.iter().filter(|address| family.of(address)).copied();
            DnsAnswer::after(delay, Says::Addresses(part.collect()))
        };
        self.answer(name, Family::V4, part(Family::V4)).answer(name, Family::V6, part(Family::V6))
    }

    /// A name about which the server says nothing.
    #[must_use]
    pub fn silent(self, name: &str) -> Self {
        let answer = DnsAnswer::after(Duration::ZERO, Says::Silence);
        self.answer(name, Family::V4, answer.clone()).answer(name, Family::V6, answer)
    }

    /// One answer in detail. Earlier ones about the same name and family are forgotten; a name
    /// with an answer for one family only has none (NODATA) for the other.
    #[must_use]
    pub fn answer(mut self, name: &str, family: Family, answer: DnsAnswer) -> Self {
        self.answers.insert((normal(name), family), answer);
        self
    }

    /// What is said about a name.
    fn look_up(&self, name: &str, family: Family) -> DnsAnswer {
        let name = normal(name);
        let known = |family| self.answers.get(&(name.clone(), family));
        if let Some(answer) = known(family) {
            return answer.clone();
        }
        let other = known(if family == Family::V4 { Family::V6 } else { Family::V4 });
        let says = other.map_or(Says::NoSuchName, |_| Says::Addresses(Vec::new()));
        DnsAnswer::after(Duration::ZERO, says)
    }
}

/// Case and a trailing dot mean nothing in a name.
fn normal(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}
