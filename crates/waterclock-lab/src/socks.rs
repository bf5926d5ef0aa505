//! A SOCKS proxy (versions 4, 4a and 5) that forwards for real, or says what its script says.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::listener::{Connection, Listen, Listener};
use crate::log::Event;
use crate::relay::{self, Routes};
use crate::session::Session;
use crate::step::Step;
use crate::stop::lock;

const NO_AUTHENTICATION: u8 = 0;
const PASSWORD: u8 = 2;
const NO_METHOD: u8 = 0xff;

/// Where a client wants to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocksHost {
    /// A name, which the proxy is to look up.
    Name(String),
    /// An address.
    Address(IpAddr),
}

/// What a client asked for, as it was on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocksRequest {
    /// The connection it came on, counted from 0 in the order of acceptance.
    pub connection: usize,
    /// 4 or 5. A name in a request of version 4 makes it 4a.
    pub version: u8,
    /// Where to.
    pub host: SocksHost,
    /// The port.
    pub port: u16,
    /// The user: of the password dialogue (version 5), or the user id (version 4) if it is not empty.
    pub user: Option<String>,
    /// The password (version 5).
    pub password: Option<String>,
}

impl SocksRequest {
    /// `host:port`, IPv6 in brackets.
    pub fn target(&self) -> String {
        match &self.host {
            SocksHost::Name(name) => format!("{name}:{}", self.port),
            SocksHost::Address(address) => SocketAddr::new(*address, self.port).to_string(),
        }
    }
}

/// What a [`Socks`] proxy does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocksAction {
    /// Connects to the target and forwards. If that fails, the answer is the general failure.
    Forward,
    /// The same, but nothing is done for this long first.
    ForwardAfter(Duration),
    /// Answers with this code in the version that was asked in: 0x01 to 0x08 in version 5 (RFC 1928
    /// §6), 91 to 93 in version 4.
    Refuse(u8),
    /// Only carries out these steps.
    Answer(Vec<Step>),
}

type Decide = Arc<dyn Fn(&SocksRequest) -> SocksAction + Send + Sync>;

/// A SOCKS proxy on loopback that speaks whatever version it is spoken to in. Dropping it closes
/// everything.
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
/// use waterclock_lab::{Script, Server, Socks};
///
/// let server = Server::start(Script::default())?;
/// let proxy = Socks::builder().route("shop.test:80", server.address()).start()?;
/// let mut client = TcpStream::connect(proxy.address())?;
/// client.write_all(b"\x04\x01\x00\x50\0\0\0\x01\0shop.test\0")?;
/// let mut answer = [0; 8];
/// client.read_exact(&mut answer)?;
/// assert_eq!(answer[..2], [0, 90]);
/// assert_eq!(proxy.requests()[0].target(), "shop.test:80");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Socks {
    listener: Listener,
    asked: Arc<Mutex<Vec<SocksRequest>>>,
}

impl Socks {
    /// A proxy on 127.0.0.1 that forwards everything, unless told otherwise.
    pub fn builder() -> SocksBuilder {
        SocksBuilder {
            listen: Listen::default(),
            policy: Policy {
                routes: HashMap::new(),
                password: None,
                decide: Arc::new(|_| SocksAction::Forward),
                asked: Arc::default(),
            },
        }
    }

    /// The address of the listener.
    pub fn address(&self) -> SocketAddr {
        self.listener.address
    }

    /// The URL of the proxy with this scheme: `socks4`, `socks4a`, `socks5` or `socks5h`.
    pub fn url(&self, scheme: &str) -> String {
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

    /// The requests received so far, refused ones included.
    pub fn requests(&self) -> Vec<SocksRequest> {
        lock(&self.asked).clone()
    }
}

/// Chooses what a [`Socks`] proxy is.
#[must_use]
pub struct SocksBuilder {
    listen: Listen,
    policy: Policy,
}

impl SocksBuilder {
    /// Takes `host:port` to this address, instead of looking the host up.
    pub fn route(mut self, target: &str, address: SocketAddr) -> Self {
        self.policy.routes.insert(target.to_ascii_lowercase(), address);
        self
    }

    /// Refuses, in version 5, whoever does not say exactly this.
    pub fn require_password(mut self, user: &str, password: &str) -> Self {
        self.policy.password = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// Decides about each request.
    pub fn script(
        mut self,
        decide: impl Fn(&SocksRequest) -> SocksAction + Send + Sync + 'static,
    ) -> Self {
        self.policy.decide = Arc::new(decide);
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
    pub fn start(self) -> io::Result<Socks> {
        let SocksBuilder { listen, policy } = self;
        let asked = Arc::clone(&policy.asked);
        let listener = Listener::start(&listen, move |connection| {
            // An error is an end of one side, which the other one sees.
            let _ = policy.serve(&connection);
        })?;
        Ok(Socks { listener, asked })
    }
}

struct Policy {
    routes: Routes,
    password: Option<(String, String)>,
    decide: Decide,
    asked: Arc<Mutex<Vec<SocksRequest>>>,
}

impl Policy {
    fn serve(&self, connection: &Connection) -> io::Result<()> {
        let mut session = Session::new(connection);
        let request = match take_byte(&mut session)? {
            4 => version_4(&mut session)?,
            5 => match self.version_5(&mut session)? {
                Some(request) => request,
                None => return Ok(()),
            },
            other => return Err(malformed(&format!("SOCKS version {other}"))),
        };
        lock(&self.asked).push(request.clone());
        let target = match (self.decide)(&request) {
            SocksAction::Answer(steps) => return session.run(&steps).map(|_| ()),
            SocksAction::Refuse(code) => return connection.link.write_all(&reply(&request, code)),
            SocksAction::ForwardAfter(delay) => {
                connection.stop.sleep(delay)?;
                relay::connect(&request.target(), 80, &self.routes, &connection.stop)
            }
            SocksAction::Forward => {
                relay::connect(&request.target(), 80, &self.routes, &connection.stop)
            }
        };
        let (granted, failed) = if request.version == 4 { (90, 91) } else { (0, 1) };
        let Ok(target) = target else {
            return connection.link.write_all(&reply(&request, failed));
        };
        connection.link.write_all(&reply(&request, granted))?;
        relay::tunnel(connection, session.input.unread(), &target)
    }

    /// RFC 1928, with the password dialogue of RFC 1929; `None` if it was refused.
    fn version_5(&self, session: &mut Session<'_>) -> io::Result<Option<SocksRequest>> {
        let link = &session.connection.link;
        let count = take_byte(session)?;
        let methods = take(session, usize::from(count))?;
        let method = if self.password.is_some() { PASSWORD } else { NO_AUTHENTICATION };
        if !methods.contains(&method) {
            link.write_all(&[5, NO_METHOD])?;
            return Ok(None);
        }
        link.write_all(&[5, method])?;
        let (mut user, mut password) = (None, None);
        if let Some((right_user, right_password)) = &self.password {
            take_byte(session)?;
            let given = (take_counted(session)?, take_counted(session)?);
            let right = given == (right_user.clone(), right_password.clone());
            link.write_all(&[1, u8::from(!right)])?;
            if !right {
                return Ok(None);
            }
            (user, password) = (Some(given.0), Some(given.1));
        }
        let head = take(session, 4)?;
        let host = match head.get(3) {
            Some(1) => SocksHost::Address(Ipv4Addr::from(take_array::<4>(session)?).into()),
            Some(4) => SocksHost::Address(Ipv6Addr::from(take_array::<16>(session)?).into()),
            Some(3) => SocksHost::Name(take_counted(session)?),
            _ => return Err(malformed("an unknown kind of address")),
        };
        let port = u16::from_be_bytes(take_array(session)?);
        let connection = session.connection.number;
        Ok(Some(SocksRequest { connection, version: 5, host, port, user, password }))
    }
}

/// Version 4, and 4a: an address of 0.0.0.x has a name behind it.
fn version_4(session: &mut Session<'_>) -> io::Result<SocksRequest> {
    take_byte(session)?;
    let port = u16::from_be_bytes(take_array(session)?);
    let address = take_array::<4>(session)?;
    let user = Some(take_string(session)?).filter(|user| !user.is_empty());
    let host = match address {
        [0, 0, 0, 0] => SocksHost::Address(address.into()),
        [0, 0, 0, _] => SocksHost::Name(take_string(session)?),
        _ => SocksHost::Address(address.into()),
    };
    let connection = session.connection.number;
    Ok(SocksRequest { connection, version: 4, host, port, user, password: None })
}

/// The answer with this code, and an address of nothing.
fn reply(request: &SocksRequest, code: u8) -> Vec<u8> {
    match request.version {
        4 => vec![0, code, 0, 0, 0, 0, 0, 0],
        _ => vec![5, code, 0, 1, 0, 0, 0, 0, 0, 0],
    }
}

fn take(session: &mut Session<'_>, count: usize) -> io::Result<Vec<u8>> {
    while session.input.unread().len() < count {
        if !session.input.fill(&session.connection.link)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(session.input.take(count).to_vec())
}

fn take_byte(session: &mut Session<'_>) -> io::Result<u8> {
    take_array::<1>(session).map(|[byte]| byte)
}

fn take_array<const N: usize>(session: &mut Session<'_>) -> io::Result<[u8; N]> {
    take(session, N)?.try_into().map_err(|_| malformed("too few bytes"))
}

/// A string with its length before it.
fn take_counted(session: &mut Session<'_>) -> io::Result<String> {
    let length = take_byte(session)?;
    Ok(String::from_utf8_lossy(&take(session, usize::from(length))?).into_owned())
}

/// A string with a zero behind it.
fn take_string(session: &mut Session<'_>) -> io::Result<String> {
    let mut bytes = Vec::new();
    loop {
        match take_byte(session)? {
            0 => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
            byte => bytes.push(byte),
        }
    }
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
