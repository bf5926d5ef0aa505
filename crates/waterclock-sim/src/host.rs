//! Names and addresses: what they answer, and when.

use crate::link::Link;
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
    pub(crate) link: Links,
    /// How many connections are served at a time, and how many wait for that.
    pub(crate) workers: usize,
    pub(crate) backlog: usize,
    pub(crate) serve: Serve,
}

/// Makes the link of the how many-th connection.
pub(crate) type Links = Arc<dyn Fn(usize) -> Link + Send + Sync>;

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
            link: Arc::new(|_| Link::new()),
            workers: usize::MAX,
            backlog: usize::MAX,
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

    /// What is sent arrives `latency` later, in either direction; see [`Link::latency`].
    pub fn latency(self, latency: Duration) -> Self {
        self.also(move |link| link.latency(latency))
    }

    /// A peer has room for `bytes` that it did not take; see [`Link::window`].
    pub fn window(self, bytes: usize) -> Self {
        self.also(move |link| link.window(bytes))
    }

    /// Every connection goes over such a link; what [`latency`](Self::latency) and
    /// [`window`](Self::window) have set before is replaced.
    pub fn link(self, link: Link) -> Self {
        self.link_with(move |_| link.clone())
    }

    /// Each connection goes over the link that `make` gives for its number, counted from 0.
    pub fn link_with(self, make: impl Fn(usize) -> Link + Send + Sync + 'static) -> Self {
        self.set(|place| place.link = Arc::new(make))
    }

    fn also(self, change: impl Fn(Link) -> Link + Send + Sync + 'static) -> Self {
        self.set(|place| {
            let before = Arc::clone(&place.link);
            place.link = Arc::new(move |number| change(before(number)));
        })
    }

    /// Serves `count` connections at a time; the next one is served when one of them is over, as the
    /// peer sees it. Default: any number.
    pub fn workers(self, count: usize) -> Self {
        self.set(|place| place.workers = count)
    }

    /// So many connections, beyond those that are [served](Self::workers), are connected and wait
    /// to be; whoever comes while the backlog is full gets no answer. As with Linux, the client's
    /// system then asks again after 1, 3, 7, 15, 31 and 63 s, and gives up after 127 s (`TimedOut`).
    /// Default: any number.
    pub fn backlog(self, count: usize) -> Self {
        self.set(|place| place.backlog = count)
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
