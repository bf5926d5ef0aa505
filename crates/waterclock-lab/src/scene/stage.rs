//! The servers of a scene, running.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{ProxyPlan, Queue, Scene, Serves, Speaks, route};
use crate::blackhole::Blackhole;
use crate::dns::{DnsServer, Zone};
use crate::identity::Identity;
use crate::log::{Event, Watch};
use crate::proxy::{Proxy, ProxyAction};
use crate::script::Script;
use crate::server::Server;
use crate::socks::{Socks, SocksAction};
use crate::tls::Tls;

const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// How a scene is served.
#[derive(Clone, Default)]
pub struct Options {
    port: u16,
    watch: Option<Watch>,
    notices_leaving: bool,
}

impl Options {
    /// The server's port; 0, the default, is a free one. Proxy and name server always get free ones.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Notes when clients leave, for [`Stage::all_left`].
    #[must_use]
    pub fn notices_leaving(mut self) -> Self {
        self.notices_leaving = true;
        self
    }

    /// Tells `watch` what happens on the connections of the server and, marked as such, of the
    /// proxy, on their threads.
    #[must_use]
    pub fn watch(mut self, watch: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.watch = Some(Arc::new(watch));
        self
    }
}

/// A scene that is being played, on 127.0.0.1. Dropping it ends all its servers.
pub struct Stage {
    place: Place,
    https: bool,
    proxy: Option<Front>,
    names: Option<(String, DnsServer)>,
    ca: Option<String>,
}

enum Place {
    Server(Server),
    Hole(Blackhole),
}

enum Front {
    Http(Proxy),
    Socks(Socks),
}

impl Stage {
    /// Starts the servers. An error says that this system could not do it, a port in use for example.
    pub fn start(scene: &Scene, options: &Options) -> io::Result<Stage> {
        let (tls, ca) = tls(scene)?;
        let place = place(scene, tls, options)?;
        let address = match &place {
            Place::Server(server) => server.address(),
            Place::Hole(hole) => hole.address(),
        };
        let proxy = scene.proxy.as_ref().map(|plan| front(plan, scene, address, options));
        let names = scene.host.as_ref().map(|host| {
            let zone = match host.lookup {
                Some(lookup) => Zone::new().name(&host.name, [LOCAL], lookup),
                None => Zone::new().silent(&host.name),
            };
            io::Result::Ok((host.name.clone(), DnsServer::start(zone)?))
        });
        Ok(Stage {
            place,
            https: scene.is_https(),
            proxy: proxy.transpose()?,
            names: names.transpose()?,
            ca,
        })
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        match &self.place {
            Place::Server(server) => server.address(),
            Place::Hole(hole) => hole.address(),
        }
    }

    /// The URL to ask for, with an address as its host.
    pub fn url(&self) -> String {
        self.url_of(&LOCAL.to_string())
    }

    /// The same with the scene's name as its host, if it has one. Only the scene's name server knows
    /// that name.
    pub fn named_url(&self) -> Option<String> {
        self.names.as_ref().map(|(name, _)| self.url_of(name))
    }

    fn url_of(&self, host: &str) -> String {
        let scheme = if self.https { "https" } else { "http" };
        format!("{scheme}://{host}:{}/", self.address().port())
    }

    /// The name server, which speaks UDP.
    pub fn name_server(&self) -> Option<SocketAddr> {
        self.names.as_ref().map(|(_, server)| server.address())
    }

    /// The URL of the proxy to go through.
    pub fn proxy_url(&self) -> Option<String> {
        self.proxy.as_ref().map(|front| match front {
            Front::Http(proxy) => proxy.url(),
            Front::Socks(proxy) => proxy.url("socks5"),
        })
    }

    /// The certificate, in PEM, of the authority to be trusted.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca.as_deref()
    }

    /// When the first sign of a client came: a name looked up, a connection to the proxy or the server.
    /// A full backlog shows none.
    pub fn first_contact(&self) -> Option<Instant> {
        let asked = self
            .names
            .as_ref()
            .and_then(|(_, names)| names.queries().first().map(|query| query.received));
        let server = match &self.place {
            Place::Server(server) => server.first_connection(),
            Place::Hole(_) => None,
        };
        let proxy = match &self.proxy {
            Some(Front::Http(proxy)) => proxy.first_connection(),
            Some(Front::Socks(proxy)) => proxy.first_connection(),
            None => None,
        };
        [asked, server, proxy].into_iter().flatten().min()
    }

    /// When the last client left, if somebody came to the server or the proxy and all have left.
    pub fn all_left(&self) -> Option<Instant> {
        let server = match &self.place {
            Place::Server(server) => (server.connections(), server.all_left()),
            Place::Hole(_) => (0, None),
        };
        let proxy = match &self.proxy {
            Some(Front::Http(proxy)) => (proxy.connections(), proxy.all_left()),
            Some(Front::Socks(proxy)) => (proxy.connections(), proxy.all_left()),
            None => (0, None),
        };
        let mut last = None;
        for (_, left) in [server, proxy].into_iter().filter(|(connections, _)| *connections > 0) {
            last = last.max(Some(left?));
        }
        last
    }

    /// Whether somebody went through the proxy, if there is one.
    pub fn proxy_was_used(&self) -> Option<bool> {
        self.proxy.as_ref().map(|front| match front {
            Front::Http(proxy) => proxy.connections() > 0,
            Front::Socks(proxy) => proxy.connections() > 0,
        })
    }

    /// Connections that the server has accepted.
    pub fn connections(&self) -> usize {
        match &self.place {
            Place::Server(server) => server.connections(),
            Place::Hole(_) => 0,
        }
    }

    /// Whether connections are seen here. A queue that is always full shows none.
    pub fn takes_connections(&self) -> bool {
        matches!(self.place, Place::Server(_))
    }

    /// Waits until somebody came, and all connections have been closed for this long.
    pub fn wait_until_left(&self, quiet: Duration) {
        const GRAIN: Duration = Duration::from_millis(5);
        let mut left = quiet;
        while !left.is_zero() {
            sleep(GRAIN);
            let is_busy = self.connections() == 0 || self.open_connections() > 0;
            left = if is_busy { quiet } else { left.saturating_sub(GRAIN) };
        }
    }

    /// Connections to the server that are open now.
    pub fn open_connections(&self) -> usize {
        match &self.place {
            Place::Server(server) => server.open_connections(),
            Place::Hole(_) => 0,
        }
    }
}

/// TLS and the certificate of its authority.
fn tls(scene: &Scene) -> io::Result<(Option<Tls>, Option<String>)> {
    let Speaks::Https { script, version } = &scene.speaks else { return Ok((None, None)) };
    let mut names = vec!["127.0.0.1", "localhost"];
    names.extend(scene.host());
    let identity = Identity::new(&names)?;
    let ca = identity.ca_pem().to_owned();
    let mut tls = Tls::new(identity).script(script.clone());
    if let Some(version) = version {
        tls = tls.version(*version);
    }
    Ok((Some(tls), Some(ca)))
}

fn place(scene: &Scene, tls: Option<Tls>, options: &Options) -> io::Result<Place> {
    let address = SocketAddr::new(LOCAL, options.port);
    let script = match &scene.serves {
        Serves::Routes(routes) => route::script(routes.clone()),
        Serves::Connection(steps) => Script::steps(steps.clone()),
    };
    // Small, so that an upload which nobody reads stands still sooner.
    let mut builder = Server::builder()
        .bind(address)
        .script(script)
        .receive_buffer(16 * 1024)
        .notices_leaving(options.notices_leaving);
    if let Some(tls) = tls {
        builder = builder.tls(tls);
    }
    if let Some(watch) = options.watch.clone() {
        builder = builder.watch(move |event| watch(event));
    }
    match scene.queue {
        Queue::Full => return Ok(Place::Hole(Blackhole::at(address)?)),
        Queue::FullFor(time) => builder = builder.accept_after(time),
        Queue::Open => {}
    }
    Ok(Place::Server(builder.start()?))
}

fn front(
    plan: &ProxyPlan,
    scene: &Scene,
    address: SocketAddr,
    options: &Options,
) -> io::Result<Front> {
    let target = scene.host().map(|name| format!("{name}:{}", address.port()));
    let action = match plan {
        ProxyPlan::Http(action) => {
            return http_front(action.clone(), target, address, options).map(Front::Http);
        }
        ProxyPlan::SocksAnswer(steps) => SocksAction::Answer(steps.clone()),
        ProxyPlan::SocksAfter(wait) => SocksAction::ForwardAfter(*wait),
    };
    let mut builder = Socks::builder()
        .script(move |_| action.clone())
        .watch(marked(options))
        .notices_leaving(options.notices_leaving);
    if let Some(target) = target {
        builder = builder.route(&target, address);
    }
    builder.start().map(Front::Socks)
}

fn http_front(
    action: ProxyAction,
    target: Option<String>,
    address: SocketAddr,
    options: &Options,
) -> io::Result<Proxy> {
    let mut builder = Proxy::builder()
        .script(move |_| action.clone())
        .watch(marked(options))
        .notices_leaving(options.notices_leaving);
    if let Some(target) = target {
        builder = builder.route(&target, address);
    }
    builder.start()
}

/// What is told about a proxy.
fn marked(options: &Options) -> impl Fn(&Event) + Send + Sync + 'static {
    let watch = options.watch.clone();
    move |event| {
        if let Some(watch) = &watch {
            watch(&Event::OfProxy(Box::new(event.clone())));
        }
    }
}
