//! A blocking HTTP client in which every wait is bounded by a named limit, recorded and explained.

mod adapter;
mod body;
mod buffer;
mod call;
mod cancel;
mod connect;
mod connection;
mod error;
mod exchange;
mod pool;
mod proxy;
mod request;
mod resolver;
mod response;
#[cfg(feature = "json")]
pub mod run;
mod session;
mod stream;
mod target;
pub mod tls;
pub mod world;

pub use adapter::Adapter;
pub use call::{Call, InterruptHook};
pub use cancel::CancelHandle;
pub use connection::ConnectionInfo;
pub use error::{Error, ErrorKind, ProxyResponse};
pub use pool::PoolSettings;
pub use request::{PreparedRequest, Request, RequestBody};
pub use resolver::{InvalidOverride, ResolveOverride, Resolver};
pub use response::{Chunks, Response};
pub use session::{Session, SessionBuilder};
pub use tls::{TlsInfo, TlsSettings};
pub use url::Url;
pub use waterclock_proto::decode::DecodeLimits;
pub use waterclock_proto::h1::{Caps, CloseReason};
pub use waterclock_proto::limit::{self, Limit, Limits};
pub use waterclock_proto::message::{Headers, Method, ResponseHead, Version};
pub use waterclock_proto::screen;
pub use waterclock_proto::tick::Tick;
pub use waterclock_proto::timeline::{self, Phase, RequestSent, Timeline};

/// A GET request in a session of its own: no connection is kept.
///
/// # Errors
/// As [`Request::send`].
#[cfg(unix)]
pub fn get(url: impl Into<String>) -> Result<Response, Error> {
    Session::new().get(url).send()
}
