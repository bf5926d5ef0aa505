//! [`Connection`]: an established stream with its buffers, and what is known about it.

use crate::buffer::Buffer;
use crate::error::{ErrorKind, Outcome};
use crate::pool::Permit;
use crate::stream::{Received, Stream, StreamError};
use crate::tls::TlsInfo;
use std::net::SocketAddr;
use std::sync::Arc;
use waterclock_proto::h1::CloseReason;
use waterclock_proto::proxy::ProxyUrl;

/// What is known about the connection of a response.
#[derive(Clone, Debug)]
pub struct ConnectionInfo {
    /// Counts the connections of an adapter, from 1.
    pub number: u64,
    /// The peer's address: that of the proxy, if there is one. `None` for a Unix socket.
    pub remote_address: Option<SocketAddr>,
    /// The address it was made from.
    pub local_address: Option<SocketAddr>,
    /// What TLS with the origin agreed on.
    pub tls: Option<TlsInfo>,
    /// The proxy it goes through. Printed, it shows no credentials.
    pub proxy: Option<ProxyUrl>,
    /// What TLS with an `https://` proxy agreed on.
    pub proxy_tls: Option<Arc<TlsInfo>>,
}

/// What the handshakes of a new connection have agreed on.
#[derive(Debug, Default)]
pub(crate) struct Secured {
    pub(crate) proxy: Option<TlsInfo>,
    pub(crate) origin: Option<TlsInfo>,
}

/// A connection, idle in a pool or busy with one exchange.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: Stream,
    pub(crate) input: Buffer,
    /// The bytes of the request being sent; kept for its memory.
    pub(crate) output: Vec<u8>,
    /// Shared with the responses that came over it.
    pub(crate) info: Arc<ConnectionInfo>,
    /// How many exchanges have ended well on it.
    pub(crate) exchanges: u64,
    /// Its place among the connections that a pool allows; given back when it is dropped.
    pub(crate) permit: Permit,
}

impl Connection {
    pub(crate) fn new(stream: Stream, permit: Permit, number: u64, secured: Secured) -> Self {
        let info = Arc::new(ConnectionInfo {
            number,
            remote_address: stream.socket().peer_address(),
            local_address: stream.socket().local_address(),
            tls: secured.origin,
            proxy: permit.key().proxy.as_ref().map(|via| via.as_ref().url.clone()),
            proxy_tls: secured.proxy.map(Arc::new),
        });
        let (input, output) = (Buffer::default(), Vec::new());
        Connection { stream, input, output, info, exchanges: 0, permit }
    }

    /// Reads what is there into the buffer; `None` if nothing is.
    pub(crate) fn fill(&mut self) -> Outcome<Option<Received>> {
        match self.stream.read(self.input.room()) {
            Ok(Received::Bytes(count)) => {
                self.input.commit(count);
                Ok(Some(Received::Bytes(count)))
            }
            Ok(end) => Ok(Some(end)),
            Err(StreamError::WouldBlock) => Ok(None),
            Err(error) => Err(error.into_failure(ErrorKind::Receive)),
        }
    }

    /// Whether nothing is left in the parser's buffer, in TLS, and in the socket as far as the last
    /// read can have left something there. What comes later is seen at the next checkout.
    pub(crate) fn settled(&mut self) -> Result<(), CloseReason> {
        let quiet = self.input.is_empty()
            && !self.stream.has_undelivered()
            && !(self.stream.may_have_more() && self.stream.has_stray_bytes());
        if quiet { Ok(()) } else { Err(CloseReason::StrayBytes) }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.stream.close();
    }
}
