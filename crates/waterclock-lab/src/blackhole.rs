//! A peer that drops SYNs: a listener whose backlog is full.

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use crate::listener::{BACKLOG, bind};

/// On loopback a SYN is answered or dropped within microseconds.
const PROBE: Duration = Duration::from_millis(40);
const MAX_FILLERS: usize = 64;

/// An address that takes no connection and refuses none: connecting hangs until the client gives
/// up, as with a firewall that drops packets. Each address of 127.0.0.0/8 can be a host of its own.
///
/// ```
/// use std::net::TcpStream;
/// use std::time::Duration;
///
/// let hole = waterclock_lab::Blackhole::start()?;
/// let patience = Duration::from_millis(20);
/// let error = TcpStream::connect_timeout(&hole.address(), patience).unwrap_err();
/// assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Blackhole {
    listener: TcpListener,
    address: SocketAddr,
    fillers: Vec<TcpStream>,
}

impl Blackhole {
    /// A black hole on 127.0.0.1 and a free port.
    pub fn start() -> io::Result<Self> {
        Self::at(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0))
    }

    /// A black hole on this address; port 0 is a free one. It is an error if the system goes on
    /// accepting, so a black hole that starts holds.
    pub fn at(address: SocketAddr) -> io::Result<Self> {
        let listener = bind(address, 0, None)?;
        let address = listener.local_addr()?;
        let mut hole = Blackhole { listener, address, fillers: Vec::new() };
        let mut dropped = 0;
        while dropped < 2 {
            match TcpStream::connect_timeout(&address, PROBE) {
                Ok(filler) => hole.fillers.push(filler),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => dropped += 1,
                Err(error) => return Err(error),
            }
            if hole.fillers.len() > MAX_FILLERS {
                return Err(io::Error::other("this system accepts in spite of a full backlog"));
            }
        }
        Ok(hole)
    }

    /// Where nobody answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends the hole and gives the listener, its queue empty. A client that is still connecting
    /// gets through when its kernel repeats the SYN, about a second after the first one.
    pub fn open(self) -> io::Result<TcpListener> {
        let ours: HashSet<SocketAddr> =
            self.fillers.iter().filter_map(|filler| filler.local_addr().ok()).collect();
        let mut left = ours.len();
        while left > 0 {
            // Nobody else is in the queue before ours have left it: it was full.
            let (_, peer) = self.listener.accept()?;
            left -= usize::from(ours.contains(&peer));
        }
        socket2::SockRef::from(&self.listener).listen(BACKLOG)?;
        Ok(self.listener)
    }
}
