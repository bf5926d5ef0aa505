//! Making a connection: name, address race, proxy, TLS; all under the limit `connect`.

mod allowed;
mod dialogue;
mod handshake;
mod race;

use crate::call::Call;
use crate::connection::{Connection, Secured};
use crate::error::{ErrorKind, Failure, Outcome};
use crate::log_lines;
use crate::pool::{Permit, Pool};
use crate::proxy::{Via, speaks_http};
use crate::resolver::Names;
use crate::stream::Stream;
use crate::tls::TlsConfig;
use crate::world::{Endpoint, Socket, SocketOptions};
pub(crate) use allowed::Allowed;
pub use allowed::is_public;
use dialogue::Dialogue;
use handshake::{With, handshake};
use std::borrow::Cow;
use std::io;
use std::path::Path;
use waterclock_proto::h1::Caps;
use waterclock_proto::limit::Limit;
use waterclock_proto::message::Headers;
use waterclock_proto::timeline::{AttemptEnd, Phase, What};

/// How connections are made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connector {
    pub(crate) names: Names,
    pub(crate) socket: SocketOptions,
    pub(crate) caps: Caps,
    pub(crate) allowed: Allowed,
    /// What HTTP proxies are told, and origins are not.
    pub(crate) proxy_headers: Headers,
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
    /// The proxy between.
    pub(crate) via: Option<Via<'a>>,
    /// TLS with the origin.
    pub(crate) tls: Option<&'a TlsConfig>,
}

impl<'a> Route<'a> {
    /// The proxy that is to open a way to the origin. Without one it forwards, or there is none.
    fn tunnel(&self) -> Option<Via<'a>> {
        self.via.filter(|via| self.tls.is_some() || !speaks_http(via.url))
    }
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
        log_lines::new_connection(number, permit.key().as_ref());
        call.arm(Limit::Connect, now);
        // What cannot be asked of the proxy needs no connection to it.
        let dialogue = match route.tunnel() {
            Some(via) => Some(Dialogue::new(self, call, route, via)?),
            None => None,
        };
        let mut stream = Stream::new(self.open(call, route)?);
        let mut secured = Secured::default();
        if let Some(Via { url, tls: Some(tls), .. }) = route.via {
            secured.proxy = handshake(call, &mut stream, tls, With::Proxy(url))?;
        }
        if let Some(dialogue) = dialogue {
            dialogue.hold(call, &mut stream)?;
        }
        if let Some(tls) = route.tls {
            secured.origin = handshake(call, &mut stream, tls, With::Origin(route.name))?;
        }
        call.disarm(&[Limit::Connect]);
        Ok(Box::new(Connection::new(stream, permit, number, secured)))
    }

    fn open(&self, call: &mut Call, route: Route<'_>) -> Outcome<Box<dyn Socket>> {
        if let Some(path) = route.unix {
            return self.open_unix(call, path);
        }
        let (host, port, called) = match route.via {
            Some(Via { url, .. }) => (url.host(), url.port(), format!("the proxy {url}").into()),
            None => (route.host, route.port, Cow::Borrowed(route.host)),
        };
        let mut addresses = self.names.resolve(call, host, port)?;
        // What is asked here is what is connected to: there is no second look-up.
        let (asked, first) = (addresses.len(), addresses.first().copied());
        addresses.retain(|address| self.allowed.allows(*address));
        if let (true, Some(first)) = (addresses.is_empty(), first) {
            let more = if asked > 1 { format!(" and {} more", asked - 1) } else { String::new() };
            return Err(refused(&called, &format!("{}{more}", first.ip())));
        }
        race::connect(call, &self.socket, &called, addresses)
    }

    /// A Unix socket connects at once, or its queue is full and the system offers nothing to wait
    /// for: then the attempt is repeated.
    fn open_unix(&self, call: &mut Call, path: &Path) -> Outcome<Box<dyn Socket>> {
        let endpoint = Endpoint::Unix(path.to_owned());
        if self.allowed.has_rule() {
            return Err(refused(&endpoint.to_string(), "a Unix socket, which has no address"));
        }
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
}

/// Nothing was opened, no SYN was sent.
fn refused(to: &str, what: &str) -> Box<Failure> {
    let text = format!("cannot connect to {to}: allow_address refuses {what}");
    Failure::new(ErrorKind::Connect, text)
}

fn cannot_connect(to: &str, error: io::Error) -> Box<Failure> {
    Failure::from_error(ErrorKind::Connect, format_args!("cannot connect to {to}"), error)
}
