//! A blocking HTTP client in which every wait is bounded by a named limit, recorded and explained.
//!
//! ```no_run
//! use std::time::Duration;
//! use waterclock::{Limits, Session};
//!
//! let session = Session::builder().limits(Limits::total(Duration::from_millis(500))).build()?;
//! match session.get("https://example.com/").send() {
//!     Ok(mut response) => println!("{}\n{}", response.text()?, response.explain()),
//!     Err(error) => eprintln!("{error:#}"), // which limit, in which wait, what was spent before
//! }
//! # Ok::<(), waterclock::Error>(())
//! ```
//!
//! # Limits
//!
//! There is no `timeout`: that word means eight things in eight clients. A limit has a name, a start
//! and a stop ([`limit`] has the table), and becomes one absolute instant when it starts. It never
//! fires early. [`Limits::total`] is the deadline over the whole call that most people mean;
//! [`Limits::per_wait`] is what most clients do. [`Limits::default`] bounds the name lookup (10 s),
//! connecting (30 s) and each wait to send or receive (60 s), and nothing as a whole.
//!
//! # The timeline
//!
//! Every response and every error has a [`Timeline`]: spans without gaps, each with its wait, the limit
//! that was in force and what was left of it. [`Response::explain`] and `{error:#}` show it.
//!
//! # Threads
//!
//! A [`Session`] is cheap to clone and may be used by any number of threads at once. There is no
//! runtime and no thread of ours behind a call, except the few that call `getaddrinfo`.
//! A [`CancelHandle`] ends calls from another thread. Dropping and closing never block.
//!
//! # Features
//!
//! | feature | default | what it does |
//! |---|---|---|
//! | `ring` | yes | TLS with the ring provider |
//! | `aws-lc-rs` | no | TLS with aws-lc-rs: faster, post-quantum key exchange, slow to build |
//! | `native-roots` | yes | the operating system's root certificates |
//! | `webpki-roots` | no | Mozilla's root certificates, compiled in |
//! | `json` | no | `Request::json`, `Response::json`, cookies as JSON, the run document (module `run`), with serde |
//! | `tracing` | no | `observe::TracingObserver`: spans and events with OpenTelemetry's names |

mod adapter;
mod auth;
mod body;
mod buffer;
mod call;
mod cancel;
pub mod capture;
mod connect;
mod connection;
pub mod cookies;
mod environment;
mod error;
mod exchange;
mod given;
mod hooks;
mod log_lines;
pub mod mock;
#[cfg(all(test, shuttle))]
mod models;
mod multipart;
pub mod observe;
mod pool;
mod proxy;
mod request;
mod resolver;
mod response;
mod retrying;
mod retrying_adapter;
#[cfg(feature = "json")]
pub mod run;
mod session;
mod stream;
mod sync;
mod target;
pub mod tls;
pub mod world;

pub use adapter::Adapter;
pub use auth::{Auth, Authenticate};
pub use call::{Call, InterruptHook};
pub use cancel::CancelHandle;
pub use connect::is_public;
pub use connection::ConnectionInfo;
pub use error::{Error, ErrorKind, ProxyResponse};
pub use multipart::{InvalidPart, Multipart, Part};
pub use observe::Observer;
pub use pool::PoolSettings;
pub use request::{BodySource, PreparedRequest, Request, RequestBody, Streamed};
pub use resolver::{InvalidOverride, ResolveOverride, Resolver};
pub use response::{Chunks, PastResponse, Response, ResponseBuilder, ResponseLines};
pub use retrying_adapter::Retrying;
pub use session::{Session, SessionBuilder};
pub use tls::{TlsInfo, TlsSettings};
pub use url::Url;
pub use waterclock_proto::charset;
pub use waterclock_proto::clients;
pub use waterclock_proto::decode::DecodeLimits;
pub use waterclock_proto::h1::{Caps, CloseReason};
pub use waterclock_proto::limit::{self, Limit, Limits};
pub use waterclock_proto::message::link;
pub use waterclock_proto::message::{Headers, Method, ResponseHead, Version};
pub use waterclock_proto::netrc::{Netrc, NetrcError};
pub use waterclock_proto::proxy::{
    NoProxy, Proxies, ProxyRuleError, ProxyScheme, ProxyUrl, ProxyUrlError,
};
pub use waterclock_proto::redirect::{RedirectPolicy, Redirected};
pub use waterclock_proto::retry::{self, Retry};
pub use waterclock_proto::screen;
pub use waterclock_proto::tick::Tick;
pub use waterclock_proto::timeline::{self, Phase, RequestSent, Timeline};

/// A GET request in a session of its own: no connection is kept.
///
/// # Errors
/// As [`Request::send`].
#[cfg(unix)]
pub fn get(url: impl AsRef<str>) -> Result<Response, Error> {
    Session::new().get(url).send()
}
