//! Non-blocking stream sockets.

use crate::world::{Endpoint, Opened, Socket, SocketOptions, Source};
use rustix::fd::AsFd;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use socket2::{Domain, Protocol, SockAddr, TcpKeepalive, Type};
use std::io::{self, IoSlice};
use std::net::SocketAddr;

#[derive(Debug)]
struct StreamSocket {
    socket: socket2::Socket,
    /// Where it was connected to, if that is an address that a peer can have.
    peer: Option<SocketAddr>,
    /// `TCP_NODELAY` is wanted and not yet set.
    delays: bool,
    /// Something was written since the last read.
    unanswered: bool,
}

/// Whether the system holds back only what follows a small write that was not acknowledged, so that a
/// request which leaves in one write needs no `TCP_NODELAY`. Others hold back the end of a longer one, too.
const DELAYS_SECOND_WRITE_ONLY: bool = cfg!(target_os = "linux");

/// Makes a socket (close-on-exec, non-blocking) and begins to connect it.
pub(super) fn open(to: &Endpoint, options: &SocketOptions) -> io::Result<Opened> {
    let (socket, address, peer) = match to {
        Endpoint::Tcp(address) => (tcp(*address, options)?, (*address).into(), Some(*address)),
        Endpoint::Unix(path) => (new(Domain::UNIX, None)?, SockAddr::unix(path)?, None),
    };
    let connected = match socket.connect(&address) {
        Ok(()) => true,
        Err(error) if error.raw_os_error() == Some(Errno::INPROGRESS.raw_os_error()) => false,
        Err(error) => return Err(error),
    };
    // A connection to `0.0.0.0` ends at another address, which the system is asked for.
    let peer = peer.filter(|peer| !peer.ip().to_canonical().is_unspecified());
    let delays = DELAYS_SECOND_WRITE_ONLY && options.nodelay && matches!(to, Endpoint::Tcp(_));
    let socket = StreamSocket { socket, peer, delays, unanswered: false };
    Ok(Opened { socket: Box::new(socket), connected })
}

fn tcp(address: SocketAddr, options: &SocketOptions) -> io::Result<socket2::Socket> {
    let socket = new(Domain::for_address(address), Some(Protocol::TCP))?;
    if options.nodelay && !DELAYS_SECOND_WRITE_ONLY {
        socket.set_tcp_nodelay(true)?;
    }
    if let Some(idle) = options.keepalive {
        socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(idle))?;
    }
    if let Some(local) = options.local_address {
        socket.bind(&SocketAddr::new(local, 0).into())?;
    }
    Ok(socket)
}

fn new(domain: Domain, protocol: Option<Protocol>) -> io::Result<socket2::Socket> {
    let socket = socket2::Socket::new_raw(domain, Type::STREAM.nonblocking().cloexec(), protocol)?;
    #[cfg(target_vendor = "apple")]
    socket.set_nosigpipe(true)?;
    Ok(socket)
}

#[cfg(not(target_vendor = "apple"))]
const NO_SIGNAL: SendFlags = SendFlags::NOSIGNAL;
#[cfg(target_vendor = "apple")]
const NO_SIGNAL: SendFlags = SendFlags::empty();

impl StreamSocket {
    /// Lets the next write leave at once, whatever is on its way.
    fn hasten(&mut self) {
        if self.unanswered && self.delays {
            self.delays = false;
            // If that fails, the write will say what is wrong.
            let _ = self.socket.set_tcp_nodelay(true);
        }
        self.unanswered = true;
    }
}

impl Socket for StreamSocket {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let fd = self.socket.as_fd();
        let (count, _) = retry(|| rustix::net::recv(fd, &mut *out, RecvFlags::empty()))?;
        self.unanswered &= count == 0;
        Ok(count)
    }

    fn read_onto(&mut self, out: &mut Vec<u8>) -> io::Result<usize> {
        let fd = self.socket.as_fd();
        let count = retry(|| {
            let room = rustix::buffer::spare_capacity(out);
            rustix::net::recv(fd, room, RecvFlags::empty()).map(|(count, _)| count)
        })?;
        self.unanswered &= count == 0;
        Ok(count)
    }

    fn write(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.hasten();
        if let [one] = parts {
            return retry(|| rustix::net::send(&self.socket, one, NO_SIGNAL));
        }
        let mut control = rustix::net::SendAncillaryBuffer::default();
        retry(|| rustix::net::sendmsg(&self.socket, parts, &mut control, NO_SIGNAL))
    }

    fn connected(&mut self) -> io::Result<()> {
        self.socket.take_error()?.map_or(Ok(()), Err)
    }

    fn peer_address(&self) -> Option<SocketAddr> {
        self.peer.or_else(|| self.socket.peer_addr().ok()?.as_socket())
    }

    fn local_address(&self) -> Option<SocketAddr> {
        self.socket.local_addr().ok()?.as_socket()
    }

    fn source(&self) -> Source<'_> {
        Source::Fd(self.socket.as_fd())
    }
}

/// A non-blocking call that a signal interrupted before it did anything is simply made again.
fn retry<T>(mut call: impl FnMut() -> Result<T, Errno>) -> io::Result<T> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            result => return Ok(result?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::real::{RealWorld, wait::SAYS_FAILURES};
    use crate::world::{Interest, Woke};
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, TcpListener};
    use waterclock_proto::tick::Tick;

    fn listener() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    fn start(address: SocketAddr) -> StreamSocket {
        let socket = tcp(address, &SocketOptions::default()).unwrap();
        let _ = socket.connect(&address.into());
        StreamSocket { socket, peer: Some(address), delays: true, unanswered: false }
    }

    /// Whether the connect can be written to, and whether the wait knows that it has not failed.
    fn waited(socket: &StreamSocket) -> (bool, bool) {
        let mut interests = [Interest::write(socket.source())];
        let woke = RealWorld::shared().wait(&mut interests, Tick::NEVER).unwrap();
        assert_eq!(woke, Woke::Ready);
        (interests[0].ready, interests[0].sound)
    }

    #[test]
    fn a_wait_tells_a_connection_from_a_refusal() {
        let (listener, address) = listener();
        let socket = start(address);
        assert_eq!(waited(&socket), (true, SAYS_FAILURES));
        drop((socket, listener));
        let mut refused = start(address);
        assert_eq!(waited(&refused), (true, false));
        assert_eq!(refused.connected().unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn only_what_could_be_held_back_is_hastened() {
        let (listener, address) = listener();
        let mut socket = start(address);
        let (mut peer, _) = listener.accept().unwrap();
        for _ in 0..2 {
            socket.write(&[IoSlice::new(b"ask")]).unwrap();
            peer.read_exact(&mut [0; 3]).unwrap();
            peer.write_all(b"answer").unwrap();
            let mut interests = [Interest::read(socket.source())];
            RealWorld::shared().wait(&mut interests, Tick::NEVER).unwrap();
            assert_eq!(socket.read(&mut [0; 100]).unwrap(), 6);
            assert!(!socket.socket.tcp_nodelay().unwrap());
        }
        for nodelay in [false, true, true] {
            socket.write(&[IoSlice::new(b"piece")]).unwrap();
            assert_eq!(socket.socket.tcp_nodelay().unwrap(), nodelay);
        }
    }

    #[test]
    fn the_peer_of_no_address_is_asked_for() {
        let (_listener, address) = listener();
        let nobody = SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port()));
        for to in [address, nobody] {
            let opened = open(&Endpoint::Tcp(to), &SocketOptions::default()).unwrap();
            assert_eq!(opened.socket.peer_address(), Some(address));
        }
    }
}
