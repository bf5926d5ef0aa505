//! The dialogue in which a proxy opens the way to an origin: CONNECT or SOCKS, under `tunnel`.

use super::{Connector, Route};
use crate::call::Call;
use crate::error::{ErrorKind, Failure, Outcome, ProxyResponse};
use crate::proxy::{PROXY_AUTHORIZATION, Via};
use crate::resolver::Names;
use crate::stream::{Received, Stream, StreamError};
use crate::world::Interest;
use std::io::IoSlice;
use std::net::SocketAddr;
use waterclock_proto::h1::{BodyReader, BodyState};
use waterclock_proto::limit::Limit;
use waterclock_proto::message::ResponseHead;
use waterclock_proto::proxy::ProxyUrl;
use waterclock_proto::socks::{Socks, SocksError, SocksStep, SocksTarget, SocksVersion};
use waterclock_proto::timeline::{Phase, What};
use waterclock_proto::tunnel::{Tunnel, TunnelStep};

/// So much of a refusing proxy's answer is kept.
const REFUSAL_BYTES: usize = 64 * 1024;

/// What is said to a proxy, and what it answers.
pub(super) struct Dialogue<'a> {
    proxy: &'a ProxyUrl,
    language: Language,
    /// Where to, if that is looked up after the greeting.
    unknown: Option<(&'a Names, &'a str, u16)>,
    /// All that was received.
    input: Vec<u8>,
}

enum Language {
    Connect(Tunnel),
    Socks(Socks),
}

/// What the answer so far means.
#[allow(clippy::large_enum_variant, reason = "made once for each tunnel")]
enum Heard {
    /// It is not all there.
    More,
    /// The way is open; the bytes after the first `used` came from the other side of it.
    Open { used: usize },
    /// An HTTP proxy refused, and may go on to say why.
    Refused { used: usize, head: ResponseHead, body: BodyReader },
}

impl<'a> Dialogue<'a> {
    /// Prepares what to ask the proxy `via` for. A proxy that takes addresses only is given one. For SOCKS 5
    /// the origin's name is looked up once the proxy has answered the greeting, as PySocks does; SOCKS 4 has
    /// no greeting, so it is looked up before the proxy's name.
    pub(super) fn new(
        connector: &'a Connector,
        call: &mut Call,
        route: Route<'a>,
        via: Via<'a>,
    ) -> Outcome<Self> {
        let unusable = |error| {
            let context = format_args!("the proxy {} cannot be asked", via.url);
            Failure::from_error(ErrorKind::InvalidRequest, context, error)
        };
        let scheme = via.url.scheme();
        let credentials = via.url.credentials();
        let mut unknown = None;
        let language = match scheme.socks_version() {
            None => Language::Connect(tunnel(connector, route, via)?),
            Some(SocksVersion::V5) if !scheme.resolves_names() => {
                unknown = Some((&connector.names, route.host, route.port));
                Language::Socks(Socks::greet(credentials).map_err(unusable)?)
            }
            Some(version) => {
                let target = if scheme.resolves_names() {
                    SocksTarget::Name(route.host, route.port)
                } else {
                    let addresses = connector.names.resolve(call, route.host, route.port)?;
                    SocksTarget::Address(fitting(version, &addresses, route.host)?)
                };
                Language::Socks(Socks::new(version, target, credentials).map_err(unusable)?)
            }
        };
        Ok(Dialogue { proxy: via.url, language, unknown, input: Vec::new() })
    }

    /// Holds it, to the end. Every byte of the answer is waited for under `tunnel`, which is armed
    /// once.
    pub(super) fn hold(mut self, call: &mut Call, stream: &mut Stream) -> Outcome<()> {
        let now = call.now();
        call.arm(Limit::Tunnel, now);
        loop {
            self.look_up(call)?;
            let what = self.ask(stream)?;
            let ended = !self.receive(call, stream, what)?;
            match self.hear()? {
                Heard::Open { used } if used == self.input.len() && what == What::Read => {
                    call.disarm(&[Limit::Tunnel]);
                    return Ok(());
                }
                Heard::Open { .. } => {
                    let text =
                        format!("the proxy {} sent bytes before the tunnel was used", self.proxy);
                    return Err(Failure::new(ErrorKind::Proxy, text));
                }
                Heard::Refused { used, head, body } => {
                    self.input.drain(..used);
                    return Err(self.refusal(call, stream, head, body));
                }
                Heard::More if ended => return Err(self.cut()),
                Heard::More => {}
            }
        }
    }

    /// Finds out where a proxy that has agreed to talk is to connect to, under `resolve` too.
    fn look_up(&mut self, call: &mut Call) -> Outcome<()> {
        let Language::Socks(socks) = &mut self.language else { return Ok(()) };
        if let Some((names, host, port)) = self.unknown.filter(|_| socks.wants_target()) {
            let addresses = names.resolve(call, host, port)?;
            socks.ask_for(fitting(SocksVersion::V5, &addresses, host)?);
        }
        Ok(())
    }

    /// Sends what there is room for, and says what to wait for.
    fn ask(&mut self, stream: &mut Stream) -> Outcome<What> {
        loop {
            let bytes = self.language.transmit();
            let result = match bytes.is_empty() {
                true => stream.flush().map(|()| 0),
                false => stream.write(&[IoSlice::new(bytes)]),
            };
            match result {
                Ok(0) if bytes.is_empty() => return Ok(What::Read),
                // Not one byte was taken: there is no room.
                Ok(0) => return Ok(What::Write),
                Ok(count) => self.language.sent(count),
                Err(StreamError::WouldBlock) => return Ok(What::Write),
                Err(error) => return Err(self.failed(error)),
            }
        }
    }

    /// Waits for bytes from the proxy, or for room too if something is still to be written, and
    /// reads what is there; `false` at the end of the stream.
    fn receive(&mut self, call: &mut Call, stream: &mut Stream, what: What) -> Outcome<bool> {
        let source = stream.source();
        let write = what == What::Write;
        let interest = if write { Interest::both(source) } else { Interest::read(source) };
        call.wait_for(Phase::Tunnel, what, stream, interest)?;
        let mut piece = [0; 4096];
        match stream.read(&mut piece) {
            Ok(Received::Bytes(count)) => {
                call.timeline_mut().add_bytes(Phase::Tunnel, count as u64);
                self.input.extend_from_slice(piece.get(..count).unwrap_or_default());
                Ok(true)
            }
            Ok(Received::End | Received::Truncated) => Ok(false),
            Err(StreamError::WouldBlock) => Ok(true),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn hear(&mut self) -> Outcome<Heard> {
        let proxy = self.proxy;
        match &mut self.language {
            Language::Connect(tunnel) => match tunnel.receive(&self.input) {
                Ok(TunnelStep::NeedInput) => Ok(Heard::More),
                Ok(TunnelStep::Established { used }) => Ok(Heard::Open { used }),
                Ok(TunnelStep::Refused { used, head, body }) => {
                    Ok(Heard::Refused { used, head, body })
                }
                Err(error) => {
                    let context = format_args!("the proxy {proxy} gave no proper answer");
                    Err(Failure::from_error(ErrorKind::Proxy, context, error))
                }
            },
            Language::Socks(socks) => match socks.receive(&self.input) {
                Ok(SocksStep::NeedInput) => Ok(Heard::More),
                Ok(SocksStep::Established { used }) => Ok(Heard::Open { used }),
                Err(error) => Err(no_way(proxy, error)),
            },
        }
    }

    /// The proxy has closed the connection before its answer was all there.
    fn cut(&self) -> Box<Failure> {
        match &self.language {
            Language::Connect(tunnel) => {
                let context = format_args!("the proxy {} did not answer", self.proxy);
                Failure::from_error(ErrorKind::Proxy, context, tunnel.eof())
            }
            Language::Socks(socks) => no_way(self.proxy, socks.eof()),
        }
    }

    /// The error of a refused tunnel, with as much of the proxy's answer as comes within the limit.
    fn refusal(
        &mut self,
        call: &mut Call,
        stream: &mut Stream,
        head: ResponseHead,
        mut reader: BodyReader,
    ) -> Box<Failure> {
        let mut body = Vec::new();
        while body.len() < REFUSAL_BYTES && !reader.is_done() {
            let Ok(step) = reader.next(&self.input) else { break };
            let data = self.input.get(step.skip..step.skip + step.data).unwrap_or_default();
            body.extend_from_slice(data);
            self.input.drain(..step.skip + step.data);
            match step.state {
                BodyState::More => {}
                BodyState::Done => break,
                // A limit that fires here does not hide what the proxy had said before.
                BodyState::NeedInput => match self.receive(call, stream, What::Read) {
                    Ok(true) => {}
                    Ok(false) | Err(_) => break,
                },
            }
        }
        body.truncate(REFUSAL_BYTES);
        let (status, reason) = (head.status, head.reason());
        let text = format!("the proxy {} refused the tunnel: {status} {reason}", self.proxy);
        let mut failure = Failure::new(ErrorKind::Proxy, text);
        failure.proxy = Some(Box::new(ProxyResponse { head, body }));
        failure
    }

    fn failed(&self, error: StreamError) -> Box<Failure> {
        let context = format_args!("the proxy {} failed", self.proxy);
        match error {
            StreamError::Io(error) => Failure::from_error(ErrorKind::Proxy, context, error),
            // After a handshake of TLS 1.3 only: a certificate of ours that it wants and has not got.
            StreamError::Tls(error) => Failure::from_error(ErrorKind::Tls, context, error),
            StreamError::WouldBlock => Failure::new(ErrorKind::Proxy, context.to_string()),
        }
    }
}

impl Language {
    fn transmit(&self) -> &[u8] {
        match self {
            Language::Connect(tunnel) => tunnel.transmit(),
            Language::Socks(socks) => socks.transmit(),
        }
    }

    fn sent(&mut self, count: usize) {
        match self {
            Language::Connect(tunnel) => tunnel.sent(count),
            Language::Socks(socks) => socks.sent(count),
        }
    }
}

/// CONNECT, with nothing but what is for the proxy.
fn tunnel(connector: &Connector, route: Route<'_>, via: Via<'_>) -> Outcome<Tunnel> {
    let mut headers = connector.proxy_headers.clone();
    if let Some(value) = via.connect_authorization() {
        let set = headers.set(PROXY_AUTHORIZATION, value);
        set.map_err(|error| Failure::new(ErrorKind::InvalidRequest, error.to_string()))?;
    }
    Ok(Tunnel::new(route.host, route.port, &headers, connector.caps)?)
}

/// The first address that the version can carry; if none is, it will say so.
fn fitting(version: SocksVersion, addresses: &[SocketAddr], host: &str) -> Outcome<SocketAddr> {
    let fits = |address: &&SocketAddr| version == SocksVersion::V5 || address.is_ipv4();
    let found = addresses.iter().find(fits).or(addresses.first()).copied();
    found.ok_or_else(|| Failure::new(ErrorKind::Resolve, format!("{host} has no address")))
}

fn no_way(proxy: &ProxyUrl, error: SocksError) -> Box<Failure> {
    let context = format_args!("there is no way through the proxy {proxy}");
    Failure::from_error(ErrorKind::Proxy, context, error)
}
