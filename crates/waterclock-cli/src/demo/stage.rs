//! The servers of a scene, and a session that knows them alone.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use waterclock::Session;
use waterclock::tls::{KeyLogging, Roots, TlsSettings};
use waterclock::world::real::ThreadedLookup;
use waterclock_lab::{
    Authority, Blackhole, DnsServer, DnsStub, Proxy, ProxyAction, Script, Server, Tls, TlsScript,
    Zone,
};

pub(super) const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Servers with names. They live as long as the stage.
pub(super) struct Stage {
    authority: Authority,
    zone: Zone,
    /// Where a name's server listens: the name server gives the address, this the port.
    ports: HashMap<String, u16>,
    proxy: Option<String>,
    names: Option<DnsServer>,
    servers: Vec<Server>,
    holes: Vec<Blackhole>,
    proxies: Vec<Proxy>,
}

impl Stage {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Stage {
            authority: Authority::new()?,
            zone: Zone::new(),
            ports: HashMap::new(),
            proxy: None,
            names: None,
            servers: Vec::new(),
            holes: Vec::new(),
            proxies: Vec::new(),
        })
    }

    /// A name that is answered for after `delay`, and the server behind it.
    pub(super) fn server(
        &mut self,
        name: &str,
        delay: Duration,
        tls: Option<TlsScript>,
        script: impl Into<Script>,
    ) -> io::Result<()> {
        let mut builder = Server::builder().script(script).receive_buffer(16 * 1024);
        if let Some(script) = tls {
            builder = builder.tls(Tls::new(self.authority.issue(&[name])?).script(script));
        }
        let server = builder.start()?;
        self.name(name, delay, server.address().port());
        self.servers.push(server);
        Ok(())
    }

    fn name(&mut self, name: &str, delay: Duration, port: u16) {
        self.zone = std::mem::take(&mut self.zone).name(name, [LOCAL], delay);
        self.ports.insert(name.to_owned(), port);
    }

    /// A host that answers no connection.
    pub(super) fn black_hole(&mut self, name: &str) -> io::Result<()> {
        let hole = Blackhole::start()?;
        self.name(name, Duration::ZERO, hole.address().port());
        self.holes.push(hole);
        Ok(())
    }

    /// A name about which the name server says nothing.
    pub(super) fn silent_name(&mut self, name: &str) {
        self.zone = std::mem::take(&mut self.zone).silent(name);
    }

    /// A proxy, through which all sessions go.
    pub(super) fn proxy(
        &mut self,
        name: &str,
        port: u16,
        action: impl Fn() -> ProxyAction + Send + Sync + 'static,
    ) -> io::Result<()> {
        let mut builder = Proxy::builder().script(move |_| action());
        for (target, port) in &self.ports {
            builder = builder.route(&format!("{target}:443"), SocketAddr::new(LOCAL, *port));
        }
        let proxy = builder.start()?;
        self.name(name, Duration::ZERO, proxy.address().port());
        self.proxies.push(proxy);
        self.proxy = Some(format!("{name}:{port}"));
        Ok(())
    }

    /// The scene is set: the name server starts.
    pub(super) fn open(&mut self) -> io::Result<()> {
        self.names = Some(DnsServer::start(self.zone.clone())?);
        Ok(())
    }

    /// A session that asks the stage's name server and trusts the stage's authority, whatever the
    /// environment says.
    pub(super) fn session(&self) -> io::Result<Session> {
        let names = self.names.as_ref().ok_or_else(|| io::Error::other("the stage is closed"))?;
        let (stub, ports) = (DnsStub::new(names.address()), self.ports.clone());
        let lookup = ThreadedLookup::new(move |name, port| {
            let port = ports.get(name).copied().unwrap_or(port);
            let addresses = stub.lookup(name)?;
            Ok(addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect())
        });
        let roots = Roots::pem(self.authority.pem().as_bytes()).map_err(io::Error::other)?;
        let tls = TlsSettings::builder().roots(roots).key_logging(KeyLogging::Off).build();
        let mut builder = Session::builder().trust_env(false).resolver(Arc::new(lookup));
        builder = builder.tls(tls.map_err(io::Error::other)?);
        if let Some(proxy) = &self.proxy {
            builder = builder.proxy(proxy);
        }
        builder.build().map_err(io::Error::other)
    }
}
