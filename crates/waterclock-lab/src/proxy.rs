//! An HTTP proxy that forwards for real, or does what its script says instead.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::listener::{Connection, Listen, Listener};
use crate::log::{Event, Handshakes, ReceivedRequest};
use crate::relay::{self, Routes};
use crate::session::{Flow, Session};
use crate::step::{Step, respond_with};
use crate::tls::Tls;

const ESTABLISHED: &str = "HTTP/1.1 200 Connection established\r\n\r\n";

/// What a proxy does with one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyAction {
    /// Connects to the target and forwards. If that fails, the answer is 502.
    Forward {
        /// Done first, before the target is connected to.
        before: Vec<Step>,
        /// The answer to a CONNECT, sent when the target is connected. Not used for requests in
        /// absolute-form, where the target's own answer is passed on.
        established: Vec<Step>,
    },
    /// Only carries out these steps.
    Answer(Vec<Step>),
}

impl ProxyAction {
    /// Forwards without delay.
    pub fn forward() -> Self {
        ProxyAction::Forward { before: Vec::new(), established: vec![Step::send(ESTABLISHED)] }
    }

    /// Forwards after this time.
    pub fn forward_after(delay: Duration) -> Self {
        let established = vec![Step::send(ESTABLISHED)];
        ProxyAction::Forward { before: vec![Step::Sleep(delay)], established }
    }

    /// Forwards, with the answer to CONNECT dripped.
    pub fn drip(size: usize, every: Duration) -> Self {
        let established = vec![Step::drip(ESTABLISHED, size, every)];
        ProxyAction::Forward { before: Vec::new(), established }
    }

    /// Forwards, with `bytes` sent in one piece with the answer to CONNECT, as if the target had
    /// spoken first.
    pub fn glue(bytes: impl AsRef<[u8]>) -> Self {
        let established = vec![Step::Send([ESTABLISHED.as_bytes(), bytes.as_ref()].concat())];
        ProxyAction::Forward { before: Vec::new(), established }
    }

    /// Answers itself: a refusal, or a page of its own.
    pub fn refuse(status: u16, fields: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        ProxyAction::Answer(respond_with(status, fields, body))
    }

    /// Never answers.
    pub fn silence() -> Self {
        ProxyAction::Answer(vec![Step::Stall])
    }
}

type Decide = Arc<dyn Fn(&ReceivedRequest) -> ProxyAction + Send + Sync>;

/// An HTTP proxy on loopback, for CONNECT and for requests in absolute-form. Dropping it closes
/// everything.
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
/// use std::time::Duration;
/// use waterclock_lab::{Proxy, ProxyAction, Script, Server};
///
/// let server = Server::start(Script::default())?;
/// let proxy = Proxy::builder()
///     .route("shop.test:80", server.address())
///     .script(|_| ProxyAction::forward_after(Duration::from_millis(20)))
///     .start()?;
/// let mut client = TcpStream::connect(proxy.address())?;
/// client.write_all(b"GET http://shop.test/ HTTP/1.1\r\nConnection: close\r\n\r\n")?;
/// let mut answer = String::new();
/// client.read_to_string(&mut answer)?;
/// assert!(answer.ends_with("ok"));
/// assert_eq!(proxy.requests()[0].target, "http://shop.test/");
/// assert_eq!(server.requests()[0].target, "/");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Proxy {
    listener: Listener,
}

impl Proxy {
    /// A proxy on 127.0.0.1 that forwards everything, unless told otherwise.
    pub fn builder() -> ProxyBuilder {
        ProxyBuilder {
            listen: Listen::default(),
            routes: HashMap::new(),
            authorization: None,
            decide: Arc::new(|_| ProxyAction::forward()),
        }
    }

    /// The address of the listener.
    pub fn address(&self) -> SocketAddr {
        self.listener.address
    }

    /// The URL of the proxy.
    pub fn url(&self) -> String {
        let scheme = if self.listener.is_tls { "https" } else { "http" };
        format!("{scheme}://{}", self.address())
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

    /// Connections accepted so far.
    pub fn connections(&self) -> usize {
        self.listener.log.read(|seen| seen.accepted)
    }

    /// Connections that are open now.
    pub fn open_connections(&self) -> usize {
        self.listener.log.read(|seen| seen.open)
    }

    /// TLS handshakes with the proxy itself.
    pub fn handshakes(&self) -> Handshakes {
        self.listener.log.read(|seen| seen.handshakes)
    }

    /// The requests received so far, refused ones included. What passes through a tunnel is not
    /// recorded.
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.listener.log.read(|seen| seen.requests.clone())
    }

    /// Waits until `count` requests have been received; an error (`TimedOut`) after `patience`.
    pub fn wait_for_requests(
        &self,
        count: usize,
        patience: Duration,
    ) -> io::Result<Vec<ReceivedRequest>> {
        self.listener.log.wait(patience, &format!("{count} requests"), |seen| {
            (seen.requests.len() >= count).then(|| seen.requests.clone())
        })
    }

    /// Waits until at most `count` connections are open; an error (`TimedOut`) after `patience`.
    pub fn wait_for_open_connections(&self, count: usize, patience: Duration) -> io::Result<()> {
        self.listener.log.wait(patience, &format!("at most {count} open connections"), |seen| {
            (seen.open <= count).then_some(())
        })
    }
}

/// Chooses what a [`Proxy`] is.
#[must_use]
pub struct ProxyBuilder {
    listen: Listen,
    routes: Routes,
    authorization: Option<String>,
    decide: Decide,
}

impl ProxyBuilder {
    /// Listens here; port 0 is a free one.
    pub fn bind(mut self, address: SocketAddr) -> Self {
        self.listen.address = address;
        self
    }

    /// Speaks TLS with its clients.
    pub fn tls(mut self, tls: impl Into<Tls>) -> Self {
        self.listen.tls = Some(tls.into());
        self
    }

    /// Takes `host:port` to this address, instead of looking the host up.
    pub fn route(mut self, target: &str, address: SocketAddr) -> Self {
        self.routes.insert(target.to_ascii_lowercase(), address);
        self
    }

    /// Answers 407, with a challenge for Basic, what does not carry exactly this
    /// `Proxy-Authorization`.
    pub fn require_authorization(mut self, value: &str) -> Self {
        self.authorization = Some(value.to_owned());
        self
    }

    /// Decides about each request (with its head only; the body comes later).
    pub fn script(
        mut self,
        decide: impl Fn(&ReceivedRequest) -> ProxyAction + Send + Sync + 'static,
    ) -> Self {
        self.decide = Arc::new(decide);
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
    pub fn start(self) -> io::Result<Proxy> {
        let ProxyBuilder { listen, routes, authorization, decide } = self;
        let policy = Policy { routes, authorization, decide };
        let listener = Listener::start(&listen, move |connection| {
            // An error is an end of one side, which the other one sees.
            let _ = policy.serve(&connection);
        })?;
        Ok(Proxy { listener })
    }
}

struct Policy {
    routes: Routes,
    authorization: Option<String>,
    decide: Decide,
}

impl Policy {
    fn serve(&self, connection: &Connection) -> io::Result<()> {
        let mut session = Session::new(connection);
        while let Some(place) = session.read_head()? {
            let request = connection.log.read(|seen| seen.requests.get(place).cloned());
            let Some(request) = request else { break };
            let keeps_alive = session.pending.as_ref().is_some_and(|it| it.head.keeps_alive());
            let flow = match self.decide(&request) {
                ProxyAction::Answer(steps) => session.run(&steps)?,
                ProxyAction::Forward { before, established } => match session.run(&before)? {
                    Flow::End => Flow::End,
                    Flow::Next if request.method == "CONNECT" => {
                        self.tunnel(&mut session, &request, &established)?
                    }
                    Flow::Next => relay::forward(&mut session, &request, &self.routes)?,
                },
            };
            if flow == Flow::End {
                return Ok(());
            }
            if !keeps_alive || session.owes_body() {
                break;
            }
        }
        connection.link.notify();
        Ok(())
    }

    fn decide(&self, request: &ReceivedRequest) -> ProxyAction {
        let given = request.header("proxy-authorization");
        if self.authorization.is_some() && given != self.authorization.as_deref() {
            let challenge = ("Proxy-Authenticate", "Basic realm=\"lab\"");
            return ProxyAction::refuse(407, &[challenge], "who are you?");
        }
        (self.decide)(request)
    }

    fn tunnel(
        &self,
        session: &mut Session<'_>,
        request: &ReceivedRequest,
        established: &[Step],
    ) -> io::Result<Flow> {
        let connection = session.connection;
        let target = match relay::connect(&request.target, 443, &self.routes, &connection.stop) {
            Ok(target) => target,
            Err(error) => return session.run(&relay::bad_gateway(&error)),
        };
        if session.run(established)? == Flow::Next {
            relay::tunnel(connection, session.input.unread(), &target)?;
        }
        Ok(Flow::End)
    }
}
