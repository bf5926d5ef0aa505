//! Test your own limits in microseconds: a simulated network and a virtual clock for
//! [waterclock].
//!
//! A [`SimWorld`] is a [`World`](waterclock::world::World), so the unchanged client runs in it. No
//! thread sleeps and no packet is sent: time moves only while the client waits, and then at once to
//! the next thing that happens. What takes a minute takes a minute on the virtual clock, to the
//! nanosecond, and so a test compares instants for equality and needs no tolerance.
//!
//! Names answer when [`SimWorld::host`] says so; addresses [accept](SimWorld::listen),
//! [refuse](SimWorld::refuse) or [keep silent](SimWorld::black_hole); behind an address that
//! accepts, a [`Script`] or any other [`Peer`] reads and answers.
//!
//! A peer that sends half a line and falls silent, and a reader with a limit of a second:
//!
//! ```
//! use std::time::Duration;
//! use waterclock::world::{Endpoint, Interest, SocketOptions, Woke, World};
//! use waterclock_proto::tick::Tick;
//! use waterclock_sim::{Script, SimWorld};
//!
//! # fn main() -> std::io::Result<()> {
//! let ms = Duration::from_millis;
//! let world = SimWorld::new();
//! world.listen("192.0.2.1:80").after(ms(30)).serve(Script::new().wait(ms(20)).send("HTTP/").stall());
//!
//! let address = Endpoint::Tcp("192.0.2.1:80".parse().unwrap());
//! let mut socket = world.open(&address, &SocketOptions::default())?.socket;
//! world.wait(&mut [Interest::write(socket.source())], Tick::NEVER)?;
//! socket.connected()?;
//! assert_eq!(world.now(), Tick::ZERO.after(ms(30)));
//!
//! let mut line = [0; 80];
//! world.wait(&mut [Interest::read(socket.source())], Tick::NEVER)?;
//! assert_eq!(socket.read(&mut line)?, 5);
//! assert_eq!(world.now(), Tick::ZERO.after(ms(50)));
//!
//! let limit = world.now().after(ms(1000));
//! let woke = world.wait(&mut [Interest::read(socket.source())], limit)?;
//! assert_eq!(woke, Woke::Expired);
//! assert_eq!(world.now(), Tick::ZERO.after(ms(1050)));
//!
//! drop(socket);
//! assert_eq!(world.open_sockets(), 0);
//! # Ok(())
//! # }
//! ```
//!
//! `examples/own_limits.rs` tests a function with limits of its own, through a whole session.
//!
//! # What happens when
//!
//! Events happen in the order of their instants, and at one instant in the order in which they were
//! caused. A wait first lets everything happen that happens at its instant, then looks whether
//! something is ready, and only then moves the clock. If an event and the deadline fall on the same
//! instant, the event happens, and the wait says [`Ready`](waterclock::world::Woke::Ready): who
//! wins is for the client to decide. Local work takes no time unless a test says so with
//! [`SimWorld::advance`].
//!
//! A wait that has no deadline and that nothing can end would never come back. The world panics
//! then, and says what is waited for and what every peer is doing.
//!
//! What lies between client and peer is a [`Link`]: latency, jitter, bandwidth, a window, short reads and
//! writes, bytes after which everything is lost or reset. A listener has [workers](Listener::workers)
//! and a [backlog](Listener::backlog). All that is drawn follows from the world's
//! [seed](SimWorld::with_seed).
//!
//! Several threads share a world through [`SimWorld::threads`]: one of them runs at a time, in an
//! order that the seed draws, so a race that a test has found once it finds each time.
//!
//! # Features
//!
//! - `tls`: peers that speak TLS; see `TlsServer`.

mod backlog;
mod chance;
mod connection;
mod crew;
mod host;
mod link;
mod net;
mod peer;
mod reading;
mod record;
mod script;
mod signal;
mod threads;
#[cfg(feature = "tls")]
mod tls;
mod world;

pub use host::{Host, Listener, Refusal};
pub use link::{Direction, Link};
pub use peer::{Peer, Wire};
pub use record::{Connection, Subject, WaitRecord, Waited};
pub use script::Script;
pub use threads::Threads;
#[cfg(feature = "tls")]
pub use tls::{TlsPeer, TlsServer};
pub use world::SimWorld;
