//! A connected socket, TCP or Unix, whose calls need only a shared reference.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::Duration;

pub(crate) enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Stream {
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let result = match self {
                Stream::Tcp(stream) => (&mut &*stream).read(buffer),
                #[cfg(unix)]
                Stream::Unix(stream) => (&mut &*stream).read(buffer),
            };
            match result {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    pub(crate) fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => (&mut &*stream).write_all(bytes),
            #[cfg(unix)]
            Stream::Unix(stream) => (&mut &*stream).write_all(bytes),
        }
    }

    /// Sends a byte out of band. Unix sockets have no such thing.
    pub(crate) fn send_urgent(&self, byte: u8) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => {
                socket2::SockRef::from(stream).send_out_of_band(&[byte]).map(|_| ())
            }
            #[cfg(unix)]
            Stream::Unix(_) => Ok(()),
        }
    }

    /// Whose it is, where that can be said.
    pub(crate) fn peer(&self) -> Option<SocketAddr> {
        match self {
            Stream::Tcp(stream) => stream.peer_addr().ok(),
            #[cfg(unix)]
            Stream::Unix(_) => None,
        }
    }

    pub(crate) fn shut_down(&self) {
        let _ = self.shutdown(Shutdown::Both);
    }

    pub(crate) fn send_fin(&self) {
        let _ = self.shutdown(Shutdown::Write);
    }

    /// Ends a `read` that another thread is blocked in, and tells the peer nothing.
    pub(crate) fn stop_reading(&self) {
        let _ = self.shutdown(Shutdown::Read);
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.shutdown(how),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.shutdown(how),
        }
    }

    /// Makes the coming close an RST instead of a FIN. Unix sockets know no RST; there the peer
    /// sees ECONNRESET only if it had sent bytes that nobody read.
    pub(crate) fn reset_on_close(&self) {
        if let Stream::Tcp(stream) = self {
            let _ = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
    }

    /// Blocks until the peer closed or reset the connection, reading nothing, so that an upload
    /// fills the buffers and then stands still. Stopping the server ends it too.
    #[cfg(unix)]
    pub(crate) fn wait_for_hangup(&self) {
        use rustix::event::{PollFd, PollFlags, poll};
        // HUP and ERR are always reported; a FIN behind unread bytes shows as RDHUP only.
        #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
        let wanted = PollFlags::RDHUP;
        #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
        let wanted = PollFlags::empty();
        let mut fds = [PollFd::new(self, wanted)];
        while matches!(poll(&mut fds, None), Err(rustix::io::Errno::INTR) | Ok(0)) {}
    }

    /// Whether the peer has ended its side, or both.
    pub(crate) fn is_hung_up(&self) -> bool {
        #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
        {
            use rustix::event::{PollFd, PollFlags, Timespec, poll};
            let mut fds = [PollFd::new(self, PollFlags::RDHUP)];
            poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) == Ok(1)
        }
        // Elsewhere nobody is seen to leave before something is read or written.
        #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
        false
    }
}

#[cfg(unix)]
impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Stream::Tcp(stream) => stream.as_fd(),
            Stream::Unix(stream) => stream.as_fd(),
        }
    }
}
