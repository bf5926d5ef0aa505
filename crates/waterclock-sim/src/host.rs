//! Names and addresses: what they answer, and when.

use crate::net::lock;
use crate::peer::{Peer, clones};
use crate::world::SimWorld;
use std::fmt::Display;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use waterclock::world::Endpoint;

/// What a name answers.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) outcome: Outcome,
    pub(crate) delay: Duration,
}

#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Addresses(Vec<IpAddr>),
    Fails(ErrorKind),
    Never,
}

/// A name of the simulated world, to be set up; see [`SimWorld::host`].
#[derive(Debug)]
pub struct Host<'w> {
    pub(crate) world: &'w SimWorld,
    pub(crate) name: String,
}

impl Host<'_> {
    /// The name has these addresses (`IpAddr`s or text), in this order.
    ///
    /// # Panics
    /// If an item is not an IP address.
    pub fn resolves_to<A: Display>(self, addresses: impl IntoIterator<Item = A>) -> Self {
        let addresses = addresses.into_iter().map(|address| parse_ip(&address.to_string()));
        let outcome = Outcome::Addresses(addresses.collect());
        self.set(|name| name.outcome = outcome)
    }

    /// The lookup fails.
    pub fn fails(self, kind: ErrorKind) -> Self {
        self.set(|name| name.outcome = Outcome::Fails(kind))
    }

    /// The lookup is never answered.
    pub fn never_answers(self) -> Self {
        self.set(|name| name.outcome = Outcome::Never)
    }

    /// The answer takes `delay`. Default: none.
    pub fn after(self, delay: Duration) -> Self {
        self.set(|name| name.delay = delay)
    }

    fn set(self, change: impl FnOnce(&mut Name)) -> Self {
        let unset = Name { outcome: Outcome::Addresses(Vec::new()), delay: Duration::ZERO };
        change(lock(&self.world.net).names.entry(self.name.clone()).or_insert(unset));
        self
    }
}

/// How an address behaves.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) connect: Connect,
    pub(crate) delay: Duration,
    pub(crate) latency: Duration,
    pub(crate) window: Option<usize>,
    pub(crate) serve: Serve,
}

/// Makes the peer of the how many-th connection.
pub(crate) type Serve = Arc<dyn Fn(usize) -> Box<dyn Peer> + Send + Sync>;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Connect {
    Accepts,
    Fails(ErrorKind),
    /// [`World::open`](waterclock::world::World::open) itself fails.
    FailsAtOnce(ErrorKind),
    Never,
}

impl Place {
    pub(crate) fn new(connect: Connect) -> Self {
        Place {
            connect,
            delay: Duration::ZERO,
            latency: Duration::ZERO,
            window: None,
            serve: Arc::new(|_| Box::new(crate::Script::new())),
        }
    }
}

/// An address that accepts connections, to be set up; see [`SimWorld::listen`].
#[derive(Debug)]
pub struct Listener<'w> {
    pub(crate) world: &'w SimWorld,
    pub(crate) at: Endpoint,
}

impl Listener<'_> {
    /// A connect takes `delay`, on top of a round trip. Default: none.
    pub fn after(self, delay: Duration) -> Self {
        self.set(|place| place.delay = delay)
    }

    /// What is sent arrives `latency` later, in either direction. Default: at the same instant.
    pub fn latency(self, latency: Duration) -> Self {
        self.set(|place| place.latency = latency)
    }

    /// A peer has room for `bytes` that it did not take; more cannot be written to it. Default:
    /// any number.
    pub fn window(self, bytes: usize) -> Self {
        self.set(|place| place.window = Some(bytes))
    }

    /// Every connection gets a clone of `peer`, usually a [`Script`](crate::Script).
    pub fn serve(self, peer: impl Peer + Clone + 'static) -> Self {
        let clones = clones(peer);
        self.set(|place| place.serve = Arc::new(move |_| clones()))
    }

    /// Each connection gets the peer that `make` gives for its number, counted from 0.
    pub fn serve_with<P: Peer + 'static>(
        self,
        make: impl Fn(usize) -> P + Send + Sync + 'static,
    ) -> Self {
        self.set(|place| place.serve = Arc::new(move |number| Box::new(make(number))))
    }

    fn set(self, change: impl FnOnce(&mut Place)) -> Self {
        self.world.change_place(&self.at, change);
        self
    }
}

/// An address that cannot be connected to, to be set up; see [`SimWorld::refuse`].
#[derive(Debug)]
pub struct Refusal<'w> {
    pub(crate) world: &'w SimWorld,
    pub(crate) at: Endpoint,
}

impl Refusal<'_> {
    /// The refusal takes `delay`. Default: it comes at the same instant, but is to be waited for.
    pub fn after(self, delay: Duration) -> Self {
        self.set(|place| place.delay = delay)
    }

    /// The error. Default: `ConnectionRefused`.
    pub fn with(self, kind: ErrorKind) -> Self {
        self.set(|place| {
            place.connect = match place.connect {
                Connect::FailsAtOnce(_) => Connect::FailsAtOnce(kind),
                _ => Connect::Fails(kind),
            }
        })
    }

    /// [`World::open`](waterclock::world::World::open) itself fails, as it does where there is no
    /// route.
    pub fn at_once(self) -> Self {
        self.set(|place| {
            if let Connect::Fails(kind) = place.connect {
                place.connect = Connect::FailsAtOnce(kind);
            }
        })
    }

    fn set(self, change: impl FnOnce(&mut Place)) -> Self {
        self.world.change_place(&self.at, change);
        self
    }
}

#[allow(clippy::panic, reason = "a test tool, used wrongly")]
fn parse_ip(text: &str) -> IpAddr {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is not an IP address"))
}

/// An `address:port`, or the path of a Unix socket.
#[allow(clippy::panic, reason = "a test tool, used wrongly")]
pub(crate) fn parse_endpoint(text: &str) -> Endpoint {
    match text.parse() {
        Ok(address) => Endpoint::Tcp(address),
        Err(_) if text.starts_with('/') => Endpoint::Unix(text.into()),
        Err(_) => panic!("{text:?} is neither an address:port nor an absolute path"),
    }
}
