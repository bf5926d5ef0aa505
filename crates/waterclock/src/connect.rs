//! Making a connection: name, address race, tunnel, TLS; all under the limit `connect`.

use crate::call::Call;
use crate::connection::Connection;
use crate::error::{ErrorKind, Failure, Outcome, ProxyResponse};
use crate::log_lines;
use crate::pool::{Permit, Pool};
use crate::proxy::Proxy;
use crate::resolver::Names;
use crate::stream::{Received, Stream, StreamError};
use crate::tls::{TlsConfig, TlsSession};
use crate::world::{Endpoint, Interest, Socket, SocketOptions};
use std::io::{self, IoSlice};
use std::path::Path;
use waterclock_proto::h1::{BodyReader, BodyState, Caps};
use waterclock_proto::limit::Limit;
use waterclock_proto::message::ResponseHead;
use waterclock_proto::race::{AttemptId, Due, End, Race, RaceSettings, Step};
use waterclock_proto::tick::Tick;
use waterclock_proto::timeline::{AttemptEnd, Fired, Phase, SpanEnd, What};
use waterclock_proto::tunnel::{Tunnel, TunnelStep};

/// So much of a refusing proxy's answer is kept.
const REFUSAL_BYTES: usize = 64 * 1024;

/// How connections are made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connector {
    pub(crate) names: Names,
    pub(crate) socket: SocketOptions,
    pub(crate) caps: Caps,
}

/// Where a connection goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route<'a> {
    /// The origin, as it is looked up: with the zone of a link-local address.
    pub(crate) host: &'a str,
    /// The origin, as its certificate names it.
    pub(crate) name: &'a str,
    pub(crate) port: u16,
    /// Instead of TCP to the origin.
    pub(crate) unix: Option<&'a Path>,
    /// The proxy between, and whether to ask it for a tunnel.
    pub(crate) proxy: Option<(&'a Proxy, bool)>,
    /// TLS with the origin.
    pub(crate) tls: Option<&'a TlsConfig>,
}

impl Connector {
    /// A connection that is ready to send a request on.
    pub(crate) fn connect(
        &self,
        call: &mut Call,
        route: Route<'_>,
        permit: Permit,
        pool: &Pool,
    ) -> Outcome<Box<Connection>> {
        let now = call.check(Phase::Connect, What::Answer)?;
        let number = pool.next_number();
        log_lines::new_connection(number, permit.key());
        call.arm(Limit::Connect, now);
        let mut stream = Stream::new(self.open(call, route)?);
        if let Some((proxy, true)) = route.proxy {
            let now = call.now();
            call.arm(Limit::Tunnel, now);
            self.tunnel(call, &mut stream, proxy, route)?;
            call.disarm(&[Limit::Tunnel]);
        }
        if let Some(tls) = route.tls {
            let now = call.now();
            call.arm(Limit::Tls, now);
            stream.start_tls(TlsSession::new(tls, route.name)?);
            handshake(call, &mut stream)?;
            call.disarm(&[Limit::Tls]);
        }
        call.disarm(&[Limit::Connect]);
        Ok(Box::new(Connection::new(stream, permit, number)))
    }

    fn open(&self, call: &mut Call, route: Route<'_>) -> Outcome<Box<dyn Socket>> {
        if let Some(path) = route.unix {
            return self.open_unix(call, path);
        }
        let (host, port) = match route.proxy {
            Some((proxy, _)) => (proxy.host(), proxy.port()),
            None => (route.host, route.port),
        };
        let addresses = self.names.resolve(call, host, port)?;
        let address_limit = call.limits().get(Limit::Address);
        let race = Race::new(addresses, RaceSettings { address_limit, ..RaceSettings::default() });
        Runner { call, socket: &self.socket, race, running: Vec::new(), last_error: None }.run(host)
    }

    /// A Unix socket connects at once, or its queue is full and the system offers nothing to wait
    /// for: then the attempt is repeated.
    fn open_unix(&self, call: &mut Call, path: &Path) -> Outcome<Box<dyn Socket>> {
        let endpoint = Endpoint::Unix(path.to_owned());
        let now = call.now();
        let attempt = call.timeline_mut().begin_attempt(endpoint.to_string().into(), now);
        call.arm(Limit::Address, now);
        loop {
            match call.world().open(&endpoint, &self.socket) {
                Ok(opened) => {
                    let now = call.now();
                    call.timeline_mut().end_attempt(attempt, now, AttemptEnd::Connected);
                    call.disarm(&[Limit::Address]);
                    return Ok(opened.socket);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let again = call.now().after(std::time::Duration::from_millis(1));
                    call.wait_until(Phase::Connect, What::Connect(attempt), &mut [], again)?;
                }
                Err(error) => {
                    let now = call.now();
                    let end = AttemptEnd::Failed(error.to_string().into());
                    call.timeline_mut().end_attempt(attempt, now, end);
                    return Err(cannot_connect(&endpoint.to_string(), error));
                }
            }
        }
    }

    /// Asks the proxy for a tunnel. Every byte of its answer is waited for under `tunnel`.
    fn tunnel(
        &self,
        call: &mut Call,
        stream: &mut Stream,
        proxy: &Proxy,
        route: Route<'_>,
    ) -> Outcome<()> {
        let mut tunnel = Tunnel::new(route.host, route.port, proxy.headers(), self.caps)?;
        let mut input = Vec::new();
        loop {
            let what = ask(stream, proxy, &mut tunnel)?;
            let ended = !receive(call, stream, proxy, what, &mut input)?;
            let step = tunnel.receive(&input).map_err(|error| {
                let context = format_args!("the proxy {proxy} gave no proper answer");
                Failure::from_error(ErrorKind::Proxy, context, error)
            })?;
            match step {
                TunnelStep::Established { used } if used == input.len() && what == What::Read => {
                    return Ok(());
                }
                TunnelStep::Established { .. } => {
                    let text = format!("the proxy {proxy} sent bytes before the tunnel was used");
                    return Err(Failure::new(ErrorKind::Proxy, text));
                }
                TunnelStep::Refused { used, head, body } => {
                    input.drain(..used);
                    return Err(refusal(call, stream, proxy, head, body, input));
                }
                TunnelStep::NeedInput if ended => {
                    let context = format_args!("the proxy {proxy} did not answer");
                    return Err(Failure::from_error(ErrorKind::Proxy, context, tunnel.eof()));
                }
                TunnelStep::NeedInput => {}
            }
        }
    }
}

/// Sends what there is room for, and says what to wait for.
fn ask(stream: &mut Stream, proxy: &Proxy, tunnel: &mut Tunnel) -> Outcome<What> {
    while !tunnel.transmit().is_empty() {
        match stream.write(&[IoSlice::new(tunnel.transmit())]) {
            Ok(count) => tunnel.sent(count),
            Err(StreamError::WouldBlock) => return Ok(What::Write),
            Err(error) => return Err(proxy_failed(proxy, error)),
        }
    }
    Ok(What::Read)
}

/// Waits for bytes from the proxy, or for room too if something is still to be written, and reads
/// what is there; `false` at the end of the stream.
fn receive(
    call: &mut Call,
    stream: &mut Stream,
    proxy: &Proxy,
    what: What,
    input: &mut Vec<u8>,
) -> Outcome<bool> {
    let source = stream.source();
    let interest =
        if what == What::Write { Interest::both(source) } else { Interest::read(source) };
    call.wait(Phase::Tunnel, what, &mut [interest])?;
    let mut piece = [0; 4096];
    match stream.read(&mut piece) {
        Ok(Received::Bytes(count)) => {
            call.timeline_mut().add_bytes(Phase::Tunnel, count as u64);
            input.extend_from_slice(piece.get(..count).unwrap_or_default());
            Ok(true)
        }
        Ok(Received::End | Received::Truncated) => Ok(false),
        Err(StreamError::WouldBlock) => Ok(true),
        Err(error) => Err(proxy_failed(proxy, error)),
    }
}

/// The error of a refused tunnel, with as much of the proxy's answer as comes within the limit.
fn refusal(
    call: &mut Call,
    stream: &mut Stream,
    proxy: &Proxy,
    head: ResponseHead,
    mut reader: BodyReader,
    mut input: Vec<u8>,
) -> Box<Failure> {
    let mut body = Vec::new();
    while body.len() < REFUSAL_BYTES && !reader.is_done() {
        let Ok(step) = reader.next(&input) else { break };
        let data = input.get(step.skip..step.skip + step.data).unwrap_or_default();
        body.extend_from_slice(data);
        input.drain(..step.skip + step.data);
        match step.state {
            BodyState::More => {}
            BodyState::Done => break,
            // A limit that fires here does not hide what the proxy had said before.
            BodyState::NeedInput => match receive(call, stream, proxy, What::Read, &mut input) {
                Ok(true) => {}
                Ok(false) | Err(_) => break,
            },
        }
    }
    body.truncate(REFUSAL_BYTES);
    let text = format!("the proxy {proxy} refused the tunnel: {} {}", head.status, head.reason());
    let mut failure = Failure::new(ErrorKind::Proxy, text);
    failure.proxy = Some(Box::new(ProxyResponse { head, body }));
    failure
}

fn proxy_failed(proxy: &Proxy, error: StreamError) -> Box<Failure> {
    let context = format_args!("the proxy {proxy} failed");
    match error {
        StreamError::Io(error) => Failure::from_error(ErrorKind::Proxy, context, error),
        other => other.into_failure(ErrorKind::Proxy),
    }
}

fn handshake(call: &mut Call, stream: &mut Stream) -> Outcome<()> {
    loop {
        match stream.handshake() {
            Ok(()) => return Ok(()),
            Err(StreamError::WouldBlock) => {}
            Err(StreamError::Io(error)) => {
                return Err(Failure::from_error(ErrorKind::Tls, "the TLS handshake failed", error));
            }
            Err(error) => return Err(error.into_failure(ErrorKind::Tls)),
        }
        let source = stream.source();
        let unfinished = stream.tls().is_some_and(TlsSession::is_handshaking);
        let (what, interest) = match (stream.wants_write(), unfinished) {
            (true, true) => (What::Write, Interest::both(source)),
            // Nothing is read any more: what is there belongs to the exchange.
            (true, false) => (What::Write, Interest::write(source)),
            (false, _) => (What::Read, Interest::read(source)),
        };
        call.wait(Phase::Tls, what, &mut [interest])?;
    }
}

/// The address race, on real sockets: [`Race`] decides, this opens, waits and closes.
struct Runner<'a> {
    call: &'a mut Call,
    socket: &'a SocketOptions,
    race: Race,
    running: Vec<Running>,
    last_error: Option<io::Error>,
}

struct Running {
    id: AttemptId,
    /// Its index on the timeline.
    attempt: u16,
    socket: Box<dyn Socket>,
}

impl Runner<'_> {
    fn run(mut self, host: &str) -> Outcome<Box<dyn Socket>> {
        loop {
            let now = self.call.check(Phase::Connect, self.newest())?;
            match self.race.step(now) {
                Step::Start(id) => {
                    if let Some(socket) = self.start(id, now) {
                        return Ok(self.won(socket));
                    }
                }
                Step::Expired(id) => self.end(id, now, AttemptEnd::Expired),
                Step::Wait { until, due } => {
                    if let Some(socket) = self.wait(until, due)? {
                        return Ok(self.won(socket));
                    }
                }
                Step::Lost => return Err(self.lost(host, now)),
            }
        }
    }

    fn newest(&self) -> What {
        self.running.last().map_or(What::Answer, |running| What::Connect(running.attempt))
    }

    fn start(&mut self, id: AttemptId, now: Tick) -> Option<Box<dyn Socket>> {
        let address = self.race.address(id);
        let peer = address.to_string().into();
        let attempt = self.call.timeline_mut().begin_attempt(peer, now);
        match self.call.world().open(&Endpoint::Tcp(address), self.socket) {
            Ok(opened) => {
                self.running.push(Running { id, attempt, socket: opened.socket });
                opened.connected.then(|| self.connected(id)).flatten()
            }
            Err(error) => {
                let end = AttemptEnd::Failed(error.to_string().into());
                self.call.timeline_mut().end_attempt(attempt, now, end);
                self.race.failed(id, now);
                self.last_error = Some(error);
                None
            }
        }
    }

    /// Waits for any of the running attempts, or for what the race has in mind at `until`.
    fn wait(&mut self, until: Tick, due: Due) -> Outcome<Option<Box<dyn Socket>>> {
        let what = self.newest();
        let mut interests: Vec<_> =
            self.running.iter().map(|running| Interest::write(running.socket.source())).collect();
        // The limit `address` ends the call only if it ends the last attempt; else the race goes on.
        let expiries = self.running.iter().filter_map(|running| self.race.expires(running.id));
        let expiry = expiries.min().unwrap_or(Tick::NEVER);
        if expiry > until || (matches!(due, Due::Expiry(_)) && self.is_last()) {
            self.call.arm_at(Limit::Address, expiry);
        }
        let waited = self.call.wait_until(Phase::Connect, what, &mut interests, until);
        let ready: Vec<_> = interests.iter().map(|interest| interest.ready).collect();
        drop(interests);
        self.call.disarm(&[Limit::Address]);
        if let Err(failure) = waited {
            self.stopped(&failure);
            return Err(failure);
        }
        let now = self.call.now();
        let ids: Vec<_> = self.running.iter().map(|running| running.id).collect();
        for id in ids.into_iter().zip(ready).filter_map(|(id, ready)| ready.then_some(id)) {
            let Some(running) = self.running.iter_mut().find(|running| running.id == id) else {
                continue;
            };
            match running.socket.connected() {
                Ok(()) => return Ok(self.connected(id)),
                Err(error) => {
                    self.end(id, now, AttemptEnd::Failed(error.to_string().into()));
                    self.race.failed(id, now);
                    self.last_error = Some(error);
                }
            }
        }
        Ok(None)
    }

    /// Whether nobody is left but one running attempt.
    fn is_last(&self) -> bool {
        self.running.len() == 1 && self.race.started() == self.race.addresses().len()
    }

    fn connected(&mut self, id: AttemptId) -> Option<Box<dyn Socket>> {
        let index = self.running.iter().position(|running| running.id == id)?;
        let running = self.running.swap_remove(index);
        let now = self.call.now();
        self.call.timeline_mut().end_attempt(running.attempt, now, AttemptEnd::Connected);
        self.race.won(id);
        Some(running.socket)
    }

    fn won(&mut self, socket: Box<dyn Socket>) -> Box<dyn Socket> {
        self.give_up();
        socket
    }

    /// The call ends while attempts are running: none of them lost against a faster one.
    fn stopped(&mut self, failure: &Failure) {
        let expired = failure.fired.is_some_and(|fired| fired.limit == Limit::Address);
        let now = self.call.now();
        for running in self.running.drain(..).filter(|_| expired) {
            self.call.timeline_mut().end_attempt(running.attempt, now, AttemptEnd::Expired);
        }
    }

    /// Closes what is still running.
    fn give_up(&mut self) {
        let now = self.call.now();
        for running in self.running.drain(..) {
            self.call.timeline_mut().end_attempt(running.attempt, now, AttemptEnd::Abandoned);
        }
    }

    fn end(&mut self, id: AttemptId, now: Tick, end: AttemptEnd) {
        if let Some(index) = self.running.iter().position(|running| running.id == id) {
            let running = self.running.swap_remove(index);
            self.call.timeline_mut().end_attempt(running.attempt, now, end);
        }
    }

    /// Every address has failed; what ended the race is what is reported.
    fn lost(&mut self, host: &str, now: Tick) -> Box<Failure> {
        if let Some((_, End::Expired(deadline))) = self.race.last_end() {
            let (limit, phase) = (Limit::Address, Phase::Connect);
            // No wait ended with it: the limit was over before one could begin.
            let in_force = Some((deadline, limit));
            let end = SpanEnd::Expired;
            self.call.record_instant(phase, What::Answer, now, in_force, end);
            return self.call.fired(Fired { limit, phase, deadline, noticed: now });
        }
        match self.last_error.take() {
            Some(error) => cannot_connect(host, error),
            None => {
                Failure::new(ErrorKind::Connect, format!("{host} has no address to connect to"))
            }
        }
    }
}

fn cannot_connect(to: &str, error: io::Error) -> Box<Failure> {
    Failure::from_error(ErrorKind::Connect, format_args!("cannot connect to {to}"), error)
}
