//! The scripted HTTP server.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::listener::{Listen, Listener};
use crate::log::{Event, Handshakes, ReceivedRequest};
use crate::script::Script;
use crate::session::Session;
use crate::tls::Tls;

/// A server on loopback that does what its [`Script`] says, one thread a connection. Dropping it
/// closes everything.
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
/// use waterclock_lab::{Script, Server, respond};
///
/// let server = Server::builder().script(Script::every_request(respond(200, "hello"))).start()?;
/// let mut client = TcpStream::connect(server.address())?;
/// client.write_all(b"GET /greeting HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n")?;
/// let mut answer = String::new();
/// client.read_to_string(&mut answer)?;
/// assert!(answer.ends_with("\r\n\r\nhello"));
/// assert_eq!(server.requests()[0].target, "/greeting");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Server {
    listener: Listener,
}

impl Server {
    /// Starts with nothing chosen: 127.0.0.1, no TLS, every request answered `200 ok`.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A server without TLS on 127.0.0.1.
    pub fn start(script: impl Into<Script>) -> io::Result<Server> {
        Server::builder().script(script).start()
    }

    /// The address of the TCP listener.
    pub fn address(&self) -> SocketAddr {
        self.listener.address
    }

    /// The path of the Unix listener, if there is one.
    pub fn unix_path(&self) -> Option<&Path> {
        self.listener.unix.as_deref()
    }

    /// The URL of `path` here, with the address as its host.
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme(), self.address())
    }

    /// The URL of `path` here under a host name.
    pub fn url_for(&self, host: &str, path: &str) -> String {
        format!("{}://{host}:{}{path}", self.scheme(), self.address().port())
    }

    fn scheme(&self) -> &'static str {
        if self.listener.is_tls { "https" } else { "http" }
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> usize {
        self.listener.log.read(|seen| seen.accepted)
    }

    /// When the last client ended its side of its connection, if all have; needs
    /// `notices_leaving`.
    pub fn all_left(&self) -> Option<Instant> {
        self.listener.log.read(crate::log::Seen::all_left)
    }

    /// When the first connection was accepted.
    pub fn first_connection(&self) -> Option<Instant> {
        self.listener.log.read(|seen| seen.first)
    }

    /// Connections that are open now.
    pub fn open_connections(&self) -> usize {
        self.listener.log.read(|seen| seen.open)
    }

    /// TLS handshakes so far.
    pub fn handshakes(&self) -> Handshakes {
        self.listener.log.read(|seen| seen.handshakes)
    }

    /// The requests received so far, in the order in which their heads were complete.
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.listener.log.read(|seen| seen.requests.clone())
    }

    /// Waits until `count` heads have been received; an error (`TimedOut`) after `patience`.
    pub fn wait_for_requests(
        &self,
        count: usize,
        patience: Duration,
    ) -> io::Result<Vec<ReceivedRequest>> {
        self.listener.log.wait(patience, &format!("{count} requests"), |seen| {
            (seen.requests.len() >= count).then(|| seen.requests.clone())
        })
    }

    /// Waits until `count` connections have been accepted; an error (`TimedOut`) after `patience`.
    pub fn wait_for_connections(&self, count: usize, patience: Duration) -> io::Result<()> {
        self.listener.log.wait(patience, &format!("{count} connections"), |seen| {
            (seen.accepted >= count).then_some(())
        })
    }

    /// Waits until at most `count` connections are open; an error (`TimedOut`) after `patience`.
    pub fn wait_for_open_connections(&self, count: usize, patience: Duration) -> io::Result<()> {
        self.listener.log.wait(patience, &format!("at most {count} open connections"), |seen| {
            (seen.open <= count).then_some(())
        })
    }
}

/// Chooses what a [`Server`] is.
#[derive(Default)]
#[must_use]
pub struct Builder {
    listen: Listen,
    script: Script,
}

impl Builder {
    /// Listens here; port 0 is a free one. `[::1]:0` makes it an IPv6 server.
    pub fn bind(mut self, address: SocketAddr) -> Self {
        self.listen.address = address;
        self
    }

    /// Listens on a Unix socket too. The file is removed when the server is dropped.
    pub fn unix(mut self, path: impl Into<PathBuf>) -> Self {
        self.listen.unix = Some(path.into());
        self
    }

    /// Speaks TLS. An [`Identity`](crate::Identity) alone will do.
    pub fn tls(mut self, tls: impl Into<Tls>) -> Self {
        self.listen.tls = Some(tls.into());
        self
    }

    /// What happens on connections.
    pub fn script(mut self, script: impl Into<Script>) -> Self {
        self.script = script.into();
        self
    }

    /// Sets `SO_RCVBUF`, so that an upload which nobody reads stands still sooner.
    pub fn receive_buffer(mut self, bytes: usize) -> Self {
        self.listen.receive_buffer = Some(bytes);
        self
    }

    /// Drops every SYN for this long, as a host with a full backlog does. A client that connects
    /// meanwhile gets through with a repeated SYN, as a rule one second after its first.
    pub fn accept_after(mut self, delay: Duration) -> Self {
        self.listen.accept_after = Some(delay);
        self
    }

    /// Notes, to the millisecond, when clients leave.
    pub fn notices_leaving(mut self, yes: bool) -> Self {
        self.listen.notices_leaving = yes;
        self
    }

    /// Tells `watch` what happens, on the threads of the connections, which it holds up.
    pub fn watch(mut self, watch: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.listen.watch = Some(Arc::new(watch));
        self
    }

    /// Starts to listen.
    pub fn start(self) -> io::Result<Server> {
        let script = self.script;
        let listener = Listener::start(&self.listen, move |connection| {
            // An error is the peer's end or the server's; both are seen from the other side.
            let _ = Session::new(&connection).serve(&script);
        })?;
        Ok(Server { listener })
    }
}
