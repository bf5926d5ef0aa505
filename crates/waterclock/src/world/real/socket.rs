//! Non-blocking stream sockets.

use crate::world::{Endpoint, Opened, Socket, SocketOptions, Source};
use rustix::fd::AsFd;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use socket2::{Domain, Protocol, SockAddr, TcpKeepalive, Type};
use std::io::{self, IoSlice};
use std::net::SocketAddr;

#[derive(Debug)]
struct StreamSocket(socket2::Socket);

/// Makes a socket (close-on-exec, non-blocking) and begins to connect it.
pub(super) fn open(to: &Endpoint, options: &SocketOptions) -> io::Result<Opened> {
    let (socket, address) = match to {
        Endpoint::Tcp(address) => (tcp(*address, options)?, SockAddr::from(*address)),
        Endpoint::Unix(path) => (new(Domain::UNIX, None)?, SockAddr::unix(path)?),
    };
    let connected = match socket.connect(&address) {
        Ok(()) => true,
        Err(error) if error.raw_os_error() == Some(Errno::INPROGRESS.raw_os_error()) => false,
        Err(error) => return Err(error),
    };
    Ok(Opened { socket: Box::new(StreamSocket(socket)), connected })
}

fn tcp(address: SocketAddr, options: &SocketOptions) -> io::Result<socket2::Socket> {
    let socket = new(Domain::for_address(address), Some(Protocol::TCP))?;
    socket.set_tcp_nodelay(options.nodelay)?;
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

impl Socket for StreamSocket {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        retry(|| rustix::net::recv(&self.0, &mut *out, RecvFlags::empty()).map(|(count, _)| count))
    }

    fn write(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        if let [one] = parts {
            return retry(|| rustix::net::send(&self.0, one, NO_SIGNAL));
        }
        let mut control = rustix::net::SendAncillaryBuffer::default();
        retry(|| rustix::net::sendmsg(&self.0, parts, &mut control, NO_SIGNAL))
    }

    fn connected(&mut self) -> io::Result<()> {
        self.0.take_error()?.map_or(Ok(()), Err)
    }

    fn peer_address(&self) -> Option<SocketAddr> {
        self.0.peer_addr().ok()?.as_socket()
    }

    fn local_address(&self) -> Option<SocketAddr> {
        self.0.local_addr().ok()?.as_socket()
    }

    fn source(&self) -> Source<'_> {
        Source::Fd(self.0.as_fd())
    }
}

/// A non-blocking call that a signal interrupted before it did anything is simply made again.
fn retry(mut call: impl FnMut() -> Result<usize, Errno>) -> io::Result<usize> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            result => return Ok(result?),
        }
    }
}
