//! Misbehaving peers on loopback, scripted step by step: HTTP servers, TLS handshakes, proxies,
//! name servers and black holes.
//!
//! Everything is real, the sockets, TLS and UDP DNS, and nothing needs rights, files or a network.
//! What a server does is a list of [`Step`]s; what it saw can be asked afterwards.
//!
//! ```
//! use std::time::Duration;
//! use waterclock_lab::{Identity, Script, Server, Step, Tls, TlsScript, after, respond};
//!
//! // TLS in two late pieces, then a head that takes 100 ms.
//! let flights = [Duration::from_millis(90), Duration::from_millis(30)];
//! let tls = Tls::new(Identity::new(&["127.0.0.1"])?)
//!     .script(TlsScript::new().first_flight(flights));
//! let slow = after(Duration::from_millis(100), respond(200, "hello"));
//! let server = Server::builder().tls(tls).script(Script::every_request(slow)).start()?;
//! assert!(server.url("/").starts_with("https://127.0.0.1:"));
//!
//! // A server that takes the request and resets the connection.
//! let rude = Server::start(vec![Step::ReadHead, Step::Reset])?;
//! # let _ = rude;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! A user-space server cannot delay a TCP connect on loopback, since the kernel answers the SYN;
//! a full backlog can ([`Blackhole`], [`Builder::accept_after`]).
#![allow(clippy::disallowed_methods)] // the lab is the peer: its business is to block and sleep

mod blackhole;
mod dns;
mod fast;
mod head;
mod identity;
mod input;
mod link;
mod listener;
mod log;
mod proxy;
mod relay;
pub mod scene;
mod script;
mod server;
mod session;
mod socks;
mod step;
mod stop;
mod stream;
mod tls;
pub mod trial;

pub use blackhole::Blackhole;
pub use dns::{DnsAnswer, DnsQuery, DnsServer, DnsStub, Family, Says, Zone};
pub use fast::{FastBuilder, FastServer};
pub use identity::{Authority, Identity};
pub use log::{Event, Handshakes, ReceivedRequest};
pub use proxy::{Proxy, ProxyAction, ProxyBuilder};
pub use script::Script;
pub use server::{Builder, Server};
pub use socks::{Socks, SocksAction, SocksBuilder, SocksHost, SocksRequest};
pub use step::{
    Step, after, chunk, drip_body, head, head_then_stall, redirect, respond, respond_chunked,
    respond_with,
};
pub use tls::{Tls, TlsScript, TlsVersion};
