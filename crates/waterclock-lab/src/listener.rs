//! Accepts connections and gives each a thread of its own.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
#[cfg(unix)]
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::blackhole::Blackhole;
use crate::link::Link;
use crate::log::{Event, Log, Watch};
use crate::stop::Stop;
use crate::stream::Stream;
use crate::tls::{Acceptor, Tls};

pub(crate) const BACKLOG: i32 = 1024;

/// Where and how a server listens.
#[derive(Clone)]
pub(crate) struct Listen {
    pub(crate) address: SocketAddr,
    pub(crate) unix: Option<PathBuf>,
    pub(crate) tls: Option<Tls>,
    pub(crate) receive_buffer: Option<usize>,
    pub(crate) accept_after: Option<Duration>,
    pub(crate) watch: Option<Watch>,
    /// Whether it is noted when peers leave.
    pub(crate) notices_leaving: bool,
}

impl Default for Listen {
    fn default() -> Self {
        Listen {
            address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            unix: None,
            tls: None,
            receive_buffer: None,
            accept_after: None,
            watch: None,
            notices_leaving: false,
        }
    }
}

/// An accepted connection, its handshake done.
pub(crate) struct Connection {
    pub(crate) link: Arc<Link>,
    pub(crate) number: usize,
    pub(crate) stop: Arc<Stop>,
    pub(crate) log: Arc<Log>,
}

impl Connection {
    /// Does nothing until the peer closes or the server stops.
    pub(crate) fn stall(&self) {
        #[cfg(unix)]
        self.link.stream().wait_for_hangup();
        #[cfg(not(unix))]
        self.stop.wait();
    }
}

impl Drop for Connection {
    /// The last moment at which it can be seen that the peer left first.
    fn drop(&mut self) {
        count_departures(&self.stop, &self.log);
    }
}

type Handler = Arc<dyn Fn(Connection) + Send + Sync>;

/// Listening sockets with their threads; dropping it ends them all.
pub(crate) struct Listener {
    pub(crate) address: SocketAddr,
    pub(crate) unix: Option<PathBuf>,
    pub(crate) log: Arc<Log>,
    pub(crate) is_tls: bool,
    stop: Arc<Stop>,
    acceptors: Vec<JoinHandle<()>>,
}

impl Listener {
    pub(crate) fn start(
        listen: &Listen,
        handler: impl Fn(Connection) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let door = Door {
            tls: listen.tls.as_ref().map(Tls::acceptor).transpose()?.map(Arc::new),
            handler: Arc::new(handler),
            log: Arc::new(Log::new(listen.watch.clone())),
            stop: Arc::default(),
        };
        let mut listener = Listener {
            address: listen.address,
            unix: None,
            log: Arc::clone(&door.log),
            is_tls: door.tls.is_some(),
            stop: Arc::clone(&door.stop),
            acceptors: Vec::new(),
        };
        let door = Arc::new(door);
        if listen.notices_leaving {
            let (stop, log) = (Arc::clone(&door.stop), Arc::clone(&door.log));
            spawn("lab-leaving", move || note_departures(&stop, &log))?;
        }
        listener.start_tcp(listen, &door)?;
        if let Some(path) = &listen.unix {
            listener.start_unix(path, &door)?;
        }
        Ok(listener)
    }

    fn start_tcp(&mut self, listen: &Listen, door: &Arc<Door>) -> io::Result<()> {
        let door = Arc::clone(door);
        let buffer = listen.receive_buffer;
        let Some(delay) = listen.accept_after else {
            let listener = bind(listen.address, BACKLOG, buffer)?;
            self.address = listener.local_addr()?;
            self.acceptors.push(spawn("lab-accept", move || door.accept_tcp(&listener))?);
            return Ok(());
        };
        let hole = Blackhole::at(listen.address)?;
        self.address = hole.address();
        self.acceptors.push(spawn("lab-accept", move || {
            let listener = door.stop.sleep(delay).and_then(|()| hole.open());
            let Ok(listener) = listener else { return };
            if let Some(bytes) = buffer {
                let _ = socket2::SockRef::from(&listener).set_recv_buffer_size(bytes);
            }
            door.accept_tcp(&listener);
        })?);
        Ok(())
    }

    #[cfg(unix)]
    fn start_unix(&mut self, path: &std::path::Path, door: &Arc<Door>) -> io::Result<()> {
        let listener = UnixListener::bind(path)?;
        self.unix = Some(path.to_owned());
        let door = Arc::clone(door);
        self.acceptors.push(spawn("lab-accept-unix", move || {
            door.accept_all(|| listener.accept().map(|(stream, _)| Stream::Unix(stream)));
        })?);
        Ok(())
    }

    #[cfg(not(unix))]
    fn start_unix(&mut self, _: &std::path::Path, _: &Arc<Door>) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Connects once, which makes a blocked `accept` look at the switch.
    fn wake(&self) {
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_millis(20));
        #[cfg(unix)]
        if let Some(path) = &self.unix {
            let _ = UnixStream::connect(path);
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.stop();
        // Bounded: a thread that does not end is left behind, and does not keep a process alive.
        for _ in 0..100 {
            if self.acceptors.iter().all(JoinHandle::is_finished) {
                break;
            }
            self.wake();
            thread::sleep(Duration::from_micros(200));
        }
        if let Some(path) = &self.unix {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Looks every millisecond, until the server stops.
fn note_departures(stop: &Stop, log: &Log) {
    while stop.sleep(Duration::from_millis(1)).is_ok() {
        count_departures(stop, log);
    }
}

fn count_departures(stop: &Stop, log: &Log) {
    let count = stop.departures();
    if count > 0 {
        log.write(|seen| {
            seen.left += count;
            seen.last_left = Some(Instant::now());
        });
    }
}

/// What all accepting threads share.
struct Door {
    tls: Option<Arc<Acceptor>>,
    handler: Handler,
    log: Arc<Log>,
    stop: Arc<Stop>,
}

impl Door {
    fn accept_tcp(self: &Arc<Self>, listener: &TcpListener) {
        self.accept_all(|| listener.accept().map(|(stream, _)| tcp(stream)));
    }

    fn accept_all(self: &Arc<Self>, accept: impl Fn() -> io::Result<Stream>) {
        loop {
            let accepted = accept();
            if self.stop.is_stopped() {
                return;
            }
            match accepted {
                Ok(stream) => self.admit(stream),
                // Out of descriptors, or a peer that left already: neither may end the server.
                Err(_) => thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    fn admit(self: &Arc<Self>, stream: Stream) {
        let peer = stream.peer();
        let stream = Arc::new(stream);
        self.stop.watch(&stream);
        let number = self.log.write(|seen| {
            seen.first.get_or_insert_with(Instant::now);
            seen.accepted += 1;
            seen.open += 1;
            seen.accepted - 1
        });
        self.log.tell(&Event::Accepted { connection: number, peer });
        let door = Arc::clone(self);
        let spawned = spawn("lab-connection", move || {
            let _open = Open { log: Arc::clone(&door.log), connection: number };
            door.handle(stream, number);
        });
        if spawned.is_err() {
            self.log.write(|seen| seen.open -= 1);
            self.log.tell(&Event::Closed { connection: number });
        }
    }

    fn handle(&self, stream: Arc<Stream>, number: usize) {
        let link = match &self.tls {
            None => Link::clear(stream),
            Some(acceptor) => {
                let result = acceptor.accept(&stream, number, &self.stop);
                let kind = result.as_ref().ok().and_then(|tls| tls.handshake_kind());
                self.log.write(|seen| match kind {
                    None => seen.handshakes.failed += 1,
                    Some(rustls::HandshakeKind::Resumed) => seen.handshakes.resumed += 1,
                    Some(_) => seen.handshakes.full += 1,
                });
                let completed = result.is_ok();
                self.log.tell(&Event::Handshake { connection: number, completed });
                let Ok(tls) = result else { return };
                Link::secured(stream, tls)
            }
        };
        let (stop, log) = (Arc::clone(&self.stop), Arc::clone(&self.log));
        (self.handler)(Connection { link: Arc::new(link), number, stop, log });
    }
}

/// Counts a connection as open until dropped, also when a user's closure panics.
struct Open {
    log: Arc<Log>,
    connection: usize,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.log.write(|seen| seen.open -= 1);
        self.log.tell(&Event::Closed { connection: self.connection });
    }
}

pub(crate) fn spawn(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(work)
}

pub(crate) fn tcp(stream: TcpStream) -> Stream {
    let _ = stream.set_nodelay(true);
    Stream::Tcp(stream)
}

/// Binds and listens. A receive buffer set here is inherited by the accepted sockets.
pub(crate) fn bind(
    address: SocketAddr,
    backlog: i32,
    receive_buffer: Option<usize>,
) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    if let Some(bytes) = receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    socket.bind(&SockAddr::from(address))?;
    socket.listen(backlog)?;
    Ok(socket.into())
}
